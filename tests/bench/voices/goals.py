"""What the elders want: read from `goals/*.yml`, wrong files refused at once.

A goal says who speaks, what she wants, what she answers to what 小帮 asks, what comes in between,
and which rows must be in the village's database in the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

GOALS = Path(__file__).with_name("goals")
TURNS = 12
"""An elder whose goal is not reached after so many turns has given up."""


class Room(Enum):
    """Where she sits: which share of the noise is other people's voices."""

    QUIET = 0.2
    KITCHEN = 0.5
    YARD = 0.8


@dataclass(frozen=True)
class Persona:
    name: str
    pace: int = 150
    """字 a minute."""
    pitch: float = 1.0
    """Times that of the project's voice, and with it the size of the throat."""
    room: Room = Room.KITCHEN


@dataclass(frozen=True)
class Answer:
    """What she says when a reply matches."""

    asks: re.Pattern[str]
    says: Sequence[str]
    """Said one after the other: asked the same again, people use other words."""


@dataclass(frozen=True)
class Interruption:
    """What comes in between, once: a remark, 啊？, a correction, or nothing but the room."""

    after: int = 0
    """The turn it comes after, counted from 1; 0 when `hears` decides."""
    hears: re.Pattern[str] | None = None
    corrects: bool = False
    """Whether it stands from now on in place of what she wanted before."""
    says: Sequence[str] = ()
    """A correction goes on in other words where it is not taken; a remark is made once."""
    silence: float = 0.0
    """Seconds of the room's noise instead of words."""


@dataclass(frozen=True)
class Goal:
    name: str
    about: str
    persona: Persona
    opens: Sequence[str]
    """Her wish in as many wordings; she goes on to the next when she must say it again."""
    done: Sequence[Mapping[str, Any]]
    """See `checks`."""
    means: re.Pattern[str]
    """Which of 小帮's guesses at her wish are right."""
    content: re.Pattern[str]
    """A reply after which she believes that it is done, and stops."""
    before: Sequence[Mapping[str, Any]] = ()
    """What has happened in the village already; see `village`."""
    answers: Sequence[Answer] = ()
    interruptions: Sequence[Interruption] = ()
    emergency: bool = False

    @property
    def words(self) -> list[str]:
        """Everything that she may say in it."""
        answers = (words for answer in self.answers for words in answer.says)
        between = (words for one in self.interruptions for words in one.says)
        return [*self.opens, *answers, *between]


class BadGoal(ValueError):
    """A goal's file is wrong; the message names the goal and what."""


def read_goals(folder: Path = GOALS) -> list[Goal]:
    """All goals, by file and in their order. Raises BadGoal."""
    goals = [
        read_goal(one)
        for file in sorted(folder.glob("*.yml"))
        for one in yaml.safe_load(file.read_text("utf-8"))
    ]
    names = [goal.name for goal in goals]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadGoal(f"told twice: {', '.join(sorted(twice))}")
    return goals


def read_goal(told: Mapping[str, Any]) -> Goal:
    """Raises BadGoal."""
    name = str(told.get("name", "a goal without a name"))
    try:
        return _goal(dict(told))
    except (KeyError, TypeError, ValueError, re.error) as wrong:
        raise BadGoal(f"{name}: {wrong!r}") from wrong


def _goal(told: dict[str, Any]) -> Goal:
    persona = dict(told.pop("persona"))
    room = Room[persona.pop("room", "kitchen").upper()]
    goal = Goal(
        persona=Persona(room=room, **persona),
        opens=_said(told.pop("opens")),
        done=told.pop("done"),
        means=re.compile(told.pop("means")),
        content=re.compile(told.pop("content")),
        answers=[
            Answer(re.compile(one["asks"]), _said(one["says"])) for one in told.pop("answers", ())
        ],
        interruptions=[_interruption(**one) for one in told.pop("interruptions", ())],
        **told,
    )
    if not goal.opens or not goal.done:
        raise ValueError("nothing is said or nothing is checked")
    return goal


def _interruption(
    after: int = 0,
    hears: str = "",
    corrects: str = "",
    says: str | Sequence[str] = (),
    silence: float = 0.0,
) -> Interruption:
    if sum(map(bool, (after, hears, corrects))) != 1 or bool(says) == bool(silence):
        raise ValueError("an interruption comes after a turn or a reply, with words or silence")
    reply = re.compile(hears or corrects) if hears or corrects else None
    return Interruption(after, reply, bool(corrects), _said(says), silence)


def _said(words: str | Sequence[str]) -> Sequence[str]:
    return [words] if isinstance(words, str) else list(words)
