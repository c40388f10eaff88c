"""What is done and seen for an elder, and that she hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.timebank import alerts, delegates, disputes, exchange, gifts, on_behalf, outbox, visits
from actions.timebank.errors import BadMinutes, NotEnoughMinutes, NotYours, UnknownMember
from actions.timebank.model import Notice
from actions.timebank.on_behalf import NotDelegate
from actions.timebank.states import DelegateScope, RelationKind
from tests.timebank.builders import FakeClock
from tests.timebank.consenting import allow, calls, own_turn
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    """李建国 is the son; 赵铁柱 from the far lane is nobody of hers."""
    home = settle_in(session, clock.now)
    calls(session, home.wang, home.li, "儿子")
    return home


def ids(home: Neighbourhood) -> dict[str, Any]:
    return {"by": home.li.id, "elder": home.wang.id, "now": home.now}


# -- asking -----------------------------------------------------------------------------------


def test_a_son_asks_only_after_her_yes(home: Neighbourhood) -> None:
    with pytest.raises(NotDelegate) as refused:
        home.ask(requested_by=home.li.id)
    assert refused.value.facts == {"elder": "王奶奶"}
    given = allow(home.session, home.wang, home.li, home.now)
    request = home.ask(requested_by=home.li.id)
    assert (request.elder_id, request.requested_by_id) == (home.wang.id, home.li.id)
    assert request.place == "老槐树旁"
    (told,) = home.notices(home.wang, "done_for_you_asked")
    assert told == {
        "delegation_id": given.id,
        "delegate": "李建国",
        "label": "儿子",
        "kind": "shopping",
        "starts_at": request.starts_at.isoformat(),
    }


def test_a_refused_request_tells_her_nothing(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now)
    with pytest.raises(BadMinutes):
        home.ask(requested_by=home.li.id, minutes=9_999)
    assert home.notices(home.wang, "done_for_you_asked") == []


def test_the_same_message_twice_is_told_once(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now)
    turn = new_turn()
    for _ in range(2):
        home.ask(requested_by=home.li.id, turn_id=turn)
    assert len(home.notices(home.wang, "done_for_you_asked")) == 1


def test_the_delegate_of_another_is_nobody_here(home: Neighbourhood) -> None:
    allow(home.session, home.zhang, home.li, home.now)
    for stranger in (home.li, home.zhao, home.zhang):
        with pytest.raises(NotDelegate):
            home.ask(requested_by=stranger.id)


@pytest.mark.parametrize("how", ["ended", "lapsed", "other scopes", "left"])
def test_what_is_over_allows_nothing(home: Neighbourhood, how: str) -> None:
    scopes = delegates.EVERYTHING
    if how == "other scopes":
        scopes = frozenset({DelegateScope.ALARMS})
    given = allow(home.session, home.wang, home.li, home.now, scopes)
    if how == "ended":
        delegates.end(home.session, delegation_id=given.id, by=home.wang.id, now=home.now)
    elif how == "lapsed":
        home.now += delegates.LASTS
    elif how == "left":
        home.wang.left_at = home.now
        home.session.flush()
    with pytest.raises((NotDelegate, UnknownMember)):
        home.ask(requested_by=home.li.id)
    for look in (on_behalf.see_balance, on_behalf.see_requests):
        with pytest.raises(NotDelegate):
            look(home.session, **ids(home))
    told = {one.kind for one in outbox.queued_for(home.session, home.wang.id)}
    assert not any(kind.startswith("done_for_you") for kind in told)


def test_staff_ask_for_her_and_she_hears_who(home: Neighbourhood) -> None:
    home.ask(requested_by=home.staff.id)
    (told,) = home.notices(home.wang, "asked_for_you")
    assert (told["delegate"], told["label"]) == ("陈干事", "")


def test_under_one_roof_husband_and_wife_ask_for_each_other(home: Neighbourhood) -> None:
    calls(home.session, home.wang, home.zhang, "老伴", RelationKind.SPOUSE)
    with pytest.raises(NotDelegate):
        home.ask(requested_by=home.zhang.id)
    home.zhang.place = home.wang.place
    home.ask(requested_by=home.zhang.id)
    (told,) = home.notices(home.wang, "asked_for_you")
    assert (told["delegate"], told["label"]) == ("张秀英", "老伴")


def test_who_calls_himself_her_husband_is_none(home: Neighbourhood) -> None:
    calls(home.session, home.zhao, home.wang, "老伴", RelationKind.SPOUSE)
    home.zhao.lane, home.zhao.place = home.wang.lane, home.wang.place
    with pytest.raises(NotDelegate):
        home.ask(requested_by=home.zhao.id)


def test_without_a_house_of_their_own_nobody_lives_under_one_roof(home: Neighbourhood) -> None:
    calls(home.session, home.wang, home.zhang, "老伴", RelationKind.SPOUSE)
    home.wang.place = home.zhang.place = ""
    with pytest.raises(NotDelegate):
        home.ask(requested_by=home.zhang.id)


# -- seeing -----------------------------------------------------------------------------------


def test_what_he_sees_she_hears_once_a_day(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now)
    mine = home.ask()
    for _ in range(3):
        assert on_behalf.see_balance(home.session, **ids(home)).posted == 120
        assert on_behalf.see_requests(home.session, **ids(home)) == [mine]
    for kind in ("done_for_you_saw_balance", "done_for_you_saw_requests"):
        (told,) = home.notices(home.wang, kind)
        assert (told["delegate"], told["label"]) == ("李建国", "儿子")
    home.now += timedelta(hours=16)  # One in the morning of the next day in China.
    on_behalf.see_balance(home.session, **ids(home))
    assert len(home.notices(home.wang, "done_for_you_saw_balance")) == 2


def test_who_may_see_requests_sees_no_hours(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now, [DelegateScope.SEE_REQUESTS])
    on_behalf.see_requests(home.session, **ids(home))
    with pytest.raises(NotDelegate):
        on_behalf.see_balance(home.session, **ids(home))
    assert home.notices(home.wang, "done_for_you_saw_balance") == []


# -- what no delegate does --------------------------------------------------------------------


def test_a_delegate_confirms_no_visit_and_gives_no_hours(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.li, home.now)
    request = home.ask(minutes=30, requested_by=home.li.id)
    assignment = home.accepted(request)
    home.claim(assignment, 30)
    about: dict[str, Any] = {"elder": home.li.id, "request_id": request.id, "now": home.now}
    for verb in (visits.confirm_visit, disputes.report_no_show):
        with pytest.raises(NotYours):
            verb(home.session, turn_id=new_turn(), **about)
    with pytest.raises(NotYours):
        exchange.change_request(home.session, turn_id=new_turn(), minutes=60, **about)
    with pytest.raises(NotYours):
        exchange.cancel_request(home.session, by=home.li.id, request_id=request.id, now=home.now)
    with pytest.raises(NotEnoughMinutes):
        gifts.give(
            home.session,
            giver=home.li.id,
            receiver=home.zhao.id,
            minutes=30,
            turn_id=new_turn(),
            now=home.now,
        )
    assert home.balance(home.wang).posted == 120


# -- alarms -----------------------------------------------------------------------------------


def test_a_delegate_far_away_hears_her_cry_and_may_take_it(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.zhao, home.now, [DelegateScope.ALARMS])
    cry: dict[str, Any] = {"member": home.wang.id, "words": "摔了", "now": home.now}
    alert = alerts.raise_alert(home.session, turn_id=new_turn(), **cry)
    (told,) = home.notices(home.zhao, "neighbour_alert")
    assert told["alert_id"] == alert.id
    alerts.take_alert(home.session, alert_id=alert.id, by=home.zhao.id, now=home.now)
    (taken,) = home.notices(home.wang, "alert_taken")
    assert taken["by"] == "赵铁柱"


def test_everybody_is_told_of_an_alarm_once(home: Neighbourhood) -> None:
    for delegate in (home.li, home.zhang, home.staff):
        allow(home.session, home.wang, delegate, home.now)
    told = alerts.who_is_told(home.session, home.wang.id)
    assert sorted(one.name for one in told) == ["张秀英", "李建国", "陈干事"]


def test_a_delegate_without_alarms_is_not_called(home: Neighbourhood) -> None:
    allow(home.session, home.wang, home.zhao, home.now, [DelegateScope.ASK_HELP])
    assert home.zhao not in alerts.who_is_told(home.session, home.wang.id)


# -- what a bare word answers -----------------------------------------------------------------


def heard(home: Neighbourhood, kind: str) -> None:
    """She has been told what is queued of this kind, now."""
    for one in outbox.queued_for(home.session, home.wang.id):
        if one.kind == kind:
            outbox.deliver(home.session, notice_id=one.id, member=home.wang.id, now=home.now)


def last(home: Neighbourhood) -> str | None:
    home.now += timedelta(seconds=20)
    turn = own_turn(home.session, home.wang, home.now)
    found = on_behalf.heard_last(home.session, home.wang.id, turn_id=turn, now=home.now)
    return found[1] if found else None


def propose(home: Neighbourhood) -> None:
    delegates.propose(home.session, elder=home.wang.id, delegate=home.li.id, by=None, now=home.now)


def test_a_question_not_heard_yet_is_answered_by_nothing(home: Neighbourhood) -> None:
    propose(home)
    assert last(home) is None


def test_the_first_word_after_the_question_answers_it_and_no_later_one(
    home: Neighbourhood,
) -> None:
    propose(home)
    heard(home, "delegation_proposed")
    assert last(home) == "delegation_proposed"
    assert last(home) is None


def test_what_was_told_later_is_what_a_bare_word_answers(home: Neighbourhood) -> None:
    propose(home)
    heard(home, "delegation_proposed")
    home.accepted(home.ask())
    home.now += timedelta(seconds=5)
    heard(home, "request_accepted")
    assert last(home) is None


def test_an_hour_later_nobody_knows_what_a_bare_word_answers(home: Neighbourhood) -> None:
    propose(home)
    heard(home, "delegation_proposed")
    home.now += timedelta(hours=1)
    assert last(home) is None


def test_a_question_that_is_over_is_answered_no_more(home: Neighbourhood) -> None:
    propose(home)
    heard(home, "delegation_proposed")
    pair = {"elder": home.wang.id, "delegate": home.li.id, "by": None}
    delegates.send_away(home.session, now=home.now, **pair)
    assert last(home) is None
    assert home.session.query(Notice).filter_by(kind="delegation_over").count() == 0
