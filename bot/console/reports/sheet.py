"""A report as a spreadsheet: a sheet for each theme, with charts of the spreadsheet's own."""

from __future__ import annotations

from io import BytesIO
from itertools import cycle
from typing import Any, Dict, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from actions.timebank.staff.reports.report import Report
from bot.console.reports.sections import at_a_glance, period_name, sections
from bot.console.reports.telling import ChartKind, Table, Unit, drawn, unit_words
from bot.console.words import Words

COLOURS = ("0072B2", "E69F00", "009E73", "CC79A7", "56B4E9", "D55E00", "8A8A8A")
"""Okabe and Ito's, as on the page."""
FORMATS: Dict[Unit, str] = {Unit.MINUTES: "0.0", Unit.MARK: "0.0", Unit.PERCENT: '0.0"%"'}
LONGEST_TEXT = 32_000
"""A cell takes 32,767 characters."""
WIDEST, ROWS_OF_A_CHART = 40, 18
TITLE, HEAD, BOLD = Font(size=16, bold=True), Font(bold=True), Font(bold=True)
HEAD_FILL = PatternFill("solid", fgColor="F3ECE1")
WRAPPED = Alignment(wrap_text=True, vertical="top")


def write(report: Report, words: Words, *, by: str) -> bytes:
    """The bytes of an .xlsx file. What people wrote is text in it and never a formula."""
    book = Workbook()
    first: Any = book.active
    first.title = words.say("概况")
    _overview(first, report, words, by)
    for section in sections(report, words):
        sheet = book.create_sheet(section.title[:31])
        row = _head(sheet, section.title, [period_name(report.period, words), *section.says])
        for table in section.tables:
            row = _table(sheet, row + 1, table, words)
        _widen(sheet)
    _roll(book.create_sheet(words.say("功德榜")), report, words)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _overview(sheet: Worksheet, report: Report, words: Words, by: str) -> None:
    name = words.say("{name}的报表", name=period_name(report.period, words))
    says = [words.say("{when}由{who}做成。", when=words.moment(report.made_at), who=by)]
    if not report.is_finished:
        says.append(words.say("这一段还没过完。"))
    if report.is_empty:
        says.append(words.say("这段时间村里安安静静，还没有可数的事。"))
    row = _head(sheet, name, says)
    for figure in at_a_glance(report, words):
        row += 1
        for column, text in enumerate((figure.title, figure.value, figure.remark), 1):
            _put(sheet.cell(row, column), text)
    _widen(sheet)


def _roll(sheet: Worksheet, report: Report, words: Words) -> None:
    say, roll = words.say, report.roll
    says = [say("问过本人，点了头的才在上面。")]
    if roll.unnamed:
        says.append(say("还有{count}位邻居帮了人，没有留名。", count=roll.unnamed))
    row = _head(sheet, say("功德榜"), says) + 1
    titles = (say("名次"), say("姓名"), f"{say('时间')}（{say('小时')}）", say("回数"))
    _heading(sheet, row, titles)
    for one in roll.most_hours:
        row += 1
        values = (one.rank, one.name, round(one.minutes / 60, 1), one.visits)
        for column, value in enumerate(values, 1):
            _put(sheet.cell(row, column), value)
    row += 2
    _heading(sheet, row, (say("头一回帮人"),))
    for name in roll.first_time:
        row += 1
        _put(sheet.cell(row, 1), name)
    _widen(sheet)


def _head(sheet: Worksheet, title: str, says: Sequence[str]) -> int:
    """Title and sentences; tells the row after them."""
    _put(sheet.cell(1, 1), title)
    sheet.cell(1, 1).font = TITLE
    for number, words in enumerate(says, 2):
        _put(sheet.cell(number, 1), words)
    return len(says) + 2


def _heading(sheet: Worksheet, row: int, titles: Sequence[str]) -> None:
    for column, title in enumerate(titles, 1):
        cell = sheet.cell(row, column)
        _put(cell, title)
        cell.font, cell.fill, cell.alignment = HEAD, HEAD_FILL, WRAPPED


def _table(sheet: Worksheet, row: int, table: Table, words: Words) -> int:
    """Writes a table with its chart to the right; tells the row after both."""
    _put(sheet.cell(row, 1), table.title)
    sheet.cell(row, 1).font = BOLD
    hours = words.say("小时")
    titles = [
        f"{one.title}（{hours}）" if one.unit is Unit.MINUTES else one.title
        for one in table.columns
    ]
    head = row + 1
    _heading(sheet, head, titles)
    row = head
    for line in [*table.rows, *([table.total] if table.total else [])]:
        row += 1
        for number, (value, column) in enumerate(zip(line, table.columns, strict=True), 1):
            cell = sheet.cell(row, number)
            _put(cell, value if isinstance(value, str) else drawn(value, column.unit))
            cell.number_format = FORMATS.get(column.unit, "General")
            if line is table.total:
                cell.font = BOLD
    if not table.is_drawn:
        return row + 1
    beside = f"{get_column_letter(len(table.columns) + 2)}{head}"
    sheet.add_chart(_chart(sheet, head, table, words), beside)
    return max(row + 1, head + ROWS_OF_A_CHART)


def _chart(sheet: Worksheet, head: int, table: Table, words: Words) -> Any:
    chart = table.chart
    assert chart is not None
    made: Any = LineChart() if chart.kind is ChartKind.LINE else BarChart()
    if chart.kind in (ChartKind.BARS, ChartKind.STACKED):
        made.type = "bar"
        made.x_axis.scaling.orientation = "maxMin"
    if chart.kind in (ChartKind.STACKED, ChartKind.WEEKS):
        made.grouping, made.overlap = "stacked", 100
    made.title, made.width, made.height = chart.title, 20, 9
    made.y_axis.title = unit_words(table.columns[chart.columns[0]].unit, words) or None
    made.x_axis.delete = made.y_axis.delete = False
    last = head + len(table.drawn_rows)
    for number in chart.columns:
        made.add_data(
            Reference(sheet, min_col=number + 1, min_row=head, max_row=last), titles_from_data=True
        )
    made.set_categories(Reference(sheet, min_col=1, min_row=head + 1, max_row=last))
    for series, colour in zip(made.series, cycle(COLOURS)):
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
        series.dLbls = DataLabelList(showVal=True)
        for other in ("showSerName", "showCatName", "showLegendKey", "showPercent"):
            setattr(series.dLbls, other, False)
    if len(chart.columns) == 1:
        made.legend = None
    else:
        made.legend.position = "b"
    return made


def _put(cell: Any, value: object) -> None:
    if not isinstance(value, str):
        cell.value = value
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_TEXT]
    # A name that begins with = would be a formula.
    cell.data_type = "s"
    cell.quotePrefix = True


def _widen(sheet: Worksheet) -> None:
    """Columns as wide as what stands in the tables, Chinese counted double; sentences run over."""
    widths: Dict[int, int] = {}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None and (cell.column > 1 or len(str(cell.value)) < WIDEST // 2):
                width = sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(cell.value))
                widths[cell.column] = max(widths.get(cell.column, 8), width + 2)
    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = min(width, WIDEST)
