"""The hours in which the village sleeps, and what may wake it all the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.states import ServiceKind

QUIET_FROM = time(21, 0)
QUIET_UNTIL = time(6, 30)

URGENT_KINDS = frozenset(
    {
        "staff_alert",
        "staff_alert_nobody",
        "neighbour_alert",
        "alert_all_well",
        "alert_closed",
        "alert_hospital",
        "alert_not_closed",
        "alert_place",
        "alert_taken",
        "alert_taken_by_other",
        "alert_taker_cannot",
        "alarm_for_silence",
        "alarm_nobody_yet",
        "alarm_reached_nobody",
        "check_in_answered",
        "check_in_missed",
        "check_in_taken",
    }
)
"""Notices of danger, and of its end: they wake people."""

OWN_TIME = frozenset({"reminder"})
"""What somebody wished to hear at an hour of her own choosing."""


def is_quiet(now: datetime) -> bool:
    """From `QUIET_FROM` until right before `QUIET_UNTIL` by the village's clock."""
    clock = _in_village(now).time()
    return clock >= QUIET_FROM or clock < QUIET_UNTIL


def next_waking(now: datetime) -> datetime:
    """When the quiet hours end that `now` lies in; `now` itself when nobody sleeps."""
    if not is_quiet(now):
        return now
    here = _in_village(now)
    day = here.date() + timedelta(days=1 if here.time() >= QUIET_FROM else 0)
    return datetime.combine(day, QUIET_UNTIL, VILLAGE_ZONE)


def may_be_told(kind: str, facts: Mapping[str, Any], now: datetime) -> bool:
    """Whether a notice of this kind with these facts may be told now, or waits for the morning.

    Besides danger, urgent help wakes people, and so does a visit that begins before they would
    wake: later the news were of no use."""
    if not is_quiet(now) or kind in URGENT_KINDS | OWN_TIME:
        return True
    if facts.get("kind") == ServiceKind.URGENT_HELP.value:
        return True
    starts_at = facts.get("starts_at")
    return starts_at is not None and datetime.fromisoformat(starts_at) < next_waking(now)


def _in_village(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("a naive datetime was given where an aware one is needed")
    return now.astimezone(VILLAGE_ZONE)
