"""Visits that were promised and are near: who is told of them, and when.

Each is told once: for another hour there is another promise.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.clock import VILLAGE_ZONE, village_day
from actions.timebank.ids import MemberId
from actions.timebank.lookups import place_of
from actions.timebank.model import Assignment, ServiceRequest, Visit
from actions.timebank.notices import tell
from actions.timebank.quiet_hours import QUIET_FROM
from actions.timebank.states import AssignmentState, RequestState

EVENING_BEFORE = time(18, 30)
"""After supper, before sleep: tomorrow's visits are told."""
SOON = timedelta(hours=1)
LATE = timedelta(minutes=15)
"""So long after the hour it is asked where the helper stays."""
LATE_IS_OVER = timedelta(hours=2)
"""Later the question is of no use: elder and staff find out what happened."""
STILL_FRESH = timedelta(hours=1)
"""A promise made so shortly before is in mind without being told again."""


def ahead(session: Session, helper: MemberId, *, now: datetime) -> list[Assignment]:
    """What this helper is doing, and still has to do today and tomorrow, in order; when there is
    nothing of that, the next one to come."""
    promised = (
        select(Assignment)
        .join(Assignment.request)
        .where(
            Assignment.helper_id == helper,
            Assignment.state == AssignmentState.ACTIVE,
            ServiceRequest.state.in_((RequestState.ASSIGNED, RequestState.IN_PROGRESS)),
        )
        .options(joinedload(Assignment.request).joinedload(ServiceRequest.elder))
        .order_by(ServiceRequest.starts_at, Assignment.id)
    )
    every = list(session.execute(promised).scalars())
    near = [one for one in every if one.request.starts_at < village_day(now, days=2)]
    return near or every[:1]


def tell_of_coming(session: Session, *, now: datetime) -> None:
    """Tells helpers and elders of tomorrow's visits, helpers of those within the hour, and asks
    after those that nobody began. Twice in a row does nothing more."""
    _tell_of_tomorrow(session, now)
    _tell_of_soon(session, now)
    _ask_who_is_late(session, now)


def _tell_of_tomorrow(session: Session, now: datetime) -> None:
    here = now.astimezone(VILLAGE_ZONE)
    if not EVENING_BEFORE <= here.time() < QUIET_FROM:
        return
    evening = datetime.combine(here, EVENING_BEFORE, VILLAGE_ZONE)
    for promise in _not_begun(session, village_day(now, days=1), village_day(now, days=2)):
        if promise.accepted_at <= evening - STILL_FRESH:
            _tell(session, promise, promise.helper_id, "visit_tomorrow", now)
            _tell(session, promise, promise.request.elder_id, "helper_tomorrow", now)


def _tell_of_soon(session: Session, now: datetime) -> None:
    for promise in _not_begun(session, now, now + SOON):
        if promise.accepted_at <= promise.request.starts_at - SOON - STILL_FRESH:
            _tell(session, promise, promise.helper_id, "visit_soon", now)


def _ask_who_is_late(session: Session, now: datetime) -> None:
    """Not who promised only now what was for now: he is on the way."""
    for promise in _not_begun(session, now - LATE_IS_OVER, now - LATE):
        if promise.accepted_at <= now - LATE:
            _tell(session, promise, promise.helper_id, "visit_late", now)


def _not_begun(session: Session, after: datetime, until: datetime) -> list[Assignment]:
    """Promises for these hours, the first included and the last not, of which neither side has
    said that the helper came."""
    promised = (
        select(Assignment)
        .join(Assignment.request)
        .outerjoin(Visit, Visit.assignment_id == Assignment.id)
        .where(
            Assignment.state == AssignmentState.ACTIVE,
            ServiceRequest.state == RequestState.ASSIGNED,
            ServiceRequest.starts_at >= after,
            ServiceRequest.starts_at < until,
            Visit.id.is_(None),
        )
        .order_by(ServiceRequest.starts_at, Assignment.id)
    )
    return list(session.execute(promised).scalars())


def _tell(session: Session, promise: Assignment, whom: int, kind: str, now: datetime) -> None:
    request = promise.request
    tell(
        session,
        MemberId(whom),
        kind,
        about=f"{promise.id}",
        now=now,
        assignment_id=promise.id,
        offer_id=promise.offer_id,
        request_id=request.id,
        elder=request.elder.name,
        helper=promise.helper.name,
        kind=request.service_kind,
        starts_at=request.starts_at,
        minutes=request.minutes,
        place=place_of(request),
    )
