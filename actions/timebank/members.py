"""The people of the village: who they are, who is near to whom, how each is spoken to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from actions.timebank import availability, ledger, sparing
from actions.timebank.availability import WeeklyTime
from actions.timebank.errors import Refusal, UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Lane, Member, Relation, Skill
from actions.timebank.states import RelationKind, ServiceKind

PACE_STEP = 20
"""What one "slower" or "faster" changes, in 字 a minute."""
SLOWEST, FASTEST = 100, 240

GAIN_STEP = 25
"""What one "louder" or "softer" changes, in percent."""
QUIETEST, LOUDEST = 50, 300

PATIENCE_STEP = 1_000
"""What one step more of patience adds to the silence waited for, in milliseconds."""
SHORTEST_PATIENCE, LONGEST_PATIENCE = 2_500, 6_000

LONGEST_NAME = 40
LARGEST_ID = 2**31 - 1
"""What the database takes for an id; a larger number from outside names nothing."""


class BadName(Refusal):
    """A name that is empty or longer than `LONGEST_NAME` characters."""

    code = "bad_name"


def join(
    session: Session,
    *,
    name: str,
    lane: Lane,
    now: datetime,
    nickname: str | None = None,
    birth_year: int | None = None,
    place: str = "",
    is_coordinator: bool = False,
    lives_alone: bool = False,
    takes_tasks: bool = False,
) -> Member:
    """A new member with an empty time account. Raises BadName.

    Two people of one name are both welcome; they are told apart by id and nickname.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadName(f"a name of {len(name)} characters")
    newcomer = Member(
        name=name,
        nickname=nickname,
        birth_year=birth_year,
        lane=lane,
        place=place,
        is_coordinator=is_coordinator,
        lives_alone=lives_alone,
        takes_tasks=takes_tasks,
        joined_at=now,
    )
    session.add(newcomer)
    session.flush()
    ledger.open_account(session, MemberId(newcomer.id))
    return newcomer


def member(session: Session, member_id: MemberId) -> Member:
    """The member with this id, also one who has left. Raises UnknownMember."""
    found = session.get(Member, member_id) if 0 < member_id <= LARGEST_ID else None
    if found is None:
        raise UnknownMember(f"no member {member_id}")
    return cast(Member, found)


def present(session: Session, member_id: MemberId) -> Member:
    """The same, but nobody who has left. Raises UnknownMember."""
    found = member(session, member_id)
    if found.left_at is not None:
        raise UnknownMember(f"member {member_id} has left")
    return found


_known = member  # Below, `member` is an argument.


def find_member(session: Session, name_or_id: str | int) -> Member:
    """The present member with this id, this exact name or, failing that, this nickname.

    Raises UnknownMember; when several people are called so, `facts["same_name"]` lists their ids.
    """
    wanted = str(name_or_id).strip()
    if wanted.isdecimal():
        return present(session, MemberId(int(wanted[:12])))
    for column in (Member.name, Member.nickname):
        called_so = select(Member).where(column == wanted, Member.left_at.is_(None))
        people = list(session.execute(called_so.order_by(Member.id)).scalars())
        if len(people) == 1:
            return cast(Member, people[0])
        if people:
            raise UnknownMember("several are called so", same_name=[one.id for one in people])
    raise UnknownMember("nobody is called so")


def spoken_names(person: Member) -> set[str]:
    """What this member is called: the whole name, the given name (秀英), the nickname."""
    names = {str(person.name), str(person.nickname or "")}
    if len(person.name) == 3:
        names.add(person.name[1:])
    return {name for name in names if len(name) > 1}


def namesakes(session: Session, name: str, *, said: str) -> list[Member]:
    """Present members who may be meant when `name`, the whole name of one of them, was heard in
    `said`: 秀英 may be 张秀英 or 李秀英. Misheard characters count by their number."""
    everybody = select(Member).where(Member.left_at.is_(None)).order_by(Member.id)
    people = list(session.execute(everybody).scalars())
    called = {form for one in people if one.name == name for form in spoken_names(one)}
    meant = called & {said} or {form for form in called if len(form) == len(said)} or {name}
    return [one for one in people if meant & spoken_names(one)]


def relations_of(session: Session, member_id: MemberId) -> list[tuple[Member, RelationKind, str]]:
    """Whom she named as hers, with the label in her words; a marriage also when only the other
    one said so (label empty). Present members only."""
    ties = select(Relation).where(
        or_(
            Relation.member_id == member_id,
            and_(Relation.other_id == member_id, Relation.kind == RelationKind.SPOUSE),
        )
    )
    found: dict[MemberId, tuple[Member, RelationKind, str]] = {}
    for tie in session.execute(ties.order_by(Relation.id)).scalars():
        is_hers = tie.member_id == member_id
        other = _known(session, tie.other_id if is_hers else tie.member_id)
        if other.left_at is None and (is_hers or other.id not in found):
            found[MemberId(other.id)] = (other, tie.kind, tie.label if is_hers else "")
    return list(found.values())


