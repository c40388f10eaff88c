"""Reading a spreadsheet that somebody uploaded: hostile until it is proven good.

Nothing here knows what the cells mean. Sizes are bounded before anything is unpacked, no formula
is ever worked out, and no part of the file is written anywhere.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import accumulate
from typing import Any, Iterable, List, Sequence, Tuple, Union

import openpyxl

MOST_BYTES = 5 * 2**20
MOST_UNPACKED = 16 * 2**20
"""Five thousand people take three."""
MOST_PARTS = 300
MOST_COLUMNS = 40
MOST_MERGED = 10_000
LAST_LINE = 1_048_576
"""The last row that a spreadsheet program has."""

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?\bref="[A-Z]{1,3}(\d{1,7})(?::[A-Z]{1,3}(\d{1,7}))?"'
)


class FileRefused(Exception):
    """This file cannot be read at all. `code` is one of the texts in words/import.yml."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


class Unread(Enum):
    """What a cell holds instead of a value."""

    FORMULA = "formula"
    FAULT = "fault"
    """An error of the spreadsheet program, such as #REF!"""


Cell = Union[None, str, int, float, bool, datetime, Unread]


@dataclass(frozen=True)
class Line:
    """A row that is not empty; `number` as the spreadsheet program shows it."""

    number: int
    cells: Tuple[Cell, ...]
    merged: bool = False
    """Whether any of its cells is one with cells of another row or column."""


def read_sheet(data: bytes, *, most_lines: int) -> List[Line]:
    """The rows of the first sheet, or of a CSV file in UTF-8 or GB18030. Raises FileRefused."""
    if len(data) > MOST_BYTES:
        raise FileRefused("too_big", most=MOST_BYTES // 2**20)
    if not data.strip():
        raise FileRefused("empty_file")
    if data.startswith(ZIP):
        return _read_workbook(data, most_lines)
    if data.startswith(OLD_EXCEL):
        raise FileRefused("old_excel")
    return _read_csv(data, most_lines)


def _read_workbook(data: bytes, most_lines: int) -> List[Line]:
    _refuse_bombs(data)
    try:
        # In this mode a row is read at a time; XML goes through defusedxml, which openpyxl takes
        # when it is installed.
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()  # What the file says of its size is not believed.
        rows = sheet.iter_rows(max_col=MOST_COLUMNS)
        lines = _not_empty((tuple(map(_value, row)) for row in rows), most_lines)
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            merged = _merged_lines(parts.read(sheet._worksheet_path), LAST_LINE)
    except FileRefused:
        raise
    except Exception as error:
        # The library meets a broken file with whatever breaks in it first.
        raise FileRefused("not_a_spreadsheet") from error
    return [Line(line.number, line.cells, merged[line.number]) for line in lines]


def _refuse_bombs(data: bytes) -> None:
    """By the sizes in the directory of the file, which bind whoever unpacks it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            directory = parts.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise FileRefused("not_a_spreadsheet") from error
    unpacked = sum(part.file_size for part in directory)
    if len(directory) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise FileRefused("too_much_inside")
    if any(part.flag_bits & 1 for part in directory):
        raise FileRefused("locked")


def _value(cell: Any) -> Cell:
    if cell.data_type == "f":
        return Unread.FORMULA
    if cell.data_type == "e":
        return Unread.FAULT
    value = cell.value
    if value is None or isinstance(value, (str, int, float, datetime)):
        return value
    return str(value)


def _merged_lines(xml: bytes, last: int) -> Sequence[bool]:
    """For each row whether it takes part in a merged cell; row 0 stands for none."""
    begins = [0] * (last + 2)
    for count, found in enumerate(MERGED.finditer(xml)):
        if count >= MOST_MERGED:
            raise FileRefused("too_much_inside")
        first, until = int(found[1]), int(found[2] or found[1])
        begins[min(first, last)] += 1
        begins[min(until, last) + 1] -= 1
    return [depth > 0 for depth in accumulate(begins)]


def _read_csv(data: bytes, most_lines: int) -> List[Line]:
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _not_empty((tuple(row[:MOST_COLUMNS]) for row in rows), most_lines)
    except csv.Error as error:
        raise FileRefused("broken_csv", line=rows.line_num) from error


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused("encoding")


def _not_empty(rows: Iterable[Tuple[Cell, ...]], most: int) -> List[Line]:
    lines: List[Line] = []
    for number, cells in enumerate(rows, start=1):
        # A forged row number would have the library count to it.
        if number > LAST_LINE:
            break
        filled = [place for place, cell in enumerate(cells, start=1) if not _is_empty(cell)]
        if not filled:
            continue
        if len(lines) == most:
            raise FileRefused("too_many_rows")
        lines.append(Line(number, cells[: filled[-1]]))
    return lines


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
