"""What must have ended before a double can leave: whatever somebody waits for from one of the
two, because who it is must not change under their hands."""

from __future__ import annotations

from enum import Enum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.model import (
    Account,
    AlarmQuestion,
    AlarmStep,
    Alert,
    Assignment,
    CheckIn,
    Delivery,
    Dispute,
    Hold,
    Member,
    Offer,
    ServiceRequest,
)
from actions.timebank.staff.accounts import staff_of
from actions.timebank.states import (
    AlertState,
    AssignmentState,
    CheckInState,
    DeliveryState,
    DisputeState,
    HoldState,
    OfferState,
    RequestState,
)

ENDED = (RequestState.CONFIRMED, RequestState.CANCELLED, RequestState.EXPIRED)


class Obstacle(str, Enum):
    REQUEST = "request"
    """She, or somebody for whom he asked, waits for help."""
    OFFER = "offer"
    ASSIGNMENT = "assignment"
    HOLD = "hold"
    DISPUTE = "dispute"
    ALARM = "alarm"
    """Hers, taken by him, or one that he was called to."""
    ALARM_QUESTION = "alarm_question"
    CHECK_IN = "check_in"
    """She was asked how she is and has not answered."""
    DELIVERY = "delivery"
    """A message is on its way this minute."""
    STAFF = "staff"
    """He is of the village staff as the double only, or has an account as such."""


def obstacles(session: Session, double: Member, kept: Member) -> list[Obstacle]:
    """All that stands in the way of the double leaving for the kept one."""
    me = MemberId(double.id)
    held = select(Hold.id).join(Account, Account.id == Hold.account_id)
    hers = ServiceRequest.elder_id == me, ServiceRequest.requested_by_id == me
    about_her = select(Dispute.id).outerjoin(ServiceRequest).where(or_(*hers), _is_open_dispute())
    open_rows: dict[Obstacle, list[Any]] = {
        Obstacle.REQUEST: [
            select(ServiceRequest.id).where(or_(*hers), ServiceRequest.state.not_in(ENDED))
        ],
        Obstacle.OFFER: [
            select(Offer.id).where(Offer.helper_id == me, Offer.state == OfferState.PENDING)
        ],
        Obstacle.ASSIGNMENT: [
            select(Assignment.id).where(
                Assignment.helper_id == me, Assignment.state == AssignmentState.ACTIVE
            )
        ],
        Obstacle.HOLD: [held.where(Account.member_id == me, Hold.state == HoldState.PENDING)],
        Obstacle.DISPUTE: [
            about_her,
            select(Dispute.id).where(Dispute.opened_by_id == me, _is_open_dispute()),
        ],
        Obstacle.ALARM: [
            select(Alert.id).where(
                or_(Alert.member_id == me, Alert.taken_by_id == me),
                Alert.state != AlertState.CLOSED,
            )
        ],
        Obstacle.ALARM_QUESTION: [
            select(AlarmQuestion.turn_id).where(
                AlarmQuestion.member_id == me, AlarmQuestion.settled_at.is_(None)
            )
        ],
        Obstacle.CHECK_IN: [
            select(CheckIn.id).where(CheckIn.member_id == me, CheckIn.state == CheckInState.ASKED)
        ],
        Obstacle.DELIVERY: [
            select(Delivery.id).where(
                Delivery.member_id == me, Delivery.state == DeliveryState.SENDING
            )
        ],
    }
    found = {
        what
        for what, queries in open_rows.items()
        if any(session.execute(query.limit(1)).first() is not None for query in queries)
    }
    if _called_to_an_alarm(session, me):
        found.add(Obstacle.ALARM)
    works_here = double.is_coordinator and not kept.is_coordinator
    if works_here or staff_of(session, me) is not None:
        found.add(Obstacle.STAFF)
    return [what for what in Obstacle if what in found]


def _is_open_dispute() -> Any:
    return Dispute.state == DisputeState.OPEN


def _called_to_an_alarm(session: Session, member: MemberId) -> bool:
    called = (
        select(AlarmStep.people)
        .join(Alert, Alert.id == AlarmStep.alert_id)
        .where(Alert.state != AlertState.CLOSED)
    )
    return any(member in people for people in session.execute(called).scalars())
