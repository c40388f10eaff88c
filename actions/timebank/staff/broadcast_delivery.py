"""How far a broadcast has come: who has heard it and how, who has not and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from actions.timebank import outbox
from actions.timebank.errors import NotYours, WrongState
from actions.timebank.ids import BroadcastId, MemberId, NoticeId
from actions.timebank.model import (
    BroadcastListener,
    BroadcastVisit,
    ChannelBinding,
    Delivery,
    Lane,
    Member,
    Notice,
)
from actions.timebank.staff.accounts import require
from actions.timebank.staff.broadcasts import broadcast, key_of_listener
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    BroadcastState,
    Reached,
)
from actions.timebank.states import DeliveryState, NoticeState

HEARD = frozenset({Reached.CHAT, Reached.PAGE, Reached.IN_PERSON})


@dataclass(frozen=True)
class Listener:
    member_id: MemberId
    name: str
    place: str
    lane: str
    reached: Reached
    at: datetime | None
    """When she was told."""

    @property
    def has_heard(self) -> bool:
        return self.reached in HEARD


def listeners(session: Session, broadcast_id: BroadcastId) -> list[Listener]:
    """Everybody it went to, lane by lane. Raises NothingOpen."""
    sent = broadcast(session, broadcast_id)
    # Columns and not whole rows: this is shown anew every few seconds, for 2,000 people.
    rows = (
        select(
            Member.id,
            Member.name,
            Member.place,
            Lane.name.label("lane"),
            Notice.state.label("notice"),
            Notice.delivered_at,
            Delivery.state.label("delivery"),
            ChannelBinding.id.label("chat"),
            ChannelBinding.unreachable_at,
            BroadcastVisit.member_id.label("visit"),
        )
        .select_from(BroadcastListener)
        .join(Member, Member.id == BroadcastListener.member_id)
        .join(Lane, Lane.id == Member.lane_id)
        .join(Notice, Notice.dedupe_key == key_of_listener())
        .outerjoin(Delivery, Delivery.notice_id == Notice.id)
        .outerjoin(
            ChannelBinding,
            and_(ChannelBinding.member_id == Member.id, ChannelBinding.unbound_at.is_(None)),
        )
        .outerjoin(
            BroadcastVisit,
            and_(
                BroadcastVisit.broadcast_id == BroadcastListener.broadcast_id,
                BroadcastVisit.member_id == BroadcastListener.member_id,
            ),
        )
        .where(BroadcastListener.broadcast_id == broadcast_id)
        .order_by(Lane.id, Member.id)
    )
    found: dict[MemberId, Listener] = {}
    for row in session.execute(rows):
        reached = _reached(sent.state, row)
        # Somebody with two messengers has heard it when one of them has it.
        if row.id not in found or reached in HEARD:
            found[row.id] = Listener(
                row.id, row.name, row.place, row.lane, reached, row.delivered_at
            )
    return list(found.values())


def counted(people: list[Listener]) -> Counter[Reached]:
    return Counter(one.reached for one in people)


def told_in_person(
    session: Session,
    broadcast_id: BroadcastId,
    *,
    member: MemberId,
    by: MemberId,
    now: datetime,
) -> bool:
    """Somebody went there and said it. False when she had heard it already, which stays as it is.

    Raises NotYours, NothingOpen, WrongState when it was stopped or not yet let out."""
    require(session, by, Permission.PROPOSE_BROADCAST, now=now)
    sent = broadcast(session, broadcast_id)
    if sent.state not in (BroadcastState.SENDING, BroadcastState.SENT):
        raise WrongState(f"broadcast {broadcast_id}", state=sent.state)
    hers = (
        select(Notice)
        .join(BroadcastListener, Notice.dedupe_key == key_of_listener())
        .where(
            BroadcastListener.broadcast_id == broadcast_id, BroadcastListener.member_id == member
        )
        .with_for_update(of=Notice)
    )
    notice = session.execute(hers).scalar_one_or_none()
    if notice is None:
        raise NotYours(f"broadcast {broadcast_id} is not for member {member}")
    is_news = notice.state is NoticeState.QUEUED
    if is_news:
        outbox.deliver(session, notice_id=NoticeId(notice.id), member=member, now=now)
        visit = BroadcastVisit(
            broadcast_id=broadcast_id, member_id=member, told_by_id=by, told_at=now
        )
        session.add(visit)
        session.flush()
    return is_news


def _reached(sent: BroadcastState, row: Any) -> Reached:
    if row.visit is not None:
        return Reached.IN_PERSON
    if row.notice is NoticeState.DELIVERED:
        return Reached.CHAT if row.delivery is DeliveryState.SENT else Reached.PAGE
    if sent is BroadcastState.STOPPED or row.delivery is DeliveryState.DROPPED:
        return Reached.DROPPED
    if row.delivery is DeliveryState.GIVEN_UP:
        return Reached.GIVEN_UP
    if row.chat is None:
        return Reached.NO_CHAT
    if row.unreachable_at is not None or row.delivery is DeliveryState.BLOCKED:
        return Reached.BLOCKED
    return Reached.ON_ITS_WAY
