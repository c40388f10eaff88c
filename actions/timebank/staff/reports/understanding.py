"""How well 小帮 understood what was said, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Turn
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import TurnOutcome


@dataclass(frozen=True)
class Understanding:
    """What became of what was said in a week, or in several."""

    answered: int = 0
    repaired: int = 0
    failed: int = 0
    confidence: int | None = None
    """The mean certainty of what was meant, in percent; None when nothing was measured."""
    heard: int | None = None
    """The mean certainty of what was heard, in percent; typed words are not heard."""

    @property
    def turns(self) -> int:
        return self.answered + self.repaired + self.failed

    @property
    def error_percent(self) -> float | None:
        """How many of hundred had to be asked again or got an apology, to one decimal."""
        wrong = self.repaired + self.failed
        return round(100 * wrong / self.turns, 1) if self.turns else None


@dataclass(frozen=True)
class Understood:
    """What the machine could not take at all, or has not answered yet, is not counted."""

    whole: Understanding
    by_week: Sequence[Understanding]
    """One for each of the period's weeks."""


_COUNTED = {
    TurnOutcome.ANSWERED: "answered",
    TurnOutcome.REPAIRED: "repaired",
    TurnOutcome.FAILED: "failed",
}


def understanding(session: Session, period: Period) -> Understood:
    week = period.week_of(Turn.began_at).label("week")
    rows = session.execute(
        select(
            week,
            Turn.outcome,
            func.count(),
            func.count(Turn.intent_confidence),
            func.sum(Turn.intent_confidence),
            func.count(Turn.heard_confidence),
            func.sum(Turn.heard_confidence),
        )
        .where(period.holds(Turn.began_at), Turn.outcome.in_(_COUNTED))
        .group_by(week, Turn.outcome)
    ).all()
    weeks = [_sum([row for row in rows if row[0] == number]) for number in range(len(period.weeks))]
    return Understood(_sum(rows), weeks)


def _sum(rows: Sequence[Sequence[Any]]) -> Understanding:
    counts = dict.fromkeys(_COUNTED.values(), 0)
    for _, outcome, count, *_ in rows:
        counts[_COUNTED[outcome]] += count
    return Understanding(**counts, confidence=_percent(rows, 3), heard=_percent(rows, 5))


def _percent(rows: Sequence[Sequence[Any]], place: int) -> int | None:
    """The mean of what is counted at `place` and summed up beside it."""
    count = sum(row[place] for row in rows)
    return round(100 * sum(row[place + 1] or 0 for row in rows) / count) if count else None
