"""What stands open for one person, in the order in which it matters to her."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.ids import MemberId, RequestId
from actions.timebank.model import (
    Assignment,
    Confirmation,
    Member,
    Offer,
    ServiceRequest,
    Visit,
)
from actions.timebank.states import (
    AssignmentState,
    OfferState,
    Party,
    RequestState,
)

STILL_OPEN = (
    RequestState.OPEN,
    RequestState.OFFERED,
    RequestState.ASSIGNED,
    RequestState.IN_PROGRESS,
    RequestState.CLAIMED,
)


def open_requests(session: Session, elder: MemberId) -> list[ServiceRequest]:
    """The elder's requests that are not over, soonest first."""
    asked = select(ServiceRequest).where(
        ServiceRequest.elder_id == elder, ServiceRequest.state.in_(STILL_OPEN)
    )
    soonest = asked.order_by(ServiceRequest.starts_at, ServiceRequest.id)
    return list(session.execute(soonest).scalars())


def visits_to_confirm(session: Session, elder: MemberId, *, now: datetime) -> list[ServiceRequest]:
    """What 来了，做完了 may mean: claimed ones first, then those going on, then those promised
    whose time has come; of each sort the latest first."""
    order = case(
        (ServiceRequest.state == RequestState.CLAIMED, 0),
        (ServiceRequest.state == RequestState.IN_PROGRESS, 1),
        else_=2,
    )
    begun = and_(ServiceRequest.state == RequestState.ASSIGNED, ServiceRequest.starts_at <= now)
    claimed_or_begun = ServiceRequest.state.in_((RequestState.CLAIMED, RequestState.IN_PROGRESS))
    visits = (
        select(ServiceRequest)
        .where(ServiceRequest.elder_id == elder, or_(claimed_or_begun, begun))
        .order_by(order, ServiceRequest.starts_at.desc(), ServiceRequest.id.desc())
    )
    return list(session.execute(visits).scalars())


def last_request(session: Session, elder: MemberId) -> ServiceRequest | None:
    """What the elder asked for last, however it ended; None when she never did."""
    newest = (
        select(ServiceRequest)
        .where(ServiceRequest.elder_id == elder)
        .order_by(ServiceRequest.id.desc())
        .limit(1)
    )
    return cast("ServiceRequest | None", session.execute(newest).scalar_one_or_none())


def pending_offer_of(session: Session, request_id: RequestId) -> Offer | None:
    """Whom the request is offered to right now; None when nobody is being asked."""
    waiting = select(Offer).where(Offer.request_id == request_id, Offer.state == OfferState.PENDING)
    return cast("Offer | None", session.execute(waiting).scalar_one_or_none())


def pending_offers(session: Session, helper: MemberId) -> list[Offer]:
    """What this helper is asked to do, soonest first."""
    asked = (
        select(Offer)
        .join(Offer.request)
        .where(Offer.helper_id == helper, Offer.state == OfferState.PENDING)
        .options(joinedload(Offer.request).joinedload(ServiceRequest.elder))
        .order_by(ServiceRequest.starts_at, Offer.id)
    )
    return list(session.execute(asked).scalars())


def active_tasks(session: Session, helper: MemberId) -> list[Assignment]:
    """What this helper has promised: going on now, then to come (soonest first), then what waits
    for the elder's word."""
    order = case(
        (ServiceRequest.state == RequestState.IN_PROGRESS, 0),
        (ServiceRequest.state == RequestState.ASSIGNED, 1),
        else_=2,
    )
    promised = (
        select(Assignment)
        .join(Assignment.request)
        .where(Assignment.helper_id == helper, Assignment.state == AssignmentState.ACTIVE)
        .options(joinedload(Assignment.request).joinedload(ServiceRequest.elder))
        .order_by(order, ServiceRequest.starts_at, Assignment.id)
    )
    return list(session.execute(promised).scalars())


def overdue_visits(session: Session, elder: MemberId, *, now: datetime) -> list[ServiceRequest]:
    """What 人没来 may mean: visits promised whose time has come, the latest first."""
    promised = (
        select(ServiceRequest)
        .where(
            ServiceRequest.elder_id == elder,
            ServiceRequest.state.in_((RequestState.ASSIGNED, RequestState.IN_PROGRESS)),
            ServiceRequest.starts_at <= now,
        )
        .order_by(ServiceRequest.starts_at.desc())
    )
    return list(session.execute(promised).scalars())


def helper_of(session: Session, request_id: RequestId) -> Member | None:
    """Who promised to come, or else who is being asked; None when nobody is."""
    promised = (
        select(Member)
        .join(Assignment, Assignment.helper_id == Member.id)
        .where(
            Assignment.request_id == request_id,
            Assignment.state != AssignmentState.RELEASED,
        )
    )
    helper = cast("Member | None", session.execute(promised).scalar_one_or_none())
    if helper is not None:
        return helper
    offer = pending_offer_of(session, request_id)
    return cast(Member, offer.helper) if offer else None


def claimed_minutes(session: Session, request_id: RequestId) -> int | None:
    """What the helper says the visit took; None when he has not said it."""
    claim = (
        select(Confirmation.minutes)
        .join(Visit, Visit.id == Confirmation.visit_id)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .where(
            Assignment.request_id == request_id,
            Assignment.state != AssignmentState.RELEASED,
            Confirmation.party == Party.HELPER,
        )
    )
    return cast("int | None", session.execute(claim).scalar_one_or_none())
