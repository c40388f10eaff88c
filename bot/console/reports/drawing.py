"""The chart of a table, drawn for paper."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.charts.linecharts import HorizontalLineChart
from reportlab.graphics.shapes import Drawing, String
from reportlab.graphics.widgets.markers import makeMarker
from reportlab.lib import colors
from reportlab.lib.units import mm

from bot.console.reports.paper import INK, LETTER, SOFT, plain
from bot.console.reports.sheet import COLOURS
from bot.console.reports.telling import ChartKind, Table, drawn, unit_words, written
from bot.console.words import Words

SIZE = 8.5
NAMES = 34 * mm
"""Room beside lying bars for what they are called."""
SIDE_BY_SIDE = 6
"""More names than these under standing bars are written slanting."""
LIGHT = frozenset({"E69F00", "56B4E9", "CC79A7"})
"""Colours on which white is not read."""
NARROW = 0.035
"""A smaller part of the longest bar has no room for its number."""
LONGEST_NAME = 11
"""So many signs of a name fit there."""


def drawing(table: Table, words: Words, width: float) -> Optional[Drawing]:
    """None for a table without a chart, or without a single number."""
    chart = table.chart
    if chart is None or not table.is_drawn:
        return None
    columns = [table.columns[number] for number in chart.columns]
    data = [
        tuple(drawn(row[number], column.unit) for row in table.drawn_rows)
        for number, column in zip(chart.columns, columns, strict=True)
    ]
    names = [_short(written(row[0], table.columns[0].unit, words)) for row in table.drawn_rows]
    lying = chart.kind in (ChartKind.BARS, ChartKind.STACKED)
    foot = (16 if len(columns) > 1 else 8) * mm
    if not lying and len(names) > SIDE_BY_SIDE:
        foot += 7 * mm
    side_by_side = len(columns) if chart.kind is ChartKind.BARS else 1
    body = max(26 * mm, len(names) * (2 + 3.5 * side_by_side) * mm) if lying else 48 * mm
    sheet = Drawing(width, body + foot + 10 * mm)
    made = _made(chart.kind, data, names)
    made.x, made.y = (NAMES if lying else 14 * mm), foot
    made.width, made.height = width - made.x - 12 * mm, body
    sheet.add(made)
    unit = unit_words(columns[0].unit, words)
    title = f"{chart.title}（{unit}）" if unit else chart.title
    above = body + foot + 5 * mm
    sheet.add(String(0, above, title, fontName=LETTER, fontSize=9.5, fillColor=SOFT))
    if len(columns) > 1:
        sheet.add(_legend([column.title for column in columns], width))
    return sheet


def _made(kind: ChartKind, data: List[Any], names: List[str]) -> Any:
    if kind is ChartKind.LINE:
        line = HorizontalLineChart()
        for number in range(len(data)):
            line.lines[number].strokeColor = _colour(number)
            line.lines[number].strokeWidth = 2
            line.lines[number].symbol = makeMarker("FilledCircle", size=5)
        line.lineLabelFormat = "%0.1f"
        line.lineLabels.fontName, line.lineLabels.fontSize = LETTER, SIZE
        line.lineLabels.dy = 7
        return _dressed(line, data, names)
    lying = kind in (ChartKind.BARS, ChartKind.STACKED)
    bars: Any = HorizontalBarChart() if lying else VerticalBarChart()
    if kind in (ChartKind.STACKED, ChartKind.WEEKS):
        bars.categoryAxis.style = "stacked"
        bars.barLabels.boxTarget = "mid"
    else:
        bars.barLabels.nudge = 9
        bars.barLabels.fillColor = INK
    for number in range(len(data)):
        bars.bars[number].fillColor = _colour(number)
        bars.bars[number].strokeColor = colors.white
        bars.bars[number].strokeWidth = 0.5
    bars.barLabelFormat = _labels(data, bars.categoryAxis.style == "stacked")
    bars.barLabels.fontName, bars.barLabels.fontSize = LETTER, 7.5
    if bars.categoryAxis.style == "stacked":
        for number in range(len(data)):
            dark = COLOURS[number % len(COLOURS)] not in LIGHT
            for place in range(len(names)):
                bars.barLabels[(number, place)].fillColor = colors.white if dark else INK
    if lying:
        bars.categoryAxis.reverseDirection = 1
        bars.categoryAxis.labels.boxAnchor = "e"
        bars.categoryAxis.labels.dx = -4
    bars.groupSpacing = 5
    return _dressed(bars, data, names)


def _dressed(made: Any, data: List[Any], names: List[str]) -> Any:
    made.data = data
    made.categoryAxis.categoryNames = names
    for axis in (made.categoryAxis, made.valueAxis):
        axis.labels.fontName, axis.labels.fontSize = LETTER, SIZE
        axis.labels.fillColor = INK
        axis.strokeColor = SOFT
    if not isinstance(made, HorizontalBarChart) and len(names) > SIDE_BY_SIDE:
        made.categoryAxis.labels.angle = 35
        made.categoryAxis.labels.boxAnchor = "ne"
    made.valueAxis.valueMin = 0
    if isinstance(made, HorizontalLineChart):
        # Room for what is written above the highest point.
        made.valueAxis.valueMax = 1.25 * max(value or 0 for line in data for value in line)
    made.valueAxis.visibleGrid = True
    made.valueAxis.gridStrokeColor = colors.HexColor("#e8e0d4")
    return made


def _labels(data: List[Any], is_stacked: bool) -> Callable[[Optional[float]], str]:
    """How a value is written: not where its part is too narrow, the table has it."""
    sums = [sum(value or 0 for value in parts) for parts in zip(*data)]
    least = NARROW * max(sums) if is_stacked else 0
    return lambda value: f"{value:g}" if value and value >= least else ""


def _legend(titles: List[str], width: float) -> Legend:
    legend = Legend()
    legend.x, legend.y, legend.boxAnchor = 2, 1, "sw"
    legend.fontName, legend.fontSize = LETTER, SIZE
    legend.alignment = "right"
    legend.columnMaximum, legend.deltax = 1, (width - 4) / max(1, len(titles))
    legend.dx, legend.dy, legend.dxTextSpace = 8, 8, 3
    legend.variColumn, legend.autoXPadding = True, 6
    legend.colorNamePairs = [(_colour(number), title) for number, title in enumerate(titles)]
    legend.strokeWidth = 0
    return legend


def _colour(number: int) -> Any:
    return colors.HexColor(f"#{COLOURS[number % len(COLOURS)]}")


def _short(name: str) -> str:
    name = plain(name)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
