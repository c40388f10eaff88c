"""How fast hours move, beside what the same file system can commit at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

from actions.timebank import chain, ledger
from actions.timebank.clock import clock_at
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.schema import upgrade
from actions.timebank.session import Village, open_engine, open_village
from actions.timebank.states import TransferKind
from tests.bench.deadline import Deadline
from tests.bench.report import Report
from tests.timebank.builders import make_member

PEOPLE = 40
OPENING_MINUTES = 1_000_000
"""So that nobody runs out however fast the machine is."""
FULL_CHAIN = 50_000
AT_ONE_COMMIT = 1_000
ROW = "one line of about the length of a transfer, so that both write the same pages " * 3
Act = Callable[[], None]


class Movements:
    """Ever new transfers between the people of a village, round and round."""

    def __init__(self, file: Path) -> None:
        upgrade(f"sqlite:///{file}")
        self.village: Village = open_village(f"sqlite:///{file}", clock_at(None))
        self._numbers = count(1)
        self._accounts = self._settle_people()

    def commit_one(self) -> None:
        """One transfer in a transaction of its own."""
        self._commit(1)

    def fill_up(self, transfers: int, deadline: Deadline) -> int:
        """Makes the chain at least so long, many transfers a commit, unless the time is up before.
        Gives its length."""
        while (missing := transfers - self._length()) > 0 and not deadline.over:
            self._commit(min(missing, AT_ONE_COMMIT))
        return self._length()

    def verify(self) -> chain.Verification:
        with self.village.reading() as session:
            return chain.verify(session)

    def _length(self) -> int:
        with self.village.reading() as session:
            return chain.head(session).sequence

    def _commit(self, transfers: int) -> None:
        now = self.village.clock()
        with self.village.transaction() as session:
            for _ in range(transfers):
                number = next(self._numbers)
                giver, receiver = (
                    self._accounts[number % PEOPLE],
                    self._accounts[number % PEOPLE - 1],
                )
                ledger.transfer(
                    session,
                    kind=TransferKind.GIFT,
                    legs={giver: -1, receiver: 1},
                    idempotency_key=f"bench:{number}",
                    now=now,
                )

    def _settle_people(self) -> list[AccountId]:
        with self.village.transaction() as session:
            now = self.village.clock()
            people = [
                make_member(session, f"{number}", now=now, opening_minutes=OPENING_MINUTES)
                for number in range(PEOPLE)
            ]
            ids = [MemberId(one.id) for one in people]
            return [AccountId(ledger.account_of(session, member).id) for member in ids]


@contextmanager
def raw_commits(file: Path) -> Iterator[Act]:
    """One INSERT of one row, committed by itself, through sqlite3 alone with the same pragmas."""
    engine = open_engine(f"sqlite:///{file}")
    lent = engine.raw_connection()
    sqlite = lent.connection
    sqlite.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, words TEXT NOT NULL)")
    yield lambda: sqlite.execute("INSERT INTO line (words) VALUES (?)", (ROW,)).close()
    lent.close()
    engine.dispose()


def measure_ledger(
    report: Report, folder: Path, deadline: Deadline, *, rounds: int, seconds: float, full: bool
) -> None:
    """Adds the ledger's figures. `full` fills the chain to 50,000 and verifies it, too."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    movements = Movements(folder / "village.db")
    with raw_commits(folder / "raw.db") as commit_raw:
        pairs = _in_pairs(movements.commit_one, commit_raw, rounds, seconds)
        report.add(
            {
                "transfers_per_s": median(transfers for transfers, _ in pairs),
                "raw_commits_per_s": median(raw for _, raw in pairs),
            }
        )
        ratio = median(transfers / raw for transfers, raw in pairs)
        report.add({"ledger_to_raw_ratio": ratio}, digits=3)
        report.conditions["ledger"] = f"median of {rounds} pairs of {seconds} s, turn about"
        if full:
            _measure_full_chain(report, movements, commit_raw, deadline, seconds)
        else:
            report.skipped["verify_50k_s"] = "left out when quick"
    movements.village.engine.dispose()
    shutil.rmtree(folder)


def _measure_full_chain(
    report: Report, movements: Movements, commit_raw: Act, deadline: Deadline, seconds: float
) -> None:
    length = movements.fill_up(FULL_CHAIN, deadline)
    if length < FULL_CHAIN:
        report.skipped["verify_50k_s"] = f"the time was up at {length} transfers"
        return
    began = time.perf_counter()
    checked = movements.verify()
    report.add({"verify_50k_s": time.perf_counter() - began}, digits=2)
    if not checked.intact:
        raise AssertionError(f"the ledger broke while it was measured: {checked.problem}")
    pairs = _in_pairs(movements.commit_one, commit_raw, 3, seconds)
    report.add({"transfers_after_50k_per_s": median(transfers for transfers, _ in pairs)})
    report.conditions["verified_transfers"] = checked.transfers


def _in_pairs(ours: Act, theirs: Act, rounds: int, seconds: float) -> list[tuple[float, float]]:
    """Rates of both, taken side by side so that a busy moment of the disk meets both; who goes
    first changes each time."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            raw = _rate(theirs, seconds)
            pairs.append((_rate(ours, seconds), raw))
        else:
            pairs.append((_rate(ours, seconds), _rate(theirs, seconds)))
    return pairs


def _rate(act: Act, seconds: float) -> float:
    """How often a second it can be done."""
    began = time.perf_counter()
    for done in count(1):
        act()
        passed = time.perf_counter() - began
        if passed >= seconds:
            return done / passed
    raise AssertionError("counting never ends")
