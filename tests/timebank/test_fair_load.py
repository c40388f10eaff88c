"""Nobody is asked again and again."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import deadlines, exchange, queries
from actions.timebank.fair_load import (
    MOST_A_DAY,
    MOST_A_DAY_IN_SILENCE,
    MOST_A_WEEK,
    REST_AFTER_NO,
    SILENCES,
)
from actions.timebank.matching import Reason, candidates
from actions.timebank.model import Member, Offer, ServiceRequest
from actions.timebank.states import OfferState, RequestState, ServiceKind
from tests.small_village import Street, build_village
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import WILLING, Neighbourhood, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def was_asked(
    home: Neighbourhood, who: Member, times: int, *, ago: timedelta, state: OfferState
) -> None:
    """Offers of a request long ended, as bare rows."""
    request = home.ask(elder=home.staff.id, service_kind=ServiceKind.MEALS)
    exchange.cancel_request(home.session, by=home.staff.id, request_id=request.id, now=home.now)
    for offer in request.offers:
        home.session.delete(offer)
    for _ in range(times):
        home.session.add(
            Offer(
                request_id=request.id,
                helper_id=who.id,
                state=state,
                offered_at=home.now - ago,
                expires_at=home.now,
                answered_at=home.now - ago,
            )
        )
    home.session.flush()


def asked_next(home: Neighbourhood, **fields: Any) -> str | None:
    request = home.ask(**{"minutes": 10, **fields})
    offer = queries.pending_offer_of(home.session, request.id)
    return None if offer is None else str(offer.helper.name)


@pytest.mark.parametrize(
    "times, ago, first",
    [
        (MOST_A_DAY - 1, timedelta(hours=23), "张秀英"),
        (MOST_A_DAY, timedelta(hours=23), "李建国"),
        (MOST_A_DAY, timedelta(hours=24), "张秀英"),
        (MOST_A_WEEK - 1, timedelta(days=6), "张秀英"),
        (MOST_A_WEEK, timedelta(days=6, hours=23), "李建国"),
        (MOST_A_WEEK, timedelta(days=7), "张秀英"),
    ],
)
def test_who_was_asked_enough_is_left_in_peace(
    home: Neighbourhood, times: int, ago: timedelta, first: str
) -> None:
    was_asked(home, home.zhang, times, ago=ago, state=OfferState.ACCEPTED)
    assert asked_next(home) == first


def test_what_was_called_off_rang_the_telephone_too(home: Neighbourhood) -> None:
    for _ in range(MOST_A_DAY):
        request = home.ask()
        assert home.offer_of(request).helper is home.zhang
        exchange.cancel_request(home.session, by=home.wang.id, request_id=request.id, now=home.now)
    assert asked_next(home) == "李建国"


def test_also_whom_she_names_again_and_again_is_spared(home: Neighbourhood) -> None:
    was_asked(home, home.zhang, MOST_A_DAY, ago=timedelta(hours=1), state=OfferState.ACCEPTED)
    assert asked_next(home, wanted_helper=home.zhang.id) == "李建国"


def test_an_emergency_knows_no_limit(home: Neighbourhood) -> None:
    was_asked(home, home.zhang, MOST_A_WEEK, ago=timedelta(minutes=5), state=OfferState.DECLINED)
    assert asked_next(home, service_kind=ServiceKind.URGENT_HELP) == "张秀英"


def test_after_a_no_there_is_rest(home: Neighbourhood) -> None:
    home.decline(home.ask())
    home.now += REST_AFTER_NO - timedelta(seconds=1)
    assert asked_next(home) == "李建国"
    home.now += timedelta(seconds=1)
    assert asked_next(home) == "张秀英"


def test_who_agreed_is_asked_about_another_time_although_he_was_asked_enough(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assert home.accepted(request).helper is home.zhang
    was_asked(home, home.zhang, MOST_A_DAY, ago=timedelta(hours=1), state=OfferState.ACCEPTED)
    exchange.change_request(
        home.session,
        elder=home.wang.id,
        request_id=request.id,
        turn_id="test:changed",
        starts_at=request.starts_at + timedelta(hours=3),
        now=home.now,
    )
    assert home.offer_of(request).helper is home.zhang


@pytest.mark.parametrize(
    "states, first",
    [
        ([OfferState.EXPIRED] * SILENCES, "李建国"),
        ([OfferState.EXPIRED] * (SILENCES - 1), "张秀英"),
        ([OfferState.EXPIRED] * SILENCES + [OfferState.DECLINED], "张秀英"),
        ([OfferState.EXPIRED] * SILENCES + [OfferState.WITHDRAWN], "李建国"),
    ],
)
def test_who_never_answers_is_asked_after_the_others(
    home: Neighbourhood, states: list[OfferState], first: str
) -> None:
    for state in states:
        was_asked(home, home.zhang, 1, ago=timedelta(days=2), state=state)
    assert asked_next(home) == first


def test_who_never_answers_is_asked_no_oftener_than_once_a_day(home: Neighbourhood) -> None:
    was_asked(home, home.zhang, SILENCES, ago=timedelta(days=2), state=OfferState.EXPIRED)
    request = home.ask()
    home.li.takes_tasks = home.zhao.takes_tasks = False

    def may_be_asked() -> list[str]:
        best = candidates(home.session, request, now=home.now)
        return [candidate.helper.name for candidate in best]

    assert may_be_asked() == ["张秀英"]
    was_asked(
        home,
        home.zhang,
        MOST_A_DAY_IN_SILENCE,
        ago=timedelta(hours=1),
        state=OfferState.EXPIRED,
    )
    assert may_be_asked() == []


def test_when_all_were_asked_enough_staff_hear_of_it_instead(home: Neighbourhood) -> None:
    for helper in (home.zhang, home.li, home.zhao):
        was_asked(home, helper, MOST_A_DAY, ago=timedelta(hours=1), state=OfferState.ACCEPTED)
    request = home.ask()
    assert request.state is RequestState.OPEN
    (told,) = home.notices(home.staff, "staff_neighbours_spared")
    assert (told["elder"], told["place"]) == ("王奶奶", "老槐树旁")
    assert home.notices(home.staff, "staff_no_neighbour") == []


def test_who_was_spared_is_asked_when_he_has_rested_and_she_hears_of_it(
    home: Neighbourhood,
) -> None:
    for helper in (home.zhang, home.li, home.zhao):
        was_asked(home, helper, MOST_A_DAY, ago=timedelta(hours=1), state=OfferState.ACCEPTED)
    request = home.ask(starts_at=home.now + timedelta(days=3))
    deadlines.expire_due(home.session, now=home.now + timedelta(hours=22))
    assert request.state is RequestState.OPEN
    for _ in range(2):
        deadlines.expire_due(home.session, now=home.now + timedelta(hours=23, minutes=1))
    assert home.offer_of(request).helper is home.zhang
    (told,) = home.notices(home.wang, "request_asked_again")
    assert told["helper"] == "张秀英"


def test_who_said_no_to_this_is_not_asked_it_again_after_his_rest(home: Neighbourhood) -> None:
    request = home.ask(starts_at=home.now + timedelta(days=3))
    while home.decline(request) is not None:
        pass
    deadlines.expire_due(home.session, now=home.now + timedelta(days=2))
    assert request.state is RequestState.OPEN and len(request.offers) == 3


# Whatever happens


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("fair") / "village.db"
    build_village(file)
    return file


steps = st.lists(
    st.tuples(
        st.sampled_from([ServiceKind.SHOPPING, ServiceKind.CLEANING, ServiceKind.MEALS]),
        st.sampled_from(["accept", "decline", "silence", "cancel", "wait"]),
        st.integers(0, 300),
    ),
    min_size=5,
    max_size=40,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(helpers=st.integers(1, 4), days=steps)
def test_in_any_village_nobody_is_asked_beyond_the_limits_or_before_his_turn(
    built: Path, tmp_path: Path, helpers: int, days: list[tuple[ServiceKind, str, int]]
) -> None:
    street = Street.copied(built, tmp_path / "village.db")
    with street.neighbourhood() as home:
        for number in range(helpers):
            newcomer = {"now": home.now, "takes_tasks": True, "skills": WILLING}
            make_member(home.session, f"村民{number}", **newcomer)
        for kind, what, minutes in days:
            _live(home, kind, what)
            home.now += timedelta(minutes=minutes)
            deadlines.expire_due(home.session, now=home.now)
        _nobody_was_asked_too_often(home.session)
    street.village.engine.dispose()


def _live(home: Neighbourhood, kind: ServiceKind, what: str) -> None:
    request = home.ask(service_kind=kind, minutes=5)
    offer = queries.pending_offer_of(home.session, request.id)
    best = candidates(home.session, request, now=home.now, sparing=True)
    assert offer is not None or best == []
    if offer is not None:
        _it_was_his_turn(home, request, offer, [one.helper for one in best])
    if offer is None or what == "cancel":
        about = {"by": home.wang.id, "request_id": request.id, "now": home.now}
        exchange.cancel_request(home.session, **about)
    elif what == "accept":
        assignment = home.accepted(request)
        home.claim(assignment, 1)
        home.confirm(request, 0)  # Nothing moves: her minutes never run out, nobody is preferred.
    elif what == "decline":
        home.decline(request)


def _it_was_his_turn(
    home: Neighbourhood, request: ServiceRequest, offer: Offer, others: list[Member]
) -> None:
    """Of the neighbours of one lane who may be asked, none was asked less."""
    counted = Counter(
        home.session.execute(
            select(Offer.helper_id).where(Offer.state != OfferState.WITHDRAWN, Offer.id != offer.id)
        ).scalars()
    )
    silent = [one.id for one in others if _is_silent(home.session, one.id)]
    equals = [
        one.id for one in others if one.lane_id == offer.helper.lane_id and one.id not in silent
    ]
    if offer.helper_id not in silent:
        assert all(counted[offer.helper_id] <= counted[equal] for equal in equals)


def _is_silent(session: Session, helper: int) -> bool:
    ended = (
        session.execute(
            select(Offer.state)
            .where(
                Offer.helper_id == helper,
                Offer.state.not_in([OfferState.PENDING, OfferState.WITHDRAWN]),
            )
            .order_by(Offer.id.desc())
            .limit(SILENCES)
        )
        .scalars()
        .all()
    )
    return list(ended) == [OfferState.EXPIRED] * SILENCES


def _nobody_was_asked_too_often(session: Session) -> None:
    asked: dict[int, list[datetime]] = defaultdict(list)
    for offer in session.execute(select(Offer).order_by(Offer.offered_at, Offer.id)).scalars():
        asked[offer.helper_id].append(offer.offered_at)
    for moments in asked.values():
        for moment in moments:
            day = [one for one in moments if moment <= one < moment + timedelta(days=1)]
            week = [one for one in moments if moment <= one < moment + timedelta(days=7)]
            assert len(day) <= MOST_A_DAY and len(week) <= MOST_A_WEEK


@pytest.mark.parametrize("helpers", [2, 3, 5])
def test_among_equals_who_all_say_yes_the_load_differs_by_one_at_most(
    home: Neighbourhood, helpers: int
) -> None:
    for usual in (home.zhang, home.li, home.zhao):
        usual.takes_tasks = False
    equals = [
        make_member(home.session, f"村民{n}", now=home.now, takes_tasks=True, skills=WILLING)
        for n in range(helpers)
    ]
    for asked in range(1, 3 * helpers + 2):
        request = home.ask(minutes=5, starts_at=home.now + timedelta(hours=asked))
        home.accepted(request)
        home.claim(request.assignments[0], 1)
        home.confirm(request, 0)
        counts = Counter(offer.helper_id for offer in home.session.query(Offer))
        loads = [counts[one.id] for one in equals]
        assert sum(loads) == asked and max(loads) - min(loads) <= 1
        assert Reason.SAME_LANE.value in [why["code"] for why in request.offers[0].why]
