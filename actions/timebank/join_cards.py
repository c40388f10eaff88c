"""Joining without reading: a printed card, one scan, one spoken yes."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from actions.timebank import bindings, members
from actions.timebank.errors import (
    CardExpired,
    CardUnknown,
    CardUsed,
    NothingOpen,
    TooManyTries,
    UnknownMember,
)
from actions.timebank.ids import MemberId
from actions.timebank.model import CardTry, ChannelBinding, JoinCard, Member
from actions.timebank.notices import tell, tell_staff
from actions.timebank.states import CardState, Channel

CARD_LASTS = timedelta(days=7)
ASKED_FOR = timedelta(minutes=15)
"""So long a scanned card waits for her yes; no other chat gets it meanwhile."""
MOST_TRIES = 10
TRIES_WITHIN = timedelta(hours=1)
CODE_BYTES = 16

_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")
_LIVE = (CardState.UNUSED, CardState.ASKED)


def issue_card(
    session: Session, *, member: MemberId, by: MemberId | None, now: datetime
) -> tuple[JoinCard, str]:
    """A new card and its code, which is told only now. It lets one chat join within `CARD_LASTS`;
    an older card of hers that nobody used is void. `by` is the coordinator who prints it.

    Raises UnknownMember, also for somebody who has left."""
    person = members.member(session, member)
    if person.left_at is not None:
        raise UnknownMember(f"member {member} has left")
    void_cards(session, member=member)
    code = secrets.token_urlsafe(CODE_BYTES)
    card = JoinCard(
        member_id=member,
        issued_by_id=by,
        code_hash=_hash(code),
        issued_at=now,
        expires_at=now + CARD_LASTS,
    )
    session.add(card)
    session.flush()
    return card, code


def void_cards(session: Session, *, member: MemberId) -> None:
    """Whatever card of hers is about can no longer be used to join."""
    live = select(JoinCard).where(JoinCard.member_id == member, JoinCard.state.in_(_LIVE))
    for card in _locked(session, live):
        card.state = CardState.VOID
    session.flush()


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
    card = _by_code(session, code)
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
    card = _asked_here(session, channel, address)
    return None if card is None or _too_slow(card, now) else cast(Member, card.member)


def join(session: Session, *, channel: Channel, address: str, now: datetime) -> ChannelBinding:
    """She said yes: this chat is hers from now on and the card is used up. Her older chat and
    this chat's older member are unbound, their buttons die, and staff are told.

    Raises NothingOpen when nobody is being asked here, or no longer.
    """
    card = _asked_here(session, channel, address)
    if card is None or _too_slow(card, now) or card.member.left_at is not None:
        raise NothingOpen("nobody is joining in this chat")
    binding, ended = bindings.bind(
        session, member=MemberId(card.member_id), channel=channel, address=address, now=now
    )
    card.state = CardState.USED
    card.binding = binding
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
                place=her.place,
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
    card = _asked_here(session, channel, address)
    if card is not None:
        card.state = CardState.UNUSED
        session.flush()


def _by_code(session: Session, code: str) -> JoinCard | None:
    if _SHAPE.fullmatch(code) is None:
        return None
    return _one(session, select(JoinCard).where(JoinCard.code_hash == _hash(code)))


def _asked_here(session: Session, channel: Channel, address: str) -> JoinCard | None:
    asked = select(JoinCard).where(
        JoinCard.state == CardState.ASKED, JoinCard.channel == channel, JoinCard.address == address
    )
    return _one(session, asked)


def _one(session: Session, query: Any) -> JoinCard | None:
    found = _locked(session, query)
    return found[0] if found else None


def _locked(session: Session, query: Any) -> list[JoinCard]:
    """Read as they are now and kept for us until the commit; SQLite's writers take turns anyway."""
    fresh = query.with_for_update().execution_options(populate_existing=True)
    return list(session.execute(fresh).scalars())


def _too_slow(card: JoinCard, now: datetime) -> bool:
    return bool(now >= card.asked_at + ASKED_FOR)


def _tries(session: Session, channel: Channel, address: str, now: datetime) -> int:
    lately = select(func.count()).where(
        CardTry.channel == channel, CardTry.address == address, CardTry.at > now - TRIES_WITHIN
    )
    return int(session.execute(lately).scalar_one())


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
