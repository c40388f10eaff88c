"""Logins: sessions that end, and patience with wrong passwords that runs out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from actions.timebank.errors import TooManyLogins
from actions.timebank.ids import LoginTryId, StaffAccountId
from actions.timebank.model import LoginTry, StaffSession

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used: a write a page would be too many."""

TRIES_KEPT = timedelta(hours=1)
FREE_TRIES = 5
"""Wrong passwords for one login before the next must wait, each wrong one twice as long."""
FREE_TRIES_OF_ADDRESS = 20
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)


def begin(
    session: Session, *, account_id: StaffAccountId, token_sha256: str, now: datetime
) -> StaffSession:
    begun = StaffSession(
        token_sha256=token_sha256, account_id=account_id, began_at=now, seen_at=now
    )
    session.add(begun)
    session.flush()
    return begun


def current(session: Session, token_sha256: str, *, now: datetime) -> StaffSession | None:
    """The session of this cookie while it lasts and its account is open; None otherwise."""
    found = session.get(StaffSession, token_sha256)
    if found is None or found.ended_at is not None:
        return None
    # A clock set back must not make a session last for ever.
    idle, age = now - found.seen_at, now - found.began_at
    is_over = abs(idle) > IDLE or abs(age) > LONGEST
    account = found.account
    if is_over or account.closed_at is not None or account.member.left_at is not None:
        return None
    return cast(StaffSession, found)


def touch(session: Session, token_sha256: str, *, now: datetime) -> None:
    """It was used just now."""
    own = StaffSession.token_sha256 == token_sha256
    session.execute(update(StaffSession).where(own).values(seen_at=now))


def end(session: Session, token_sha256: str, *, now: datetime) -> None:
    """Twice is fine."""
    own = (StaffSession.token_sha256 == token_sha256, StaffSession.ended_at.is_(None))
    session.execute(update(StaffSession).where(*own).values(ended_at=now))


def end_all(session: Session, account_id: StaffAccountId, *, now: datetime) -> None:
    own = (StaffSession.account_id == account_id, StaffSession.ended_at.is_(None))
    session.execute(
        update(StaffSession)
        .where(*own)
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def say_next(session: Session, token_sha256: str, words: str) -> None:
    """What the next page tells once."""
    own = StaffSession.token_sha256 == token_sha256
    session.execute(update(StaffSession).where(own).values(said=words[:400]))


def take_said(session: Session, token_sha256: str) -> str:
    """Tells it once."""
    found = session.get(StaffSession, token_sha256, populate_existing=True)
    if found is None or not found.said:
        return ""
    words, found.said = found.said, ""
    session.flush()
    return cast(str, words)


def begin_try(session: Session, *, login: str, address: str, now: datetime) -> LoginTryId:
    """A password is about to be tried. It counts as wrong until `try_succeeded`: whoever sends
    many at once gains nothing. Raises TooManyLogins (fact `until`) when this login, or this
    address, was wrong too often."""
    session.execute(delete(LoginTry).where(LoginTry.tried_at < now - TRIES_KEPT))
    for column, value, free in (
        (LoginTry.login, _short(login, 40), FREE_TRIES),
        (LoginTry.address, _short(address, 64), FREE_TRIES_OF_ADDRESS),
    ):
        wrong, last = _wrong_since_right(session, column, value, now)
        if wrong >= free:
            until = last + min(FIRST_WAIT * 2 ** min(wrong - free, 10), LONGEST_WAIT)
            if now < until:
                raise TooManyLogins(f"{wrong} wrong passwords", until=until)
    begun = LoginTry(
        login=_short(login, 40), address=_short(address, 64), succeeded=False, tried_at=now
    )
    session.add(begun)
    session.flush()
    return LoginTryId(begun.id)


def try_succeeded(session: Session, begun: LoginTryId) -> None:
    """What was tried was right: the wrong ones before it are forgotten."""
    session.execute(update(LoginTry).where(LoginTry.id == begun).values(succeeded=True))


def _wrong_since_right(
    session: Session, column: object, value: str, now: datetime
) -> tuple[int, datetime]:
    mine = (column == value, LoginTry.tried_at > now - TRIES_KEPT)
    right = select(func.max(LoginTry.id)).where(*mine, LoginTry.succeeded.is_(True))
    last_right = session.execute(right).scalar_one() or 0
    wrong = select(LoginTry.tried_at).where(
        *mine, LoginTry.succeeded.is_(False), LoginTry.id > last_right
    )
    times = list(session.execute(wrong.order_by(LoginTry.id)).scalars())
    return len(times), times[-1] if times else now


def _short(value: str, length: int) -> str:
    return value.strip().lower()[:length]
