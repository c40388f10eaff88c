"""Joining without reading: one scan of a printed card, one spoken yes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from actions.timebank import bindings, join_cards
from actions.timebank.errors import CardExpired, CardUnknown, CardUsed, NothingOpen, TooManyTries
from actions.timebank.ids import MemberId
from actions.timebank.model import CardTry, ChannelBinding, JoinCard, Member
from actions.timebank.notices import tell, tell_staff
from actions.timebank.states import CardState, Channel

ASKED_FOR = timedelta(minutes=15)
"""So long a scanned card waits for her yes; no other chat gets it meanwhile."""
MOST_TRIES = 10
"""Cards a chat may show within `TRIES_WITHIN`."""
TRIES_WITHIN = timedelta(hours=1)


def count_try(session: Session, *, channel: Channel, address: str, now: datetime) -> None:
    """Notes that this chat shows a card. In a transaction of its own before `show_card`, whose
    refusal would undo it. Raises nothing: `show_card` does the refusing."""
    session.execute(delete(CardTry).where(CardTry.at <= now - TRIES_WITHIN))
    if _tries(session, channel, address, now) <= MOST_TRIES:
        session.add(CardTry(channel=channel, address=address, at=now))
        session.flush()


def show_card(
    session: Session, *, code: str, channel: Channel, address: str, now: datetime
) -> Member:
    """This chat scanned a card: gives whose it is, to be asked for by name. The card is kept for
    this chat for `ASKED_FOR`; a card that it showed before is free again.

    Raises CardUnknown, CardUsed (also while another chat is being asked), CardExpired (also for a
    card that a newer one replaced), TooManyTries.
    """
    if _tries(session, channel, address, now) > MOST_TRIES:
        raise TooManyTries(f"more than {MOST_TRIES} cards in an hour")
    card = join_cards.by_code(session, code)
    if card is None or card.member.left_at is not None:
        raise CardUnknown("no such card")
    if card.state is CardState.USED:
        raise CardUsed(f"card {card.id} was used")
    if card.state is CardState.VOID or now >= card.expires_at:
        raise CardExpired(f"card {card.id} is out of date")
    here = (card.channel, card.address) == (channel, address)
    if card.state is CardState.ASKED and not here and not _too_slow(card, now):
        raise CardUsed(f"another chat is being asked about card {card.id}")
    stop_joining(session, channel=channel, address=address, now=now)
    card.state = CardState.ASKED
    card.channel, card.address, card.asked_at = channel, address, now
    session.flush()
    return cast(Member, card.member)


def joining(session: Session, *, channel: Channel, address: str, now: datetime) -> Member | None:
    """Whose yes this chat is being asked for, or None."""
    card = join_cards.asked_in(session, channel=channel, address=address)
    return None if card is None or _too_slow(card, now) else cast(Member, card.member)


def join(session: Session, *, channel: Channel, address: str, now: datetime) -> ChannelBinding:
    """She said yes: this chat is hers from now on and the card is used up. Her older chat and
    this chat's older member are unbound, their buttons die, and staff are told.

    Raises NothingOpen when nobody is being asked here, or no longer.
    """
    card = join_cards.asked_in(session, channel=channel, address=address)
    if card is None or _too_slow(card, now) or card.member.left_at is not None:
        raise NothingOpen("nobody is joining in this chat")
    binding, ended = bindings.bind(
        session, member=MemberId(card.member_id), channel=channel, address=address, now=now
    )
    card.state = CardState.USED
    card.binding_id = binding.id
    session.flush()
    _tell_of_joining(session, card, ended, now)
    return binding


def _tell_of_joining(
    session: Session, card: JoinCard, ended: list[ChannelBinding], now: datetime
) -> None:
    her = card.member
    about = f"card:{card.id}"
    tell(session, MemberId(her.id), "joined", about=about, now=now, member=her.name)
    for old in ended:
        if old.member_id == her.id:
            tell_staff(
                session,
                "staff_moved_phone",
                about=about,
                now=now,
                member=her.name,
            )
        else:
            tell_staff(
                session,
                "staff_phone_taken_over",
                about=about,
                now=now,
                member=her.name,
                before=old.member.name,
            )


def stop_joining(session: Session, *, channel: Channel, address: str, now: datetime) -> None:
    """She said no, or it was not her: the card can be shown again."""
    card = join_cards.asked_in(session, channel=channel, address=address)
    if card is not None:
        card.state = CardState.UNUSED
        session.flush()


def _too_slow(card: JoinCard, now: datetime) -> bool:
    return bool(now >= card.asked_at + ASKED_FOR)


def _tries(session: Session, channel: Channel, address: str, now: datetime) -> int:
    lately = select(func.count()).where(
        CardTry.channel == channel, CardTry.address == address, CardTry.at > now - TRIES_WITHIN
    )
    return int(session.execute(lately).scalar_one())
