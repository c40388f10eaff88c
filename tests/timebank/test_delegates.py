"""Who becomes a delegate, by whose word, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import delegates
from actions.timebank.delegates import ANSWER_WITHIN, LASTS
from actions.timebank.errors import NothingOpen, NotYours, UnknownMember, WrongState
from actions.timebank.model import Delegation
from actions.timebank.states import DelegateScope, DelegationState
from tests.timebank.builders import FakeClock
from tests.timebank.consenting import HASH, allow, calls, own_turn, says_yes
from tests.timebank.neighbourhood import Neighbourhood, settle_in

D = DelegationState


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    """王奶奶 calls 李建国 her son."""
    home = settle_in(session, clock.now)
    calls(session, home.wang, home.li, "儿子")
    return home


def proposed(home: Neighbourhood, **fields: Any) -> Delegation:
    about: dict[str, Any] = {"elder": home.wang.id, "delegate": home.li.id, "by": home.staff.id}
    return delegates.propose(home.session, now=home.now, **{**about, **fields})


def may(home: Neighbourhood, scope: DelegateScope = DelegateScope.ASK_HELP) -> bool:
    return delegates.may(home.session, home.li.id, home.wang.id, scope, home.now)


def sweep(home: Neighbourhood, **later: float) -> int:
    home.now += timedelta(**later)
    return len(delegates.sweep(home.session, now=home.now))


def gives(home: Neighbourhood, question: Delegation, **fields: Any) -> Delegation:
    turn = own_turn(home.session, home.wang, home.now)
    about: dict[str, Any] = {"elder": home.wang.id, "turn_id": turn, "now": home.now}
    return delegates.give(home.session, delegation_id=question.id, **{**about, **fields})


# -- asking her -------------------------------------------------------------------------------


def test_a_proposal_asks_her_and_allows_nothing(home: Neighbourhood) -> None:
    question = proposed(home, scopes=[DelegateScope.ALARMS, DelegateScope.ASK_HELP])
    assert question.state is D.PROPOSED and not may(home)
    (told,) = home.notices(home.wang, "delegation_proposed")
    assert told == {
        "delegation_id": question.id,
        "delegate": "李建国",
        "label": "儿子",
        "scopes": ["ask_help", "alarms"],
    }
    assert delegates.elders_of(home.session, home.li.id, now=home.now) == []


def test_proposing_the_same_twice_asks_once(home: Neighbourhood) -> None:
    assert proposed(home) is proposed(home, by=None)
    assert len(home.notices(home.wang, "delegation_proposed")) == 1
    given = says_yes(home.session, proposed(home), home.now)
    assert proposed(home) is given


def test_another_question_takes_the_place_of_the_open_one(home: Neighbourhood) -> None:
    first = proposed(home)
    second = proposed(home, scopes=[DelegateScope.ALARMS])
    assert (first.state, second.state) == (D.ENDED, D.PROPOSED)
    with pytest.raises(WrongState):
        gives(home, first)


def test_she_herself_may_name_somebody_and_is_asked_in_the_answer(home: Neighbourhood) -> None:
    assert proposed(home, by=home.wang.id).state is D.PROPOSED
    assert home.notices(home.wang, "delegation_proposed") == []


def test_nobody_makes_himself_a_delegate_not_even_staff(home: Neighbourhood) -> None:
    with pytest.raises(NotYours):
        proposed(home, by=home.li.id)
    with pytest.raises(NotYours):
        proposed(home, delegate=home.staff.id, by=home.staff.id)
    with pytest.raises(NotYours):
        proposed(home, delegate=home.wang.id)


def test_a_neighbour_proposes_nobody(home: Neighbourhood) -> None:
    with pytest.raises(NotYours):
        proposed(home, by=home.zhang.id)


@pytest.mark.parametrize("nobody", [4_711, -1, 10**20])
def test_strangers_and_those_who_left_are_no_delegates(home: Neighbourhood, nobody: int) -> None:
    for field in ("elder", "delegate", "by"):
        with pytest.raises(UnknownMember):
            proposed(home, **{field: nobody})
    home.li.left_at = home.now
    with pytest.raises(UnknownMember):
        proposed(home)


def test_a_delegation_of_nothing_is_a_bug(home: Neighbourhood) -> None:
    with pytest.raises(ValueError):
        proposed(home, scopes=[])


# -- her answer -------------------------------------------------------------------------------


def test_her_yes_counts_half_a_year_with_its_evidence(home: Neighbourhood) -> None:
    turn = own_turn(home.session, home.wang, home.now)
    given = gives(home, proposed(home), turn_id=turn, recording_sha256=HASH)
    assert (given.consent_turn_id, given.consent_recording_sha256) == (turn, HASH)
    assert (given.given_at, given.ends_at) == (home.now, home.now + LASTS)
    assert all(may(home, scope) for scope in DelegateScope)
    (told,) = home.notices(home.li, "delegation_given")
    assert told["elder"] == "王奶奶"


def test_only_what_she_was_asked_is_allowed(home: Neighbourhood) -> None:
    says_yes(home.session, proposed(home, scopes=[DelegateScope.SEE_BALANCE]), home.now)
    assert [scope for scope in DelegateScope if may(home, scope)] == [DelegateScope.SEE_BALANCE]
    of = {"now": home.now, "scope": DelegateScope.ALARMS}
    assert delegates.elders_of(home.session, home.li.id, **of) == []


def test_saying_yes_twice_is_one_yes(home: Neighbourhood) -> None:
    question = proposed(home)
    turn = own_turn(home.session, home.wang, home.now)
    assert gives(home, question, turn_id=turn) is gives(home, question, turn_id=turn)
    home.now += timedelta(days=1)
    assert gives(home, question).given_at == home.now - timedelta(days=1)
    assert len(home.notices(home.li, "delegation_given")) == 1


def test_nobody_says_yes_for_her(home: Neighbourhood) -> None:
    question = proposed(home)
    for stranger in (home.li, home.zhang, home.staff):
        with pytest.raises(NotYours):
            gives(home, question, elder=stranger.id)
    for turn in (own_turn(home.session, home.li, home.now), "talk:never", ""):
        with pytest.raises(NotYours):
            gives(home, question, turn_id=turn)
    assert question.state is D.PROPOSED and not may(home)


def test_the_database_takes_no_other_s_turn_for_her_yes(home: Neighbourhood) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    his = own_turn(home.session, home.li, home.now, "talk:his")
    for change in (f"consent_turn_id = '{his}'", "consent_turn_id = NULL", "ends_at = NULL"):
        with pytest.raises(IntegrityError), home.session.begin_nested():
            home.session.execute(text(f"UPDATE delegation SET {change} WHERE id = {given.id}"))


@pytest.mark.parametrize("odd", [0, -1, 999, 10**20])
def test_an_unknown_question_is_no_question(home: Neighbourhood, odd: int) -> None:
    turn = own_turn(home.session, home.wang, home.now)
    about: dict[str, Any] = {"elder": home.wang.id, "delegation_id": odd, "now": home.now}
    with pytest.raises(NothingOpen):
        delegates.give(home.session, turn_id=turn, **about)
    with pytest.raises(NothingOpen):
        delegates.refuse(home.session, **about)


def test_a_no_allows_nothing_and_a_later_yes_needs_a_new_question(home: Neighbourhood) -> None:
    question = proposed(home)
    for _ in range(2):
        delegates.refuse(home.session, elder=home.wang.id, delegation_id=question.id, now=home.now)
    assert question.state is D.REFUSED and not may(home)
    with pytest.raises(WrongState):
        gives(home, question)
    assert proposed(home) is not question


def test_a_no_to_more_leaves_what_she_allowed(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now, [DelegateScope.ASK_HELP])
    more = proposed(home)
    delegates.refuse(home.session, elder=home.wang.id, delegation_id=more.id, now=home.now)
    assert may(home) and not may(home, DelegateScope.SEE_BALANCE)


def test_a_yes_to_less_takes_the_place_of_what_she_allowed(home: Neighbourhood) -> None:
    before = allow(home.session, home.wang, home.li, home.now)
    allow(home.session, home.wang, home.li, home.now, [DelegateScope.ALARMS])
    assert before.state is D.ENDED
    assert not may(home) and may(home, DelegateScope.ALARMS)


def test_two_children_are_two_delegates(home: Neighbourhood) -> None:
    for child in (home.li, home.zhao):
        allow(home.session, home.wang, child, home.now)
    hers = delegates.delegates_of(home.session, home.wang.id, DelegateScope.ALARMS)
    assert hers == [home.li, home.zhao]
    assert delegates.elders_of(home.session, home.zhao.id, now=home.now) == [home.wang]


# -- its end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["wang", "li", "staff", None])
def test_elder_delegate_and_staff_end_it_at_once(home: Neighbourhood, who: str | None) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    by = getattr(home, who).id if who else None
    for _ in range(2):
        delegates.end(home.session, delegation_id=given.id, by=by, now=home.now)
    assert given.state is D.ENDED and not may(home)
    assert len(home.notices(home.li, "delegation_over")) == (who != "li")
    assert len(home.notices(home.wang, "delegation_ended")) == (who != "wang")


def test_nobody_else_ends_it(home: Neighbourhood) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    with pytest.raises(NotYours):
        delegates.end(home.session, delegation_id=given.id, by=home.zhang.id, now=home.now)
    assert may(home)


def test_sent_away_is_sent_away_from_the_open_question_too(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now, [DelegateScope.ALARMS])
    more = proposed(home)
    pair = {"elder": home.wang.id, "delegate": home.li.id, "by": home.wang.id, "now": home.now}
    assert delegates.send_away(home.session, **pair) and not may(home, DelegateScope.ALARMS)
    assert more.state is D.ENDED and not delegates.send_away(home.session, **pair)


@pytest.mark.parametrize("who", ["wang", "li"])
def test_who_has_left_has_no_part_in_it(home: Neighbourhood, who: str) -> None:
    allow(home.session, home.wang, home.li, home.now)
    getattr(home, who).left_at = home.now
    home.session.flush()
    assert not may(home)
    assert delegates.delegates_of(home.session, home.wang.id, DelegateScope.ALARMS) == []


# -- half a year ------------------------------------------------------------------------------


def test_two_weeks_before_the_end_she_is_asked_once(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now, [DelegateScope.ALARMS])
    assert sweep(home, days=167, hours=23) == 0
    assert sweep(home, hours=1) == 1 and sweep(home) == 0
    (asked,) = home.notices(home.wang, "delegation_renewal")
    assert (asked["delegate"], asked["scopes"]) == ("李建国", ["alarms"])


def test_her_yes_carries_it_on_without_a_gap(home: Neighbourhood) -> None:
    first = allow(home.session, home.wang, home.li, home.now)
    sweep(home, days=170)
    question, _ = delegates.of_elder(home.session, home.wang.id)
    assert question.renews_id == first.id and may(home)
    again = says_yes(home.session, question, home.now)
    assert (first.state, again.ends_at) == (D.ENDED, home.now + LASTS)
    assert sweep(home, days=20) == 0 and may(home)


def test_without_a_yes_it_lapses_and_both_are_told_once(home: Neighbourhood) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    sweep(home, days=168)
    home.now += ANSWER_WITHIN - timedelta(seconds=1)
    assert may(home)
    home.now += timedelta(seconds=1)
    assert not may(home), "whether or not anybody has swept"
    assert sweep(home) == 2 and sweep(home) == 0
    assert given.state is D.LAPSED and delegates.of_elder(home.session, home.wang.id) == []
    assert len(home.notices(home.wang, "delegation_lapsed")) == 1
    assert len(home.notices(home.li, "delegation_over")) == 1


def test_a_no_to_going_on_ends_it_now(home: Neighbourhood) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    sweep(home, days=168)
    question = delegates.of_elder(home.session, home.wang.id)[0]
    delegates.refuse(home.session, elder=home.wang.id, delegation_id=question.id, now=home.now)
    assert given.state is D.ENDED and not may(home)
    assert len(home.notices(home.li, "delegation_over")) == 1
    assert sweep(home, days=30) == 0


def test_who_was_sent_away_is_not_asked_about_again(home: Neighbourhood) -> None:
    given = allow(home.session, home.wang, home.li, home.now)
    sweep(home, days=168)
    question = delegates.of_elder(home.session, home.wang.id)[0]
    delegates.end(home.session, delegation_id=given.id, by=home.wang.id, now=home.now)
    with pytest.raises(WrongState):
        gives(home, question)


def test_a_question_without_an_answer_lapses_and_a_late_yes_is_none(home: Neighbourhood) -> None:
    question = proposed(home)
    home.now += ANSWER_WITHIN
    with pytest.raises(WrongState):
        gives(home, question)
    assert sweep(home) == 1 and question.state is D.LAPSED
    assert home.notices(home.li, "delegation_over") == []


def test_who_has_left_is_not_asked_about(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now)
    home.li.left_at = home.now
    assert sweep(home, days=170) == 0
    question = delegates.of_elder(home.session, home.wang.id)
    assert [one.state for one in question] == [D.GIVEN]


def test_a_delegate_who_left_before_her_yes_stays_away(home: Neighbourhood) -> None:
    question = proposed(home)
    home.li.left_at = home.now
    with pytest.raises(UnknownMember):
        gives(home, question)
