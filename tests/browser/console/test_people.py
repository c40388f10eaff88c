"""Staff correct a name and hear it, find people, and print a join card, in a real browser."""

from __future__ import annotations

import pytest

from tests.bot.console.conftest import ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, Role, picture

LOADED = "a => a.readyState || new Promise(r => a.addEventListener('loadedmetadata', () => r(1)))"
"""The sound has come, and is one."""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_name_is_heard_and_corrected(
    console: ConsoleHouse, open_console: Open, size: tuple[int, int]
) -> None:
    member = console.street.member("王奶奶")
    visit = open_console(Role.COORDINATOR, f"/people/{member}/edit", size=size)
    page = visit.page
    page.get_by_label("姓名").fill("王桂香")
    page.get_by_role("button", name="听听小帮怎么叫").click()
    page.locator("audio").wait_for()
    assert page.locator("audio").evaluate(LOADED)
    picture(visit, f"people-edit-{size[0]}")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("heading", name="王桂香").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(visit, f"people-member-{size[0]}")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_list_narrows_while_one_types(open_console: Open, size: tuple[int, int]) -> None:
    visit = open_console(Role.COORDINATOR, "/people", size=size)
    picture(visit, f"people-list-{size[0]}")
    visit.page.get_by_label("找人").press_sequentially("秀英")
    visit.page.get_by_text("王奶奶").wait_for(state="detached")
    visit.page.get_by_role("link", name="张秀英").click()
    visit.page.get_by_role("heading", name="张秀英").wait_for()


def test_a_join_card_is_printed(console: ConsoleHouse, open_console: Open) -> None:
    console.parts.settings.telegram_bot = "village_bot"
    member = console.street.member("王奶奶")
    visit = open_console(Role.COORDINATOR, f"/people/{member}")
    page = visit.page
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.get_by_text("打入门卡", exact=True).click()
    page.get_by_role("button", name="确定").first.click()
    page.locator(".square svg").wait_for()
    page.get_by_role("button", name="打印").click()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="打印").is_visible()
    assert page.locator(".square svg").bounding_box()["width"] > 200
    picture(visit, "people-card")
