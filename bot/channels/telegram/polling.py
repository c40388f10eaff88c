"""Asking Telegram for updates, for as long as it takes: a village's line may be away for a day."""

from __future__ import annotations

import asyncio
import logging
from typing import Awaitable, Callable, Optional, Sequence, TypeVar

from telegram import Update
from telegram.error import (
    BadRequest,
    Conflict,
    InvalidToken,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.bot_api import Bot
from bot.channels.telegram.rates import seconds_of
from bot.channels.telegram.updates import LONGEST_PAUSE, Sleep, Updates

logger = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
LONG_POLL_SECONDS = 30
MOST = 100
"""Updates Telegram gives at once."""
LOOKED_BACK = 80
LOOK_AGAIN = 0.2, 2.0
"""Seconds between looks while something is under way: what is not confirmed yet would end a long
poll at once. They grow so slowly that nobody waits for another's turn, and only an answer that
cannot leave for a long time is looked past more calmly."""
SLOWER = 1.05
WRONG_TOKEN_PAUSE = 300.0

Result = TypeVar("Result")


class Patience:
    """Calls Telegram until it answers, with one line in the log when it goes and one when it is
    back."""

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._pause = 1.0
        self._is_away = False

    async def until_done(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """What the call gives, at whichever try."""
        while True:
            try:
                result = await call()
                if self._is_away:
                    logger.info("Telegram can be reached again")
                self._is_away, self._pause = False, 1.0
                return result
            except TelegramError as error:
                pause = self._pause_after(error)
            except Exception:
                # Whatever it is, the village must not fall silent for it.
                logger.exception("asking Telegram failed; tried again")
                pause = LONGEST_PAUSE
            await self._sleep(pause)

    def _pause_after(self, error: TelegramError) -> float:
        """Seconds to wait before the next try."""
        if isinstance(error, RetryAfter):
            return seconds_of(error)
        if isinstance(error, TimedOut):
            # A long poll that the line lost on the way.
            return 1.0
        if isinstance(error, InvalidToken):
            logger.error("Telegram does not know the token: see XIAOBANG_TELEGRAM_TOKEN")
            return WRONG_TOKEN_PAUSE
        if isinstance(error, Conflict):
            logger.error("another program asks Telegram with the same token; one must end")
            return LONGEST_PAUSE
        if isinstance(error, BadRequest):
            logger.error("Telegram is asked wrongly; tried again", exc_info=error)
            return LONGEST_PAUSE
        if not self._is_away:
            logger.warning("Telegram cannot be reached (%s); tried until it can", error)
        self._is_away = True
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause


class Polling:
    def __init__(self, bot: Bot, updates: Updates, *, sleep: Sleep = asyncio.sleep) -> None:
        self._bot = bot
        self._updates = updates
        self._patience = Patience(sleep)
        self._next: Optional[int] = None

    async def run(self) -> None:
        """Until it is cancelled."""
        # A webhook of earlier days would keep everything from us.
        await self._patience.until_done(self._bot.delete_webhook)
        await self._patience.until_done(self._bot.initialize)
        logger.info("Telegram: listening as @%s", self._bot.username)
        pause, most = LOOK_AGAIN
        while True:
            came = await self._patience.until_done(self._look)
            under_way = self._updates.under_way
            fresh = [one for one in came if one.update_id not in under_way]
            pause = LOOK_AGAIN[0] if fresh or not under_way else min(pause * SLOWER, most)
            for update in fresh:
                self._updates.take(update)
            if under_way:
                await asyncio.wait(
                    list(under_way.values()), timeout=pause, return_when=asyncio.FIRST_COMPLETED
                )

    async def _look(self) -> Sequence[Update]:
        offset = self._offset()
        came = await self._bot.get_updates(
            offset=offset,
            limit=MOST,
            timeout=0 if self._updates.under_way else LONG_POLL_SECONDS,
            allowed_updates=ALLOWED,
        )
        if came:
            # Some come out of order, or once more.
            self._next = max(self._next or 0, *(one.update_id + 1 for one in came))
        elif offset == self._next:
            # All is confirmed. After a silent week Telegram counts from any number again.
            self._next = None
        return came

    def _offset(self) -> Optional[int]:
        """Confirms all below. What is under way stays with Telegram until it is answered, unless
        so much came after it that nothing new would be seen."""
        oldest = min(self._updates.under_way, default=None)
        if oldest is None or (self._next is not None and self._next - oldest > LOOKED_BACK):
            return self._next
        return oldest
