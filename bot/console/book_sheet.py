"""Transfers as a spreadsheet: one row each, text always text."""

from __future__ import annotations

import io
import re
from typing import Any, Iterable, List

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.staff.transfers import Entry
from bot.console import book_words
from bot.console.desk import Desk

UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no spreadsheet can hold."""

WIDTHS = (8, 18, 12, 34, 18, 18, 10, 40, 12, 70)


def transfers_sheet(desk: Desk, entries: Iterable[Entry], *, most: int) -> bytes:
    """An .xlsx file, written row by row. When there are more than `most` entries the last row says
    that they were left out."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(desk.say("流水"))
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGHIJ", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([_text(sheet, title, bold=True) for title in _titles(desk)])
    for count, entry in enumerate(entries):
        if count == most:
            left_out = desk.say("这里只有{most}笔。更早的，请选好日子另存一份。", most=most)
            sheet.append([None, None, None, _text(sheet, left_out, bold=True)])
            break
        sheet.append([_cell(sheet, value) for value in _row(desk, entry)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _titles(desk: Desk) -> List[str]:
    return [
        desk.say("编号"),
        desk.say("时间"),
        desk.say("种类"),
        desk.say("说明"),
        desk.say("谁给的"),
        desk.say("给了谁"),
        desk.say("分钟"),
        desk.say("原因"),
        desk.say("冲正了哪笔"),
        desk.say("指纹"),
    ]


def _row(desk: Desk, entry: Entry) -> List[Any]:
    names = desk.say("和")
    return [
        entry.transfer_id,
        f"{entry.occurred_at.astimezone(VILLAGE_ZONE):%Y-%m-%d %H:%M}",
        desk.words.label(entry.kind),
        book_words.told(desk, entry),
        names.join(book_words.side_name(desk, side) for side in entry.givers),
        names.join(book_words.side_name(desk, side) for side in entry.receivers),
        entry.minutes,
        entry.reason,
        entry.reverses_id,
        entry.hash,
    ]


def _cell(sheet: Any, value: Any) -> Any:
    return _text(sheet, value) if isinstance(value, str) else value


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """Told to be text, or openpyxl makes a formula of what begins with =."""
    cell: Any = WriteOnlyCell(sheet, UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
