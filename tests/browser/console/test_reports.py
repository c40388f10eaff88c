"""Last month's report in a real Chromium: chosen, looked at, taken along; the roll of honour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from actions.timebank import ledger
from actions.timebank.ids import MemberId
from actions.timebank.staff.roles import Role
from actions.timebank.states import ServiceKind
from tests.bot.console.conftest import ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, picture

pytestmark = pytest.mark.browser


@pytest.fixture
def busy(console: ConsoleHouse) -> ConsoleHouse:
    """Some visits of March; now it is April."""
    with console.street.neighbourhood() as hood:
        account = ledger.account_of(hood.session, MemberId(hood.wang.id))
        ledger.grant(
            hood.session,
            account_id=account.id,
            minutes=600,
            reason="opening",
            idempotency_key="rich",
            now=hood.now,
        )
        for kind in (ServiceKind.SHOPPING, ServiceKind.MEALS, ServiceKind.CLEANING):
            hood.visited(50, service_kind=kind)
    console.street.clock.pass_time(days=31)
    return console


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_last_month_is_chosen_looked_at_and_taken_along(
    busy: ConsoleHouse, open_console: Open, size: Any, tmp_path: Path
) -> None:
    visit = open_console(Role.COORDINATOR, "/reports/2026-04", size=size)
    page = visit.page
    page.get_by_label("看哪一段").select_option(label="2026年3月")
    page.get_by_role("button", name="看", exact=True).click()
    expect(page.get_by_role("heading", name="2026年3月的报表")).to_be_visible()
    charts = page.locator("canvas[data-chart]")
    expect(page.locator("canvas[data-drawn=yes]")).to_have_count(charts.count())
    assert charts.count() >= 4
    inked = """canvas => {
        const ink = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return ink.some((value, place) => place % 4 === 3 && value > 0);
    }"""
    assert charts.first.evaluate(inked), "an empty canvas is no chart"
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0], "the page runs out of the screen"
    numbers = page.locator("#hours details").first
    numbers.get_by_text("看数字").click()
    expect(numbers.get_by_role("cell", name="50分").first).to_be_visible()
    picture(visit, f"report-{size[0]}")

    with page.expect_download() as paper:
        page.get_by_role("link", name="下载 PDF").click()
    file = tmp_path / paper.value.suggested_filename
    paper.value.save_as(file)
    assert file.name == "报表-2026-03.pdf"
    assert file.read_bytes().startswith(b"%PDF-")

    with page.expect_download() as book:
        page.get_by_role("link", name="下载表格").click()
    file = tmp_path / book.value.suggested_filename
    book.value.save_as(file)
    assert file.name == "报表-2026-03.xlsx"
    assert load_workbook(file)["帮忙的时间"]["A1"].value == "帮忙的时间"


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_neighbour_says_yes_and_stands_on_the_roll(
    busy: ConsoleHouse, open_console: Open, size: Any
) -> None:
    visit = open_console(Role.COORDINATOR, "/reports/2026-03/honour", size=size)
    page = visit.page
    roll = page.locator("article.roll")
    expect(roll.get_by_text("没有留名").first).to_be_visible()
    name = page.locator("table.cards tbody td").first.inner_text()
    expect(roll.get_by_text(name)).to_have_count(0)
    page.get_by_role("button", name="本人愿意").first.click()
    expect(page.get_by_role("status")).to_have_text("记下了。")
    expect(roll.get_by_text(name).first).to_be_visible()
    picture(visit, f"roll-{size[0]}")
