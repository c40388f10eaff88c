"""The roll of honour (功德榜): who gave most, and who gave for the first time.

The village's rules say that everybody's book is his own. So only those stand on the roll who said
that they may be named, and no one is ranked by how his work was rated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import HonourWish, Member
from actions.timebank.staff.accounts import require
from actions.timebank.staff.reports.hours import first_visits, visits_by_helper
from actions.timebank.staff.reports.periods import Period
from actions.timebank.staff.roles import Permission

LAST_RANK = 20
"""So many ranks stand on the roll, and everybody who shares the last one."""


@dataclass(frozen=True)
class Honoured:
    rank: int
    """From 1. Who gave as many minutes shares a rank; after two firsts comes the third."""
    name: str
    minutes: int
    visits: int


@dataclass(frozen=True)
class Roll:
    most_hours: Sequence[Honoured]
    first_time: Sequence[str]
    """Who never gave before, in the order in which they did."""
    unnamed: int
    """How many others gave and have not said that they may be named."""


@dataclass(frozen=True)
class Giver:
    """Somebody who gave in the period, for the staff to ask."""

    member_id: MemberId
    name: str
    may_be_named: bool | None
    """None when nobody asked yet."""


def roll(session: Session, period: Period) -> Roll:
    given = visits_by_helper(session, period)
    names = _named(session)
    ranked = sorted(
        (-minutes, member, visits) for member, (visits, minutes) in given.items() if member in names
    )
    firsts = first_visits(session, period)
    return Roll(
        most_hours=_ranked([(names[one], -less, visits) for less, one, visits in ranked]),
        first_time=[names[one] for one in firsts if one in names],
        unnamed=len(given.keys() - names.keys()),
    )


def _ranked(descending: Sequence[tuple[str, int, int]]) -> list[Honoured]:
    found: list[Honoured] = []
    for place, (name, minutes, visits) in enumerate(descending, 1):
        is_tie = bool(found) and found[-1].minutes == minutes
        rank = found[-1].rank if is_tie else place
        if rank > LAST_RANK:
            break
        found.append(Honoured(rank, name, minutes, visits))
    return found


def givers(session: Session, period: Period, *, by: MemberId, now: datetime) -> Sequence[Giver]:
    """Everybody who gave, who was not asked yet first, by name. Raises NotYours."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    given, wishes = visits_by_helper(session, period), _wishes(session)
    rows = session.execute(select(Member.id, Member.name).order_by(Member.name, Member.id))
    found = [Giver(MemberId(one), name, wishes.get(one)) for one, name in rows if one in given]
    return sorted(found, key=lambda one: one.may_be_named is not None)


def hear_wish(
    session: Session, *, member: MemberId, may_be_named: bool, by: MemberId, now: datetime
) -> HonourWish:
    """Keeps what a member told the staff. What counts already is not kept anew. Raises NotYours,
    UnknownMember for who is not here."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    person = members.present(session, member)
    newest: HonourWish | None = session.scalar(
        select(HonourWish).where(HonourWish.member_id == member).order_by(HonourWish.id.desc())
    )
    if newest is not None and newest.may_be_named == may_be_named:
        return newest
    wish = HonourWish(member_id=person.id, may_be_named=may_be_named, heard_by_id=by, at=now)
    session.add(wish)
    session.flush()
    return wish


def _named(session: Session) -> Mapping[int, str]:
    willing = [member for member, may in _wishes(session).items() if may]
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(willing)))
    return {member: name for member, name in rows}


def _wishes(session: Session) -> Mapping[int, bool]:
    newest = select(func.max(HonourWish.id)).group_by(HonourWish.member_id)
    rows = session.execute(
        select(HonourWish.member_id, HonourWish.may_be_named).where(HonourWish.id.in_(newest))
    )
    return {member: may for member, may in rows}
