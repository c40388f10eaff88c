"""The village's clock."""

from __future__ import annotations

from datetime import datetime, timezone
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
