"""Requests, alarms and disputes that are not over, each list by one query over what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, cast

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from actions.timebank.alarm_chain import CLOSED_WITHIN
from actions.timebank.coming_visits import LATE
from actions.timebank.deadlines import NEVER_STARTED, UNCONFIRMED
from actions.timebank.ids import AlertId, DisputeId, MemberId, RequestId
from actions.timebank.model import (
    Alert,
    Assignment,
    Confirmation,
    Dispute,
    Lane,
    Member,
    Offer,
    ServiceRequest,
    Visit,
)
from actions.timebank.queries import STILL_OPEN
from actions.timebank.states import (
    AlertKind,
    AlertState,
    AssignmentState,
    DisputeKind,
    DisputeState,
    OfferState,
    Party,
    RequestState,
    ServiceKind,
)


class Need(str, Enum):
    """Where a request stands, as the staff see it; what needs them most comes first."""

    LATE = "late"
    """Promised, its time has come, and nobody says that the helper is there."""
    UNCONFIRMED = "unconfirmed"
    """Claimed more than a day ago; the elder has not said yes or no."""
    NOBODY = "nobody"
    """No neighbour is being asked."""
    ASKED = "asked"
    """A neighbour thinks it over."""
    UNDER_WAY = "under_way"
    CLAIMED = "claimed"
    """The elder is to say yes, and has time to."""
    COMING = "coming"


@dataclass(frozen=True)
class OpenRequest:
    """One request that is not over."""

    id: RequestId
    need: Need
    state: RequestState
    kind: ServiceKind
    elder_id: MemberId
    elder: str
    lane: str
    starts_at: datetime
    minutes: int
    helper_id: MemberId | None
    helper: str | None
    """Who promised, or is being asked."""
    due_at: datetime
    """When something happens by itself, or should have: see `due_of`."""
    checked_in_at: datetime | None
    claimed: int | None
    """Minutes in the helper's words."""


@dataclass(frozen=True)
class OpenAlarm:
    id: AlertId
    kind: AlertKind
    state: AlertState
    member_id: MemberId
    member: str
    lane: str
    place: str
    words: str
    raised_at: datetime
    taken_by: str | None
    due_at: datetime
    """Raised: at once. Taken: when the others are called again."""


@dataclass(frozen=True)
class OpenDispute:
    id: DisputeId
    kind: DisputeKind
    person: str
    """The elder, or whoever complains."""
    words: str
    claimed: int | None
    confirmed: int | None
    opened_at: datetime
    due_at: datetime
    service_kind: ServiceKind | None


def open_requests(session: Session, *, now: datetime) -> list[OpenRequest]:
    """What is asked for, promised, going on or to be confirmed."""
    elder, asked, coming = aliased(Member), aliased(Member), aliased(Member)
    claim = and_(Confirmation.visit_id == Visit.id, Confirmation.party == Party.HELPER)
    rows = session.execute(
        select(
            ServiceRequest.id,
            ServiceRequest.state,
            ServiceRequest.service_kind,
            ServiceRequest.elder_id,
            ServiceRequest.starts_at,
            ServiceRequest.minutes,
            elder.name.label("elder"),
            Lane.name.label("lane"),
            asked.id.label("asked_id"),
            asked.name.label("asked"),
            Offer.expires_at,
            coming.id.label("coming_id"),
            coming.name.label("coming"),
            Visit.checked_in_at,
            Visit.checked_out_at,
            Confirmation.minutes.label("claimed"),
        )
        .join(elder, elder.id == ServiceRequest.elder_id)
        .join(Lane, Lane.id == elder.lane_id)
        .outerjoin(
            Offer,
            and_(Offer.request_id == ServiceRequest.id, Offer.state == OfferState.PENDING),
        )
        .outerjoin(asked, asked.id == Offer.helper_id)
        .outerjoin(
            Assignment,
            and_(
                Assignment.request_id == ServiceRequest.id,
                Assignment.state == AssignmentState.ACTIVE,
            ),
        )
        .outerjoin(coming, coming.id == Assignment.helper_id)
        .outerjoin(Visit, Visit.assignment_id == Assignment.id)
        .outerjoin(Confirmation, claim)
        .where(ServiceRequest.state.in_(STILL_OPEN))
    )
    found = [_open_request(row, now) for row in rows]
    order = list(Need)
    return sorted(found, key=lambda one: (order.index(one.need), one.due_at, one.id))


