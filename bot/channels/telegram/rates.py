"""Telegram's limits on what a bot may send, kept on our side so that nothing is refused.

Thirty messages in any second, and one a second in a chat. What counts is when Telegram takes a
message, somewhere between our call and its answer. At best a message needs the shortest time that
any had lately, there and back; what one takes longer is all that is unknown of when it was taken.
So its second begins that shortest time before its answer: a steady line costs nothing of the rate
however long it is, and after a line that stood still Telegram still never sees more than its limit
in a second.

When Telegram asks for a pause all the same (RetryAfter), everybody keeps it. A short one is waited
out here; a long one is raised, also for whoever comes while it lasts, so that a caller can put off
what it wanted to say and nothing waits unseen for minutes.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import insort
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, AsyncIterator, Awaitable, Callable, Coroutine, Deque, Dict, List, Optional

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

MESSAGES_A_SECOND = 30
MESSAGES_A_SECOND_IN_A_CHAT = 1
A_SECOND = 1.01
"""A hundredth more than Telegram's, for what the shortest way that was seen is not the shortest."""
WAYS_REMEMBERED = 10 * MESSAGES_A_SECOND
WAYS_NEEDED = 2 * MESSAGES_A_SECOND
"""All that is under way may be held up together and must not be taken for the shortest way."""
LEAVING = 4
"""How many may have their turn and not have left yet."""
SHORT_PAUSE = 5.0
"""Seconds that Telegram may ask for without the caller hearing of it."""
MOST_TRIES = 3
CHATS_REMEMBERED = 1_000
MESSAGES = ("send", "edit", "copy", "forward")
"""How the methods begin that Telegram counts as messages."""
FREE = frozenset({"sendChatAction"})

Sleep = Callable[[float], Awaitable[None]]


class _Window:
    """So many under way or in the second after; they leave evenly spaced, in the order in which
    they came."""

    def __init__(self, most: int, clock: Callable[[], float], sleep: Sleep) -> None:
        self._spacing = A_SECOND / most
        self._clock = clock
        self._sleep = sleep
        self._free_at: List[float] = [float("-inf")] * most
        """From when on each place is free, soonest first; those under way are not in here."""
        self._places = most
        self._leaves_at = float("-inf")
        self._given_back = asyncio.Event()
        self._queue = asyncio.Lock()

    @property
    def is_idle(self) -> bool:
        """Nobody waits, nobody is under way, and the last second is over."""
        everybody_back = len(self._free_at) == self._places and not self._queue.locked()
        return everybody_back and self._free_at[-1] <= self._clock()

    async def take(self) -> None:
        """Waits for a place; it is to be given back."""
        async with self._queue:
            while not self._free_at:
                self._given_back.clear()
                await self._given_back.wait()
            leaves_at = max(self._free_at[0], self._leaves_at, self._clock())
            while (seconds := leaves_at - self._clock()) > 0:
                await self._sleep(seconds)
            self._free_at.pop(0)
            # Who wakes up a little late does not make everybody after it late.
            self._leaves_at = leaves_at + self._spacing

    def give_back(self, free_at: Optional[float]) -> None:
        """It is free from then on; None when nobody left with it."""
        if free_at is None:
            free_at = self._leaves_at = float("-inf")
        insort(self._free_at, free_at)
        self._given_back.set()


@dataclass
class _Turn:
    chat: str
    window: _Window
    has_left: bool = False


_turn: ContextVar[Optional[_Turn]] = ContextVar("telegram_turn", default=None)


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
        self._leaving = asyncio.Semaphore(LEAVING)
        self._ways: Deque[float] = deque(maxlen=WAYS_REMEMBERED)
        """Seconds from call to answer of the newest messages."""

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
            async with self._place(str(data["chat_id"])):
                try:
                    return await self._timed(callback, args, kwargs)
                except RetryAfter as refusal:
                    seconds = seconds_of(refusal)
                    self._paused_until = max(self._paused_until, self._clock() + seconds)
                    if seconds > SHORT_PAUSE or not tries_left:
                        raise
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def turn(self, chat: str) -> AsyncIterator[None]:
        """Waits until a message may leave for this chat: the first that is sent inside, also by a
        task begun inside, leaves within a moment. Raises RetryAfter as a message would."""
        await self._keep_the_pause()
        turn = _Turn(chat, self._chat(chat))
        await turn.window.take()
        try:
            await self._leaving.acquire()
        except BaseException:
            turn.window.give_back(None)
            raise
        before = _turn.set(turn)
        try:
            yield
        finally:
            _turn.reset(before)
            if not turn.has_left:
                turn.has_left = True
                self._leaving.release()
                turn.window.give_back(None)

    @asynccontextmanager
    async def _place(self, chat: str) -> AsyncIterator[None]:
        """In which one message is sent."""
        turn = _turn.get()
        if turn is not None and turn.chat == chat and not turn.has_left:
            turn.has_left = True
            window = turn.window
        else:
            turn, window = None, self._chat(chat)
            await window.take()
        free_at: Optional[float] = None
        try:
            try:
                await self._everybody.take()
            finally:
                if turn is not None:
                    self._leaving.release()
            try:
                await self._keep_the_pause()
                try:
                    yield
                finally:
                    free_at = self._clock() - self._shortest_way + A_SECOND
            finally:
                self._everybody.give_back(free_at)
        finally:
            window.give_back(free_at)

    async def _timed(self, callback: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        began = self._clock()
        answer = await callback(*args, **kwargs)
        self._ways.append(self._clock() - began)
        return answer

    @property
    def _shortest_way(self) -> float:
        """Nothing until enough is known."""
        return min(self._ways) if len(self._ways) >= WAYS_NEEDED else 0.0

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
