"""People as staff see them: the list, and one member's page.

Who only looks sees who lives where, whom somebody names as kin and what help he gives. Year of
birth, priority, consents, phones, delegates and what was changed are for who edits people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import accounts as books
from actions.timebank import availability, check_ins, ledger, members, training
from actions.timebank.availability import WeeklyTime
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.ledger import BalanceOf
from actions.timebank.model import (
    ChannelBinding,
    Consent,
    Delegation,
    Group,
    JoinCard,
    Lane,
    Member,
    MemberChange,
    MemberPriority,
    Relation,
    Skill,
    Training,
)
from actions.timebank.staff import kin, leaving, register
from actions.timebank.staff.roles import Permission
from actions.timebank.states import CardState, PriorityClass, Rhythm

A_PAGE = 50
LAST_CONSENTS, LAST_CHANGES = 10, 20


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to."""

    words: str = ""
    """Part of a name, a nickname or a place; or a member's number."""
    lane_id: int | None = None
    group_id: int | None = None
    priority: PriorityClass | None = None
    have_left: bool = False
    helpers_only: bool = False
    page: int = 1


@dataclass(frozen=True)
class Listed:
    people: list[Member]
    priorities: dict[int, list[PriorityClass]]
    """Empty for who may not see them."""
    total: int
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * A_PAGE < self.total


@dataclass(frozen=True)
class Private:
    """What only those see who edit people."""

    priorities: list[MemberPriority]
    rhythm: Rhythm
    binding: ChannelBinding | None
    card: JoinCard | None
    """The one that can still be used."""
    consents: list[Consent]
    delegations: list[Delegation]
    changes: list[MemberChange]


@dataclass(frozen=True)
class Known:
    """One member, as far as who looks may know."""

    person: Member
    ties: list[tuple[Relation, Member]]
    skills: list[Skill]
    trainings: list[Training]
    times: list[WeeklyTime]
    open: leaving.Open
    private: Private | None
    balance: BalanceOf | None


def search(session: Session, wanted: Wanted, *, sees_private: bool) -> Listed:
    """A page of the list, by lane and name. Without `sees_private` a priority narrows nothing."""
    is_meant = _is_meant(wanted, sees_private)
    total = select(func.count(Member.id)).join(Lane, Lane.id == Member.lane_id).where(*is_meant)
    found = (
        select(Member)
        .join(Lane, Lane.id == Member.lane_id)
        .where(*is_meant)
        .options(joinedload(Member.lane).joinedload(Lane.group))
        .order_by(Lane.name, Member.name, Member.id)
        .offset((wanted.page - 1) * A_PAGE)
        .limit(A_PAGE)
    )
    people = list(session.execute(found).scalars())
    return Listed(
        people=people,
        priorities=_priorities(session, people) if sees_private else {},
        total=int(session.execute(total).scalar_one()),
        page=wanted.page,
    )


def lanes(session: Session) -> list[Lane]:
    """Every lane with its group."""
    every = select(Lane).options(joinedload(Lane.group)).order_by(Lane.name)
    return list(session.execute(every).scalars())


def groups(session: Session) -> list[Group]:
    return list(session.execute(select(Group).order_by(Group.name)).scalars())


def about(
    session: Session,
    member: MemberId,
    *,
    permissions: frozenset[Permission],
    now: datetime,
) -> Known:
    """Everything at a glance that these permissions open. Raises UnknownMember."""
    person = members.member(session, member)
    return Known(
        person=person,
        ties=_ties(session, member),
        skills=members.skills_of(session, member),
        trainings=training.of_member(session, member),
        times=sorted(availability.named_times(session, {member}).get(member, set())),
        open=leaving.still_open(session, member),
        private=(_private(session, person, now) if Permission.EDIT_PEOPLE in permissions else None),
        balance=_balance(session, member) if Permission.SEE_BOOKS in permissions else None,
    )


def _is_meant(wanted: Wanted, sees_private: bool) -> list[Any]:
    meant: list[Any] = [Member.left_at.is_not(None) == wanted.have_left]
    words = wanted.words.strip()[:40]
    if words:
        # A percent sign is looked for as it stands.
        parts = [
            column.contains(words, autoescape=True)
            for column in (Member.name, Member.nickname, Member.place)
        ]
        if words.isascii() and words.isdigit() and int(words) <= members.LARGEST_ID:
            parts.append(Member.id == int(words))
        meant.append(or_(*parts))
    if wanted.lane_id is not None:
        meant.append(Member.lane_id == wanted.lane_id)
    if wanted.group_id is not None:
        meant.append(Lane.group_id == wanted.group_id)
    if wanted.helpers_only:
        meant.append(Member.takes_tasks.is_(True))
    if wanted.priority is not None and sees_private:
        hers = select(MemberPriority.member_id).where(MemberPriority.priority == wanted.priority)
        meant.append(Member.id.in_(hers))
    return meant


def _priorities(session: Session, people: list[Member]) -> dict[int, list[PriorityClass]]:
    rows = session.execute(
        select(MemberPriority.member_id, MemberPriority.priority)
        .where(MemberPriority.member_id.in_([one.id for one in people]))
        .order_by(MemberPriority.priority)
    )
    found: dict[int, list[PriorityClass]] = {}
    for member, priority in rows:
        found.setdefault(member, []).append(priority)
    return found


def _ties(session: Session, member: MemberId) -> list[tuple[Relation, Member]]:
    """Whom she names, and what she calls them."""
    named = (
        select(Relation, Member)
        .join(Member, Member.id == Relation.other_id)
        .where(Relation.member_id == member)
        .order_by(Relation.id)
    )
    return [(tie, other) for tie, other in session.execute(named)]


def _private(session: Session, person: Member, now: datetime) -> Private:
    member = MemberId(person.id)
    chat = (
        select(ChannelBinding)
        .where(ChannelBinding.member_id == member, ChannelBinding.unbound_at.is_(None))
        .order_by(ChannelBinding.id.desc())
        .limit(1)
    )
    live = (CardState.UNUSED, CardState.ASKED)
    card = select(JoinCard).where(
        JoinCard.member_id == member, JoinCard.state.in_(live), JoinCard.expires_at > now
    )
    consents = (
        select(Consent)
        .where(Consent.member_id == member)
        .order_by(Consent.id.desc())
        .limit(LAST_CONSENTS)
    )
    return Private(
        priorities=register.priorities_of(session, member),
        rhythm=check_ins.rhythm_of(session, person),
        binding=session.execute(chat).scalar_one_or_none(),
        card=session.execute(card).scalar_one_or_none(),
        consents=list(session.execute(consents).scalars()),
        delegations=kin.delegations_of(session, member),
        changes=register.changes_of(session, member, limit=LAST_CHANGES),
    )


def _balance(session: Session, member: MemberId) -> BalanceOf:
    return ledger.balance(session, AccountId(books.account_of(session, member).id))
