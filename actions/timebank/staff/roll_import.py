"""A table of members on its way in: uploaded, looked at, confirmed.

It is kept here between the preview and the confirmation, for the one who uploaded it, so that
what is confirmed is what was seen: when anything in the roll changed meanwhile, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from actions.timebank import members, training
from actions.timebank.errors import ChangedMeanwhile, NothingOpen, Refusal, WrongState
from actions.timebank.ids import MemberId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import Group, Lane, Member, MemberPriority, RollImport, Skill
from actions.timebank.staff import roll
from actions.timebank.staff.accounts import require
from actions.timebank.staff.register import edited, note
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.roll import Entry
from actions.timebank.staff.roll_plan import Choices, Plan, Planned, RowFate, plan
from actions.timebank.states import PriorityClass, ServiceKind

KEPT: Final = timedelta(hours=1)
"""How long there is to look at a preview."""


class TooManyRows(Refusal):
    """A table longer than any village; facts: `most`."""

    code = "too_many_rows"


def keep(session: Session, entries: Sequence[Entry], *, by: MemberId, now: datetime) -> RollImport:
    """Keeps what was read of a table for its uploader to look at; an earlier one of his that was
    not confirmed goes. Raises NotYours without the permission, TooManyRows."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    if len(entries) > roll.MOST_ROWS:
        raise TooManyRows(most=roll.MOST_ROWS)
    his = (RollImport.uploaded_by_id == by) & RollImport.confirmed_at.is_(None)
    session.execute(delete(RollImport).where(or_(RollImport.expires_at <= now, his)))
    kept = RollImport(
        uploaded_by_id=by,
        rows=roll.as_json(entries),
        seen=roll.digest(session),
        uploaded_at=now,
        expires_at=now + KEPT,
    )
    session.add(kept)
    session.flush()
    return kept


def find(session: Session, import_id: int, *, by: MemberId, now: datetime) -> RollImport:
    """His own upload while it is kept. Raises NotYours, and NothingOpen; whether somebody else has
    one of that number is not told."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    kept = session.get(RollImport, import_id) if 0 < import_id <= LARGEST_ID else None
    if kept is None or kept.uploaded_by_id != by or kept.expires_at <= now:
        raise NothingOpen(f"no table {import_id}")
    return cast(RollImport, kept)


def preview(session: Session, kept: RollImport, *, now: datetime) -> Plan:
    """What each row would do as the roll is now."""
    by = MemberId(kept.uploaded_by_id)
    return plan(session, roll.from_json(kept.rows), choices_of(kept), by=by, now=now)


def choices_of(kept: RollImport) -> Choices:
    people = kept.choices.get("people", {})
    lanes = frozenset(kept.choices.get("lanes", ()))
    return Choices({int(line): member for line, member in people.items()}, lanes)


def choose(session: Session, kept: RollImport, choices: Choices) -> None:
    """Notes what staff decided; what does not fit the table is without effect."""
    kept.choices = _stored(choices)
    session.flush()


def look_again(session: Session, kept: RollImport) -> None:
    """The uploader sees the roll as it is now: what he confirms next is measured by that."""
    kept.seen = roll.digest(session)
    session.flush()


def confirm(session: Session, import_id: int, *, by: MemberId, now: datetime) -> Plan:
    """Does what the preview said, all of it or nothing, and returns it; rows that are refused or
    undecided are left out. Raises NotYours, NothingOpen, WrongState (facts: state="confirmed")
    when it was done before, ChangedMeanwhile when the roll is not as it was seen."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    kept = find(session, import_id, by=by, now=now)
    session.refresh(kept, with_for_update=True)
    if kept.confirmed_at is not None:
        raise WrongState(f"table {import_id} was confirmed", state="confirmed")
    if kept.seen != roll.digest(session):
        raise ChangedMeanwhile(f"the roll changed after table {import_id} was previewed")
    done = preview(session, kept, now=now)
    lanes = _Lanes(session, done)
    for row in done.rows:
        if row.fate is RowFate.NEW:
            _join(session, row.entry, lanes, by, now)
        elif row.fate is RowFate.CHANGED:
            _change(session, row, lanes, by, now)
    kept.confirmed_at = now
    session.flush()
    return done


