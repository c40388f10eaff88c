"""The roll goes out as a spreadsheet and comes in again: what staff see, and what cannot happen."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from actions.timebank.model import Lane, Member, RollImport, StaffDeed
from actions.timebank.staff.roles import Role
from actions.timebank.states import PriorityClass, ServiceKind
from bot.console.imports import FILE_PROBLEMS, HELP, PROBLEMS
from bot.console.roll_table import KINDS, PRIORITIES, TITLES
from bot.console.words import read_words
from tests.bot.console.conftest import Client, ConsoleHouse
from tests.bot.console.test_sheets import workbook
from tests.timebank.builders import make_member

HEADER = list(TITLES.values())
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def chen(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR)


def upload(client: Client, data: bytes, name: str = "名册.xlsx") -> Any:
    return client.post("/import", files={"file": (name, data, XLSX)}, follow=False)


def preview(client: Client, *rows: list[Any]) -> str:
    """The path of the preview of a table with these rows under the header."""
    answer = upload(client, workbook(HEADER, *rows))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def names(console: ConsoleHouse) -> set[str]:
    return {one.name for one in console.street.rows(Member)}


def row(**said: Any) -> list[Any]:
    return [said.get(title) for title in HEADER]


WANG = row(
    姓名="王桂兰",
    出生年=1943,
    巷="桂花巷",
    住处="老槐树旁",
    独居="是",
    会做的="做饭、理发",
    照顾类别="低保",
)


# -- out -------------------------------------------------------------------------------------------


def test_the_export_is_text_whatever_people_are_called(console: ConsoleHouse, chen: Client) -> None:
    evil = ('=HYPERLINK("http://bad.example","王")', "+1", "@x", "-1", "<b>张</b>", "李\x07四")
    with console.village.transaction() as session:
        for name in evil:
            make_member(session, name, now=console.street.clock(), place="=1+1", nickname="=2")
    answer = chen.get("/import/export")
    assert answer.headers["content-type"] == XLSX
    assert "no-store" in answer.headers["cache-control"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["成员"]
    cells = [cell for line in sheet.iter_rows(min_row=2) for cell in line if cell.value]
    assert {*evil[:5], "李\N{REPLACEMENT CHARACTER}四", "王奶奶"} <= {cell.value for cell in cells}
    for cell in cells:
        assert cell.data_type in ("s", "n"), cell.value
        assert cell.quotePrefix or isinstance(cell.value, int)
    assert "=1+1" in {cell.value for cell in cells}


def test_the_export_is_written_down(console: ConsoleHouse, chen: Client) -> None:
    chen.get("/import/export")
    [deed] = console.street.rows(StaffDeed, subject="/import/export")
    assert deed.by_id == chen.member


def test_what_went_out_changes_nothing_when_it_comes_back(
    console: ConsoleHouse, chen: Client
) -> None:
    out = chen.get("/import/export").content
    page = chen.get(upload(chen, out).headers["location"]).text
    assert "照现在这样，没有要写的" in page
    assert "确认导入" not in page


def test_the_template_offers_lanes_groups_and_yes_or_no(chen: Client) -> None:
    book = openpyxl.load_workbook(io.BytesIO(chen.get("/import/template").content))
    sheet = book["成员"]
    assert [cell.value for cell in sheet[1]] == HEADER
    assert sheet.max_row == 1
    rules = {str(rule.sqref)[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules == {
        "F": "选项!$A$1:$A$3",
        "E": "选项!$B$1:$B$2",
        "H": '"是,否"',
        "I": '"是,否"',
    }
    assert {cell.value for cell in book["选项"]["A"]} == {"桂花巷", "槐树巷", "石桥巷"}
    assert "做饭" in "".join(str(cell.value) for cell in book["说明"]["A"])


def test_every_kind_is_called_as_the_console_calls_it() -> None:
    words = read_words("zh")
    for kind in ServiceKind:
        assert KINDS[kind][0] == words.label(kind)
    for priority in PriorityClass:
        assert PRIORITIES[priority][0] in words.label(priority)


# -- in --------------------------------------------------------------------------------------------


def test_a_table_is_seen_then_confirmed_then_unchanged(console: ConsoleHouse, chen: Client) -> None:
    path = preview(chen, WANG, row(编号=2, 住处="村西头"))
    page = chen.get(path).text
    assert "新来1人，改1人" in page
    assert "<del>村东头</del> → <ins>村西头</ins>" in page
    assert "王桂兰" not in names(console)
    done = chen.post(f"{path}/confirm", follow=True)
    assert "导入好了：新来1人，改了1人" in done.text
    [wang] = console.street.rows(Member, name="王桂兰")
    assert (wang.birth_year, wang.lives_alone, wang.place) == (1943, True, "老槐树旁")
    again = chen.get(preview(chen, WANG, row(编号=2, 住处="村西头"))).text
    assert "没有要写的" in again


def test_a_row_shows_all_that_is_wrong_with_it(console: ConsoleHouse, chen: Client) -> None:
    page = chen.get(
        preview(
            chen,
            row(姓名="王" * 41, 出生年="去年", 巷="=A1", 独居="也许", 会做的="做饭、飞"),
            row(编号=4711, 出生年=1880),
        )
    ).text
    for words in (
        "姓名：太长了，41个字，最多40个",
        "出生年：看不懂「去年」",
        "巷：里是公式",
        "独居：看不懂「也许」",
        "会做的：里有不认识的活：「做饭、飞」",
        "编号：没有4711号这个人",
        "出生年：不对，应该在1890年到2026年之间",
    ):
        assert words in page, words
    assert "确认导入" not in page


def test_names_are_shown_and_never_run(console: ConsoleHouse, chen: Client) -> None:
    evil = "<script>alert(1)</script>"
    page = chen.get(preview(chen, row(姓名=evil, 巷="桂花巷", 住处='"><img src=x>'))).text
    assert evil not in page and "<img" not in page
    assert "&lt;script&gt;" in page


def test_staff_choose_whether_it_is_the_same_person(console: ConsoleHouse, chen: Client) -> None:
    zhang = console.street.member("张秀英")
    path = preview(chen, row(姓名="张秀英", 巷="桂花巷", 出生年=1990))
    assert "村里有同名同巷的人" in chen.get(path).text
    # Confirmed with a choice that was not yet seen: it is shown first.
    seen = chen.post(f"{path}/confirm", {"row-2": str(zhang)}, follow=True).text
    assert "请看看现在每一行会怎么样" in seen and "改1人" in seen
    assert console.street.row(Member, id=zhang).birth_year is None
    chen.post(f"{path}/confirm", {"row-2": str(zhang)})
    assert console.street.row(Member, id=zhang).birth_year == 1990


def test_staff_choose_that_it_is_somebody_else(console: ConsoleHouse, chen: Client) -> None:
    path = preview(chen, row(姓名="张秀英", 巷="桂花巷", 出生年=1990))
    chen.post(f"{path}/choices", {"row-2": "new"})
    chen.post(f"{path}/confirm", {"row-2": "new"})
    assert len(console.street.rows(Member, name="张秀英")) == 2
    assert (
        "没有要写的" in chen.get(preview(chen, row(姓名="张秀英", 巷="桂花巷", 出生年=1990))).text
    )


def test_a_new_lane_is_made_when_staff_say_so(console: ConsoleHouse, chen: Client) -> None:
    path = preview(chen, row(姓名="王桂兰", 巷="柳树巷", 组="北片互助组"))
    page = chen.get(path).text
    assert "建「柳树巷」，属于「北片互助组」（组也是新的）" in page
    assert "确认导入" not in page
    assert (
        "新来1人"
        in chen.post(f"{path}/choices", {"offered": "柳树巷", "lane": "柳树巷"}, follow=True).text
    )
    chen.post(f"{path}/confirm", {"offered": "柳树巷", "lane": "柳树巷"})
    assert console.street.row(Lane, name="柳树巷")


@pytest.mark.parametrize(
    "field",
    [
        {"row-2": "4711"},
        {"row-2": "-1"},
        {"row-2": "x" * 15_000},
        {"row-99": "new"},
        {"row-": "new"},
        {"row-²": "²"},
        {"lane": "王府井"},
    ],
)
def test_forged_choices_do_nothing(
    console: ConsoleHouse, chen: Client, field: dict[str, str]
) -> None:
    before = names(console)
    path = preview(chen, row(姓名="张秀英", 巷="桂花巷", 出生年=1990))
    assert chen.post(f"{path}/choices", field).status_code == 303
    chen.post(f"{path}/confirm", field)
    assert names(console) == before
    assert console.street.rows(Lane, name="王府井") == []


def test_when_somebody_changed_the_roll_meanwhile_it_is_seen_again(
    console: ConsoleHouse, chen: Client
) -> None:
    path = preview(chen, WANG)
    with console.village.transaction() as session:
        session.get(Member, console.street.member("李建国")).place = "村口"
    told = chen.post(f"{path}/confirm", follow=True).text
    assert "名册刚才有人改过，还没有导入" in told
    assert "王桂兰" not in names(console)
    assert "导入好了" in chen.post(f"{path}/confirm", follow=True).text
    assert "已经导入过了" in chen.post(f"{path}/confirm", follow=True).text
    assert len(console.street.rows(Member, name="王桂兰")) == 1


def test_an_upload_is_its_uploader_s_only_and_for_an_hour(
    console: ConsoleHouse, chen: Client
) -> None:
    path = preview(chen, WANG)
    other = console.as_role(Role.COORDINATOR, Role.ADMINISTRATOR)
    for answer in (
        other.get(path),
        other.post(f"{path}/confirm"),
        other.post(f"{path}/choices"),
        chen.get("/import/4711"),
        chen.post("/import/99999999999999999999/confirm"),
    ):
        assert answer.status_code == 404
    console.street.clock.pass_time(hours=1)
    assert chen.get(path).status_code in (303, 404)
    assert "王桂兰" not in names(console)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.MEDIATOR])
def test_others_neither_see_nor_do_it(console: ConsoleHouse, role: Role) -> None:
    client = console.as_role(role)
    for path in ("/import", "/import/export", "/import/template", "/import/1"):
        assert client.get(path).status_code == 403
    assert upload(client, workbook(HEADER, WANG)).status_code == 403
    assert console.street.rows(RollImport) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "请先选一个文件"),
        (b"PK\x03\x04", "读不出来"),
        (b"\xd0\xcf\x11\xe0" * 200, "老式的xls"),
        ("名字们\n王".encode(), "找不到「姓名」"),
        ("姓名,名字\n王,王".encode(), "「姓名」这一列有两个"),
        ("姓名\n".encode(), "一行人都没有"),
        (b"x" * 5_900_000, "太大了，最多5兆"),
        ("姓名\n".encode("utf-16"), "编码认不出来"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    console: ConsoleHouse, chen: Client, data: bytes, words: str
) -> None:
    answer = upload(chen, data)
    if words == "「姓名」这一列有两个":
        words = "这一列有两个"
    assert (answer.status_code, words in answer.text) == (422, True)
    assert console.street.rows(RollImport) == []


def test_no_file_is_no_upload(chen: Client) -> None:
    assert chen.post("/import", {"file": "名册.xlsx"}).status_code == 422


def test_a_title_above_the_header_and_unknown_columns_are_fine(chen: Client) -> None:
    data = workbook(
        ["桂花村成员名册"], [], ["姓名（必填）", "电话", "巷子"], ["王桂兰", "139", "桂花巷"]
    )
    page = chen.post("/import", files={"file": ("x.xlsx", data, XLSX)}, follow=True).text
    assert "没有用到的列：电话" in page and "新来1人" in page


def test_a_csv_from_an_old_office_program_is_read(chen: Client) -> None:
    data = "姓名,巷,独居\n王桂兰,桂花巷,否\n".encode("gb18030")
    page = chen.post("/import", files={"file": ("x.csv", data, "text/csv")}, follow=True).text
    assert "王桂兰" in page and "独居：否" in page


def test_a_long_table_is_shown_in_pages(console: ConsoleHouse, chen: Client) -> None:
    path = preview(chen, *(row(姓名=f"新人{n}", 巷="桂花巷") for n in range(250)))
    assert "第1页，共3页" in chen.get(path).text
    last = chen.get(f"{path}?page=3").text
    assert "新人249" in last and "新人100" not in last
    assert "第3页" in chen.get(f"{path}?page=99&show=new").text
    assert "没有这样的行" in chen.get(f"{path}?show=refused").text
    assert chen.get(f"{path}?show=nonsense").status_code == 200


def test_expired_uploads_are_deleted_with_the_next(console: ConsoleHouse, chen: Client) -> None:
    preview(chen, WANG)
    with console.village.transaction() as session:
        session.query(RollImport).one().expires_at -= timedelta(hours=2)
    other = console.as_role(Role.COORDINATOR)
    preview(other, WANG)
    assert len(console.street.rows(RollImport)) == 1


def test_everything_is_said_in_english_too() -> None:
    words = read_words("en")
    for chinese in (*FILE_PROBLEMS.values(), *PROBLEMS.values(), *HELP):
        assert chinese in words.english
        fields = re.compile(r"\{\w+\}")
        assert {*fields.findall(chinese)} == {*fields.findall(words.english[chinese])}
