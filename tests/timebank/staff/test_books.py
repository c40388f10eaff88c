"""The books as the core reads them: every account, every transfer, a month, a passbook."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy.orm import Session

from actions.timebank import chain, ledger
from actions.timebank.errors import NothingOpen, UnknownMember
from actions.timebank.history import history
from actions.timebank.ids import AccountId, MemberId, TransferId
from actions.timebank.model import Member, Transfer
from actions.timebank.staff import books, passbooks, public_notice, transfers
from actions.timebank.staff.books import Order
from actions.timebank.staff.public_notice import Sum
from actions.timebank.staff.transfers import Wanted
from actions.timebank.states import AccountKind, ServiceKind, TransferKind
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def hood(session: Session) -> Neighbourhood:
    return settle_in(session, MORNING)


def account_of(hood: Neighbourhood, member: Member) -> AccountId:
    return AccountId(ledger.account_of(hood.session, member.id).id)


def give(hood: Neighbourhood, giver: Member, to: Member | None, minutes: int, at: datetime) -> int:
    made = ledger.gift(
        hood.session,
        giver=giver.id,
        receiver=to.id if to else None,
        minutes=minutes,
        idempotency_key=f"{giver.id}:{minutes}:{at}",
        now=at,
    )
    return int(made.id)


def undo(hood: Neighbourhood, wrong: int) -> Transfer:
    return ledger.reverse(
        hood.session,
        transfer_id=TransferId(wrong),
        reason="记错了",
        idempotency_key=f"undo:{wrong}",
        now=hood.now,
    )


# -- accounts ---------------------------------------------------------------------------------


def test_the_overview_adds_up(hood: Neighbourhood) -> None:
    hood.visited(30)
    hood.accepted(hood.ask(minutes=40))
    give(hood, hood.zhang, None, 30, MORNING)
    undo(hood, ledger.head(hood.session).sequence - 1)
    seen = books.overview(hood.session)
    assert seen.sum == 0
    assert (seen.with_members, seen.fund.posted, seen.issued) == (90, 30, 120)
    assert (seen.held, seen.owing) == (40, 1), "张秀英 gave away what was not hers"
    assert seen.head == ledger.head(hood.session)
    assert seen.last_check is None


def test_a_check_is_noted_with_who_made_it(hood: Neighbourhood) -> None:
    by = MemberId(hood.staff.id)
    books.note_check(hood.session, chain.verify(hood.session), by=by, now=MORNING)
    noted = books.overview(hood.session).last_check
    assert noted is not None
    assert (noted.by.name, noted.transfers, noted.first_bad) == ("陈干事", 1, None)


@pytest.mark.parametrize("order", list(Order))
def test_pages_of_accounts_show_each_once_in_order(hood: Neighbourhood, order: Order) -> None:
    hood.visited(30)
    hood.accepted(hood.ask(minutes=40))
    seen, after = [], None
    while page := books.accounts(hood.session, limit=2, order=order, after=after):
        seen += page
        after = books.cursor(page[-1], order)
    assert len({line.account_id for line in seen}) == len(seen) == 7
    keys = [getattr(line, order.value) for line in seen]
    assert keys == sorted(keys, reverse=order is not Order.NAME)


def test_accounts_are_found_by_name_nickname_and_number(hood: Neighbourhood) -> None:
    hood.li.nickname = "老李%"
    hood.session.flush()
    for search in ("建国", "老李", "李%", str(hood.li.id)):
        found = books.accounts(hood.session, limit=9, search=search)
        assert [line.name for line in found] == ["李建国"], search
    assert books.accounts(hood.session, limit=9, search="_") == []
    with pytest.raises(NothingOpen):
        books.account(hood.session, AccountId(99))


def test_what_is_held_tells_what_for(hood: Neighbourhood) -> None:
    hood.accepted(hood.ask(minutes=40))
    [waiting] = books.waiting(hood.session, account_of(hood, hood.wang))
    assert (waiting.hold.minutes, waiting.helper.name) == (40, "张秀英")
    assert books.account(hood.session, account_of(hood, hood.wang)).available == 80


# -- transfers --------------------------------------------------------------------------------


def test_each_transfer_names_its_sides_and_its_visit(hood: Neighbourhood) -> None:
    request = hood.visited(30)
    newest = transfers.entries(hood.session, Wanted(), limit=1)[0]
    assert [(side.name, side.minutes) for side in newest.sides] == [("王奶奶", -30), ("张秀英", 30)]
    assert (newest.elder, newest.helper, newest.request_id) == ("王奶奶", "张秀英", request.id)
    assert (newest.minutes, newest.service_kind) == (30, ServiceKind.SHOPPING)
    said = transfers.behind(hood.session, newest.transfer_id).confirmations
    assert {one.minutes for one in said} == {30} and len(said) == 2


def test_a_reversal_and_what_it_undid_name_each_other(hood: Neighbourhood) -> None:
    hood.visited(30)
    wrong = TransferId(ledger.head(hood.session).sequence)
    undone = TransferId(undo(hood, wrong).id)
    assert transfers.entry(hood.session, wrong).reversed_by == undone
    seen = transfers.entry(hood.session, undone)
    assert (seen.reverses_id, seen.elder) == (wrong, "王奶奶")
    assert len(transfers.behind(hood.session, undone).confirmations) == 2
    with pytest.raises(NothingOpen):
        transfers.entry(hood.session, TransferId(99))


def test_transfers_are_paged_and_filtered(hood: Neighbourhood) -> None:
    numbers = [give(hood, hood.wang, hood.li, n, MORNING + timedelta(days=n)) for n in range(1, 8)]
    seen, before = [], None
    while page := transfers.entries(hood.session, Wanted(), limit=3, before=before):
        seen += [one.transfer_id for one in page]
        before = page[-1].transfer_id
    assert seen == [*reversed(numbers), 1]
    only = Wanted(
        kind=TransferKind.GIFT,
        account_id=account_of(hood, hood.li),
        since=MORNING + timedelta(days=2),
        until=MORNING + timedelta(days=4),
    )
    assert [one.minutes for one in transfers.entries(hood.session, only, limit=9)] == [3, 2]
    other = Wanted(account_id=account_of(hood, hood.zhao))
    assert transfers.entries(hood.session, other, limit=9) == []


def test_all_of_them_are_read_without_a_gap(
    hood: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, 8):
        give(hood, hood.wang, hood.li, n, MORNING)
    monkeypatch.setattr(transfers, "AT_ONCE", 3)
    for most, expected in ((99, 8), (8, 8), (6, 6), (4, 4), (0, 0)):
        seen = [one.transfer_id for one in transfers.every(hood.session, Wanted(), most=most)]
        assert seen == list(range(8, 8 - expected, -1))


def test_history_goes_on_before_a_transfer_with_the_right_balance(hood: Neighbourhood) -> None:
    numbers = [give(hood, hood.wang, hood.li, n, MORNING) for n in (1, 2, 3)]
    wang = MemberId(hood.wang.id)
    whole = history(hood.session, wang, limit=9)
    assert history(hood.session, wang, limit=9, before=TransferId(numbers[2])) == whole[1:]
    assert [line.told_as for line in whole] == ["given"] * 3 + ["opening"]


# -- a month ----------------------------------------------------------------------------------


def test_a_month_in_numbers(hood: Neighbourhood) -> None:
    hood.visited(30)
    hood.visited(20, service_kind=ServiceKind.MEALS)
    give(hood, hood.zhang, None, 10, MORNING)
    in_april = give(hood, hood.zhang, None, 5, MORNING + timedelta(days=40))
    march = public_notice.month_of(hood.session, 2026, 3, now=MORNING + timedelta(days=40))
    assert march.by_help == {ServiceKind.SHOPPING: Sum(1, 30), ServiceKind.MEALS: Sum(1, 20)}
    assert march.visits == Sum(2, 50)
    assert march.moved == 120 + 50 + 10
    assert (march.fund, march.over, march.head.sequence) == (10, True, in_april - 1)
    april = public_notice.month_of(hood.session, 2026, 4, now=MORNING + timedelta(days=40))
    assert (april.visits, april.fund, april.over) == (Sum(), 15, False)


def test_a_month_ends_at_the_village_s_midnight(hood: Neighbourhood) -> None:
    last_hour = datetime(2026, 3, 31, 15, 59, tzinfo=timezone.utc)
    give(hood, hood.wang, None, 1, last_hour)
    give(hood, hood.wang, None, 2, last_hour + timedelta(minutes=1))
    now = last_hour + timedelta(days=1)
    assert public_notice.month_of(hood.session, 2026, 3, now=now).fund == 1
    assert public_notice.month_of(hood.session, 2026, 12, now=now + timedelta(days=300)).fund == 3
    with pytest.raises(ValueError, match="begun"):
        public_notice.month_of(hood.session, 2026, 5, now=now)


# -- a passbook -------------------------------------------------------------------------------


def test_a_passbook_opens_and_closes_with_what_there_was(hood: Neighbourhood) -> None:
    for day in range(1, 6):
        give(hood, hood.wang, hood.li, day, MORNING + timedelta(days=day))
    book = passbooks.passbook(
        hood.session,
        MemberId(hood.wang.id),
        first_day=date(2026, 3, 4),
        last_day=date(2026, 3, 6),
    )
    assert (book.opening, [line.minutes for line in book.lines], book.closing) == (
        119,
        [-2, -3, -4],
        110,
    )
    assert (book.received, book.given) == (0, 9)
    pages = book.pages(2)
    assert [(page.opening, page.closing) for page in pages] == [(119, 114), (114, 110)]
    assert [len(page.lines) for page in pages] == [2, 1]


def test_a_passbook_without_lines_is_one_sheet(hood: Neighbourhood) -> None:
    days = {"first_day": date(2025, 1, 1), "last_day": date(2025, 12, 31)}
    book = passbooks.passbook(hood.session, MemberId(hood.wang.id), **days)
    [page] = book.pages(10)
    assert (page.opening, page.lines, page.closing) == (0, [], 0)
    with pytest.raises(UnknownMember):
        passbooks.passbook(hood.session, MemberId(99), **days)


def test_the_village_s_own_accounts_are_named_by_kind(hood: Neighbourhood) -> None:
    kinds = [line.kind for line in books.accounts(hood.session, limit=2)]
    assert set(kinds) == {AccountKind.FUND, AccountKind.SYSTEM}
