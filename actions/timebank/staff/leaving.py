"""A member leaves the village, or the world, and may come back. Hours stay on the account.

What nobody has begun is called off kindly. What waits for somebody's word about hours, or for
somebody to look after her, must be settled first. A death is told to nobody by a machine: then
family hears nothing of delegations that end, and who was being helped by the dead is only told
that somebody else will come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from actions.timebank import alerts, bindings, delegates, exchange, members, queries, reminders
from actions.timebank.errors import NotBound, StillOpen, WrongState
from actions.timebank.ids import (
    AssignmentId,
    DelegationId,
    MemberId,
    OfferId,
    ReminderId,
    RequestId,
    StaffAccountId,
)
from actions.timebank.model import (
    Alert,
    Assignment,
    CheckIn,
    Delegation,
    JoinCard,
    Member,
    Merge,
    ServiceRequest,
    StaffAccount,
)
from actions.timebank.staff import accounts, keys
from actions.timebank.staff.register import editable, edited, note
from actions.timebank.staff.roles import Permission
from actions.timebank.states import (
    AssignmentState,
    CardState,
    Channel,
    CheckInState,
    DelegationState,
    LeavingReason,
    RequestState,
)

BEGUN = (RequestState.IN_PROGRESS, RequestState.CLAIMED, RequestState.DISPUTED)
NOT_BEGUN = (RequestState.OPEN, RequestState.OFFERED, RequestState.ASSIGNED)


@dataclass(frozen=True)
class Open:
    """What of a member is not over yet, as elder and as helper."""

    begun: list[ServiceRequest]
    """Visits that began, wait for a word or are disputed: they keep a member here."""
    asked_for: list[ServiceRequest]
    promised: list[Assignment]
    offers: int
    alarms: list[Alert]
    """Those keep a member here, too."""

    @property
    def in_the_way(self) -> bool:
        return bool(self.begun or self.alarms)


def still_open(session: Session, member: MemberId) -> Open:
    """What leaving would call off, and what stands in its way. Raises UnknownMember."""
    members.member(session, member)
    helping = (
        select(Assignment.request_id)
        .where(Assignment.helper_id == member, Assignment.state == AssignmentState.ACTIVE)
        .scalar_subquery()
    )
    of_hers = (
        select(ServiceRequest)
        .where(
            or_(ServiceRequest.elder_id == member, ServiceRequest.id.in_(helping)),
            ServiceRequest.state.in_((*BEGUN, *NOT_BEGUN)),
        )
        .options(joinedload(ServiceRequest.elder))
        .order_by(ServiceRequest.starts_at, ServiceRequest.id)
    )
    requests = list(session.execute(of_hers).scalars())
    # She may have said that he came before he said that he began: see `exchange._not_begun`.
    begun = [one for one in requests if one.state in BEGUN or _has_visit(session, one)]
    begun_ids = {one.id for one in begun}
    return Open(
        begun=begun,
        asked_for=[one for one in requests if one.elder_id == member and one.id not in begun_ids],
        promised=[
            one for one in queries.active_tasks(session, member) if one.request_id not in begun_ids
        ],
        offers=len(queries.pending_offers(session, member)),
        alarms=alerts.open_alerts(session, member),
    )


def leave(
    session: Session,
    *,
    member: MemberId,
    seen: int,
    why: LeavingReason,
    by: MemberId,
    now: datetime,
) -> Member:
    """The member is one no more: phones, links and cards are dead, nothing is asked of or for
    him, an account in the console is closed.

    Raises NotYours, NotForSelf, UnknownMember, ChangedMeanwhile, LastAdministrator, and StillOpen
    with the `requests` and `alerts` that must be settled first."""
    accounts.not_for_self(by, [member])
    person = editable(session, member, seen=seen, by=by, now=now)
    _end_staff_account(session, member, by=by, now=now)
    left = still_open(session, member)
    if left.in_the_way:
        raise StillOpen(
            f"member {member}",
            requests=[one.id for one in left.begun],
            alerts=[one.id for one in left.alarms],
        )
    # Gone first: whatever is asked of the neighbours below is not asked of him.
    person.left_at, person.left_why = now, why
    person.is_coordinator = False
    session.flush()
    _call_off(session, member, left, why, now=now)
    _shut(session, member, now=now)
    _end_delegations(session, member, why, by=by, now=now)
    note(session, person, "left", "", why.value, by=by, now=now)
    return edited(session, person)


def come_back(session: Session, *, member: MemberId, by: MemberId, now: datetime) -> Member:
    """Here again, with the hours from before; phones and links must be given anew. Raises
    NotYours, UnknownMember, WrongState for somebody who is here (facts: state="present"), or who
    was another member's double (state="merged")."""
    accounts.require(session, by, Permission.EDIT_PEOPLE, now=now)
    person = members.member(session, member)
    session.refresh(person, with_for_update=True)
    if person.left_at is None:
        raise WrongState(f"member {member} is here", state="present")
    if session.get(Merge, member) is not None:
        raise WrongState(f"member {member} is somebody else's double", state="merged")
    why = person.left_why
    person.left_at = person.left_why = None
    note(session, person, "left", "" if why is None else why.value, "", by=by, now=now, always=True)
    return edited(session, person)


