"""What came into the village fund and what went out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from actions.timebank.accounts import fund_account
from actions.timebank.model import Posting, Transfer
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import TransferKind


@dataclass(frozen=True)
class FundUse:
    """Minutes. Here reversals count, in the period in which they were made: it is the book."""

    opening: int
    """What it held when the period began."""
    received: Mapping[TransferKind, int]
    """What came in, by kind; every kind is there."""
    given: Mapping[TransferKind, int]
    """What went out, by kind; every kind is there."""
    visits: int
    """How many visits it bore a part of."""

    @property
    def closing(self) -> int:
        return self.opening + sum(self.received.values()) - sum(self.given.values())


def fund_use(session: Session, period: Period) -> FundUse:
    came_in = case((Posting.minutes > 0, 1), else_=0).label("came_in")
    is_before = case((Transfer.occurred_at < period.begins, 1), else_=0).label("is_before")
    rows = session.execute(
        select(is_before, Transfer.kind, came_in, func.count(), func.sum(Posting.minutes))
        .join(Transfer, Transfer.id == Posting.transfer_id)
        .where(
            # Its number, not a join: so the fund's postings are found by their index.
            Posting.account_id == fund_account(session).id,
            Transfer.occurred_at < period.ends,
        )
        .group_by(is_before, Transfer.kind, came_in)
    )
    received, given = dict.fromkeys(TransferKind, 0), dict.fromkeys(TransferKind, 0)
    opening = visits = 0
    for was_before, kind, is_in, count, minutes in rows:
        if was_before:
            opening += minutes
            continue
        (received if is_in else given)[kind] = abs(minutes)
        if kind is TransferKind.SETTLEMENT:
            visits = count
    return FundUse(opening, received, given, visits)
