"""Which date a standard day phrase means: behind it JioNLP, for what a village reckons by the
moon its lunar tables."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any

LONGEST_SEARCH = 400
"""Days; the same lunar day comes again after at most 384, save in rare leap months."""
_parsing = Lock()


@dataclass(frozen=True)
class LunarDay:
    month: int
    day: int


def warm_up() -> None:
    """Loads JioNLP (about a second), so that the first elder does not wait for it."""
    day_of("今天", date(2000, 1, 1))


@lru_cache(maxsize=4096)
def day_of(phrase: str, today: date) -> date | None:
    """The date of a standard phrase (大后天, 下周三, 十二月三号, 冬至) counted from `today`, be it
    past or to come; None when there is no such day (三十一号 in June)."""
    # Its parser keeps the clock of the call in itself, so two threads may not be in it at once.
    with _parsing:
        base = {"year": today.year, "month": today.month, "day": today.day}
        # With a base in parts it never asks for the machine's zone.
        try:
            parsed = _jionlp().parse_time(phrase, time_base={**base, "hour": 0, "minute": 0})
            return datetime.strptime(parsed["time"][0], "%Y-%m-%d %H:%M:%S").date()
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return None


def next_of_month(phrase: str, today: date) -> date | None:
    """The next 十五号: this month's, or that of the first month after that has one."""
    return _first_from(today, (day_of(phrase, base) for base in _months_from(today)))


def end_of_month(today: date, *, later: bool = False) -> date:
    """The last day of this month, or of the `later` one after it."""
    first = today.replace(day=1)
    for _ in range(2 if later else 1):
        first = (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1)


def next_of_year(phrase: str, today: date) -> date | None:
    """The next 三月五号 or 清明: this year's or next year's."""
    bases = (today, *(date(today.year + years, 1, 1) for years in (1, 2, 3, 4)))
    return _first_from(today, (day_of(phrase, base) for base in bases))


@lru_cache(maxsize=1024)
def next_lunar(today: date, month: int | None, day: int) -> date | None:
    """The next such lunar day, today counted; any month when none is given."""
    return _search(today, lambda at: at.day == day and month in (None, at.month))


def next_month_lunar(today: date, day: int) -> date | None:
    """That day of the next lunar month."""
    this_month = lunar_of(today).month
    return _search(today, lambda at: at.day == day and at.month != this_month)


def new_years_eve(today: date) -> date | None:
    """The last day of the lunar year, today counted."""
    new_year = next_lunar(today + timedelta(days=1), 1, 1)
    return new_year and new_year - timedelta(days=1)


@lru_cache(maxsize=1024)
def next_market(today: date, market_days: frozenset[int]) -> date | None:
    """The next lunar day that ends in one of the digits of `market_days`, today counted."""
    return _search(today, lambda at: at.day % 10 in market_days)


@lru_cache(maxsize=4096)
def lunar_of(day: date) -> LunarDay:
    """The lunar day of a date from 1900 to 2100."""
    with _parsing:
        lunar: tuple[int, int, int, bool] = _jionlp().solar2lunar(
            datetime(day.year, day.month, day.day)
        )
    return LunarDay(lunar[1], lunar[2])


@lru_cache(maxsize=1)
def _jionlp() -> Any:
    # Imported when first needed, and its banner kept away from standard output, which belongs to
    # `xiaobang understand`.
    with contextlib.redirect_stdout(io.StringIO()):
        import jionlp
    return jionlp


def _search(today: date, wanted: Callable[[LunarDay], bool]) -> date | None:
    for offset in range(LONGEST_SEARCH):
        day = today + timedelta(days=offset)
        if wanted(lunar_of(day)):
            return day
    return None


def _months_from(today: date) -> Iterator[date]:
    yield today
    first = today.replace(day=1)
    for _ in range(3):
        first = (first + timedelta(days=32)).replace(day=1)
        yield first


def _first_from(today: date, days: Iterator[date | None]) -> date | None:
    return next((day for day in days if day is not None and day >= today), None)
