"""Moments as people say them, 今天 15:00, and days as they type them."""

from __future__ import annotations

from datetime import datetime, time
from typing import Callable, Optional

from actions.timebank.clock import VILLAGE_ZONE
from bot.console.desk import Desk

DAYS = {-1: "昨天 {clock}", 0: "今天 {clock}", 1: "明天 {clock}", 2: "后天 {clock}"}


def near(desk: Desk) -> Callable[[datetime], str]:
    """Tells a moment as seen from now; what is farther away with its whole date."""
    today = desk.now.astimezone(VILLAGE_ZONE).date()

    def told(moment: datetime) -> str:
        days = (moment.astimezone(VILLAGE_ZONE).date() - today).days
        if days in DAYS:
            return desk.say(DAYS[days], clock=desk.words.clock(moment))
        return desk.words.moment(moment)

    return told


def midnight_of(day: str) -> Optional[datetime]:
    """When a day that was typed, 2026-11-24, begins in the village; None for no day."""
    try:
        read = datetime.strptime(day.strip(), "%Y-%m-%d").date()
    except ValueError:
        return None
    return datetime.combine(read, time(), VILLAGE_ZONE)
