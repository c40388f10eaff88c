"""Reports as staff see them, and as they take them along."""

from __future__ import annotations

import html
import json
import re
import zlib
from base64 import a85decode
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from starlette.testclient import TestClient

from actions.timebank import ledger, members
from actions.timebank.ids import MemberId
from actions.timebank.model import HonourWish, Member, StaffDeed
from actions.timebank.staff.roles import Role
from tests.bot.console.conftest import Client, ConsoleHouse

MARCH = "/reports/2026-03"
FORMULA, MARKUP, LONG = "=cmd|'/c calc'!A0", "<script>alert(1)</script><b>&", "很长的名字" * 8
FACTS = re.compile(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', re.DOTALL)


@pytest.fixture
def busy(console: ConsoleHouse) -> ConsoleHouse:
    """张秀英 and 李建国 helped 王奶奶 in March; now it is the second of April."""
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
        hood.visited(60)
        hood.zhang.takes_tasks = False
        hood.session.flush()
        hood.visited(30)
    console.street.clock.pass_time(days=31)
    return console


@pytest.fixture
def staff(busy: ConsoleHouse) -> Client:
    return busy.as_role(Role.COORDINATOR)


def rename(console: ConsoleHouse, name: str, new: str) -> int:
    with console.village.transaction() as session:
        member = members.find_member(session, name)
        member.name = new
        return int(member.id)


def wish(console: ConsoleHouse, client: Client, name: str, answer: str = "yes") -> Any:
    data = {"member": console.street.member(name), "may_be_named": answer}
    return client.post(f"{MARCH}/honour/wish", data)


def book(client: Client, path: str = MARCH) -> Workbook:
    answer = client.get(f"{path}/xlsx")
    assert answer.status_code == 200
    return load_workbook(BytesIO(answer.content))


def cells(sheets: Workbook) -> list[Any]:
    return [
        cell
        for sheet in sheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]


# -- choosing -----------------------------------------------------------------------------------


def test_the_newest_month_that_is_over_is_shown_first(staff: Client) -> None:
    assert staff.get("/reports").headers["location"] == "/console/reports/2026-03"


def test_the_month_that_was_chosen_is_shown(staff: Client) -> None:
    answer = staff.get("/reports?period=2026-Q1")
    assert answer.headers["location"] == "/console/reports/2026-Q1"
    page = staff.follow("/reports?period=2026-Q1").text
    assert "2026年第1季度的报表" in page
    assert '<option value="2026-Q1" selected>' in page


def test_the_present_month_is_marked(staff: Client) -> None:
    present = staff.get("/reports/2026-04").text
    assert "2026年4月（还没过完）" in present
    assert '<span class="badge warn">还没过完</span>' in present
    assert '<span class="badge warn">' not in staff.get(MARCH).text


def test_an_empty_month_says_so_kindly(staff: Client) -> None:
    assert "村里安安静静" in staff.get("/reports/2026-04").text
    assert "安安静静" in str([cell.value for cell in cells(book(staff, "/reports/2026-04"))])
    assert staff.get("/reports/2026-04/pdf").content.startswith(b"%PDF-")


@pytest.mark.parametrize("part", ["", "/pdf", "/xlsx", "/honour", "/honour/pdf"])
@pytest.mark.parametrize("period", ["2026-02", "2026-05", "2019-Q1", "2031-Q4"])
def test_what_is_not_in_the_village_s_time_is_refused(
    staff: Client, period: str, part: str
) -> None:
    answer = staff.get(f"/reports/{period}{part}")
    assert answer.status_code == 409
    assert "请另选一段" in answer.text


@pytest.mark.parametrize("period", ["2026", "2026-13", "2026-Q5", "%3Cb%3E", "x" * 5_000])
def test_what_is_no_period_is_no_page(staff: Client, period: str) -> None:
    assert staff.get(f"/reports/{period}").status_code == 404
    assert staff.get(f"/reports?period={period}").status_code == 404


# -- what is shown ------------------------------------------------------------------------------


def test_the_page_shows_charts_and_the_same_numbers(staff: Client) -> None:
    page = staff.get(MARCH).text
    facts = {key: json.loads(text) for key, text in FACTS.findall(page)}
    by_kind = facts["hours-1-facts"]
    assert by_kind["labels"] == ["买东西"]
    assert by_kind["series"] == [{"name": "时间", "values": [1.5]}]
    assert by_kind["unit"] == "小时"
    assert '<td class="number">1小时30分</td>' in page
    assert "邻居们互相帮了2回，一共1小时30分。" in page
    drawn = set(re.findall(r'data-chart="([\w-]+)"', page))
    assert drawn == facts.keys()
    for key in facts:
        assert f'id="{key.removesuffix("-facts")}-table"' in page


def test_every_role_of_the_staff_sees_reports(busy: ConsoleHouse) -> None:
    for role in Role:
        assert busy.as_role(role).get(MARCH).status_code == 200


def test_the_page_speaks_english_where_that_is_set(
    busy: ConsoleHouse, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.applications import Starlette

    from bot.console import console_routes

    settings = busy.parts.settings.copy(update={"console_language": "en"})
    parts = type(busy.parts)(**{**vars(busy.parts), "settings": settings})
    english = TestClient(Starlette(routes=console_routes(parts)), base_url="http://console.test")
    english.cookies = staff.http.cookies
    page = english.get(f"/console{MARCH}").text
    assert "Report of 3/2026" in page and "Hours of help" in page
    assert english.get(f"/console{MARCH}/pdf").content.startswith(b"%PDF-")
    assert english.get(f"/console{MARCH}/xlsx").status_code == 200


# -- the spreadsheet ----------------------------------------------------------------------------


def test_the_spreadsheet_has_a_sheet_for_each_theme_with_its_own_charts(staff: Client) -> None:
    answer = staff.get(f"{MARCH}/xlsx")
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["cache-control"] == "no-store"
    sheets = load_workbook(BytesIO(answer.content))
    assert sheets.sheetnames == [
        "概况",
        "帮忙的时间",
        "求助办成没有",
        "谁太忙、谁没人问",
        "警报和争议",
        "大家满不满意",
        "小帮听懂了没有",
        "公益时间",
        "功德榜",
    ]
    hours = sheets["帮忙的时间"]
    assert len(hours._charts) == 2
    rows = [[cell.value for cell in row[:3]] for row in hours.iter_rows()]
    assert ["买东西", 2, 1.5] in rows and ["合计", 2, 1.5] in rows


@pytest.mark.parametrize("name", [FORMULA, "+1+1", "-2", "@SUM(A1)", MARKUP, LONG, "坏\x00\x0b字"])
def test_a_name_is_text_in_the_spreadsheet(busy: ConsoleHouse, staff: Client, name: str) -> None:
    wish(busy, staff, "张秀英")
    rename(busy, "张秀英", name)
    found = cells(book(staff))
    assert not [cell.coordinate for cell in found if cell.data_type == "f"]
    shown = "".join(sign for sign in name if sign >= " ")
    assert sum(cell.value == shown for cell in found) == 3, "asked, most hours, first time"


# -- the PDF ------------------------------------------------------------------------------------


def drawn_text(data: bytes) -> str:
    """What a PDF's pages show, from their uncompressed streams."""
    said = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        content = zlib.decompress(
            a85decode(stream.strip().removesuffix(b"~>"), ignorechars=b"\n\r")
        )
        for literal in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", content, re.DOTALL):
            said.append(_unescaped(literal).decode("utf-16-be", "replace"))
    return "".join(said)


def _unescaped(literal: bytes) -> bytes:
    def sign(found: re.Match[bytes]) -> bytes:
        code = found[1]
        known = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
        return bytes([int(code, 8)]) if code.isdigit() else known.get(code, code)

    return re.sub(rb"\\([0-7]{3}|.)", sign, literal, flags=re.DOTALL)


def test_the_pdf_tells_period_maker_and_page(staff: Client) -> None:
    answer = staff.get(f"{MARCH}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = drawn_text(answer.content)
    assert "2026年3月的报表" in text
    assert f"2026年4月2日 09:00由{staff.name}做成。" in text
    assert re.search(r"1 / \d", text)
    assert "邻居们互相帮了2回，一共1小时30分。" in text
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in answer.content


@pytest.mark.parametrize("name", [FORMULA, MARKUP, LONG, "坏\x00字", "𠮷野&家", "<para>", "a" * 40])
def test_any_name_is_harmless_on_paper(busy: ConsoleHouse, staff: Client, name: str) -> None:
    wish(busy, staff, "张秀英")
    rename(busy, "张秀英", name)
    shown = "".join("□" if sign > "\uffff" else sign for sign in name if sign >= " ")
    for path in (f"{MARCH}/pdf", f"{MARCH}/honour/pdf"):
        data = staff.get(path).content
        assert data.startswith(b"%PDF-")
        # A long name is wrapped: its signs are all there, in their order.
        text = drawn_text(data)
        assert shown in text
        assert b"/JavaScript" not in data and b"/Launch" not in data


# -- the roll of honour ---------------------------------------------------------------------------


def test_nobody_is_named_who_did_not_say_so(busy: ConsoleHouse, staff: Client) -> None:
    viewer = busy.as_role(Role.VIEWER)
    page = viewer.get(f"{MARCH}/honour").text
    assert "张秀英" not in page and "李建国" not in page
    assert "还有2位邻居帮了人，没有留名。" in page
    assert "张秀英" not in drawn_text(staff.get(f"{MARCH}/honour/pdf").content)
    assert not [cell for cell in book(staff)["功德榜"]["B"] if cell.value == "张秀英"]


def test_who_said_yes_is_named_until_he_says_no(busy: ConsoleHouse, staff: Client) -> None:
    answer = wish(busy, staff, "张秀英")
    assert answer.headers["location"] == "/console/reports/2026-03/honour"
    viewer = busy.as_role(Role.VIEWER)
    page = viewer.get(f"{MARCH}/honour").text
    assert "张秀英" in page and "还有1位邻居帮了人" in page
    assert "张秀英" in drawn_text(staff.get(f"{MARCH}/honour/pdf").content)
    wish(busy, staff, "张秀英", "no")
    assert "张秀英" not in viewer.get(f"{MARCH}/honour").text
    with busy.village.reading() as session:
        assert session.query(HonourWish).count() == 2
        deeds = session.query(StaffDeed).filter(StaffDeed.deed.contains("wish")).all()
        zhang = busy.street.member("张秀英")
        assert [deed.about_id for deed in deeds] == [zhang, zhang]


def test_staff_find_whom_they_asked(staff: Client) -> None:
    page = staff.get(f"{MARCH}/honour?name=秀英").text
    assert "张秀英" in page and "李建国" not in page
    assert "没有叫这个名字的" in staff.get(f"{MARCH}/honour", params={"name": MARKUP}).text


def test_a_name_with_mark_up_is_text_on_the_pages(busy: ConsoleHouse, staff: Client) -> None:
    wish(busy, staff, "张秀英")
    rename(busy, "张秀英", MARKUP)
    for path in (MARCH, f"{MARCH}/honour"):
        page = staff.get(path).text
        assert "<script>alert" not in page
        assert "</script><b>" not in page
    assert html.escape(MARKUP, quote=False) in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEDIATOR, Role.BOOKKEEPER])
def test_who_may_not_edit_people_hears_no_wish(busy: ConsoleHouse, role: Role) -> None:
    assert wish(busy, busy.as_role(role), "张秀英").status_code == 403
    with busy.village.reading() as session:
        assert session.query(HonourWish).count() == 0


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"member": "1"},
        {"member": "0", "may_be_named": "yes"},
        {"member": "99999999999", "may_be_named": "yes"},
        {"member": "x", "may_be_named": "yes"},
        {"member": "1", "may_be_named": "maybe"},
    ],
)
def test_a_wish_that_is_none_is_not_kept(
    busy: ConsoleHouse, staff: Client, data: dict[str, str]
) -> None:
    assert staff.post(f"{MARCH}/honour/wish", data).status_code == 404
    assert (
        staff.post(f"{MARCH}/honour/wish", {"member": "9999", "may_be_named": "yes"}).status_code
        == 409
    )
    with busy.village.reading() as session:
        assert session.query(HonourWish).count() == 0
        assert session.query(Member).count() > 0
