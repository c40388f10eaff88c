"""Asking neighbours one after the other, until one agrees or nobody is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import MemberId
from actions.timebank.lookups import place_of
from actions.timebank.matching import Candidate, candidates
from actions.timebank.model import Offer, ServiceRequest
from actions.timebank.notices import tell, tell_staff
from actions.timebank.quiet_hours import QUIET_FROM, is_quiet, may_be_told, next_waking
from actions.timebank.states import OfferState, RequestState, ServiceKind

LATE_BUT_WELCOME = timedelta(hours=1)
"""Help that comes so late is still better than none, however short the visit was to be."""


def answer_limit(request: ServiceRequest, now: datetime) -> timedelta:
    """How long a neighbour may think it over before the next one is asked."""
    if request.service_kind is ServiceKind.URGENT_HELP:
        return timedelta(minutes=5)
    time_left = request.starts_at - now
    if time_left <= timedelta(hours=4):
        return timedelta(minutes=15)
    return timedelta(hours=1) if time_left <= timedelta(hours=24) else timedelta(hours=4)


def answer_until(request: ServiceRequest, now: datetime) -> datetime:
    """When the next neighbour is asked, for an offer made now. Hours of sleep do not count, unless
    the offer may wake people: it is thought over from waking on, and what was not thought over
    before bedtime, after it."""
    facts = {"kind": request.service_kind.value, "starts_at": request.starts_at.isoformat()}
    at_once = now + answer_limit(request, now)
    if all(may_be_told("offer_made", facts, at) for at in (now, at_once)):
        return at_once
    heard = next_waking(now)
    until = heard + answer_limit(request, heard)
    if not is_quiet(until):
        return until
    bedtime = datetime.combine(heard.astimezone(VILLAGE_ZONE), QUIET_FROM, VILLAGE_ZONE)
    waking = next_waking(until)
    return waking + min(until - bedtime, answer_limit(request, waking))


def too_late_at(request: ServiceRequest) -> datetime:
    """From when on nobody needs to come any more."""
    wanted_time = timedelta(minutes=request.minutes)
    return cast(datetime, request.starts_at + max(wanted_time, LATE_BUT_WELCOME))


def ask_next(
    session: Session,
    request: ServiceRequest,
    *,
    now: datetime,
    wanted: MemberId | None = None,
) -> Offer | None:
    """Offers the request to the best neighbour not asked yet; `wanted` goes first when able.

    When nobody is left, or all who are were asked enough, the request stands open, the
    coordinators are told, and None comes back. No other offer of the request may be pending.
    """
    able = candidates(session, request, now=now, wanted=wanted)
    if not able:
        request.state = RequestState.OPEN
        session.flush()
        spared = candidates(session, request, now=now, wanted=wanted, sparing=False)
        _tell_staff_nobody_is_left(session, request, len(spared), now)
        return None
    return make_offer(session, request, able[0], now=now)


def make_offer(
    session: Session, request: ServiceRequest, candidate: Candidate, *, now: datetime
) -> Offer:
    """Offers the request to this neighbour. No other offer of it may be pending."""
    offer = Offer(
        request=request,
        helper=candidate.helper,
        why=candidate.why,
        offered_at=now,
        expires_at=answer_until(request, now),
    )
    session.add(offer)
    request.state = RequestState.OFFERED
    session.flush()
    tell(
        session,
        MemberId(offer.helper_id),
        "offer_made",
        about=f"{offer.id}",
        now=now,
        offer_id=offer.id,
        elder=request.elder.name,
        kind=request.service_kind,
        starts_at=request.starts_at,
        minutes=request.minutes,
        place=place_of(request),
        why=offer.why,
        note=request.note,
    )
    return offer


def pass_on(session: Session, offer: Offer, ended_as: OfferState, *, now: datetime) -> Offer | None:
    """Ends a pending offer that brought no yes, asks the next neighbour and tells the elder
    whom, or that nobody is left (None)."""
    request = offer.request
    end_offer(session, offer, ended_as, now=now)
    following = ask_next(session, request, now=now)
    if following is None:
        tell_elder_nobody_is_left(session, request, now=now)
        return None
    tell(
        session,
        MemberId(request.elder_id),
        "request_passed_on",
        about=f"{offer.id}",
        now=now,
        kind=request.service_kind,
        previous=offer.helper.name,
        helper=following.helper.name,
    )
    return following


def end_offer(session: Session, offer: Offer, ended_as: OfferState, *, now: datetime) -> None:
    """Closes a pending offer; a helper who did not close it himself is told that it is gone."""
    offer.state = ended_as
    offer.answered_at = now
    session.flush()
    if ended_as is not OfferState.DECLINED:
        tell(
            session,
            MemberId(offer.helper_id),
            "offer_gone",
            about=f"{offer.id}",
            now=now,
            offer_id=offer.id,
            elder=offer.request.elder.name,
            kind=offer.request.service_kind,
        )


def tell_elder_nobody_is_left(session: Session, request: ServiceRequest, *, now: datetime) -> None:
    tell(
        session,
        MemberId(request.elder_id),
        "no_neighbour",
        about=_all_asked(session, request),
        now=now,
        kind=request.service_kind,
        starts_at=request.starts_at,
    )


def _tell_staff_nobody_is_left(
    session: Session, request: ServiceRequest, spared: int, now: datetime
) -> None:
    """`spared` neighbours could still be asked, but were asked enough."""
    tell_staff(
        session,
        "staff_neighbours_spared" if spared else "staff_no_neighbour",
        about=_all_asked(session, request),
        now=now,
        elder=request.elder.name,
        kind=request.service_kind,
        starts_at=request.starts_at,
        place=place_of(request),
    )


def _all_asked(session: Session, request: ServiceRequest) -> str:
    """Names the moment when nobody was left: it comes again after a change or a step back."""
    last = select(Offer.id).where(Offer.request_id == request.id).order_by(Offer.id.desc()).limit(1)
    last_asked = session.execute(last).scalar_one_or_none() or 0
    when = request.starts_at.isoformat()
    return f"{request.id}:{last_asked}:{request.service_kind.value}:{when}"
