"""Logging in, the menu, and accounts in a real Chromium."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from playwright.sync_api import expect

from actions.timebank.staff import audit
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)
from tests.bot.console.conftest import PASSWORD, ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, picture

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_new_account_logs_in_with_its_temporary_password(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    visit = open_console(Role.ADMINISTRATOR, "/staff", size=size, expected=("401", "409"))
    page = visit.page
    page.locator("#member").select_option(label=f"陈干事（{console.street.member('陈干事')}）")
    page.locator("#login").fill("chen")
    page.locator("section.card").get_by_label("协调员").check()
    page.get_by_role("button", name="建账号").click()
    picture(visit, f"staff-{size[0]}")
    said = page.get_by_role("status").inner_text()
    picture(visit, f"staff-{size[0]}")
    password = said.split("：")[-1].strip()
    page.context.clear_cookies()
    page.goto(page.url)
    picture(visit, f"login-{size[0]}")
    page.get_by_label("登录名").fill("chen")
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
    for label, words in (
        ("现在的密码", password),
        ("新密码", PASSWORD),
        ("新密码再写一遍", PASSWORD),
    ):
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_role("button", name="换密码").click()
    expect(page.get_by_label("登录名")).to_be_visible()


def test_the_menu_opens_on_a_phone(open_console: Open) -> None:
    visit = open_console(*Role, "/me", size=PHONE)
    visit.page.locator(".menu summary").click()
    expect(visit.page.locator(".menu nav")).to_be_visible()
    picture(visit, "menu-phone")


def test_the_keyboard_alone_is_enough(open_console: Open) -> None:
    visit = open_console(Role.ADMINISTRATOR, "/me")
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator(".skip")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("main")).to_be_focused()


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_codes_are_switched_on_with_a_square_to_scan(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    visit = open_console(Role.VIEWER, "/me", size=size)
    page = visit.page
    page.get_by_role("button", name="开动态码").click()
    expect(page.locator(".square svg")).to_be_visible()
    box = page.locator(".square svg").bounding_box()
    assert box is not None and 150 <= box["width"] <= size[0]
    picture(visit, f"codes-{size[0]}")
    secret = page.locator("code").inner_text()
    page.get_by_label("六位数").fill(pyotp.TOTP(secret).at(console.street.clock()))
    page.locator("#own").fill(PASSWORD)
    page.get_by_role("button", name="开动态码").click()
    expect(page.get_by_role("status")).to_have_text("动态码开好了，下次登录要用。")


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_the_record_is_read_and_searched(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    mediator = console.as_role(Role.MEDIATOR)
    with console.village.transaction() as session:
        for name, what in (("王奶奶", Viewed.RECORDING), ("李建国", Viewed.PERSON)):
            audit.saw(
                session,
                by=mediator.member,
                what=what,
                about=console.street.member(name),
                subject="talk:1:abc",
                now=console.street.clock(),
            )
    visit = open_console(Role.ADMINISTRATOR, "/audit", size=size)
    page = visit.page
    expect(page.locator("tbody tr")).to_have_count(2)
    picture(visit, f"audit-{size[0]}")
    page.get_by_label("关于谁").fill("王奶奶")
    page.get_by_role("button", name="查").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
