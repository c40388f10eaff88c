"""Who stands at the door: from the secret in a link to a member of the village."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.session import Village
from bot.links import TalkLinks


class LinkRevoked(Exception):
    """The link was good once; staff have given a newer one, or the member has left."""

    code = "link_revoked"


@dataclass(frozen=True)
class Guest:
    member: MemberId
    name: str
    token: str
    place: str
    is_coordinator: bool
    takes_tasks: bool
    patience_ms: int


class Door:
    """Checks links against the database at every request, so that revoking works at once."""

    def __init__(self, village: Village, links: TalkLinks) -> None:
        self._village = village
        self._links = links

    async def admit(self, token: str) -> Guest:
        """Raises BadLink or LinkRevoked."""
        member_id, serial = self._links.read(token)
        return await run_in_threadpool(self._look_up, member_id, serial)

    async def everybody(self) -> list[Guest]:
        """All present members with their links: for the demo village only."""
        return await run_in_threadpool(self._list)

    def _look_up(self, member_id: MemberId, serial: int) -> Guest:
        with self._village.reading() as session:
            found = session.get(Member, member_id)
            if found is None or found.left_at is not None or found.link_serial != serial:
                raise LinkRevoked(f"member {member_id}, serial {serial}")
            return self._guest(found)

    def _list(self) -> list[Guest]:
        with self._village.reading() as session:
            present = select(Member).where(Member.left_at.is_(None)).order_by(Member.id)
            return [self._guest(member) for member in session.execute(present).scalars()]

    def _guest(self, member: Member) -> Guest:
        return Guest(
            member=MemberId(member.id),
            name=member.name,
            token=self._links.token_for(MemberId(member.id), member.link_serial),
            place=member.place,
            is_coordinator=member.is_coordinator,
            takes_tasks=member.takes_tasks,
            patience_ms=member.patience_ms,
        )
