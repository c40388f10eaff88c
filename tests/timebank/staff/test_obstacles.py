"""What must have ended before a double can leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from actions.timebank import (
    alarm_questions,
    alerts,
    disputes,
    exchange,
    members,
)
from actions.timebank.model import (
    CheckIn,
    Member,
    Merge,
    Offer,
)
from actions.timebank.staff import accounts
from actions.timebank.staff.merging import DoubleStillOpen
from actions.timebank.staff.obstacles import Obstacle
from actions.timebank.staff.roles import Role
from actions.timebank.states import CheckInState, ServiceKind
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import Neighbourhood, new_turn


def asks(hood: Neighbourhood, double: Member) -> None:
    hood.ask(elder=double.id)


def is_asked(hood: Neighbourhood, double: Member) -> None:
    for one in (hood.zhang, hood.li, hood.zhao):
        one.takes_tasks = False
    members.offer_help(hood.session, member=double.id, kinds=[ServiceKind.SHOPPING])
    hood.ask()


def has_promised(hood: Neighbourhood, double: Member) -> None:
    is_asked(hood, double)
    offer = hood.session.execute(select(Offer.id)).scalar_one()
    exchange.accept_offer(hood.session, helper=double.id, offer_id=offer, now=MORNING)


def complains(hood: Neighbourhood, double: Member) -> None:
    disputes.complain(hood.session, member=double.id, words="不对", turn_id=new_turn(), now=MORNING)


def cries(hood: Neighbourhood, double: Member) -> None:
    alerts.raise_alert(
        hood.session, member=double.id, words="救命", turn_id=new_turn(), now=MORNING
    )


def is_called(hood: Neighbourhood, double: Member) -> None:
    members.offer_help(hood.session, member=double.id, kinds=[ServiceKind.URGENT_HELP])
    alerts.raise_alert(
        hood.session, member=hood.wang.id, words="救命", turn_id=new_turn(), now=MORNING
    )


def may_have_cried(hood: Neighbourhood, double: Member) -> None:
    alarm_questions.ask(
        hood.session, member=double.id, words="哎哟", turn_id=new_turn(), now=MORNING
    )


def is_asked_how_she_is(hood: Neighbourhood, double: Member) -> None:
    asked = CheckIn(member_id=double.id, state=CheckInState.ASKED, due_at=MORNING, asked_at=MORNING)
    hood.session.add(asked)
    hood.session.flush()


def works_here(hood: Neighbourhood, double: Member) -> None:
    double.is_coordinator = True
    hood.session.flush()


def has_an_account(hood: Neighbourhood, double: Member) -> None:
    accounts.make(
        hood.session,
        member=double.id,
        login="xiuying",
        roles=[Role.VIEWER],
        password_hash="x",
        now=MORNING,
    )


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (asks, [Obstacle.REQUEST]),
        (is_asked, [Obstacle.OFFER]),
        (has_promised, [Obstacle.ASSIGNMENT]),
        (complains, [Obstacle.DISPUTE]),
        (cries, [Obstacle.ALARM]),
        (is_called, [Obstacle.ALARM]),
        (may_have_cried, [Obstacle.ALARM_QUESTION]),
        (is_asked_how_she_is, [Obstacle.CHECK_IN]),
        (works_here, [Obstacle.STAFF]),
        (has_an_account, [Obstacle.STAFF]),
    ],
)
def test_what_is_open_is_in_the_way(
    hood: Neighbourhood,
    double: Member,
    unite: Callable[..., Merge],
    begin: Callable[[Neighbourhood, Member], None],
    what: list[Obstacle],
) -> None:
    begin(hood, double)
    with pytest.raises(DoubleStillOpen) as refused:
        unite()
    assert refused.value.facts["what"] == what
    assert double.left_at is None
    assert hood.balance(double).posted == 90


def test_a_visit_under_way_is_in_the_way_of_both_sides(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    hood.accepted(hood.ask(elder=double.id))
    with pytest.raises(DoubleStillOpen) as refused:
        unite()
    assert refused.value.facts["what"] == [Obstacle.REQUEST, Obstacle.HOLD]
