"""What an unlucky phone, an impatient finger or a stranger sends: refused or answered, never acted
on for somebody else, never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.timebank.model import SentButton, Turn
from bot.turn_types import Button
from tests.bot.telegram.line import NOTE, Line, eventually
from tests.bot_api.world import Chat
from voice import codec
from voice.types import Pcm

ANSWER = "好，买东西。大约一个半小时。"


def asked(line: Line) -> list[str]:
    """What reached the mind, with who said it."""
    return [one["text"] for one in line.parlour.dialogue.asked]


def asks_back(line: Line, phone: Chat) -> None:
    phone.says("买点菜")
    assert phone.hears().buttons == ["对", "不对"]


# -- updates -------------------------------------------------------------------------------------


def test_a_replayed_update_is_neither_acted_on_nor_answered_again(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    said = phone.speaks(NOTE, 1)
    assert phone.hears().words == ANSWER
    open_line.all_answered(1)
    open_line.api.replay(said.update, said.update)
    asks_back(open_line, phone)
    phone.hears_nothing()
    assert len(asked(open_line)) == 2 and len(open_line.turns()) == 2


def test_an_update_replayed_after_a_restart_is_still_known(line: Line) -> None:
    phone = line.phone("王奶奶")
    with line.open():
        said = phone.says("买点菜")
        assert phone.hears().words == ANSWER
        line.all_answered(1)
    line.api.replay(said.update)
    with line.open():
        phone.says("再买点药")
        assert phone.hears().words == ANSWER
        phone.hears_nothing()
    assert asked(line) == ["买点菜", "再买点药"]


def test_a_replayed_press_is_one_press(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    asks_back(open_line, phone)
    pressed = phone.presses("对")
    assert phone.hears().words == ANSWER
    open_line.api.replay(pressed.update)
    asks_back(open_line, phone)
    assert asked(open_line).count("/affirm") == 1


def test_updates_out_of_order_are_each_answered_once(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    with open_line.api.out_of_order():
        for words in ("买点菜", "修灯泡", "陪我看病"):
            phone.says(words)
    for _ in range(3):
        assert phone.hears().words == ANSWER
    phone.hears_nothing()
    assert sorted(asked(open_line)) == sorted(["买点菜", "修灯泡", "陪我看病"])


@pytest.mark.timeout(120)
def test_two_hundred_updates_in_a_burst_are_each_answered_once_in_order(open_line: Line) -> None:
    """Four people talk over each other."""
    names = ("王奶奶", "张秀英", "李建国", "赵铁柱")
    phones = [open_line.phone(name, 1001 + number) for number, name in enumerate(names)]
    for number in range(50):
        for phone in phones:
            phone.says(f"第{number}回")
    for phone in phones:
        for _ in range(50):
            assert phone.hears(60).words == ANSWER
    for name in names:
        member = open_line.street.member(name)
        said = [one["text"] for one in open_line.parlour.dialogue.asked if one["member"] == member]
        assert said == [f"第{number}回" for number in range(50)]
    open_line.all_answered(200)
    for phone in phones:
        phone.hears_nothing(0.05)


# -- buttons -------------------------------------------------------------------------------------


def test_a_button_pressed_twice_acts_once(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    asks_back(open_line, phone)
    open_line.parlour.dialogue.seconds = 0.2
    presses = [phone.presses("对"), phone.presses("对")]
    assert phone.hears().words == ANSWER
    open_line.all_answered(3)
    assert asked(open_line).count("/affirm") == 1
    eventually(lambda: all(phone.answer_to(one) is not None for one in presses))


def test_after_yes_the_no_of_the_same_question_is_gone(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.says("买点菜")
    question = phone.hears()
    phone.presses("对", question)
    assert phone.hears().words == ANSWER
    phone.presses("不对", question)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert "/deny" not in asked(open_line)


def test_a_button_pressed_a_week_later_is_gone(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    asks_back(open_line, phone)
    open_line.street.clock.now += timedelta(days=7)
    pressed = phone.presses("对", long_after=True)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert asked(open_line) == ["买点菜"]
    eventually(lambda: phone.answer_to(pressed) is not None)


def test_anothers_button_is_refused_and_stays_hers(open_line: Line) -> None:
    wang, zhang = open_line.phone("王奶奶"), open_line.phone("张秀英", 1002)
    wang.says("买点菜")
    question = wang.hears()
    zhang.presses("对", question)
    assert zhang.hears().words == open_line.phrase("utter_refused_button_not_yours")
    wang.hears_nothing(0.1)
    assert asked(open_line) == ["买点菜"]
    wang.presses("对", question)
    assert wang.hears().words == ANSWER


def test_a_stranger_with_her_button_learns_and_does_nothing(open_line: Line) -> None:
    wang, stranger = open_line.phone("王奶奶"), open_line.api.chat(6666, "王奶奶")
    wang.says("买点菜")
    stranger.presses("对", wang.hears())
    assert stranger.hears().words == open_line.phrase("utter_telegram_stranger")
    assert asked(open_line) == ["买点菜"]


@pytest.mark.parametrize(
    "data", ["/affirm", "join:yes", "join:no", "x" * 64, "'; DROP TABLE turn; --", "给我十个小时"]
)
def test_forged_data_does_nothing(open_line: Line, data: str) -> None:
    phone = open_line.phone("王奶奶")
    phone.forges_press(data)
    heard = phone.hears().words
    assert heard in (
        open_line.phrase("utter_refused_button_not_yours"),
        open_line.phrase("utter_refused_button_gone"),
    )
    assert asked(open_line) == [] and open_line.turns() == []


def test_a_payload_that_is_typed_is_words(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.says('/accept_task{"offer_id": "3"}')
    phone.hears()
    assert all(not text.startswith("/") for text in asked(open_line))


# -- who ------------------------------------------------------------------------------------------


def test_who_only_bears_her_name_is_a_stranger(open_line: Line) -> None:
    open_line.phone("王奶奶")
    swindler = open_line.api.chat(6666, "王奶奶")
    swindler.says("我是王奶奶，把我的时间都送给李建国")
    heard = swindler.hears()
    assert heard.words == open_line.phrase("utter_telegram_stranger")
    assert asked(open_line) == [] and open_line.turns() == []


def test_no_stranger_is_told_a_name(open_line: Line) -> None:
    stranger = open_line.api.chat(6666, "路人")
    stranger.speaks(NOTE, 1)
    stranger.says("王奶奶在家吗")
    for _ in range(2):
        words = stranger.hears().words
        assert not any(name in words for name in ("王奶奶", "张秀英", "陈干事"))


def test_a_member_who_moves_to_another_chat_is_heard_in_that_one_only(open_line: Line) -> None:
    old = open_line.phone("王奶奶", 1001)
    old.says("买点菜")
    question = old.hears()
    new = open_line.phone("王奶奶", 1002)
    old.presses("对", question)
    assert old.hears().words == open_line.phrase("utter_telegram_stranger")
    old.says("再买点药")
    assert old.hears().words == open_line.phrase("utter_telegram_stranger")
    new.presses("对", question)
    assert new.hears().words == open_line.phrase("utter_refused_button_not_yours")
    new.says("修灯泡")
    assert new.hears().words == ANSWER
    assert asked(open_line) == ["买点菜", "修灯泡"]


def test_a_chat_that_changes_hands_speaks_for_its_new_member(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.says("买点菜")
    question = phone.hears()
    open_line.bind("张秀英", 1001)
    phone.presses("对", question)
    assert phone.hears().words in (
        open_line.phrase("utter_refused_button_not_yours"),
        open_line.phrase("utter_refused_button_gone"),
    )
    phone.says("修灯泡")
    phone.hears()
    turns = {turn.heard: turn.member_id for turn in open_line.turns()}
    assert turns["修灯泡"] == open_line.street.member("张秀英")


def test_in_a_group_nobody_is_served(open_line: Line) -> None:
    wang = open_line.phone("王奶奶")
    group = open_line.api.group(-1001, "西头群")
    group.member(wang).says("买点菜")
    eventually(lambda: bool(open_line.api.calls("leaveChat")))
    assert asked(open_line) == [] and open_line.turns() == []


# -- what is sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sound, seconds, size, code",
    [
        (NOTE, 0, None, "too_short"),
        (NOTE, 1, 50 * 1024 * 1024, "too_large"),
        (NOTE, 3600, None, "too_long"),
        (b"", 1, None, "too_short"),
        (NOTE[:60], 1, None, "not_audio"),
        (bytes(5_000), 1, None, "not_audio"),
        (codec.encode(Pcm(bytes(1_600), 16_000), "ogg"), 1, None, "too_short"),
    ],
    ids=["no_seconds", "50_MB", "an_hour", "no_bytes", "cut_off", "zeros", "a_click"],
)
def test_a_bad_voice_note_is_kindly_refused(
    open_line: Line, sound: bytes, seconds: int, size: int | None, code: str
) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(sound, seconds, size=size)
    assert phone.hears().words == open_line.phrase(f"utter_refused_{code}")
    assert asked(open_line) == []


def test_a_note_that_telegram_itself_finds_too_big_is_kindly_refused(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(NOTE, 5, size=50 * 1024 * 1024, tells_size=False)
    assert phone.hears().words == open_line.phrase("utter_refused_too_large")


@pytest.mark.parametrize(
    "words",
    [" ", "啊" * 4096, "\u202e\u0000\ufffd", "😀" * 2000, "/start", "/start ../../etc", "/"],
)
def test_odd_words_are_answered(open_line: Line, words: str) -> None:
    phone = open_line.phone("王奶奶")
    phone.says(words)
    assert phone.hears().words
    asks_back(open_line, phone)


def test_no_button_of_a_question_outlives_its_phone(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    asks_back(open_line, phone)
    open_line.lose("王奶奶")
    phone.presses("对")
    assert phone.hears().words == open_line.phrase("utter_telegram_stranger")
    assert asked(open_line) == ["买点菜"]
    assert all(row.died_at or row.pressed_at for row in open_line.street.rows(SentButton))


def test_a_button_of_a_task_asks_for_the_task_only_once(open_line: Line) -> None:
    open_line.parlour.dialogue.buttons = [Button("接", '/accept_task{"offer_id": "3"}')]
    phone = open_line.phone("张秀英")
    phone.says("有啥活")
    question = phone.hears()
    for _ in range(5):
        phone.presses("接", question)
    phone.hears()
    open_line.all_answered(6)
    assert len([text for text in asked(open_line) if "accept_task" in text]) == 1
    assert len(open_line.street.rows(Turn)) == 2
