"""Random lives of a ledger, held against plain sums on paper after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from actions.timebank import ledger, schema
from actions.timebank.chain import BEFORE_THE_FIRST
from actions.timebank.errors import LedgerBroken, NotEnoughMinutes, WrongState
from actions.timebank.ids import TransferId
from actions.timebank.model import Assignment, Hold, Member, Merge, Transfer
from actions.timebank.session import Village, open_engine
from actions.timebank.states import TransferKind
from tests.timebank.builders import FakeClock, make_assignment, make_member, make_visit

PEOPLE = 4
OPENING = 90
person = st.integers(0, PEOPLE - 1)
minutes = st.integers(1, 150)


@lru_cache
def migrated() -> Engine:
    engine = open_engine("sqlite://")
    schema.upgrade(engine)
    return engine


def fresh_database() -> Engine:
    """A copy in memory of a database that was migrated once."""
    engine = open_engine("sqlite://")
    with engine.connect() as copy, migrated().connect() as original:
        original.connection.dbapi_connection.backup(copy.connection.dbapi_connection)
    return engine


class LifeOfALedger(RuleBasedStateMachine):
    """`posted` and `held` are the paper: what each account must have, kept by plain addition."""

    transfers = Bundle("transfers")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.village = Village(fresh_database(), self.clock)
        self.posted: Counter[int] = Counter()
        self.held: Counter[int] = Counter()
        self.stands_for_good: set[int] = set()
        """Transfers that were reversed, their reversals, and merges: none is reversed again."""
        self.merged: dict[int, int] = {}
        """Accounts that were given up, with the one that was kept instead."""
        self.keys = 0
        self.rows: dict[str, list[Any]] = {"transfer": [], "posting": []}
        self.head = ledger.Head(0, BEFORE_THE_FIRST)
        self.was_available: Counter[int] = Counter()
        self.may_fall = False

    def teardown(self) -> None:
        self.village.engine.dispose()

    @initialize()
    def people_join(self) -> None:
        with self.village.transaction() as session:
            self.members = [
                make_member(session, f"{n}号", now=self.clock(), opening_minutes=OPENING).id
                for n in range(PEOPLE)
            ]
            self.accounts = [ledger.account_of(session, m).id for m in self.members]
            self.fund = ledger.fund_account(session).id
            self.system = ledger.system_account(session).id
        self.posted.update({account: OPENING for account in self.accounts})
        self.posted[self.system] -= OPENING * PEOPLE

    # -- what the steps share -----------------------------------------------------------------

    def available(self, account: int) -> int:
        return self.posted[account] - self.held[account]

    def move(self, legs: dict[int, int], act: Callable[[Session, str], Transfer]) -> Any:
        """Does it once and again, and writes it on paper; a refusal must be right and change
        nothing. Returns the new transfer for the bundle, or nothing."""
        self.clock.pass_time(minutes=1)
        self.keys += 1
        key = f"step:{self.keys}"
        covered = all(
            account == self.system or self.available(account) + moved >= 0
            for account, moved in legs.items()
            if moved < 0
        )
        try:
            with self.village.transaction() as session:
                made = act(session, key).id
        except NotEnoughMinutes:
            assert not covered
            return multiple()
        assert covered or self.may_fall
        self.posted.update(legs)
        with self.village.transaction() as session:
            assert act(session, key).id == made
        return made

    # -- steps --------------------------------------------------------------------------------

    @rule(target=transfers, receiver=st.integers(-1, PEOPLE - 1), amount=minutes)
    def reissue(self, receiver: int, amount: int) -> Any:
        account = self.fund if receiver < 0 else self.accounts[receiver]
        return self.move(
            {self.system: -amount, account: amount},
            lambda session, key: ledger.grant(
                session,
                account_id=account,
                minutes=amount,
                reason="reissue",
                idempotency_key=key,
                now=self.clock(),
            ),
        )

    @rule(target=transfers, giver=person, other=st.integers(1, PEOPLE - 1), amount=minutes)
    def give(self, giver: int, other: int, amount: int) -> Any:
        receiver = (giver + other) % PEOPLE
        return self.move(
            {self.accounts[giver]: -amount, self.accounts[receiver]: amount},
            lambda session, key: ledger.gift(
                session,
                giver=self.members[giver],
                receiver=self.members[receiver],
                minutes=amount,
                idempotency_key=key,
                now=self.clock(),
            ),
        )

    @rule(target=holds, elder=person, other=st.integers(1, PEOPLE - 1), amount=minutes)
    def put_aside(self, elder: int, other: int, amount: int) -> Any:
        account = self.accounts[elder]
        try:
            with self.village.transaction() as session:
                assignment = make_assignment(
                    session,
                    elder=session.get(Member, self.members[elder]),
                    helper=session.get(Member, self.members[(elder + other) % PEOPLE]),
                    now=self.clock(),
                )
                held = ledger.hold(
                    session,
                    account_id=account,
                    assignment_id=assignment.id,
                    minutes=amount,
                    now=self.clock(),
                ).id
        except NotEnoughMinutes:
            assert amount > self.available(account)
            return multiple()
        self.held[account] += amount
        return held, account, amount, self.accounts[(elder + other) % PEOPLE]

    @rule(held=consumes(holds), late=st.booleans())
    def visit_never_happens(self, held: tuple[int, int, int, int], late: bool) -> None:
        hold_id, account, amount, _ = held
        end, other_end = ledger.void_hold, ledger.expire_hold
        if late:
            end, other_end = other_end, end
        with self.village.transaction() as session:
            for _ in range(2):
                end(session, session.get(Hold, hold_id), now=self.clock())
        self.held[account] -= amount
        self.refuses(WrongState, lambda s: other_end(s, s.get(Hold, hold_id), now=self.clock()))

    @rule(target=transfers, held=consumes(holds), done=minutes)
    def visit_is_settled(self, held: tuple[int, int, int, int], done: int) -> Any:
        """What the elder cannot pay of a visit already done comes from the fund, if it can."""
        hold_id, elder, amount, helper = held
        from_elder = max(0, min(done, self.available(elder) + amount))
        if done - from_elder > self.available(self.fund):
            return multiple()
        self.held[elder] -= amount
        legs = {elder: -from_elder, self.fund: from_elder - done, helper: done}
        legs = {account: moved for account, moved in legs.items() if moved}

        def settle(session: Session, key: str) -> Transfer:
            hold = ledger.post_hold(session, session.get(Hold, hold_id), now=self.clock())
            assignment = session.get(Assignment, hold.assignment_id)
            visit = assignment.visit or make_visit(session, assignment, now=self.clock())
            return ledger.transfer(
                session,
                kind=TransferKind.SETTLEMENT,
                legs=legs,
                visit_id=visit.id,
                idempotency_key=key,
                now=self.clock(),
            )

        return self.move(legs, settle)

    @rule(target=transfers, wrong=transfers)
    def reverse(self, wrong: int) -> Any:
        def undo(session: Session, key: str) -> Transfer:
            return ledger.reverse(
                session,
                transfer_id=TransferId(wrong),
                reason="a mistake",
                idempotency_key=key,
                now=self.clock(),
            )

        if wrong in self.stands_for_good:
            self.refuses(WrongState, lambda session: undo(session, "refused"))
            return multiple()
        with self.village.reading() as session:
            legs = {leg.account_id: -leg.minutes for leg in session.get(Transfer, wrong).postings}
        self.may_fall = True
        undone = self.move(legs, undo)
        self.stands_for_good |= {wrong, undone}
        for account in legs:
            self.goes_on(account)
        return undone

    @rule(gone=person, other=st.integers(1, PEOPLE - 1))
    def two_were_one(self, gone: int, other: int) -> None:
        """The account of a double is emptied; what is held there must have ended."""
        double, kept = self.accounts[gone], self.accounts[(gone + other) % PEOPLE]
        if double in self.merged or self.ends_in(kept) == double:
            return
        key = f"merge:{double}"

        def unite(session: Session) -> Transfer | None:
            return ledger.merge(
                session, double=double, kept=kept, idempotency_key=key, now=self.clock()
            )

        if self.held[double]:
            self.refuses(WrongState, unite)
            return
        with self.village.transaction() as session:
            moved = unite(session)
            session.add(
                Merge(
                    double_id=self.members[gone],
                    kept_id=self.members[(gone + other) % PEOPLE],
                    transfer_id=moved and moved.id,
                    proposed_by_id=self.members[0],
                    approved_by_id=self.members[1],
                    at=self.clock(),
                )
            )
            assert bool(moved) is bool(self.posted[double])
            if moved:
                self.stands_for_good.add(moved.id)
        self.merged[double] = kept
        self.posted[kept] += self.posted[double]
        self.posted[double] = 0
        self.may_fall = True

    def ends_in(self, account: int) -> int:
        while account in self.merged:
            account = self.merged[account]
        return account

    def goes_on(self, account: int) -> None:
        """On paper: what a reversal leaves in an account that was given up belongs to the kept."""
        kept = self.ends_in(account)
        if kept != account:
            self.posted[kept] += self.posted[account]
            self.posted[account] = 0

    @rule(earlier=transfers, more=minutes)
    def key_is_used_for_something_else(self, earlier: int, more: int) -> None:
        def again(session: Session) -> None:
            made = session.get(Transfer, earlier)
            ledger.transfer(
                session,
                kind=made.kind,
                legs={leg.account_id: leg.minutes * (more + 1) for leg in made.postings},
                visit_id=made.visit_id,
                reverses_id=made.reverses_id,
                idempotency_key=made.idempotency_key,
                now=self.clock(),
            )

        self.refuses(LedgerBroken, again)

    def refuses(self, refusal: type[Exception], act: Callable[[Session], object]) -> None:
        with pytest.raises(refusal), self.village.transaction() as session:
            act(session)

    # -- what holds after every step ------------------------------------------------------------

    @invariant()
    def balances_are_as_on_paper(self) -> None:
        with self.village.reading() as session:
            for account in (*self.accounts, self.fund, self.system):
                found = ledger.balance(session, account)
                assert found.posted == self.posted[account]
                assert found.held == self.held[account]
                assert found.available == found.posted - found.held

    @invariant()
    def nothing_comes_from_nowhere(self) -> None:
        with self.village.reading() as session:
            assert session.scalar(text("SELECT coalesce(sum(minutes), 0) FROM posting")) == 0

    @invariant()
    def nobody_falls_below_zero_but_by_a_reversal(self) -> None:
        for account in (*self.accounts, self.fund):
            now = self.available(account)
            assert now >= min(0, self.was_available[account]) or self.may_fall
            self.was_available[account] = now
        self.may_fall = False

    @invariant()
    def the_chain_holds_and_grows_from_the_printed_head(self) -> None:
        with self.village.reading() as session:
            check = ledger.verify(session, expected=self.head)
            assert check.intact, check.problem
            self.head = ledger.head(session)
            assert check.head == self.head.hash

    @invariant()
    def no_row_ever_changes(self) -> None:
        with self.village.reading() as session:
            for table, seen in self.rows.items():
                rows = session.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
                assert rows[: len(seen)] == seen
                self.rows[table] = rows

    @invariant()
    def every_minute_of_a_member_is_explained(self) -> None:
        with self.village.reading() as session:
            for member, account in zip(self.members, self.accounts, strict=True):
                lines = ledger.history(session, member, limit=1000)
                assert sum(line.minutes for line in lines) == self.posted[account]
                assert (lines[0].balance_after if lines else 0) == self.posted[account]


LifeOfALedger.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLifeOfALedger = LifeOfALedger.TestCase
