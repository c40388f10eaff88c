"""The line to Telegram breaks, the machine stops, and still everybody is answered."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.channels.telegram import channel, updates
from bot.channels.telegram.polling import LONGEST_PAUSE, Patience
from tests.bot.telegram.line import NOTE, Line, eventually
from tests.bot_api.disturbances import Slow, cut_before
from voice.types import Delivery, Pcm

ANSWER = "好，买东西。大约一个半小时。"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "FIRST_PAUSE", 0.05)


def test_a_long_answer_that_breaks_off_goes_on_where_it_ended(
    open_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly = open_line.parlour.synthesizer.synthesize

    def slowly(sentence: str, delivery: Delivery) -> Pcm:
        time.sleep(0.05)
        return quickly(sentence, delivery)

    monkeypatch.setattr(open_line.parlour.synthesizer, "synthesize", slowly)
    story = [f"第{number}件事，是去村东头的小卖部给您买菜。" for number in range(1, 25)]
    open_line.parlour.dialogue.texts = story
    phone = open_line.phone("王奶奶")
    phone.says("都有啥事")
    heard = [phone.hears()]
    open_line.api.disturb("sendVoice", cut_before, times=2)
    while not heard[-1].buttons:
        heard.append(phone.hears())
    assert open_line.api.telegram.disturbances.next("sendVoice", None) is None, "it broke off"
    assert "".join(one.words for one in heard) == open_line.turns()[0].reply


def test_what_was_said_while_the_line_was_away_for_hours_is_answered_with_saying_so(
    line: Line,
) -> None:
    phone = line.phone("王奶奶")
    line.api.telegram.now = lambda: time.time() - 8 * 3600
    phone.speaks(NOTE, 1)
    with line.open():
        assert phone.hears().words == line.phrase("utter_telegram_late") + ANSWER


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


def test_a_long_turn_of_one_leaves_another_s_words_lying_no_longer_than_a_short_one(
    open_line: Line,
) -> None:
    wang, zhang = open_line.phone("王奶奶"), open_line.phone("张秀英", 1002)
    open_line.parlour.dialogue.seconds = 6.5
    wang.says("买点菜")
    # By now the looks must not lie two seconds apart.
    time.sleep(4.5)
    open_line.parlour.dialogue.seconds = 0.0
    began = time.monotonic()
    zhang.says("我还有多少时间")
    assert zhang.hears(5).words == ANSWER
    assert time.monotonic() - began < 1.0
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
