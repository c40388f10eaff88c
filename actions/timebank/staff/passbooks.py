"""A member's passbook over some days: what she had, each movement, what she has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.history import LedgerLine, history
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.model import Member

MOST_LINES = 20_000
"""More movements than anybody makes in a life."""


@dataclass(frozen=True)
class Page:
    """A sheet of paper: its lines between what is carried over from and to others."""

    number: int
    opening: int
    lines: list[LedgerLine]
    closing: int


@dataclass(frozen=True)
class Passbook:
    member: Member
    first_day: date
    last_day: date
    opening: int
    """Minutes before the first of these days."""
    lines: list[LedgerLine]
    """Oldest first."""
    closing: int
    held: int
    """Held for visits at present; not a part of `closing`'s past."""

    @property
    def received(self) -> int:
        return sum(line.minutes for line in self.lines if line.minutes > 0)

    @property
    def given(self) -> int:
        return -sum(line.minutes for line in self.lines if line.minutes < 0)

    def pages(self, lines_a_page: int) -> list[Page]:
        """At least one, even without lines."""
        pages: list[Page] = []
        opening = self.opening
        for start in range(0, max(1, len(self.lines)), lines_a_page):
            lines = self.lines[start : start + lines_a_page]
            closing = lines[-1].balance_after if lines else opening
            pages.append(Page(len(pages) + 1, opening, lines, closing))
            opening = closing
        return pages


def passbook(session: Session, member_id: MemberId, *, first_day: date, last_day: date) -> Passbook:
    """What moved on these days of the village's calendar. Raises UnknownMember."""
    member = members.member(session, member_id)
    account = AccountId(ledger.account_of(session, member_id).id)
    every = history(session, member_id, limit=MOST_LINES)[::-1]
    earlier = [line for line in every if _day(line) < first_day]
    lines = [line for line in every if first_day <= _day(line) <= last_day]
    opening = earlier[-1].balance_after if earlier else 0
    return Passbook(
        member=member,
        first_day=first_day,
        last_day=last_day,
        opening=opening,
        lines=lines,
        closing=lines[-1].balance_after if lines else opening,
        held=ledger.balance(session, account).held,
    )


def _day(line: LedgerLine) -> date:
    """When it was written down, which is the order of the chain; the visit may be earlier."""
    return line.occurred_at.astimezone(VILLAGE_ZONE).date()
