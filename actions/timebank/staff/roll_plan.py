"""What a table of members would do, row by row, before anything is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.model import Lane
from actions.timebank.staff import roll
from actions.timebank.staff.roll import Entry, Problem


class RowFate(str, Enum):
    """What becomes of a row when the table is confirmed."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"
    """It may be somebody who is there already: staff choose, or it is left out."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Choices:
    """What staff decided where a table leaves it open."""

    people: Mapping[int, MemberId | None] = field(default_factory=dict)
    """By line: the member who is meant, or None for somebody new."""
    lanes: frozenset[str] = frozenset()
    """Unknown lanes that are to be made, with their groups."""


@dataclass(frozen=True)
class Planned:
    """One row and what it would do."""

    entry: Entry
    fate: RowFate
    member: MemberId | None = None
    """Who is changed, or is as the row says."""
    known: Entry | None = None
    """The same person as the roll has him."""
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why it is refused; the whole list, not the first."""
    warnings: tuple[Problem, ...] = ()
    candidates: tuple[Entry, ...] = ()
    """Who it may be, as the roll has them."""


@dataclass(frozen=True)
class NewLane:
    name: str
    group: str
    group_is_new: bool
    chosen: bool


@dataclass(frozen=True)
class Plan:
    rows: tuple[Planned, ...]
    new_lanes: tuple[NewLane, ...]
    """Lanes that the village has not; made only when chosen."""

    def count(self, fate: RowFate) -> int:
        return sum(row.fate is fate for row in self.rows)

    @property
    def writes(self) -> int:
        """How many rows would change anything."""
        return self.count(RowFate.NEW) + self.count(RowFate.CHANGED)


def plan(
    session: Session, entries: Sequence[Entry], choices: Choices, *, by: MemberId, now: datetime
) -> Plan:
    """Says what each row would do if `by` confirmed it; changes nothing and never raises for what
    a row says."""
    return _Planner(session, entries, choices, by, now).plan(entries)


