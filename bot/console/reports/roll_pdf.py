"""The roll of honour to hang on the wall: large, red and gold."""

from __future__ import annotations

from io import BytesIO
from typing import Any, List

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Spacer, Table, TableStyle

from actions.timebank.staff.reports.honour import Roll
from bot.console.reports.paper import (
    A4,
    HEIGHT,
    WIDTH,
    centred,
    have_letter,
    paragraph,
    right,
    style,
)
from bot.console.words import Words

RED, GOLD, PALE = (colors.HexColor(one) for one in ("#9d1515", "#ffd75e", "#fff3cf"))
EDGE, INNER = 9 * mm, 24 * mm
TITLE, PERIOD, HEADING = (
    centred(54, colour=GOLD),
    centred(22, colour=PALE),
    centred(25, colour=GOLD),
)
THANKS = centred(18, colour=PALE)
COLUMNS = (24 * mm, 88 * mm, 50 * mm)


def write(roll: Roll, name: str, words: Words) -> bytes:
    """The bytes of a PDF file; `name` is the period's; more pages when there are more names."""
    have_letter()
    say = words.say
    paper = BytesIO()
    frame = Frame(INNER, INNER, WIDTH - 2 * INNER, HEIGHT - 2 * INNER, 0, 0, 0, 0)
    document = BaseDocTemplate(
        paper, pagesize=A4, title=f"{say('功德榜')} {name}", author=say("小帮")
    )
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=_red))
    told: List[Any] = [paragraph(say("功德榜"), TITLE), paragraph(name, PERIOD), Spacer(1, 8 * mm)]
    if roll.most_hours:
        told += [paragraph(say("帮人时间最多"), HEADING), Spacer(1, 3 * mm), _ranks(roll, words)]
    if roll.first_time:
        told += [Spacer(1, 8 * mm), paragraph(say("头一回帮人"), HEADING), Spacer(1, 3 * mm)]
        told += [paragraph(one, centred(22, colour=PALE)) for one in roll.first_time]
    told.append(Spacer(1, 10 * mm))
    if not roll.most_hours and not roll.first_time:
        told.append(paragraph(say("这段时间还没有留名的邻居。"), THANKS))
    if roll.unnamed:
        told.append(
            paragraph(say("还有{count}位邻居帮了人，没有留名。", count=roll.unnamed), THANKS)
        )
    told.append(paragraph(say("谢谢每一位伸手的人。"), THANKS))
    document.build(told)
    return paper.getvalue()


def _ranks(roll: Roll, words: Words) -> Table:
    lines = []
    for one in roll.most_hours:
        size = 27 if one.rank <= 3 else 21
        lines.append(
            [
                paragraph(f"{one.rank}", centred(size, colour=GOLD)),
                paragraph(one.name, style(size, colour=colors.white)),
                paragraph(words.minutes(one.minutes), right(size * 0.72, colour=PALE)),
            ]
        )
    made = Table(lines, colWidths=COLUMNS)
    made.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.7, colors.HexColor("#c9852f")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
            ]
        )
    )
    return made


def _red(canvas: Canvas, _document: Any) -> None:
    canvas.saveState()
    canvas.setFillColor(RED)
    canvas.rect(EDGE, EDGE, WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE, stroke=0, fill=1)
    canvas.setStrokeColor(GOLD)
    for inset, line in ((EDGE + 3 * mm, 2.5), (EDGE + 5 * mm, 0.8)):
        canvas.setLineWidth(line)
        canvas.rect(inset, inset, WIDTH - 2 * inset, HEIGHT - 2 * inset, stroke=1, fill=0)
    canvas.restoreState()
