"""What came into the village fund and what went out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Account, Posting, Transfer
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import AccountKind, TransferKind


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
    moved = (
        select(Transfer.kind, came_in, func.count(), func.sum(Posting.minutes))
        .select_from(Account)
        .join(Posting, Posting.account_id == Account.id)
        .join(Transfer, Transfer.id == Posting.transfer_id)
        .where(Account.kind == AccountKind.FUND)
        .group_by(Transfer.kind, came_in)
    )
    before = session.execute(moved.where(Transfer.occurred_at < period.begins)).all()
    received, given = dict.fromkeys(TransferKind, 0), dict.fromkeys(TransferKind, 0)
    visits = 0
    for kind, is_in, count, minutes in session.execute(
        moved.where(period.holds(Transfer.occurred_at))
    ):
        (received if is_in else given)[kind] = abs(minutes)
        if kind is TransferKind.SETTLEMENT:
            visits = count
    return FundUse(sum(row[-1] for row in before), received, given, visits)
