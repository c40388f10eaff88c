"""Which chat speaks for whom. At any time a member has one chat a channel, a chat one member."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from actions.timebank import buttons
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NotBound
from actions.timebank.ids import BindingId, MemberId
from actions.timebank.model import ChannelBinding, Member
from actions.timebank.notices import tell_staff
from actions.timebank.states import Channel


def binding_at(session: Session, *, channel: Channel, address: str) -> ChannelBinding | None:
    """Whose chat this is; None for a stranger's and that of somebody who has left the village."""
    speaks = (
        select(ChannelBinding)
        .join(Member, Member.id == ChannelBinding.member_id)
        .where(
            ChannelBinding.channel == channel,
            ChannelBinding.address == address,
            ChannelBinding.unbound_at.is_(None),
            Member.left_at.is_(None),
        )
    )
    return cast(ChannelBinding | None, session.execute(speaks).scalar_one_or_none())


def binding_of(session: Session, member: MemberId, *, channel: Channel) -> ChannelBinding | None:
    """The chat in which this member is reached, also while she blocks us."""
    return cast(
        ChannelBinding | None,
        session.execute(_chat_of(member, channel)).scalar_one_or_none(),
    )


def bind(
    session: Session, *, member: MemberId, channel: Channel, address: str, now: datetime
) -> tuple[ChannelBinding, list[ChannelBinding]]:
    """From now on this chat speaks for this member. Gives the binding and those that ended for
    it: her other chat, the chat's other member. For `join_cards.join`, which heard her yes."""
    in_the_way = (
        select(ChannelBinding)
        .where(
            ChannelBinding.channel == channel,
            ChannelBinding.unbound_at.is_(None),
            or_(ChannelBinding.address == address, ChannelBinding.member_id == member),
        )
        .order_by(ChannelBinding.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    ended = []
    for old in session.execute(in_the_way).scalars():
        if (old.address, old.member_id) == (address, member):
            old.unreachable_at = None
            session.flush()
            return old, []
        _end(session, old, now)
        ended.append(old)
    binding = ChannelBinding(channel=channel, address=address, member_id=member, bound_at=now)
    session.add(binding)
    session.flush()
    return binding, ended


def unbind(
    session: Session, *, member: MemberId, channel: Channel, now: datetime
) -> ChannelBinding:
    """A lost phone: from now on nothing from it counts as hers and none of its buttons acts.

    Raises NotBound."""
    hers = _chat_of(member, channel).with_for_update().execution_options(populate_existing=True)
    binding = session.execute(hers).scalar_one_or_none()
    if binding is None:
        raise NotBound(f"member {member} has no chat in {channel.value}")
    _end(session, binding, now)
    return cast(ChannelBinding, binding)


def _chat_of(member: MemberId, channel: Channel) -> Any:
    return select(ChannelBinding).where(
        ChannelBinding.channel == channel,
        ChannelBinding.member_id == member,
        ChannelBinding.unbound_at.is_(None),
    )


def _end(session: Session, binding: ChannelBinding, now: datetime) -> None:
    binding.unbound_at = now
    session.flush()
    buttons.kill_buttons(session, binding_id=BindingId(binding.id), now=now)


def mark_unreachable(session: Session, binding_id: BindingId, *, now: datetime) -> None:
    """What was sent there was refused: she blocked us. Staff are told, once a day at most."""
    binding = session.get(ChannelBinding, binding_id)
    if binding is None or binding.unbound_at or binding.unreachable_at:
        return
    binding.unreachable_at = now
    session.flush()
    day = now.astimezone(VILLAGE_ZONE).date()
    tell_staff(
        session,
        "staff_unreachable",
        about=f"binding:{binding_id}:{day}",
        now=now,
        member=binding.member.name,
    )


def mark_reachable(session: Session, binding_id: BindingId, *, now: datetime) -> None:
    """She wrote again, or something arrived there."""
    binding = session.get(ChannelBinding, binding_id)
    if binding is not None and binding.unreachable_at is not None:
        binding.unreachable_at = None
        session.flush()
