"""Staff accounts: who works in the console, in which roles, and what is asked before any deed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from actions.timebank import members
from actions.timebank.errors import (
    BadLogin,
    LastAdministrator,
    LoginTaken,
    NotForSelf,
    NothingOpen,
    NotYours,
    SamePerson,
)
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import Member, StaffAccount, StaffRole
from actions.timebank.staff import sessions
from actions.timebank.staff.roles import Permission, Role, permissions_of

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def make(
    session: Session,
    *,
    member: MemberId,
    login: str,
    roles: Collection[Role],
    password_hash: str,
    now: datetime,
    must_change: bool = True,
) -> StaffAccount:
    """A new account. Raises UnknownMember, BadLogin, LoginTaken, ValueError without roles."""
    login = login.strip().lower()
    if not LOGIN.fullmatch(login):
        raise BadLogin(f"{login!r}")
    if not roles:
        raise ValueError("an account without a role opens nothing")
    account = StaffAccount(
        member=members.present(session, member),
        login=login,
        password_hash=password_hash,
        must_change=must_change,
        opened_at=now,
        role_rows=[StaffRole(role=role) for role in sorted(set(roles))],
    )
    try:
        with session.begin_nested():
            session.add(account)
            session.flush()
    except IntegrityError as taken:
        raise LoginTaken(f"{login!r} or member {member}") from taken
    return account


def account(session: Session, account_id: StaffAccountId) -> StaffAccount:
    """Raises NothingOpen when there is none."""
    found = session.get(StaffAccount, account_id) if 0 < account_id <= members.LARGEST_ID else None
    if found is None:
        raise NothingOpen(f"no staff account {account_id}")
    return cast(StaffAccount, found)


def by_login(session: Session, login: str) -> StaffAccount | None:
    """The account with this login, closed ones too."""
    called_so = select(StaffAccount).where(StaffAccount.login == login.strip().lower())
    return cast("StaffAccount | None", session.execute(called_so).scalar_one_or_none())


def staff_of(session: Session, member: MemberId) -> StaffAccount | None:
    """The open account of a present member."""
    open_account = (
        select(StaffAccount)
        .join(Member, Member.id == StaffAccount.member_id)
        .where(
            StaffAccount.member_id == member,
            StaffAccount.closed_at.is_(None),
            Member.left_at.is_(None),
        )
        .options(joinedload(StaffAccount.role_rows))
    )
    return cast("StaffAccount | None", session.execute(open_account).unique().scalar_one_or_none())


def everybody(session: Session) -> list[StaffAccount]:
    """All accounts, open ones first."""
    order = (StaffAccount.closed_at.is_not(None), StaffAccount.login)
    return list(session.execute(select(StaffAccount).order_by(*order)).scalars())


def set_roles(
    session: Session, *, account_id: StaffAccountId, roles: Collection[Role]
) -> StaffAccount:
    """Raises NothingOpen, LastAdministrator, ValueError without roles."""
    if not roles:
        raise ValueError("an account without a role opens nothing")
    changed = account(session, account_id)
    wanted = set(roles)
    if Role.ADMINISTRATOR not in wanted:
        _keep_an_administrator(session, changed)
    changed.role_rows = [row for row in changed.role_rows if row.role in wanted] + [
        StaffRole(role=role) for role in sorted(wanted - changed.roles)
    ]
    session.flush()
    return changed


def close(session: Session, *, account_id: StaffAccountId, now: datetime) -> StaffAccount:
    """Ends its sessions at once. Twice is fine. Raises NothingOpen, LastAdministrator."""
    closed = account(session, account_id)
    if closed.closed_at is None:
        _keep_an_administrator(session, closed)
        closed.closed_at = now
        sessions.end_all(session, account_id, now=now)
    return closed


def reopen(session: Session, *, account_id: StaffAccountId) -> StaffAccount:
    """Raises NothingOpen, UnknownMember when the member has left."""
    opened = account(session, account_id)
    members.present(session, MemberId(opened.member_id))
    opened.closed_at = None
    session.flush()
    return opened


def set_password(
    session: Session,
    *,
    account_id: StaffAccountId,
    password_hash: str,
    must_change: bool,
    now: datetime,
) -> StaffAccount:
    """Ends every session of the account. Raises NothingOpen."""
    changed = account(session, account_id)
    changed.password_hash, changed.must_change = password_hash, must_change
    sessions.end_all(session, account_id, now=now)
    return changed


def set_totp(session: Session, *, account_id: StaffAccountId, secret: str | None) -> StaffAccount:
    """Codes are asked for at login from now on, or no more (None). Raises NothingOpen."""
    changed = account(session, account_id)
    changed.totp_secret, changed.totp_step = secret, 0
    session.flush()
    return changed


def use_totp_step(session: Session, *, account_id: StaffAccountId, step: int) -> bool:
    """Whether the code of this half minute is used for the first time. Raises NothingOpen."""
    account(session, account_id)
    # One statement: of two that bring the same code at once, one is second.
    unused = (StaffAccount.id == account_id, StaffAccount.totp_step < step)
    used = session.execute(update(StaffAccount).where(*unused).values(totp_step=step))
    return bool(used.rowcount == 1)


def require(session: Session, by: MemberId, permission: Permission, *, now: datetime) -> None:
    """Raises NotYours unless this person's roles open that at this moment."""
    found = staff_of(session, by)
    if found is None or permission not in permissions_of(found.roles):
        raise NotYours(f"member {by} may not {permission.value}")


def second_person(proposed_by: MemberId, by: MemberId) -> None:
    """Raises SamePerson when one and the same would propose and approve."""
    if proposed_by == by:
        raise SamePerson(f"member {by} proposed it")


def not_for_self(by: MemberId, concerned: Iterable[MemberId | None]) -> None:
    """Raises NotForSelf when whoever decides is one of those it concerns."""
    if by in set(concerned):
        raise NotForSelf(f"member {by} is concerned")


def _keep_an_administrator(session: Session, without: StaffAccount) -> None:
    if Role.ADMINISTRATOR not in without.roles or without.closed_at is not None:
        return
    others = (
        select(func.count())
        .select_from(StaffAccount)
        .join(StaffRole, StaffRole.account_id == StaffAccount.id)
        .join(Member, Member.id == StaffAccount.member_id)
        .where(
            StaffRole.role == Role.ADMINISTRATOR,
            StaffAccount.id != without.id,
            StaffAccount.closed_at.is_(None),
            Member.left_at.is_(None),
        )
    )
    if session.execute(others).scalar_one() == 0:
        raise LastAdministrator(f"account {without.id}")
