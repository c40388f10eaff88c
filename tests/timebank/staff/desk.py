"""Two people of the staff for the tests of what staff do."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Role
from tests.timebank.builders import MORNING, make_member


def hired(session: Session, name: str, *roles: Role) -> MemberId:
    """A member of the staff in these roles."""
    member = MemberId(make_member(session, name, now=MORNING).id)
    login = f"staff{member}"
    accounts.make(session, member=member, login=login, roles=roles, password_hash="x", now=MORNING)
    return member
