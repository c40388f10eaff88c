"""The talks as a page to look at: which goals were reached, and every conversation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from tests.bench.report import Report
from tests.bench.voices.speech import Condition
from tests.bench.voices.talk import Outcome, character_errors

HERE = Path(__file__).parent
CARDS = (
    ("goals_reached", "goals reached"),
    ("goals_reached_clean", "reached, clean"),
    ("emergencies_reached", "emergencies reached"),
    ("turns_median", "turns to done"),
    ("minutes_to_done_median", "minutes to done"),
    ("repair_turns_mean", "said again, a talk"),
    ("believed_in_vain", "wrongly believed done"),
    ("left_to_staff", "left to the staff"),
    ("recognizer_cer", "characters misheard"),
)
SHARES = ("goals_reached", "emergencies_reached", "believed_in_vain", "left_to_staff", "recognizer")
"""Figures that are shown in percent, by how their names begin."""


@dataclass(frozen=True)
class Row:
    """One goal in all its conditions."""

    name: str
    about: str
    persona: str
    talks: Mapping[Condition, Outcome]


@dataclass(frozen=True)
class Bar:
    condition: str
    reached: int
    talks: int


def write_page(
    file: Path, report: Report, outcomes: Sequence[Outcome], not_built: Mapping[str, str]
) -> None:
    """One file that needs no other but the recordings beside it."""
    used = [one for one in Condition if any(talk.condition is one for talk in outcomes)]
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
    page = templates.get_template("page.html").render(
        report=report,
        cards=[(label, shown(name, report.figures[name])) for name, label in _there(report)],
        conditions=used,
        rows=_rows(outcomes),
        bars=[_bar(one, outcomes) for one in used],
        not_built=not_built,
        link=lambda recording: os.path.relpath(recording, file.parent),
        misheard=_misheard,
    )
    file.write_text(page, "utf-8")


def shown(name: str, value: float) -> str:
    return f"{value:.0%}" if name.startswith(SHARES) else f"{value:g}"


def _there(report: Report) -> list[tuple[str, str]]:
    return [(name, label) for name, label in CARDS if name in report.figures]


def _rows(outcomes: Sequence[Outcome]) -> list[Row]:
    rows: dict[str, dict[Condition, Outcome]] = {}
    for one in outcomes:
        rows.setdefault(one.goal.name, {})[one.condition] = one
    return [_row(talks) for talks in rows.values()]


def _row(talks: Mapping[Condition, Outcome]) -> Row:
    goal = next(iter(talks.values())).goal
    who = goal.persona
    persona = f"{who.name}, {who.pace} 字 a minute, pitch {who.pitch:g}, {who.room.name.lower()}"
    return Row(goal.name.replace("_", " "), goal.about, persona, talks)


def _bar(condition: Condition, outcomes: Sequence[Outcome]) -> Bar:
    talks = [one for one in outcomes if one.condition is condition]
    name = condition.value.replace("_", " ")
    return Bar(name, sum(one.reached for one in talks), len(talks))


def _misheard(turn: Any) -> bool:
    return bool(turn.said) and character_errors(turn.said, turn.heard)[0] > 0
