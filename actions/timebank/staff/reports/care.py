"""How fast somebody goes when an alarm is raised, and how fast contested matters are decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Alert, Dispute
from actions.timebank.staff.reports.figures import Spread, spread
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import AlertKind, AlertState, DisputeKind


@dataclass(frozen=True)
class Alarms:
    """Alarms of one kind, counted in the period in which they were raised."""

    kind: AlertKind
    raised: int
    taken_back: int
    """The member herself said that all was well before anybody went, or spoke after all."""
    waiting: int
    """Nobody has taken it, up to now."""
    to_go: Spread
    """From the alarm to somebody's word that he goes; when it was given back, to the last one's."""


@dataclass(frozen=True)
class Disputes:
    """Contested matters of one kind, counted in the period in which they were opened."""

    kind: DisputeKind
    in_time: int
    """Decided within their 24 hours."""
    late: int
    open: int
    """Not decided, and still in time."""
    overdue: int
    """Not decided, and no longer in time."""

    @property
    def opened(self) -> int:
        return self.in_time + self.late + self.open + self.overdue


def alarms(session: Session, period: Period) -> Sequence[Alarms]:
    """A line for each kind, also when there were none."""
    rows = session.execute(
        select(
            Alert.kind,
            Alert.state,
            Alert.raised_at,
            Alert.taken_at,
            (Alert.taken_by_id == Alert.member_id).label("by_herself"),
        ).where(period.holds(Alert.raised_at))
    ).all()
    return [_alarms(kind, [row for row in rows if row.kind is kind]) for kind in AlertKind]


def _alarms(kind: AlertKind, rows: Sequence[Any]) -> Alarms:
    went = [one for one in rows if one.taken_at and not one.by_herself]
    waiting = sum(one.state is AlertState.RAISED and not one.taken_at for one in rows)
    return Alarms(
        kind,
        raised=len(rows),
        taken_back=len(rows) - len(went) - waiting,
        waiting=waiting,
        to_go=spread(one.taken_at - one.raised_at for one in went),
    )


def disputes(session: Session, period: Period, *, now: datetime) -> Sequence[Disputes]:
    """A line for each kind, also when there were none."""
    decided_in_time = Dispute.resolved_at <= Dispute.due_at
    end = case(
        (Dispute.resolved_at.is_not(None) & decided_in_time, "in_time"),
        (Dispute.resolved_at.is_not(None), "late"),
        (Dispute.due_at >= now, "open"),
        else_="overdue",
    ).label("end")
    rows = session.execute(
        select(Dispute.kind, end, func.count())
        .where(period.holds(Dispute.opened_at))
        .group_by(Dispute.kind, end)
    )
    counts = {
        kind: dict.fromkeys(("in_time", "late", "open", "overdue"), 0) for kind in DisputeKind
    }
    for kind, how, count in rows:
        counts[kind][how] = count
    return [Disputes(kind, **ends) for kind, ends in counts.items()]
