"""Random lives of a family. Nothing is done for an elder without her own living yes, and she hears
of all that is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import delegates, exchange, on_behalf, turns
from actions.timebank.errors import Refusal
from actions.timebank.model import Delegation, Notice, ServiceRequest, Turn
from actions.timebank.session import Village, open_engine
from actions.timebank.states import DelegateScope, ServiceKind
from tests.timebank.builders import FakeClock, make_member, make_village
from tests.timebank.test_village_machine import migrated

people = st.integers(0, 3)
scopes = st.frozensets(st.sampled_from(DelegateScope), min_size=1)
NEEDED = {
    exchange.request_help: DelegateScope.ASK_HELP,
    on_behalf.see_balance: DelegateScope.SEE_BALANCE,
    on_behalf.see_requests: DelegateScope.SEE_REQUESTS,
}
DONE = "done_for_you"
Yes = tuple[datetime, frozenset[DelegateScope]]


class FamilyLife(RuleBasedStateMachine):
    """Beside the books the machine keeps its own memory of what each elder said in her own turn:
    who may what until when."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = open_engine("sqlite://")
        raw = self.engine.raw_connection()
        migrated().backup(raw.connection)
        raw.close()
        self.clock = FakeClock()
        self.village = Village(self.engine, self.clock)
        self.turns = 0
        self.said_yes: dict[tuple[int, int], Yes] = {}

    def teardown(self) -> None:
        self.engine.dispose()

    @initialize()
    def people_move_in(self) -> None:
        with self.village.transaction() as session:
            make_village(session, self.clock.now)
            names = ("王奶奶", "刘大爷", "李建国")
            family = [
                make_member(session, name, now=self.clock.now, opening_minutes=6_000)
                for name in names
            ]
            staff = make_member(session, "陈干事", now=self.clock.now, is_coordinator=True)
            self.people = [one.id for one in (*family, staff)]
            self.staff = staff.id

    def turn_of(self, member: int) -> str:
        self.turns += 1
        turn = f"family:{self.turns}"
        with self.village.transaction() as session:
            turns.begin(session, turn_id=turn, member=member, channel="talk", now=self.clock.now)
        return turn

    def act(self, verb: Callable[..., Any], **given: Any) -> Any:
        """What came of it; None when it was refused."""
        try:
            with self.village.transaction() as session:
                result = verb(session, now=self.clock.now, **given)
                return result.id if isinstance(result, Delegation) else result
        except Refusal:
            return None

    def count(self, session: Session, model: Any, *wanted: Any) -> int:
        return int(
            session.execute(select(func.count()).select_from(model).where(*wanted)).scalar_one()
        )

    def some_delegation(self, chosen: int) -> Delegation | None:
        with self.village.transaction() as session:
            rows = session.execute(select(Delegation).order_by(Delegation.id)).scalars().all()
            session.expunge_all()
        return rows[chosen % len(rows)] if rows else None

    # -- what people do -----------------------------------------------------------------------

    @rule(elder=people, delegate=people, by=st.one_of(st.none(), people), wanted=scopes)
    def propose(
        self, elder: int, delegate: int, by: int | None, wanted: frozenset[DelegateScope]
    ) -> None:
        asker = None if by is None else self.people[by]
        whom = {"elder": self.people[elder], "delegate": self.people[delegate]}
        made = self.act(delegates.propose, by=asker, scopes=wanted, **whom)
        assert made is None or asker != whom["delegate"]

    @rule(chosen=st.integers(0, 99), who=st.one_of(st.none(), people), turn=people)
    def say_yes(self, chosen: int, who: int | None, turn: int) -> None:
        """Mostly she herself, but anybody tries, and with anybody's turn."""
        delegation = self.some_delegation(chosen)
        if delegation is None:
            return
        elder = delegation.elder_id if who is None else self.people[who]
        speaker = elder if who is None else self.people[turn]
        about = {"delegation_id": delegation.id, "turn_id": self.turn_of(speaker)}
        given = self.act(delegates.give, elder=elder, **about)
        if given is not None:
            assert elder == speaker == delegation.elder_id
            with self.village.reading() as session:
                row = session.get(Delegation, given)
                if row.given_at == self.clock.now:
                    pair = (row.elder_id, row.delegate_id)
                    self.said_yes[pair] = (self.clock.now + timedelta(days=182), row.scopes)

    @rule(chosen=st.integers(0, 99), who=st.one_of(st.none(), people))
    def say_no(self, chosen: int, who: int | None) -> None:
        delegation = self.some_delegation(chosen)
        if delegation is not None:
            elder = delegation.elder_id if who is None else self.people[who]
            refused = self.act(delegates.refuse, elder=elder, delegation_id=delegation.id)
            if refused is not None and delegation.renews_id and delegation.state == "proposed":
                self.said_yes.pop((delegation.elder_id, delegation.delegate_id), None)

    @rule(chosen=st.integers(0, 99), by=people)
    def end(self, chosen: int, by: int) -> None:
        delegation = self.some_delegation(chosen)
        if delegation is not None:
            ended = self.act(delegates.end, delegation_id=delegation.id, by=self.people[by])
            if ended is not None and delegation.state == "given":
                self.said_yes.pop((delegation.elder_id, delegation.delegate_id), None)

    @rule(elder=people, by=people, verb=st.sampled_from(sorted(NEEDED, key=lambda v: v.__name__)))
    def act_for_her(self, elder: int, by: int, verb: Callable[..., Any]) -> None:
        her, him = self.people[elder], self.people[by]
        with self.village.transaction() as session:
            told_before = self.count(session, Notice, Notice.recipient_id == her)
            asked_before = self.count(session, ServiceRequest)
        given: dict[str, Any] = {"elder": her}
        if verb is exchange.request_help:
            given |= {
                "requested_by": him,
                "service_kind": ServiceKind.MEALS,
                "starts_at": self.clock.now + timedelta(hours=5),
                "turn_id": self.turn_of(him),
            }
        else:
            given["by"] = him
        done = self.act(verb, **given)
        until, allowed = self.said_yes.get((her, him), (self.clock.now, frozenset()))
        may = NEEDED[verb] in allowed and self.clock.now < until
        asks = verb is exchange.request_help
        assert (done is not None) == (may or (asks and him in (her, self.staff)))
        with self.village.transaction() as session:
            told = self.count(session, Notice, Notice.recipient_id == her) - told_before
            assert self.count(session, ServiceRequest) - asked_before == (asks and done is not None)
            if asks and done is not None and him != her:
                assert told >= 1, "she does not hear of it"
            elif not asks and done is not None:
                today = [Notice.recipient_id == her, Notice.kind.startswith(DONE)]
                assert self.count(session, Notice, *today) >= 1

    @rule(days=st.sampled_from([1, 13, 14, 100, 167, 168, 182]))
    def time_passes(self, days: int) -> None:
        self.clock.pass_time(days=days)

    @rule()
    def sweep(self) -> None:
        self.act(delegates.sweep)
        assert self.act(delegates.sweep) == []

    # -- what always holds --------------------------------------------------------------------

    @invariant()
    def who_is_a_delegate_was_given_her_yes(self) -> None:
        with self.village.reading() as session:
            for delegate in getattr(self, "people", []):
                now = self.clock.now
                elders = delegates.elders_of(session, delegate, now=now)
                said = {pair for pair, (until, _) in self.said_yes.items() if now < until}
                assert {(one.id, delegate) for one in elders} == {
                    pair for pair in said if pair[1] == delegate
                }

    @invariant()
    def every_yes_is_the_elder_s_own_turn(self) -> None:
        with self.village.reading() as session:
            given = session.execute(select(Delegation).where(Delegation.given_at.is_not(None)))
            for row in given.scalars():
                said = session.get(Turn, row.consent_turn_id)
                assert said is not None and said.member_id == row.elder_id


FamilyLife.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestFamilyLife = FamilyLife.TestCase
