"""What the ledger promises to people whose hours it keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import ledger
from actions.timebank.errors import (
    BadMinutes,
    LedgerBroken,
    NotEnoughMinutes,
    NothingOpen,
    UnknownMember,
    WrongState,
)
from actions.timebank.ids import AccountId, TransferId
from actions.timebank.ledger import BalanceOf
from actions.timebank.model import Hold, Member, Posting, Transfer
from actions.timebank.session import Village
from actions.timebank.states import HoldState, ServiceKind, TransferKind
from tests.timebank.builders import MORNING, make_assignment, make_member, make_visit


@pytest.fixture
def wang(session: Session) -> Member:
    return make_member(session, "王桂兰", now=MORNING, opening_minutes=120)


@pytest.fixture
def zhang(session: Session) -> Member:
    return make_member(session, "张秀英", now=MORNING)


def balance_of(session: Session, member: Member) -> BalanceOf:
    return ledger.balance(session, ledger.account_of(session, member.id).id)


def give(session: Session, giver: Member, receiver: Member, minutes: int, key: str) -> Transfer:
    return ledger.gift(
        session,
        giver=giver.id,
        receiver=receiver.id,
        minutes=minutes,
        idempotency_key=key,
        now=MORNING,
    )


def settle(session: Session, elder: Member, helper: Member, minutes: int) -> Transfer:
    """A visit that was done, paid by the elder without a hold."""
    assignment = make_assignment(session, elder=elder, helper=helper, now=MORNING)
    visit = make_visit(session, assignment, now=MORNING)
    return ledger.transfer(
        session,
        kind=TransferKind.SETTLEMENT,
        legs={
            ledger.account_of(session, elder.id).id: -minutes,
            ledger.account_of(session, helper.id).id: minutes,
        },
        visit_id=visit.id,
        idempotency_key=f"visit:{visit.id}",
        now=MORNING,
    )


def reverse(session: Session, wrong: Transfer, key: str = "undo") -> Transfer:
    return ledger.reverse(
        session, transfer_id=wrong.id, reason="wrong person", idempotency_key=key, now=MORNING
    )


def put_aside(session: Session, elder: Member, helper: Member, minutes: int = 60) -> Hold:
    assignment = make_assignment(session, elder=elder, helper=helper, now=MORNING)
    return ledger.hold(
        session,
        account_id=ledger.account_of(session, elder.id).id,
        assignment_id=assignment.id,
        minutes=minutes,
        now=MORNING,
    )


# -- moving minutes ---------------------------------------------------------------------------


def test_opening_hours_come_from_the_system_account(session: Session, wang: Member) -> None:
    assert balance_of(session, wang) == BalanceOf(posted=120, held=0, available=120)
    assert ledger.balance(session, ledger.system_account(session).id).posted == -120


def test_a_gift_moves_hours_between_two_neighbours(
    session: Session, wang: Member, zhang: Member
) -> None:
    give(session, wang, zhang, 50, "gift")
    assert balance_of(session, wang).available == 70
    assert balance_of(session, zhang).available == 50


def test_the_same_message_twice_moves_the_hours_once(
    session: Session, wang: Member, zhang: Member
) -> None:
    first = give(session, wang, zhang, 100, "turn:7")
    again = give(session, wang, zhang, 100, "turn:7")
    assert again.id == first.id
    assert balance_of(session, zhang).available == 100


def test_the_same_message_is_recognised_by_a_later_transaction(village: Village) -> None:
    with village.transaction() as session:
        wang = make_member(session, "王桂兰", now=MORNING, opening_minutes=120)
        zhang = make_member(session, "张秀英", now=MORNING)
        first = give(session, wang, zhang, 100, "turn:7").hash
    with village.transaction() as session:
        again = give(session, session.merge(wang), session.merge(zhang), 100, "turn:7")
        assert again.hash == first
        assert again.occurred_at == MORNING


@pytest.mark.parametrize("minutes, receiver", [(99, "张秀英"), (100, "李大爷")])
def test_a_key_cannot_be_used_again_for_something_else(
    session: Session, wang: Member, zhang: Member, minutes: int, receiver: str
) -> None:
    people = {"张秀英": zhang, "李大爷": make_member(session, "李大爷", now=MORNING)}
    give(session, wang, zhang, 100, "turn:7")
    with pytest.raises(LedgerBroken, match="turn:7"):
        give(session, wang, people[receiver], minutes, "turn:7")


def test_nobody_gives_more_than_they_have(session: Session, wang: Member, zhang: Member) -> None:
    with pytest.raises(NotEnoughMinutes) as refusal:
        give(session, wang, zhang, 121, "gift")
    assert refusal.value.facts["available"] == 120
    assert refusal.value.facts["needed"] == 121
    assert balance_of(session, wang).available == 120
    assert ledger.verify(session).transfers == 1


def test_the_fund_too_gives_only_what_it_has(session: Session, zhang: Member) -> None:
    fund = ledger.fund_account(session).id
    legs = {fund: -30, ledger.account_of(session, zhang.id).id: 30}
    ledger.grant(
        session, account_id=fund, minutes=29, reason="", idempotency_key="fund", now=MORNING
    )
    with pytest.raises(NotEnoughMinutes):
        ledger.transfer(
            session, kind=TransferKind.REISSUE, legs=legs, idempotency_key="help", now=MORNING
        )


@pytest.mark.parametrize("minutes", [0, -1, -60])
def test_nothing_and_less_than_nothing_cannot_be_given(
    session: Session, wang: Member, zhang: Member, minutes: int
) -> None:
    account = ledger.account_of(session, zhang.id).id
    with pytest.raises(BadMinutes):
        give(session, wang, zhang, minutes, "gift")
    with pytest.raises(BadMinutes):
        ledger.grant(
            session,
            account_id=account,
            minutes=minutes,
            reason="",
            idempotency_key="g",
            now=MORNING,
        )
    with pytest.raises(BadMinutes):
        put_aside(session, wang, zhang, minutes)


def test_a_gift_to_oneself_is_refused(session: Session, wang: Member) -> None:
    with pytest.raises(UnknownMember):
        give(session, wang, wang, 10, "gift")


def test_a_gift_to_somebody_without_an_account_is_refused(session: Session, wang: Member) -> None:
    stranger = Member(name="生人", lane_id=wang.lane_id, joined_at=MORNING)
    session.add(stranger)
    session.flush()
    with pytest.raises(UnknownMember):
        give(session, wang, stranger, 10, "gift")


@pytest.mark.parametrize("legs", [{}, {1: 5}, {1: -5, 2: 4}, {1: 0, 2: 0}, {1: -5, 2: 5, 3: 0}])
def test_legs_that_do_not_balance_are_refused(
    session: Session, wang: Member, zhang: Member, legs: dict[AccountId, int]
) -> None:
    with pytest.raises(LedgerBroken):
        ledger.transfer(
            session, kind=TransferKind.GIFT, legs=legs, idempotency_key="x", now=MORNING
        )
    assert ledger.verify(session).transfers == 1


def test_minutes_cannot_go_to_an_account_that_is_not_there(session: Session, wang: Member) -> None:
    account = ledger.account_of(session, wang.id).id
    with pytest.raises(LedgerBroken):
        ledger.transfer(
            session,
            kind=TransferKind.GIFT,
            legs={account: -5, AccountId(999): 5},
            idempotency_key="x",
            now=MORNING,
        )
    with pytest.raises(LedgerBroken):
        ledger.balance(session, AccountId(999))


def test_a_moment_without_a_zone_is_refused(session: Session, wang: Member, zhang: Member) -> None:
    with pytest.raises(ValueError, match="naive"):
        ledger.gift(
            session,
            giver=wang.id,
            receiver=zhang.id,
            minutes=5,
            idempotency_key="x",
            now=datetime(2026, 3, 2, 9, 0),
        )


def test_a_visit_is_settled_once_whatever_the_key(
    session: Session, wang: Member, zhang: Member
) -> None:
    settled = settle(session, wang, zhang, 30)
    with pytest.raises(LedgerBroken, match="visit_id"):
        ledger.transfer(
            session,
            kind=TransferKind.SETTLEMENT,
            legs={posting.account_id: posting.minutes for posting in settled.postings},
            visit_id=settled.visit_id,
            idempotency_key="another key",
            now=MORNING,
        )


def test_sql_html_and_emoji_in_a_reason_are_kept_as_said(
    session: Session, wang: Member, zhang: Member
) -> None:
    words = "'); DROP TABLE posting; -- <b>谢谢</b> 🙏\u202e"
    ledger.gift(
        session,
        giver=wang.id,
        receiver=zhang.id,
        minutes=5,
        reason=words,
        idempotency_key=words,
        now=MORNING,
    )
    assert ledger.history(session, zhang.id, limit=1)[0].reason == words
    assert ledger.verify(session).intact


def test_accounts_are_opened_once(session: Session, wang: Member) -> None:
    before = ledger.account_of(session, wang.id)
    ledger.ensure_village_accounts(session)
    assert ledger.open_account(session, wang.id) is before


def test_two_givers_at_once_take_turns(village: Village) -> None:
    with village.transaction() as session:
        people = [make_member(session, n, now=MORNING, opening_minutes=50).id for n in "甲乙"]

    def give_one_by_one(giver: int, receiver: int) -> None:
        for count in range(25):
            with village.transaction() as session:
                ledger.gift(
                    session,
                    giver=people[giver],
                    receiver=people[receiver],
                    minutes=1,
                    idempotency_key=f"{giver}:{count}",
                    now=MORNING,
                )

    threads = [Thread(target=give_one_by_one, args=way) for way in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with village.reading() as session:
        check = ledger.verify(session)
        assert check.intact, check.problem
        assert check.transfers == 52


# -- holds ------------------------------------------------------------------------------------


def test_held_minutes_cannot_be_given_away(session: Session, wang: Member, zhang: Member) -> None:
    put_aside(session, wang, zhang, 60)
    assert balance_of(session, wang) == BalanceOf(posted=120, held=60, available=60)
    with pytest.raises(NotEnoughMinutes):
        give(session, wang, zhang, 61, "gift")


def test_no_more_is_held_than_is_there(session: Session, wang: Member, zhang: Member) -> None:
    put_aside(session, wang, zhang, 100)
    with pytest.raises(NotEnoughMinutes):
        put_aside(session, wang, zhang, 21)


def test_the_same_hold_twice_is_one_hold(session: Session, wang: Member, zhang: Member) -> None:
    first = put_aside(session, wang, zhang, 60)
    again = ledger.hold(
        session,
        account_id=first.account_id,
        assignment_id=first.assignment_id,
        minutes=60,
        now=MORNING + timedelta(hours=1),
    )
    assert again is first
    assert balance_of(session, wang).held == 60


def test_a_hold_is_voided_before_another_number_is_held(
    session: Session, wang: Member, zhang: Member
) -> None:
    first = put_aside(session, wang, zhang, 60)
    more = {"account_id": first.account_id, "assignment_id": first.assignment_id, "minutes": 90}
    with pytest.raises(WrongState) as refusal:
        ledger.hold(session, **more, now=MORNING)
    assert refusal.value.facts == {"state": HoldState.PENDING, "minutes": 60}
    ledger.void_hold(session, first, now=MORNING)
    assert ledger.hold(session, **more, now=MORNING).minutes == 90
    assert balance_of(session, wang).held == 90


@pytest.mark.parametrize("end", [ledger.void_hold, ledger.expire_hold, ledger.post_hold])
def test_an_ended_hold_gives_the_minutes_back(
    session: Session, wang: Member, zhang: Member, end: Callable[..., Hold]
) -> None:
    held = put_aside(session, wang, zhang, 60)
    end(session, held, now=MORNING + timedelta(days=1))
    assert held.ended_at == MORNING + timedelta(days=1)
    assert balance_of(session, wang) == BalanceOf(posted=120, held=0, available=120)


def test_a_hold_ends_once(session: Session, wang: Member, zhang: Member) -> None:
    held = put_aside(session, wang, zhang, 60)
    ledger.void_hold(session, held, now=MORNING)
    assert ledger.void_hold(session, held, now=MORNING + timedelta(1)).ended_at == MORNING
    for other_end in (ledger.post_hold, ledger.expire_hold):
        with pytest.raises(WrongState) as refusal:
            other_end(session, held, now=MORNING)
        assert refusal.value.facts["state"] is HoldState.VOIDED


def test_a_settled_visit_posts_what_was_really_done(
    session: Session, wang: Member, zhang: Member
) -> None:
    held = put_aside(session, wang, zhang, 120)
    ledger.post_hold(session, held, now=MORNING)
    settle(session, wang, zhang, 45)
    assert balance_of(session, wang) == BalanceOf(posted=75, held=0, available=75)
    assert balance_of(session, zhang).available == 45


# -- reversals --------------------------------------------------------------------------------


def test_a_reversal_gives_back_exactly_what_was_moved(
    session: Session, wang: Member, zhang: Member
) -> None:
    settled = settle(session, wang, zhang, 45)
    undone = reverse(session, settled)
    assert undone.reverses_id == settled.id
    assert {leg.account_id: leg.minutes for leg in undone.postings} == {
        leg.account_id: -leg.minutes for leg in settled.postings
    }
    assert balance_of(session, wang).available == 120
    assert balance_of(session, zhang).available == 0


def test_a_wrong_transfer_is_undone_even_when_its_minutes_are_spent(
    session: Session, wang: Member, zhang: Member
) -> None:
    wrong = give(session, wang, zhang, 60, "gift")
    give(session, zhang, make_member(session, "李大爷", now=MORNING), 60, "spent")
    reverse(session, wrong)
    assert balance_of(session, zhang).available == -60
    with pytest.raises(NotEnoughMinutes):
        give(session, zhang, wang, 1, "more")


def test_a_transfer_is_reversed_once(session: Session, wang: Member, zhang: Member) -> None:
    wrong = give(session, wang, zhang, 60, "gift")
    first = reverse(session, wrong, "undo")
    assert reverse(session, wrong, "undo").id == first.id
    with pytest.raises(WrongState) as refusal:
        reverse(session, wrong, "undo again")
    assert refusal.value.facts["state"] == "reversed"
    assert balance_of(session, wang).available == 120


def test_a_reversal_is_not_reversed(session: Session, wang: Member, zhang: Member) -> None:
    undone = reverse(session, give(session, wang, zhang, 60, "gift"))
    with pytest.raises(WrongState) as refusal:
        reverse(session, undone, "undo the undoing")
    assert refusal.value.facts["state"] == "reversal"


def test_what_never_was_is_not_reversed(session: Session, wang: Member) -> None:
    with pytest.raises(NothingOpen):
        ledger.reverse(
            session, transfer_id=TransferId(99), reason="", idempotency_key="x", now=MORNING
        )


# -- every hour explained ---------------------------------------------------------------------


def test_history_tells_who_came_for_what_and_what_was_left(
    session: Session, wang: Member, zhang: Member
) -> None:
    settled = settle(session, wang, zhang, 45)
    given = give(session, wang, zhang, 5, "gift")
    undone = reverse(session, settled)
    lines = ledger.history(session, wang.id, limit=10)
    told = [(line.kind, line.minutes, line.other_name, line.balance_after) for line in lines]
    assert told == [
        (TransferKind.REVERSAL, 45, "张秀英", 115),
        (TransferKind.GIFT, -5, "张秀英", 70),
        (TransferKind.SETTLEMENT, -45, "张秀英", 75),
        (TransferKind.REISSUE, 120, None, 120),
    ]
    assert [line.transfer_id for line in lines[:3]] == [undone.id, given.id, settled.id]
    assert lines[0].service_kind is lines[2].service_kind is ServiceKind.SHOPPING
    assert lines[0].visit_day == lines[2].visit_day == date(2026, 3, 2)
    assert (lines[1].service_kind, lines[1].visit_day) == (None, None)
    assert lines[0].reason == "wrong person"


def test_the_helper_sees_the_elder_on_the_other_side(
    session: Session, wang: Member, zhang: Member
) -> None:
    settle(session, wang, zhang, 45)
    (line,) = ledger.history(session, zhang.id, limit=10)
    assert (line.minutes, line.other_name, line.balance_after) == (45, "王桂兰", 45)


def test_a_visit_before_eight_belongs_to_the_village_s_day(
    session: Session, wang: Member, zhang: Member
) -> None:
    seven_in_the_morning = MORNING - timedelta(hours=2)
    assignment = make_assignment(session, elder=wang, helper=zhang, now=MORNING)
    visit = make_visit(session, assignment, now=seven_in_the_morning)
    ledger.transfer(
        session,
        kind=TransferKind.SETTLEMENT,
        legs={
            ledger.account_of(session, wang.id).id: -10,
            ledger.account_of(session, zhang.id).id: 10,
        },
        visit_id=visit.id,
        idempotency_key="early",
        now=MORNING,
    )
    assert ledger.history(session, wang.id, limit=1)[0].visit_day == date(2026, 3, 2)


def test_newest_lines_come_first_and_no_more_than_asked_for(
    session: Session, wang: Member, zhang: Member
) -> None:
    for count in range(5):
        give(session, wang, zhang, 10 + count, f"gift:{count}")
    lines = ledger.history(session, wang.id, limit=2)
    assert [(line.minutes, line.balance_after) for line in lines] == [(-14, 60), (-13, 74)]
    assert ledger.history(session, make_member(session, "新来的", now=MORNING).id, limit=9) == []


def test_postings_always_sum_to_zero(session: Session, wang: Member, zhang: Member) -> None:
    reverse(session, settle(session, wang, zhang, 45))
    assert session.scalar(select(func.sum(Posting.minutes))) == 0
