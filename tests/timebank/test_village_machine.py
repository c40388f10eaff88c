"""Random lives of a village. After every step the promises of the time bank hold."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from actions.timebank import deadlines, disputes, exchange, ledger, schema, visits
from actions.timebank.errors import NotEnoughMinutes, NotYours, Refusal
from actions.timebank.model import (
    Account,
    Assignment,
    Dispute,
    Hold,
    Notice,
    Offer,
    Posting,
    Relation,
    ServiceRequest,
    Transfer,
    Visit,
)
from actions.timebank.session import Village, open_engine
from actions.timebank.states import (
    NEVER_REFUSED,
    AccountKind,
    AssignmentState,
    DisputeState,
    HoldState,
    OfferState,
    Party,
    RelationKind,
    RequestState,
    ServiceKind,
    TransferKind,
)
from tests.timebank.builders import FakeClock, make_member, make_village

R = RequestState
DRAWN: dict[type[Enum], set[tuple[str, str]]] = {
    RequestState: {
        ("open", "offered"),
        ("offered", "open"),
        ("offered", "assigned"),
        ("assigned", "open"),
        ("assigned", "in_progress"),
        ("assigned", "claimed"),
        ("in_progress", "claimed"),
        ("claimed", "confirmed"),
        ("claimed", "disputed"),
        ("assigned", "disputed"),
        ("in_progress", "disputed"),
        ("disputed", "confirmed"),
        ("disputed", "cancelled"),
        ("open", "cancelled"),
        ("offered", "cancelled"),
        ("assigned", "cancelled"),
        ("open", "expired"),
        ("offered", "expired"),
    },
    OfferState: {
        ("pending", "accepted"),
        ("pending", "declined"),
        ("pending", "expired"),
        ("pending", "withdrawn"),
    },
    AssignmentState: {("active", "done"), ("active", "released")},
    HoldState: {("pending", "posted"), ("pending", "voided"), ("pending", "expired")},
    DisputeState: {("open", "resolved")},
}
"""The machines of `states.py`, an edge a pair."""

WITH_STATES = (ServiceRequest, Offer, Assignment, Hold, Dispute)
WITH_A_PROMISE = (R.ASSIGNED, R.IN_PROGRESS, R.CLAIMED)
OVER = (R.CONFIRMED, R.CANCELLED, R.EXPIRED, R.DISPUTED)

kinds = st.sampled_from(ServiceKind)
odd_minutes = st.one_of(st.integers(1, 240), st.sampled_from([-7, 0, 1, 720, 721]))
some = st.integers(0, 10_000)
"""Picks one of whatever there is at that moment."""
next_steps = st.lists(st.tuples(some, st.one_of(st.none(), odd_minutes)), min_size=2, max_size=6)


@lru_cache(maxsize=1)
def migrated() -> sqlite3.Connection:
    """An empty migrated village in memory, copied for each life."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "village.db"
        engine = open_engine(f"sqlite:///{path}")
        schema.upgrade(engine)
        engine.dispose()
        source = sqlite3.connect(path)
        source.backup(copy)
        source.close()
    return copy


