"""What staff do about a request or an alarm themselves: whom to ask next, who goes there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import alerts
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import AlertId, MemberId, RequestId
from actions.timebank.lookups import refuse_unless, request_by_id
from actions.timebank.matching import Candidate, Reason, candidates
from actions.timebank.model import Alert, Offer, ServiceRequest
from actions.timebank.notices import tell
from actions.timebank.offers import end_offer, make_offer
from actions.timebank.queries import pending_offer_of
from actions.timebank.staff.accounts import not_for_self, require
from actions.timebank.staff.roles import Permission
from actions.timebank.states import AlertState, OfferState, RequestState


def neighbours_for(
    session: Session, request: ServiceRequest, *, now: datetime
) -> tuple[list[Candidate], list[Candidate]]:
    """Who could be asked for an open request, best first: those whom 小帮 would ask itself, and
    those besides who were asked enough of late, or for this very request before."""
    if request.state not in (RequestState.OPEN, RequestState.OFFERED):
        return [], []
    by_itself = candidates(session, request, now=now)
    known = {one.helper.id for one in by_itself}
    everybody = candidates(session, request, now=now, sparing=False, again=True)
    return by_itself, [one for one in everybody if one.helper.id not in known]


def ask(
    session: Session, *, by: MemberId, request_id: RequestId, helper: MemberId, now: datetime
) -> Offer:
    """Staff choose whom to ask: whoever was asked until now hears that it is gone, the elder who
    is asked. The same neighbour again changes nothing while he thinks it over.

    Raises NotYours without the permission, NotForSelf for the staff's own request, NothingOpen
    for an unknown request or somebody who cannot be asked, WrongState once somebody agreed."""
    require(session, by, Permission.HANDLE_VISITS, now=now)
    request = request_by_id(session, request_id)
    not_for_self(by, [MemberId(request.elder_id)])
    refuse_unless(request, RequestState.OPEN, RequestState.OFFERED)
    waiting = pending_offer_of(session, request_id)
    if waiting is not None and waiting.helper_id == helper:
        return waiting
    able = candidates(session, request, now=now, wanted=helper, sparing=False, again=True)
    chosen = next((one for one in able if one.helper.id == helper), None)
    if chosen is None:
        raise NothingOpen(f"member {helper} cannot be asked for request {request_id}")
    if waiting is not None:
        end_offer(session, waiting, OfferState.WITHDRAWN, now=now)
    # The staff chose him, not she: nobody is told that she asked for him by name.
    reasons: list[Reason] = [one for one in chosen.reasons if one is not Reason.ASKED_FOR]
    chosen = replace(chosen, reasons=reasons)
    offer = make_offer(session, request, chosen, now=now)
    tell(
        session,
        MemberId(request.elder_id),
        "request_asked_again",
        about=f"{offer.id}",
        now=now,
        kind=request.service_kind,
        helper=offer.helper.name,
    )
    return offer


def take_alarm(session: Session, *, by: MemberId, alert_id: AlertId, now: datetime) -> Alert:
    """One of the staff goes there, or sees to it that somebody does, called or not. Raises
    NotYours without the permission and for one's own alarm, and what `alerts.take_alert` raises:
    WrongState with `by` when another took it first."""
    require(session, by, Permission.HANDLE_VISITS, now=now)
    return alerts.take_alert(session, alert_id=alert_id, by=by, now=now, is_staff=True)


def close_alarm(
    session: Session, *, by: MemberId, alert_id: AlertId, now: datetime, in_hospital: bool = False
) -> Alert:
    """All is well, or she is in hospital. Raises NotYours without the permission, NotForSelf for
    one's own alarm, NothingOpen."""
    require(session, by, Permission.HANDLE_VISITS, now=now)
    alert = session.get(Alert, alert_id) if 0 < alert_id < 2**31 else None
    if alert is None:
        raise NothingOpen(f"no alert {alert_id}")
    not_for_self(by, [MemberId(alert.member_id)])
    return alerts.close_alert(
        session, alert_id=alert_id, by=by, now=now, in_hospital=in_hospital, is_staff=True
    )


def closed_alarms(session: Session, *, limit: int) -> list[Alert]:
    """The last ones that ended, newest first."""
    last = (
        select(Alert)
        .where(Alert.state == AlertState.CLOSED)
        .options(joinedload(Alert.member), joinedload(Alert.taken_by))
        .order_by(Alert.closed_at.desc(), Alert.id.desc())
        .limit(limit)
    )
    return list(session.execute(last).scalars())