def coordinators(session: Session) -> list[Member]:
    """The village staff who are told of what needs a human."""
    staff = select(Member).where(Member.is_coordinator.is_(True), Member.left_at.is_(None))
    return list(session.execute(staff.order_by(Member.id)).scalars())


def kin_of(session: Session, member_id: MemberId) -> list[Member]:
    """Present members who are kin or spouse, whichever of the two said so."""
    kin_ids = _related(session, member_id, RelationKind.KIN, RelationKind.SPOUSE)
    kin = select(Member).where(Member.id.in_(kin_ids), Member.left_at.is_(None))
    return list(session.execute(kin.order_by(Member.id)).scalars())


def neighbours_of(session: Session, member_id: MemberId) -> list[Member]:
    """Who lives near and is not kin, nearest first: named as neighbour, same lane, same group.

    Among equally near people those who take tasks come first: they are the able ones.
    """
    centre = _known(session, member_id)
    kin_ids = _related(session, member_id, RelationKind.KIN, RelationKind.SPOUSE)
    named_ids = _related(session, member_id, RelationKind.NEIGHBOUR)
    around = (
        select(Member)
        .join(Lane, Lane.id == Member.lane_id)
        .where(
            Member.left_at.is_(None),
            Member.id != member_id,
            Member.id.not_in(kin_ids),
            or_(Lane.group_id == centre.lane.group_id, Member.id.in_(named_ids)),
        )
    )

    def distance(other: Member) -> tuple[bool, bool, bool, int]:
        return (
            other.id not in named_ids,
            other.lane_id != centre.lane_id,
            not other.takes_tasks,
            other.id,
        )

    return sorted(session.execute(around).scalars(), key=distance)


def _related(session: Session, member_id: MemberId, *kinds: RelationKind) -> set[MemberId]:
    pairs = select(Relation.member_id, Relation.other_id).where(
        Relation.kind.in_(kinds),
        or_(Relation.member_id == member_id, Relation.other_id == member_id),
    )
    ids = {MemberId(one) for pair in session.execute(pairs) for one in pair}
    return ids - {member_id}


def set_pace(session: Session, *, member: MemberId, by: int) -> int:
    """Speaks faster (`by` > 0) or slower by so many 字 a minute, see `PACE_STEP`; kept between
    `SLOWEST` and `FASTEST`. Returns the new pace. Raises UnknownMember."""
    person = _known(session, member)
    person.pace = max(SLOWEST, min(FASTEST, person.pace + by))
    session.flush()
    return int(person.pace)


def set_gain(session: Session, *, member: MemberId, by: int) -> int:
    """Speaks louder (`by` > 0) or softer by so many percent, see `GAIN_STEP`; kept between
    `QUIETEST` and `LOUDEST`. Returns the new gain. Raises UnknownMember."""
    person = _known(session, member)
    person.gain = max(QUIETEST, min(LOUDEST, person.gain + by))
    session.flush()
    return int(person.gain)


def set_patience(session: Session, *, member: MemberId, by: int) -> int:
    """Waits longer (`by` > 0) or shorter by so many milliseconds for more to be said; kept
    between `SHORTEST_PATIENCE` and `LONGEST_PATIENCE`. Returns the new patience. Raises
    UnknownMember."""
    person = _known(session, member)
    wanted = person.patience_ms + by
    person.patience_ms = max(SHORTEST_PATIENCE, min(LONGEST_PATIENCE, wanted))
    session.flush()
    return int(person.patience_ms)


def renew_link(session: Session, *, member: MemberId) -> Member:
    """The old personal talk-page link is dead from now on; a new one can be made.

    Raises UnknownMember."""
    person = _known(session, member)
    person.link_serial += 1
    session.flush()
    return person


def offer_help(
    session: Session,
    *,
    member: MemberId,
    kinds: Iterable[ServiceKind],
    times: Iterable[WeeklyTime] = (),
) -> list[Skill]:
    """Puts a member among the helpers, with these kinds of help and these times of the week
    added to those from before.

    Returns all that the member is willing to do. A gated kind is noted untrained: no such task
    is offered before staff record the training, but they see who would like it. Raises
    UnknownMember.
    """
    person = _known(session, member)
    person.takes_tasks = True
    kinds = list(kinds)
    known = {skill.service_kind for skill in skills_of(session, member)}
    for kind in dict.fromkeys(kinds):
        if kind not in known:
            session.add(Skill(member_id=member, service_kind=kind))
    sparing.undo(session, helper=member, kinds=kinds)
    availability.add(session, member, times)
    session.flush()
    return skills_of(session, member)


def skills_of(session: Session, member: MemberId) -> list[Skill]:
    """What this member is willing to do, in the order in which it was said."""
    own = select(Skill).where(Skill.member_id == member).order_by(Skill.id)
    return list(session.execute(own).scalars())
