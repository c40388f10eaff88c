"""Every transfer with what is behind it: who, which visit, whose word, which proposal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload
from sqlalchemy.sql import Select

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import AccountId, MemberId, RequestId, TransferId
from actions.timebank.model import (
    Account,
    Assignment,
    Confirmation,
    Member,
    Posting,
    Proposal,
    ServiceRequest,
    Transfer,
    Turn,
    Visit,
)
from actions.timebank.states import AccountKind, ServiceKind, TransferKind

AT_ONCE = 500
"""How many are read at a time when all are wanted."""


@dataclass(frozen=True)
class Side:
    """One leg of a transfer."""

    account_id: AccountId
    kind: AccountKind
    member_id: MemberId | None
    name: str | None
    minutes: int


@dataclass(frozen=True)
class Entry:
    """One transfer as the village's books show it."""

    transfer_id: TransferId
    kind: TransferKind
    occurred_at: datetime
    reason: str
    turn_id: str | None
    reverses_id: TransferId | None
    reversed_by: TransferId | None
    request_id: RequestId | None
    """The request behind it, or behind what it undid."""
    service_kind: ServiceKind | None
    elder: str | None
    helper: str | None
    visit_at: datetime | None
    hash: str
    previous_hash: str
    sides: list[Side] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """What moved: the sum of all that was received."""
        return sum(side.minutes for side in self.sides if side.minutes > 0)

    @property
    def givers(self) -> list[Side]:
        return [side for side in self.sides if side.minutes < 0]

    @property
    def receivers(self) -> list[Side]:
        return [side for side in self.sides if side.minutes > 0]

    @property
    def visit_day(self) -> date | None:
        if self.visit_at is None:
            return None
        # A neighbour may come earlier than agreed; the hours were not moved before the visit.
        return min(self.visit_at, self.occurred_at).astimezone(VILLAGE_ZONE).date()

    def of(self, account_id: AccountId) -> int:
        """What it added to this account."""
        return sum(side.minutes for side in self.sides if side.account_id == account_id)


@dataclass(frozen=True)
class Behind:
    """Who said or decided what a transfer rests on."""

    confirmations: list[Confirmation]
    turn: Turn | None
    """The turn in which it came about, when it was one."""
    proposals: list[Proposal]
    """Which made it, and which wished it undone."""


@dataclass(frozen=True)
class Wanted:
    """Which transfers; nothing given means all."""

    kind: TransferKind | None = None
    account_id: AccountId | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""


def entries(
    session: Session, wanted: Wanted, *, limit: int, before: TransferId | None = None
) -> list[Entry]:
    """A page of transfers, newest first; `before` is the last of the page before."""
    query = _entries().order_by(Transfer.id.desc()).limit(limit)
    return _with_sides(session, _only(query, wanted, before))


def every(session: Session, wanted: Wanted, *, most: int) -> Iterator[Entry]:
    """The newest `most` transfers, newest first, without holding all of them."""
    before: TransferId | None = None
    while most > 0:
        page = entries(session, wanted, limit=min(AT_ONCE, most), before=before)
        yield from page
        if len(page) < min(AT_ONCE, most):
            return
        most, before = most - len(page), page[-1].transfer_id


def entry(session: Session, transfer_id: TransferId) -> Entry:
    """Raises NothingOpen when there is none."""
    found = _with_sides(session, _entries().where(Transfer.id == transfer_id))
    if not found:
        raise NothingOpen(f"there is no transfer {transfer_id}")
    return found[0]


