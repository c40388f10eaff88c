"""The line to Telegram breaks, the machine stops, and still everybody is answered."""

from __future__ import annotations

import asyncio
import logging

import pytest
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.channels.telegram import channel, updates
from bot.channels.telegram.polling import LONGEST_PAUSE, Patience
from tests.bot.telegram.line import NOTE, Line, eventually
from tests.bot_api.disturbances import Slow, Trouble, cut_after, cut_before
from tests.bot_api.refusals import blocked, server_error, too_many

ANSWER = "好，买东西。大约一个半小时。"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "FIRST_PAUSE", 0.05)


@pytest.mark.parametrize(
    ("method", "trouble"),
    [
        ("sendVoice", cut_before),
        ("sendVoice", server_error()),
        ("sendVoice", too_many(1)),
        ("getFile", cut_before),
        ("getFile", cut_after),
        ("download", cut_before),
        ("getUpdates", cut_after),
        ("getUpdates", server_error()),
        ("sendChatAction", server_error()),
        ("sendChatAction", cut_before),
    ],
)
def test_what_breaks_on_the_way_is_tried_until_she_hears_an_answer_once(
    line: Line, method: str, trouble: Trouble
) -> None:
    phone = line.phone("王奶奶")
    line.api.disturb(method, trouble, times=2)
    with line.open():
        phone.speaks(NOTE, 1)
        assert phone.hears(20).words == ANSWER
        line.all_answered(1)
        phone.hears_nothing()
    assert len(line.parlour.dialogue.asked) == 1


def test_a_long_answer_that_breaks_off_goes_on_where_it_ended(open_line: Line) -> None:
    open_line.parlour.dialogue.texts = ["这是一句很长很长的话，说了就没个完。" * 8] * 3
    phone = open_line.phone("王奶奶")
    phone.says("都有啥事")
    first = phone.hears()
    open_line.api.disturb("sendVoice", cut_before, times=2)
    heard = [first]
    while not heard[-1].buttons:
        heard.append(phone.hears())
    assert "".join(one.words for one in heard) == open_line.turns()[0].reply


def test_an_answer_whose_arrival_nobody_knows_is_sent_again_and_acts_once(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", cut_after)
    phone.says("买点菜")
    first, second = phone.hears(), phone.hears()
    assert first.words == second.words == ANSWER and first.keys == second.keys
    assert len(open_line.parlour.dialogue.asked) == 1


def test_who_blocks_us_is_not_tried_again(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", blocked())
    phone.says("买点菜")
    eventually(lambda: bool(open_line.street.told("陈干事", "staff_unreachable")))
    open_line.all_answered(1)
    phone.hears_nothing()


def test_the_program_starts_while_the_line_is_away_and_answers_when_it_is_back(line: Line) -> None:
    phone = line.phone("王奶奶")
    with line.api.away():
        opened = line.open()
        opened.__enter__()
        phone.says("买点菜")
        phone.hears_nothing(0.5)
    try:
        assert phone.hears(20).words == ANSWER
    finally:
        opened.__exit__(None, None, None)


def test_it_ends_in_good_time_while_the_line_is_away(line: Line) -> None:
    with line.open():
        line.api.disturb("*", Slow(30), times=100)


def test_what_the_machine_did_not_finish_is_taken_up_at_the_next_start(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "ENDING_SECONDS", 0.05)
    phone = line.phone("王奶奶")
    line.parlour.dialogue.seconds = 60
    with line.open():
        phone.says("买点菜")
        phone.says("修灯泡")
        eventually(lambda: bool(line.parlour.dialogue.asked))
    line.parlour.dialogue.seconds = 0
    with line.open():
        assert phone.hears().words == line.phrase("utter_telegram_cut_off")
        assert phone.hears().words == ANSWER
        line.all_answered(2)
        phone.hears_nothing()


def test_a_bug_is_logged_with_its_turn_and_answered_with_a_spoken_apology(
    open_line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_utterance: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(open_line.parlour.turns, "take", broken)
    phone = open_line.phone("王奶奶")
    with caplog.at_level(logging.ERROR):
        said = phone.says("买点菜")
        heard = phone.hears()
    assert heard.words == open_line.phrase("utter_apology") and heard.voice is not None
    assert f"telegram:1001:{said.message_id} failed" in caplog.text and "a bug" in caplog.text


def test_different_people_are_answered_side_by_side(open_line: Line) -> None:
    open_line.parlour.dialogue.seconds = 0.4
    names = ("王奶奶", "张秀英", "李建国", "赵铁柱")
    phones = [open_line.phone(name, 1001 + at) for at, name in enumerate(names)]
    for phone in phones:
        phone.says("买点菜")
    for phone in phones:
        assert phone.hears().words == ANSWER
    assert open_line.parlour.dialogue.most_at_once > 1


def test_a_slow_turn_of_one_does_not_keep_another_waiting(open_line: Line) -> None:
    wang, zhang = open_line.phone("王奶奶"), open_line.phone("张秀英", 1002)
    open_line.parlour.dialogue.seconds = 2.0
    wang.says("买点菜")
    eventually(lambda: bool(open_line.parlour.dialogue.asked))
    open_line.parlour.dialogue.seconds = 0.0
    zhang.says("我还有多少时间")
    assert zhang.hears(1.5).words == ANSWER
    assert wang.hears().words == ANSWER


# -- patience, without waiting for it


class Naps:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def tried(*troubles: Exception) -> list[float]:
    """The pauses until a call that fails with these goes well."""
    naps, coming = Naps(), list(troubles)

    async def call() -> str:
        if coming:
            raise coming.pop(0)
        return "done"

    assert asyncio.run(Patience(naps).until_done(call)) == "done"
    return naps.slept


def test_a_day_without_a_line_is_waited_out_with_two_lines_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        slept = tried(*[NetworkError("no route to host")] * 1_440)
    assert slept[:3] == [1, 2, 4] and max(slept) == LONGEST_PAUSE
    assert sum(slept) > 23 * 3600
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize(
    ("trouble", "pause"),
    [
        (TimedOut(), 1.0),
        (RetryAfter(7), 7.0),
        (Conflict("two"), LONGEST_PAUSE),
        (BadRequest("what"), LONGEST_PAUSE),
        (InvalidToken("no"), 300.0),
        (RuntimeError("a bug"), LONGEST_PAUSE),
    ],
)
def test_nothing_ends_the_asking(trouble: Exception, pause: float) -> None:
    assert tried(trouble, trouble) == [pause, pause]
