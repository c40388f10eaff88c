"""What staff write down about people. Every edit names what it saw, and leaves who changed what.

All raise NotYours without EDIT_PEOPLE, UnknownMember, and ChangedMeanwhile when somebody else
edited this member since the page was opened (`seen` is the version on it).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import members, training
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import BadDetails, ChangedMeanwhile, NothingOpen
from actions.timebank.ids import MemberId
from actions.timebank.members import (
    FASTEST,
    LONGEST_PATIENCE,
    LOUDEST,
    QUIETEST,
    SHORTEST_PATIENCE,
    SLOWEST,
)
from actions.timebank.model import (
    Lane,
    Member,
    MemberChange,
    MemberPriority,
    Skill,
    Training,
)
from actions.timebank.staff.accounts import not_for_self, require
from actions.timebank.staff.roles import Permission
from actions.timebank.states import PriorityClass, ServiceKind

LONGEST_NICKNAME, LONGEST_PLACE = 40, 120
EARLIEST_BIRTH = 1890
LONGEST_VALUE = 400


@dataclass(frozen=True)
class Basics:
    """Who somebody is and where the house stands."""

    name: str
    nickname: str
    birth_year: int | None
    lane_id: int
    place: str
    lives_alone: bool


@dataclass(frozen=True)
class Voice:
    """How she is spoken to: 字 a minute, percent, milliseconds of silence waited for."""

    pace: int
    gain: int
    patience_ms: int


VOICE_RANGES = {
    "pace": (SLOWEST, FASTEST),
    "gain": (QUIETEST, LOUDEST),
    "patience_ms": (SHORTEST_PATIENCE, LONGEST_PATIENCE),
}


def register(session: Session, *, basics: Basics, by: MemberId, now: datetime) -> Member:
    """A new member with an empty account. Raises BadName and BadDetails, too."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    lane = _checked(session, basics, now)
    newcomer = members.join(
        session,
        name=basics.name,
        lane=lane,
        now=now,
        nickname=basics.nickname.strip() or None,
        birth_year=basics.birth_year,
        place=basics.place.strip(),
        lives_alone=basics.lives_alone,
    )
    note(session, newcomer, "joined", "", newcomer.name, by=by, now=now)
    return newcomer


def correct(
    session: Session, *, member: MemberId, seen: int, basics: Basics, by: MemberId, now: datetime
) -> Member:
    """Name, nickname, year of birth, lane, place, whether alone. Raises BadName, BadDetails."""
    person = editable(session, member, seen=seen, by=by, now=now)
    name = basics.name.strip()
    if not 0 < len(name) <= members.LONGEST_NAME:
        raise members.BadName(f"a name of {len(name)} characters")
    lane = _checked(session, basics, now)
    if lane.id != person.lane_id:
        note(session, person, "lane", person.lane.name, lane.name, by=by, now=now)
        person.lane = lane
    wanted = {
        "name": name,
        "nickname": basics.nickname.strip() or None,
        "birth_year": basics.birth_year,
        "place": basics.place.strip(),
        "lives_alone": basics.lives_alone,
    }
    for field, value in wanted.items():
        _set(session, person, field, value, by=by, now=now)
    return edited(session, person)


def set_voice(
    session: Session, *, member: MemberId, seen: int, voice: Voice, by: MemberId, now: datetime
) -> Member:
    """Raises BadDetails for what cannot be spoken, heard or borne."""
    person = editable(session, member, seen=seen, by=by, now=now)
    for one in fields(voice):
        value, (least, most) = getattr(voice, one.name), VOICE_RANGES[one.name]
        if not least <= value <= most:
            raise BadDetails(f"{one.name} {value}", field=one.name)
        _set(session, person, one.name, value, by=by, now=now)
    return edited(session, person)


