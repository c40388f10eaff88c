"""What people say of how they are, and when the staff hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import wellbeing
from actions.timebank.errors import NotYours, UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Wellbeing
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


def says(
    hood: Neighbourhood,
    symptoms: Sequence[str] = ("腰疼",),
    *,
    days: float = 0,
    who: MemberId | None = None,
    turn: TurnId | None = None,
) -> Wellbeing:
    return wellbeing.report(
        hood.session,
        member=who or hood.wang.id,
        words="这两天腰疼",
        symptoms=symptoms,
        turn_id=turn or new_turn(),
        now=hood.now + timedelta(days=days),
    )


def told(hood: Neighbourhood) -> int:
    return len(hood.notices(hood.staff, "staff_wellbeing"))


def test_what_she_says_is_kept_once_a_turn(hood: Neighbourhood) -> None:
    said = says(hood, turn=TurnId("t1"))
    assert (said.words, said.symptoms, said.member_id) == ("这两天腰疼", ["腰疼"], hood.wang.id)
    assert says(hood, turn=TurnId("t1")) is said
    assert wellbeing.said_in(hood.session, "t1") is said
    assert wellbeing.said_in(hood.session, "t2") is None


def test_nobody_speaks_in_anothers_turn(hood: Neighbourhood) -> None:
    says(hood, turn=TurnId("t1"))
    with pytest.raises(NotYours):
        says(hood, turn=TurnId("t1"), who=hood.zhang.id)
    with pytest.raises(UnknownMember):
        says(hood, who=MemberId(4711))


def test_three_ailing_reports_in_a_week_are_told_to_the_staff(hood: Neighbourhood) -> None:
    for day in (0, 2):
        says(hood, days=day)
    assert told(hood) == 0
    says(hood, days=4)
    assert hood.notices(hood.staff, "staff_wellbeing") == [
        {"member": "王奶奶", "words": "这两天腰疼"}
    ]


def test_the_staff_are_told_once_a_week(hood: Neighbourhood) -> None:
    for day in (0, 1, 2, 3, 4, 5, 6):
        says(hood, days=day)
    assert told(hood) == 1, "from Monday to Sunday"
    says(hood, days=7)
    assert told(hood) == 2


@pytest.mark.parametrize("days", [(0, 4, 8), (0, 3.5, 7)])
def test_three_reports_over_more_than_a_week_are_not_told(
    hood: Neighbourhood, days: Sequence[float]
) -> None:
    for day in days:
        says(hood, days=day)
    assert told(hood) == 0


def test_good_news_and_others_do_not_count(hood: Neighbourhood) -> None:
    says(hood)
    says(hood)
    says(hood, ())
    says(hood, who=hood.zhang.id)
    assert told(hood) == 0
