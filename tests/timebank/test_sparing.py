"""What helpers wished not to be asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import members, sparing
from actions.timebank.errors import InThePast
from actions.timebank.model import DoNotAsk
from actions.timebank.states import ServiceKind
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def wishes(home: Neighbourhood) -> list[DoNotAsk]:
    return list(home.session.execute(select(DoNotAsk).order_by(DoNotAsk.id)).scalars())


def no_shopping(home: Neighbourhood, words: str = "我不会砍价") -> None:
    sparing.not_this_kind(
        home.session,
        helper=home.zhang.id,
        kind=ServiceKind.SHOPPING,
        words=words,
        now=home.now,
    )


def away(home: Neighbourhood, **span: float) -> None:
    until = home.now + timedelta(**span)
    sparing.away(home.session, helper=home.zhang.id, until=until, words="走亲戚", now=home.now)


def asked(home: Neighbourhood, **fields: object) -> str:
    return str(home.offer_of(home.ask(minutes=10, **fields)).helper.name)


def test_who_does_not_do_this_is_not_asked_for_it_but_for_other_things(
    home: Neighbourhood,
) -> None:
    no_shopping(home)
    assert asked(home) == "李建国"
    assert asked(home, wanted_helper=home.zhang.id) == "李建国"
    assert asked(home, service_kind=ServiceKind.MEALS) == "张秀英"


def test_who_is_away_is_not_asked_for_what_begins_before_his_return(home: Neighbourhood) -> None:
    away(home, days=7)
    almost = home.now + timedelta(days=7, seconds=-1)
    assert asked(home, starts_at=almost) == "李建国"
    assert asked(home, service_kind=ServiceKind.URGENT_HELP) == "李建国"
    assert asked(home, starts_at=home.now + timedelta(days=7)) == "张秀英"


def test_a_wish_is_kept_once_with_its_newest_words(home: Neighbourhood) -> None:
    for words in ("我不会砍价", "晕人" * 100):
        no_shopping(home, words)
    for days in (3, 9):
        away(home, days=days)
    kind, time = wishes(home)
    assert (kind.service_kind, kind.until, len(kind.words)) == (ServiceKind.SHOPPING, None, 120)
    assert (time.service_kind, time.until) == (None, home.now + timedelta(days=9))


def test_offering_help_again_undoes_it(home: Neighbourhood) -> None:
    no_shopping(home)
    away(home, days=7)
    members.offer_help(home.session, member=home.zhang.id, kinds=iter([ServiceKind.MEALS]))
    assert [wish.service_kind for wish in wishes(home)] == [ServiceKind.SHOPPING]
    members.offer_help(home.session, member=home.zhang.id, kinds=[ServiceKind.SHOPPING])
    assert wishes(home) == [] and asked(home) == "张秀英"


def test_nobodys_wish_is_anothers(home: Neighbourhood) -> None:
    no_shopping(home)
    members.offer_help(home.session, member=home.li.id, kinds=[ServiceKind.SHOPPING])
    assert len(wishes(home)) == 1


@pytest.mark.parametrize("days", [-1, 0])
def test_nobody_is_away_in_the_past(home: Neighbourhood, days: int) -> None:
    with pytest.raises(InThePast):
        away(home, days=days)
    assert wishes(home) == []


def test_a_misheard_year_does_not_lose_a_helper_for_ever(home: Neighbourhood) -> None:
    away(home, days=4000)
    assert wishes(home)[0].until == home.now + sparing.LONGEST_AWAY


def test_the_database_keeps_no_wish_about_nothing(home: Neighbourhood) -> None:
    home.session.add(DoNotAsk(member_id=home.zhang.id, said_at=home.now))
    with pytest.raises(IntegrityError, match="kind_or_time"):
        home.session.flush()
