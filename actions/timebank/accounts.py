"""The time accounts of members, of the village fund and of the system that issues hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.errors import LedgerBroken, UnknownMember
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.model import Account, Merge
from actions.timebank.session import run_as_written
from actions.timebank.states import AccountKind

_ACCOUNT_NOW = """
SELECT kind,
    (SELECT coalesce(sum(minutes), 0) FROM posting WHERE account_id = account.id),
    (SELECT coalesce(sum(minutes), 0) FROM hold WHERE account_id = account.id AND state = 'pending')
FROM account WHERE id = ?
"""


@dataclass(frozen=True)
class BalanceOf:
    """An account at one moment, in minutes."""

    posted: int
    held: int
    available: int
    """Posted less held: what may still be given."""


def open_account(session: Session, member_id: MemberId) -> Account:
    """The member's account, opened now when there is none yet."""
    found = _member_account(session, member_id)
    return found or _new_account(session, kind=AccountKind.MEMBER, member_id=member_id)


def ensure_village_accounts(session: Session) -> None:
    """Opens the village fund and the system account when they are missing."""
    for kind in (AccountKind.FUND, AccountKind.SYSTEM):
        if _village_account(session, kind) is None:
            _new_account(session, kind=kind)


def account_of(session: Session, member_id: MemberId) -> Account:
    """Raises UnknownMember when this member has no account."""
    account = _member_account(session, member_id)
    if account is None:
        raise UnknownMember(f"member {member_id} has no account")
    return account


def ends_in(session: Session, account_id: AccountId) -> AccountId:
    """The account that this one was merged into at last; itself when it was not."""
    row: Account | None = session.get(Account, account_id)
    while row is not None and row.member_id is not None:
        merged: Merge | None = session.get(Merge, row.member_id)
        if merged is None:
            break
        row = account_of(session, merged.kept_id)
    return account_id if row is None else AccountId(row.id)


def fund_account(session: Session) -> Account:
    """The village fund. Raises LedgerBroken before `ensure_village_accounts`."""
    return _village_account(session, AccountKind.FUND) or _no_account(AccountKind.FUND)


def system_account(session: Session) -> Account:
    """Where reissued hours come from. Raises LedgerBroken before `ensure_village_accounts`."""
    return _village_account(session, AccountKind.SYSTEM) or _no_account(AccountKind.SYSTEM)


def balance(session: Session, account_id: AccountId) -> BalanceOf:
    """Raises LedgerBroken when there is no such account."""
    return look(session, account_id)[1]


def look(session: Session, account_id: AccountId) -> tuple[AccountKind, BalanceOf]:
    """Whose kind of account it is, and its balance. Raises as `balance` does."""
    # Minutes put aside a moment ago count, even while the session has not written them.
    session.flush()
    found = run_as_written(session, _ACCOUNT_NOW, (account_id,)).first()
    kind, posted, held = found or _no_account(account_id)
    return AccountKind(kind), BalanceOf(posted, held, posted - held)


def _member_account(session: Session, member_id: MemberId) -> Account | None:
    account: Account | None = session.scalar(select(Account).where(Account.member_id == member_id))
    return account


def _village_account(session: Session, kind: AccountKind) -> Account | None:
    account: Account | None = session.scalar(select(Account).where(Account.kind == kind))
    return account


def _new_account(session: Session, **fields: object) -> Account:
    account = Account(**fields)
    session.add(account)
    session.flush()
    return account


def _no_account(which: object) -> NoReturn:
    raise LedgerBroken(f"there is no account {which}")
