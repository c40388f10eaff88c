"""The village office: who works there, and people who come to the counter."""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member
from actions.timebank.staff import accounts
from actions.timebank.staff.counter import CameIn
from actions.timebank.staff.roles import Role
from tests.timebank.builders import make_member
from tests.timebank.neighbourhood import Neighbourhood, settle_in

_forms = count(1)


def employ(session: Session, person: Member, *roles: Role) -> Member:
    """Gives somebody an account in the console."""
    accounts.make(
        session,
        member=MemberId(person.id),
        login=f"staff{person.id}",
        roles=roles,
        password_hash="x",
        now=person.joined_at,
    )
    return person


class Office(Neighbourhood):
    """The neighbourhood; in the console 陈干事 and 周干事 coordinate and 吴调解 mediates."""

    zhou: Member
    wu: Member

    def came(self, who: Member, words: str = "我自己来说一声", **fields: Any) -> CameIn:
        given: dict[str, Any] = {
            "member": MemberId(who.id),
            "staff": MemberId(self.staff.id),
            "turn_id": TurnId(f"console:{next(_forms)}"),
            "words": words,
            "now": self.now,
        }
        return CameIn(**{**given, **fields})


def open_office(session: Session, now: Any) -> Office:
    hood = settle_in(session, now)
    office = Office(**vars(hood))
    office.zhou = make_member(session, "周干事", now=now, is_coordinator=True)
    office.wu = make_member(session, "吴调解", now=now)
    employ(session, office.staff, Role.COORDINATOR)
    employ(session, office.zhou, Role.COORDINATOR)
    employ(session, office.wu, Role.MEDIATOR)
    return office
