"""All that stands open in the village at this moment, in the order of its need.

A page asks for it every few seconds: each list is one query over what is open, however long the
village's history is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, select
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.model import Delivery, Member, Notice, Turn
from actions.timebank.staff.standing import (
    Need,
    OpenAlarm,
    OpenDispute,
    OpenRequest,
    open_alarms,
    open_disputes,
    open_requests,
)
from actions.timebank.states import DeliveryState, NoticeState, TurnOutcome

LATELY = timedelta(days=3)
"""Wishes, warnings and what could not be told are shown so long."""
FAILED_WITHIN = timedelta(hours=24)
WISHES = (
    "staff_call_back",
    "staff_wellbeing",
    "staff_low_rating",
    "staff_reminder_unanswered",
    "staff_unreachable",
)
"""What 小帮 told the staff and only a person can see to."""
FAILED = (TurnOutcome.REPAIRED, TurnOutcome.REFUSED, TurnOutcome.FAILED)
MOST_NOTES = 50


@dataclass(frozen=True)
class Note:
    """Something that the staff were told of, once for all of them."""

    kind: str
    facts: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class Warning:
    """A member said words that swindlers use."""

    member_id: MemberId
    member: str
    turn_id: str
    at: datetime


@dataclass(frozen=True)
class Untold:
    """Somebody whose messages reach no telephone."""

    member_id: MemberId
    member: str
    count: int
    since: datetime


@dataclass(frozen=True)
class Today:
    at: datetime
    alarms: list[OpenAlarm]
    disputes: list[OpenDispute]
    requests: list[OpenRequest]
    notes: list[Note]
    warnings: list[Warning]
    untold: list[Untold]
    failed: int
    """Turns of the last `FAILED_WITHIN` after which nobody was helped."""

    def standing(self, *needs: Need) -> list[OpenRequest]:
        return [one for one in self.requests if one.need in needs]

    @property
    def urgent(self) -> int:
        """How many things wait for a person now."""
        overdue = [one for one in self.disputes if one.due_at <= self.at]
        pressing = self.standing(Need.LATE, Need.UNCONFIRMED, Need.NOBODY)
        return len(self.alarms) + len(overdue) + len(pressing)


def look(session: Session, *, now: datetime) -> Today:
    """Everything that stands open, each list by need and then by when it is due."""
    return Today(
        at=now,
        alarms=open_alarms(session),
        disputes=open_disputes(session),
        requests=open_requests(session, now=now),
        notes=_notes(session, now),
        warnings=_warnings(session, now),
        untold=_untold(session, now),
        failed=_failed(session, now),
    )


def _notes(session: Session, now: datetime) -> list[Note]:
    """Each coordinator was told; they are one note."""
    told = (
        select(Notice.kind, Notice.facts, Notice.dedupe_key, Notice.created_at)
        .where(Notice.kind.in_(WISHES), Notice.created_at > now - LATELY)
        .order_by(Notice.id.desc())
        .limit(MOST_NOTES * 4)
    )
    found: dict[str, Note] = {}
    for kind, facts, key, at in session.execute(told):
        _, _, about = key.partition(":")
        found.setdefault(about, Note(kind, dict(facts), at))
    order = {kind: place for place, kind in enumerate(WISHES)}
    notes = sorted(found.values(), key=lambda one: (order[one.kind], -one.at.timestamp()))
    return notes[:MOST_NOTES]


def _warnings(session: Session, now: datetime) -> list[Warning]:
    said = (
        select(Turn.id, Turn.member_id, Turn.began_at, Member.name)
        .join(Member, Member.id == Turn.member_id)
        .where(
            Turn.began_at > now - LATELY,
            cast_to(Turn.entities, String).like('%"swindle"%'),
        )
        .order_by(Turn.began_at.desc())
        .limit(MOST_NOTES)
    )
    return [
        Warning(MemberId(row.member_id), row.name, row.id, row.began_at)
        for row in session.execute(said)
    ]


def _untold(session: Session, now: datetime) -> list[Untold]:
    """A message that was heard elsewhere meanwhile is no longer missing."""
    since = now - LATELY
    stuck = select(Delivery.notice_id).where(
        Delivery.state.in_((DeliveryState.GIVEN_UP, DeliveryState.BLOCKED)),
        # Nothing is due before it is made; so few are left that the rest is found by number.
        Delivery.due_at > since,
    )
    missing = (
        select(Notice.recipient_id, Member.name, Notice.created_at)
        .join(Member, Member.id == Notice.recipient_id)
        .where(
            Notice.id.in_(session.execute(stuck).scalars().all()),
            Notice.state == NoticeState.QUEUED,
            Notice.created_at > since,
        )
        .order_by(Notice.created_at)
    )
    found: dict[MemberId, Untold] = {}
    for row in session.execute(missing):
        member = MemberId(row.recipient_id)
        known = found.get(member, Untold(member, row.name, 0, row.created_at))
        found[member] = replace(known, count=known.count + 1)
    return list(found.values())


def _failed(session: Session, now: datetime) -> int:
    # Counted here: the database would rather read all failures of all years.
    today = select(Turn.outcome).where(Turn.began_at > now - FAILED_WITHIN)
    return sum(outcome in FAILED for outcome in session.execute(today).scalars())
