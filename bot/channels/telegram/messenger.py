"""Telegram as the notifier knows it, and what Telegram's errors mean to it."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import AsyncIterator, Iterator

import httpx
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.channels.telegram.bot_api import Bot
from bot.channels.telegram.outgoing import Post
from bot.channels.telegram.rates import Rates, seconds_of
from bot.messenger import Blocked, MessengerError, Push, RateLimited, Refused, Unreachable

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""The line broke before anything was sent."""
NOBODY_THERE = ("chat not found", "user is deactivated")
ALREADY_SO = "not modified"
NO_CAPTION = "no caption"


class TelegramMessenger:
    def __init__(self, bot: Bot, post: Post) -> None:
        self._bot = bot
        self._post = post

    async def prepare(self, push: Push) -> None:
        if push.changes is None:
            await self._post.prepare(self._spoken(push))

    @asynccontextmanager
    async def turn(self, push: Push) -> AsyncIterator[None]:
        limits = self._bot.rate_limiter
        if not isinstance(limits, Rates):
            yield
            return
        with _understood():
            async with limits.turn(push.address):
                yield

    async def post(self, push: Push) -> str:
        with _understood():
            number = await self._post.post(self._spoken(push))
        return str(number)

    def _spoken(self, push: Push) -> Push:
        return replace(push, text=self._post.spoken(push.text))

    async def edit(self, push: Push) -> None:
        assert push.changes is not None, "there is an older message"
        words, message = self._spoken(push).text, int(push.changes)
        with _understood():
            try:
                await self._bot.edit_message_caption(push.address, message, caption=words)
            except BadRequest as refused:
                if NO_CAPTION in refused.message.lower():
                    await self._bot.edit_message_text(words, push.address, message)
                elif ALREADY_SO not in refused.message.lower():
                    raise

    async def reachable(self) -> bool:
        try:
            await self._bot.get_me()
        except TelegramError:
            return False
        return True


@contextmanager
def _understood() -> Iterator[None]:
    """Raises a MessengerError for each of Telegram's."""
    try:
        yield
    except TelegramError as error:
        raise _meaning(error) from error


def _meaning(error: TelegramError) -> MessengerError:
    if isinstance(error, RetryAfter):
        return RateLimited(seconds_of(error))
    if isinstance(error, Forbidden):
        return Blocked(error.message)
    if isinstance(error, BadRequest):
        if any(words in error.message.lower() for words in NOBODY_THERE):
            return Blocked(error.message)
        return Refused(f"telegram: {error.message}"[:40])
    if isinstance(error, NetworkError):
        return Unreachable(error.message, unsure=not isinstance(error.__cause__, NEVER_LEFT))
    # A wrong token, another program that polls: nobody's message is to blame, all of them wait.
    return Unreachable(error.message, unsure=False)
