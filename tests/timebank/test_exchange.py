"""From a need to a neighbour's promise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import exchange, ledger, queries, visits
from actions.timebank.errors import (
    BadMinutes,
    InThePast,
    NotEnoughMinutes,
    NothingOpen,
    NotYours,
    OfferGone,
    UnknownMember,
    WrongState,
)
from actions.timebank.model import Offer, Relation, ServiceRequest
from actions.timebank.states import (
    AssignmentState,
    HoldState,
    OfferState,
    RelationKind,
    RequestState,
    ServiceKind,
)
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


# -- asking -----------------------------------------------------------------------------------


def test_a_request_goes_to_the_neighbour_next_door_at_once(home: Neighbourhood) -> None:
    request = home.ask(note="俺腿疼，想叫人明儿上午帮俺买点菜")
    assert request.state is RequestState.OFFERED
    assert request.minutes == exchange.DEFAULT_MINUTES[ServiceKind.SHOPPING]
    offer = home.offer_of(request)
    assert offer.helper is home.zhang
    (told,) = home.notices(home.zhang, "offer_made")
    assert told["offer_id"] == offer.id
    assert told["elder"] == "王奶奶"
    assert told["place"] == "老槐树旁"
    assert told["note"] == "俺腿疼，想叫人明儿上午帮俺买点菜"
    assert told["why"] == offer.why


def test_the_same_message_twice_is_one_request(home: Neighbourhood) -> None:
    turn = new_turn()
    first = home.ask(turn_id=turn)
    assert home.ask(turn_id=turn, minutes=15) is first
    assert len(home.notices(home.zhang, "offer_made")) == 1
    with pytest.raises(NotYours):
        home.ask(turn_id=turn, elder=home.zhao.id)


def test_with_nobody_able_the_coordinator_is_told_and_the_need_is_kept(
    home: Neighbourhood,
) -> None:
    request = home.ask(service_kind=ServiceKind.BATHING, note="想洗个澡")
    assert request.state is RequestState.OPEN
    assert request.note == "想洗个澡"
    (told,) = home.notices(home.staff, "staff_no_neighbour")
    assert (told["elder"], told["kind"]) == ("王奶奶", "bathing")
    assert home.notices(home.wang, "no_neighbour") == []  # She hears it in the answer itself.


@pytest.mark.parametrize("minutes", [-5, 0, 721, 100_000])
def test_minutes_that_no_visit_can_take_are_refused(home: Neighbourhood, minutes: int) -> None:
    with pytest.raises(BadMinutes):
        home.ask(minutes=minutes, service_kind=ServiceKind.MEALS)


def test_a_quarter_of_an_hour_ago_is_still_now(home: Neighbourhood) -> None:
    assert home.ask(starts_at=home.now - timedelta(minutes=15)).state is RequestState.OFFERED
    with pytest.raises(InThePast) as refused:
        home.ask(starts_at=home.now - timedelta(minutes=16))
    assert refused.value.facts["starts_at"] == home.now - timedelta(minutes=16)


def test_a_naive_time_is_a_bug_and_not_a_request(home: Neighbourhood) -> None:
    with pytest.raises(TypeError):
        home.ask(starts_at=(home.now + timedelta(days=1)).replace(tzinfo=None))


def test_want_of_hours_is_told_with_both_numbers(home: Neighbourhood) -> None:
    with pytest.raises(NotEnoughMinutes) as refused:
        home.ask(minutes=121)
    assert refused.value.facts == {"needed": 121, "available": 120}
    assert queries.open_requests(home.session, home.wang.id) == []


@pytest.mark.parametrize("kind", [ServiceKind.MEALS, ServiceKind.URGENT_HELP])
def test_a_meal_and_urgent_help_are_never_refused_for_want_of_hours(
    home: Neighbourhood, kind: ServiceKind
) -> None:
    request = home.ask(service_kind=kind, minutes=720)
    assignment = home.accepted(request)
    assert {hold.minutes for hold in assignment.holds} == {120, 600}
    assert home.balance(home.wang).available == 0
    (told,) = home.notices(home.staff, "staff_fund_used")
    assert told == {"elder": "王奶奶", "kind": kind.value, "minutes": 600}


def test_an_unknown_elder_and_one_who_left_cannot_ask(home: Neighbourhood) -> None:
    home.zhao.left_at = home.now
    for nobody in (home.zhao.id, 4_711, -1, 10**20):
        with pytest.raises(UnknownMember):
            home.ask(elder=nobody)


def test_being_called_kin_lets_nobody_ask_for_her(home: Neighbourhood) -> None:
    for member, other in ((home.zhao, home.wang), (home.wang, home.zhao)):
        says = Relation(member_id=member.id, other_id=other.id, kind=RelationKind.KIN)
        home.session.add(says)
        home.session.flush()
        with pytest.raises(NotYours):
            home.ask(requested_by=home.zhao.id)
    assert home.ask(requested_by=home.staff.id).requested_by_id == home.staff.id


def test_a_wanted_neighbour_is_asked_first(home: Neighbourhood) -> None:
    request = home.ask(wanted_helper=home.zhao.id)
    offer = home.offer_of(request)
    assert offer.helper is home.zhao
    assert offer.why[0] == {"code": "asked_for"}


# -- answering --------------------------------------------------------------------------------


def test_accepting_holds_the_minutes_and_tells_the_elder_who_comes(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    assert request.state is RequestState.ASSIGNED
    assert home.balance(home.wang) == ledger.BalanceOf(posted=120, held=60, available=60)
    (told,) = home.notices(home.wang, "request_accepted")
    assert (told["helper"], told["helper_place"]) == ("张秀英", "村东头")
    assert queries.active_tasks(home.session, home.zhang.id) == [assignment]


def test_saying_yes_twice_is_one_promise(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    first = exchange.accept_offer(
        home.session, helper=home.zhang.id, offer_id=offer.id, now=home.now
    )
    again = exchange.accept_offer(
        home.session, helper=home.zhang.id, offer_id=offer.id, now=home.now
    )
    assert again is first
    assert home.balance(home.wang).held == 60


def test_hours_spent_since_asking_do_not_let_the_neighbour_down(
    home: Neighbourhood,
) -> None:
    request = home.ask(minutes=120)
    ledger.gift(
        home.session,
        giver=home.wang.id,
        receiver=home.li.id,
        minutes=100,
        idempotency_key="gift",
        now=home.now,
    )
    assignment = home.accepted(request)
    assert sorted(hold.minutes for hold in assignment.holds) == [20, 100]
    assert home.balance(home.wang).available == 0
    assert home.notices(home.staff, "staff_fund_used")[0]["minutes"] == 100
    assert home.fund().held == 100


def test_a_full_fund_is_drawn_on_before_hours_are_reissued(home: Neighbourhood) -> None:
    fund = ledger.fund_account(home.session)
    ledger.grant(
        home.session,
        account_id=fund.id,
        minutes=500,
        reason="opening",
        idempotency_key="fund",
        now=home.now,
    )
    home.accepted(home.ask(service_kind=ServiceKind.MEALS, minutes=180))
    assert home.fund() == ledger.BalanceOf(posted=500, held=60, available=440)


def test_declining_asks_the_next_neighbour_and_tells_the_elder(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    following = home.decline(request)
    assert following is not None and following.helper is home.li
    (told,) = home.notices(home.wang, "request_passed_on")
    assert told == {"kind": "shopping", "previous": "张秀英", "helper": "李建国"}


def test_declining_twice_passes_on_once(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    for _ in range(2):
        following = exchange.decline_offer(
            home.session,
            helper=home.zhang.id,
            offer_id=offer.id,
            now=home.now,
            reason="赶集" * 99,
        )
        assert following is not None and following.helper is home.li
    assert offer.state is OfferState.DECLINED


def test_when_all_decline_staff_and_elder_are_told_and_nobody_is_asked_twice(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    asked = []
    while (offer := queries.pending_offer_of(home.session, request.id)) is not None:
        asked.append(offer.helper.name)
        home.decline(request)
    assert asked == ["张秀英", "李建国", "赵铁柱"]
    assert request.state is RequestState.OPEN
    assert len(home.notices(home.staff, "staff_no_neighbour")) == 1
    assert len(home.notices(home.wang, "no_neighbour")) == 1


def test_an_offer_that_went_on_is_gone(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    home.decline(request)
    with pytest.raises(OfferGone) as refused:
        exchange.accept_offer(home.session, helper=home.zhang.id, offer_id=offer.id, now=home.now)
    assert refused.value.facts["state"] == "declined"


def test_a_late_yes_counts_while_nobody_else_was_asked(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    home.now = offer.expires_at + timedelta(minutes=1)
    assert home.accepted(request).helper is home.zhang


def test_a_yes_when_the_day_is_over_comes_too_late(home: Neighbourhood) -> None:
    request = home.ask()
    home.now = request.starts_at + timedelta(hours=1)
    with pytest.raises(OfferGone):
        home.accepted(request)


def test_strangers_answer_nothing(home: Neighbourhood) -> None:
    offer = home.offer_of(home.ask())
    for answer in (exchange.accept_offer, exchange.decline_offer):
        with pytest.raises(NotYours):
            answer(home.session, helper=home.li.id, offer_id=offer.id, now=home.now)
        for no_offer in (0, offer.id + 1, 10**20):
            with pytest.raises(NothingOpen):
                answer(home.session, helper=home.zhang.id, offer_id=no_offer, now=home.now)


def test_a_promise_cannot_be_declined_only_stepped_back_from(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    with pytest.raises(WrongState) as refused:
        exchange.decline_offer(
            home.session,
            helper=home.zhang.id,
            offer_id=assignment.offer_id,
            now=home.now,
        )
    assert refused.value.facts["state"] == "accepted"


def test_stepping_back_frees_the_minutes_and_asks_the_next_neighbour(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    following = exchange.step_back(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    assert following is not None and following.helper is home.li
    assert request.state is RequestState.OFFERED
    assert assignment.state is AssignmentState.RELEASED
    assert home.balance(home.wang).held == 0
    (told,) = home.notices(home.wang, "helper_stepped_back")
    assert told == {"helper": "张秀英", "kind": "shopping"}
    with pytest.raises(WrongState) as refused:
        exchange.step_back(
            home.session,
            helper=home.zhang.id,
            assignment_id=assignment.id,
            now=home.now,
        )
    assert refused.value.facts["state"] == "released"


def test_the_last_neighbour_stepping_back_leaves_nobody_and_all_know(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    home.decline(request)
    home.decline(request)
    assignment = home.accepted(request)
    exchange.step_back(
        home.session,
        helper=assignment.helper_id,
        assignment_id=assignment.id,
        now=home.now,
    )
    assert request.state is RequestState.OPEN
    assert len(home.notices(home.wang, "no_neighbour")) == 1
    assert len(home.notices(home.staff, "staff_no_neighbour")) == 1


def test_nobody_steps_back_for_another_or_from_a_visit_that_has_begun(
    home: Neighbourhood,
) -> None:
    assignment = home.accepted(home.ask())
    with pytest.raises(NotYours):
        exchange.step_back(
            home.session, helper=home.li.id, assignment_id=assignment.id, now=home.now
        )
    visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    with pytest.raises(WrongState) as refused:
        exchange.step_back(
            home.session,
            helper=home.zhang.id,
            assignment_id=assignment.id,
            now=home.now,
        )
    assert refused.value.facts["state"] == "in_progress"


# -- cancelling -------------------------------------------------------------------------------


def test_cancelled_visit_gives_the_held_minutes_back(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    exchange.cancel_request(
        home.session,
        by=home.wang.id,
        request_id=request.id,
        now=home.now,
        reason="闺女来了" * 50,
    )
    assert request.state is RequestState.CANCELLED
    assert [hold.state for hold in assignment.holds] == [HoldState.VOIDED]
    assert home.balance(home.wang).available == 120
    (told,) = home.notices(home.zhang, "request_cancelled")
    assert told["elder"] == "王奶奶"


def test_cancelling_takes_the_pending_offer_back(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    exchange.cancel_request(home.session, by=home.staff.id, request_id=request.id, now=home.now)
    assert offer.state is OfferState.WITHDRAWN
    assert len(home.notices(home.zhang, "offer_gone")) == 1
    with pytest.raises(OfferGone):
        exchange.accept_offer(home.session, helper=home.zhang.id, offer_id=offer.id, now=home.now)


def test_neither_the_helper_nor_a_stranger_cancels(home: Neighbourhood) -> None:
    request = home.ask()
    home.accepted(request)
    for other in (home.zhang, home.zhao):
        with pytest.raises(NotYours):
            exchange.cancel_request(home.session, by=other.id, request_id=request.id, now=home.now)
    assert request.state is RequestState.ASSIGNED


def test_what_is_over_or_begun_cannot_be_cancelled(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    for state, step in (
        ("in_progress", lambda: home.claim(assignment, 60)),
        ("claimed", lambda: home.confirm(request)),
        ("confirmed", lambda: None),
    ):
        with pytest.raises(WrongState) as refused:
            exchange.cancel_request(
                home.session, by=home.wang.id, request_id=request.id, now=home.now
            )
        assert refused.value.facts["state"] == state
        step()


def test_an_elder_who_said_it_was_done_cannot_cancel_it_any_more(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    home.accepted(request)
    home.confirm(request, minutes=60)
    with pytest.raises(WrongState):
        exchange.cancel_request(home.session, by=home.wang.id, request_id=request.id, now=home.now)


# -- changing ---------------------------------------------------------------------------------


def change(home: Neighbourhood, request: ServiceRequest, **fields: object) -> ServiceRequest:
    return exchange.change_request(
        home.session,
        elder=home.wang.id,
        request_id=request.id,
        turn_id=new_turn(),
        now=home.now,
        **fields,  # type: ignore[arg-type]
    )


def test_another_time_is_asked_anew_also_of_who_declined(home: Neighbourhood) -> None:
    request = home.ask()
    home.decline(request)
    to_li = home.offer_of(request)
    home.now += timedelta(hours=1)  # Who said no is not asked anything so soon.
    change(home, request, starts_at=home.now + timedelta(days=2))
    assert to_li.state is OfferState.WITHDRAWN
    assert home.offer_of(request).helper is home.zhang
    assert len(home.notices(home.li, "offer_gone")) == 1
    assert len(home.notices(home.zhang, "offer_made")) == 2


def test_back_to_the_first_time_may_ask_again_too(home: Neighbourhood) -> None:
    request = home.ask()
    monday = request.starts_at
    home.decline(request)
    home.now += timedelta(hours=1)
    change(home, request, starts_at=monday + timedelta(days=1))
    change(home, request, starts_at=monday)
    assert home.offer_of(request).helper is home.zhang


def test_saying_the_same_again_changes_nothing(home: Neighbourhood) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    change(home, request, starts_at=request.starts_at, minutes=60)
    assert home.offer_of(request) is offer
    assert home.notices(home.zhang, "request_changed") == []


def test_another_length_keeps_the_promise_and_its_hold_fits(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    for minutes in (100, 30):
        change(home, request, minutes=minutes)
        assert assignment.state is AssignmentState.ACTIVE
        assert home.balance(home.wang).held == minutes
    assert [told["minutes"] for told in home.notices(home.zhang, "request_changed")] == [100, 30]


def test_another_length_reaches_who_is_still_thinking_it_over(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    offer = home.offer_of(request)
    change(home, request, minutes=90)
    assert offer.state is OfferState.PENDING
    assert home.notices(home.zhang, "request_changed")[0]["minutes"] == 90


def test_a_helper_who_agreed_is_asked_first_for_another_time(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    home.decline(request)
    assignment = home.accepted(request)
    assert assignment.helper is home.li
    change(home, request, starts_at=home.now + timedelta(days=2))
    assert assignment.state is AssignmentState.RELEASED
    assert home.balance(home.wang).held == 0
    assert home.offer_of(request).helper is home.li
    assert len(home.notices(home.li, "request_cancelled")) == 1
    assert home.accepted(request).helper is home.li


def test_the_funds_share_follows_a_changed_length(home: Neighbourhood) -> None:
    request = home.ask(service_kind=ServiceKind.MEALS, minutes=180)
    home.accepted(request)
    for minutes, fund_holds in ((60, 0), (200, 80), (180, 60), (200, 80)):
        change(home, request, minutes=minutes)
        assert home.fund().held == fund_holds
        assert home.balance(home.wang).held == min(minutes, 120)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"minutes": 0}, BadMinutes),
        ({"minutes": 721}, BadMinutes),
        ({"minutes": 130}, NotEnoughMinutes),
    ],
)
def test_a_refused_change_leaves_everything_as_it_was(
    home: Neighbourhood, fields: dict[str, object], refusal: type[Exception]
) -> None:
    request = home.ask()
    home.accepted(request)
    with pytest.raises(refusal):
        change(home, request, **fields)
    with pytest.raises(InThePast):
        change(home, request, starts_at=home.now - timedelta(hours=1))
    assert (request.minutes, request.state) == (60, RequestState.ASSIGNED)
    assert home.balance(home.wang).held == 60


def test_held_minutes_count_when_the_same_visit_gets_longer(
    home: Neighbourhood,
) -> None:
    request = home.ask(minutes=100)
    home.accepted(request)
    change(home, request, minutes=120)
    assert home.balance(home.wang).held == 120


def test_a_meal_without_hours_cannot_become_a_cleaning(home: Neighbourhood) -> None:
    request = home.ask(service_kind=ServiceKind.MEALS, minutes=180)
    with pytest.raises(NotEnoughMinutes):
        change(home, request, service_kind=ServiceKind.CLEANING)


def test_only_the_elder_changes_and_only_before_it_begins(home: Neighbourhood) -> None:
    request = home.ask()
    with pytest.raises(NotYours):
        exchange.change_request(
            home.session,
            elder=home.zhang.id,
            request_id=request.id,
            turn_id=new_turn(),
            now=home.now,
            minutes=30,
        )
    assignment = home.accepted(request)
    home.claim(assignment, 60)
    with pytest.raises(WrongState) as refused:
        change(home, request, minutes=30)
    assert refused.value.facts["state"] == "claimed"


def test_a_request_nobody_could_take_is_asked_about_once_changed(
    home: Neighbourhood,
) -> None:
    request = home.ask(service_kind=ServiceKind.BATHING)
    assert request.state is RequestState.OPEN
    change(home, request, service_kind=ServiceKind.SHOPPING)
    assert request.state is RequestState.OFFERED


def test_names_and_words_of_any_kind_stay_words(home: Neighbourhood) -> None:
    nasty = "'; DROP TABLE member; -- <script>alert(1)</script> 😀"
    make_member(home.session, nasty[:40], now=home.now)
    request = home.ask(note=nasty * 200, place=nasty * 20)
    assert request.note == nasty * 200
    assert request.place == (nasty * 20)[:120]
    assert home.session.execute(select(Offer)).scalars().all()


def test_one_hour_cannot_be_asked_for_twice_over(home: Neighbourhood) -> None:
    first = home.ask(minutes=100)
    with pytest.raises(NotEnoughMinutes) as refused:
        home.ask(minutes=60)
    assert refused.value.facts == {"needed": 60, "available": 20}
    assert home.ask(minutes=60, service_kind=ServiceKind.MEALS), "a meal is never refused"
    exchange.cancel_request(home.session, by=home.wang.id, request_id=first.id, now=home.now)
    assert home.ask(minutes=60).state is RequestState.OFFERED
