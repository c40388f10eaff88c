"""Whether 小帮 errs less from week to week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank.clock import VILLAGE_ZONE, village_day
from actions.timebank.model import Correction, Turn
from actions.timebank.states import TurnOutcome

WRONG = (TurnOutcome.FAILED, TurnOutcome.REPAIRED)


@dataclass(frozen=True)
class WeekOfErrors:
    monday: date
    turns: int
    failed: int
    repaired: int
    corrected: int
    """Answered, but staff knew better."""

    @property
    def wrong(self) -> int:
        return self.failed + self.repaired + self.corrected

    @property
    def percent(self) -> float | None:
        """None for a week in which nobody spoke."""
        return round(100 * self.wrong / self.turns, 1) if self.turns else None


def error_rate(session: Session, *, weeks: int, now: datetime) -> Sequence[WeekOfErrors]:
    """The last weeks, from the oldest to the present one, each from Monday in the village."""
    today = now.astimezone(VILLAGE_ZONE)
    mondays = [village_day(now, days=-today.weekday() - 7 * back) for back in range(weeks)]
    mondays.reverse()
    corrected = (
        select(Turn.began_at)
        .where(Turn.id.in_(select(Correction.turn_id)), Turn.outcome.not_in(WRONG))
        .where(Turn.began_at >= mondays[0])
    )
    began = list(session.execute(corrected).scalars())
    return [_week(session, monday, began) for monday in mondays]


def _week(session: Session, monday: datetime, corrected: Sequence[datetime]) -> WeekOfErrors:
    end = monday + timedelta(days=7)
    # Each outcome named: so the index that has both is read, and no turn.
    of_each = (
        select(Turn.outcome, func.count())
        .where(Turn.outcome.in_(list(TurnOutcome)))
        .where(Turn.began_at >= monday, Turn.began_at < end)
        .group_by(Turn.outcome)
    )
    counts = {outcome: int(count) for outcome, count in session.execute(of_each)}
    return WeekOfErrors(
        monday=monday.astimezone(VILLAGE_ZONE).date(),
        turns=sum(counts.values()),
        failed=counts.get(TurnOutcome.FAILED, 0),
        repaired=counts.get(TurnOutcome.REPAIRED, 0),
        corrected=sum(monday <= began < end for began in corrected),
    )