def set_priorities(
    session: Session,
    *,
    member: MemberId,
    seen: int,
    priorities: Collection[PriorityClass],
    by: MemberId,
    now: datetime,
) -> Member:
    """Exactly these count from now on. Raises NotForSelf."""
    not_for_self(by, [member])
    person = editable(session, member, seen=seen, by=by, now=now)
    had, wanted = priorities_of(session, member), set(priorities)
    for row in had:
        if row.priority not in wanted:
            session.delete(row)
    for added in sorted(wanted - {row.priority for row in had}):
        session.add(MemberPriority(member_id=member, priority=added, set_by_id=by, set_at=now))
    before = [row.priority for row in had]
    note(session, person, "priority", _listed(before), _listed(wanted), by=by, now=now)
    return edited(session, person)


def priorities_of(session: Session, member: MemberId) -> list[MemberPriority]:
    """For which reasons the village looks after her first."""
    hers = select(MemberPriority).where(MemberPriority.member_id == member)
    return list(session.execute(hers.order_by(MemberPriority.priority)).scalars())


def set_helping(
    session: Session,
    *,
    member: MemberId,
    seen: int,
    takes_tasks: bool,
    kinds: Collection[ServiceKind],
    by: MemberId,
    now: datetime,
) -> Member:
    """Whether this member is asked for help, and for exactly which kinds. What was learned stays
    learned: only `record_training` opens a gated kind."""
    person = editable(session, member, seen=seen, by=by, now=now)
    had, wanted = members.skills_of(session, member), set(kinds)
    before = {skill.service_kind for skill in had}
    for skill in had:
        if skill.service_kind not in wanted:
            session.delete(skill)
    for kind in sorted(wanted - before):
        session.add(Skill(member_id=member, service_kind=kind))
        training.refresh(session, member, kind, now=now)
    _set(session, person, "takes_tasks", takes_tasks, by=by, now=now)
    note(session, person, "skills", _listed(before), _listed(wanted), by=by, now=now)
    return edited(session, person)


def record_training(
    session: Session,
    *,
    member: MemberId,
    seen: int,
    kind: ServiceKind,
    trained_at: datetime,
    until: datetime | None,
    by: MemberId,
    now: datetime,
) -> Training:
    """This member learned it; until then the kind is open. Raises NotForSelf, and BadDetails when
    it is not learned yet or has run out already."""
    not_for_self(by, [member])
    person = editable(session, member, seen=seen, by=by, now=now)
    if trained_at > now:
        raise BadDetails("not learned yet", field="trained_at")
    if until is not None and (until <= now or until <= trained_at):
        raise BadDetails("it has run out", field="until")
    learned = Training(
        member_id=member,
        service_kind=kind,
        trained_at=trained_at,
        until=until,
        recorded_by_id=by,
        recorded_at=now,
    )
    session.add(learned)
    training.refresh(session, member, kind, now=now)
    note(session, person, "training", "", kind.value, by=by, now=now)
    edited(session, person)
    return learned


def end_training(
    session: Session, *, member: MemberId, training_id: int, by: MemberId, now: datetime
) -> Training:
    """It counts no more; the record of it stays. Twice is fine. Raises NothingOpen."""
    person = editable(session, member, seen=None, by=by, now=now)
    found = session.get(Training, training_id) if 0 < training_id <= members.LARGEST_ID else None
    if found is None or found.member_id != member:
        raise NothingOpen(f"no training {training_id} of member {member}")
    if found.ended_at is None:
        found.ended_at = now
        kind = found.service_kind
        training.refresh(session, member, kind, now=now)
        note(session, person, "training", kind.value, "", by=by, now=now)
        edited(session, person)
    return cast(Training, found)


def set_photo(
    session: Session, *, member: MemberId, photo: str | None, by: MemberId, now: datetime
) -> str | None:
    """The file that shows this member, None for none. Returns the one before, to be deleted."""
    person = editable(session, member, seen=None, by=by, now=now)
    before, person.photo = person.photo, photo
    shown = ("yes" if before else "", "yes" if photo else "")
    if before or photo:
        # A new picture is a change, too, though both are pictures.
        note(session, person, "photo", *shown, by=by, now=now, always=True)
        edited(session, person)
    return cast("str | None", before)


