"""How long a neighbour may think it over, also when he sleeps in between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import offers
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.deadlines import expire_due
from actions.timebank.model import ServiceRequest
from actions.timebank.states import ServiceKind
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import settle_in


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=VILLAGE_ZONE)


@pytest.mark.parametrize(
    "offered, starts_at, until",
    [
        # By day nothing is different.
        (at(2, 9), at(2, 12), at(2, 9, 15)),
        (at(2, 9), at(3, 9), at(2, 10)),
        # While he sleeps he thinks nothing over.
        (at(2, 21), at(3, 20), at(3, 7, 30)),
        (at(3, 2), at(3, 20), at(3, 7, 30)),
        (at(2, 22), at(3, 7), at(3, 6, 45)),
        (at(2, 22), at(5, 9), at(3, 10, 30)),
        # What he had no time for before bedtime he has after it.
        (at(2, 20, 50), at(3, 20), at(3, 7, 20)),
        (at(2, 20, 50), at(3, 7), at(3, 6, 45)),
        (at(2, 19), at(5, 9), at(3, 8, 30)),
        (at(2, 20), at(3, 20), at(3, 6, 30)),
        # What begins before anybody wakes is asked and answered in the night.
        (at(2, 22), at(3, 5), at(2, 23)),
        (at(2, 20, 58), at(2, 23), at(2, 21, 13)),
    ],
)
def test_hours_of_sleep_do_not_count(
    offered: datetime, starts_at: datetime, until: datetime
) -> None:
    request = ServiceRequest(service_kind=ServiceKind.SHOPPING, starts_at=starts_at)
    assert offers.answer_until(request, offered) == until


def test_urgent_help_does_not_wait_for_the_morning() -> None:
    request = ServiceRequest(service_kind=ServiceKind.URGENT_HELP, starts_at=at(2, 23))
    assert offers.answer_until(request, at(2, 23)) == at(2, 23, 5)


def test_at_night_nobody_loses_an_offer_by_sleeping(session: Session, clock: FakeClock) -> None:
    home = settle_in(session, clock.now)
    home.now = at(2, 22)
    request = home.ask(starts_at=at(3, 20))
    for minutes in range(0, 9 * 60, 30):
        swept = expire_due(session, now=home.now + timedelta(minutes=minutes))
        assert swept.offers == []
    assert home.offer_of(request).helper is home.zhang
    assert expire_due(session, now=at(3, 7, 30)).offers != []


def test_without_a_house_the_lane_is_told(session: Session, clock: FakeClock) -> None:
    home = settle_in(session, clock.now)
    home.wang.place = ""
    home.ask()
    assert [told["place"] for told in home.notices(home.zhang, "offer_made")] == ["桂花巷"]
