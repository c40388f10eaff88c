"""Hours that neighbours gave each other, and what else moved in the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import Select

from actions.timebank.ids import MemberId
from actions.timebank.model import (
    Assignment,
    Posting,
    ServiceRequest,
    Transfer,
    Visit,
)
from actions.timebank.staff.reports.figures import stands
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import ServiceKind, TransferKind


@dataclass(frozen=True)
class KindHours:
    """What was done of one kind of help."""

    kind: ServiceKind
    visits: int
    minutes: int
    by_week: Sequence[int]
    """Minutes in each of the period's weeks."""


@dataclass(frozen=True)
class Hours:
    """Visits count in the week in which they were settled; where nothing was done, none moved."""

    by_kind: Sequence[KindHours]
    """Only kinds that were done, the most minutes first."""
    people_helped: int
    people_helping: int
    gifts: int
    gift_minutes: int
    """Gifts to the fund are among them; reversed ones are not."""

    @property
    def visits(self) -> int:
        return sum(one.visits for one in self.by_kind)

    @property
    def minutes(self) -> int:
        return sum(one.minutes for one in self.by_kind)


def hours(session: Session, period: Period) -> Hours:
    by_kind = _by_kind(session, period)
    gifts, gift_minutes = _gifts(session, period)
    helped, helping = session.execute(
        _settled(
            period,
            func.count(ServiceRequest.elder_id.distinct()),
            func.count(Assignment.helper_id.distinct()),
        )
    ).one()
    return Hours(by_kind, helped, helping, gifts, gift_minutes)


def _by_kind(session: Session, period: Period) -> list[KindHours]:
    week = period.week_of(Transfer.occurred_at).label("week")
    rows = session.execute(
        _settled(
            period,
            ServiceRequest.service_kind,
            week,
            func.count(),
            func.sum(Visit.settled_minutes),
        ).group_by(ServiceRequest.service_kind, week)
    )
    visits: dict[ServiceKind, int] = {}
    weeks: dict[ServiceKind, list[int]] = {}
    for kind, number, count, minutes in rows:
        visits[kind] = visits.get(kind, 0) + count
        weeks.setdefault(kind, [0] * len(period.weeks))[number] = minutes
    found = [KindHours(kind, visits[kind], sum(line), line) for kind, line in weeks.items()]
    return sorted(found, key=lambda one: (-one.minutes, one.kind))


def _gifts(session: Session, period: Period) -> tuple[int, int]:
    count, minutes = session.execute(
        select(func.count(), func.coalesce(func.sum(Posting.minutes), 0))
        .join(Transfer, Transfer.id == Posting.transfer_id)
        .where(
            Posting.minutes > 0,
            stands(TransferKind.GIFT),
            period.holds(Transfer.occurred_at),
        )
    ).one()
    return count, minutes


def _settled(period: Period, *columns: object) -> Select:
    return (
        select(*columns)
        .select_from(Transfer)
        .join(Visit, Visit.id == Transfer.visit_id)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .where(stands(TransferKind.SETTLEMENT), period.holds(Transfer.occurred_at))
    )


def visits_by_helper(session: Session, period: Period) -> dict[MemberId, tuple[int, int]]:
    """Of everybody who helped: how many visits, and how many minutes."""
    helper = Assignment.helper_id
    rows = session.execute(
        _settled(period, helper, func.count(), func.sum(Visit.settled_minutes)).group_by(helper)
    )
    return {MemberId(member): (visits, minutes) for member, visits, minutes in rows}


def first_visits(session: Session, period: Period) -> list[MemberId]:
    """Whose very first visit to a neighbour was settled in the period, in that order."""
    earlier, helper = aliased(Assignment), Assignment.helper_id
    # Who helped for years is known by the first visit that is found, without adding up all.
    helped_before = (
        select(Transfer.id)
        .select_from(earlier)
        .join(Visit, Visit.assignment_id == earlier.id)
        .join(Transfer, Transfer.visit_id == Visit.id)
        .where(
            earlier.helper_id == helper,
            stands(TransferKind.SETTLEMENT),
            Transfer.occurred_at < period.begins,
        )
        .correlate(Assignment)
        .exists()
    )
    rows = session.execute(
        _settled(period, helper)
        .group_by(helper)
        .having(~helped_before)
        .order_by(func.min(Transfer.occurred_at), helper)
    )
    return [MemberId(member) for member in rows.scalars()]
