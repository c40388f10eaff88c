"""The figures of a month, each counted by hand in 王奶奶's street.

The test village begins on Monday, 2 March 2026, at nine in the morning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import alerts, deadlines, disputes, exchange, ledger, ratings, turns
from actions.timebank.errors import NotYours, UnknownMember
from actions.timebank.ids import MemberId, TransferId
from actions.timebank.model import Member, Rating, ServiceRequest, Transfer
from actions.timebank.staff import accounts
from actions.timebank.staff.reports import honour
from actions.timebank.staff.reports.needs import NeedEnd
from actions.timebank.staff.reports.periods import NoSuchPeriod, Period, PeriodKind, periods
from actions.timebank.staff.reports.report import Report, report
from actions.timebank.staff.roles import Role
from actions.timebank.states import (
    AlertKind,
    DisputeKind,
    OfferState,
    ServiceKind,
    TransferKind,
    TurnOutcome,
)
from tests.timebank.builders import MORNING, make_member
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in

MARCH, APRIL = Period.read("2026-03"), Period.read("2026-04")


def china(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of 2026 on the village's clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def hood(session: Session) -> Neighbourhood:
    """王奶奶 is rich enough for everything, 陈干事 works in the office."""
    hood = settle_in(session, MORNING)
    account = ledger.account_of(session, MemberId(hood.wang.id))
    ledger.grant(
        session,
        account_id=account.id,
        minutes=6_000,
        reason="opening",
        idempotency_key="rich",
        now=MORNING,
    )
    accounts.make(
        session,
        member=MemberId(hood.staff.id),
        login="chen",
        roles=[Role.COORDINATOR],
        password_hash="-",
        now=MORNING,
    )
    return hood


def of(hood: Neighbourhood, period: Period = MARCH) -> Report:
    return report(hood.session, period, by=MemberId(hood.staff.id), now=hood.now)


def transfer_of(hood: Neighbourhood, request: ServiceRequest) -> TransferId:
    [visit] = [one.visit for one in request.assignments if one.visit is not None]
    found = hood.session.query(Transfer).filter_by(visit_id=visit.id).one()
    return TransferId(found.id)


def reverse(hood: Neighbourhood, transfer: TransferId) -> None:
    ledger.reverse(
        hood.session,
        transfer_id=transfer,
        reason="记错了",
        idempotency_key=f"wrong:{transfer}",
        now=hood.now,
    )


# -- periods ----------------------------------------------------------------------------------


def test_a_month_begins_at_the_village_s_midnight() -> None:
    assert (MARCH.begins, MARCH.ends) == (china(3, 1, 0), china(4, 1, 0))
    assert MARCH.begins == datetime(2026, 2, 28, 16, 0, tzinfo=timezone.utc)


def test_the_weeks_of_a_month_begin_on_mondays_and_stay_in_it() -> None:
    days = [(week.first.day, week.last.day) for week in MARCH.weeks]
    assert days == [(1, 1), (2, 8), (9, 15), (16, 22), (23, 29), (30, 31)]


@pytest.mark.parametrize("year", range(2024, 2032))
def test_periods_follow_each_other_without_a_gap(year: int) -> None:
    for kind, count in ((PeriodKind.MONTH, 12), (PeriodKind.QUARTER, 4)):
        period = Period.around(date(year, 1, 1), kind)
        for number in range(1, count + 1):
            assert period.number == number
            assert Period.read(str(period)) == period
            assert period.next.begins == period.ends
            assert period.next.previous == period
            assert period.weeks[0].first == period.first
            assert period.weeks[-1].last == period.last
            period = period.next
        assert period.first == date(year + 1, 1, 1)


NO_PERIODS = """2026 2026-0 2026-00 2026-13 2026-3 2026-Q0 2026-Q5 2026-q1 -1-01 0000-01 0001-01
9999-12 ２０２６-03 2026-03-01 ../../etc"""


@pytest.mark.parametrize("written", ["", "2026-03\n", "x" * 10**6, *NO_PERIODS.split()])
def test_what_is_no_period_is_refused(written: str) -> None:
    with pytest.raises(NoSuchPeriod):
        Period.read(written)


@pytest.mark.parametrize("written", ["2026-02", "2025-Q4", "2026-04", "2026-Q2", "1900-01"])
def test_before_the_village_and_after_today_there_is_nothing(
    hood: Neighbourhood, written: str
) -> None:
    with pytest.raises(NoSuchPeriod):
        of(hood, Period.read(written))


def test_a_village_without_people_has_no_periods(session: Session) -> None:
    assert periods(session, PeriodKind.MONTH, now=MORNING) == []


def test_the_present_month_is_not_finished_until_its_last_midnight(hood: Neighbourhood) -> None:
    hood.now = china(3, 31, 23, 59)
    assert not of(hood).is_finished
    hood.now = china(4, 1, 0)
    assert of(hood).is_finished
    months = periods(hood.session, PeriodKind.MONTH, now=hood.now)
    assert [str(month) for month in months] == ["2026-04", "2026-03"]


def test_who_has_no_account_sees_no_report(hood: Neighbourhood) -> None:
    with pytest.raises(NotYours):
        report(hood.session, MARCH, by=MemberId(hood.zhang.id), now=hood.now)


def test_an_empty_month_is_empty(hood: Neighbourhood) -> None:
    empty = of(hood)
    assert empty.is_empty
    assert empty.hours.by_kind == [] and empty.needs.by_kind == [] and empty.quality.mean is None
    assert empty.needs.met_percent is None and empty.understanding.whole.error_percent is None
    assert empty.needs.to_promise.median is None and empty.roll.most_hours == []
    hood.ask()
    assert not of(hood).is_empty


# -- hours ------------------------------------------------------------------------------------


def test_hours_are_counted_by_kind_and_week(hood: Neighbourhood) -> None:
    hood.visited(60)
    hood.visited(45, service_kind=ServiceKind.MEALS)
    hood.now = china(3, 10)
    hood.visited(30)
    counted = of(hood).hours
    shopping, meals = counted.by_kind
    assert (shopping.kind, shopping.visits, shopping.minutes) == (ServiceKind.SHOPPING, 2, 90)
    assert shopping.by_week == [0, 60, 30, 0, 0, 0]
    assert (meals.kind, meals.minutes, meals.by_week) == (
        ServiceKind.MEALS,
        45,
        [0, 45, 0, 0, 0, 0],
    )
    assert (counted.visits, counted.minutes) == (3, 135)
    assert counted.people_helped == 1


def test_a_visit_settled_at_midnight_belongs_to_the_new_month(hood: Neighbourhood) -> None:
    hood.now = china(3, 31, 23, 59)
    hood.visited(10)
    hood.now = china(4, 1, 0)
    hood.visited(20)
    assert of(hood, MARCH).hours.minutes == 10
    assert of(hood, APRIL).hours.minutes == 20
    assert of(hood, Period.read("2026-Q1")).hours.minutes == 10


def test_what_was_reversed_later_does_not_count(hood: Neighbourhood) -> None:
    wrong, _ = hood.visited(60), hood.visited(30)
    hood.now = china(4, 2)
    reverse(hood, transfer_of(hood, wrong))
    assert of(hood, MARCH).hours.minutes == 30
    assert of(hood, APRIL).hours.minutes == 0


def test_gifts_are_counted_and_reversed_ones_are_not(hood: Neighbourhood) -> None:
    def give(receiver: Member | None, minutes: int) -> Transfer:
        return ledger.gift(
            hood.session,
            giver=MemberId(hood.wang.id),
            receiver=None if receiver is None else MemberId(receiver.id),
            minutes=minutes,
            idempotency_key=f"gift:{minutes}",
            now=hood.now,
        )

    give(hood.zhang, 30), give(None, 20)
    reverse(hood, TransferId(give(hood.li, 15).id))
    counted = of(hood)
    assert (counted.hours.gifts, counted.hours.gift_minutes) == (2, 50)
    assert counted.fund.received[TransferKind.GIFT] == 20


# -- needs ------------------------------------------------------------------------------------


def test_every_need_has_an_end_and_is_counted_once(hood: Neighbourhood) -> None:
    hood.visited()
    exchange.cancel_request(
        hood.session, by=hood.wang.id, request_id=hood.ask().id, now=hood.now, reason="no_show"
    )
    differs = hood.ask(minutes=90)
    hood.claim(hood.accepted(differs), 90)
    hood.confirm(differs, 30)
    stood_up = hood.ask()
    hood.accepted(stood_up)
    nobody = hood.ask(starts_at=china(3, 4, 9))
    hood.now = china(3, 3, 10)
    dispute = disputes.report_no_show(
        hood.session,
        elder=hood.wang.id,
        request_id=stood_up.id,
        turn_id=new_turn(),
        now=hood.now,
    )
    disputes.resolve(
        hood.session, dispute_id=dispute.id, mediator=hood.staff.id, resolution="-", now=hood.now
    )
    hood.now = china(3, 4, 20)
    deadlines.expire_due(hood.session, now=hood.now)
    hood.ask()
    assert nobody.state.value == "expired"
    needs = of(hood).needs
    assert needs.ends == {
        NeedEnd.MET: 1,
        NeedEnd.CALLED_OFF: 1,
        NeedEnd.NO_SHOW: 1,
        NeedEnd.NOBODY: 1,
        NeedEnd.DISPUTED: 1,
        NeedEnd.UNDER_WAY: 1,
    }
    assert needs.asked == 6
    assert needs.met_percent == 25, "one of the four of which it is known"


def test_how_fast_counts_from_the_request(hood: Neighbourhood) -> None:
    for wait in (5, 10, 200):
        began = hood.now
        request = hood.ask(starts_at=began + timedelta(days=1))
        hood.now = began + timedelta(minutes=wait, seconds=-30)
        assignment = hood.accepted(request)
        hood.now = began + timedelta(days=1)
        hood.claim(assignment, 60)
        hood.confirm(request)
    needs = of(hood).needs
    assert (needs.to_promise.count, needs.to_promise.median, needs.to_promise.p90) == (3, 10, 200)
    assert (needs.to_visit.count, needs.to_visit.median) == (3, 24 * 60)


# -- load -------------------------------------------------------------------------------------


def test_who_is_asked_how_often_and_who_never(hood: Neighbourhood) -> None:
    first = hood.ask()
    asked = hood.offer_of(first).helper
    hood.decline(first)
    hood.visited()
    make_member(hood.session, "不接活", now=MORNING, skills=[ServiceKind.SHOPPING])
    make_member(hood.session, "走了的", now=MORNING, takes_tasks=True, left_at=MORNING)
    loads = of(hood).loads
    of_asked = next(one for one in loads.helpers if one.member_id == asked.id)
    assert of_asked.answers[OfferState.DECLINED] == 1
    assert sum(one.done for one in loads.helpers) == 1
    assert sum(one.asked for one in loads.helpers) == 3
    everybody = {one.name for one in loads.helpers} | set(loads.never_asked)
    assert everybody == {"张秀英", "李建国", "赵铁柱"}


def test_the_limit_of_a_day_is_over_any_24_hours(hood: Neighbourhood) -> None:
    # Four questions within a day, over midnight, all to the only one who can.
    hood.li.takes_tasks = hood.zhao.takes_tasks = False
    for hour in (20, 22, 24, 26):
        hood.now = china(3, 5, 0) + timedelta(hours=hour)
        hood.visited(10, starts_at=hood.now + timedelta(hours=50 + hour))
    [zhang] = of(hood).loads.helpers
    assert (zhang.busiest_day, zhang.busiest_week, zhang.is_at_the_limit) == (4, 4, True)
    hood.now += timedelta(hours=24)
    hood.visited(10, starts_at=hood.now + timedelta(days=9))
    [zhang] = of(hood).loads.helpers
    assert (zhang.busiest_day, zhang.busiest_week) == (4, 5)


# -- alarms, disputes, marks --------------------------------------------------------------------


def test_how_fast_somebody_goes_and_false_alarms_are_no_answers(hood: Neighbourhood) -> None:
    def cry(member: Member) -> int:
        alert = alerts.raise_alert(
            hood.session, member=member.id, words="摔了", turn_id=new_turn(), now=hood.now
        )
        return int(alert.id)

    began = hood.now
    first = cry(hood.wang)
    hood.now = began + timedelta(minutes=3, seconds=20)
    alerts.take_alert(hood.session, alert_id=first, by=hood.staff.id, now=hood.now)
    alerts.close_alert(hood.session, alert_id=first, by=hood.staff.id, now=hood.now)
    cry(hood.wang)
    alerts.withdraw_alert(hood.session, member=hood.wang.id, turn_id=new_turn(), now=hood.now)
    cry(hood.wang)
    emergencies, missed = of(hood).alarms
    assert emergencies.kind is AlertKind.EMERGENCY
    assert (emergencies.raised, emergencies.taken_back, emergencies.waiting) == (3, 1, 1)
    assert (emergencies.to_go.count, emergencies.to_go.median) == (1, 4)
    assert missed.raised == 0


def test_disputes_are_decided_in_time_or_not(hood: Neighbourhood) -> None:
    opened = [
        disputes.complain(
            hood.session, member=hood.wang.id, words="x", turn_id=new_turn(), now=hood.now
        )
        for _ in range(3)
    ]

    def decide(number: int, after: timedelta) -> None:
        disputes.resolve(
            hood.session,
            dispute_id=opened[number].id,
            mediator=hood.staff.id,
            resolution="说清楚了",
            now=MORNING + after,
        )

    decide(0, timedelta(hours=24))
    decide(1, timedelta(hours=24, seconds=1))
    complaints = {one.kind: one for one in of(hood).disputes}[DisputeKind.COMPLAINT]
    assert (complaints.in_time, complaints.late) == (1, 1)
    assert (complaints.open, complaints.overdue) == (1, 0)
    hood.now += timedelta(hours=25)
    complaints = {one.kind: one for one in of(hood).disputes}[DisputeKind.COMPLAINT]
    assert (complaints.open, complaints.overdue, complaints.opened) == (0, 1, 3)


def test_the_newest_mark_of_a_visit_counts(hood: Neighbourhood) -> None:
    def rate(request: ServiceRequest, stars: int | None) -> Rating:
        [visit] = [one.visit for one in request.assignments]
        return ratings.rate(
            hood.session,
            rater=hood.wang.id,
            visit_id=visit.id,
            stars=stars,
            words="好",
            turn_id=new_turn(),
            now=hood.now,
        )

    first, second = hood.visited(), hood.visited(service_kind=ServiceKind.MEALS)
    rate(first, 1), rate(first, 4), rate(first, None), rate(second, 5)
    quality = of(hood).quality
    assert quality.marks == {1: 0, 2: 0, 3: 0, 4: 1, 5: 1}
    assert quality.mean == 4.5
    assert [(one.kind, one.mean) for one in quality.by_kind] == [
        (ServiceKind.MEALS, 5.0),
        (ServiceKind.SHOPPING, 4.0),
    ]


# -- understanding and the fund ----------------------------------------------------------------


def test_what_was_understood_week_by_week(hood: Neighbourhood) -> None:
    def say(outcome: TurnOutcome, heard: float | None, meant: float | None) -> None:
        turn = new_turn()
        turns.begin(hood.session, turn_id=turn, member=hood.wang.id, channel="talk", now=hood.now)
        turns.finish(
            hood.session,
            turn,
            now=hood.now,
            outcome=outcome,
            heard_confidence=heard,
            intent_confidence=meant,
        )

    say(TurnOutcome.ANSWERED, 0.9, 0.8), say(TurnOutcome.REPAIRED, 0.5, 0.4)
    say(TurnOutcome.REFUSED, 0.1, 0.1)
    hood.now = china(3, 9)
    say(TurnOutcome.ANSWERED, None, 1.0), say(TurnOutcome.FAILED, None, None)
    turns.begin(hood.session, turn_id=new_turn(), member=hood.wang.id, channel="talk", now=hood.now)
    understood = of(hood).understanding
    assert (understood.whole.turns, understood.whole.error_percent) == (4, 50.0)
    assert (understood.whole.confidence, understood.whole.heard) == (73, 70)
    none, first, second, *_ = understood.by_week
    assert none.turns == 0 and none.error_percent is None and none.confidence is None
    assert (first.answered, first.repaired, first.confidence, first.heard) == (1, 1, 60, 70)
    assert (second.answered, second.failed, second.confidence, second.heard) == (1, 1, 100, None)


def test_the_fund_s_book_balances(hood: Neighbourhood) -> None:
    fund = ledger.fund_account(hood.session).id
    ledger.grant(
        hood.session,
        account_id=fund,
        minutes=100,
        reason="-",
        idempotency_key="fund",
        now=hood.now,
    )
    hood.now = china(4, 2)
    ledger.gift(
        hood.session,
        giver=hood.wang.id,
        receiver=hood.zhang.id,
        minutes=hood.balance(hood.wang).available,
        idempotency_key="all",
        now=hood.now,
    )
    hood.visited(60, service_kind=ServiceKind.MEALS)
    use = of(hood, APRIL).fund
    assert (use.opening, use.given[TransferKind.SETTLEMENT], use.visits) == (100, 60, 1)
    assert use.closing == hood.fund().posted == 40
    assert of(hood, MARCH).fund.closing == 100


# -- the roll of honour -------------------------------------------------------------------------


def wish(hood: Neighbourhood, member: Member, may_be_named: bool = True) -> None:
    honour.hear_wish(
        hood.session,
        member=MemberId(member.id),
        may_be_named=may_be_named,
        by=MemberId(hood.staff.id),
        now=hood.now,
    )


def done_by(hood: Neighbourhood, helper: Member, minutes: int) -> None:
    """This neighbour alone can be asked, and does it."""
    for one in (hood.zhang, hood.li, hood.zhao):
        one.takes_tasks = one is helper
    hood.session.flush()
    hood.visited(minutes)


def test_only_who_said_so_is_named(hood: Neighbourhood) -> None:
    done_by(hood, hood.zhang, 60), done_by(hood, hood.li, 90)
    assert of(hood).roll == honour.Roll([], [], unnamed=2)
    wish(hood, hood.zhang)
    roll = of(hood).roll
    assert [(one.rank, one.name, one.minutes) for one in roll.most_hours] == [(1, "张秀英", 60)]
    assert (roll.first_time, roll.unnamed) == (["张秀英"], 1)
    wish(hood, hood.zhang, may_be_named=False)
    assert of(hood).roll == honour.Roll([], [], unnamed=2)


def test_who_gave_as_much_shares_the_rank(hood: Neighbourhood) -> None:
    for helper, minutes in ((hood.zhang, 60), (hood.li, 60), (hood.zhao, 30)):
        done_by(hood, helper, minutes)
        wish(hood, helper)
    ranks = [(one.rank, one.name) for one in of(hood).roll.most_hours]
    assert ranks == [(1, "张秀英"), (1, "李建国"), (3, "赵铁柱")]


def test_the_first_time_is_only_once_and_a_reversed_one_is_none(hood: Neighbourhood) -> None:
    done_by(hood, hood.zhang, 60)
    hood.li.takes_tasks, hood.zhang.takes_tasks = True, False
    hood.session.flush()
    wrong = hood.visited(30)
    reverse(hood, transfer_of(hood, wrong))
    hood.now = china(4, 2)
    done_by(hood, hood.zhang, 60), done_by(hood, hood.li, 60)
    wish(hood, hood.zhang), wish(hood, hood.li)
    assert of(hood, MARCH).roll.first_time == ["张秀英"]
    assert of(hood, APRIL).roll.first_time == ["李建国"]
    assert of(hood, Period.read("2026-Q1")).roll.first_time == ["张秀英"]


def test_a_wish_is_heard_by_staff_alone_and_never_changes(hood: Neighbourhood) -> None:
    with pytest.raises(NotYours):
        honour.hear_wish(
            hood.session, member=hood.li.id, may_be_named=True, by=hood.zhang.id, now=hood.now
        )
    with pytest.raises(UnknownMember):
        honour.hear_wish(
            hood.session, member=MemberId(999), may_be_named=True, by=hood.staff.id, now=hood.now
        )
    wish(hood, hood.li), wish(hood, hood.li)
    assert hood.session.query(honour.HonourWish).count() == 1
    for deed in ("UPDATE honour_wish SET may_be_named = false", "DELETE FROM honour_wish"):
        with pytest.raises(IntegrityError, match="a wish"), hood.session.begin_nested():
            hood.session.execute(text(deed))


def test_staff_see_whom_they_may_still_ask(hood: Neighbourhood) -> None:
    done_by(hood, hood.zhang, 60), done_by(hood, hood.li, 60)
    wish(hood, hood.zhang)
    found = honour.givers(hood.session, MARCH, by=MemberId(hood.staff.id), now=hood.now)
    assert [(one.name, one.may_be_named) for one in found] == [("李建国", None), ("张秀英", True)]
    with pytest.raises(NotYours):
        honour.givers(hood.session, MARCH, by=MemberId(hood.li.id), now=hood.now)
