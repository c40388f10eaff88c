"""Unknown chats: greeted, sent to the village staff, and not allowed to keep the machine busy."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from typing import Callable, Deque

from bot.channels.telegram.guests import Guests
from bot.channels.telegram.outgoing import Post
from bot.phrases import Phrases

ANSWERS = 3
"""To one unknown chat within `WITHIN`, then nothing more."""
ANSWERS_TO_ALL = 60
WITHIN = 600.0
"""Seconds."""
REMEMBERED = 10_000
"""Chats."""


class Strangers:
    def __init__(
        self,
        guests: Guests,
        post: Post,
        phrases: Phrases,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guests = guests
        self._post = post
        self._phrases = phrases
        self._clock = clock
        self._answered: OrderedDict[str, Deque[float]] = OrderedDict()
        self._all: Deque[float] = deque()

    async def greet(self, address: str, about: str) -> None:
        """Who to go to; no villager's name, and nothing of what was sent is looked at."""
        if not self.may_hear(address):
            return
        await self._guests.stranger_came(address)
        await self._post.say(address, self._phrases.text("utter_telegram_stranger"), about)

    def may_hear(self, address: str) -> bool:
        """Counts an answer, when there may be one."""
        now = self._clock()
        hers = self._answered.setdefault(address, deque())
        self._answered.move_to_end(address)
        while len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        for answered in (hers, self._all):
            while answered and answered[0] <= now - WITHIN:
                answered.popleft()
        if len(hers) >= ANSWERS or len(self._all) >= ANSWERS_TO_ALL:
            return False
        hers.append(now)
        self._all.append(now)
        return True
