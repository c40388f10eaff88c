"""How visits were, in the marks of who was helped. Never by helper: it is no ranking of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Assignment, Rating, ServiceRequest, Visit
from actions.timebank.ratings import HIGHEST, LOWEST
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import ServiceKind

MARKS = range(LOWEST, HIGHEST + 1)


@dataclass(frozen=True)
class KindQuality:
    kind: ServiceKind
    marks: Mapping[int, int]
    """How many visits got this mark; every mark is there."""

    @property
    def rated(self) -> int:
        return sum(self.marks.values())

    @property
    def mean(self) -> float:
        """To one decimal."""
        return mean(self.marks) or 0.0


@dataclass(frozen=True)
class Quality:
    """The newest mark of a visit counts, in the period in which it was given."""

    by_kind: Sequence[KindQuality]
    """Only kinds that were rated, in the order of `ServiceKind`."""

    @property
    def marks(self) -> Mapping[int, int]:
        return {mark: sum(one.marks[mark] for one in self.by_kind) for mark in MARKS}

    @property
    def mean(self) -> float | None:
        """To one decimal; None when nothing was rated."""
        return mean(self.marks)


def mean(marks: Mapping[int, int]) -> float | None:
    count = sum(marks.values())
    total = sum(mark * visits for mark, visits in marks.items())
    return round(total / count, 1) if count else None


def quality(session: Session, period: Period) -> Quality:
    newest = select(func.max(Rating.id)).where(Rating.stars.is_not(None)).group_by(Rating.visit_id)
    rows = session.execute(
        select(ServiceRequest.service_kind, Rating.stars, func.count())
        .select_from(Rating)
        .join(Visit, Visit.id == Rating.visit_id)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .where(period.holds(Rating.made_at), Rating.id.in_(newest))
        .group_by(ServiceRequest.service_kind, Rating.stars)
    )
    kinds: dict[ServiceKind, dict[int, int]] = {}
    for kind, stars, count in rows:
        kinds.setdefault(kind, dict.fromkeys(MARKS, 0))[stars] = count
    return Quality([KindQuality(kind, kinds[kind]) for kind in ServiceKind if kind in kinds])
