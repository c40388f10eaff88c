"""The commands about staff accounts: the first one can only be made here."""

from __future__ import annotations

import argparse
import getpass
from typing import Optional

from sqlalchemy.orm import Session

from actions.timebank.errors import BadLogin, LastAdministrator, LoginTaken
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import StaffAccount
from actions.timebank.session import Village
from actions.timebank.staff import accounts, audit, keys
from actions.timebank.staff.roles import Role
from bot.console import passwords
from bot.console.passwords import Passwords
from bot.member_commands import CommandRefused, find_member, open_migrated
from bot.settings import Settings


def add(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    person = find_member(village, given.member)
    password = _password(given.generate)
    try:
        with village.transaction() as session:
            made = keys.open_account(
                session,
                member=MemberId(person.id),
                login=given.login,
                roles=[Role(role) for role in given.role],
                password_hash=Passwords().hash(password),
                must_change=given.generate,
                by=None,
                now=village.clock(),
            )
            _write_down(session, village, made, "staff add")
    except BadLogin as bad:
        raise CommandRefused("A login is 2 to 40 small letters, digits, '.', '-', '_'.") from bad
    except LoginTaken as taken:
        raise CommandRefused("This login is taken, or this member has an account.") from taken
    print(f"{person.name} works in the console as {given.login}: {', '.join(given.role)}")
    return _tell(settings, password if given.generate else None)


def listed(settings: Settings, _given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    with village.reading() as session:
        for account in accounts.everybody(session):
            roles = ", ".join(sorted(role.value for role in account.roles))
            state = "closed" if account.closed_at else "open"
            codes = "with codes" if account.totp_secret else "no codes"
            print(f"{account.login}\t{account.member.name}\t{roles}\t{state}\t{codes}")
    return 0


def roles(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    with village.transaction() as session:
        account = _account(session, given.login)
        try:
            keys.change_roles(
                session,
                account_id=StaffAccountId(account.id),
                roles=[Role(role) for role in given.role],
                by=None,
                now=village.clock(),
            )
        except LastAdministrator as last:
            raise CommandRefused("Nobody would be left who can make accounts.") from last
        _write_down(session, village, account, "staff roles")
    print(f"{given.login}: {', '.join(given.role)}")
    return 0


def reset(settings: Settings, given: argparse.Namespace) -> int:
    """A new password; one-time codes are switched off, for the phone may be lost."""
    village, password = open_migrated(settings), _password(given.generate)
    with village.transaction() as session:
        account = _account(session, given.login)
        keys.reset_password(
            session,
            account_id=StaffAccountId(account.id),
            password_hash=Passwords().hash(password),
            must_change=given.generate,
            by=None,
            now=village.clock(),
        )
        _write_down(session, village, account, "staff reset")
    print(f"{given.login} has a new password; one-time codes are off.")
    return _tell(settings, password if given.generate else None)


def close(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    with village.transaction() as session:
        account = _account(session, given.login)
        try:
            number = StaffAccountId(account.id)
            keys.close_account(session, account_id=number, by=None, now=village.clock())
        except LastAdministrator as last:
            raise CommandRefused("Nobody would be left who can make accounts.") from last
        _write_down(session, village, account, "staff close")
    print(f"{given.login} is closed.")
    return 0


def _account(session: Session, login: str) -> StaffAccount:
    found = accounts.by_login(session, login)
    if found is None:
        raise CommandRefused(f"There is no staff account {login}.")
    return found


def _write_down(session: Session, village: Village, account: StaffAccount, deed: str) -> None:
    """Who can open this machine's command line acts as the account's own member."""
    audit.record(
        session,
        by=MemberId(account.member_id),
        deed=f"command line: {deed}",
        about=MemberId(account.member_id),
        now=village.clock(),
    )


def _password(is_generated: bool) -> str:
    if is_generated:
        return passwords.generated()
    typed = getpass.getpass("Password (at least 10 characters): ")
    if not passwords.is_good(typed):
        raise CommandRefused("At least 10 characters, and not too simple.")
    if getpass.getpass("Again: ") != typed:
        raise CommandRefused("The two differ.")
    return typed


def _tell(settings: Settings, password: Optional[str]) -> int:
    if password is not None:
        print(f"Password for the first login, shown only now: {password}")
    print(f"The console: {settings.address}/console")
    return 0
