"""All accounts of the village at one look, and the checks of its chain.

Everything here only looks, but for `note_check`, which writes down that somebody looked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql import Select

from actions.timebank import chain, ledger
from actions.timebank.chain import Head, Verification
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.ledger import BalanceOf
from actions.timebank.model import (
    Account,
    Assignment,
    ChainCheck,
    Hold,
    Member,
    Posting,
    ServiceRequest,
    Transfer,
)
from actions.timebank.states import AccountKind, HoldState


@dataclass(frozen=True)
class Overview:
    """How the books stand, in minutes."""

    sum: int
    """Over all accounts: zero, or the ledger is broken."""
    accounts: int
    with_members: int
    """The sum of what members have."""
    owing: int
    """How many members are below zero."""
    fund: BalanceOf
    issued: int
    """All that the system account ever gave out, less what came back."""
    held: int
    head: Head
    head_at: datetime | None
    last_check: ChainCheck | None


class Order(str, Enum):
    NAME = "name"
    POSTED = "posted"
    HELD = "held"
    AVAILABLE = "available"


@dataclass(frozen=True)
class AccountLine:
    account_id: AccountId
    kind: AccountKind
    member_id: MemberId | None
    name: str
    nickname: str | None
    place: str
    left_at: datetime | None
    posted: int
    held: int

    @property
    def available(self) -> int:
        return self.posted - self.held


@dataclass(frozen=True)
class Waiting:
    """Minutes that wait for a visit."""

    hold: Hold
    request: ServiceRequest
    helper: Member


def overview(session: Session) -> Overview:
    posted: dict[AccountKind, int] = defaultdict(int)
    owing = 0
    for kind, minutes in session.execute(_posted_by_account()):
        posted[kind] += int(minutes)
        owing += kind is AccountKind.MEMBER and minutes < 0
    held = select(func.sum(Hold.minutes)).where(Hold.state == HoldState.PENDING)
    head = chain.head(session)
    head_at = select(Transfer.occurred_at).where(Transfer.sequence == head.sequence)
    return Overview(
        sum=sum(posted.values()),
        accounts=_count(session, select(func.count()).select_from(Account)),
        with_members=posted[AccountKind.MEMBER],
        owing=owing,
        fund=ledger.balance(session, AccountId(ledger.fund_account(session).id)),
        issued=-posted[AccountKind.SYSTEM],
        held=_count(session, held),
        head=head,
        head_at=session.execute(head_at).scalar_one_or_none(),
        last_check=last_check(session),
    )


def accounts(
    session: Session,
    *,
    limit: int,
    order: Order = Order.NAME,
    search: str = "",
    after: tuple[Any, int] | None = None,
) -> list[AccountLine]:
    """A page of accounts: by name rising, by minutes falling. `after` is `cursor` of the last line
    of the page before. `search` is a part of a name or nickname, or a member's number."""
    lines = _lines().subquery()
    wanted = select(lines)
    if search.strip():
        wanted = wanted.where(_called(lines, search.strip()))
    key, rising = lines.c[order.value], order is Order.NAME
    if after is not None:
        value, account_id = after
        beyond = key > value if rising else key < value
        wanted = wanted.where(or_(beyond, and_(key == value, lines.c.account_id > account_id)))
    wanted = wanted.order_by(key if rising else key.desc(), lines.c.account_id).limit(limit)
    return [_line(row) for row in session.execute(wanted)]


def cursor(line: AccountLine, order: Order) -> tuple[Any, int]:
    """Where the next page of `accounts` goes on."""
    return getattr(line, order.value), line.account_id


def account(session: Session, account_id: AccountId) -> AccountLine:
    """Raises NothingOpen when there is none."""
    row = session.execute(_lines().where(Account.id == account_id)).first()
    if row is None:
        raise NothingOpen(f"there is no account {account_id}")
    return _line(row)


