"""The days that helpers named, and who is asked on them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import availability, members
from actions.timebank.availability import WeeklyTime
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.matching import Reason
from actions.timebank.model import Availability, Member, Relation
from actions.timebank.states import DayPart, RelationKind
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import WILLING, Neighbourhood, settle_in

TUESDAY_MORNING = (1, DayPart.MORNING)
"""When `Neighbourhood.ask` wants help."""
SUNDAY = (6, DayPart.EVENING)


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def named(home: Neighbourhood, who: Member, *times: WeeklyTime) -> None:
    members.offer_help(home.session, member=who.id, kinds=[], times=times)


@pytest.mark.parametrize(
    "hour, part",
    [
        (0, DayPart.MORNING),
        (11, DayPart.MORNING),
        (12, DayPart.AFTERNOON),
        (17, DayPart.AFTERNOON),
        (18, DayPart.EVENING),
        (23, DayPart.EVENING),
    ],
)
def test_the_day_has_three_parts_by_the_villages_clock(hour: int, part: DayPart) -> None:
    sunday = datetime(2026, 3, 1, hour, 30, tzinfo=VILLAGE_ZONE)
    assert availability.weekly_time(sunday) == (6, part)


def test_times_are_added_to_those_from_before_and_kept_once(home: Neighbourhood) -> None:
    named(home, home.zhang, TUESDAY_MORNING, TUESDAY_MORNING)
    named(home, home.zhang, TUESDAY_MORNING, SUNDAY)
    times = availability.named_times(home.session, {home.zhang.id, home.li.id})
    assert times == {home.zhang.id: {TUESDAY_MORNING, SUNDAY}}
    assert home.session.query(Availability).count() == 2


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_week_has_seven_days(home: Neighbourhood, weekday: int) -> None:
    with pytest.raises(ValueError, match="weekday"):
        named(home, home.zhang, (weekday, DayPart.MORNING))
    with pytest.raises(IntegrityError), home.session.begin_nested():
        home.session.add(
            Availability(member_id=home.zhang.id, weekday=weekday, part=DayPart.MORNING)
        )


def test_of_equally_near_neighbours_who_named_the_day_is_asked_first(home: Neighbourhood) -> None:
    near = make_member(home.session, "孙桂兰", now=home.now, takes_tasks=True, skills=WILLING)
    home.visited(10)  # 张秀英 helped before.
    named(home, near, TUESDAY_MORNING)
    request = home.ask()
    assert home.offer_of(request).helper is near
    assert {"code": Reason.NAMED_DAY.value} in home.offer_of(request).why


def test_who_named_other_days_is_asked_only_when_nobody_else_can(home: Neighbourhood) -> None:
    named(home, home.zhang, SUNDAY)
    request = home.ask()
    order = [home.offer_of(request).helper.name]
    while home.decline(request):
        order.append(home.offer_of(request).helper.name)
    assert order == ["李建国", "赵铁柱", "张秀英"]


def test_kin_who_can_come_go_before_who_cannot(home: Neighbourhood) -> None:
    home.session.add(
        Relation(member_id=home.wang.id, other_id=home.zhao.id, kind=RelationKind.KIN, label="")
    )
    named(home, home.zhang, SUNDAY)
    named(home, home.li, SUNDAY)
    assert home.offer_of(home.ask()).helper is home.zhao


def test_whom_she_asks_for_by_name_is_asked_on_any_day(home: Neighbourhood) -> None:
    named(home, home.zhao, SUNDAY)
    assert home.offer_of(home.ask(wanted_helper=home.zhao.id)).helper is home.zhao


def test_on_the_named_day_the_nearest_still_comes_first(home: Neighbourhood) -> None:
    named(home, home.zhao, TUESDAY_MORNING)
    assert home.offer_of(home.ask()).helper is home.zhang


def test_the_same_weekday_in_another_week_is_the_same_time(home: Neighbourhood) -> None:
    named(home, home.zhang, SUNDAY)
    evening = home.now + timedelta(days=13, hours=10)
    assert home.offer_of(home.ask(starts_at=evening)).helper is home.zhang
