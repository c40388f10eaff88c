"""What the kept member gets of the double, and what ends with the double. Table by table; which
does which stands in `merging.FATES`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from actions.timebank import bindings, delegates
from actions.timebank.ids import DelegationId, MemberId
from actions.timebank.model import (
    Availability,
    ChannelBinding,
    CheckIn,
    CheckInWish,
    Delegation,
    Delivery,
    DoNotAsk,
    HonourWish,
    JoinCard,
    Member,
    MemberPriority,
    Notice,
    Relation,
    Reminder,
    Skill,
    Training,
)
from actions.timebank.states import (
    CardState,
    CheckInState,
    DelegationState,
    DeliveryState,
    NoticeState,
    ReminderState,
)


def hand_over(session: Session, double: Member, kept: Member, *, now: datetime) -> None:
    """Leaves the double with history only. Nothing of the double's is open, see `obstacles`."""
    old, new = MemberId(double.id), MemberId(kept.id)
    # What ends first: it tells people, and what the double was told goes on to the kept one.
    _end_delegations(session, old, now)
    _end_chats(session, old, now)
    _end_check_ins(session, old, now)
    _fill_gaps(double, kept)
    _move_relations(session, old, new)
    _move_skills(session, old, new)
    _move_unless_there(session, Availability, ("weekday", "part"), old, new)
    _move_unless_there(session, CheckInWish, (), old, new)
    _move_unless_there(session, MemberPriority, ("priority",), old, new)
    _move(session, Training.member_id, old, new)
    _repeat_wish(session, old, new)
    _move(session, DoNotAsk.member_id, old, new)
    alive = (ReminderState.WAITING, ReminderState.TOLD)
    _move(session, Reminder.member_id, old, new, Reminder.state.in_(alive))
    _move(session, Notice.recipient_id, old, new, Notice.state == NoticeState.QUEUED)
    to_be_sent = (DeliveryState.WAITING, DeliveryState.BLOCKED)
    _move(session, Delivery.member_id, old, new, Delivery.state.in_(to_be_sent))
    session.flush()


def _end_delegations(session: Session, old: MemberId, now: datetime) -> None:
    theirs = select(Delegation.id).where(
        or_(Delegation.elder_id == old, Delegation.delegate_id == old),
        Delegation.state.in_((DelegationState.PROPOSED, DelegationState.GIVEN)),
    )
    for delegation in session.execute(theirs.order_by(Delegation.id)).scalars().all():
        delegates.end(session, delegation_id=DelegationId(delegation), by=None, now=now)


def _end_chats(session: Session, old: MemberId, now: datetime) -> None:
    chats = select(ChannelBinding.channel).where(
        ChannelBinding.member_id == old, ChannelBinding.unbound_at.is_(None)
    )
    for channel in session.execute(chats).scalars().all():
        bindings.unbind(session, member=old, channel=channel, now=now)
    live = JoinCard.state.in_((CardState.UNUSED, CardState.ASKED))
    cards = update(JoinCard).where(JoinCard.member_id == old, live)
    session.execute(cards.values(state=CardState.VOID))


def _end_check_ins(session: Session, old: MemberId, now: datetime) -> None:
    waiting = CheckIn.state == CheckInState.WAITING
    ended = update(CheckIn).where(CheckIn.member_id == old, waiting)
    session.execute(ended.values(state=CheckInState.CANCELLED, ended_at=now))


def _fill_gaps(double: Member, kept: Member) -> None:
    for name in ("nickname", "birth_year", "place"):
        if not getattr(kept, name):
            setattr(kept, name, getattr(double, name))
    if kept.photo is None:
        # One file, one owner: who changes the picture deletes the one before.
        kept.photo, double.photo = double.photo, None
    kept.lives_alone = kept.lives_alone or double.lives_alone
    kept.takes_tasks = kept.takes_tasks or double.takes_tasks
    for person in (double, kept):
        person.version += 1


def _move(session: Session, column: Any, old: MemberId, new: MemberId, *which: Any) -> None:
    session.execute(
        update(column.class_)
        .where(column == old, *which)
        .values({column.key: new})
        .execution_options(synchronize_session="fetch")
    )


def _move_unless_there(
    session: Session, table: Any, same: tuple[str, ...], old: MemberId, new: MemberId
) -> None:
    """Rows of which a member has one each, told apart by the columns `same`."""
    has = select(*(getattr(table, name) for name in same), table.member_id)
    there = {tuple(row)[:-1] for row in session.execute(has.where(table.member_id == new))}
    for row in session.execute(select(table).where(table.member_id == old)).scalars().all():
        if tuple(getattr(row, name) for name in same) in there:
            session.delete(row)
        else:
            row.member_id = new
    session.flush()


def _move_skills(session: Session, old: MemberId, new: MemberId) -> None:
    """A training counts for the person, whichever of the two rows has it."""
    his = {row.service_kind: row for row in _of(session, Skill, new)}
    for row in _of(session, Skill, old):
        if row.service_kind in his:
            his[row.service_kind].trained = his[row.service_kind].trained or row.trained
            session.delete(row)
        else:
            row.member_id = new
    session.flush()


def _repeat_wish(session: Session, old: MemberId, new: MemberId) -> None:
    """Who did not want to be named on the roll of honour is not named as the kept one either."""
    said = _of(session, HonourWish, old)
    if said and not _of(session, HonourWish, new):
        last = max(said, key=lambda wish: wish.id)
        session.add(
            HonourWish(
                member_id=new,
                may_be_named=last.may_be_named,
                heard_by_id=last.heard_by_id,
                at=last.at,
            )
        )


def _move_relations(session: Session, old: MemberId, new: MemberId) -> None:
    """Nobody is related to himself, nor twice to the same person: the kept one's word stands."""
    both = (old, new)
    session.execute(
        delete(Relation).where(Relation.member_id.in_(both), Relation.other_id.in_(both))
    )
    pairs = {(tie.member_id, tie.other_id) for tie in _ties(session, new)}
    for tie in _ties(session, old):
        pair = tuple(new if one == old else one for one in (tie.member_id, tie.other_id))
        if pair in pairs:
            session.delete(tie)
        else:
            tie.member_id, tie.other_id = pair
    session.flush()


def _ties(session: Session, member: MemberId) -> list[Relation]:
    his = select(Relation).where(or_(Relation.member_id == member, Relation.other_id == member))
    return list(session.execute(his.order_by(Relation.id)).scalars())


def _of(session: Session, table: Any, member: MemberId) -> list[Any]:
    return list(session.execute(select(table).where(table.member_id == member)).scalars())
