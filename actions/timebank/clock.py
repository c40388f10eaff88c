"""The village's clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import Optional
from zoneinfo import ZoneInfo

from actions.timebank.session import Clock

VILLAGE_ZONE = ZoneInfo("Asia/Shanghai")


def clock_at(standing_still: Optional[str]) -> Clock:
    """The real clock, or one that stands at the given ISO time (demos and tests).

    A time without a zone is the village's. Raises ValueError when it is no ISO time."""
    if not standing_still:
        return lambda: datetime.now(timezone.utc)
    moment = datetime.fromisoformat(standing_still.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=VILLAGE_ZONE)
    return lambda: moment


def village_day(now: datetime, at: time = time.min, *, days: int = 0) -> datetime:
    """That hour of the village's day, so many days from now; its midnight unless told."""
    day = now.astimezone(VILLAGE_ZONE).date() + timedelta(days=days)
    return datetime.combine(day, at, VILLAGE_ZONE)
