"""The SQL of the reports against the same counted row by row in Python, in villages made by
chance: whatever the month, both find the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.model import (
    Account,
    Assignment,
    Offer,
    Posting,
    Rating,
    ServiceRequest,
    Transfer,
    Turn,
    Visit,
)
from actions.timebank.session import Village, open_engine
from actions.timebank.staff.reports.fund import fund_use
from actions.timebank.staff.reports.hours import first_visits, hours, visits_by_helper
from actions.timebank.staff.reports.load import loads
from actions.timebank.staff.reports.needs import needs
from actions.timebank.staff.reports.periods import Period
from actions.timebank.staff.reports.quality import quality
from actions.timebank.staff.reports.understanding import understanding
from actions.timebank.states import (
    AccountKind,
    RequestState,
    TransferKind,
    TurnOutcome,
)
from tests.bench.big_village import Size, build
from tests.timebank.builders import MORNING

SMALL = Size(members=40, turns=1_500, transfers=400, days=100)
PERIODS = [Period.read(each) for each in ("2025-11", "2025-12", "2026-02", "2026-03", "2026-Q1")]


@pytest.fixture(scope="module", params=[1, 2, 3])
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    file: Path = tmp_path_factory.mktemp("naive") / "village.db"
    build(file, until=MORNING, size=SMALL, seed=request.param)
    engine = open_engine(f"sqlite:///{file}")
    with Village(engine, lambda: MORNING).reading() as session:
        yield session
    engine.dispose()


def is_in(period: Period, moment: datetime | None) -> bool:
    return moment is not None and period.first <= day_of(moment) <= period.last


def day_of(moment: datetime) -> date:
    return moment.astimezone(VILLAGE_ZONE).date()


def week_of(period: Period, moment: datetime) -> int:
    monday = period.first - timedelta(days=period.first.weekday())
    return (day_of(moment) - monday).days // 7


def all_of(session: Session, model: Any) -> list[Any]:
    return list(session.scalars(select(model)))


def standing(session: Session) -> list[Transfer]:
    transfers = all_of(session, Transfer)
    wrong = {one.reverses_id for one in transfers}
    return [one for one in transfers if one.kind is TransferKind.SETTLEMENT and one.id not in wrong]


def percentile(spans: list[timedelta], part: float) -> int | None:
    minutes = sorted(ceil(span.total_seconds() / 60) for span in spans)
    good = [one for one in minutes if sum(m <= one for m in minutes) >= part * len(minutes)]
    return good[0] if good else None


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_hours(session: Session, period: Period) -> None:
    by_week: Counter[tuple[Any, int]] = Counter()
    by_helper: dict[int, list[int]] = defaultdict(list)
    firsts: dict[int, datetime] = {}
    for transfer in sorted(standing(session), key=lambda one: one.sequence):
        assignment = transfer.visit.assignment
        firsts.setdefault(assignment.helper_id, transfer.occurred_at)
        if is_in(period, transfer.occurred_at):
            minutes = sum(one.minutes for one in transfer.postings if one.minutes > 0)
            key = (assignment.request.service_kind, week_of(period, transfer.occurred_at))
            by_week[key] += minutes
            by_helper[assignment.helper_id].append(minutes)
    found = hours(session, period)
    counted = {
        (one.kind, week): minutes
        for one in found.by_kind
        for week, minutes in enumerate(one.by_week)
        if minutes
    }
    assert counted == by_week
    assert found.people_helping == len(by_helper)
    expected = {helper: (len(each), sum(each)) for helper, each in by_helper.items()}
    assert visits_by_helper(session, period) == expected
    new = {helper for helper, moment in firsts.items() if is_in(period, moment)}
    assert set(first_visits(session, period)) == new


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_needs(session: Session, period: Period) -> None:
    asked = [one for one in all_of(session, ServiceRequest) if is_in(period, one.created_at)]
    found = needs(session, period)
    assert found.asked == len(asked)
    assert {one.kind: one.asked for one in found.by_kind} == Counter(
        one.service_kind for one in asked
    )
    promised, visited = [], []
    for one in asked:
        if one.assignments:
            promised.append(min(each.accepted_at for each in one.assignments) - one.created_at)
        if one.state is RequestState.CONFIRMED:
            visited += [
                each.visit.checked_in_at - one.created_at for each in one.assignments if each.visit
            ]
    for spread, spans in ((found.to_promise, promised), (found.to_visit, visited)):
        assert spread.count == len(spans)
        assert (spread.median, spread.p90) == (percentile(spans, 0.5), percentile(spans, 0.9))


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_load(session: Session, period: Period) -> None:
    moments: dict[int, list[datetime]] = defaultdict(list)
    for offer in all_of(session, Offer):
        if is_in(period, offer.offered_at):
            moments[offer.helper_id].append(offer.offered_at)
    found = loads(session, period)
    assert {one.member_id: one.asked for one in found.helpers} == {
        helper: len(each) for helper, each in moments.items()
    }
    for one in found.helpers:
        for span, most in ((1, one.busiest_day), (7, one.busiest_week)):
            ends = moments[one.member_id]
            within = [
                sum(end - timedelta(days=span) < each <= end for each in ends) for end in ends
            ]
            assert most == max(within)


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_marks(session: Session, period: Period) -> None:
    newest = {one.visit_id: one for one in all_of(session, Rating) if one.stars is not None}
    marks = Counter(one.stars for one in newest.values() if is_in(period, one.made_at))
    found = quality(session, period)
    assert {mark: count for mark, count in found.marks.items() if count} == marks


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_understanding(session: Session, period: Period) -> None:
    turns = [one for one in all_of(session, Turn) if is_in(period, one.began_at)]
    counted = Counter((week_of(period, one.began_at), one.outcome) for one in turns)
    found = understanding(session, period)
    for number, week in enumerate(found.by_week):
        assert week.answered == counted[(number, TurnOutcome.ANSWERED)]
        assert week.repaired == counted[(number, TurnOutcome.REPAIRED)]
        assert week.failed == counted[(number, TurnOutcome.FAILED)]
    heard = [one.heard_confidence for one in turns if one.heard_confidence is not None]
    expected = 100 * sum(heard) / len(heard) if heard else None
    assert found.whole.heard == (None if expected is None else pytest.approx(expected, abs=0.51))


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_fund(session: Session, period: Period) -> None:
    [fund] = [one.id for one in all_of(session, Account) if one.kind is AccountKind.FUND]
    legs = [one for one in all_of(session, Posting) if one.account_id == fund]
    found = fund_use(session, period)
    assert found.opening == sum(
        one.minutes for one in legs if day_of(one.transfer.occurred_at) < period.first
    )
    assert found.closing == sum(
        one.minutes for one in legs if day_of(one.transfer.occurred_at) <= period.last
    )


def test_every_visit_has_its_week_in_exactly_one_month(session: Session) -> None:
    months = [Period.read(each) for each in ("2025-11", "2025-12", "2026-01", "2026-02", "2026-03")]
    assert sum(hours(session, month).visits for month in months) == len(standing(session))
    assert sum(needs(session, month).asked for month in months) == len(
        all_of(session, ServiceRequest)
    )
    assert all_of(session, Visit) and all_of(session, Assignment)
