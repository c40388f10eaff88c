"""What a thousand kills of the notifier lose and double.

Most are played: the program ends at a random commit or at a random side of the network call. Some
are real: a child process gets a real SIGKILL at a random moment. What the messenger has seen is
kept apart from what we wrote down; a copy is *unknowable* when the kill fell between the two.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import deliveries
from actions.timebank.ids import NoticeId
from actions.timebank.model import Delivery, Notice
from actions.timebank.session import Village, open_village
from actions.timebank.states import Channel, DeliveryState
from bot.messenger import Push
from bot.notifier import Notifier
from bot.phrases import Phrases, read_phrases
from tests.bench.deadline import Deadline
from tests.bench.notifier import NOON, furnish, queue, untold
from tests.bench.report import Report
from tests.timebank.builders import FakeClock

PEOPLE = 5
REAL_KILLS = 50
PLAYED_KILLS = 950
LONGEST_LIFE = 0.12
"""Seconds that a real child lives at most before it is killed."""
POINTS = 14
"""A played life ends at one of so many first commits and network calls."""


class Killed(BaseException):
    """The program ends here."""


@dataclass(frozen=True)
class Mortal(Village):
    """A database at each of whose commits the program may end."""

    passes: Callable[[], None] = lambda: None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.passes()
        with super().transaction() as session:
            yield session
        self.passes()


@dataclass
class Seen:
    """A messenger that writes what it has into a file, before it answers."""

    file: Path
    passes: Callable[[], None] = lambda: None

    async def prepare(self, push: Push) -> None:
        await asyncio.sleep(0)

    @asynccontextmanager
    async def turn(self, push: Push) -> AsyncIterator[None]:
        yield

    async def post(self, push: Push) -> str:
        await asyncio.sleep(0.001)
        self.passes()
        line = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(line, f"{push.about}\n".encode())
        os.close(line)
        self.passes()
        await asyncio.sleep(0.001)
        return push.about

    async def edit(self, push: Push) -> None:
        raise AssertionError("nothing went elsewhere")

    async def reachable(self) -> bool:
        return True


@dataclass
class Books:
    """What each kill left behind."""

    village: Village
    clock: FakeClock
    file: Path
    unknowable: Counter[str] = field(default_factory=Counter)
    _before: Counter[str] = field(default_factory=Counter)

    def seen(self) -> Counter[str]:
        return Counter(self.file.read_text().split()) if self.file.exists() else Counter()

    def after_a_kill(self) -> None:
        """Notes which messages the messenger got in this life without our knowing."""
        seen = self.seen()
        new = seen - self._before
        self._before = seen
        with self.village.reading() as session:
            sending = select(Delivery.notice_id).where(Delivery.state == DeliveryState.SENDING)
            for notice in session.execute(sending).scalars():
                about = deliveries.about(NoticeId(notice))
                self.unknowable[about] += new[about]
        # Whoever comes next is sure that the last one is gone.
        self.clock.now += 2 * deliveries.ABANDONED_AFTER

    def counted(self) -> dict[str, int]:
        seen = self.seen()
        with self.village.reading() as session:
            notices = list(session.execute(select(Notice.id, Notice.kind)))
            given_up = set(
                session.execute(
                    select(Delivery.notice_id).where(Delivery.state == DeliveryState.GIVEN_UP)
                ).scalars()
            )
        lost = doubled = unknown = handed_on = 0
        for number, _kind in notices:
            about = deliveries.about(NoticeId(number))
            extra = max(0, seen[about] - 1)
            doubled += max(0, extra - self.unknowable[about])
            unknown += min(extra, self.unknowable[about])
            handed_on += number in given_up
            lost += not seen[about] and number not in given_up
        return {
            "notifier_lost": lost,
            "notifier_doubled": doubled,
            "notifier_doubled_unknowably": unknown,
            "notifier_handed_to_staff": handed_on,
        }


def measure_kills(report: Report, folder: Path, deadline: Deadline, *, quick: bool) -> None:
    """Adds what 1,000 kills lost and doubled."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    real, played = (3, 30) if quick else (REAL_KILLS, PLAYED_KILLS)
    village = furnish(folder / "village.db", PEOPLE, 0)
    assert isinstance(village.clock, FakeClock)
    books = Books(village, village.clock, folder / "seen")
    chance, phrases = random.Random(4), read_phrases()
    kills = 0
    with _silence():
        while kills < real + played and not deadline.over:
            # What waits must outlast the next kill.
            if untold(village) < 4 * PEOPLE:
                people = range(1, PEOPLE + 1)
                queue(village, people, [f"{kills}:{number}" for number in range(8)])
            if kills < real:
                _kill_really(folder, books, chance)
            else:
                _play_a_kill(village, books, phrases, chance)
            books.after_a_kill()
            kills += 1
        asyncio.run(_live(village, Seen(books.file), phrases))
    report.add({"notifier_kills": kills, **books.counted()}, digits=0)
    if kills < real + played:
        report.skipped["notifier_kills"] = f"{kills} of {real + played}, then the time was over"
    report.conditions["kills"] = f"{real} real (SIGKILL), {played} played at commits and calls"
    village.engine.dispose()
    shutil.rmtree(folder)


def _play_a_kill(village: Village, books: Books, phrases: Phrases, chance: random.Random) -> None:
    left = chance.randint(1, POINTS)

    def passes() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            # Dead people do nothing more: each later step ends here as well.
            raise Killed

    mortal = Mortal(village.engine, village.clock, passes)
    try:
        asyncio.run(_live(mortal, Seen(books.file, passes), phrases))
    except Killed:
        return
    raise AssertionError("the notifier outlived its kill")


@contextmanager
def _silence() -> Iterator[None]:
    """The dead's tasks and doubts are counted here, not logged."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def _live(village: Village, messenger: Seen, phrases: Phrases) -> None:
    """A notifier's life, until everybody is told."""
    notifier = Notifier(
        village, messenger, phrases, channel=Channel.TELEGRAM, chance=lambda: 0.0, at_once=PEOPLE
    )
    try:
        while untold(village):
            await notifier.step()
    finally:
        # A thread that is still at the database ends before the dead are counted.
        notifier._database.shutdown(wait=True)
        # What they died of is no news.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)


def _kill_really(folder: Path, books: Books, chance: random.Random) -> None:
    # A connection must not be shared with a child.
    books.village.engine.dispose()
    fork = multiprocessing.get_context("fork")
    is_up = fork.Event()
    given = (folder, books.clock.now.isoformat(), is_up)
    child = fork.Process(target=_child, args=given, daemon=True)
    child.start()
    assert is_up.wait(60), "the notifier does not start"
    time.sleep(chance.uniform(0, LONGEST_LIFE))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()


def _child(folder: Path, now: str, is_up: object) -> None:
    clock = FakeClock(NOON.fromisoformat(now))
    village = open_village(f"sqlite:///{folder / 'village.db'}", clock)
    phrases = read_phrases()
    is_up.set()  # type: ignore[attr-defined]
    asyncio.run(_live(village, Seen(folder / "seen"), phrases))
