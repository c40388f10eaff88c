"""Telegram's limits on what a bot may send, kept on our side so that nothing is refused.

Thirty messages in any second, and one a second in a chat. What counts is when Telegram takes a
message, somewhere between our call and its answer; so a message's second begins with the answer.
Telegram then never sees more than its limit in a second, however slow the line or this machine
is, and a short line costs next to nothing of the rate.

When Telegram asks for a pause all the same (RetryAfter), everybody keeps it. A short one is waited
out here; a long one is raised, also for whoever comes while it lasts, so that a caller can put off
what it wanted to say and nothing waits unseen for minutes.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, AsyncIterator, Awaitable, Callable, Coroutine, Deque, Dict, Optional

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

MESSAGES_A_SECOND = 30
MESSAGES_A_SECOND_IN_A_CHAT = 1
A_SECOND = 1.0
SHORT_PAUSE = 5.0
"""Seconds that Telegram may ask for without the caller hearing of it."""
MOST_TRIES = 3
CHATS_REMEMBERED = 1_000
MESSAGES = ("send", "edit", "copy", "forward")
"""How the methods begin that Telegram counts as messages."""
FREE = frozenset({"sendChatAction"})

Sleep = Callable[[float], Awaitable[None]]


class _Window:
    """So many under way or in the second after their answer; they leave evenly spaced, in the
    order in which they came."""

    def __init__(self, most: int, clock: Callable[[], float], sleep: Sleep) -> None:
        self._spacing = A_SECOND / most
        self._clock = clock
        self._sleep = sleep
        self._free_at: Deque[float] = deque([float("-inf")] * most)
        """From when on each place is free; those under way are not in here."""
        self._places = most
        self._leaves_at = float("-inf")
        self._answered = asyncio.Event()
        self._queue = asyncio.Lock()

    @property
    def is_idle(self) -> bool:
        """Nobody waits, nobody is under way, and the last second is over."""
        everybody_back = len(self._free_at) == self._places and not self._queue.locked()
        return everybody_back and self._free_at[-1] <= self._clock()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        async with self._queue:
            await self._wait_for_one()
            self._free_at.popleft()
            self._leaves_at = self._clock() + self._spacing
        try:
            yield
        finally:
            self._free_at.append(self._clock() + A_SECOND)
            self._answered.set()

    async def _wait_for_one(self) -> None:
        while not self._free_at:
            self._answered.clear()
            await self._answered.wait()
        leaves_at = max(self._free_at[0], self._leaves_at)
        while (seconds := leaves_at - self._clock()) > 0:
            await self._sleep(seconds)


class Rates(BaseRateLimiter[int]):
    """Give it to the bot as its `rate_limiter`. `clock` counts seconds and never goes back."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._everybody = _Window(MESSAGES_A_SECOND, clock, sleep)
        self._chats: OrderedDict[str, _Window] = OrderedDict()
        self._paused_until = float("-inf")

    async def initialize(self) -> None:
        """There is nothing to prepare."""

    async def shutdown(self) -> None:
        """There is nothing to put away."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: Dict[str, Any],
        endpoint: str,
        data: Dict[str, Any],
        rate_limit_args: Optional[int],
    ) -> Any:
        """Makes the call; a message waits for its turn first. Raises RetryAfter for a pause of
        more than `SHORT_PAUSE` and after `MOST_TRIES`, and whatever the call raises."""
        if "chat_id" not in data or endpoint in FREE or not endpoint.startswith(MESSAGES):
            return await callback(*args, **kwargs)
        for tries_left in reversed(range(MOST_TRIES)):
            async with self._chat(str(data["chat_id"])).place(), self._everybody.place():
                await self._keep_the_pause()
                try:
                    return await callback(*args, **kwargs)
                except RetryAfter as refusal:
                    seconds = seconds_of(refusal)
                    self._paused_until = max(self._paused_until, self._clock() + seconds)
                    if seconds > SHORT_PAUSE or not tries_left:
                        raise
        raise AssertionError("the last try returns or raises")

    async def _keep_the_pause(self) -> None:
        while (seconds := self._paused_until - self._clock()) > 0:
            if seconds > SHORT_PAUSE:
                raise RetryAfter(math.ceil(seconds))
            await self._sleep(seconds)

    def _chat(self, chat: str) -> _Window:
        window = self._chats.get(chat)
        if window is None:
            window = _Window(MESSAGES_A_SECOND_IN_A_CHAT, self._clock, self._sleep)
            self._chats[chat] = window
        self._chats.move_to_end(chat)
        oldest = next(iter(self._chats))
        if len(self._chats) > CHATS_REMEMBERED and self._chats[oldest].is_idle:
            del self._chats[oldest]
        return window


def seconds_of(refusal: RetryAfter) -> float:
    """How long Telegram asks us to be silent."""
    asked = refusal.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
