"""What a report is made of, whatever it is written on: sentences, tables, and charts of those
tables, so that a chart never shows what the table beneath does not say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from bot.console.words import Words

Cell = Union[str, int, float, None]

MOST_DRAWN = 14
"""So many rows a chart can show; a quarter has no more weeks."""


class Unit(str, Enum):
    """How the numbers of a column are to be read."""

    TEXT = "text"
    COUNT = "count"
    MINUTES = "minutes"
    PERCENT = "percent"
    MARK = "mark"
    """A mean of marks, to one decimal."""


class ChartKind(str, Enum):
    BARS = "bars"
    """Lying, side by side: names have room beside them."""
    STACKED = "stacked"
    """Lying, one upon the other."""
    WEEKS = "weeks"
    """Standing, one upon the other: time goes to the right."""
    LINE = "line"


@dataclass(frozen=True)
class Column:
    title: str
    unit: Unit = Unit.COUNT


@dataclass(frozen=True)
class Chart:
    """Of a table: its first column names what is counted, these others are drawn."""

    title: str
    kind: ChartKind
    columns: Sequence[int]


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    chart: Optional[Chart] = None
    total: Optional[Sequence[Cell]] = None
    most: Optional[int] = None
    """So many rows are shown where room is dear; the spreadsheet has all."""

    @property
    def shown(self) -> Sequence[Sequence[Cell]]:
        return self.rows[: self.most] if self.most else self.rows

    @property
    def drawn_rows(self) -> Sequence[Sequence[Cell]]:
        return self.rows[:MOST_DRAWN]

    @property
    def is_drawn(self) -> bool:
        """A chart of nothing but zeros would be an empty frame."""
        return self.chart is not None and any(
            row[number] for row in self.drawn_rows for number in self.chart.columns
        )

    @property
    def is_list(self) -> bool:
        """A single column is told one after the other, not as a table."""
        return len(self.columns) == 1

    @property
    def left_out(self) -> int:
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True)
class Section:
    key: str
    """Names it in addresses and pages; Latin letters."""
    title: str
    says: Sequence[str]
    tables: Sequence[Table]


@dataclass(frozen=True)
class Figure:
    """One number that stands large at the top."""

    title: str
    value: str
    remark: str = ""


def drawn(value: Cell, unit: Unit) -> Optional[float]:
    """A cell as a chart and a spreadsheet take it: minutes become hours, to one decimal."""
    if value is None or isinstance(value, str):
        return None
    return round(value / 60, 1) if unit is Unit.MINUTES else value


def unit_words(unit: Unit, words: Words) -> str:
    """What stands on a chart's axis."""
    names = {Unit.MINUTES: words.say("小时"), Unit.PERCENT: "%", Unit.MARK: words.say("分")}
    return names.get(unit, "")


def written(value: Cell, unit: Unit, words: Words) -> str:
    """A cell as people read it."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    if unit is Unit.MINUTES:
        return words.minutes(int(value))
    if unit is Unit.PERCENT:
        return f"{value:g}%"
    return f"{value:.1f}" if unit is Unit.MARK else f"{value:,}"


def chart_facts(table: Table, words: Words) -> dict[str, object]:
    """The chart of a table, for the page's script."""
    chart = table.chart
    if chart is None:
        raise ValueError(f"{table.title} has no chart")
    columns: List[Column] = [table.columns[number] for number in chart.columns]
    return {
        "kind": chart.kind.value,
        "unit": unit_words(columns[0].unit, words),
        "labels": [written(row[0], table.columns[0].unit, words) for row in table.drawn_rows],
        "series": [
            {
                "name": column.title,
                "values": [drawn(row[number], column.unit) for row in table.drawn_rows],
            }
            for number, column in zip(chart.columns, columns, strict=True)
        ],
    }
