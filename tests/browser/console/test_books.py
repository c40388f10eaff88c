"""Two people undo a mistake, and a passbook goes to paper, in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from actions.timebank import ledger
from tests.bot.console.conftest import ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, Role, picture

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_one_proposes_a_reversal_another_approves_and_the_passbook_is_printed(
    open_console: Open, console: ConsoleHouse, size: Any, tmp_path: Path
) -> None:
    with console.street.neighbourhood() as hood:
        hood.visited(60)
        wrong = ledger.head(hood.session).sequence
    first = open_console(Role.BOOKKEEPER, f"/books/transfers/{wrong}", size=size).page
    first.get_by_role("link", name="提出冲正").click()
    first.get_by_label("为什么").fill("那天张秀英没来")
    first.get_by_role("button", name="等另一个人批准").click()
    expect(first.get_by_role("status")).to_contain_text("等另一个人来批准")
    visit = open_console(Role.MEDIATOR, "/books", size=size)
    second = visit.page
    picture(visit, f"books-{size[0]}")
    second.get_by_role("link", name="去看看").click()
    second.get_by_role("link", name="冲正第").click()
    picture(visit, f"proposal-{size[0]}")
    second.locator("summary", has_text="批准").click()
    second.get_by_role("button", name="确定").click()
    expect(second.get_by_role("status")).to_contain_text("批准了")
    assert console.street.balance("王奶奶").posted == 120
    second.goto(second.url.split("/proposals")[0] + "/books/accounts?q=王奶奶")
    second.get_by_role("link", name="王奶奶").click()
    second.get_by_role("link", name="打印存折").click()
    expect(second.get_by_role("cell", name="3月2日，更正了一笔，1小时。")).to_be_visible()
    picture(visit, f"passbook-{size[0]}")
    paper = second.pdf(format="A4", path=str(tmp_path / "passbook.pdf"))
    assert paper.startswith(b"%PDF") and paper.count(b"/Type /Page\n") == 1
    second.get_by_role("navigation", name="账本").get_by_role("link", name="查账").click()
    second.get_by_role("button", name="现在查账").click()
    expect(second.get_by_role("status")).to_contain_text("账是好的")


def test_accounts_are_found_while_one_types(open_console: Open) -> None:
    page = open_console(Role.BOOKKEEPER, "/books/accounts").page
    page.get_by_label("找人").press_sequentially("秀英")
    expect(page.get_by_role("link", name="李建国")).to_have_count(0)
    expect(page.get_by_role("link", name="张秀英")).to_be_visible()
