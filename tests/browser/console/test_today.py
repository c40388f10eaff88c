"""The main jobs of the day in a real Chromium, on a wide screen and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from actions.timebank import alerts
from actions.timebank.model import Alert, Dispute, InPersonDeed, ServiceRequest
from actions.timebank.staff.roles import Role
from actions.timebank.states import AlertState, RequestState
from tests.bot.console.conftest import ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, picture
from tests.timebank.neighbourhood import new_turn

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


def fits(page: Page) -> None:
    """Nothing stands out beyond the edge."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def cry(console: ConsoleHouse, name: str) -> None:
    with console.street.neighbourhood() as hood:
        alerts.raise_alert(
            hood.session,
            member=console.street.member(name),
            words="我摔倒了",
            turn_id=new_turn(),
            now=hood.now,
        )


@SIZES
def test_an_elder_comes_and_asks_for_help(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    visit = open_console(Role.COORDINATOR, "/today", size=size)
    page = visit.page
    page.get_by_role("link", name="有人来了").click()
    page.get_by_label("姓名、小名").fill("王")
    page.get_by_role("link", name="就是他 王奶奶").click()
    page.get_by_role("link", name="要人帮忙").click()
    page.get_by_label("买东西").check()
    page.get_by_label("几点").fill("10:00")
    page.get_by_label("本人说的话").fill("明天想买点菜")
    fits(page)
    picture(visit, f"counter-form-{size[0]}")
    page.get_by_role("button", name="读给他听").click()
    expect(page.locator("#read-back")).to_contain_text("您要人买东西，明天 10:00，大约1小时")
    assert console.street.count(ServiceRequest) == 0
    fits(page)
    picture(visit, f"counter-read-back-{size[0]}")
    page.get_by_label("李建国").check()
    page.get_by_role("button", name="对，记下来").click()
    expect(page.get_by_role("status")).to_contain_text("也告诉王奶奶了")
    expect(page.locator("main")).to_contain_text("正在问李建国")
    expect(page.locator("main")).to_contain_text("当面说的")
    fits(page)
    picture(visit, f"request-{size[0]}")
    assert console.street.count(InPersonDeed) == 1


@SIZES
def test_an_unconfirmed_visit_is_confirmed_in_person(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    with console.street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 60)
    console.street.clock.pass_time(hours=25)
    visit = open_console(Role.COORDINATOR, "/today", size=size)
    page = visit.page
    expect(page.get_by_role("heading", name="一天多了还没点头")).to_be_visible()
    page.get_by_role("link", name="去办 王奶奶").click()
    page.get_by_role("link", name="王奶奶：做完了，点头").click()
    page.get_by_label("本人说的话").fill("来过了，买得挺好")
    page.get_by_role("button", name="读给他听").click()
    expect(page.locator("#read-back")).to_contain_text("1小时就记到张秀英账上")
    page.get_by_role("button", name="对，记下来").click()
    expect(page.locator("main")).to_contain_text("做完了")
    assert console.street.row(ServiceRequest).state is RequestState.CONFIRMED
    assert console.street.balance("张秀英").posted == 60
    fits(page)
    picture(visit, f"confirmed-{size[0]}")


@SIZES
def test_a_dispute_is_decided(open_console: Open, console: ConsoleHouse, size: Any) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask()
        hood.claim(hood.accepted(request), 90)
        hood.confirm(request, 30)
    visit = open_console(Role.MEDIATOR, "/today", size=size)
    page = visit.page
    page.get_by_role("link", name="去看 王奶奶").click()
    fits(page)
    picture(visit, f"dispute-{size[0]}")
    page.get_by_label("定的话").fill("两家说好，算一小时。")
    page.get_by_label("这次算多少分钟").fill("60")
    page.get_by_text("就这样定", exact=True).click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("status")).to_contain_text("两边都会听到")
    expect(page.locator("main")).to_contain_text("定的比已经记的多30分")
    assert console.street.row(Dispute).decided_minutes == 60
    picture(visit, f"dispute-decided-{size[0]}")


@SIZES
def test_a_new_alarm_is_announced_and_taken(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    with console.street.neighbourhood() as hood:
        hood.ask()
    visit = open_console(Role.COORDINATOR, "/today", size=size)
    page = visit.page
    link = page.get_by_role("link", name="去办 王奶奶")
    link.focus()
    cry(console, "赵铁柱")
    page.evaluate("htmx.trigger('#now', 'refresh')")
    expect(page.get_by_role("alert")).to_contain_text("新的警报：赵铁柱")
    expect(page).to_have_title("(1) 今日 · 小帮工作台")
    expect(link).to_be_focused()
    fits(page)
    picture(visit, f"today-{size[0]}")
    page.get_by_role("button", name="我去").click()
    expect(page.get_by_role("status")).to_contain_text("赵铁柱那里您去")
    alert = console.street.row(Alert)
    assert alert.state is AlertState.TAKEN
    picture(visit, f"alarm-{size[0]}")


def test_a_question_that_is_open_stays_open_while_the_page_refreshes(
    open_console: Open, console: ConsoleHouse
) -> None:
    cry(console, "王奶奶")
    page = open_console(Role.COORDINATOR, "/today").page
    page.get_by_text("没事了", exact=True).click()
    sure = page.get_by_role("button", name="确定")
    expect(sure).to_be_visible()
    before = page.locator("#as-of").evaluate("one => { one.dataset.old = 'yes'; return true }")
    assert before
    page.evaluate("htmx.trigger('#now', 'refresh')")
    expect(page.locator("#as-of[data-old]")).to_have_count(0)
    expect(sure).to_be_visible()
    sure.click()
    expect(page.get_by_role("status")).to_contain_text("没事了")
    assert console.street.row(Alert).state is AlertState.CLOSED


def test_everything_is_reached_by_keyboard(open_console: Open, console: ConsoleHouse) -> None:
    cry(console, "王奶奶")
    page = open_console(Role.COORDINATOR, "/today").page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="有人来了")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="我去")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("王奶奶那里您去")


def test_a_page_that_cannot_refresh_says_so(open_console: Open, console: ConsoleHouse) -> None:
    visit = open_console(Role.COORDINATOR, "/today", expected=("net::ERR", "htmx:"))
    page = visit.page
    page.route("**/today/now", lambda route: route.abort())
    page.evaluate("htmx.trigger('#now', 'refresh')")
    expect(page.locator("#stale")).to_be_visible()
    page.unroute("**/today/now")
    page.evaluate("htmx.trigger('#now', 'refresh')")
    expect(page.locator("#stale")).to_be_hidden()
