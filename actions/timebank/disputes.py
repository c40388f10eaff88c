"""Contested matters: nobody came, the minutes differ, somebody complains. Staff decide in a day.

Opening one never moves minutes; what a mediator finds wrong in the ledger is put right by a
reversal.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import NothingOpen, WrongState
from actions.timebank.funding import give_back
from actions.timebank.ids import DisputeId, MemberId, RequestId, TurnId
from actions.timebank.lookups import active_assignment, request_of
from actions.timebank.model import Assignment, Dispute, ServiceRequest
from actions.timebank.notices import tell, tell_staff
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Permission
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    DisputeState,
    RequestState,
)

TIME_TO_DECIDE = timedelta(hours=24)

_SETTLED_AS = {
    DisputeKind.MINUTES_DIFFER: RequestState.CONFIRMED,
    DisputeKind.NO_SHOW: RequestState.CANCELLED,
}


def report_no_show(
    session: Session,
    *,
    elder: MemberId,
    request_id: RequestId,
    turn_id: TurnId,
    now: datetime,
    words: str = "",
) -> Dispute:
    """The elder says that the neighbour never came: her held minutes are free again, the
    helper and the staff are told. The same turn again returns the first dispute.

    Raises NothingOpen for an unknown request, NotYours for another elder's, WrongState when
    nobody has promised to come or the time is not reached.
    """
    earlier = _opened_by(session, turn_id)
    if earlier is not None:
        return earlier
    request = request_of(session, elder, request_id)
    assignment = active_assignment(session, request)
    promised = request.state in (RequestState.ASSIGNED, RequestState.IN_PROGRESS)
    if assignment is None or not promised or now < request.starts_at:
        raise WrongState(
            f"request {request_id} is {request.state.value}",
            state=request.state.value,
            starts_at=request.starts_at,
        )
    give_back(session, assignment, now=now)
    assignment.state = AssignmentState.RELEASED
    assignment.ended_at = now
    return open_dispute(
        session,
        kind=DisputeKind.NO_SHOW,
        opened_by=elder,
        turn_id=turn_id,
        now=now,
        words=words,
        request=request,
        assignment=assignment,
    )


def complain(
    session: Session, *, member: MemberId, words: str, turn_id: TurnId, now: datetime
) -> Dispute:
    """Anything a member is unhappy with, in her words, for the staff to look into. The same
    turn again returns the first dispute. Raises UnknownMember."""
    earlier = _opened_by(session, turn_id)
    if earlier is not None:
        return earlier
    return open_dispute(
        session,
        kind=DisputeKind.COMPLAINT,
        opened_by=members.member(session, member).id,
        turn_id=turn_id,
        now=now,
        words=words,
    )


def resolve(
    session: Session,
    *,
    dispute_id: DisputeId,
    mediator: MemberId,
    resolution: str,
    now: datetime,
    minutes: int | None = None,
) -> Dispute:
    """A decision by a coordinator, or a mediator of the staff. A visit with differing minutes
    counts as confirmed afterwards, one that never happened as cancelled. The same decision again
    changes nothing.

    `minutes` is how long the visit was, where that was contested; hours beyond what both sides
    said move only by a proposal that a second person approves. Raises NothingOpen for an unknown
    dispute, NotYours for who may not decide, WrongState (`by` whom) when it was decided otherwise
    before.
    """
    dispute = _dispute(session, dispute_id)
    if not members.member(session, mediator).is_coordinator:
        accounts.require(session, mediator, Permission.MEDIATE, now=now)
    if dispute.state is DisputeState.RESOLVED:
        before = (dispute.resolved_by_id, dispute.resolution, dispute.decided_minutes)
        if before != (mediator, resolution, minutes):
            raise WrongState(
                f"dispute {dispute_id} is resolved",
                state=dispute.state.value,
                by=dispute.resolved_by.name,
            )
        return dispute
    dispute.state = DisputeState.RESOLVED
    dispute.resolved_by_id = mediator
    dispute.resolved_at = now
    dispute.resolution = resolution
    dispute.decided_minutes = minutes
    request = dispute.request
    if request is not None and request.state is RequestState.DISPUTED:
        request.state = _SETTLED_AS[dispute.kind]
        request.ended_at = now
        request.end_reason = dispute.kind.value
    session.flush()
    return dispute


def open_dispute(
    session: Session,
    *,
    kind: DisputeKind,
    opened_by: MemberId,
    turn_id: TurnId,
    now: datetime,
    words: str = "",
    request: ServiceRequest | None = None,
    assignment: Assignment | None = None,
    claimed: int | None = None,
    confirmed: int | None = None,
) -> Dispute:
    """Puts a matter before the staff with its 24 hours, tells them, and tells a helper who is
    said not to have come. For the verbs that find a contradiction; members' own words come
    through `report_no_show` and `complain`."""
    dispute = Dispute(
        kind=kind,
        request=request,
        opened_by_id=opened_by,
        words=words,
        turn_id=turn_id,
        claimed_minutes=claimed,
        confirmed_minutes=confirmed,
        opened_at=now,
        due_at=now + TIME_TO_DECIDE,
    )
    session.add(dispute)
    if request is not None:
        request.state = RequestState.DISPUTED
    session.flush()
    _tell_staff(session, dispute, assignment, now)
    if kind is DisputeKind.NO_SHOW and request is not None and assignment is not None:
        tell(
            session,
            assignment.helper_id,
            "no_show_told",
            about=f"{dispute.id}",
            now=now,
            elder=request.elder.name,
            kind=request.service_kind,
        )
    return dispute


def _dispute(session: Session, dispute_id: DisputeId) -> Dispute:
    if 0 < dispute_id <= members.LARGEST_ID:
        dispute = session.get(Dispute, dispute_id, populate_existing=True, with_for_update=True)
        if dispute is not None:
            return cast(Dispute, dispute)
    raise NothingOpen(f"no dispute {dispute_id}")


def _opened_by(session: Session, turn_id: TurnId) -> Dispute | None:
    of_turn = select(Dispute).where(Dispute.turn_id == turn_id)
    return cast("Dispute | None", session.execute(of_turn).scalar_one_or_none())


def _tell_staff(
    session: Session, dispute: Dispute, assignment: Assignment | None, now: datetime
) -> None:
    request = dispute.request
    elder = request.elder if request is not None else members.member(session, dispute.opened_by_id)
    tell_staff(
        session,
        "staff_dispute",
        about=f"{dispute.id}",
        now=now,
        dispute_id=dispute.id,
        dispute_kind=dispute.kind,
        kind="" if request is None else request.service_kind,
        elder=elder.name,
        helper="" if assignment is None else assignment.helper.name,
        claimed=dispute.claimed_minutes,
        confirmed=dispute.confirmed_minutes,
    )
