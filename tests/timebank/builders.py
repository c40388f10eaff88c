"""Short ways to furnish a village for a test. Each adds to the open session and flushes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import ledger
from actions.timebank.model import (
    Assignment,
    Group,
    Lane,
    Member,
    Offer,
    ServiceRequest,
    Skill,
    Visit,
)
from actions.timebank.states import (
    AssignmentState,
    OfferState,
    RequestState,
    ServiceKind,
)

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=timezone.utc)
"""A Monday, nine in the morning in China: when the clock of a test village starts."""

LANES = ("桂花巷", "槐树巷")


class FakeClock:
    """A clock that stands still until a test moves it; call it like any `Clock`."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> datetime:
        """Moves on by what `timedelta` takes, such as `hours=2`, and tells the new moment."""
        self.now += timedelta(**span)
        return self.now


def make_village(session: Session, now: datetime) -> Group:
    """One group with two lanes, the fund and the system account; the same again changes nothing."""
    ledger.ensure_village_accounts(session)
    group: Group | None = session.scalar(select(Group).where(Group.name == "东片互助组"))
    if group is None:
        group = Group(name="东片互助组")
        session.add(group)
        session.flush()
        for name in LANES:
            make_lane(session, name, group)
    return group


def make_lane(session: Session, name: str, group: Group) -> Lane:
    lane = Lane(name=name, group=group)
    session.add(lane)
    session.flush()
    return lane


def make_member(
    session: Session,
    name: str,
    *,
    now: datetime,
    lane: str = "桂花巷",
    opening_minutes: int = 0,
    skills: Iterable[ServiceKind] = (),
    trained: Iterable[ServiceKind] = (),
    **fields: Any,
) -> Member:
    """A member with an open account; a lane not seen before is added to the village's group.

    `trained` kinds need not be repeated in `skills`; `fields` are columns of `Member`.
    """
    group = make_village(session, now)
    home = session.scalar(select(Lane).where(Lane.name == lane)) or make_lane(session, lane, group)
    member = Member(name=name, lane=home, joined_at=now, **fields)
    session.add(member)
    session.flush()
    trained = set(trained)
    for kind in sorted({*skills, *trained}):
        session.add(Skill(member_id=member.id, service_kind=kind, trained=kind in trained))
    account = ledger.open_account(session, member.id)
    if opening_minutes:
        ledger.grant(
            session,
            account_id=account.id,
            minutes=opening_minutes,
            reason="opening",
            idempotency_key=f"opening:{member.id}",
            now=now,
        )
    session.flush()
    return member


def make_assignment(
    session: Session,
    *,
    elder: Member,
    helper: Member,
    now: datetime,
    service_kind: ServiceKind = ServiceKind.SHOPPING,
    minutes: int = 60,
    starts_at: datetime | None = None,
) -> Assignment:
    """A request already accepted by the helper, written as bare rows: no hold, no notice."""
    count = session.query(ServiceRequest).count()
    request = ServiceRequest(
        elder_id=elder.id,
        requested_by_id=elder.id,
        service_kind=service_kind,
        starts_at=starts_at or now + timedelta(hours=1),
        minutes=minutes,
        state=RequestState.ASSIGNED,
        turn_id=f"built:{count + 1}",
        created_at=now,
    )
    session.add(request)
    session.flush()
    offer = Offer(
        request_id=request.id,
        helper_id=helper.id,
        state=OfferState.ACCEPTED,
        offered_at=now,
        expires_at=now + timedelta(hours=1),
        answered_at=now,
    )
    session.add(offer)
    session.flush()
    assignment = Assignment(
        request_id=request.id,
        offer_id=offer.id,
        helper_id=helper.id,
        state=AssignmentState.ACTIVE,
        accepted_at=now,
    )
    session.add(assignment)
    session.flush()
    return assignment


def make_visit(session: Session, assignment: Assignment, *, now: datetime) -> Visit:
    """The helper has come; nothing is claimed yet."""
    visit = Visit(assignment_id=assignment.id, checked_in_at=now)
    session.add(visit)
    session.flush()
    return visit