class VillageLife(RuleBasedStateMachine):
    """People do what they may and what they may not; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = open_engine("sqlite://")
        raw = self.engine.raw_connection()
        migrated().backup(raw.connection)
        raw.close()
        self.clock = FakeClock()
        self.village = Village(self.engine, self.clock)
        self.turns = 0
        self.moved_off_the_drawing: list[tuple[str, str]] = []
        self.asked: dict[int, tuple[int, tuple[int, int]]] = {}
        self.versions: dict[int, tuple[int, Any]] = {}
        self.gifts = 0
        self.repeat: Callable[[Session], Any] | None = None
        self.listening = [
            (model.state, self.listener(model.state.type.options)) for model in WITH_STATES
        ]
        for attribute, listener in self.listening:
            event.listen(attribute, "set", listener, active_history=True)

    def teardown(self) -> None:
        for attribute, listener in self.listening:
            event.remove(attribute, "set", listener)
        self.engine.dispose()

    def listener(self, states: type[Enum]) -> Callable[..., None]:
        def on_set(_row: Any, new: Any, old: Any, _event: Any) -> None:
            step = (
                getattr(old, "value", ""),
                new.value,
            )  # `old` is a marker on a new row.
            if isinstance(old, states) and old is not new and step not in DRAWN[states]:
                self.moved_off_the_drawing.append(step)

        return on_set

    @initialize()
    def people_move_in(self) -> None:
        now = self.clock.now
        can: dict[str, Any] = {
            "now": now,
            "takes_tasks": True,
            "skills": list(ServiceKind),
        }
        with self.village.transaction() as session:
            make_village(session, now)
            elders = [
                make_member(session, "王奶奶", now=now, opening_minutes=600),
                make_member(session, "刘大爷", now=now, opening_minutes=60, lane="槐树巷"),
                make_member(session, "吴奶奶", now=now),
            ]
            helpers = [
                make_member(session, "张秀英", **can),
                make_member(session, "李建国", lane="槐树巷", opening_minutes=30, **can),
                make_member(session, "周护士", trained=[ServiceKind.BATHING], **can),
            ]
            staff = make_member(session, "陈干事", now=now, is_coordinator=True)
            session.add(
                Relation(
                    member_id=elders[0].id,
                    other_id=helpers[0].id,
                    kind=RelationKind.KIN,
                )
            )
            self.elders = [elder.id for elder in elders]
            self.staff = staff.id
            self.people = [*self.elders, *(helper.id for helper in helpers), staff.id]

    # -- how a step is taken ------------------------------------------------------------------

    def turn(self) -> str:
        self.turns += 1
        return f"life:{self.turns}"

    def act(self, verb: Callable[..., Any], **given: Any) -> Refusal | None:
        """One message, kept to be said again; whatever comes of it, the promises must hold."""
        given["now"] = self.clock.now
        self.repeat = lambda session: verb(session, **given)
        refused = None
        try:
            with self.village.transaction() as session:
                verb(session, **given)
        except Refusal as refusal:
            refused = refusal
        self.gifts += verb is ledger.gift and refused is None
        self.all_promises_hold()
        return refused

    def pick(self, chosen: int, model: Any, *wanted: Any) -> dict[str, Any] | None:
        """The chosen row among those wanted, as plain values; None when there is none."""
        with self.village.transaction() as session:
            ids = session.execute(select(model.id).where(*wanted).order_by(model.id)).scalars()
            found = ids.all()
            if not found:
                return None
            row = session.get(model, found[chosen % len(found)])
            return {column.key: getattr(row, column.key) for column in model.__table__.columns}

    # -- what people do -----------------------------------------------------------------------

    @rule(
        elder=some,
        kind=kinds,
        hours=st.integers(-1, 30),
        minutes=st.one_of(st.none(), st.integers(1, 60), odd_minutes),
        wanted=st.one_of(st.none(), some),
    )
    def ask(
        self,
        elder: int,
        kind: ServiceKind,
        hours: int,
        minutes: int | None,
        wanted: int | None,
    ) -> None:
        refusal = self.act(
            exchange.request_help,
            elder=self.elders[elder % len(self.elders)],
            service_kind=kind,
            starts_at=self.clock.now + timedelta(hours=hours),
            minutes=minutes,
            wanted_helper=None if wanted is None else self.people[wanted % len(self.people)],
            turn_id=self.turn(),
        )
        assert kind not in NEVER_REFUSED or not isinstance(refusal, NotEnoughMinutes)

    @rule(
        chosen=some,
        hours=st.one_of(st.none(), st.integers(-1, 30)),
        minutes=st.one_of(st.none(), odd_minutes),
        kind=st.one_of(st.none(), kinds),
    )
    def change(
        self,
        chosen: int,
        hours: int | None,
        minutes: int | None,
        kind: ServiceKind | None,
    ) -> None:
        if request := self.pick(chosen, ServiceRequest):
            starts_at = None if hours is None else self.clock.now + timedelta(hours=hours)
            self.act(
                exchange.change_request,
                elder=request["elder_id"],
                request_id=request["id"],
                turn_id=self.turn(),
                starts_at=starts_at,
                minutes=minutes,
                service_kind=kind,
            )

    @rule(chosen=some, by_staff=st.booleans())
    def cancel(self, chosen: int, by_staff: bool) -> None:
        if request := self.pick(chosen, ServiceRequest):
            by = self.staff if by_staff else request["elder_id"]
            self.act(exchange.cancel_request, by=by, request_id=request["id"])

    @rule(
        elder=some,
        kind=kinds,
        hours=st.integers(0, 30),
        steps=next_steps,
    )
    def live_through(
        self, elder: int, kind: ServiceKind, hours: int, steps: list[tuple[int, int | None]]
    ) -> None:
        """A need and what naturally follows: without it, chance alone hardly ever gets as far as
        two confirmations."""
        self.ask(elder, kind, hours, 45, None)
        for choice, minutes in steps:
            self.go_on(-1, choice, minutes)

    @rule(chosen=some, choice=some, minutes=st.one_of(st.none(), odd_minutes))
    def go_on(self, chosen: int, choice: int, minutes: int | None) -> None:
        """The next natural thing happens to a request."""
        request = self.pick(chosen, ServiceRequest, ServiceRequest.state.not_in(OVER))
        if request is None:
            return
        here = request["id"]
        of_offer = (Offer.request_id == here, Offer.state == OfferState.PENDING)
        of_task = (Assignment.request_id == here, Assignment.state == AssignmentState.ACTIVE)
        said = {"minutes": minutes or 50, "turn_id": self.turn()}
        answers = [exchange.accept_offer] * 5 + [exchange.decline_offer]
        tasks = [visits.start_visit, visits.claim_visit, visits.claim_visit]
        if request["state"] is R.OFFERED:
            self.answer(answers[choice % len(answers)], 0, *of_offer)
        elif request["state"] is R.CLAIMED or choice % 7 == 0:
            self.say_done(request, minutes)
        elif request["state"] is R.ASSIGNED and choice % 11 == 0:
            self.task(exchange.step_back, 0, *of_task)
        elif request["state"] in WITH_A_PROMISE:
            verb = tasks[choice % len(tasks)] if request["state"] is R.ASSIGNED else tasks[1]
            self.task(verb, 0, *of_task, **({} if verb is visits.start_visit else said))

    @rule(chosen=some, verb=st.sampled_from([exchange.accept_offer, exchange.decline_offer]))
    def answer_an_old_offer(self, chosen: int, verb: Callable[..., Any]) -> None:
        self.answer(verb, chosen)

    def answer(self, verb: Callable[..., Any], chosen: int, *wanted: Any) -> None:
        if offer := self.pick(chosen, Offer, *wanted):
            self.act(verb, helper=offer["helper_id"], offer_id=offer["id"])

    @rule(chosen=some)
    def step_back(self, chosen: int) -> None:
        self.task(exchange.step_back, chosen)

    @rule(chosen=some)
    def start(self, chosen: int) -> None:
        self.task(visits.start_visit, chosen)

    @rule(chosen=some, minutes=odd_minutes)
    def claim(self, chosen: int, minutes: int) -> None:
        self.task(visits.claim_visit, chosen, minutes=minutes, turn_id=self.turn())

    def task(self, verb: Callable[..., Any], chosen: int, *wanted: Any, **said: Any) -> None:
        if task := self.pick(chosen, Assignment, *wanted):
            self.act(verb, helper=task["helper_id"], assignment_id=task["id"], **said)

    @rule(chosen=some, minutes=st.one_of(st.none(), odd_minutes))
    def confirm(self, chosen: int, minutes: int | None) -> None:
        if request := self.pick(chosen, ServiceRequest):
            self.say_done(request, minutes)

    def say_done(self, request: dict[str, Any], minutes: int | None) -> None:
        self.act(
            visits.confirm_visit,
            elder=request["elder_id"],
            request_id=request["id"],
            turn_id=self.turn(),
            minutes=minutes,
        )

    @rule(chosen=some)
    def say_that_nobody_came(self, chosen: int) -> None:
        if request := self.pick(chosen, ServiceRequest, ServiceRequest.state.in_(WITH_A_PROMISE)):
            self.act(
                disputes.report_no_show,
                elder=request["elder_id"],
                request_id=request["id"],
                turn_id=self.turn(),
            )

    @rule(chosen=some)
    def mediate(self, chosen: int) -> None:
        if dispute := self.pick(chosen, Dispute):
            self.act(
                disputes.resolve,
                dispute_id=dispute["id"],
                mediator=self.staff,
                resolution="说开了",
            )

    @rule(giver=some, receiver=some, minutes=odd_minutes)
    def give(self, giver: int, receiver: int, minutes: int) -> None:
        self.act(
            ledger.gift,
            giver=self.people[giver % len(self.people)],
            receiver=self.people[receiver % len(self.people)],
            minutes=minutes,
            idempotency_key=self.turn(),
        )

    @rule()
    def the_same_message_again(self) -> None:
        if self.repeat is None:
            return
        before = self.told_and_moved()
        try:
            with self.village.transaction() as session:
                self.repeat(session)
        except Refusal:
            pass
        assert self.told_and_moved() == before

    def told_and_moved(self) -> list[int]:
        with self.village.transaction() as session:
            return [
                session.execute(select(func.count()).select_from(model)).scalar_one()
                for model in (
                    Notice,
                    Transfer,
                    ServiceRequest,
                    Offer,
                    Assignment,
                    Hold,
                    Dispute,
                )
            ]

    @rule(minutes=st.one_of(st.integers(1, 90), st.sampled_from([240, 1500, 3000])))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_time(minutes=minutes)
        self.act(deadlines.expire_due)

    @rule(chosen=some, stranger=some, verb=st.integers(0, 7), minutes=st.integers(1, 720))
    def a_stranger_tries(self, chosen: int, stranger: int, verb: int, minutes: int) -> None:
        who, turn = self.people[stranger % len(self.people)], self.turn()
        if verb < 3:
            request = self.pick(chosen, ServiceRequest)
            if request is None or who == request["elder_id"]:
                return
            by_request: list[tuple[Callable[..., Any], dict[str, Any]]] = [
                (exchange.cancel_request, {"by": who}),
                (
                    exchange.change_request,
                    {"elder": who, "turn_id": turn, "minutes": minutes},
                ),
                (
                    visits.confirm_visit,
                    {"elder": who, "turn_id": turn, "minutes": minutes},
                ),
            ]
            if verb == 0 and who == self.staff:
                return
            act, given = by_request[verb]
            self.is_sent_away(act, request_id=request["id"], **given)
        elif verb < 5:
            offer = self.pick(chosen, Offer)
            if offer is not None and who != offer["helper_id"]:
                act = (exchange.accept_offer, exchange.decline_offer)[verb - 3]
                self.is_sent_away(act, helper=who, offer_id=offer["id"])
        else:
            task = self.pick(chosen, Assignment)
            if task is not None and who != task["helper_id"]:
                act = (exchange.step_back, visits.start_visit, visits.claim_visit)[verb - 5]
                said = {"minutes": minutes, "turn_id": turn} if verb == 7 else {}
                self.is_sent_away(act, helper=who, assignment_id=task["id"], **said)

    def is_sent_away(self, verb: Callable[..., Any], **given: Any) -> None:
        before = self.told_and_moved()
        assert isinstance(self.act(verb, **given), NotYours)
        assert self.told_and_moved() == before

    # -- what always holds --------------------------------------------------------------------

    def all_promises_hold(self) -> None:
        assert self.moved_off_the_drawing == []
        with self.village.transaction() as session:
            self.minutes_are_neither_made_nor_lost(session)
            self.every_movement_has_its_ground(session)
            self.holds_belong_to_promises(session)
            self.requests_stand_where_their_parts_say(session)
            self.nobody_is_asked_twice(session)
            keys = session.execute(select(Notice.dedupe_key)).scalars().all()
            assert len(keys) == len(set(keys))

    def minutes_are_neither_made_nor_lost(self, session: Session) -> None:
        sums = select(func.sum(Posting.minutes)).group_by(Posting.transfer_id)
        assert set(session.execute(sums).scalars()) <= {0}
        for account in session.execute(select(Account)).scalars():
            if account.kind is not AccountKind.SYSTEM:
                assert ledger.balance(session, account.id).available >= 0
        assert ledger.verify(session).intact

    def every_movement_has_its_ground(self, session: Session) -> None:
        moved = session.execute(select(Transfer)).scalars().all()
        counted = Counter(transfer.kind for transfer in moved)
        assert counted[TransferKind.GIFT] == self.gifts
        assert counted[TransferKind.REVERSAL] == 0
        for transfer in moved:
            if transfer.kind is TransferKind.REISSUE:
                assert transfer.reason in ("opening", "fund_stands_behind")
        settled = session.execute(select(Visit).where(Visit.settled_minutes > 0)).scalars().all()
        settlements = {one.visit_id: one for one in moved if one.visit_id is not None}
        assert counted[TransferKind.SETTLEMENT] == len(settlements) == len(settled)
        for visit in settled:
            said = {one.party: one.minutes for one in visit.confirmations}
            assert visit.settled_minutes == min(said[Party.HELPER], said[Party.ELDER])
            helper = ledger.account_of(session, visit.assignment.helper_id).id
            legs = {leg.account_id: leg.minutes for leg in settlements[visit.id].postings}
            assert legs.pop(helper) == visit.settled_minutes
            elder = ledger.account_of(session, visit.assignment.request.elder_id).id
            assert set(legs) <= {elder, ledger.fund_account(session).id}
            assert visit.assignment.state is AssignmentState.DONE

    def holds_belong_to_promises(self, session: Session) -> None:
        for assignment in session.execute(select(Assignment)).scalars():
            pending = [one for one in assignment.holds if one.state is HoldState.PENDING]
            held = sum(one.minutes for one in pending)
            active = assignment.state is AssignmentState.ACTIVE
            assert held == (assignment.request.minutes if active else 0)

    def requests_stand_where_their_parts_say(self, session: Session) -> None:
        for request in session.execute(select(ServiceRequest)).scalars():
            waiting = [one for one in request.offers if one.state is OfferState.PENDING]
            promised = [one for one in request.assignments if one.state is AssignmentState.ACTIVE]
            assert len(waiting) == (request.state is R.OFFERED)
            assert len(promised) == (request.state in WITH_A_PROMISE)

    def nobody_is_asked_twice(self, session: Session) -> None:
        """Not twice about one request while its time and kind stay as they are."""
        for request in session.execute(select(ServiceRequest)).scalars():
            wanted = (request.starts_at, request.service_kind)
            version, last_wanted = self.versions.get(request.id, (0, wanted))
            version += wanted != last_wanted
            self.versions[request.id] = (version, wanted)
            for offer in request.offers:
                self.asked.setdefault(offer.id, (request.id, (version, offer.helper_id)))
        repeated = [pair for pair, times in Counter(self.asked.values()).items() if times > 1]
        assert repeated == []


VillageLife.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestVillageLife = VillageLife.TestCase