def waiting(session: Session, account_id: AccountId) -> list[Waiting]:
    """What this account's held minutes wait for, the soonest first."""
    held = (
        select(Hold, ServiceRequest, Member)
        .join(Assignment, Assignment.id == Hold.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .join(Member, Member.id == Assignment.helper_id)
        .where(Hold.account_id == account_id, Hold.state == HoldState.PENDING)
        .options(joinedload(ServiceRequest.elder))
        .order_by(ServiceRequest.starts_at, Hold.id)
    )
    return [Waiting(*row) for row in session.execute(held)]


# -- the chain --------------------------------------------------------------------------------


def last_check(session: Session) -> ChainCheck | None:
    newest = select(ChainCheck).options(joinedload(ChainCheck.by)).order_by(ChainCheck.id.desc())
    return cast("ChainCheck | None", session.execute(newest.limit(1)).scalar_one_or_none())


def note_check(session: Session, found: Verification, *, by: MemberId, now: datetime) -> ChainCheck:
    """Writes down that somebody had the chain checked. The check itself is made before and
    outside: it may take seconds, in which others write."""
    noted = ChainCheck(
        by_id=by, at=now, transfers=found.transfers, head=found.head, first_bad=found.first_bad
    )
    session.add(noted)
    session.flush()
    return noted


SHORTEST_PRINTED = 16
"""Hexadecimal digits of a printed hash that are enough to compare: nobody finds another
transfer with the same 64 bits."""


def printed_head(session: Session, sequence: int, typed: str) -> Head:
    """The head that somebody typed from paper, whole or its beginning, to give to `chain.verify`.
    A beginning of at least `SHORTEST_PRINTED` that fits stands for the whole."""
    stored = session.execute(
        select(Transfer.hash).where(Transfer.sequence == sequence)
    ).scalar_one_or_none()
    fits = stored is not None and len(typed) >= SHORTEST_PRINTED and stored.startswith(typed)
    return Head(sequence, cast(str, stored) if fits else typed)


# -- how it is asked --------------------------------------------------------------------------


def _count(session: Session, query: Select) -> int:
    return int(session.execute(query).scalar_one() or 0)


def _posted_by_account() -> Select:
    """One pass over an index, which is all that the overview's sums take."""
    posted = (
        select(Posting.account_id, func.sum(Posting.minutes).label("minutes"))
        .group_by(Posting.account_id)
        .subquery()
    )
    return select(Account.kind, posted.c.minutes).join(posted, posted.c.account_id == Account.id)


def _lines() -> Select:
    posted = (
        select(Posting.account_id, func.sum(Posting.minutes).label("minutes"))
        .group_by(Posting.account_id)
        .subquery()
    )
    held = (
        select(Hold.account_id, func.sum(Hold.minutes).label("minutes"))
        .where(Hold.state == HoldState.PENDING)
        .group_by(Hold.account_id)
        .subquery()
    )
    has, keeps = func.coalesce(posted.c.minutes, 0), func.coalesce(held.c.minutes, 0)
    # The village's own accounts have no name: they come first.
    name = case((Account.member_id.is_(None), ""), else_=Member.name)
    return (
        select(
            Account.id.label("account_id"),
            Account.kind,
            Account.member_id,
            name.label("name"),
            Member.nickname,
            func.coalesce(Member.place, "").label("place"),
            Member.left_at,
            has.label("posted"),
            keeps.label("held"),
            (has - keeps).label("available"),
        )
        .outerjoin(Member, Member.id == Account.member_id)
        .outerjoin(posted, posted.c.account_id == Account.id)
        .outerjoin(held, held.c.account_id == Account.id)
    )


def _called(lines: Any, search: str) -> Any:
    part = lines.c.name.contains(search, autoescape=True)
    nickname = lines.c.nickname.contains(search, autoescape=True)
    if search.isascii() and search.isdigit() and len(search) < 10:
        return or_(part, nickname, lines.c.member_id == int(search))
    return or_(part, nickname)


def _line(row: Any) -> AccountLine:
    return AccountLine(
        account_id=row.account_id,
        kind=row.kind,
        member_id=row.member_id,
        name=row.name,
        nickname=row.nickname,
        place=row.place,
        left_at=row.left_at,
        posted=int(row.posted),
        held=int(row.held),
    )
