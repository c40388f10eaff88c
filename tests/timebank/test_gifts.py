"""Hours given away: only one's own, only what is not promised, and never twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.timebank import gifts, ledger
from actions.timebank.errors import BadMinutes, NotEnoughMinutes, UnknownMember
from actions.timebank.history import history
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Transfer
from actions.timebank.states import ServiceKind, TransferKind
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def give(home: Neighbourhood, receiver: Member | None, minutes: int, **told: Any) -> Transfer:
    given = {"giver": home.wang.id, "turn_id": new_turn(), "now": home.now, **told}
    to = None if receiver is None else receiver.id
    return gifts.give(home.session, receiver=to, minutes=minutes, **given)


def test_a_gift_moves_the_hours_and_the_neighbour_hears_who_gave_them(home: Neighbourhood) -> None:
    give(home, home.zhang, 90)
    assert (home.balance(home.wang).posted, home.balance(home.zhang).posted) == (30, 90)
    told = {"giver": "王奶奶", "minutes": 90, "balance": 90}
    assert home.notices(home.zhang, "gift_received") == [told]
    assert home.notices(home.staff, "staff_gift_to_fund") == []


def test_what_is_given_to_the_village_goes_to_the_fund_and_the_staff_hear_of_it(
    home: Neighbourhood,
) -> None:
    made = give(home, None, 50)
    assert made.kind is TransferKind.GIFT
    assert (home.balance(home.wang).posted, home.fund().posted) == (70, 50)
    assert home.notices(home.staff, "staff_gift_to_fund") == [{"giver": "王奶奶", "minutes": 50}]
    assert ledger.verify(home.session).intact


def test_the_fund_has_no_name_in_the_history_and_a_neighbour_has(home: Neighbourhood) -> None:
    give(home, home.zhang, 20)
    give(home, None, 10)
    lines = history(home.session, home.wang.id, limit=2)
    assert [(line.minutes, line.other_name) for line in lines] == [(-10, None), (-20, "张秀英")]


def test_the_same_turn_gives_once_even_when_nothing_is_left(home: Neighbourhood) -> None:
    turn = TurnId("talk:1:a")
    first, again = (give(home, home.zhang, 120, turn_id=turn) for _ in range(2))
    assert first.id == again.id
    assert home.balance(home.zhang).posted == 120
    assert len(home.notices(home.zhang, "gift_received")) == 1


def test_promised_hours_cannot_be_given(home: Neighbourhood) -> None:
    home.accepted(home.ask(minutes=60))
    with pytest.raises(NotEnoughMinutes) as refused:
        give(home, home.zhang, 61)
    assert refused.value.facts == {"what": "gift", "needed": 61, "available": 60}
    give(home, home.zhang, 60)


def test_hours_that_help_was_asked_with_cannot_be_given(home: Neighbourhood) -> None:
    """Or the fund would pay for the visit."""
    home.ask(minutes=100)
    with pytest.raises(NotEnoughMinutes):
        give(home, home.zhang, 21)
    home.ask(minutes=100, service_kind=ServiceKind.MEALS)
    give(home, home.zhang, 20)


def test_who_has_nothing_is_told_so(home: Neighbourhood) -> None:
    with pytest.raises(NotEnoughMinutes) as refused:
        give(home, home.wang, 1, giver=home.zhang.id)
    assert refused.value.facts["what"] == "gift_none" and refused.value.facts["available"] == 0


@pytest.mark.parametrize("minutes", [0, -5])
def test_a_gift_takes_nothing_from_who_receives_it(home: Neighbourhood, minutes: int) -> None:
    with pytest.raises(BadMinutes):
        give(home, home.zhang, minutes)


def test_nobody_receives_who_is_not_here(home: Neighbourhood) -> None:
    gone = make_member(home.session, "孙玉梅", now=home.now, left_at=home.now)
    for receiver in (gone.id, home.wang.id, MemberId(404)):
        with pytest.raises(UnknownMember):
            gifts.give(
                home.session,
                giver=home.wang.id,
                receiver=receiver,
                minutes=10,
                turn_id=new_turn(),
                now=home.now,
            )
    assert home.balance(home.wang).posted == 120
