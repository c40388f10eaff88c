"""The line to Telegram breaks, stalls or is away, and the machine loses its power: nothing that was
said is lost, nothing is done twice, and what may be heard twice is what nobody can know."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from actions.timebank.model import ChannelBinding
from bot.channels.telegram import updates
from tests.bot.telegram.line import NOTE, Line, Loop, eventually
from tests.bot_api import (
    Chat,
    Slow,
    blocked,
    cut_after,
    cut_before,
    refused,
    server_error,
    too_many,
)

ANSWER = "好，买东西。大约一个半小时。"


@contextmanager
def until_the_power_fails(line: Line) -> Iterator[None]:
    """The channel runs inside and ends in the middle of whatever it does."""
    loop = Loop()
    _dead.append((loop, loop.run(line._started())))
    yield
    loop.stop()


_dead: list[object] = []
"""Kept, since a coroutine that is collected would still tidy up behind itself."""


def said(line: Line) -> list[str]:
    return [one["text"] for one in line.parlour.dialogue.asked]


def hears_once(phone: Chat) -> None:
    assert phone.hears(15).words == ANSWER
    phone.hears_nothing()


# -- the line ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [cut_before, server_error(502), too_many(1)], ids=["cut", "502", "429"]
)
@pytest.mark.parametrize("method", ["getUpdates", "getFile", "sendVoice"])
def test_what_the_line_swallowed_is_tried_again_and_heard_once(
    open_line: Line, method: str, trouble: object
) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb(method, trouble, times=2)  # type: ignore[arg-type]
    phone.speaks(NOTE, 1)
    hears_once(phone)
    assert len(said(open_line)) == 1


@pytest.mark.parametrize("trouble", [cut_before, server_error(500)], ids=["cut", "500"])
def test_a_download_that_breaks_is_tried_again(open_line: Line, trouble: object) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("download", trouble)  # type: ignore[arg-type]
    phone.speaks(NOTE, 1)
    hears_once(phone)


def test_an_answer_that_left_without_telegrams_yes_is_acted_on_once(open_line: Line) -> None:
    """Whether it arrived is not to be known: she may hear it twice, and never not at all."""
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", cut_after)
    phone.says("买点菜")
    assert phone.hears().words == phone.hears(15).words == ANSWER
    phone.hears_nothing()
    assert said(open_line) == ["买点菜"]


def test_the_buttons_of_an_answer_heard_twice_are_one_question(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", cut_after)
    phone.says("买点菜")
    first, second = phone.hears(), phone.hears(15)
    assert first.keys == second.keys
    phone.presses("对", first)
    phone.presses("对", second)
    hears_once(phone)
    assert said(open_line).count("/affirm") == 1


def test_trouble_in_one_chat_does_not_keep_the_others_waiting(open_line: Line) -> None:
    wang, zhang = open_line.phone("王奶奶"), open_line.phone("张秀英", 1002)
    open_line.api.disturb("sendVoice", server_error(500), chat=wang, times=3)
    wang.says("买点菜")
    zhang.says("有啥活")
    assert zhang.hears(3).words == ANSWER
    wang.hears_nothing(0.05)
    assert wang.hears(20).words == ANSWER


def test_a_cry_for_help_is_heard_while_an_answer_before_it_cannot_leave(
    open_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "BEHIND_SECONDS", 0.5)
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", cut_before, times=100)
    phone.says("买点菜")
    phone.says("我摔了")
    eventually(lambda: said(open_line) == ["买点菜", "我摔了"], within=5)
    open_line.api.calms_down()


def test_what_was_said_while_the_line_was_away_is_answered_when_it_is_back(
    open_line: Line,
) -> None:
    phone = open_line.phone("王奶奶")
    with open_line.api.away():
        for words in ("买点菜", "修灯泡", "陪我看病"):
            phone.says(words)
        phone.hears_nothing(1)
    assert [phone.hears(20).words for _ in range(3)] == [ANSWER] * 3
    phone.hears_nothing()
    assert said(open_line) == ["买点菜", "修灯泡", "陪我看病"]


def test_the_typing_sign_may_fail_without_harm(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendChatAction", server_error(500), times=5)
    phone.says("买点菜")
    hears_once(phone)


def test_who_lets_no_voice_in_reads_it(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", refused("VOICE_MESSAGES_FORBIDDEN"))
    phone.says("买点菜")
    heard = phone.hears()
    assert heard.voice is None and heard.words == ANSWER and heard.buttons == ["对", "不对"]


def test_who_blocked_us_is_known_to_be_out_of_reach_until_she_writes(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")

    def is_out_of_reach() -> bool:
        binding = open_line.street.row(ChannelBinding, address="1001")
        return binding.unreachable_at is not None

    phone.blocks()
    eventually(is_out_of_reach)
    phone.says("我回来了")
    hears_once(phone)
    assert not is_out_of_reach()
    open_line.api.disturb("sendVoice", blocked())
    phone.says("买点菜")
    eventually(is_out_of_reach)


# -- the power -----------------------------------------------------------------------------------


def test_what_was_being_answered_when_the_power_failed_is_answered_afterwards(line: Line) -> None:
    phone = line.phone("王奶奶")
    line.api.disturb("sendVoice", cut_before, times=100)
    with until_the_power_fails(line):
        phone.says("买点菜")
        eventually(lambda: bool(said(line)) and bool(line.turns()[0].reply))
    line.api.calms_down()
    with line.open():
        hears_once(phone)
    assert said(line) == ["买点菜"], "the turn was stored: it is not taken again"


def test_what_left_as_the_power_failed_is_not_done_again(line: Line) -> None:
    phone = line.phone("王奶奶")
    line.api.disturb("sendVoice", Slow(2.0))
    with until_the_power_fails(line):
        phone.says("买点菜")
        assert phone.hears().words == ANSWER
    with line.open():
        assert phone.hears().words == ANSWER
        phone.hears_nothing()
    assert said(line) == ["买点菜"]


def test_what_waited_behind_it_is_not_lost(line: Line) -> None:
    phone = line.phone("王奶奶")
    line.parlour.dialogue.seconds = 0.3
    with until_the_power_fails(line):
        for words in ("一", "二", "三", "四"):
            phone.says(words)
        phone.hears()
    line.parlour.dialogue.seconds = 0.0
    with line.open():
        line.all_answered(4)
        phone.says("五")
        eventually(lambda: said(line)[-1] == "五")
    assert [text for text in said(line) if text in "三四五"] == ["三", "四", "五"]


# -- pushed updates ------------------------------------------------------------------------------


@contextmanager
def behind_a_webhook(line: Line) -> Iterator[str]:
    """The channel with its door open on a port of its own."""
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/telegram/in"
    line.settings = {"telegram_webhook_url": url, "telegram_webhook_secret": "S" * 20}
    channel = line.channel()

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        channel.start()
        yield
        await channel.stop()

    program = Starlette(routes=channel.routes, lifespan=running)
    server = uvicorn.Server(uvicorn.Config(program, ws="none", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        door.close()


def test_by_webhook_a_voice_note_is_answered_the_same(line: Line) -> None:
    phone = line.phone("王奶奶")
    with behind_a_webhook(line):
        sent = phone.speaks(NOTE, 1)
        hears_once(phone)
        line.api.replay(sent.update)
        phone.says("再买点药")
        hears_once(phone)
    assert len(said(line)) == 2


def test_by_webhook_out_of_order_and_in_a_burst_each_is_answered_once(line: Line) -> None:
    phones = [line.phone("王奶奶"), line.phone("张秀英", 1002)]
    with behind_a_webhook(line):
        with line.api.out_of_order():
            for number in range(20):
                for phone in phones:
                    phone.says(f"第{number}回")
        for phone in phones:
            assert [phone.hears(20).words for _ in range(20)] == [ANSWER] * 20
            phone.hears_nothing(0.05)
    assert len(said(line)) == 40