class _Planner:
    def __init__(
        self,
        session: Session,
        entries: Sequence[Entry],
        choices: Choices,
        by: MemberId,
        now: datetime,
    ) -> None:
        self._choices, self._by, self._now = choices, by, now
        priorities = roll.priorities_by_member(session)
        self._skills = roll.skills_by_member(session)
        self._people: dict[MemberId, Entry] = {}
        self._called: dict[tuple[str | None, str | None], list[MemberId]] = defaultdict(list)
        for person in roll.everybody(session):
            known = roll.entry_of(
                person, self._skills.get(person.id, ()), priorities.get(person.id, ())
            )
            self._people[MemberId(person.id)] = known
            self._called[known.name, known.lane].append(MemberId(person.id))
        self._lanes: dict[str, Lane] = {lane.name: lane for lane in roll.lanes(session)}
        self._groups = {group.name for group in roll.groups(session)}
        self._new_lanes = self._first_groups(entries)
        self._named: dict[MemberId, int] = {}
        """Members spoken of, with the line."""
        self._newcomers: dict[tuple[str | None, str | None], list[Entry]] = defaultdict(list)

    def plan(self, entries: Sequence[Entry]) -> Plan:
        numbered: dict[int, Planned] = {}
        # Rows with a number first: whom they name is not free for one that only sounds like it.
        for with_number in (True, False):
            for place, entry in enumerate(entries):
                if (entry.number is not None) is with_number:
                    numbered[place] = self._row(entry)
        rows = tuple(numbered[place] for place in range(len(entries)))
        lanes = (
            NewLane(name, group, group not in self._groups, name in self._choices.lanes)
            for name, group in self._new_lanes.items()
            if group is not None
        )
        return Plan(rows, tuple(lanes))

    def _first_groups(self, entries: Sequence[Entry]) -> dict[str, str | None]:
        """Each lane that the village has not, with the first group that a row gives it."""
        new: dict[str, str | None] = {}
        for entry in entries:
            if entry.lane is None or entry.lane in self._lanes:
                continue
            if self._sound_place(entry):
                new[entry.lane] = new.get(entry.lane) or entry.group
        return new

    def _sound_place(self, entry: Entry) -> bool:
        problems = roll.own_problems(entry, now=self._now)
        return not any(_already_about(problems, name) for name in ("lane", "group"))

    def _row(self, entry: Entry) -> Planned:
        problems = roll.own_problems(entry, now=self._now) + self._lane_problems(entry)
        if entry.number is not None:
            return self._of_number(entry, problems)
        if entry.name is None and not _already_about(problems, "name"):
            problems.append(Problem("missing", "name"))
        if entry.lane is None and not _already_about(problems, "lane"):
            problems.append(Problem("missing", "lane"))
        if problems:
            return _refused(entry, problems)
        return self._by_name(entry)

    def _lane_problems(self, entry: Entry) -> list[Problem]:
        if entry.lane is None:
            about_group = entry.group is not None and not _already_about(entry.problems, "lane")
            return [Problem("group_without_lane", "group")] if about_group else []
        known = self._lanes.get(entry.lane)
        if known is not None:
            if entry.group in (None, known.group.name):
                return []
            facts = {"lane": known.name, "group": known.group.name}
            return [Problem("lane_in_other_group", "group", facts)]
        if any(
            _already_about(roll.own_problems(entry, now=self._now), c) for c in ("lane", "group")
        ):
            return []
        group = self._new_lanes.get(entry.lane)
        if group is None:
            return [Problem("lane_without_group", "lane", {"lane": entry.lane})]
        if entry.group not in (None, group):
            return [Problem("lane_in_other_group", "group", {"lane": entry.lane, "group": group})]
        if entry.lane not in self._choices.lanes:
            return [Problem("lane_unknown", "lane", {"lane": entry.lane})]
        return []

    def _of_number(self, entry: Entry, problems: list[Problem]) -> Planned:
        member = roll.known_id(entry.number)
        if member is None or member not in self._people:
            if not _already_about(problems, "number"):
                problems.append(Problem("number_unknown", "number", {"number": entry.number}))
            return _refused(entry, problems)
        if member in self._named:
            problems.append(Problem("number_twice", "number", {"line": self._named[member]}))
        self._named.setdefault(member, entry.line)
        return self._against(entry, member, problems)

    def _by_name(self, entry: Entry) -> Planned:
        alike = self._called.get((entry.name, entry.lane), [])
        free = [member for member in alike if member not in self._named]
        for member in free:
            if not self._changes(entry, member):
                self._named[member] = entry.line
                return Planned(entry, RowFate.UNCHANGED, member, self._people[member])
        taken = [self._named[member] for member in alike if member in self._named]
        taken += [
            other.line
            for other in self._newcomers[entry.name, entry.lane]
            if (other.nickname, other.birth_year) == (entry.nickname, entry.birth_year)
        ]
        if taken and not free:
            return _refused(entry, [Problem("row_twice", "name", {"line": taken[0]})])
        if not free:
            return self._new(entry)
        candidates = tuple(self._people[member] for member in free)
        if entry.line not in self._choices.people:
            return Planned(entry, RowFate.UNDECIDED, candidates=candidates)
        chosen = self._choices.people[entry.line]
        if chosen is None:
            return replace(self._new(entry), candidates=candidates)
        if chosen not in free:
            return Planned(entry, RowFate.UNDECIDED, candidates=candidates)
        self._named[chosen] = entry.line
        return replace(self._against(entry, chosen, []), candidates=candidates)

    def _new(self, entry: Entry) -> Planned:
        namesakes = self._newcomers[entry.name, entry.lane]
        warnings = [
            Problem("same_name_in_file", "name", {"line": other.line}) for other in namesakes
        ]
        namesakes.append(entry)
        return Planned(entry, RowFate.NEW, warnings=tuple(warnings))

    def _against(self, entry: Entry, member: MemberId, problems: list[Problem]) -> Planned:
        changes, known = self._changes(entry, member), self._people[member]
        for change in changes:
            if change.column == "kinds":
                lost = set(change.before) - set(change.after)
                trained = [kind for kind in lost if self._skills[member][kind]]
                problems += [Problem("trained", "kinds", {"kind": kind}) for kind in trained]
            if change.column == "priorities" and member == self._by:
                problems.append(Problem("own_priority", "priorities"))
        if problems:
            return replace(_refused(entry, problems), member=member, known=known)
        fate = RowFate.CHANGED if changes else RowFate.UNCHANGED
        return Planned(entry, fate, member, known, tuple(changes))

    def _changes(self, entry: Entry, member: MemberId) -> list[Change]:
        known = self._people[member]
        return [
            Change(name, getattr(known, name), getattr(entry, name))
            for name in roll.said_fields(entry)
            # The group follows from the lane.
            if name != "group" and _differs(getattr(known, name), getattr(entry, name))
        ]


def _differs(before: Any, after: Any) -> bool:
    if isinstance(after, tuple):
        return set(before) != set(after)
    return bool(before != after)


def _already_about(problems: Iterable[Problem], column: str) -> bool:
    return any(problem.column == column for problem in problems)


def _refused(entry: Entry, problems: Sequence[Problem]) -> Planned:
    return Planned(entry, RowFate.REFUSED, problems=tuple(problems))
