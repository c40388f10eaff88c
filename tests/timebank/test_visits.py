"""Both sides say what happened, then the agreed minutes move, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import exchange, ledger, queries, visits
from actions.timebank.errors import BadMinutes, NothingOpen, NotYours, WrongState
from actions.timebank.ids import TurnId
from actions.timebank.model import Assignment, Dispute, Transfer
from actions.timebank.session import Village
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    HoldState,
    RequestState,
    ServiceKind,
    TransferKind,
)
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def settlements(home: Neighbourhood) -> int:
    settled = select(func.count()).where(Transfer.kind == TransferKind.SETTLEMENT)
    return int(home.session.execute(settled).scalar_one())


def test_sixty_minutes_move_when_both_say_an_hour(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    visit = visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    assert request.state is RequestState.IN_PROGRESS
    assert home.notices(home.wang, "visit_started") == [{"helper": "张秀英", "kind": "shopping"}]

    claimed = home.claim(assignment, 60)
    assert claimed.state == "waiting_for_elder"
    assert (claimed.helper_name, claimed.elder_name) == ("张秀英", "王奶奶")
    assert request.state is RequestState.CLAIMED
    (read_back,) = home.notices(home.wang, "visit_claimed")
    assert (read_back["minutes"], read_back["request_id"]) == (60, request.id)

    settled = home.confirm(request)
    assert (settled.state, settled.minutes_settled) == ("settled", 60)
    assert settled.elder_balance == ledger.BalanceOf(posted=60, held=0, available=60)
    assert home.balance(home.zhang).posted == 60
    assert request.state is RequestState.CONFIRMED
    assert assignment.state is AssignmentState.DONE
    assert [hold.state for hold in assignment.holds] == [HoldState.POSTED]
    assert (visit.settled_minutes, visit.settled_at) == (60, home.now)
    (told,) = home.notices(home.zhang, "visit_settled")
    assert told == {
        "other": "王奶奶",
        "kind": "shopping",
        "minutes": 60,
        "balance": 60,
        "earned": True,
    }
    assert not home.notices(home.wang, "visit_settled"), "she heard it as her answer"
    assert ledger.verify(home.session).intact


def test_the_elder_may_speak_first(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    first = home.confirm(request, minutes=60)
    assert (first.state, first.minutes_confirmed) == ("waiting_for_helper", 60)
    assert request.state is RequestState.ASSIGNED
    assert len(home.notices(home.zhang, "visit_confirmed_first")) == 1
    settled = home.claim(assignment, 60)
    assert (settled.state, settled.minutes_settled) == ("settled", 60)
    assert request.state is RequestState.CONFIRMED


def test_a_helper_may_come_in_after_the_elder_spoke(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    home.confirm(request, minutes=60)
    visit = visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    assert visit.checked_in_at == home.now
    assert home.claim(assignment, 60).state == "settled"


def test_yes_before_any_claim_means_nothing_yet(home: Neighbourhood) -> None:
    request = home.ask()
    home.accepted(request)
    with pytest.raises(WrongState) as refused:
        home.confirm(request)
    assert refused.value.facts["state"] == "assigned"


@pytest.mark.parametrize("elder_first", [True, False])
@pytest.mark.parametrize(
    ("claimed", "confirmed", "settled", "disputed"),
    [(60, 45, 45, False), (45, 60, 45, False), (60, 44, 44, True), (40, 60, 40, True)],
)
def test_the_smaller_number_moves_and_a_large_difference_goes_to_staff(
    home: Neighbourhood,
    elder_first: bool,
    claimed: int,
    confirmed: int,
    settled: int,
    disputed: bool,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    if elder_first:
        home.confirm(request, minutes=confirmed)
        outcome = home.claim(assignment, claimed)
    else:
        home.claim(assignment, claimed)
        outcome = home.confirm(request, minutes=confirmed)
    assert outcome.minutes_settled == settled
    assert home.balance(home.zhang).posted == settled
    assert home.balance(home.wang).available == 120 - settled
    assert (outcome.dispute_id is not None) is disputed
    assert request.state is (RequestState.DISPUTED if disputed else RequestState.CONFIRMED)
    for person in (home.wang, home.zhang):
        assert len(home.notices(person, "minutes_differ")) == int(disputed)
    quiet, told = (home.zhang, home.wang) if elder_first else (home.wang, home.zhang)
    assert len(home.notices(told, "visit_settled")) == int(not disputed)
    assert not home.notices(quiet, "visit_settled"), "who spoke last hears it as the answer"
    if disputed:
        dispute = home.session.get(Dispute, outcome.dispute_id)
        assert (dispute.kind, dispute.claimed_minutes, dispute.confirmed_minutes) == (
            DisputeKind.MINUTES_DIFFER,
            claimed,
            confirmed,
        )
        (told,) = home.notices(home.staff, "staff_dispute")
        assert (told["claimed"], told["confirmed"]) == (claimed, confirmed)


def test_a_settlement_happens_once_however_often_it_is_said(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    first_claim = home.claim(assignment, 60)
    assert home.claim(assignment, 240) == first_claim
    settled = home.confirm(request)
    for minutes in (None, 60, 5):
        assert home.confirm(request, minutes=minutes) == settled
    assert home.claim(assignment, 90) == settled
    assert settlements(home) == 1
    assert home.balance(home.zhang).posted == 60
    assert len(home.notices(home.zhang, "visit_settled")) == 1


def test_the_first_word_of_the_elder_stands(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    home.confirm(request, minutes=50)
    assert home.confirm(request, minutes=5).minutes_confirmed == 50
    assert home.claim(assignment, 60).minutes_settled == 50


def test_nothing_done_moves_nothing(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    home.claim(assignment, 10)
    outcome = home.confirm(request, minutes=0)
    assert (outcome.state, outcome.minutes_settled) == ("settled", 0)
    assert settlements(home) == 0
    assert home.balance(home.wang) == ledger.BalanceOf(posted=120, held=0, available=120)
    assert [hold.state for hold in assignment.holds] == [HoldState.VOIDED]


def test_the_fund_bears_what_a_longer_visit_took(home: Neighbourhood) -> None:
    request = home.ask(minutes=60)
    home.claim(home.accepted(request), 150)
    settled = home.confirm(request)
    assert settled.minutes_settled == 150
    assert settled.elder_balance.posted == 0
    assert home.balance(home.zhang).posted == 150
    assert home.fund().posted == 0
    (told,) = home.notices(home.staff, "staff_fund_used")
    assert told["minutes"] == 30


def test_hours_earned_meanwhile_spare_the_fund(home: Neighbourhood) -> None:
    request = home.ask(service_kind=ServiceKind.MEALS, minutes=180)
    assignment = home.accepted(request)
    ledger.gift(
        home.session,
        giver=_rich(home),
        receiver=home.wang.id,
        minutes=60,
        idempotency_key="gift",
        now=home.now,
    )
    before = home.fund()
    home.claim(assignment, 180)
    home.confirm(request)
    assert home.fund().posted == before.posted
    assert home.fund().held == 0
    assert home.balance(home.wang).posted == 0
    # Told once, when it was promised.
    assert [told["minutes"] for told in home.notices(home.staff, "staff_fund_used")] == [60]


def _rich(home: Neighbourhood) -> int:
    account = ledger.account_of(home.session, home.zhao.id)
    ledger.grant(
        home.session,
        account_id=account.id,
        minutes=600,
        reason="opening",
        idempotency_key="rich",
        now=home.now,
    )
    return int(home.zhao.id)


@pytest.mark.parametrize("minutes", [-1, 0, 721, 10**9])
def test_a_claim_that_no_visit_can_have_taken_is_refused(home: Neighbourhood, minutes: int) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    with pytest.raises(BadMinutes):
        home.claim(assignment, minutes)
    assert request.state is RequestState.ASSIGNED


@pytest.mark.parametrize("minutes", [-1, 721])
def test_a_confirmation_of_impossible_minutes_is_refused(home: Neighbourhood, minutes: int) -> None:
    request = home.ask()
    home.claim(home.accepted(request), 60)
    with pytest.raises(BadMinutes):
        home.confirm(request, minutes=minutes)
    assert settlements(home) == 0


def test_strangers_start_claim_and_confirm_nothing(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    with pytest.raises(NotYours):
        visits.start_visit(
            home.session, helper=home.li.id, assignment_id=assignment.id, now=home.now
        )
    for stranger in (home.li, home.wang):
        with pytest.raises(NotYours):
            visits.claim_visit(
                home.session,
                helper=stranger.id,
                assignment_id=assignment.id,
                minutes=60,
                turn_id=new_turn(),
                now=home.now,
            )
    for stranger in (home.zhang, home.staff):
        with pytest.raises(NotYours):
            visits.confirm_visit(
                home.session,
                elder=stranger.id,
                request_id=request.id,
                turn_id=new_turn(),
                now=home.now,
                minutes=60,
            )
    with pytest.raises(NothingOpen):
        visits.start_visit(home.session, helper=home.li.id, assignment_id=999, now=home.now)


def test_nothing_is_claimed_or_confirmed_after_a_cancellation(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    exchange.cancel_request(home.session, by=home.wang.id, request_id=request.id, now=home.now)
    with pytest.raises(WrongState) as claim_refused:
        home.claim(assignment, 60)
    assert claim_refused.value.facts["state"] == "released"
    with pytest.raises(WrongState) as confirm_refused:
        home.confirm(request, minutes=60)
    assert confirm_refused.value.facts["state"] == "cancelled"


def test_starting_twice_is_one_visit_and_a_claimed_one_does_not_start(
    home: Neighbourhood,
) -> None:
    assignment = home.accepted(home.ask())
    first = visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=home.now
    )
    later = home.now + timedelta(minutes=5)
    again = visits.start_visit(
        home.session, helper=home.zhang.id, assignment_id=assignment.id, now=later
    )
    assert again is first and first.checked_in_at == home.now
    home.claim(assignment, 60)
    with pytest.raises(WrongState) as refused:
        visits.start_visit(
            home.session, helper=home.zhang.id, assignment_id=assignment.id, now=later
        )
    assert refused.value.facts["state"] == "claimed"


def test_what_waits_for_a_yes_comes_before_what_is_still_going_on(
    home: Neighbourhood,
) -> None:
    wang = home.wang.id
    soon, going_on, claimed = (
        home.ask(service_kind=ServiceKind.MEALS, starts_at=home.now + timedelta(hours=hours))
        for hours in (10, 7, 2)
    )
    promised = [home.accepted(request) for request in (soon, going_on, claimed)]
    visits.start_visit(
        home.session,
        helper=promised[1].helper_id,
        assignment_id=promised[1].id,
        now=home.now,
    )
    home.claim(promised[2], 60)
    assert queries.visits_to_confirm(home.session, wang, now=home.now) == [
        claimed,
        going_on,
    ]
    later = home.now + timedelta(hours=10)
    assert queries.visits_to_confirm(home.session, wang, now=later) == [
        claimed,
        going_on,
        soon,
    ]
    assert queries.open_requests(home.session, wang) == [claimed, going_on, soon]
    assert queries.last_request(home.session, wang) is claimed
    assert [task.request for task in queries.active_tasks(home.session, home.zhang.id)] == [
        going_on,
        soon,
        claimed,
    ]


def test_two_answers_at_once_settle_once(village: Village, clock: FakeClock) -> None:
    with village.transaction() as session:
        home = settle_in(session, clock.now)
        request = home.ask()
        home.claim(home.accepted(request), 60)
        elder, request_id = home.wang.id, request.id
    together = Barrier(4)

    def confirm(number: int) -> visits.Settlement:
        together.wait()
        with village.transaction() as session:
            return visits.confirm_visit(
                session,
                elder=elder,
                request_id=request_id,
                turn_id=TurnId(f"at-once:{number}"),
                now=clock.now,
                minutes=60 - number,
            )

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(confirm, range(4)))
    assert all(answer == answers[0] for answer in answers)
    with village.reading() as session:
        moved = select(func.count()).where(Transfer.kind == TransferKind.SETTLEMENT)
        assert session.execute(moved).scalar_one() == 1
        assert ledger.verify(session).intact


# -- 不对，是半个小时 ---------------------------------------------------------------------------


def correct(home: Neighbourhood, assignment: Assignment, minutes: int) -> visits.Settlement:
    return visits.correct_claim(
        home.session,
        helper=assignment.helper_id,
        assignment_id=assignment.id,
        minutes=minutes,
        turn_id=new_turn(),
        now=home.now,
        evidence_sha256="cd" * 32,
    )


def test_a_helper_who_misspoke_is_believed_until_she_has_spoken(home: Neighbourhood) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    home.claim(assignment, 90)
    corrected = correct(home, assignment, 30)
    assert (corrected.state, corrected.minutes_claimed) == ("waiting_for_elder", 30)
    (told,) = home.notices(home.wang, "claim_corrected")
    assert told["minutes"] == 30
    (claim,) = assignment.visit.confirmations
    assert (claim.minutes, claim.evidence_sha256) == (30, "cd" * 32)
    assert home.confirm(request).minutes_settled == 30
    assert home.balance(home.zhang).posted == 30


def test_the_same_number_again_tells_her_nothing(home: Neighbourhood) -> None:
    assignment = home.accepted(home.ask())
    home.claim(assignment, 30)
    correct(home, assignment, 30)
    assert home.notices(home.wang, "claim_corrected") == []


@pytest.mark.parametrize("minutes", [0, -5, 721])
def test_no_visit_is_corrected_to_what_none_can_take(home: Neighbourhood, minutes: int) -> None:
    assignment = home.accepted(home.ask())
    home.claim(assignment, 30)
    with pytest.raises(BadMinutes):
        correct(home, assignment, minutes)


def test_before_a_claim_and_after_her_word_there_is_nothing_to_correct(
    home: Neighbourhood,
) -> None:
    request = home.ask()
    assignment = home.accepted(request)
    with pytest.raises(WrongState):
        correct(home, assignment, 30)
    home.claim(assignment, 60)
    home.confirm(request)
    with pytest.raises(WrongState):
        correct(home, assignment, 30)
    assert home.balance(home.zhang).posted == 60


def test_nobody_corrects_anothers_claim(home: Neighbourhood) -> None:
    assignment = home.accepted(home.ask())
    home.claim(assignment, 60)
    with pytest.raises(NotYours):
        visits.correct_claim(
            home.session,
            helper=home.li.id,
            assignment_id=assignment.id,
            minutes=10,
            turn_id=new_turn(),
            now=home.now,
        )
