"""Uploaded spreadsheets, most of them hostile."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from defusedxml import DefusedXmlException

from bot.console.sheets import MOST_BYTES, FileRefused, Unread, read_sheet

MANY = 5_000
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a "ha"><!ENTITY b "'
    + "&a;" * 50
    + '"><!ENTITY c "'
    + "&b;" * 50
    + '"><!ENTITY d "'
    + "&c;" * 50
    + '">]>'
)


def workbook(*rows: list[Any], change: Callable[[Any], object] = lambda sheet: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rewritten(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same file with its parts changed."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(content, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return content.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        read_sheet(data, most_lines=MANY)
    return caught.value.code


def test_rows_come_as_they_stand_with_their_numbers() -> None:
    data = workbook(["姓名", "出生年"], [], ["王桂兰", 1943], ["李建国", datetime(1950, 5, 1)])
    lines = read_sheet(data, most_lines=MANY)
    assert [(line.number, line.cells) for line in lines] == [
        (1, ("姓名", "出生年")),
        (3, ("王桂兰", 1943)),
        (4, ("李建国", datetime(1950, 5, 1))),
    ]


def test_a_formula_is_never_worked_out() -> None:
    data = workbook(["姓名"], ['=HYPERLINK("http://bad.example","王")'], ["=1+1"])
    assert [line.cells[0] for line in read_sheet(data, most_lines=MANY)] == [
        "姓名",
        Unread.FORMULA,
        Unread.FORMULA,
    ]


def test_text_that_looks_like_a_formula_is_text() -> None:
    def as_text(sheet: Any) -> None:
        sheet["A2"].data_type = "s"

    data = workbook(["姓名"], ["=1+1"], change=as_text)
    assert read_sheet(data, most_lines=MANY)[1].cells == ("=1+1",)


def test_rows_of_merged_cells_are_marked() -> None:
    data = workbook(
        ["名册"], ["姓名"], ["王"], ["李"], ["赵"], change=lambda sheet: sheet.merge_cells("A3:A4")
    )
    lines = read_sheet(data, most_lines=MANY)
    assert [line.number for line in lines if line.merged] == [3]  # Row 4 has nothing left in it.


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-8", "\t"), ("gb18030", ";")],
)
def test_csv_in_the_encodings_of_village_offices(encoding: str, delimiter: str) -> None:
    text = f"姓名{delimiter}小名\r\n𠮷桂兰{delimiter}=二丫\r\n"
    lines = read_sheet(text.encode(encoding), most_lines=MANY)
    assert [line.cells for line in lines] == [("姓名", "小名"), ("𠮷桂兰", "=二丫")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b" \n ", "empty_file"),
        (b"x" * (MOST_BYTES + 1), "too_big"),
        ("姓名\n王".encode("utf-16"), "encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xff", "encoding"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "old_excel"),
        (b"PK\x03\x04 no zip at all", "not_a_spreadsheet"),
        ('姓名\n"王'.encode(), "broken_csv"),
        ("姓名\n王\0".encode(), "broken_csv"),
        (("姓名\n" + "王" * 200_000).encode(), "broken_csv"),
        (("姓名\n" + "王\n" * (MANY + 1)).encode(), "too_many_rows"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    assert refused(data) == code


def test_a_zip_that_is_no_spreadsheet_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("hello.txt", "姓名")
    assert refused(content.getvalue()) == "not_a_spreadsheet"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    good = workbook(["姓名"], ["王"])
    bomb = rewritten(good, lambda name, part: part + b" " * 60_000_000 * ("sheet1" in name))
    assert len(bomb) < 200_000
    tracemalloc.start()
    assert refused(bomb) == "too_much_inside"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_either() -> None:
    good = workbook(["姓名"], ["王"])
    bomb = rewritten(good, lambda name, part: part + b" " * 60_000_000 * ("sheet1" in name))
    lying = re.sub(re.escape(struct.pack("<I", next(_sizes(bomb)))), struct.pack("<I", 900), bomb)
    tracemalloc.start()
    assert refused(lying) == "not_a_spreadsheet"
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def _sizes(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        yield from sorted((part.file_size for part in parts.infolist()), reverse=True)


def test_a_thousand_parts_are_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for number in range(1_000):
            made.writestr(f"{number}.xml", "<a/>")
    assert refused(content.getvalue()) == "too_much_inside"


PARTS = [
    "[Content_Types].xml",
    "docProps/core.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/worksheets/sheet1.xml",
]


@pytest.mark.parametrize("bad", PARTS)
def test_no_part_may_bring_entities(bad: str) -> None:
    """openpyxl reads each of them through defusedxml: none may grow, none may fetch."""
    shared = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"></sst>'

    def infect(name: str, part: bytes) -> bytes:
        if name != bad:
            return part
        body = re.sub(rb"^<\?xml[^>]*\?>", b"", part)
        return BOMB.encode() + body.replace(b"</", b"&d;</", 1)

    def with_strings(name: str, part: bytes) -> bytes:
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        if name == "[Content_Types].xml" and kind not in part:
            more = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/>'
            return part.replace(b"</Types>", more + b"</Types>")
        return part

    good = rewritten(workbook(["姓名"], ["王"]), with_strings)
    content = io.BytesIO(good)
    with zipfile.ZipFile(content, "a") as parts:
        if "xl/sharedStrings.xml" not in parts.namelist():
            parts.writestr("xl/sharedStrings.xml", shared)
    good = content.getvalue()
    assert read_sheet(good, most_lines=MANY)[1].cells == ("王",)
    with pytest.raises(FileRefused, match="not_a_spreadsheet") as caught:
        read_sheet(rewritten(good, infect), most_lines=MANY)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, DefusedXmlException):
        error = error.__cause__ or error.__context__
    assert isinstance(error, DefusedXmlException)


def test_a_million_rows_are_refused_early() -> None:
    def endless(name: str, part: bytes) -> bytes:
        rows = b"".join(
            b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(2, 9_000)
        )
        return part.replace(b"</sheetData>", rows + b"</sheetData>")

    assert refused(rewritten(workbook(["姓名"]), endless)) == "too_many_rows"


def test_a_forged_row_number_is_not_counted_to() -> None:
    def forged(name: str, part: bytes) -> bytes:
        part = part.replace(b'<row r="2"', b'<row r="99999999999"').replace(b'r="A2"', b"")
        return re.sub(rb"<dimension[^>]*>", b'<dimension ref="A1:XFD1048576"/>', part)

    lines = read_sheet(rewritten(workbook(["姓名"], ["王"]), forged), most_lines=MANY)
    assert [line.cells[0] for line in lines] == ["姓名"]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.99])
def test_half_a_file_is_refused(cut: float) -> None:
    whole = workbook(["姓名"], ["王"])
    assert refused(whole[: int(len(whole) * cut)]) == "not_a_spreadsheet"
