"""What the passing of time decides; a caller lets it run every minute or so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import String, select
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Session

from actions.timebank import coming_visits, disputes, funding, training
from actions.timebank.ids import MemberId, OfferId, RequestId, TurnId
from actions.timebank.lookups import active_assignment, request_by_id
from actions.timebank.matching import candidates
from actions.timebank.model import Assignment, Notice, Offer, ServiceRequest, Visit
from actions.timebank.notices import tell, tell_staff
from actions.timebank.offers import (
    LATE_BUT_WELCOME,
    answer_limit,
    ask_next,
    end_offer,
    pass_on,
    too_late_at,
)
from actions.timebank.queries import claimed_minutes, pending_offer_of
from actions.timebank.staff import broadcasts
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    OfferState,
    RequestState,
)

__all__ = ["NEVER_STARTED", "Expired", "answer_limit", "expire_due"]

UNCONFIRMED = timedelta(hours=24)
"""After so long a claim without an answer is brought up again, once."""
NEVER_STARTED = timedelta(hours=24)
"""Nobody spoke of the visit for so long after its time: staff find out what happened."""


@dataclass(frozen=True)
class Expired:
    """What ran out in one sweep."""

    offers: list[OfferId]
    """Not answered in time; the next neighbour was asked where time is left."""
    requests: list[RequestId]
    """Nobody was found in time."""
    no_shows: list[RequestId]
    """Promised, but never begun; now a dispute for staff."""
    unconfirmed: list[RequestId]
    """Claimed, and the elder has not said yes or no: she and the staff are told."""


def expire_due(session: Session, *, now: datetime) -> Expired:
    """Acts on everything whose time has run out, asks again who was left in peace, and speaks of
    the visits that are near. Twice in a row does nothing more."""
    training.lapse(session, now=now)
    requests, withdrawn_offers = _expire_requests(session, now)
    offers = withdrawn_offers + _expire_offers(session, now)
    broadcasts.end_told(session, now=now)
    _ask_again(session, now)
    coming_visits.tell_of_coming(session, now=now)
    return Expired(
        offers=offers,
        requests=requests,
        no_shows=_expire_promises(session, now),
        unconfirmed=_remind_of_claims(session, now),
    )


def _expire_requests(session: Session, now: datetime) -> tuple[list[RequestId], list[OfferId]]:
    looking = (RequestState.OPEN, RequestState.OFFERED)
    begun = select(ServiceRequest.id).where(
        ServiceRequest.state.in_(looking),
        ServiceRequest.starts_at <= now - LATE_BUT_WELCOME,
    )
    expired: list[RequestId] = []
    offers: list[OfferId] = []
    for request_id in session.execute(begun.order_by(ServiceRequest.id)).scalars().all():
        request = request_by_id(session, request_id)
        if request.state not in looking or now < too_late_at(request):
            continue
        waiting = pending_offer_of(session, request.id)
        if waiting is not None:
            end_offer(session, waiting, OfferState.EXPIRED, now=now)
            offers.append(OfferId(waiting.id))
        _expire_request(session, request, now)
        expired.append(RequestId(request.id))
    return expired, offers


def _expire_request(session: Session, request: ServiceRequest, now: datetime) -> None:
    request.state = RequestState.EXPIRED
    request.ended_at = now
    request.end_reason = "nobody_in_time"
    session.flush()
    tell(
        session,
        MemberId(request.elder_id),
        "request_expired",
        about=f"{request.id}",
        now=now,
        kind=request.service_kind,
        starts_at=request.starts_at,
    )
    tell_staff(
        session,
        "staff_request_expired",
        about=f"{request.id}",
        now=now,
        elder=request.elder.name,
        kind=request.service_kind,
    )


def _expire_offers(session: Session, now: datetime) -> list[OfferId]:
    overdue = select(Offer.id, Offer.request_id).where(
        Offer.state == OfferState.PENDING, Offer.expires_at <= now
    )
    expired: list[OfferId] = []
    for offer_id, request_id in session.execute(overdue.order_by(Offer.id)).all():
        offer = pending_offer_of(session, request_by_id(session, request_id).id)
        if offer is not None and offer.id == offer_id:
            pass_on(session, offer, OfferState.EXPIRED, now=now)
            expired.append(OfferId(offer_id))
    return expired


def _ask_again(session: Session, now: datetime) -> None:
    """Who was asked enough earlier, was busy or has only now offered help may be asked by now."""
    waiting = select(ServiceRequest.id).where(
        ServiceRequest.state == RequestState.OPEN, ServiceRequest.starts_at > now
    )
    for request_id in session.execute(waiting.order_by(ServiceRequest.id)).scalars().all():
        request = request_by_id(session, request_id)
        if request.state is not RequestState.OPEN or not candidates(session, request, now=now):
            continue
        offer = ask_next(session, request, now=now)
        if offer is not None:
            tell(
                session,
                MemberId(request.elder_id),
                "request_asked_again",
                about=f"{offer.id}",
                now=now,
                kind=request.service_kind,
                helper=offer.helper.name,
            )


def _expire_promises(session: Session, now: datetime) -> list[RequestId]:
    """An elder who said that the helper came is a witness that this was no empty promise."""
    never_begun = (
        select(ServiceRequest.id)
        .join(Assignment, Assignment.request_id == ServiceRequest.id)
        .outerjoin(Visit, Visit.assignment_id == Assignment.id)
        .where(
            ServiceRequest.state == RequestState.ASSIGNED,
            ServiceRequest.starts_at <= now - NEVER_STARTED,
            Assignment.state == AssignmentState.ACTIVE,
            Visit.id.is_(None),
        )
    )
    broken: list[RequestId] = []
    for request_id in session.execute(never_begun.order_by(ServiceRequest.id)).scalars().all():
        request = request_by_id(session, request_id)
        if request.state is RequestState.ASSIGNED:
            _end_promise(session, request, now)
            broken.append(RequestId(request.id))
    return broken


def _end_promise(session: Session, request: ServiceRequest, now: datetime) -> None:
    assignment = cast(Assignment, active_assignment(session, request))
    funding.give_back(session, assignment, now=now, never_came=True)
    assignment.state = AssignmentState.RELEASED
    assignment.ended_at = now
    disputes.open_dispute(
        session,
        kind=DisputeKind.NO_SHOW,
        opened_by=MemberId(request.elder_id),
        turn_id=TurnId(f"deadline:{assignment.id}"),
        now=now,
        request=request,
        assignment=assignment,
    )


def _remind_of_claims(session: Session, now: datetime) -> list[RequestId]:
    """Minutes must not stay held for ever because a notice was not heard."""
    reminded = (
        select(Notice.id)
        .where(
            Notice.dedupe_key
            == cast_to(ServiceRequest.elder_id, String)
            + ":visit_claimed:again:"
            + cast_to(Visit.id, String)
        )
        .exists()
    )
    waiting = (
        select(Visit)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .where(
            ServiceRequest.state == RequestState.CLAIMED,
            Visit.checked_out_at <= now - UNCONFIRMED,
            ~reminded,
        )
        .order_by(Visit.id)
    )
    unconfirmed: list[RequestId] = []
    for visit in session.execute(waiting).scalars().all():
        request, helper = visit.assignment.request, visit.assignment.helper
        facts = {
            "request_id": request.id,
            "helper": helper.name,
            "kind": request.service_kind,
            "minutes": claimed_minutes(session, RequestId(request.id)),
        }
        about = f"again:{visit.id}"
        tell(session, MemberId(request.elder_id), "visit_claimed", about=about, now=now, **facts)
        facts["elder"] = request.elder.name
        tell_staff(session, "staff_unconfirmed", about=about, now=now, **facts)
        unconfirmed.append(RequestId(request.id))
    return unconfirmed
