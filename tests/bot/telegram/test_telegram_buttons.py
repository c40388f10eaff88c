"""Buttons act once, for whom they were sent to, and not for ever."""

from __future__ import annotations

import pytest

from bot.turn_types import Button
from tests.bot.telegram.line import Line, eventually
from tests.bot_api.world import Chat


def asked(line: Line, name: str = "王奶奶", chat_id: int = 1001) -> Chat:
    phone = line.phone(name, chat_id)
    phone.says("买点菜")
    return phone


def said(line: Line) -> list[str]:
    return [one["text"] for one in line.parlour.dialogue.asked]


def test_a_pressed_button_is_a_turn_and_shows_what_was_chosen(open_line: Line) -> None:
    phone = asked(open_line)
    question = phone.hears()
    token = question.data_of("对")
    pressed = phone.presses("对")
    assert phone.sees_edit().words == question.versions[0]["caption"] + "\n您选了：对"
    assert question.buttons == []
    phone.hears()
    assert phone.answer_to(pressed) is not None
    assert said(open_line) == ["买点菜", "/affirm"]
    assert open_line.turns()[-1].id == f"telegram:1001:button:{token}"


def test_the_wheel_stops_before_the_answer_is_made(open_line: Line) -> None:
    phone = asked(open_line)
    phone.hears()
    open_line.parlour.dialogue.seconds = 1.0
    pressed = phone.presses("对")
    eventually(lambda: phone.answer_to(pressed) is not None)
    phone.hears_nothing(0.1)
    phone.hears()


def test_a_button_pressed_twice_acts_and_answers_once(open_line: Line) -> None:
    phone = asked(open_line)
    question = phone.hears()
    phone.presses("对", question)
    phone.presses("对", question)
    phone.hears()
    open_line.all_answered(3)
    phone.hears_nothing()
    assert said(open_line) == ["买点菜", "/affirm"]


def test_the_other_button_does_nothing_any_more(open_line: Line) -> None:
    phone = asked(open_line)
    question = phone.hears()
    phone.presses("对", question)
    phone.hears()
    phone.presses("不对", question)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert said(open_line) == ["买点菜", "/affirm"]


def test_a_button_of_last_week_is_gone(open_line: Line) -> None:
    phone = asked(open_line)
    phone.hears()
    open_line.street.clock.pass_time(days=7)
    phone.presses("对", long_after=True)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert said(open_line) == ["买点菜"]


def test_a_yes_to_an_older_question_does_not_answer_the_newer(open_line: Line) -> None:
    phone = asked(open_line)
    older = phone.hears()
    open_line.parlour.dialogue.texts = ["转给李建国十个小时，对吗？"]
    phone.says("转给李建国十个小时")
    phone.hears()
    phone.presses("对", older)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert "/affirm" not in said(open_line)


def test_a_button_sent_to_somebody_else_does_nothing(open_line: Line) -> None:
    hers = asked(open_line).hears()
    thief = open_line.phone("李建国", 1002)
    thief.presses("对", hers)
    assert thief.hears().words == open_line.phrase("utter_refused_button_not_yours")
    assert said(open_line) == ["买点菜"] and hers.buttons == ["对", "不对"]


@pytest.mark.parametrize("data", ["/affirm", "x", "A" * 22, "join:yes", "join:no"])
def test_forged_data_does_nothing(open_line: Line, data: str) -> None:
    phone = open_line.phone("王奶奶")
    phone.forges_press(data)
    assert phone.hears().words in (
        open_line.phrase("utter_refused_button_not_yours"),
        open_line.phrase("utter_refused_button_gone"),
    )
    assert open_line.turns() == []


def test_a_stranger_presses_in_vain(open_line: Line) -> None:
    hers = asked(open_line).hears()
    stranger = open_line.api.chat(6666, "谁")
    stranger.presses("对", hers)
    assert stranger.hears().words == open_line.phrase("utter_telegram_stranger")
    assert said(open_line) == ["买点菜"]


def test_the_choice_is_shown_under_plain_words_too(
    open_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no voice today")

    monkeypatch.setattr(open_line.parlour.synthesizer, "synthesize", broken)
    open_line.parlour.dialogue.buttons = [Button("行", "行，我去")]
    phone = asked(open_line)
    phone.hears()
    phone.presses("行")
    assert phone.sees_edit().words.endswith("您选了：行")
    phone.hears()
    assert said(open_line) == ["买点菜", "行，我去"]
