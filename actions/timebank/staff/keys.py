"""Keys: whatever lets somebody speak as a member, or work as a colleague.

A key that staff made passes through the hands of staff. So whoever it belongs to is told who made
it; and of a key to a staff account the other administrators are told, too, for two accounts in one
hand would be two persons.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank import channels, members
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import JoinCard, Member, StaffAccount
from actions.timebank.notices import tell
from actions.timebank.staff import accounts
from actions.timebank.staff.accounts import require
from actions.timebank.staff.register import editable, note
from actions.timebank.staff.roles import Permission, Role

# -- a member's ------------------------------------------------------------------------------------


def show_link(session: Session, *, member: MemberId, by: MemberId, now: datetime) -> Member:
    """Her personal link is shown to staff; she is told. Raises NotYours, UnknownMember."""
    person = editable(session, member, seen=None, by=by, now=now)
    _tell_member(session, "link_shown", member, by=by, now=now)
    return person


def renew_link(session: Session, *, member: MemberId, by: MemberId, now: datetime) -> Member:
    """The old link is dead, the new one is shown to staff; she is told. Raises NotYours,
    UnknownMember."""
    person = editable(session, member, seen=None, by=by, now=now)
    members.renew_link(session, member=member)
    note(session, person, "link", "", "", by=by, now=now, always=True)
    _tell_member(session, "link_renewed", member, by=by, now=now)
    return person


def issue_card(
    session: Session, *, member: MemberId, by: MemberId, now: datetime
) -> tuple[JoinCard, str]:
    """A card that lets one chat speak as her, and its code; she is told. Raises NotYours,
    UnknownMember."""
    editable(session, member, seen=None, by=by, now=now)
    issued = channels.issue_card(session, member=member, by=by, now=now)
    _tell_member(session, "card_issued", member, by=by, now=now)
    return issued


def _tell_member(
    session: Session, kind: str, member: MemberId, *, by: MemberId, now: datetime
) -> None:
    """Not of what somebody did for himself."""
    if by != member:
        about = f"{member}:{now.isoformat()}"
        tell(session, member, kind, about=about, now=now, by=members.member(session, by).name)


# -- a colleague's ---------------------------------------------------------------------------------

# `by` is None for whoever sits at the machine's command line. All raise NotYours, NothingOpen.


def open_account(
    session: Session,
    *,
    member: MemberId,
    login: str,
    roles: Collection[Role],
    password_hash: str,
    by: MemberId | None,
    now: datetime,
    must_change: bool = True,
) -> StaffAccount:
    """As `accounts.make`, and told."""
    _may(session, by, now)
    made = accounts.make(
        session,
        member=member,
        login=login,
        roles=roles,
        password_hash=password_hash,
        must_change=must_change,
        now=now,
    )
    _tell_colleagues(session, "opened", made, by=by, now=now)
    return made


def reopen_account(
    session: Session, *, account_id: StaffAccountId, by: MemberId | None, now: datetime
) -> StaffAccount:
    """As `accounts.reopen`, and told."""
    _may(session, by, now)
    opened = accounts.reopen(session, account_id=account_id)
    _tell_colleagues(session, "opened", opened, by=by, now=now)
    return opened


def change_roles(
    session: Session,
    *,
    account_id: StaffAccountId,
    roles: Collection[Role],
    by: MemberId | None,
    now: datetime,
) -> StaffAccount:
    """As `accounts.set_roles`, and told when anything changed."""
    _may(session, by, now)
    before = set(accounts.account(session, account_id).roles)
    changed = accounts.set_roles(session, account_id=account_id, roles=roles)
    if set(roles) != before:
        _tell_colleagues(session, "roles", changed, by=by, now=now)
    return changed


def reset_password(
    session: Session,
    *,
    account_id: StaffAccountId,
    password_hash: str,
    by: MemberId | None,
    now: datetime,
    must_change: bool = True,
) -> StaffAccount:
    """A new password that somebody else knows, until it is changed; one-time codes are off, for
    the phone may be lost. Its sessions end, and it is told."""
    _may(session, by, now)
    changed = accounts.set_password(
        session,
        account_id=account_id,
        password_hash=password_hash,
        must_change=must_change,
        now=now,
    )
    accounts.set_totp(session, account_id=account_id, secret=None)
    _tell_colleagues(session, "reset", changed, by=by, now=now)
    return changed


def close_account(
    session: Session,
    *,
    account_id: StaffAccountId,
    by: MemberId | None,
    now: datetime,
    leaves: bool = False,
) -> StaffAccount:
    """As `accounts.close`, and told as a change of roles: who shuts out the other administrators
    first would do the rest unseen. Whoever leaves the village is told nothing more."""
    _may(session, by, now)
    was_open = accounts.account(session, account_id).closed_at is None
    closed = accounts.close(session, account_id=account_id, now=now)
    if was_open:
        _tell_colleagues(session, "roles", closed, by=by, now=now, owner_too=not leaves)
    return closed


def _may(session: Session, by: MemberId | None, now: datetime) -> None:
    if by is not None:
        require(session, by, Permission.MANAGE_STAFF, now=now)


def _tell_colleagues(
    session: Session,
    what: str,
    account: StaffAccount,
    *,
    by: MemberId | None,
    now: datetime,
    owner_too: bool = True,
) -> None:
    """The owner, and the other administrators; the coordinators where there is no other."""
    owner = MemberId(account.member_id)
    others = {
        MemberId(one.member_id)
        for one in accounts.everybody(session)
        if Role.ADMINISTRATOR in one.roles and one.closed_at is None and one.member.left_at is None
    } - {owner, by}
    if not others:
        others = {MemberId(one.id) for one in members.coordinators(session)} - {owner, by}
    about = f"{account.id}:{now.isoformat()}"
    who = members.member(session, by).name if by is not None else ""
    if owner != by and owner_too:
        tell(session, owner, f"account_{what}", about=about, now=now, by=who)
    for one in sorted(others):
        facts = {"by": who, "colleague": account.member.name}
        tell(session, one, f"colleague_account_{what}", about=about, now=now, **facts)
