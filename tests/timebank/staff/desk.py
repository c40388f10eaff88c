"""Two people of the staff for the tests of what staff do."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.staff.roles import Role
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.office import employ


def hired(session: Session, name: str, *roles: Role) -> MemberId:
    """A member of the staff in these roles."""
    return MemberId(employ(session, make_member(session, name, now=MORNING), *roles).id)