def set_coordinator(
    session: Session, *, member: MemberId, is_coordinator: bool, by: MemberId, now: datetime
) -> Member:
    """Whether this member is told what needs a human. Only the administrator says so, and not of
    himself. Raises NotForSelf."""
    require(session, by, Permission.MANAGE_STAFF, now=now)
    not_for_self(by, [member])
    person = _locked(session, member)
    _set(session, person, "is_coordinator", is_coordinator, by=by, now=now)
    return edited(session, person)


def changes_of(session: Session, member: MemberId, *, limit: int) -> list[MemberChange]:
    """What staff changed of her, newest first."""
    hers = select(MemberChange).where(MemberChange.member_id == member)
    newest = hers.options(joinedload(MemberChange.by)).order_by(MemberChange.id.desc()).limit(limit)
    return list(session.execute(newest).scalars())


# -- for every edit ------------------------------------------------------------------------------


def editable(
    session: Session, member: MemberId, *, seen: int | None, by: MemberId, now: datetime
) -> Member:
    """The present member, locked, when `by` may edit people and nobody did since `seen`; None
    for deeds that stand on their own."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    members.present(session, member)
    person = _locked(session, member)
    if seen is not None and person.version != seen:
        raise _changed_meanwhile(session, member)
    return person


def edited(session: Session, person: Member) -> Member:
    """Whoever has the page of before open will be told."""
    person.version += 1
    session.flush()
    return person


def note(
    session: Session,
    person: Member,
    field: str,
    before: object,
    after: object,
    *,
    by: MemberId,
    now: datetime,
    always: bool = False,
) -> None:
    """Writes down one change; none when both are the same, unless `always`."""
    was, is_now = _written(before), _written(after)
    if was == is_now and not always:
        return
    change = MemberChange(
        member_id=person.id, field=field, before=was, after=is_now, by_id=by, at=now
    )
    session.add(change)
    session.flush()


def _set(
    session: Session, person: Member, field: str, value: object, *, by: MemberId, now: datetime
) -> None:
    note(session, person, field, getattr(person, field), value, by=by, now=now)
    setattr(person, field, value)


def _locked(session: Session, member: MemberId) -> Member:
    members.member(session, member)
    row = session.get(Member, member, populate_existing=True, with_for_update=True)
    return cast(Member, row)


def _changed_meanwhile(session: Session, member: MemberId) -> ChangedMeanwhile:
    newest = changes_of(session, member, limit=1)
    if not newest:
        return ChangedMeanwhile(f"member {member}")
    last = newest[0]
    return ChangedMeanwhile(f"member {member}", by=last.by.name, at=last.at, field=last.field)


def _checked(session: Session, basics: Basics, now: datetime) -> Lane:
    """Raises BadDetails."""
    is_id = 0 < basics.lane_id <= members.LARGEST_ID
    lane = session.get(Lane, basics.lane_id) if is_id else None
    if lane is None:
        raise BadDetails(f"no lane {basics.lane_id}", field="lane")
    this_year = now.astimezone(VILLAGE_ZONE).year
    if basics.birth_year is not None and not EARLIEST_BIRTH <= basics.birth_year <= this_year:
        raise BadDetails(f"born in {basics.birth_year}", field="birth_year")
    for field, longest in (("nickname", LONGEST_NICKNAME), ("place", LONGEST_PLACE)):
        if len(getattr(basics, field).strip()) > longest:
            raise BadDetails(f"{field} too long", field=field)
    return cast(Lane, lane)


def _listed(values: Iterable[Enum]) -> str:
    return " ".join(sorted(str(one.value) for one in values))


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:LONGEST_VALUE]
