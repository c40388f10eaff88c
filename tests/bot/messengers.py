"""A messenger as the notifier sees it, with all that can go wrong there."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from actions.timebank.ids import MemberId
from bot.messenger import Push, RateLimited
from tests.timebank.builders import FakeClock


@dataclass
class FakeMessenger:
    """Keeps what arrived. What is in `troubles` for a chat is raised by the next calls to it;
    `arrives_all_the_same` says which of these troubles come after the message is there."""

    clock: FakeClock
    arrived: list[Push] = field(default_factory=list)
    edited: list[Push] = field(default_factory=list)
    prepared: list[Push] = field(default_factory=list)
    troubles: dict[str, deque[BaseException]] = field(default_factory=lambda: defaultdict(deque))
    away: bool = False
    """Whether the line is cut; `reachable` says so."""
    limits: deque[RateLimited] = field(default_factory=deque)
    """Raised to whoever waits for a turn next."""
    slow: set[str] = field(default_factory=set)
    """Chats whose turn comes late."""
    asked: int = 0
    """How often it was asked whether it can be reached."""
    before_it_arrives: Callable[[Push], None] = lambda _push: None
    after_it_arrived: Callable[[Push], None] = lambda _push: None
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def prepare(self, push: Push) -> None:
        self.prepared.append(push)

    @asynccontextmanager
    async def turn(self, push: Push) -> AsyncIterator[None]:
        if self.limits:
            raise self.limits.popleft()
        await asyncio.sleep(0.2 if push.address in self.slow else 0)
        yield

    async def post(self, push: Push) -> str:
        await asyncio.sleep(0)
        self.before_it_arrives(push)
        self._trouble(push)
        self.arrived.append(push)
        self.after_it_arrived(push)
        return str(next(self._numbers))

    async def edit(self, push: Push) -> None:
        await asyncio.sleep(0)
        self._trouble(push)
        self.edited.append(push)

    async def reachable(self) -> bool:
        self.asked += 1
        return not self.away

    def told(self, member: MemberId) -> list[str]:
        """What arrived for this person, oldest first, each named by its notice."""
        return [push.about for push in self.arrived if push.member == member]

    def _trouble(self, push: Push) -> None:
        if self.troubles[push.address]:
            raise self.troubles[push.address].popleft()


@dataclass
class Sleeper:
    """Sleeps by moving the village's clock on."""

    clock: FakeClock
    slept: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.pass_time(seconds=seconds)
        self.meanwhile()
        await asyncio.sleep(0)
