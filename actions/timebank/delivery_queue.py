"""The queues of notices before they are sent: who is told what, how urgent it is, whose turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from actions.timebank.model import ChannelBinding, Delivery, Notice
from actions.timebank.quiet_hours import (
    OWN_TIME,
    URGENT_KINDS,
    is_quiet,
    may_be_told,
    next_waking,
)
from actions.timebank.states import (
    Channel,
    DeliveryState,
    NoticeState,
    ServiceKind,
    Urgency,
)

BEFORE_JOINING = timedelta(days=1)
"""Somebody who joins is not told all that happened in her life before."""
ENDS: Mapping[str, tuple[str, str]] = {"offer_gone": ("offer_made", "offer_id")}
"""Notices that end a question: which kind asked it, and the fact that names both. The question's
own message is changed to say so; nothing new is sent."""


def in_turn(
    session: Session, *, channel: Channel, now: datetime, most: int, busy: Collection[int] = ()
) -> list[tuple[Delivery, ChannelBinding]]:
    """Up to `most` deliveries that may go out now, urgent ones first, then by age, each with the
    chat it goes to. Of each person's queue only the first; none whose chat is blocked. `busy` are
    being prepared already."""
    before = aliased(Delivery)
    somebody_first = (
        select(before.id)
        .where(
            before.member_id == Delivery.member_id,
            before.channel == Delivery.channel,
            before.urgency == Delivery.urgency,
            or_(
                before.state == DeliveryState.SENDING,
                and_(before.state == DeliveryState.WAITING, before.notice_id < Delivery.notice_id),
            ),
        )
        .exists()
    )
    first = (
        select(Delivery, ChannelBinding)
        .join(ChannelBinding, reachable(channel))
        .where(
            Delivery.state == DeliveryState.WAITING,
            Delivery.channel == channel,
            Delivery.due_at <= now,
            Delivery.id.not_in(busy),
            ~somebody_first,
        )
        .order_by(Delivery.urgency.desc(), Delivery.notice_id)
        .limit(most)
        .options(joinedload(Delivery.notice))
    )
    return [(delivery, binding) for delivery, binding in session.execute(first)]


def list_new(session: Session, channel: Channel, now: datetime) -> None:
    """A delivery for each queued notice of everybody who has a chat."""
    joined = (
        select(ChannelBinding.member_id, func.min(ChannelBinding.bound_at).label("at"))
        .where(ChannelBinding.channel == channel)
        .group_by(ChannelBinding.member_id)
        .having(func.count(ChannelBinding.id) > func.count(ChannelBinding.unbound_at))
        .subquery()
    )
    listed = (
        select(Delivery.id)
        .where(Delivery.notice_id == Notice.id, Delivery.channel == channel)
        .exists()
    )
    new = (
        select(Notice, joined.c.at)
        .join(joined, joined.c.member_id == Notice.recipient_id)
        .where(Notice.state == NoticeState.QUEUED, ~listed)
        .order_by(Notice.id)
    )
    for notice, joined_at in session.execute(new).all():
        urgency = _urgency(notice, now)
        wakes_nobody = urgency is Urgency.SILENT or may_be_told(notice.kind, notice.facts, now)
        delivery = Delivery(
            notice=notice,
            channel=channel,
            member_id=notice.recipient_id,
            urgency=urgency,
            due_at=now if wakes_nobody else next_waking(now),
        )
        if notice.created_at < joined_at - BEFORE_JOINING:
            delivery.state = DeliveryState.DROPPED
            delivery.code = "before_joining"
            delivery.ended_at = now
        session.add(delivery)
    session.flush()


def _urgency(notice: Notice, now: datetime) -> Urgency:
    if notice.kind in ENDS:
        return Urgency.SILENT
    urgent_help = notice.facts.get("kind") == ServiceKind.URGENT_HELP.value
    if notice.kind in URGENT_KINDS | OWN_TIME or urgent_help:
        return Urgency.URGENT
    # What may be told while the village sleeps must not wait behind what may not.
    if is_quiet(now) and may_be_told(notice.kind, notice.facts, now):
        return Urgency.URGENT
    return Urgency.ORDINARY


def take_back_in(session: Session, channel: Channel, now: datetime) -> None:
    """What a blocked chat did not take waits again once its person is back, or has another."""
    back = (
        select(Delivery)
        .join(ChannelBinding, reachable(channel))
        .where(Delivery.state == DeliveryState.BLOCKED, Delivery.channel == channel)
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
    )
    for delivery in session.execute(back).scalars().all():
        delivery.state = DeliveryState.WAITING
        delivery.due_at = now
    session.flush()


def reachable(channel: Channel) -> Any:
    return and_(
        ChannelBinding.member_id == Delivery.member_id,
        ChannelBinding.channel == channel,
        ChannelBinding.unbound_at.is_(None),
        ChannelBinding.unreachable_at.is_(None),
    )
