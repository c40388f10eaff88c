"""When helpers have promised to be somewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.errors import AlreadyPromised
from actions.timebank.ids import MemberId
from actions.timebank.model import Assignment, Member, Offer, ServiceRequest
from actions.timebank.states import AssignmentState, RequestState, ServiceKind

LONGEST_VISIT = timedelta(days=1)
"""No request lasts longer, so one that began earlier cannot still be going on."""


def check_free(session: Session, offer: Offer) -> None:
    """Raises AlreadyPromised when the helper is to be elsewhere then; urgent help goes before.

    The helper's row is the lock: two promises of his for one time are made one by one."""
    if offer.request.service_kind is ServiceKind.URGENT_HELP:
        return
    helper = MemberId(offer.helper_id)
    session.get(Member, helper, populate_existing=True, with_for_update=True)
    for promise in at_the_same_time(session, [helper], offer.request):
        elder, starts_at = promise.request.elder.name, promise.request.starts_at
        raise AlreadyPromised(f"member {helper} is busy", elder=elder, starts_at=starts_at)


def at_the_same_time(
    session: Session, helpers: Iterable[MemberId], request: ServiceRequest
) -> list[Assignment]:
    """What these helpers have promised for a time that this request would take too, soonest
    first. What is claimed as done takes no time any more."""
    ends_at = request.starts_at + timedelta(minutes=request.minutes)
    promised = (
        select(Assignment)
        .join(Assignment.request)
        .where(
            Assignment.state == AssignmentState.ACTIVE,
            Assignment.helper_id.in_(set(helpers)),
            ServiceRequest.state.in_((RequestState.ASSIGNED, RequestState.IN_PROGRESS)),
            ServiceRequest.id != request.id,
            ServiceRequest.starts_at < ends_at,
            ServiceRequest.starts_at > request.starts_at - LONGEST_VISIT,
        )
        .options(joinedload(Assignment.request))
        .order_by(ServiceRequest.starts_at, Assignment.id)
    )
    return [
        one
        for one in session.execute(promised).scalars()
        if one.request.starts_at + timedelta(minutes=one.request.minutes) > request.starts_at
    ]
