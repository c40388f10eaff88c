"""What hangs on the village board: the end of the chain and a month in numbers, without a name.

By the village's rules everybody sees his own account and nobody another's: see `rulebook.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import chain, ledger
from actions.timebank.chain import Head
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import AccountId
from actions.timebank.model import Assignment, Posting, ServiceRequest, Transfer, Visit
from actions.timebank.states import ServiceKind, TransferKind


@dataclass(frozen=True)
class Sum:
    """How often, and how many minutes together."""

    times: int = 0
    minutes: int = 0


@dataclass(frozen=True)
class MonthOf:
    """A month of the village's calendar, and how the books stood at its end or stand now."""

    year: int
    month: int
    over: bool
    """Whether the month has ended: until then its numbers still grow."""
    by_help: Mapping[ServiceKind, Sum]
    """Visits that were paid for in this month, the most minutes first. What was undone since
    stands here and again among the corrections."""
    by_movement: Mapping[TransferKind, Sum]
    fund: int
    """What the fund had at that moment."""
    head: Head

    @property
    def visits(self) -> Sum:
        return self.by_movement.get(TransferKind.SETTLEMENT, Sum())

    @property
    def moved(self) -> int:
        return sum(one.minutes for one in self.by_movement.values())


def month_of(session: Session, year: int, month: int, *, now: datetime) -> MonthOf:
    """Raises ValueError for a month that no calendar has or that has not begun."""
    since = datetime(year, month, 1, tzinfo=VILLAGE_ZONE)
    until = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=VILLAGE_ZONE)
    if since > now:
        raise ValueError(f"{year}-{month} has not begun")
    last = (
        select(Transfer.sequence, Transfer.hash)
        .where(Transfer.occurred_at < until)
        .order_by(Transfer.sequence.desc())
        .limit(1)
    )
    row = session.execute(last).first()
    head = Head(row.sequence, row.hash) if row else Head(0, chain.BEFORE_THE_FIRST)
    fund = AccountId(ledger.fund_account(session).id)
    then = select(func.coalesce(func.sum(Posting.minutes), 0)).where(
        Posting.account_id == fund, Posting.transfer_id <= head.sequence
    )
    return MonthOf(
        year=year,
        month=month,
        over=until <= now,
        by_help=_by_help(session, since, until),
        by_movement=_by_movement(session, since, until),
        fund=int(session.execute(then).scalar_one()),
        head=head,
    )


_TIMES, _MINUTES = func.count(Transfer.id.distinct()), func.sum(Posting.minutes)


def _by_help(session: Session, since: datetime, until: datetime) -> dict[ServiceKind, Sum]:
    rows = session.execute(
        select(ServiceRequest.service_kind, _TIMES, _MINUTES)
        .select_from(Transfer)
        .join(Posting, Posting.transfer_id == Transfer.id)
        .join(Visit, Visit.id == Transfer.visit_id)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .where(Transfer.occurred_at >= since, Transfer.occurred_at < until, Posting.minutes > 0)
        .group_by(ServiceRequest.service_kind)
        .order_by(_MINUTES.desc(), ServiceRequest.service_kind)
    )
    return {kind: Sum(times, minutes) for kind, times, minutes in rows}


def _by_movement(session: Session, since: datetime, until: datetime) -> dict[TransferKind, Sum]:
    rows = session.execute(
        select(Transfer.kind, _TIMES, _MINUTES)
        .join(Posting, Posting.transfer_id == Transfer.id)
        .where(Transfer.occurred_at >= since, Transfer.occurred_at < until, Posting.minutes > 0)
        .group_by(Transfer.kind)
        .order_by(Transfer.kind)
    )
    return {kind: Sum(times, minutes) for kind, times, minutes in rows}
