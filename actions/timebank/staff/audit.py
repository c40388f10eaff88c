"""The record of what staff did and looked at. It is only ever added to, and members can ask."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.ids import MemberId
from actions.timebank.model import StaffDeed
from actions.timebank.staff.states import (
    Viewed,
)

LOOKED_AT = "looked_at"
LONGEST_SUBJECT = 200


def record(
    session: Session,
    *,
    by: MemberId,
    deed: str,
    now: datetime,
    about: MemberId | None = None,
    subject: str = "",
) -> StaffDeed:
    """Something was done; to be called in the transaction of the deed itself."""
    return _add(session, by=by, deed=deed, about=about, subject=subject, now=now)


def saw(
    session: Session, *, by: MemberId, what: Viewed, about: MemberId, subject: str, now: datetime
) -> StaffDeed:
    """Something of a member was looked at or listened to."""
    return _add(session, by=by, deed=LOOKED_AT, viewed=what, about=about, subject=subject, now=now)


def who_looked(
    session: Session, member: MemberId, *, limit: int, kinds: Collection[Viewed] = tuple(Viewed)
) -> list[StaffDeed]:
    """The last times that others looked at what is this member's, newest first."""
    looks = (
        select(StaffDeed)
        .where(StaffDeed.about_id == member, StaffDeed.viewed.in_(kinds), StaffDeed.by_id != member)
        .options(joinedload(StaffDeed.by))
        .order_by(StaffDeed.done_at.desc(), StaffDeed.id.desc())
        .limit(limit)
    )
    return list(session.execute(looks).scalars())


def deeds(
    session: Session,
    *,
    limit: int,
    by: MemberId | None = None,
    about: MemberId | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
) -> list[StaffDeed]:
    """The newest of what was done and seen, for the administrator; `before_id` pages on."""
    wanted = select(StaffDeed).options(joinedload(StaffDeed.by), joinedload(StaffDeed.about))
    for value, condition in (
        (by, StaffDeed.by_id == by),
        (about, StaffDeed.about_id == about),
        (since, StaffDeed.done_at >= since if since else None),
        (until, StaffDeed.done_at < until if until else None),
        (before_id, StaffDeed.id < before_id if before_id else None),
    ):
        if value is not None:
            wanted = wanted.where(condition)
    return list(session.execute(wanted.order_by(StaffDeed.id.desc()).limit(limit)).scalars())


def _add(
    session: Session,
    *,
    by: MemberId,
    deed: str,
    about: MemberId | None,
    subject: str,
    now: datetime,
    viewed: Viewed | None = None,
) -> StaffDeed:
    row = StaffDeed(
        by_id=by,
        deed=deed[:80],
        viewed=viewed,
        about_id=about,
        subject=subject[:LONGEST_SUBJECT],
        done_at=now,
    )
    session.add(row)
    session.flush()
    return row
