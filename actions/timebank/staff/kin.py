"""Who belongs to whom, and who may act for whom, as staff write it down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import check_ins, delegates, members
from actions.timebank.errors import BadDetails, NothingOpen
from actions.timebank.ids import DelegationId, MemberId
from actions.timebank.model import Delegation, Member, Relation
from actions.timebank.staff.accounts import require
from actions.timebank.staff.register import editable, edited, note
from actions.timebank.staff.roles import Permission
from actions.timebank.states import (
    DelegateScope,
    DelegationState,
    RelationKind,
    Rhythm,
)

LONGEST_LABEL = 20


def add_tie(
    session: Session,
    *,
    member: MemberId,
    other: MemberId,
    kind: RelationKind,
    label: str,
    by: MemberId,
    now: datetime,
) -> Relation:
    """`member` calls `other` that (儿媳); what she called the same person before is replaced.

    Raises NotYours, UnknownMember, and BadDetails for herself or a label that is too long."""
    person = editable(session, member, seen=None, by=by, now=now)
    relative, label = members.present(session, other), label.strip()
    if other == member:
        raise BadDetails("nobody is kin to himself", field="other")
    if len(label) > LONGEST_LABEL:
        raise BadDetails("a label too long", field="label")
    tie = _tie(session, member, other)
    before = "" if tie is None else _told(relative, tie.kind, tie.label)
    if tie is None:
        tie = Relation(member_id=member, other_id=other)
        session.add(tie)
    tie.kind, tie.label = kind, label
    note(session, person, "kin", before, _told(relative, kind, label), by=by, now=now)
    edited(session, person)
    return tie


def remove_tie(
    session: Session, *, member: MemberId, other: MemberId, by: MemberId, now: datetime
) -> None:
    """What she called this person counts no more. Raises NotYours, UnknownMember, NothingOpen."""
    person = editable(session, member, seen=None, by=by, now=now)
    relative, tie = members.member(session, other), _tie(session, member, other)
    if tie is None:
        raise NothingOpen(f"member {other} is nothing to member {member}")
    note(session, person, "kin", _told(relative, tie.kind, tie.label), "", by=by, now=now)
    session.delete(tie)
    edited(session, person)


def propose_delegate(
    session: Session,
    *,
    elder: MemberId,
    delegate: MemberId,
    scopes: Iterable[DelegateScope],
    by: MemberId,
    now: datetime,
) -> Delegation:
    """She is asked; only her own yes makes anybody her delegate. Raises NotYours, also for
    whoever proposes himself, UnknownMember, and BadDetails without scopes."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    wanted = set(scopes)
    if not wanted:
        raise BadDetails("nothing to allow", field="scope")
    return delegates.propose(session, elder=elder, delegate=delegate, scopes=wanted, by=by, now=now)


def end_delegate(
    session: Session,
    *,
    elder: MemberId,
    delegation_id: DelegationId,
    by: MemberId,
    now: datetime,
) -> Delegation:
    """Ends one of hers at once, and both are told. Raises NotYours, NothingOpen."""
    require(session, by, Permission.EDIT_PEOPLE, now=now)
    delegates.delegation_of(session, elder, delegation_id)
    return delegates.end(session, delegation_id=delegation_id, by=by, now=now)


def delegations_of(session: Session, elder: MemberId) -> list[Delegation]:
    """Who may act for her, and about whom she is being asked."""
    alive = (DelegationState.PROPOSED, DelegationState.GIVEN)
    hers = (
        select(Delegation)
        .where(Delegation.elder_id == elder, Delegation.state.in_(alive))
        .options(joinedload(Delegation.delegate))
        .order_by(Delegation.id)
    )
    return list(session.execute(hers).unique().scalars())


def set_rhythm(
    session: Session, *, member: MemberId, rhythm: Rhythm, by: MemberId, now: datetime
) -> None:
    """How often she is asked how she is. Raises NotYours, UnknownMember."""
    person = editable(session, member, seen=None, by=by, now=now)
    before = check_ins.rhythm_of(session, person)
    check_ins.set_rhythm(session, member=member, rhythm=rhythm, now=now)
    note(session, person, "rhythm", before.value, rhythm.value, by=by, now=now)
    edited(session, person)


def _tie(session: Session, member: MemberId, other: MemberId) -> Relation | None:
    said = select(Relation).where(Relation.member_id == member, Relation.other_id == other)
    tie: Relation | None = session.execute(said).scalar_one_or_none()
    return tie


def _told(other: Member, kind: RelationKind, label: str) -> str:
    return f"{kind.value} {other.name} {label}".strip()
