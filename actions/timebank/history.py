"""Every hour of a member explained: where it came from or went, and what was left then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import Select

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import MemberId, TransferId
from actions.timebank.model import (
    Account,
    Assignment,
    Member,
    Posting,
    ServiceRequest,
    Transfer,
    Visit,
)
from actions.timebank.states import ServiceKind, TransferKind


@dataclass(frozen=True)
class LedgerLine:
    """One movement as the member sees it."""

    transfer_id: TransferId
    kind: TransferKind
    minutes: int
    """Signed: plus was received, minus was given."""
    occurred_at: datetime
    service_kind: ServiceKind | None
    """What was done; None without a visit. A reversal tells of the visit it undoes."""
    other_name: str | None
    """The neighbour on the other side; None when it was the fund or a reissue."""
    visit_day: date | None
    """The day of the visit by the village's own clock."""
    reason: str
    balance_after: int
    """Posted minutes after this movement."""

    @property
    def balance_before(self) -> int:
        return self.balance_after - self.minutes

    @property
    def day(self) -> date:
        """Of the visit, else of the movement, by the village's own clock."""
        return self.visit_day or self.occurred_at.astimezone(VILLAGE_ZONE).date()

    @property
    def told_as(self) -> str:
        """Which sentence explains it, `utter_history_…`: the same aloud and on paper."""
        gave = self.minutes < 0
        if self.kind is TransferKind.SETTLEMENT:
            return "spent" if gave else "earned"
        if self.kind is TransferKind.GIFT:
            return "given" if gave else "received"
        if self.kind is TransferKind.MERGE:
            return "merged_a_debt" if gave else "merged"
        return "reversed" if self.kind is TransferKind.REVERSAL else "opening"


def _lines() -> Select:
    """A member's movements, newest first, with the visit behind each or behind what it undid."""
    mine = (
        select(
            Posting.transfer_id,
            Posting.minutes,
            func.sum(Posting.minutes).over(order_by=Posting.transfer_id).label("balance_after"),
        )
        .join(Account, Account.id == Posting.account_id)
        .where(Account.member_id == bindparam("member"), Posting.transfer_id < bindparam("before"))
        .order_by(Posting.transfer_id.desc())
        .limit(bindparam("limit"))
        .subquery()
    )
    undone, elder, helper = aliased(Transfer), aliased(Member), aliased(Member)
    return (
        select(
            mine.c.transfer_id,
            mine.c.minutes,
            mine.c.balance_after,
            Transfer.kind,
            Transfer.occurred_at,
            Transfer.reason,
            ServiceRequest.service_kind,
            ServiceRequest.elder_id,
            ServiceRequest.starts_at,
            Visit.checked_in_at,
            elder.name.label("elder_name"),
            helper.name.label("helper_name"),
        )
        .join(Transfer, Transfer.id == mine.c.transfer_id)
        .outerjoin(undone, undone.id == Transfer.reverses_id)
        .outerjoin(Visit, Visit.id == func.coalesce(Transfer.visit_id, undone.visit_id))
        .outerjoin(Assignment, Assignment.id == Visit.assignment_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .outerjoin(elder, elder.id == ServiceRequest.elder_id)
        .outerjoin(helper, helper.id == Assignment.helper_id)
        .order_by(mine.c.transfer_id.desc())
    )


_LINES = _lines()


_AFTER_ALL = TransferId(2**31 - 1)


def history(
    session: Session, member_id: MemberId, *, limit: int, before: TransferId = _AFTER_ALL
) -> list[LedgerLine]:
    """The member's newest `limit` movements before that transfer, newest first; none for a member
    without account."""
    asked = {"member": member_id, "limit": limit, "before": before}
    rows = session.execute(_LINES, asked).all()
    without_visit = [row.transfer_id for row in rows if row.elder_id is None]
    partners = _partners(session, member_id, without_visit)
    return [_line(row, member_id, partners) for row in rows]


def _line(row: Row, member_id: MemberId, partners: dict[TransferId, str]) -> LedgerLine:
    moment = row.checked_in_at
    if moment is None and row.starts_at is not None:
        # A neighbour may come earlier than agreed; the hours were not moved before the visit.
        moment = min(row.starts_at, row.occurred_at)
    if row.elder_id is None:
        other_name = partners.get(row.transfer_id)
    else:
        other_name = row.helper_name if row.elder_id == member_id else row.elder_name
    return LedgerLine(
        transfer_id=row.transfer_id,
        kind=row.kind,
        minutes=row.minutes,
        occurred_at=row.occurred_at,
        service_kind=row.service_kind,
        other_name=other_name,
        visit_day=moment.astimezone(VILLAGE_ZONE).date() if moment else None,
        reason=row.reason,
        balance_after=int(row.balance_after),
    )


def _partners(
    session: Session, member_id: MemberId, transfer_ids: Iterable[TransferId]
) -> dict[TransferId, str]:
    """Who else's account took part in each of these transfers."""
    rows = session.execute(
        select(Posting.transfer_id, Member.name)
        .join(Account, Account.id == Posting.account_id)
        .join(Member, Member.id == Account.member_id)
        .where(Posting.transfer_id.in_(list(transfer_ids)), Member.id != member_id)
    )
    return {transfer_id: name for transfer_id, name in rows}
