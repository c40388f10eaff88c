"""Notices: what each person is to be told, queued in the transaction that made it true.

A channel takes what is queued for its member, says it, and marks it delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.errors import NotYours
from actions.timebank.ids import MemberId, NoticeId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import (
    Alert,
    Assignment,
    Broadcast,
    CheckIn,
    Notice,
    Offer,
    Reminder,
    ServiceRequest,
)
from actions.timebank.staff.states import (
    BroadcastState,
)
from actions.timebank.states import (
    AlertState,
    AssignmentState,
    CheckInState,
    NoticeState,
    OfferState,
    ReminderState,
    RequestState,
)

_NOT_OVER = frozenset({AlertState.RAISED, AlertState.TAKEN})
_TRUE_WHILE: Mapping[str, tuple[Any, str, frozenset[Enum]]] = {
    "offer_made": (Offer, "offer_id", frozenset({OfferState.PENDING})),
    "visit_tomorrow": (Assignment, "assignment_id", frozenset({AssignmentState.ACTIVE})),
    "helper_tomorrow": (Assignment, "assignment_id", frozenset({AssignmentState.ACTIVE})),
    "visit_soon": (ServiceRequest, "request_id", frozenset({RequestState.ASSIGNED})),
    "visit_late": (ServiceRequest, "request_id", frozenset({RequestState.ASSIGNED})),
    "reminder": (Reminder, "reminder_id", frozenset({ReminderState.TOLD})),
    "check_in": (CheckIn, "check_in_id", frozenset({CheckInState.ASKED})),
    "check_in_again": (CheckIn, "check_in_id", frozenset({CheckInState.ASKED})),
    "neighbour_alert": (Alert, "alert_id", frozenset({AlertState.RAISED})),
    "check_in_missed": (Alert, "alert_id", frozenset({AlertState.RAISED})),
    "alert_not_closed": (Alert, "alert_id", frozenset({AlertState.RAISED})),
    "alarm_nobody_yet": (Alert, "alert_id", frozenset({AlertState.RAISED})),
    "staff_alert_nobody": (Alert, "alert_id", frozenset({AlertState.RAISED})),
    "alert_all_well": (Alert, "alert_id", frozenset({AlertState.TAKEN})),
    "staff_alert": (Alert, "alert_id", _NOT_OVER),
    # Where she is is nobody's business any more when all is well.
    "alert_place": (Alert, "alert_id", _NOT_OVER),
    "broadcast": (
        Broadcast,
        "broadcast_id",
        frozenset({BroadcastState.SENDING, BroadcastState.SENT}),
    ),
}
"""Notices that are of use for a time only: what they are about, and in which states of it they are
still told."""


def queue(
    session: Session,
    *,
    recipient: MemberId,
    kind: str,
    facts: Mapping[str, object],
    dedupe_key: str,
    now: datetime,
) -> Notice:
    """Queues a notice for one person and returns it.

    The same `dedupe_key` again for the same person returns the first notice unchanged; several
    people may be told under one key. `facts` may hold strings, numbers, booleans, None, enums,
    aware datetimes, and lists and mappings of these. Raises ValueError for a naive datetime and
    TypeError for anything else.
    """
    key = f"{recipient}:{dedupe_key}"
    first = session.execute(select(Notice).where(Notice.dedupe_key == key)).scalar_one_or_none()
    if first is not None:
        return cast(Notice, first)
    notice = Notice(
        recipient_id=recipient, kind=kind, facts=_plain(facts), dedupe_key=key, created_at=now
    )
    session.add(notice)
    session.flush()
    return notice


def queued_for(session: Session, member: MemberId) -> list[Notice]:
    """What this person has not been told yet, in the order in which it happened."""
    queued = select(Notice).where(Notice.recipient_id == member, Notice.state == NoticeState.QUEUED)
    return list(session.execute(queued.order_by(Notice.id)).scalars())


def deliver(session: Session, *, notice_id: NoticeId, member: MemberId, now: datetime) -> Notice:
    """Marks a notice as told. The first time stands, however often this is called.

    Raises NotYours when the notice is another person's or does not exist: a stranger does not
    learn which.
    """
    notice = session.get(Notice, notice_id) if 0 < notice_id <= LARGEST_ID else None
    if notice is None or notice.recipient_id != member:
        raise NotYours(f"notice {notice_id} is not for member {member}")
    if notice.state is NoticeState.QUEUED:
        notice.state = NoticeState.DELIVERED
        notice.delivered_at = now
        session.flush()
    return cast(Notice, notice)


def still_true(session: Session, notice: Notice) -> bool:
    """Whether a notice may be told as it stands: an offer that went to somebody else is no
    question any more, nor is a reminder whose time is over, nor a call that was answered."""
    model, fact, states = _TRUE_WHILE.get(notice.kind, (None, "", frozenset()))
    if fact not in notice.facts:
        return True
    subject = session.get(model, notice.facts[fact])
    return subject is not None and subject.state in states


def _plain(value: Any) -> Any:
    """The same facts in what JSON can hold."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a naive datetime was given where an aware one is needed")
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"a notice cannot carry {type(value).__name__}")
