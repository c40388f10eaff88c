"""The check of the chain, the notice for the village board, and passbooks, to print."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Optional, Tuple

from starlette.responses import Response

from actions.timebank import chain
from actions.timebank.chain import Head
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.staff import books, passbooks, public_notice
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.states import TransferKind
from bot.console import book_words
from bot.console.books import day_of
from bot.console.desk import ConsoleRoute, Desk, NotFound

LINES_A_SHEET = 10
"""Of a passbook in large type on A4, when each takes two lines."""


# -- the check --------------------------------------------------------------------------------


def verify_form(desk: Desk) -> Response:
    with desk.reading() as session:
        return _verified(desk, last=books.last_check(session))


def verify(desk: Desk) -> Response:
    """Checks all of it, against a printed head when one was typed. Others write meanwhile."""
    typed, sequence = book_words.typed_hash(desk.form.get("hash", "")), desk.number("sequence")
    wish = bool(typed or desk.form.get("sequence", "").strip())
    with desk.reading() as session:
        if wish and (sequence is None or not _is_hash(typed)):
            problem = desk.say("照公示上写：第几笔，和指纹的前四组或全部。")
            return _verified(desk, problem=problem, last=books.last_check(session))
        printed = books.printed_head(session, sequence, typed) if sequence else None
        found = chain.verify(session, expected=printed)
    with desk.transaction() as session:
        books.note_check(session, found, by=desk.staff.member_id, now=desk.now)
    return _verified(desk, found=found, printed=printed)


def _verified(
    desk: Desk,
    *,
    found: Optional[chain.Verification] = None,
    printed: Optional[Head] = None,
    problem: str = "",
    last: object = None,
) -> Response:
    return desk.page(
        "books/verify.html",
        status=400 if problem else 200,
        found=found,
        printed=printed,
        problem=problem,
        last=last,
        fours=book_words.in_fours,
        short=book_words.short,
        typed={name: desk.form.get(name, "")[:120] for name in ("sequence", "hash")},
        shortest=books.SHORTEST_PRINTED,
    )


def _is_hash(typed: str) -> bool:
    return len(typed) >= books.SHORTEST_PRINTED and all(one in "0123456789abcdef" for one in typed)


# -- the notice -------------------------------------------------------------------------------


def notice(desk: Desk) -> Response:
    year, month = _month(desk)
    with desk.reading() as session:
        try:
            shown = public_notice.month_of(session, year, month, now=desk.now)
        except ValueError:
            raise NotFound from None
    return desk.page(
        "books/notice.html",
        month=shown,
        value=f"{year:04}-{month:02}",
        fours=book_words.in_fours,
        others=[
            kind
            for kind in (TransferKind.GIFT, TransferKind.REISSUE, TransferKind.REVERSAL)
            if kind in shown.by_movement
        ],
    )


def _month(desk: Desk) -> Tuple[int, int]:
    """The month that was asked for; the last whole one otherwise."""
    day = day_of(desk.query.get("month", "") + "-01")
    if day is None:
        first = desk.now.astimezone(VILLAGE_ZONE).date().replace(day=1)
        day = first - timedelta(days=1)
    if not 2000 <= day.year < 2200:
        raise NotFound
    return day.year, day.month


# -- passbooks --------------------------------------------------------------------------------


def passbook(desk: Desk) -> Response:
    member = MemberId(int(desk.path["member_id"]))
    if not 0 < member < 2**31:
        raise NotFound
    first_day, last_day = _days(desk)
    with desk.reading() as session:
        try:
            book = passbooks.passbook(session, member, first_day=first_day, last_day=last_day)
        except UnknownMember as unknown:
            raise NotFound from unknown
        desk.saw(Viewed.PASSBOOK, member, f"{first_day} – {last_day}")
        return desk.page(
            "books/passbook.html",
            book=book,
            pages=book.pages(LINES_A_SHEET),
            explained=lambda line: book_words.explained(desk, line),
        )


def _days(desk: Desk) -> Tuple[date, date]:
    """From the form; this year so far otherwise."""
    today = desk.now.astimezone(VILLAGE_ZONE).date()
    first_day = day_of(desk.query.get("since", "")) or today.replace(month=1, day=1)
    last_day = day_of(desk.query.get("until", "")) or today
    return first_day, max(first_day, last_day)


ROUTES = (
    ConsoleRoute("/books/verify", verify_form, Permission.SEE_BOOKS),
    ConsoleRoute("/books/verify", verify, Permission.SEE_BOOKS, "POST"),
    ConsoleRoute("/books/notice", notice, Permission.SEE_BOOKS),
    ConsoleRoute("/books/passbook/{member_id:int}", passbook, Permission.SEE_BOOKS),
)
