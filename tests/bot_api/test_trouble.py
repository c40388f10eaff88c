"""What goes wrong on demand, as the bot sees it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from tests.bot_api import (
    BotApi,
    Chat,
    Slow,
    blocked,
    cut_after,
    cut_before,
    refused,
    server_error,
    too_many,
)
from tests.bot_api.conftest import Ask
from tests.bot_api.disturbances import Limits
from tests.bot_api.refusals import Refusal


def test_trouble_meets_the_method_and_the_chat_for_so_many_calls(
    ask: Ask, api: BotApi, wang: Chat, zhang: Chat
) -> None:
    api.disturb("sendMessage", server_error(502), chat=wang, times=2)

    async def send(bot: Bot) -> None:
        await bot.send_message(zhang.id, "好")
        await bot.send_chat_action(wang.id, "typing")
        for _ in range(2):
            with pytest.raises(NetworkError, match="Bad Gateway"):
                await bot.send_message(wang.id, "好")
        await bot.send_message(wang.id, "好了")

    ask(send)
    assert wang.hears().words == "好了"
    assert [call.status for call in api.calls("sendMessage")] == [200, 502, 502, 200]


def test_too_many_says_how_long_to_wait(ask: Ask, api: BotApi, wang: Chat) -> None:
    api.disturb("sendMessage", too_many(3))
    with pytest.raises(RetryAfter) as told:
        ask(lambda bot: bot.send_message(wang.id, "好"))
    assert told.value.retry_after in (3, timedelta(seconds=3))
    wang.hears_nothing(0.01)


def test_blocked_and_refused_are_no_mistakes(ask: Ask, api: BotApi, wang: Chat) -> None:
    api.disturb("sendMessage", blocked())
    api.disturb("sendMessage", refused("VOICE_MESSAGES_FORBIDDEN"))
    with pytest.raises(Forbidden, match="blocked by the user"):
        ask(lambda bot: bot.send_message(wang.id, "好"))
    with pytest.raises(BadRequest, match="oice_messages_forbidden"):
        ask(lambda bot: bot.send_message(wang.id, "好"))
    assert api.mistakes == []


@pytest.mark.parametrize("for_one_chat", [True, False])
def test_a_connection_cut_before_reading_does_nothing(
    ask: Ask, api: BotApi, wang: Chat, for_one_chat: bool
) -> None:
    api.disturb("sendMessage", cut_before, chat=wang if for_one_chat else None)
    with pytest.raises(NetworkError):
        ask(lambda bot: bot.send_message(wang.id, "好"))
    wang.hears_nothing(0.05)
    ask(lambda bot: bot.send_message(wang.id, "好"))


def test_a_connection_cut_before_the_answer_did_it_all_the_same(
    ask: Ask, api: BotApi, wang: Chat, note: bytes
) -> None:
    api.disturb("sendVoice", cut_after)
    with pytest.raises(NetworkError):
        ask(lambda bot: bot.send_voice(wang.id, note, caption="好"))
    assert wang.hears().words == "好"
    assert [call.status for call in api.calls("sendVoice")] == [0]


def test_a_slow_answer_to_what_was_done(ask: Ask, api: BotApi, wang: Chat) -> None:
    api.disturb("sendMessage", Slow(2.0))
    with pytest.raises(TimedOut):
        ask(lambda bot: bot.send_message(wang.id, "好", read_timeout=0.2))
    assert wang.hears().words == "好"


def test_trouble_with_polling_and_downloads(ask: Ask, api: BotApi, wang: Chat, note: bytes) -> None:
    api.disturb("getUpdates", server_error(500, "Internal Server Error"))
    api.disturb("download", cut_before)
    wang.speaks(note, 2)

    async def fetch(bot: Bot) -> bytes:
        with pytest.raises(NetworkError):
            await bot.get_updates()
        [update] = await bot.get_updates()
        file = await update.message.voice.get_file()
        with pytest.raises(NetworkError):
            await file.download_as_bytearray()
        return bytes(await file.download_as_bytearray())

    assert ask(fetch) == note


def test_the_network_goes_away_and_comes_back(ask: Ask, api: BotApi, wang: Chat) -> None:
    async def live(bot: Bot) -> None:
        with api.away():
            wang.says("在吗")
            for _ in range(3):
                with pytest.raises(NetworkError):
                    await bot.send_message(wang.id, "好")
        assert len(await bot.get_updates()) == 1
        await bot.send_message(wang.id, "在")

    ask(live)
    assert wang.hears().words == "在"


def test_one_message_a_second_in_a_chat(ask: Ask, api: BotApi, wang: Chat, zhang: Chat) -> None:
    limits = api.enforce_limits()

    async def send(bot: Bot) -> None:
        await bot.send_message(wang.id, "一")
        await bot.send_chat_action(wang.id, "record_voice")
        await bot.send_message(zhang.id, "一")
        with pytest.raises(RetryAfter):
            await bot.send_message(wang.id, "二")
        time.sleep(1)
        await bot.send_message(wang.id, "二")

    ask(send)
    assert limits.refused == 1 and [wang.hears().words, wang.hears().words] == ["一", "二"]


def test_thirty_messages_a_second_to_all() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])
    for chat in range(30):
        now[0] += 0.01
        limits.count(chat)
    with pytest.raises(Refusal, match="retry after 1"):
        limits.count(30)
    now[0] = 1.0
    limits.count(30)
    assert limits.refused == 1


def test_an_even_stream_at_the_limit_passes_and_one_above_does_not() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])
    for number in range(300):
        now[0] = number / 30
        limits.count(number)
    assert limits.refused == 0
    with pytest.raises(Refusal):
        for number in range(300):
            now[0] += 1 / 36
            limits.count(1000 + number)
