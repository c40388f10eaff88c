"""A table of members is uploaded, looked at with all its errors, and confirmed, in a real Chromium;
then two who are one person are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from actions.timebank.model import Lane, Member, Proposal
from actions.timebank.staff.roles import Role
from tests.bot.console.conftest import ConsoleHouse
from tests.bot.console.test_imports import HEADER, row
from tests.bot.console.test_sheets import workbook
from tests.browser.console.conftest import PHONE, WIDE, Open, picture
from tests.timebank.builders import make_member

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_table_with_errors_is_put_right_and_imported(
    open_console: Open, console: ConsoleHouse, tmp_path: Path, size: Any
) -> None:
    zhang = console.street.member("张秀英")
    table = tmp_path / "名册.xlsx"
    table.write_bytes(
        workbook(
            HEADER,
            row(
                姓名="王桂兰", 小名="二丫", 出生年=1943, 巷="桂花巷", 独居="是", 会做的="做饭、理发"
            ),
            row(编号=3, 住处="村西头", 愿意帮忙="否"),
            row(姓名="张秀英", 巷="桂花巷", 出生年=1955),
            row(姓名="周大爷", 出生年="四三年", 巷="=A1", 会做的="做饭、飞"),
            row(编号=4711, 姓名="没有人"),
            row(姓名="刘满仓", 组="北片互助组", 巷="柳树巷"),
            row(编号=4, 姓名="赵铁柱"),
        )
    )
    visit = open_console(Role.COORDINATOR, "/import", size=size, expected=("422",))
    page = visit.page
    picture(visit, f"import-{size[0]}")
    page.get_by_label("文件").set_input_files(table)
    page.get_by_role("button", name="交上去看一看").click()
    expect(page.get_by_role("heading", name="看一看再导入")).to_be_visible()
    picture(visit, f"import-preview-{size[0]}")
    for words in ("看不懂「四三年」", "里是公式", "不认识的活：「做饭、飞」", "没有4711号这个人"):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.locator("ins", has_text="村西头")).to_be_visible()
    assert console.street.rows(Member, name="王桂兰") == []

    page.get_by_label("建「柳树巷」").check()
    page.get_by_label("是谁？").select_option(str(zhang))
    page.get_by_role("button", name="记下选择").first.click()
    expect(page.get_by_role("status")).to_contain_text("记下了")
    expect(page.get_by_text("新来2人，改2人")).to_be_visible()
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_role("status")).to_contain_text("导入好了：新来2人，改了2人")
    picture(visit, f"import-done-{size[0]}")
    assert console.street.row(Member, name="王桂兰").nickname == "二丫"
    assert console.street.row(Member, id=zhang).birth_year == 1955
    assert console.street.row(Lane, name="柳树巷")
    assert console.street.rows(Member, name="周大爷") == []


def test_a_file_that_is_no_table_is_told(
    open_console: Open, console: ConsoleHouse, tmp_path: Path
) -> None:
    wrong = tmp_path / "名册.xlsx"
    wrong.write_bytes(b"PK\x03\x04 nothing")
    page = open_console(Role.COORDINATOR, "/import", expected=("422",)).page
    page.get_by_label("文件").set_input_files(wrong)
    page.get_by_role("button", name="交上去看一看").click()
    expect(page.get_by_role("alert")).to_contain_text("读不出来")


def test_the_roll_is_downloaded(open_console: Open, tmp_path: Path) -> None:
    page = open_console(Role.COORDINATOR, "/import").page
    for link, name in (("下载空模板", "模板"), ("导出全村名册", "成员名册")):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        assert name in download.value.suggested_filename
        assert download.value.path().read_bytes().startswith(b"PK")


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_two_who_are_one_are_compared_and_proposed(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    with console.village.transaction() as session:
        make_member(
            session,
            "章秀英",
            now=console.street.clock(),
            nickname="秀英嫂",
            birth_year=1955,
            opening_minutes=90,
        )
    visit = open_console(Role.COORDINATOR, "/merges", size=size)
    page = visit.page
    picture(visit, f"merges-{size[0]}")
    page.get_by_role("link", name="比一比").click()
    first = page.locator("section.card").first
    first.get_by_text("留下这一个").click()
    picture(visit, f"merges-pair-{size[0]}")
    first.get_by_label("怎么知道是同一个人").fill("本人来说的")
    first.get_by_role("button", name="提出来").click()
    expect(page.get_by_role("status")).to_contain_text("要另一个人批准")
    picture(visit, f"merges-waiting-{size[0]}")
    [proposed] = console.street.rows(Proposal)
    assert proposed.kept_id == console.street.member("张秀英")
