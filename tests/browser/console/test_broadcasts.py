"""A broadcast in a real Chromium: written, listened to, proposed, approved, followed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from actions.timebank import outbox
from actions.timebank.ids import NoticeId
from actions.timebank.model import Notice
from actions.timebank.staff.roles import Role
from tests.bot.console.conftest import ConsoleHouse
from tests.browser.console.conftest import PHONE, WIDE, Open, picture

pytestmark = pytest.mark.browser
PLAYED = """audio => new Promise((done, failed) => {
    audio.onended = () => done(true);
    audio.onerror = () => failed(audio.error);
    audio.play();
})"""


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_from_the_words_to_the_last_who_heard_them(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    visit = open_console(Role.COORDINATOR, "/broadcasts", member="陈干事", size=size)
    page = visit.page
    page.get_by_role("link", name="写一条广播").click()
    page.get_by_label("要说的话").fill("十一月二十八日上午停水。请各家先接好水。")
    page.get_by_label("全村人").check()
    picture(visit, f"broadcast-form-{size[0]}")
    page.get_by_role("button", name="存好，去听一遍").click()
    with page.expect_response("**/sound") as sound:
        page.locator("audio").evaluate(PLAYED)
    assert sound.value.ok
    picture(visit, f"broadcast-draft-{size[0]}")
    page.get_by_role("button", name="我听过了，交去批准").click()
    expect(page.get_by_text("自己写的，自己不能批。")).to_be_visible()
    here = page.url.partition("/console")[2]

    second = open_console(Role.MEDIATOR, here, size=size)
    second.page.locator("summary", has_text="批准，说给大家").click()
    picture(second, f"broadcast-approve-{size[0]}")
    second.page.get_by_role("button", name="确定").first.click()
    expect(second.page.get_by_role("heading", name="听到了多少")).to_be_visible()
    hear_it(console, "王奶奶")
    figures = second.page.locator("#figures")
    expect(figures).to_contain_text("网页上听到了", timeout=10_000)
    row = second.page.locator("tr", has_text="赵铁柱")
    row.get_by_role("button", name="我当面说了").click()
    expect(second.page.get_by_role("status").first).to_contain_text("当面说过了")
    expect(figures).to_contain_text("当面说了")
    picture(second, f"broadcast-told-{size[0]}")
    second.page.goto(second.page.url.rpartition("/")[0])
    picture(second, f"broadcast-list-{size[0]}")


def hear_it(console: ConsoleHouse, name: str) -> None:
    member = console.street.member(name)
    notice = console.street.row(Notice, kind="broadcast", recipient_id=member)
    with console.village.transaction() as session:
        now = console.street.clock()
        outbox.deliver(session, notice_id=NoticeId(notice.id), member=member, now=now)
