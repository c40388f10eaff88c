"""Updates on their way: different chats at once, one chat in order as long as the line can bear it,
each answered once.

Telegram forgets an update when a later one is asked for, so nothing is confirmed before it is
answered: what a crash or a power cut interrupts comes again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Awaitable, Callable, Dict, Optional, Protocol

from telegram import Update
from telegram.error import BadRequest, NetworkError, RetryAfter

from bot.channels.telegram.rates import seconds_of

logger = logging.getLogger(__name__)

AT_ONCE = 6
"""Updates that are worked on at the same time: two cores hear and speak no faster than that."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
BEHIND_SECONDS = 30.0
"""So long an update waits for the one before it in its chat. It may be a cry for help, and an
answer that cannot leave must not keep it from being heard."""
TRIES = 1_440
"""At the longest pause, a day: as long as Telegram itself keeps what it could not deliver."""

Answering = Callable[[Update], Awaitable[None]]
"""Answers one update. Raises NetworkError or RetryAfter when the answer could not leave."""
Sleep = Callable[[float], Awaitable[Any]]


class Seen(Protocol):
    """What was answered before, also by an earlier run of the program."""

    async def begin(self, update_id: int) -> bool:
        """False when this update was answered before."""

    async def finish(self, update_id: int) -> None: ...


class Updates:
    """Takes updates from polling or webhook; the same one twice is one."""

    def __init__(self, answer: Answering, seen: Seen, *, sleep: Sleep = asyncio.sleep) -> None:
        self._answer = answer
        self._seen = seen
        self._sleep = sleep
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: Dict[int, asyncio.Task[None]] = {}
        self._newest: Dict[int, asyncio.Task[None]] = {}
        """The task that a chat's next update waits for."""

    @property
    def under_way(self) -> Dict[int, asyncio.Task[None]]:
        """By update id: what is not answered yet."""
        return self._under_way

    def take(self, update: Update) -> asyncio.Task[None]:
        """Begins to answer it; the task ends when it is answered or given up. Never raises."""
        known = self._under_way.get(update.update_id)
        if known is not None:
            return known
        chat = chat_of(update)
        work = self._see_through(update, self._newest.get(chat))
        task = asyncio.create_task(work, name=f"telegram update {update.update_id}")
        self._under_way[update.update_id] = self._newest[chat] = task

        def forget(done: asyncio.Task[None]) -> None:
            del self._under_way[update.update_id]
            if self._newest[chat] is done:
                del self._newest[chat]

        task.add_done_callback(forget)
        return task

    async def close(self, within: float) -> None:
        """Lets what is under way end, for a while; the rest comes again at the next start."""
        if not self._under_way:
            return
        _, unfinished = await asyncio.wait(list(self._under_way.values()), timeout=within)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _see_through(self, update: Update, before: Optional[asyncio.Task[None]]) -> None:
        if before is not None:
            await asyncio.wait([before], timeout=BEHIND_SECONDS)
        pause = FIRST_PAUSE
        for _ in range(TRIES):
            try:
                async with self._room:
                    await self._once(update)
                return
            except RetryAfter as told:
                # The limiter waits for itself; this is its last word.
                await self._sleep(seconds_of(told))
            except NetworkError as away:
                if isinstance(away, BadRequest):
                    logger.exception("update %s cannot be answered", update.update_id)
                    return
                logger.warning("update %s: %s; tried again", update.update_id, away)
                await self._sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception:
                # Even the apology failed. It must not take the chat's next update with it.
                logger.exception("update %s ends in silence", update.update_id)
                return
        logger.error("update %s is given up", update.update_id)

    async def _once(self, update: Update) -> None:
        if await self._seen.begin(update.update_id):
            await self._answer(update)
            await self._seen.finish(update.update_id)


def chat_of(update: Update) -> int:
    chat = update.effective_chat or update.effective_user
    return chat.id if chat else 0
