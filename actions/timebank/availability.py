"""The times of the week at which helpers said to have time for others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import MemberId
from actions.timebank.model import Availability
from actions.timebank.states import DayPart

WeeklyTime = tuple[int, DayPart]
"""A weekday, 0 for Monday, and a part of it."""

NOON, EVENING_FROM = 12, 18
"""Hours by the village's clock."""


def weekly_time(at: datetime) -> WeeklyTime:
    """When in the village's week a moment is."""
    local = at.astimezone(VILLAGE_ZONE)
    if local.hour < NOON:
        return local.weekday(), DayPart.MORNING
    return local.weekday(), DayPart.AFTERNOON if local.hour < EVENING_FROM else DayPart.EVENING


def add(session: Session, member: MemberId, times: Iterable[WeeklyTime]) -> None:
    """Keeps times beside those from before. Raises ValueError for a day that no week has."""
    known = named_times(session, {member}).get(member, set())
    for weekday, part in sorted(set(times) - known):
        if not 0 <= weekday <= 6:
            raise ValueError(f"weekday {weekday}")
        session.add(Availability(member_id=member, weekday=weekday, part=part))
    session.flush()


def named_times(session: Session, ids: Iterable[MemberId]) -> dict[MemberId, set[WeeklyTime]]:
    """The times of each of these members who named any."""
    rows = session.execute(
        select(Availability.member_id, Availability.weekday, Availability.part).where(
            Availability.member_id.in_(set(ids))
        )
    )
    times: dict[MemberId, set[WeeklyTime]] = {}
    for member, weekday, part in rows:
        times.setdefault(MemberId(member), set()).add((weekday, part))
    return times
