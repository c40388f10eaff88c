"""What became of one request, for the staff: who was asked, who came, what each side said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.errors import NothingOpen
from actions.timebank.ids import RequestId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import (
    Assignment,
    Confirmation,
    Dispute,
    InPersonDeed,
    Offer,
    ServiceRequest,
    Visit,
)


@dataclass(frozen=True)
class Story:
    request: ServiceRequest
    offers: list[Offer]
    """Everybody who was asked, in that order."""
    promise: Assignment | None
    """Who comes or came last; also one who was released."""
    visit: Visit | None
    statements: list[Confirmation]
    disputes: list[Dispute]
    in_person: list[InPersonDeed]
    """What was said at the counter, oldest first."""

    def written_by(self, turn_id: str) -> str:
        """Who of the staff wrote this turn down; empty when it was said to 小帮."""
        return next((str(one.staff.name) for one in self.in_person if one.turn_id == turn_id), "")


def story(session: Session, request_id: RequestId) -> Story:
    """Raises NothingOpen when there is no such request."""
    request = session.get(ServiceRequest, request_id) if 0 < request_id <= LARGEST_ID else None
    if request is None:
        raise NothingOpen(f"no request {request_id}")
    offers = select(Offer).where(Offer.request_id == request_id).options(joinedload(Offer.helper))
    last = (
        select(Assignment)
        .where(Assignment.request_id == request_id)
        .options(joinedload(Assignment.helper))
        .order_by(Assignment.id.desc())
        .limit(1)
    )
    promise = cast("Assignment | None", session.execute(last).scalar_one_or_none())
    visit = promise.visit if promise is not None else None
    disputed = select(Dispute).where(Dispute.request_id == request_id).order_by(Dispute.id)
    written = (
        select(InPersonDeed)
        .where(InPersonDeed.request_id == request_id)
        .options(joinedload(InPersonDeed.staff), joinedload(InPersonDeed.turn))
        .order_by(InPersonDeed.done_at, InPersonDeed.turn_id)
    )
    return Story(
        request=request,
        offers=list(session.execute(offers.order_by(Offer.id)).scalars()),
        promise=promise,
        visit=visit,
        statements=list(visit.confirmations) if visit is not None else [],
        disputes=list(session.execute(disputed).scalars()),
        in_person=list(session.execute(written).scalars()),
    )
