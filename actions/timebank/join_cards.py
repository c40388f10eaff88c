"""Printed cards that let a chat join. Whoever holds the code holds the card."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import JoinCard
from actions.timebank.states import CardState, Channel

CARD_LASTS = timedelta(days=7)
CODE_BYTES = 16

_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")


def issue_card(
    session: Session, *, member: MemberId, by: MemberId | None, now: datetime
) -> tuple[JoinCard, str]:
    """A new card and its code, which is told only now. It lets one chat join within `CARD_LASTS`;
    an older card of hers that nobody used is void. `by` is the coordinator who prints it.

    Raises UnknownMember, also for somebody who has left."""
    members.present(session, member)
    _void_older(session, member)
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


def by_code(session: Session, code: str) -> JoinCard | None:
    """The card with this code, in whatever state; locked until the commit."""
    if _SHAPE.fullmatch(code) is None:
        return None
    return _one(session, select(JoinCard).where(JoinCard.code_hash == _hash(code)))


def asked_in(session: Session, *, channel: Channel, address: str) -> JoinCard | None:
    """The card that this chat scanned last and is being asked about; locked until the commit."""
    asked = select(JoinCard).where(
        JoinCard.state == CardState.ASKED, JoinCard.channel == channel, JoinCard.address == address
    )
    return _one(session, asked)


def _void_older(session: Session, member: MemberId) -> None:
    live = (CardState.UNUSED, CardState.ASKED)
    for card in _locked(
        session,
        select(JoinCard).where(JoinCard.member_id == member, JoinCard.state.in_(live)),
    ):
        card.state = CardState.VOID
    session.flush()


def _one(session: Session, query: Any) -> JoinCard | None:
    found = _locked(session, query)
    return found[0] if found else None


def _locked(session: Session, query: Any) -> list[JoinCard]:
    """Read as they are now and kept for us until the commit; SQLite's writers take turns anyway."""
    fresh = query.with_for_update().execution_options(populate_existing=True)
    return list(session.execute(fresh).scalars())


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
