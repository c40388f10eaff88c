"""A report on A4 paper."""

from __future__ import annotations

from io import BytesIO
from typing import Any, List, Sequence

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as PaperTable

from actions.timebank.staff.reports.report import Report
from bot.console.reports.drawing import drawing
from bot.console.reports.paper import (
    A4,
    INK,
    LETTER,
    MAIN,
    MARGIN,
    SOFT,
    WIDTH,
    centred,
    have_letter,
    numbered,
    paragraph,
    right,
    style,
)
from bot.console.reports.sections import at_a_glance, period_name, sections
from bot.console.reports.telling import Cell, Figure, Table, Unit, written
from bot.console.words import Words

ROOM = WIDTH - 2 * MARGIN
LINE, HEAD = colors.HexColor("#ddd4c7"), colors.HexColor("#f3ece1")
KEPT_WHOLE = 12
"""A table of no more rows stays on one page with its chart."""
TITLE, THEME, SUBJECT, TEXT, SMALL = (
    style(20, colour=MAIN),
    style(15, colour=MAIN, spaceBefore=10, spaceAfter=3),
    style(11.5, spaceBefore=8, spaceAfter=3),
    style(10.5),
    style(8.5),
)
NUMBER, REMARK, LARGE = right(8.5), centred(9, colour=SOFT), centred(15, colour=MAIN)


def write(report: Report, words: Words, *, by: str) -> bytes:
    """The bytes of a PDF file."""
    have_letter()
    name = words.say("{name}的报表", name=period_name(report.period, words))
    made = words.say("{when}由{who}做成。", when=words.moment(report.made_at), who=by)
    paper = BytesIO()
    document = SimpleDocTemplate(
        paper,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=f"{words.say('小帮')} {name}",
        author=words.say("小帮"),
    )
    told: List[Any] = [paragraph(name, TITLE), paragraph(made, TEXT)]
    if not report.is_finished:
        told.append(paragraph(words.say("这一段还没过完。"), TEXT))
    told.append(Spacer(1, 4 * mm))
    if report.is_empty:
        told.append(paragraph(words.say("这段时间村里安安静静，还没有可数的事。"), TEXT))
    else:
        told.append(_glance(at_a_glance(report, words)))
        for section in sections(report, words):
            head = [paragraph(section.title, THEME)]
            head += [paragraph(one, TEXT) for one in section.says]
            for table in section.tables:
                if table.rows:
                    told += _told(head, table, words)
                    head = []
            # Without a table the sentences stand alone.
            told += head
    document.build(told, canvasmaker=numbered(f"{name}　{made}"))
    return paper.getvalue()


def _glance(figures: Sequence[Figure]) -> PaperTable:
    cells = [
        [
            paragraph(one.title, REMARK),
            paragraph(one.value, LARGE),
            paragraph(one.remark, REMARK),
        ]
        for one in figures
    ]
    table = PaperTable([cells], colWidths=[ROOM / len(figures)] * len(figures))
    table.setStyle(
        TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 0.7, LINE),
                ("INNERGRID", (0, 0), (-1, -1), 0.7, LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _told(head: Sequence[Any], table: Table, words: Words) -> List[Any]:
    """What belongs before the table and its chart, kept together with it; then the table."""
    together = [*head, paragraph(table.title, SUBJECT)]
    chart = drawing(table, words, ROOM)
    if chart is not None:
        together.append(chart)
    if table.is_list:
        together.append(paragraph("、".join(str(row[0]) for row in table.shown), TEXT))
        parts: List[Any] = [KeepTogether(together)]
    elif len(table.shown) <= KEPT_WHOLE:
        parts = [KeepTogether([*together, _paper_table(table, words)])]
    else:
        parts = [KeepTogether(together), _paper_table(table, words)]
    if table.left_out:
        more = words.say("还有{count}行，下载的表格里都有。", count=table.left_out)
        parts.append(paragraph(more, SMALL))
    return parts


def _paper_table(table: Table, words: Words) -> PaperTable:
    units = [column.unit for column in table.columns]
    lines = [[_cell(one.title, one.unit, words) for one in table.columns]]
    for row in [*table.shown, *([table.total] if table.total else [])]:
        lines.append([_cell(value, unit, words) for value, unit in zip(row, units, strict=True)])
    others = len(units) - 1
    first = max(22 * mm, min(60 * mm, ROOM - others * 28 * mm))
    made = PaperTable(
        lines,
        colWidths=[first] + [(ROOM - first) / others] * others,
        repeatRows=1,
    )
    made.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), LETTER, 9),
                ("TEXTCOLOR", (0, 0), (-1, -1), INK),
                ("BACKGROUND", (0, 0), (-1, 0), HEAD),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                *([("BACKGROUND", (0, -1), (-1, -1), HEAD)] if table.total else []),
            ]
        )
    )
    return made


def _cell(value: Cell, unit: Unit, words: Words) -> Any:
    return paragraph(written(value, unit, words), SMALL if unit is Unit.TEXT else NUMBER)
