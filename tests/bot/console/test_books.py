"""The books as staff see them: everything explained, nothing to be changed."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from openpyxl import load_workbook

from actions.timebank import ledger
from actions.timebank.ids import AccountId
from actions.timebank.model import ChainCheck, StaffDeed, Turn
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.states import TurnOutcome
from tests.bot.console.conftest import Client, ConsoleHouse


@pytest.fixture
def bookkeeper(console: ConsoleHouse) -> Client:
    return console.as_role(Role.BOOKKEEPER)


@pytest.fixture
def visited(console: ConsoleHouse) -> ConsoleHouse:
    """张秀英 was with 王奶奶 for an hour, and 王奶奶 gave 李建国 ten minutes."""
    with console.street.neighbourhood() as hood:
        hood.visited(60)
        ledger.gift(
            hood.session,
            giver=hood.wang.id,
            receiver=hood.li.id,
            minutes=10,
            idempotency_key="gift",
            now=hood.now,
        )
    return console


def account_of(console: ConsoleHouse, name: str) -> AccountId:
    member = console.street.member(name)
    with console.village.reading() as session:
        return AccountId(ledger.account_of(session, member).id)


def tamper(console: ConsoleHouse, statement: str) -> None:
    """As somebody with the file in his hands could."""
    connection = console.village.engine.raw_connection()
    for trigger in ("transfer_stays", "posting_stays"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(statement)
    connection.commit()
    connection.close()


# -- looking ----------------------------------------------------------------------------------


def test_the_overview_shows_that_the_sum_is_zero(visited: ConsoleHouse, bookkeeper: Client) -> None:
    page = bookkeeper.get("/books").text
    with visited.village.reading() as session:
        head = ledger.head(session)
    assert "收支相抵" in page and f"第{head.sequence}笔" in page
    assert " ".join(head.hash[at : at + 4] for at in (0, 4, 8, 12)) in page
    tamper(visited, "UPDATE posting SET minutes = minutes + 7 WHERE id = 1")
    assert "差7分" in bookkeeper.get("/books").text


def test_accounts_are_found_sorted_and_paged(
    visited: ConsoleHouse, bookkeeper: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.books.A_PAGE", 2)
    for sort in ("name", "posted", "held", "available"):
        path, seen = f"/books/accounts?sort={sort}", []
        while path:
            page = bookkeeper.get(path).text
            seen += re.findall(r"/console/books/accounts/(\d+)\"", page)
            more = re.search(r'rel="next" href="([^"]+)"', page)
            path = more[1].replace("&amp;", "&").removeprefix("/console") if more else ""
        assert len(seen) == len(set(seen)) == 8, sort
    found = bookkeeper.get("/books/accounts?q=秀英").text
    assert "张秀英" in found and "李建国" not in found
    assert "没找到" in bookkeeper.get("/books/accounts?q=%25").text


def test_an_account_tells_each_line_as_its_owner_hears_it(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    page = bookkeeper.get(f"/books/accounts/{account_of(visited, '王奶奶')}").text
    for sentence in (
        "3月2日，您送给李建国10分。",
        "3月2日，张秀英帮您买东西，用了1小时。",
        "3月2日，给您记了2小时。",
    ):
        assert sentence in page, sentence
    assert "您帮王奶奶买东西，存了1小时" in (
        bookkeeper.get(f"/books/accounts/{account_of(visited, '张秀英')}").text
    )


def test_what_is_told_on_paper_is_what_is_told_aloud(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    phrases = visited.parts.phrases
    aloud = phrases.text("utter_history_given", day="3月2日", other="李建国", minutes="10分")
    wang = visited.street.member("王奶奶")
    assert aloud in bookkeeper.get(f"/books/passbook/{wang}").text


def test_holds_tell_what_they_wait_for(console: ConsoleHouse, bookkeeper: Client) -> None:
    with console.street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=45))
    page = bookkeeper.get(f"/books/accounts/{account_of(console, '王奶奶')}").text
    assert "给约好的事留着的" in page and "45分" in page and "张秀英帮王奶奶" in page


def test_whoever_looks_at_an_account_is_written_down(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    wang = visited.street.member("王奶奶")
    bookkeeper.get(f"/books/accounts/{account_of(visited, '王奶奶')}")
    bookkeeper.get(f"/books/passbook/{wang}")
    looks = visited.street.rows(StaffDeed, viewed=Viewed.PASSBOOK, about_id=wang)
    assert [look.by_id for look in looks] == [bookkeeper.member] * 2


def test_a_transfer_shows_its_legs_its_hash_and_whose_word_is_behind_it(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    with visited.village.reading() as session:
        visit = ledger.head(session).sequence - 1
    page = bookkeeper.get(f"/books/transfers/{visit}").text
    assert "张秀英帮王奶奶：买东西" in page
    assert page.count("1小时") >= 3, "both sides, and both words"
    assert "帮忙的人" in page and "受帮的人" in page
    assert "提出冲正" in page
    for word in ("edit", "delete", "修改", "删除这"):
        assert word not in page


def test_only_who_may_see_conversations_is_led_to_them(visited: ConsoleHouse) -> None:
    with visited.village.transaction() as session:
        made = session.get(ledger.Transfer, ledger.head(session).sequence - 1)
        number, turn_id = made.id, made.turn_id
        wang = visited.street.member("王奶奶")
        session.add(
            Turn(
                id=turn_id,
                member_id=wang,
                channel="talk",
                outcome=TurnOutcome.ANSWERED,
                began_at=visited.street.clock(),
            )
        )
    for role, led in ((Role.MEDIATOR, True), (Role.BOOKKEEPER, False)):
        page = visited.as_role(role).get(f"/books/transfers/{number}").text
        assert ("/console/conversations/with/" in page) is led


def test_transfers_are_filtered(visited: ConsoleHouse, bookkeeper: Client) -> None:
    page = bookkeeper.get("/books/transfers?kind=gift").text
    assert "王奶奶送给李建国" in page and "村里发给" not in page
    assert "没有这样的流水" in bookkeeper.get("/books/transfers?since=2030-01-01").text
    assert "王奶奶送给李建国" in bookkeeper.get("/books/transfers?since=x&kind=y&before=z").text
    assert bookkeeper.get("/books/transfers?since=0001-01-01&until=9999-12-31").status_code == 200


def test_the_spreadsheet_holds_all_and_no_formula(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    with visited.street.neighbourhood() as hood:
        hood.wang.name = '=HYPERLINK("http://evil.example")'
    answer = bookkeeper.get("/books/transfers.xlsx")
    sheet: Any = load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(min_row=2))
    with visited.village.reading() as session:
        assert len(rows) == ledger.head(session).sequence
    cells = [cell for row in rows for cell in row]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    assert "f" not in {cell.data_type for cell in cells}
    assert visited.street.rows(StaffDeed, deed="GET /books/transfers.xlsx")


# -- checking ---------------------------------------------------------------------------------


def head_of(console: ConsoleHouse) -> ledger.Head:
    with console.village.reading() as session:
        return ledger.head(session)


def test_the_check_is_made_and_written_down(visited: ConsoleHouse, bookkeeper: Client) -> None:
    page = bookkeeper.post("/books/verify").text
    assert "账是好的" in page
    [check] = visited.street.rows(ChainCheck)
    assert (check.by_id, check.first_bad) == (bookkeeper.member, None)
    assert f"{check.transfers}笔都对" in bookkeeper.get("/books").text


def test_the_first_bad_transfer_is_told_kindly(visited: ConsoleHouse, bookkeeper: Client) -> None:
    tamper(visited, "UPDATE transfer SET reason = 'x' WHERE id = 2")
    page = bookkeeper.post("/books/verify").text
    assert "第2笔不对" in page and "前面1笔是好的" in page and "先别慌" in page
    assert visited.street.rows(ChainCheck)[-1].first_bad == 2


@pytest.mark.parametrize("write", [str, str.upper, lambda text: text[:16], "　".join])
def test_a_printed_head_is_typed_in_many_ways(
    visited: ConsoleHouse, bookkeeper: Client, write: Any
) -> None:
    head = head_of(visited)
    page = bookkeeper.post("/books/verify", {"sequence": head.sequence, "hash": write(head.hash)})
    assert "对得上" in page.text


def test_a_head_that_was_printed_before_the_books_were_rewritten_shows_it(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    head = head_of(visited)
    for typed in (
        {"sequence": head.sequence, "hash": "0" * 64},
        {"sequence": 99, "hash": "a" * 16},
    ):
        page = bookkeeper.post("/books/verify", typed).text
        assert "不对" in page and "抄错" in page
    for typed in ({"sequence": "x", "hash": head.hash}, {"sequence": 1, "hash": "zz"}):
        assert bookkeeper.post("/books/verify", typed).status_code == 400


# -- on paper ---------------------------------------------------------------------------------


def test_the_notice_has_numbers_and_no_name(visited: ConsoleHouse, bookkeeper: Client) -> None:
    page = bookkeeper.get("/books/notice?month=2026-03").text
    sheet = page[page.index('class="sheet notice"') : page.index('class="foot"')]
    head = head_of(visited)
    for words in ("1回", "1小时", "买东西", f"第{head.sequence}笔", head.hash[:4], head.hash[-4:]):
        assert words in sheet, words
    for name in ("王奶奶", "张秀英", "李建国"):
        assert name not in page
    assert bookkeeper.get("/books/notice").status_code == 200
    for month in ("2031-01", "0001-01", "9999-12"):
        assert bookkeeper.get(f"/books/notice?month={month}").status_code == 404


def test_a_passbook_carries_its_totals_from_sheet_to_sheet(
    visited: ConsoleHouse, bookkeeper: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.board.LINES_A_SHEET", 2)
    wang = visited.street.member("王奶奶")
    page = bookkeeper.get(f"/books/passbook/{wang}").text
    first, second = page.split('<article class="sheet passbook">')[1:]
    assert "原来有" in first and "转下页" in first and "接上页" in second and "现在有" in second
    carried = re.findall(r"(?:转下页|接上页).*?number\">(?:<strong>)?([^<]+)<", page, re.DOTALL)
    assert carried == ["1小时", "1小时"]
    assert "一共存了2小时，用了1小时10分" in second


def test_a_passbook_of_some_days_begins_with_what_there_was(
    visited: ConsoleHouse, bookkeeper: Client
) -> None:
    wang = visited.street.member("王奶奶")
    page = bookkeeper.get(f"/books/passbook/{wang}?since=2026-03-05&until=2026-03-06").text
    assert page.count("50分") >= 2 and "这些天没有来往" in page
    assert bookkeeper.get("/books/passbook/99999").status_code == 404
