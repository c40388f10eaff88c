"""The roll of members as a table: a row a person, on its way out of the village or into it.

A table that comes in is hostile until it is proven good: nothing of it is written before
`roll_plan` has said what each row would do, and nobody is ever taken out by it. An empty cell says
nothing and changes nothing.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import MemberId
from actions.timebank.members import LARGEST_ID, LONGEST_NAME
from actions.timebank.model import Group, Lane, Member, MemberPriority, Skill
from actions.timebank.staff.register import EARLIEST_BIRTH
from actions.timebank.states import PriorityClass, ServiceKind

MOST_ROWS: Final = 5_000
"""No village has as many people; a longer table is an attack or the wrong file."""

LONGEST: Final[Mapping[str, int]] = {
    "name": LONGEST_NAME,
    "nickname": LONGEST_NAME,
    "group": 80,
    "lane": 80,
    "place": 120,
}
"""Characters that the database has room for, by field."""

PERSONAL: Final = ("name", "nickname", "birth_year", "place", "lives_alone", "takes_tasks")
"""Fields that are columns of `Member`, too."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, or worth a look; `facts` fill the words that belong to `code`."""

    code: str
    column: str = ""
    """The field it is about; empty when it is the whole row."""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """What one row says of one person. None: it says nothing of that."""

    line: int
    """Its number in the spreadsheet, as people see it there; 0 for one on its way out."""
    number: int | None = None
    """The member's id; None for somebody new, or who is to be found by name and lane."""
    name: str | None = None
    nickname: str | None = None
    birth_year: int | None = None
    group: str | None = None
    lane: str | None = None
    place: str | None = None
    lives_alone: bool | None = None
    takes_tasks: bool | None = None
    kinds: tuple[ServiceKind, ...] | None = None
    priorities: tuple[PriorityClass, ...] | None = None
    problems: tuple[Problem, ...] = ()
    """What whoever read the file could not make sense of."""


def as_json(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [{k: v for k, v in asdict(one).items() if v not in (None, ())} for one in entries]


def from_json(stored: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [_entry(dict(one)) for one in stored]


def _entry(stored: dict[str, Any]) -> Entry:
    problems = tuple(Problem(**one) for one in stored.pop("problems", ()))
    for name, options in (("kinds", ServiceKind), ("priorities", PriorityClass)):
        if name in stored:
            stored[name] = tuple(options(one) for one in stored[name])
    return Entry(**stored, problems=problems)


def everybody(session: Session) -> list[Member]:
    """All present members in the order of their numbers, with their lanes and groups."""
    present = (
        select(Member)
        .where(Member.left_at.is_(None))
        .options(joinedload(Member.lane).joinedload(Lane.group))
        .order_by(Member.id)
    )
    return list(session.execute(present).scalars())


def skills_by_member(session: Session) -> Mapping[int, dict[ServiceKind, bool]]:
    """What each member is willing to do, and whether trained in it."""
    skills: dict[int, dict[ServiceKind, bool]] = defaultdict(dict)
    rows = select(Skill.member_id, Skill.service_kind, Skill.trained).order_by(Skill.id)
    for member_id, kind, trained in session.execute(rows):
        skills[member_id][kind] = trained
    return skills


def priorities_by_member(session: Session) -> Mapping[int, set[PriorityClass]]:
    """For which reasons the village looks after each member first."""
    priorities: dict[int, set[PriorityClass]] = defaultdict(set)
    for member_id, priority in session.execute(
        select(MemberPriority.member_id, MemberPriority.priority)
    ):
        priorities[member_id].add(priority)
    return priorities


def entry_of(
    person: Member, kinds: Iterable[ServiceKind], priorities: Iterable[PriorityClass]
) -> Entry:
    """The row that says all that a table can say of a member."""
    said, first = set(kinds), set(priorities)
    values = {name: getattr(person, name) for name in PERSONAL}
    known: dict[str, Any] = {name: None if it == "" else it for name, it in values.items()}
    return Entry(
        line=0,
        number=person.id,
        group=person.lane.group.name,
        lane=person.lane.name,
        kinds=tuple(kind for kind in ServiceKind if kind in said),
        priorities=tuple(one for one in PriorityClass if one in first),
        **known,
    )


def entries(session: Session) -> list[Entry]:
    """The whole roll as a table."""
    skills, priorities = skills_by_member(session), priorities_by_member(session)
    return [
        entry_of(person, skills.get(person.id, ()), priorities.get(person.id, ()))
        for person in everybody(session)
    ]


def lanes(session: Session) -> list[Lane]:
    return list(session.execute(select(Lane).order_by(Lane.id)).scalars())


def groups(session: Session) -> list[Group]:
    return list(session.execute(select(Group).order_by(Group.id)).scalars())


def digest(session: Session) -> str:
    """Differs as soon as anything differs that a table could change or name."""
    streets = [(lane.name, lane.group_id) for lane in lanes(session)]
    content = (as_json(entries(session)), streets, [group.name for group in groups(session)])
    return sha256(json.dumps(content).encode()).hexdigest()


def own_problems(entry: Entry, *, now: datetime) -> list[Problem]:
    """What is wrong with a row by itself, whoever made it."""
    problems = list(entry.problems)
    for name, longest in LONGEST.items():
        said = getattr(entry, name)
        if said is not None and not said.strip():
            problems.append(Problem("empty", name))
        elif said is not None and len(said) > longest:
            problems.append(Problem("too_long", name, {"longest": longest, "length": len(said)}))
        if said is not None and not is_plain(said):
            problems.append(Problem("control_character", name))
    this_year = now.astimezone(VILLAGE_ZONE).year
    if entry.birth_year is not None and not EARLIEST_BIRTH <= entry.birth_year <= this_year:
        problems.append(
            Problem("birth_year", "birth_year", {"first": EARLIEST_BIRTH, "last": this_year})
        )
    if entry.number is not None and not 0 < entry.number <= LARGEST_ID:
        problems.append(Problem("number_unknown", "number", {"number": entry.number}))
    return problems


def is_plain(text: str) -> bool:
    """Whether all of it can be seen and said: no control or direction mark, nothing that was lost
    on the way."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return False
    unseen = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return text.isprintable() or not any(unicodedata.category(one) in unseen for one in text)


def said_fields(entry: Entry) -> Sequence[str]:
    """Which fields of a person the row says anything of."""
    aside = ("line", "number", "problems")
    return [
        one.name
        for one in fields(Entry)
        if one.name not in aside and getattr(entry, one.name) is not None
    ]


def known_id(number: int | None) -> MemberId | None:
    return MemberId(number) if number is not None and 0 < number <= LARGEST_ID else None
