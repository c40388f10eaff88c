"""What the passing of time decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import queries, visits
from actions.timebank.deadlines import answer_limit, expire_due
from actions.timebank.errors import WrongState
from actions.timebank.model import Dispute, ServiceRequest
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    HoldState,
    OfferState,
    RequestState,
    ServiceKind,
)
from tests.timebank.builders import MORNING, FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


@pytest.mark.parametrize(
    ("kind", "hours_ahead", "limit"),
    [
        (ServiceKind.URGENT_HELP, 0, timedelta(minutes=5)),
        (ServiceKind.URGENT_HELP, 72, timedelta(minutes=5)),
        (ServiceKind.SHOPPING, -0.2, timedelta(minutes=15)),
        (ServiceKind.SHOPPING, 4, timedelta(minutes=15)),
        (ServiceKind.SHOPPING, 4.01, timedelta(hours=1)),
        (ServiceKind.SHOPPING, 24, timedelta(hours=1)),
        (ServiceKind.SHOPPING, 24.01, timedelta(hours=4)),
    ],
)
def test_the_nearer_the_need_the_shorter_the_time_to_think(
    kind: ServiceKind, hours_ahead: float, limit: timedelta
) -> None:
    request = ServiceRequest(service_kind=kind, starts_at=MORNING + timedelta(hours=hours_ahead))
    assert answer_limit(request, MORNING) == limit


def test_an_unanswered_offer_goes_to_the_next_neighbour(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    almost = offer.expires_at - timedelta(seconds=1)
    assert expire_due(home.session, now=almost).offers == []
    assert offer.state is OfferState.PENDING

    assert expire_due(home.session, now=offer.expires_at).offers == [offer.id]
    assert offer.state is OfferState.EXPIRED
    assert home.offer_of(request).helper is home.li
    (gone,) = home.notices(home.zhang, "offer_gone")
    assert gone == {"offer_id": offer.id, "elder": "王奶奶", "kind": "shopping"}
    (told,) = home.notices(home.wang, "request_passed_on")
    assert (told["previous"], told["helper"]) == ("张秀英", "李建国")


def test_a_second_sweep_finds_nothing_more(home: Neighbourhood) -> None:
    request = home.ask()
    now = home.offer_of(request).expires_at
    expire_due(home.session, now=now)
    again = expire_due(home.session, now=now)
    assert (again.offers, again.requests, again.no_shows) == ([], [], [])


def test_when_nobody_answers_staff_and_elder_hear_of_it_and_at_last_it_expires(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    while (offer := queries.pending_offer_of(home.session, request.id)) is not None:
        expire_due(home.session, now=offer.expires_at)
    assert request.state is RequestState.OPEN
    assert len(home.notices(home.wang, "no_neighbour")) == 1
    assert len(home.notices(home.staff, "staff_no_neighbour")) == 1

    still_welcome = request.starts_at + timedelta(minutes=59)
    assert expire_due(home.session, now=still_welcome).requests == []
    over = request.starts_at + timedelta(minutes=60)
    assert expire_due(home.session, now=over).requests == [request.id]
    assert (request.state, request.ended_at) == (RequestState.EXPIRED, over)
    assert len(home.notices(home.wang, "request_expired")) == 1
    assert len(home.notices(home.staff, "staff_request_expired")) == 1


def test_a_request_whose_time_is_over_is_not_brought_to_a_next_neighbour(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    swept = expire_due(home.session, now=request.starts_at + timedelta(days=3))
    assert (swept.offers, swept.requests) == ([offer.id], [request.id])
    assert offer.state is OfferState.EXPIRED
    assert len(request.offers) == 1


def test_a_long_visit_may_still_begin_within_its_time(home: Neighbourhood) -> None:
    request = home.ask(service_kind=ServiceKind.CLEANING, minutes=120)
    while home.decline(request) is not None:
        pass
    inside = request.starts_at + timedelta(minutes=119)
    assert expire_due(home.session, now=inside).requests == []
    assert expire_due(home.session, now=inside + timedelta(minutes=1)).requests == [request.id]


def test_an_urgent_call_for_now_is_not_over_at_once(home: Neighbourhood) -> None:
    request = home.ask(
        service_kind=ServiceKind.URGENT_HELP,
        minutes=5,
        starts_at=home.now - timedelta(minutes=14),
    )
    expire_due(home.session, now=home.now + timedelta(minutes=5))
    assert home.offer_of(request).helper is home.li


def test_a_promise_never_kept_gives_the_minutes_back_and_goes_to_staff(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    day_after = request.starts_at + timedelta(hours=24)
    assert expire_due(home.session, now=day_after - timedelta(seconds=1)).no_shows == []
    assert expire_due(home.session, now=day_after).no_shows == [request.id]
    assert assignment.state is AssignmentState.RELEASED
    assert [hold.state for hold in assignment.holds] == [HoldState.EXPIRED]
    assert home.balance(home.wang).available == 120
    assert request.state is RequestState.DISPUTED
    (dispute,) = home.session.execute(select(Dispute)).scalars()
    assert (dispute.kind, dispute.request_id) == (DisputeKind.NO_SHOW, request.id)
    assert len(home.notices(home.zhang, "no_show_told")) == 1
    assert len(home.notices(home.staff, "staff_dispute")) == 1
    with pytest.raises(WrongState):
        home.claim(assignment, 60)


def test_a_visit_somebody_spoke_of_is_no_empty_promise(home: Neighbourhood) -> None:
    said_by_elder, begun = home.ask(), home.ask(starts_at=home.now + timedelta(days=2))
    home.accepted(said_by_elder)
    home.confirm(said_by_elder, minutes=60)
    started = home.accepted(begun)
    visits.start_visit(
        home.session, helper=started.helper_id, assignment_id=started.id, now=home.now
    )
    assert expire_due(home.session, now=home.now + timedelta(days=9)).no_shows == []
    assert home.balance(home.wang).held == 120


def test_a_clock_set_back_ends_nothing(home: Neighbourhood) -> None:
    request = home.ask()
    home.accepted(request)
    waiting = home.ask()
    swept = expire_due(home.session, now=home.now - timedelta(days=400))
    assert (swept.offers, swept.requests, swept.no_shows) == ([], [], [])
    assert home.offer_of(waiting).state is OfferState.PENDING


def test_a_claim_that_nobody_answers_is_brought_up_again_once(home: Neighbourhood) -> None:
    request = home.ask()
    home.claim(home.accepted(request), 60)
    assert expire_due(home.session, now=home.now).unconfirmed == []
    day_after = home.now + timedelta(hours=25)
    assert expire_due(home.session, now=day_after).unconfirmed == [request.id]
    assert expire_due(home.session, now=day_after).unconfirmed == []
    assert len(home.notices(home.wang, "visit_claimed")) == 2
    (told,) = home.notices(home.staff, "staff_unconfirmed")
    assert (told["elder"], told["minutes"]) == ("王奶奶", 60)