def _stored(choices: Choices) -> dict[str, Any]:
    people = {str(line): member for line, member in choices.people.items()}
    return {"people": people, "lanes": sorted(choices.lanes)}


class _Lanes:
    """Finds a lane by name; one that was chosen is made, with its group, when first needed."""

    def __init__(self, session: Session, done: Plan) -> None:
        self._session = session
        self._groups = {lane.name: lane.group for lane in done.new_lanes if lane.chosen}

    def named(self, name: str) -> Lane:
        found: Lane | None = self._session.scalar(select(Lane).where(Lane.name == name))
        if found is None:
            found = Lane(name=name, group=self._group(self._groups[name]))
            self._session.add(found)
            self._session.flush()
        return found

    def _group(self, name: str) -> Group:
        found: Group | None = self._session.scalar(select(Group).where(Group.name == name))
        return found or Group(name=name)


def _join(session: Session, entry: Entry, lanes: _Lanes, by: MemberId, now: datetime) -> None:
    newcomer = members.join(
        session,
        name=entry.name or "",
        lane=lanes.named(entry.lane or ""),
        now=now,
        nickname=entry.nickname,
        birth_year=entry.birth_year,
        place=entry.place or "",
        lives_alone=bool(entry.lives_alone),
        takes_tasks=bool(entry.takes_tasks),
    )
    _set_kinds(session, newcomer, (), entry.kinds or (), now)
    _set_priorities(session, newcomer, (), entry.priorities or (), by, now)
    note(session, newcomer, "joined", "", newcomer.name, by=by, now=now)


def _change(session: Session, row: Planned, lanes: _Lanes, by: MemberId, now: datetime) -> None:
    person = members.present(session, cast(MemberId, row.member))
    for change in row.changes:
        before, after = change.before, change.after
        if change.column == "lane":
            person.lane = lanes.named(after)
        elif change.column == "kinds":
            _set_kinds(session, person, before, after, now)
        elif change.column == "priorities":
            _set_priorities(session, person, before, after, by, now)
        else:
            setattr(person, change.column, after)
        field = _NOTED_AS.get(change.column, change.column)
        note(session, person, field, _noted(before), _noted(after), by=by, now=now)
    edited(session, person)


_NOTED_AS = {"kinds": "skills", "priorities": "priority"}
"""What `register` calls a field, where a table calls it otherwise."""


def _noted(value: Any) -> Any:
    return " ".join(sorted(one.value for one in value)) if isinstance(value, tuple) else value


def _set_kinds(
    session: Session,
    person: Member,
    before: Iterable[ServiceKind],
    after: Iterable[ServiceKind],
    now: datetime,
) -> None:
    """What was learned stays learned; see `register.set_helping`."""
    his, gone = Skill.member_id == person.id, set(before) - set(after)
    session.execute(delete(Skill).where(his, Skill.service_kind.in_(gone)))
    for kind in sorted(set(after) - set(before)):
        session.add(Skill(member_id=person.id, service_kind=kind))
        training.refresh(session, MemberId(person.id), kind, now=now)
    session.flush()


def _set_priorities(
    session: Session,
    person: Member,
    before: Iterable[PriorityClass],
    after: Iterable[PriorityClass],
    by: MemberId,
    now: datetime,
) -> None:
    hers, gone = MemberPriority.member_id == person.id, set(before) - set(after)
    session.execute(delete(MemberPriority).where(hers, MemberPriority.priority.in_(gone)))
    for one in sorted(set(after) - set(before)):
        session.add(MemberPriority(member_id=person.id, priority=one, set_by_id=by, set_at=now))
    session.flush()
