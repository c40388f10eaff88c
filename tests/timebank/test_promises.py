"""Nobody promises to be in two places at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import exchange
from actions.timebank.errors import AlreadyPromised
from actions.timebank.model import Offer
from actions.timebank.states import OfferState, ServiceKind
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def two_offers(home: Neighbourhood, shift: int, kind: ServiceKind) -> tuple[Offer, Offer]:
    """张秀英 is asked for an hour tomorrow, and by 陈干事 for another one so many minutes later."""
    first = home.offer_of(home.ask())
    later = first.request.starts_at + timedelta(minutes=shift)
    asked = {"elder": home.staff.id, "service_kind": kind, "starts_at": later}
    second = home.offer_of(home.ask(**asked, wanted_helper=home.zhang.id))
    assert first.helper is second.helper is home.zhang
    return first, second


def accept(home: Neighbourhood, offer: Offer) -> None:
    exchange.accept_offer(home.session, helper=home.zhang.id, offer_id=offer.id, now=home.now)


@pytest.mark.parametrize(
    ("shift", "overlaps"), [(-60, False), (-59, True), (0, True), (59, True), (60, False)]
)
def test_the_second_promise_for_the_same_time_is_refused_with_the_first(
    home: Neighbourhood, shift: int, overlaps: bool
) -> None:
    first, second = two_offers(home, shift, ServiceKind.MEALS)
    accept(home, first)
    if not overlaps:
        accept(home, second)
        return
    with pytest.raises(AlreadyPromised) as refused:
        accept(home, second)
    promised = {"elder": "王奶奶", "starts_at": first.request.starts_at}
    assert refused.value.facts == promised
    assert second.state is OfferState.PENDING
    accept(home, first)  # Saying the first yes again is still fine.


def test_urgent_help_goes_before_what_was_promised(home: Neighbourhood) -> None:
    first, second = two_offers(home, 0, ServiceKind.URGENT_HELP)
    accept(home, first)
    accept(home, second)
    assert second.state is OfferState.ACCEPTED


def test_what_is_done_takes_no_more_time(home: Neighbourhood) -> None:
    first, second = two_offers(home, 30, ServiceKind.MEALS)
    accept(home, first)
    home.claim(first.request.assignments[0], 20)
    assert home.offer_of(home.ask()).helper is home.zhang
    accept(home, second)


def test_what_was_given_back_is_no_promise(home: Neighbourhood) -> None:
    first, second = two_offers(home, 0, ServiceKind.MEALS)
    accept(home, first)
    exchange.cancel_request(
        home.session, by=home.wang.id, request_id=first.request_id, now=home.now
    )
    accept(home, second)