def _open_request(row: Any, now: datetime) -> OpenRequest:
    need = _need(row, now)
    return OpenRequest(
        id=RequestId(row.id),
        need=need,
        state=row.state,
        kind=row.service_kind,
        elder_id=MemberId(row.elder_id),
        elder=row.elder,
        lane=row.lane,
        starts_at=row.starts_at,
        minutes=row.minutes,
        helper_id=row.coming_id or row.asked_id,
        helper=row.coming or row.asked,
        due_at=_due_at(need, row),
        checked_in_at=row.checked_in_at,
        claimed=row.claimed,
    )


def _need(row: Any, now: datetime) -> Need:
    if row.state is RequestState.ASSIGNED:
        return Need.LATE if row.starts_at + LATE <= now else Need.COMING
    if row.state is RequestState.IN_PROGRESS:
        return Need.UNDER_WAY
    if row.state is RequestState.CLAIMED:
        is_old = row.checked_out_at is not None and row.checked_out_at + UNCONFIRMED <= now
        return Need.UNCONFIRMED if is_old else Need.CLAIMED
    return Need.NOBODY if row.asked_id is None else Need.ASKED


def _due_at(need: Need, row: Any) -> datetime:
    due: dict[Need, datetime] = {
        Need.LATE: row.starts_at + NEVER_STARTED,
        Need.ASKED: row.expires_at,
        Need.UNDER_WAY: (row.checked_in_at or row.starts_at) + timedelta(minutes=row.minutes),
    }
    if need in (Need.UNCONFIRMED, Need.CLAIMED):
        return cast(datetime, (row.checked_out_at or row.starts_at) + UNCONFIRMED)
    return due.get(need) or cast(datetime, row.starts_at)


def open_alarms(session: Session) -> list[OpenAlarm]:
    """Untaken ones first, emergencies before missed check-ins, the newest first."""
    taker = aliased(Member)
    rows = session.execute(
        select(
            Alert,
            Member.name,
            Member.place,
            Lane.name.label("lane"),
            taker.name.label("taker"),
        )
        .join(Member, Member.id == Alert.member_id)
        .join(Lane, Lane.id == Member.lane_id)
        .outerjoin(taker, taker.id == Alert.taken_by_id)
        .where(Alert.state != AlertState.CLOSED)
    ).all()
    found = [
        OpenAlarm(
            id=AlertId(row.Alert.id),
            kind=row.Alert.kind,
            state=row.Alert.state,
            member_id=MemberId(row.Alert.member_id),
            member=row.name,
            lane=row.lane,
            place=row.place,
            words=row.Alert.words,
            raised_at=row.Alert.raised_at,
            taken_by=row.taker,
            due_at=_alarm_due(row.Alert),
        )
        for row in rows
    ]
    return sorted(
        found,
        key=lambda one: (
            one.state is not AlertState.RAISED,
            one.kind is not AlertKind.EMERGENCY,
            -one.raised_at.timestamp(),
        ),
    )


def _alarm_due(alert: Alert) -> datetime:
    if alert.state is AlertState.TAKEN and alert.taken_at is not None:
        return cast(datetime, alert.taken_at + CLOSED_WITHIN[alert.kind])
    return cast(datetime, alert.raised_at)


def open_disputes(session: Session) -> list[OpenDispute]:
    """The one whose time is over soonest comes first."""
    opener, elder = aliased(Member), aliased(Member)
    rows = session.execute(
        select(
            Dispute,
            func.coalesce(elder.name, opener.name).label("person"),
            ServiceRequest.service_kind,
        )
        .join(opener, opener.id == Dispute.opened_by_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == Dispute.request_id)
        .outerjoin(elder, elder.id == ServiceRequest.elder_id)
        .where(Dispute.state == DisputeState.OPEN)
        .order_by(Dispute.due_at, Dispute.id)
    )
    return [
        OpenDispute(
            id=DisputeId(row.Dispute.id),
            kind=row.Dispute.kind,
            person=row.person,
            words=row.Dispute.words,
            claimed=row.Dispute.claimed_minutes,
            confirmed=row.Dispute.confirmed_minutes,
            opened_at=row.Dispute.opened_at,
            due_at=row.Dispute.due_at,
            service_kind=row.service_kind,
        )
        for row in rows
    ]
