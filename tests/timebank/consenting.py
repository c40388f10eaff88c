"""An elder who says yes: short ways to make somebody her delegate in a test."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank import delegates, turns
from actions.timebank.ids import DelegationId, MemberId, TurnId
from actions.timebank.model import Delegation, Member, Relation
from actions.timebank.states import DelegateScope, RelationKind
from tests.timebank.neighbourhood import new_turn

HASH = "a" * 64


def own_turn(session: Session, member: Member, now: datetime, turn: str | None = None) -> TurnId:
    """A turn that this member really took."""
    turn_id = TurnId(turn) if turn else new_turn()
    turns.begin(session, turn_id=turn_id, member=MemberId(member.id), channel="talk", now=now)
    return turn_id


def says_yes(session: Session, question: Delegation, now: datetime) -> Delegation:
    return delegates.give(
        session,
        elder=MemberId(question.elder_id),
        delegation_id=DelegationId(question.id),
        turn_id=own_turn(session, question.elder, now),
        recording_sha256=HASH,
        now=now,
    )


def allow(
    session: Session,
    elder: Member,
    delegate: Member,
    now: datetime,
    scopes: Iterable[DelegateScope] = delegates.EVERYTHING,
) -> Delegation:
    """The village proposes and the elder says yes."""
    question = delegates.propose(
        session,
        elder=MemberId(elder.id),
        delegate=MemberId(delegate.id),
        by=None,
        scopes=scopes,
        now=now,
    )
    return says_yes(session, question, now)


def calls(
    session: Session,
    who: Member,
    other: Member,
    label: str,
    kind: RelationKind = RelationKind.KIN,
) -> None:
    """`who` names `other` as hers, in her words."""
    session.add(Relation(member_id=who.id, other_id=other.id, kind=kind, label=label))
    session.flush()