def _call_off(
    session: Session, member: MemberId, left: Open, why: LeavingReason, *, now: datetime
) -> None:
    for request in left.asked_for:
        exchange.cancel_request(
            session, by=member, request_id=RequestId(request.id), now=now, reason=why.value
        )
    told_as = "helper_changes" if why is LeavingReason.DIED else "helper_stepped_back"
    for promise in left.promised:
        exchange.step_back(
            session,
            helper=member,
            assignment_id=AssignmentId(promise.id),
            now=now,
            reason=why.value,
            told_as=told_as,
        )
    for offer in queries.pending_offers(session, member):
        exchange.decline_offer(session, helper=member, offer_id=OfferId(offer.id), now=now)


def _shut(session: Session, member: MemberId, *, now: datetime) -> None:
    """Nothing speaks for her and nothing is told to her any more."""
    for channel in Channel:
        try:
            bindings.unbind(session, member=member, channel=channel, now=now)
        except NotBound:
            continue
    members.renew_link(session, member=member)
    live = (CardState.UNUSED, CardState.ASKED)
    cards = update(JoinCard).where(JoinCard.member_id == member, JoinCard.state.in_(live))
    session.execute(cards.values(state=CardState.VOID))
    asked = (CheckInState.WAITING, CheckInState.ASKED)
    checks = update(CheckIn).where(CheckIn.member_id == member, CheckIn.state.in_(asked))
    session.execute(checks.values(state=CheckInState.CANCELLED, ended_at=now))
    for reminder in reminders.alive(session, member):
        reminders.cancel(session, member=member, reminder_id=ReminderId(reminder.id), now=now)


def _end_delegations(
    session: Session, member: MemberId, why: LeavingReason, *, by: MemberId, now: datetime
) -> None:
    alive = (DelegationState.PROPOSED, DelegationState.GIVEN)
    theirs = select(Delegation).where(
        or_(Delegation.elder_id == member, Delegation.delegate_id == member),
        Delegation.state.in_(alive),
    )
    for one in session.execute(theirs.order_by(Delegation.id)).scalars().all():
        if why is LeavingReason.DIED:
            one.state, one.ended_at = DelegationState.ENDED, now
        else:
            delegates.end(session, delegation_id=DelegationId(one.id), by=by, now=now)
    session.flush()


def _end_staff_account(session: Session, member: MemberId, *, by: MemberId, now: datetime) -> None:
    own = select(StaffAccount).where(
        StaffAccount.member_id == member, StaffAccount.closed_at.is_(None)
    )
    account = session.execute(own).scalar_one_or_none()
    if account is None:
        return
    # Whoever only edits people does not lock out who makes the accounts.
    number = StaffAccountId(account.id)
    keys.close_account(session, account_id=number, by=by, now=now, leaves=True)


def _has_visit(session: Session, request: ServiceRequest) -> bool:
    if request.state is not RequestState.ASSIGNED:
        return False
    promised = select(Assignment).where(
        Assignment.request_id == request.id, Assignment.state == AssignmentState.ACTIVE
    )
    assignment = session.execute(promised).scalar_one_or_none()
    return assignment is not None and assignment.visit is not None
