"""What is told of visits that are near."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import coming_visits, exchange, visits
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.deadlines import expire_due
from actions.timebank.model import Assignment, Notice
from actions.timebank.states import ServiceKind
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    """Monday, nine in the morning."""
    return settle_in(session, clock.now)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=VILLAGE_ZONE)


def promised(home: Neighbourhood, starts_at: datetime, **fields: object) -> Assignment:
    return home.accepted(home.ask(starts_at=starts_at, minutes=20, **fields))


def told(home: Neighbourhood, now: datetime) -> list[str]:
    """What this moment adds, to whom."""
    before = home.session.query(Notice).count()
    for _ in range(2):
        expire_due(home.session, now=now)
    news = home.session.query(Notice).order_by(Notice.id).offset(before)
    names = {one.id: one.name for one in (home.wang, home.zhang, home.li, home.zhao, home.staff)}
    return [f"{names[notice.recipient_id]}: {notice.kind}" for notice in news]


BOTH = ["张秀英: visit_tomorrow", "王奶奶: helper_tomorrow"]


@pytest.mark.parametrize(
    "starts_at, now, expected",
    [
        (at(3, 9), at(2, 18, 29), []),
        (at(3, 9), at(2, 18, 30), BOTH),
        (at(3, 9), at(2, 20, 59), BOTH),
        (at(3, 9), at(2, 21), []),
        (at(3, 0), at(2, 19), BOTH),
        (at(3, 23, 59), at(2, 19), BOTH),
        (at(4, 0), at(2, 19), []),
        (at(2, 23), at(2, 19), []),
    ],
)
def test_the_evening_before_both_hear_of_tomorrow(
    home: Neighbourhood, starts_at: datetime, now: datetime, expected: list[str]
) -> None:
    promised(home, starts_at)
    assert told(home, now) == expected


def test_it_names_who_when_and_where_and_comes_once(home: Neighbourhood) -> None:
    promised(home, at(3, 9))
    told(home, at(2, 18, 30))
    assert told(home, at(2, 19)) == []
    (facts,) = home.notices(home.zhang, "visit_tomorrow")
    assert (facts["elder"], facts["place"]) == ("王奶奶", "老槐树旁")
    assert datetime.fromisoformat(facts["starts_at"]) == at(3, 9)
    (facts,) = home.notices(home.wang, "helper_tomorrow")
    assert (facts["helper"], facts["kind"]) == ("张秀英", "shopping")


@pytest.mark.parametrize(
    "accepted_at, expected", [(at(2, 17, 30), BOTH), (at(2, 17, 31), []), (at(2, 19), [])]
)
def test_what_was_only_just_promised_is_not_told_again(
    home: Neighbourhood, accepted_at: datetime, expected: list[str]
) -> None:
    home.now = accepted_at
    promised(home, at(3, 9))
    assert told(home, at(2, 20)) == expected


@pytest.mark.parametrize(
    "now, expected",
    [
        (at(2, 13, 59), []),
        (at(2, 14, 1), ["张秀英: visit_soon"]),
        (at(2, 15), ["张秀英: visit_soon"]),
        (at(2, 15, 1), []),
        (at(2, 15, 15), []),
        (at(2, 15, 16), ["张秀英: visit_late"]),
        (at(2, 17), ["张秀英: visit_late"]),
        (at(2, 17, 1), []),
    ],
)
def test_within_the_hour_he_is_reminded_and_afterwards_asked_once(
    home: Neighbourhood, now: datetime, expected: list[str]
) -> None:
    promised(home, at(2, 15))
    assert told(home, now) == expected
    assert told(home, now) == []


@pytest.mark.parametrize("minutes_before, expected", [(120, 1), (119, 0), (5, 0)])
def test_who_promised_for_very_soon_needs_no_reminding(
    home: Neighbourhood, minutes_before: int, expected: int
) -> None:
    home.now = at(2, 15) - timedelta(minutes=minutes_before)
    promised(home, at(2, 15))
    assert len(told(home, at(2, 14, 58))) == expected


def test_who_promised_late_is_given_time_to_get_there(home: Neighbourhood) -> None:
    request = home.ask(starts_at=at(2, 9), minutes=20, service_kind=ServiceKind.URGENT_HELP)
    home.now = at(2, 9, 20)
    home.accepted(request)
    assert told(home, at(2, 9, 30)) == []
    assert told(home, at(2, 9, 35)) == ["张秀英: visit_late"]


@pytest.mark.parametrize("what", ["started", "claimed", "confirmed", "cancelled"])
def test_nothing_is_told_of_what_has_begun_or_will_not_be(home: Neighbourhood, what: str) -> None:
    assignment = promised(home, at(2, 15))
    request = assignment.request
    if what == "started":
        about = {"helper": home.zhang.id, "assignment_id": assignment.id}
        visits.start_visit(home.session, now=home.now, **about)
    elif what == "claimed":
        home.claim(assignment, 20)
    elif what == "confirmed":
        home.confirm(request, 20)
    else:
        about = {"by": home.wang.id, "request_id": request.id}
        exchange.cancel_request(home.session, now=home.now, **about)
    assert told(home, at(2, 14, 30)) == told(home, at(2, 15, 30)) == []


# 今天有啥活


def test_today_and_tomorrow_are_listed_in_order(home: Neighbourhood) -> None:
    for starts_at in (at(3, 23, 59), at(2, 15), at(4, 1), at(3, 8)):
        promised(home, starts_at)
    listed = coming_visits.ahead(home.session, home.zhang.id, now=home.now)
    assert [one.request.starts_at for one in listed] == [at(2, 15), at(3, 8), at(3, 23, 59)]
    assert coming_visits.ahead(home.session, home.li.id, now=home.now) == []


def test_with_nothing_so_near_the_next_one_is_told(home: Neighbourhood) -> None:
    for starts_at in (at(9, 9), at(5, 9)):
        promised(home, starts_at)
    (listed,) = coming_visits.ahead(home.session, home.zhang.id, now=home.now)
    assert listed.request.starts_at == at(5, 9)


def test_what_waits_for_her_word_is_no_work_any_more(home: Neighbourhood) -> None:
    home.claim(promised(home, at(2, 15)), 20)
    assert coming_visits.ahead(home.session, home.zhang.id, now=home.now) == []
