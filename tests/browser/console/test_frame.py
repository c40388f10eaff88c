"""Logging in, the menu, and accounts in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from actions.timebank.staff.roles import Role
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
