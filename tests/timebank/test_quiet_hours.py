"""The hours in which nobody is woken without need."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.quiet_hours import URGENT_KINDS, is_quiet, may_be_told, next_waking


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=VILLAGE_ZONE)


NIGHT = at(2, 23)


@pytest.mark.parametrize(
    "now, quiet",
    [
        (at(2, 20, 59, 59), False),
        (at(2, 21), True),
        (at(2, 23, 59, 59), True),
        (at(3, 0), True),
        (at(3, 6, 29, 59), True),
        (at(3, 6, 30), False),
        (at(3, 12), False),
    ],
)
def test_the_village_sleeps_from_nine_until_half_past_six(now: datetime, quiet: bool) -> None:
    assert is_quiet(now) is quiet


@pytest.mark.parametrize(
    "now, waking",
    [
        (at(2, 20, 59), at(2, 20, 59)),
        (at(2, 21), at(3, 6, 30)),
        (at(2, 23, 59, 59), at(3, 6, 30)),
        (at(3, 0), at(3, 6, 30)),
        (at(3, 6, 29, 59), at(3, 6, 30)),
        (at(3, 6, 30), at(3, 6, 30)),
        (at(31, 22), datetime(2026, 4, 1, 6, 30, tzinfo=VILLAGE_ZONE)),
    ],
)
def test_who_sleeps_wakes_at_the_next_half_past_six(now: datetime, waking: datetime) -> None:
    assert next_waking(now) == waking


def test_the_villages_clock_counts_not_the_machines() -> None:
    nine_in_the_evening_here = datetime(2026, 3, 2, 13, 0, tzinfo=timezone.utc)
    assert is_quiet(nine_in_the_evening_here)
    assert next_waking(nine_in_the_evening_here) == at(3, 6, 30)
    assert not is_quiet(datetime(2026, 3, 2, 22, 30, tzinfo=timezone.utc))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        is_quiet(datetime(2026, 3, 2, 13, 0))


def test_by_day_everything_is_told() -> None:
    assert may_be_told("offer_made", {"kind": "shopping"}, at(2, 12))


@pytest.mark.parametrize("kind", sorted(URGENT_KINDS))
def test_danger_wakes_people(kind: str) -> None:
    assert may_be_told(kind, {}, NIGHT)


def test_a_reminder_comes_at_the_hour_that_she_chose() -> None:
    assert may_be_told("reminder", {"words": "吃药"}, NIGHT)


@pytest.mark.parametrize("kind", ["offer_made", "request_accepted", "staff_no_neighbour"])
def test_urgent_help_wakes_people_and_other_help_does_not(kind: str) -> None:
    tomorrow = at(3, 9).astimezone(timezone.utc).isoformat()
    assert may_be_told(kind, {"kind": "urgent_help", "starts_at": tomorrow}, NIGHT)
    assert not may_be_told(kind, {"kind": "shopping", "starts_at": tomorrow}, NIGHT)


def test_thanks_wait_for_the_morning() -> None:
    assert not may_be_told("visit_settled", {"kind": "shopping", "minutes": 60}, NIGHT)
    assert may_be_told("visit_settled", {"kind": "shopping", "minutes": 60}, at(3, 6, 30))


def test_who_was_to_come_at_five_is_not_left_to_get_up_for_nothing() -> None:
    five = at(3, 5).astimezone(timezone.utc).isoformat()
    waking = at(3, 6, 30).astimezone(timezone.utc).isoformat()
    assert may_be_told("request_cancelled", {"kind": "escort_medical", "starts_at": five}, NIGHT)
    assert not may_be_told("request_cancelled", {"kind": "meals", "starts_at": waking}, NIGHT)
