"""How visits were: who hears of it, and what it does to who is asked next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import ratings
from actions.timebank.errors import NothingOpen, NotYours
from actions.timebank.ids import MemberId, TurnId, VisitId
from actions.timebank.matching import Reason, candidates
from actions.timebank.model import Notice, Rating, Visit
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def visited(home: Neighbourhood, **fields: Any) -> Visit:
    home.visited(20, **fields)
    return ratings.settled_visits(home.session, home.wang.id)[0]


def rate(home: Neighbourhood, visit: Visit, stars: int | None, **told: Any) -> Rating:
    about: dict[str, Any] = {"rater": home.wang.id, "words": "还行", "turn_id": new_turn()}
    about = {**about, "visit_id": visit.id, "now": home.now, **told}
    return ratings.rate(home.session, stars=stars, **about)


def told(home: Neighbourhood) -> list[str]:
    return [kind for (kind,) in home.session.query(Notice.kind).order_by(Notice.id)]


def test_the_last_settled_visit_comes_first(home: Neighbourhood) -> None:
    first = visited(home)
    home.now = home.now.replace(hour=5)
    second = visited(home, wanted_helper=home.li.id)
    assert ratings.settled_visits(home.session, home.wang.id) == [second, first]
    assert ratings.settled_visits(home.session, home.zhang.id) == []


@pytest.mark.parametrize("stars", [4, 5])
def test_a_good_mark_is_the_helpers_thanks_without_the_number(
    home: Neighbourhood, stars: int
) -> None:
    rate(home, visited(home), stars)
    praise = {"elder": "王奶奶", "kind": "shopping"}
    assert home.notices(home.zhang, "visit_praised") == [praise]
    assert home.notices(home.staff, "staff_low_rating") == []


@pytest.mark.parametrize("stars", [1, 2])
def test_a_poor_mark_is_the_staffs_to_mend_and_the_helper_hears_nothing(
    home: Neighbourhood, stars: int
) -> None:
    visit = visited(home)
    before = len(told(home))
    rate(home, visit, stars, words="饭夹生")
    assert told(home)[before:] == ["staff_low_rating"]
    [facts] = home.notices(home.staff, "staff_low_rating")
    assert facts == {
        "elder": "王奶奶",
        "helper": "张秀英",
        "kind": "shopping",
        "stars": stars,
        "words": "饭夹生",
    }


def test_a_helper_who_is_staff_does_not_hear_who_was_unhappy_with_him(home: Neighbourhood) -> None:
    home.zhang.is_coordinator = True
    rate(home, visited(home), 1)
    assert home.notices(home.zhang, "staff_low_rating") == []
    assert len(home.notices(home.staff, "staff_low_rating")) == 1


@pytest.mark.parametrize("stars", [3, None])
def test_a_middling_mark_and_mere_words_are_kept_and_told_to_nobody(
    home: Neighbourhood, stars: int | None
) -> None:
    visit = visited(home)
    before = len(told(home))
    kept = rate(home, visit, stars, words="就那样")
    assert (kept.stars, kept.words) == (stars, "就那样")
    assert len(told(home)) == before


def test_a_correction_is_a_new_row_and_the_newest_counts(home: Neighbourhood) -> None:
    visit = visited(home)
    rate(home, visit, 2)
    assert ratings.poor_visits(home.session, home.wang.id) == {visit.id}
    rate(home, visit, 4)
    rate(home, visit, 5)
    assert ratings.poor_visits(home.session, home.wang.id) == set()
    assert home.session.query(Rating).count() == 3
    assert len(home.notices(home.zhang, "visit_praised")) == 1, "thanked once for a visit"


def test_the_same_turn_rates_once_and_belongs_to_its_rater(home: Neighbourhood) -> None:
    visit, turn = visited(home), TurnId("talk:1:a")
    assert rate(home, visit, 1, turn_id=turn) is rate(home, visit, 5, turn_id=turn)
    with pytest.raises(NotYours):
        rate(home, visit, 5, turn_id=turn, rater=home.zhao.id)
    assert len(home.notices(home.staff, "staff_low_rating")) == 1


@pytest.mark.parametrize("stars", [0, 6, -1, 100])
def test_marks_are_from_one_to_five(home: Neighbourhood, stars: int) -> None:
    with pytest.raises(ratings.BadRating):
        rate(home, visited(home), stars)


def test_the_database_refuses_other_marks_too(home: Neighbourhood) -> None:
    row = {"visit_id": visited(home).id, "rater_id": home.wang.id, "made_at": home.now}
    with pytest.raises(IntegrityError), home.session.begin_nested():
        home.session.add(Rating(stars=6, words="", turn_id="x", **row))


def test_nobody_rates_anothers_visit_or_his_own(home: Neighbourhood) -> None:
    visit = visited(home)
    for stranger in (home.zhao, home.zhang, home.staff):
        with pytest.raises(NotYours):
            rate(home, visit, 5, rater=MemberId(stranger.id))
    assert home.session.query(Rating).count() == 0


def test_a_visit_that_is_not_settled_cannot_be_rated(home: Neighbourhood) -> None:
    assignment = home.accepted(home.ask())
    home.claim(assignment, 60)
    for visit_id in (assignment.visit.id, 0, -1, 404, 2**40):
        with pytest.raises(NothingOpen):
            rate(home, assignment.visit, 5, visit_id=VisitId(visit_id))


def test_who_was_poor_the_last_time_is_no_longer_recommended(home: Neighbourhood) -> None:
    visit = visited(home)
    request = home.ask()

    def recommended() -> list[str]:
        people = candidates(home.session, request, now=home.now)
        return [one.helper.name for one in people if Reason.HELPED_BEFORE in one.reasons]

    home.decline(request)
    home.now += timedelta(hours=1)
    request.starts_at = home.now.replace(day=20)
    assert recommended() == ["张秀英"]
    rate(home, visit, 1)
    assert recommended() == []
