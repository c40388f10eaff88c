"""The village's books: all accounts, all transfers, each explained. Nothing here can be changed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Dict, Mapping, Optional, Sequence
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NothingOpen
from actions.timebank.history import history
from actions.timebank.ids import AccountId, MemberId, TransferId
from actions.timebank.staff import books, proposals, transfers
from actions.timebank.staff.books import Order
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.staff.transfers import Entry, Wanted
from actions.timebank.states import TransferKind
from bot.console import book_words
from bot.console.book_sheet import transfers_sheet
from bot.console.desk import ConsoleRoute, Desk, NotFound

A_PAGE = 50
MOST_EXPORTED = 10_000
"""More than a quarter of a big village; so many take about two seconds."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def overview(desk: Desk) -> Response:
    with desk.reading() as session:
        return desk.page(
            "books/overview.html",
            books=books.overview(session),
            waiting=proposals.waiting(session),
            short=book_words.short,
        )


def accounts(desk: Desk) -> Response:
    order, search = _order(desk), desk.query.get("q", "")[:40]
    with desk.reading() as session:
        lines = books.accounts(
            session, limit=A_PAGE + 1, order=order, search=search, after=_after(desk, order)
        )
    more = ""
    if len(lines) > A_PAGE:
        lines = lines[:A_PAGE]
        value, last = books.cursor(lines[-1], order)
        more = _address("/books/accounts", q=search, sort=order.value, after=f"{last}:{value}")
    return desk.page(
        "books/accounts.html", lines=lines, order=order.value, search=search, more=more
    )


def account(desk: Desk) -> Response:
    account_id = AccountId(desk.path["account_id"])
    before = desk.number("before")
    with desk.reading() as session:
        line = _found(lambda: books.account(session, account_id))
        if line.member_id is not None:
            desk.saw(Viewed.PASSBOOK, line.member_id, f"/books/accounts/{account_id}")
        shown = transfers.entries(
            session,
            Wanted(account_id=account_id),
            limit=A_PAGE + 1,
            before=TransferId(before) if before else None,
        )
        page = shown[:A_PAGE]
        return desk.page(
            "books/account.html",
            account=line,
            entries=page,
            sentences=_sentences(desk, session, line.member_id, page),
            balances=_balances(session, account_id, page),
            turns=transfers.known_turns(session, (one.turn_id for one in page)),
            waiting=books.waiting(session, account_id),
            more=_address(f"/books/accounts/{account_id}", before=page[-1].transfer_id)
            if len(shown) > A_PAGE
            else "",
            first_page=before is None,
            told=lambda entry: book_words.told(desk, entry),
        )


def _sentences(
    desk: Desk, session: Session, member: Optional[MemberId], page: Sequence[Entry]
) -> Mapping[int, str]:
    """What this member would hear about each; nothing for the village's own accounts."""
    if member is None or not page:
        return {}
    after = TransferId(page[0].transfer_id + 1)
    lines = history(session, member, limit=len(page), before=after)
    return {line.transfer_id: book_words.explained(desk, line) for line in lines}


def _balances(session: Session, account_id: AccountId, page: Sequence[Entry]) -> Mapping[int, int]:
    """What the account had after each."""
    balances: Dict[int, int] = {}
    has = transfers.posted_until(session, account_id, page[0].transfer_id) if page else 0
    for one in page:
        balances[one.transfer_id] = has
        has -= one.of(account_id)
    return balances


def all_transfers(desk: Desk) -> Response:
    wanted, before = _wanted(desk), desk.number("before")
    with desk.reading() as session:
        shown = transfers.entries(
            session, wanted, limit=A_PAGE + 1, before=TransferId(before) if before else None
        )
    page, more = shown[:A_PAGE], ""
    filters = {name: desk.query.get(name, "")[:20] for name in ("kind", "since", "until")}
    if len(shown) > A_PAGE:
        more = _address("/books/transfers", **filters, before=page[-1].transfer_id)
    return desk.page(
        "books/transfers.html",
        entries=page,
        more=more,
        filters=filters,
        export=_address("/books/transfers.xlsx", **filters),
        most_exported=MOST_EXPORTED,
        kinds=[(kind.value, desk.words.label(kind)) for kind in TransferKind],
        told=lambda entry: book_words.told(desk, entry),
        side_name=lambda side: book_words.side_name(desk, side),
    )


def export(desk: Desk) -> Response:
    wanted = _wanted(desk)
    with desk.reading() as session:
        content = transfers_sheet(
            desk, transfers.every(session, wanted, most=MOST_EXPORTED + 1), most=MOST_EXPORTED
        )
    name = desk.say("时间流水{day}.xlsx", day=f"{desk.now.astimezone(VILLAGE_ZONE):%Y%m%d}")
    return desk.download(name, content, XLSX)


def transfer(desk: Desk) -> Response:
    transfer_id = TransferId(desk.path["transfer_id"])
    with desk.reading() as session:
        entry = _found(lambda: transfers.entry(session, transfer_id))
        behind = transfers.behind(session, transfer_id)
        turns = transfers.known_turns(session, (one.turn_id for one in behind.confirmations))
        return desk.page(
            "books/transfer.html",
            entry=entry,
            behind=behind,
            turns=turns,
            sentence=book_words.told(desk, entry),
            fund_gave=book_words.borne_by_fund(entry),
            undoable=proposals.undoable(session, transfer_id),
            side_name=lambda side: book_words.side_name(desk, side),
            fours=book_words.in_fours,
        )


# -- what was asked ---------------------------------------------------------------------------


def _found(look: Any) -> Any:
    try:
        return look()
    except NothingOpen as nothing:
        raise NotFound from nothing


def _order(desk: Desk) -> Order:
    try:
        return Order(desk.query.get("sort", Order.NAME.value))
    except ValueError:
        return Order.NAME


def _after(desk: Desk, order: Order) -> Any:
    """Where the page before ended, as its link says; nothing when somebody played with it."""
    account_id, _, value = desk.query.get("after", "").partition(":")
    if not (account_id.isascii() and account_id.isdigit()) or len(account_id) > 10:
        return None
    if order is Order.NAME:
        return value[:40], int(account_id)
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        return None
    return int(value), int(account_id)


def _wanted(desk: Desk) -> Wanted:
    kind = desk.query.get("kind", "")
    return Wanted(
        kind=TransferKind(kind) if kind in {one.value for one in TransferKind} else None,
        since=_midnight(day_of(desk.query.get("since", ""))),
        until=_midnight(day_of(desk.query.get("until", "")), days=1),
    )


def day_of(text: str) -> Optional[date]:
    """An ISO day from a form; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _midnight(day: Optional[date], *, days: int = 0) -> Optional[datetime]:
    if day is None or not 1970 < day.year < 9000:
        return None
    return datetime.combine(day + timedelta(days=days), time.min, VILLAGE_ZONE)


def _address(path: str, **query: object) -> str:
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return f"/console{path}?{urlencode(given)}" if given else f"/console{path}"


ROUTES = (
    ConsoleRoute("/books", overview, Permission.SEE_BOOKS),
    ConsoleRoute("/books/accounts", accounts, Permission.SEE_BOOKS),
    ConsoleRoute("/books/accounts/{account_id:int}", account, Permission.SEE_BOOKS),
    ConsoleRoute("/books/transfers", all_transfers, Permission.SEE_BOOKS),
    ConsoleRoute("/books/transfers.xlsx", export, Permission.SEE_BOOKS),
    ConsoleRoute("/books/transfers/{transfer_id:int}", transfer, Permission.SEE_BOOKS),
)