def behind(session: Session, transfer_id: TransferId) -> Behind:
    """What this transfer rests on; of a reversal also what the wrong one rested on."""
    made: Transfer = session.get(Transfer, transfer_id)
    wrong = session.get(Transfer, made.reverses_id) if made.reverses_id else None
    visit_id = made.visit_id or (wrong.visit_id if wrong is not None else None)
    said = (
        select(Confirmation)
        .where(Confirmation.visit_id == visit_id)
        .order_by(Confirmation.made_at, Confirmation.id)
    )
    either = (Proposal.reverses_id == transfer_id) | (Proposal.transfer_id == transfer_id)
    proposed = (
        select(Proposal)
        .where(either)
        .options(joinedload(Proposal.proposed_by), joinedload(Proposal.decided_by))
        .order_by(Proposal.id)
    )
    return Behind(
        confirmations=list(session.execute(said).scalars()) if visit_id else [],
        turn=session.get(Turn, made.turn_id) if made.turn_id else None,
        proposals=list(session.execute(proposed).scalars()),
    )


def known_turns(session: Session, turn_ids: Iterable[str | None]) -> frozenset[str]:
    """Which of these turns are in the log: what staff did is none."""
    named = {turn_id for turn_id in turn_ids if turn_id}
    found = select(Turn.id).where(Turn.id.in_(sorted(named)))
    return frozenset(session.execute(found).scalars()) if named else frozenset()


def posted_until(session: Session, account_id: AccountId, transfer_id: TransferId) -> int:
    """What the account had right after that transfer."""
    until = select(func.coalesce(func.sum(Posting.minutes), 0)).where(
        Posting.account_id == account_id, Posting.transfer_id <= transfer_id
    )
    return int(session.execute(until).scalar_one())


def _only(query: Select, wanted: Wanted, before: TransferId | None) -> Select:
    if wanted.account_id is not None:
        mine = select(Posting.transfer_id).where(Posting.account_id == wanted.account_id)
        query = query.where(Transfer.id.in_(mine))
    for value, condition in (
        (wanted.kind, Transfer.kind == wanted.kind),
        (wanted.since, Transfer.occurred_at >= wanted.since if wanted.since else None),
        (wanted.until, Transfer.occurred_at < wanted.until if wanted.until else None),
        (before, Transfer.id < before if before else None),
    ):
        if value is not None:
            query = query.where(condition)
    return query


def _entries() -> Select:
    undone, undoing = aliased(Transfer), aliased(Transfer)
    elder, helper = aliased(Member), aliased(Member)
    return (
        select(
            Transfer.id.label("transfer_id"),
            Transfer.kind,
            Transfer.occurred_at,
            Transfer.reason,
            Transfer.turn_id,
            Transfer.reverses_id,
            undoing.id.label("reversed_by"),
            ServiceRequest.id.label("request_id"),
            ServiceRequest.service_kind,
            elder.name.label("elder"),
            helper.name.label("helper"),
            func.coalesce(Visit.checked_in_at, ServiceRequest.starts_at).label("visit_at"),
            Transfer.hash,
            Transfer.previous_hash,
        )
        .outerjoin(undone, undone.id == Transfer.reverses_id)
        .outerjoin(undoing, undoing.reverses_id == Transfer.id)
        .outerjoin(Visit, Visit.id == func.coalesce(Transfer.visit_id, undone.visit_id))
        .outerjoin(Assignment, Assignment.id == Visit.assignment_id)
        .outerjoin(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .outerjoin(elder, elder.id == ServiceRequest.elder_id)
        .outerjoin(helper, helper.id == Assignment.helper_id)
    )


def _with_sides(session: Session, query: Select) -> list[Entry]:
    found = [Entry(**row) for row in session.execute(query).mappings()]
    legs = (
        select(
            Posting.transfer_id,
            Posting.account_id,
            Account.kind,
            Account.member_id,
            Member.name,
            Posting.minutes,
        )
        .join(Account, Account.id == Posting.account_id)
        .outerjoin(Member, Member.id == Account.member_id)
        .where(Posting.transfer_id.in_([one.transfer_id for one in found]))
        .order_by(Posting.transfer_id, Posting.minutes, Posting.account_id)
    )
    sides: dict[int, list[Side]] = defaultdict(list)
    for transfer_id, *leg in session.execute(legs):
        sides[transfer_id].append(Side(*leg))
    for one in found:
        one.sides.extend(sides[one.transfer_id])
    return found
