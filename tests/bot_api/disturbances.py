"""Trouble on demand: what the network and Telegram do to a good bot."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bot_api.refusals import Refusal, too_many

LENIENCE = 0.95
"""Telegram's seconds are not exact: what left in time may arrive a little closer together."""


@dataclass(frozen=True)
class Cut:
    """The connection breaks before the call is read, or after it was done but not answered."""

    after: bool


@dataclass(frozen=True)
class Slow:
    """What was asked for is done at once, but the answer takes this many seconds."""

    seconds: float


Trouble = Refusal | Cut | Slow
cut_before = Cut(after=False)
cut_after = Cut(after=True)


@dataclass
class Disturbance:
    trouble: Trouble
    method: str
    """`*` for every method, `download` for the files."""
    chat: int | None
    times: int

    def meets(self, method: str, chat: int | None) -> bool:
        return self.method in ("*", method) and self.chat in (None, chat)


class Disturbances:
    def __init__(self) -> None:
        self._waiting: list[Disturbance] = []

    def add(self, disturbance: Disturbance) -> None:
        self._waiting.append(disturbance)

    def next(self, method: str, chat: int | None) -> Trouble | None:
        """The trouble that this call gets into, once less from now on."""
        for disturbance in self._waiting:
            if disturbance.meets(method, chat):
                disturbance.times -= 1
                if disturbance.times == 0:
                    self._waiting.remove(disturbance)
                return disturbance.trouble
        return None


@dataclass
class Limits:
    """Telegram's limits on messages; each counts what was sent in the seconds before."""

    clock: Callable[[], float]
    a_second: int = 30
    a_second_in_a_chat: int = 1
    refused: int = 0
    _sent: deque[float] = field(default_factory=deque)
    _sent_to: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, chat: int) -> None:
        """One more message to this chat; raises Refusal (429) when that is too many."""
        now = self.clock()
        wait = max(
            _seconds_until_free(self._sent, self.a_second, now),
            _seconds_until_free(self._sent_to[chat], self.a_second_in_a_chat, now),
        )
        if wait > 0:
            self.refused += 1
            raise too_many(max(1, math.ceil(wait)))
        self._sent.append(now)
        self._sent_to[chat].append(now)


def _seconds_until_free(sent: deque[float], most: int, now: float) -> float:
    while sent and now - sent[0] >= LENIENCE:
        sent.popleft()
    return LENIENCE - (now - sent[-most]) if len(sent) >= most else 0.0
