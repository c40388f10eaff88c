"""Months and quarters of the village's calendar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cached_property
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import Refusal
from actions.timebank.model import Member

_WRITTEN = re.compile(r"(\d{4})-(?:(0[1-9]|1[0-2])|Q([1-4]))", re.ASCII)


class NoSuchPeriod(Refusal):
    """A period before the village was founded or after today, or none at all."""

    code = "no_such_period"


class PeriodKind(str, Enum):
    MONTH = "month"
    QUARTER = "quarter"


_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3}


@dataclass(frozen=True)
class Week:
    """A week from Monday to Sunday, as far as it lies in the period."""

    first: date
    last: date


@dataclass(frozen=True)
class Period:
    kind: PeriodKind
    first: date
    """Its first day."""

    @classmethod
    def read(cls, written: str) -> Period:
        """What `str` of a period writes: 2026-10 or 2026-Q4. Raises NoSuchPeriod."""
        found = _WRITTEN.fullmatch(written)
        if found is None or not date.min.year < int(found[1]) < date.max.year:
            raise NoSuchPeriod(f"{written[:20]!r} is no period")
        if found[2]:
            return cls(PeriodKind.MONTH, date(int(found[1]), int(found[2]), 1))
        return cls(PeriodKind.QUARTER, date(int(found[1]), int(found[3]) * 3 - 2, 1))

    @classmethod
    def around(cls, day: date, kind: PeriodKind) -> Period:
        """The period of this kind in which the day lies."""
        months = _MONTHS[kind]
        return cls(kind, date(day.year, (day.month - 1) // months * months + 1, 1))

    def __str__(self) -> str:
        if self.kind is PeriodKind.MONTH:
            return f"{self.first:%Y-%m}"
        return f"{self.first:%Y}-Q{self.number}"

    @property
    def number(self) -> int:
        """Which month or quarter of its year, from 1."""
        return (self.first.month - 1) // _MONTHS[self.kind] + 1

    @cached_property
    def next(self) -> Period:
        return self.around(self.first + timedelta(days=31 * _MONTHS[self.kind]), self.kind)

    @cached_property
    def previous(self) -> Period:
        return self.around(self.first - timedelta(days=1), self.kind)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def begins(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.next.first)

    def is_finished(self, now: datetime) -> bool:
        return now >= self.ends

    @cached_property
    def weeks(self) -> Sequence[Week]:
        """The first and the last may be shorter than seven days."""
        weeks, first = [], self.first
        while first <= self.last:
            sunday = first + timedelta(days=6 - first.weekday())
            weeks.append(Week(first, min(sunday, self.last)))
            first = sunday + timedelta(days=1)
        return weeks

    def holds(self, moment: Any) -> Any:
        """SQL: whether the moment of this column lies in the period."""
        return and_(moment >= self.begins, moment < self.ends)

    def week_of(self, moment: Any) -> Any:
        """SQL: in which of `weeks` this column's moment lies, counted from 0."""
        ends = [_midnight(week.last + timedelta(days=1)) for week in self.weeks]
        return case(
            *((moment < end, number) for number, end in enumerate(ends)), else_=len(ends) - 1
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, VILLAGE_ZONE)


def founded_on(session: Session) -> date | None:
    """The village's first day: when its first member joined. None while it has no members."""
    first = session.execute(select(func.min(Member.joined_at))).scalar_one()
    return None if first is None else first.astimezone(VILLAGE_ZONE).date()


def check_period(session: Session, period: Period, *, now: datetime) -> None:
    """Raises NoSuchPeriod when it was over before the village was founded, or has not begun."""
    founded = founded_on(session)
    if founded is None or period.last < founded or period.begins > now:
        raise NoSuchPeriod(f"{period} is not in the village's time")


def periods(session: Session, kind: PeriodKind, *, now: datetime) -> list[Period]:
    """Every period of the village's life up to the present one, the newest first."""
    founded = founded_on(session)
    found = []
    period = Period.around(now.astimezone(VILLAGE_ZONE).date(), kind)
    while founded is not None and period.last >= founded:
        found.append(period)
        period = period.previous
    return found
