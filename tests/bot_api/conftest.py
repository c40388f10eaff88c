"""The emulator, with python-telegram-bot reading all that it ever sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
import telegram

from tests.bot_api import BotApi, Chat, checks
from tests.voice.sounds import recorded, tone

Result = TypeVar("Result")
Ask = Callable[[Callable[[telegram.Bot], Awaitable[Any]]], Any]

RESULTS = {
    "getMe": telegram.User,
    "sendMessage": telegram.Message,
    "sendVoice": telegram.Message,
    "sendLocation": telegram.Message,
    "editMessageText": telegram.Message,
    "editMessageCaption": telegram.Message,
    "editMessageReplyMarkup": telegram.Message,
    "getFile": telegram.File,
    "getChat": telegram.ChatFullInfo,
    "getWebhookInfo": telegram.WebhookInfo,
}


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as running:
        yield running
        for update in running.telegram.updates.made:
            checks.parsed(telegram.Update, update)
        for call in running.telegram.calls:
            if call.status == 200 and call.method in RESULTS:
                checks.parsed(RESULTS[call.method], call.result)


@pytest.fixture
def wang(api: BotApi) -> Chat:
    return api.chat(1001, "王桂兰")


@pytest.fixture
def zhang(api: BotApi) -> Chat:
    return api.chat(1002, "张秀英")


@pytest.fixture
def ask(api: BotApi) -> Ask:
    """Lets a real bot of python-telegram-bot do something."""

    def run(deed: Callable[[telegram.Bot], Awaitable[Any]]) -> Any:
        async def with_bot() -> Any:
            bot = telegram.Bot(api.token, api.base_url, api.base_file_url)
            async with bot:
                return await deed(bot)

        return asyncio.run(with_bot())

    return run


@pytest.fixture(scope="session")
def note() -> bytes:
    """A voice note of two seconds."""
    return recorded(tone(2.0), "ogg", "libopus", rate=48_000)
