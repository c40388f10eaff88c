"""Contested matters: minutes are freed, staff are told, a coordinator decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import disputes, ledger, members, outbox
from actions.timebank.errors import NothingOpen, NotYours, UnknownMember, WrongState
from actions.timebank.ids import DisputeId, MemberId, RequestId, TurnId
from actions.timebank.model import Assignment, Dispute, Member, ServiceRequest
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    DisputeState,
    HoldState,
    RequestState,
)
from tests.timebank.builders import FakeClock, make_assignment, make_member

TURN = TurnId("talk:1")


@dataclass
class People:
    elder: Member
    helper: Member
    coordinator: Member
    other_coordinator: Member


@pytest.fixture
def people(session: Session, clock: FakeClock) -> People:
    return People(
        elder=make_member(session, "王桂兰", now=clock(), opening_minutes=300),
        helper=make_member(session, "张秀英", now=clock(), opening_minutes=60),
        coordinator=make_member(session, "赵明", now=clock(), is_coordinator=True),
        other_coordinator=make_member(session, "钱会计", now=clock(), is_coordinator=True),
    )


@pytest.fixture
def promised(session: Session, clock: FakeClock, people: People) -> Assignment:
    """Sixty minutes held for a visit whose hour has just come."""
    assignment = make_assignment(
        session,
        elder=people.elder,
        helper=people.helper,
        now=clock(),
        starts_at=clock() + timedelta(hours=2),
    )
    ledger.hold(
        session,
        account_id=ledger.account_of(session, people.elder.id).id,
        assignment_id=assignment.id,
        minutes=60,
        now=clock(),
    )
    clock.pass_time(hours=2)
    return assignment


def report(session: Session, clock: FakeClock, assignment: Assignment, by: Member) -> Dispute:
    return disputes.report_no_show(
        session,
        elder=by.id,
        request_id=assignment.request_id,
        turn_id=TURN,
        now=clock(),
        words="没来",
    )


def available(session: Session, member: Member) -> int:
    return ledger.balance(session, ledger.account_of(session, member.id).id).available


@pytest.mark.parametrize("state", [RequestState.ASSIGNED, RequestState.IN_PROGRESS])
def test_a_neighbour_who_did_not_come_gives_the_held_minutes_back(
    session: Session, clock: FakeClock, people: People, promised: Assignment, state: RequestState
) -> None:
    promised.request.state = state
    assert available(session, people.elder) == 240

    dispute = report(session, clock, promised, people.elder)

    assert available(session, people.elder) == 300
    assert available(session, people.helper) == 60
    assert [one.state for one in promised.holds] == [HoldState.VOIDED]
    assert (promised.state, promised.ended_at) == (AssignmentState.RELEASED, clock())
    assert promised.request.state is RequestState.DISPUTED
    assert (dispute.kind, dispute.state) == (DisputeKind.NO_SHOW, DisputeState.OPEN)
    assert dispute.due_at == clock() + timedelta(hours=24)
    assert dispute.words == "没来"


def test_helper_and_staff_hear_of_a_no_show(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    dispute = report(session, clock, promised, people.elder)

    (to_helper,) = outbox.queued_for(session, people.helper.id)
    assert to_helper.kind == "no_show_told"
    assert to_helper.facts == {"elder": "王桂兰", "kind": "shopping"}
    for staff in (people.coordinator, people.other_coordinator):
        (to_staff,) = outbox.queued_for(session, staff.id)
        assert to_staff.kind == "staff_dispute"
        assert to_staff.facts == {
            "dispute_id": dispute.id,
            "dispute_kind": "no_show",
            "kind": "shopping",
            "elder": "王桂兰",
            "helper": "张秀英",
            "claimed": None,
            "confirmed": None,
        }


def test_a_no_show_reported_twice_is_one_dispute(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    first = report(session, clock, promised, people.elder)

    assert report(session, clock, promised, people.elder) is first
    assert len(outbox.queued_for(session, people.coordinator.id)) == 1


def test_nobody_is_late_before_the_time(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    clock.pass_time(seconds=-1)

    with pytest.raises(WrongState) as refusal:
        report(session, clock, promised, people.elder)
    assert refusal.value.facts["starts_at"] == promised.request.starts_at
    assert promised.state is AssignmentState.ACTIVE
    assert available(session, people.elder) == 240


@pytest.mark.parametrize(
    "state",
    [one for one in RequestState if one not in (RequestState.ASSIGNED, RequestState.IN_PROGRESS)],
)
def test_a_no_show_needs_somebody_who_promised_to_come(
    session: Session, clock: FakeClock, people: People, promised: Assignment, state: RequestState
) -> None:
    promised.request.state = state

    with pytest.raises(WrongState) as refusal:
        report(session, clock, promised, people.elder)
    assert refusal.value.facts["state"] == state.value
    assert session.query(Dispute).count() == 0


def test_nobody_reports_for_another(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    for stranger in (people.helper, people.coordinator):
        with pytest.raises(NotYours):
            report(session, clock, promised, stranger)
    assert promised.request.state is RequestState.ASSIGNED


def test_an_unknown_request_has_no_no_show(
    session: Session, clock: FakeClock, people: People
) -> None:
    with pytest.raises(NothingOpen):
        disputes.report_no_show(
            session,
            elder=people.elder.id,
            request_id=RequestId(404),
            turn_id=TURN,
            now=clock(),
        )


def test_a_complaint_reaches_the_staff_once(
    session: Session, clock: FakeClock, people: People
) -> None:
    for _ in range(2):
        dispute = disputes.complain(
            session, member=people.elder.id, words="说话难听", turn_id=TURN, now=clock()
        )

    assert (dispute.kind, dispute.words) == (DisputeKind.COMPLAINT, "说话难听")
    assert dispute.request is None
    assert session.query(Dispute).count() == 1
    (notice,) = outbox.queued_for(session, people.coordinator.id)
    assert notice.facts["elder"] == "王桂兰"
    assert notice.facts["dispute_kind"] == "complaint"
    assert notice.facts["helper"] == ""


def test_nobody_cannot_complain(session: Session, clock: FakeClock) -> None:
    with pytest.raises(UnknownMember):
        disputes.complain(session, member=MemberId(404), words="", turn_id=TURN, now=clock())


def decide(
    session: Session, clock: FakeClock, dispute: Dispute, by: Member, words: str = "已说和"
) -> Dispute:
    return disputes.resolve(
        session, dispute_id=dispute.id, mediator=by.id, resolution=words, now=clock()
    )


def test_a_resolved_no_show_is_a_cancelled_request(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    dispute = report(session, clock, promised, people.elder)
    clock.pass_time(hours=3)

    decide(session, clock, dispute, people.coordinator)

    assert dispute.state is DisputeState.RESOLVED
    assert (dispute.resolved_by_id, dispute.resolution) == (people.coordinator.id, "已说和")
    assert dispute.resolved_at == clock()
    request = promised.request
    assert (request.state, request.ended_at) == (RequestState.CANCELLED, clock())
    assert request.end_reason == "no_show"


def test_resolved_minutes_are_a_confirmed_request(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    dispute = disputes.open_dispute(
        session,
        kind=DisputeKind.MINUTES_DIFFER,
        opened_by=people.elder.id,
        turn_id=TURN,
        now=clock(),
        request=promised.request,
        assignment=promised,
        claimed=120,
        confirmed=60,
    )
    assert outbox.queued_for(session, people.helper.id) == [], "he did come"
    (notice,) = outbox.queued_for(session, people.coordinator.id)
    assert (notice.facts["claimed"], notice.facts["confirmed"]) == (120, 60)

    decide(session, clock, dispute, people.coordinator)

    assert promised.request.state is RequestState.CONFIRMED


def test_a_complaint_is_resolved_without_a_request(
    session: Session, clock: FakeClock, people: People
) -> None:
    dispute = disputes.complain(
        session, member=people.elder.id, words="说话难听", turn_id=TURN, now=clock()
    )

    assert decide(session, clock, dispute, people.coordinator).state is DisputeState.RESOLVED


def test_only_a_coordinator_decides(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    dispute = report(session, clock, promised, people.elder)

    for party in (people.elder, people.helper):
        with pytest.raises(NotYours):
            decide(session, clock, dispute, party)
    assert dispute.state is DisputeState.OPEN


def test_a_decision_stands(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    dispute = report(session, clock, promised, people.elder)
    decided_at = clock()
    decide(session, clock, dispute, people.coordinator)
    clock.pass_time(hours=1)

    decide(session, clock, dispute, people.coordinator)
    for by, words in ((people.coordinator, "另一种说法"), (people.other_coordinator, "已说和")):
        with pytest.raises(WrongState):
            decide(session, clock, dispute, by, words)

    assert dispute.resolved_at == decided_at
    assert dispute.resolution == "已说和"


@pytest.mark.parametrize("dispute_id", [404, 0, -1, 10**30])
def test_an_unknown_dispute_is_not_decided(
    session: Session, clock: FakeClock, people: People, dispute_id: int
) -> None:
    with pytest.raises(NothingOpen):
        disputes.resolve(
            session,
            dispute_id=DisputeId(dispute_id),
            mediator=people.coordinator.id,
            resolution="",
            now=clock(),
        )


def test_a_no_show_leaves_the_ledger_intact(
    session: Session, clock: FakeClock, people: People, promised: Assignment
) -> None:
    before = ledger.head(session)

    report(session, clock, promised, people.elder)

    assert ledger.head(session) == before
    assert ledger.verify(session).intact
    assert session.get(ServiceRequest, promised.request_id).elder is people.elder
    assert members.coordinators(session) == [people.coordinator, people.other_coordinator]
