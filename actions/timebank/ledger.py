"""The double-entry ledger: who holds how many minutes, and why.

Every movement is a transfer whose signed legs sum to zero and whose hash covers the transfer
before it (see `chain`). Nothing is ever changed or taken out: a mistake is put right by a
reversal. Balances are derived from postings and pending holds each time they are asked for.

A member's or the fund's available minutes never go below zero by giving; only a reversal may
take them there, because a wrong transfer must be undone even when its minutes are spent. A
reversal itself cannot be reversed: the way back is a new transfer with its own reason. Nor can a
merge, which moves what one person has, or owes, from one account of his to the other; what a
later reversal leaves in the account that was given up moves on at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.accounts import (
    BalanceOf,
    account_of,
    balance,
    ends_in,
    ensure_village_accounts,
    fund_account,
    look,
    open_account,
    system_account,
)
from actions.timebank.chain import Head, Leg, Verification, head, seal, verify
from actions.timebank.errors import (
    BadMinutes,
    LedgerBroken,
    NotEnoughMinutes,
    NothingOpen,
    UnknownMember,
    WrongState,
)
from actions.timebank.history import LedgerLine, history
from actions.timebank.ids import AccountId, AssignmentId, MemberId, TransferId, VisitId
from actions.timebank.ledger_rows import lock, tail_and_earlier, write
from actions.timebank.model import Account, Hold, Transfer
from actions.timebank.states import AccountKind, HoldState, TransferKind

__all__ = [
    "BalanceOf",
    "Head",
    "LedgerLine",
    "Verification",
    "account_of",
    "balance",
    "ensure_village_accounts",
    "expire_hold",
    "fund_account",
    "gift",
    "grant",
    "head",
    "history",
    "hold",
    "made_before",
    "merge",
    "open_account",
    "post_hold",
    "reverse",
    "system_account",
    "transfer",
    "verify",
    "void_hold",
]


# -- movements --------------------------------------------------------------------------------


def transfer(
    session: Session,
    *,
    kind: TransferKind,
    legs: Mapping[AccountId, int],
    idempotency_key: str,
    now: datetime,
    visit_id: VisitId | None = None,
    reverses_id: TransferId | None = None,
    turn_id: str | None = None,
    reason: str = "",
) -> Transfer:
    """Moves minutes: minus gives, plus receives. The same key again gives back the first transfer.

    Raises NotEnoughMinutes (facts: account_id, needed, available) when a member or the fund would
    go below zero available, except by a reversal or a merge; LedgerBroken when the legs do not
    sum to zero, the key was used for something else, the visit is settled or the transfer
    reversed already.
    """
    legs = dict(legs)
    _check_legs(legs)
    lock(session)
    tail, earlier = tail_and_earlier(session, idempotency_key)
    if earlier is not None:
        return _the_same(session, earlier, kind, legs, visit_id, reverses_id)
    if kind not in (TransferKind.REVERSAL, TransferKind.MERGE):
        _check_cover(session, legs)
    row = {
        "id": tail.sequence + 1,
        "sequence": tail.sequence + 1,
        "kind": kind,
        "visit_id": visit_id,
        "reverses_id": reverses_id,
        "turn_id": turn_id,
        "reason": reason,
        "idempotency_key": idempotency_key,
        "occurred_at": now,
        "previous_hash": tail.hash,
    }
    row["hash"] = seal(row, [Leg(*leg) for leg in legs.items()], tail.hash)
    return write(session, row, legs)


def grant(
    session: Session,
    *,
    account_id: AccountId,
    minutes: int,
    reason: str,
    idempotency_key: str,
    now: datetime,
) -> Transfer:
    """Reissues minutes from the system account to a member or the fund. Raises BadMinutes."""
    _check_positive(minutes)
    return transfer(
        session,
        kind=TransferKind.REISSUE,
        legs={system_account(session).id: -minutes, account_id: minutes},
        reason=reason,
        idempotency_key=idempotency_key,
        now=now,
    )


def gift(
    session: Session,
    *,
    giver: MemberId,
    receiver: MemberId | None,
    minutes: int,
    idempotency_key: str,
    now: datetime,
    turn_id: str | None = None,
    reason: str = "",
) -> Transfer:
    """One member gives minutes to another, or to the village fund (`receiver` None). Raises
    BadMinutes, NotEnoughMinutes, and UnknownMember when one of them has no account or both are
    the same person."""
    _check_positive(minutes)
    if giver == receiver:
        raise UnknownMember("a gift needs somebody else to receive it")
    return transfer(
        session,
        kind=TransferKind.GIFT,
        legs={
            account_of(session, giver).id: -minutes,
            _receiving(session, receiver).id: minutes,
        },
        turn_id=turn_id,
        reason=reason,
        idempotency_key=idempotency_key,
        now=now,
    )


def reverse(
    session: Session,
    *,
    transfer_id: TransferId,
    reason: str,
    idempotency_key: str,
    now: datetime,
) -> Transfer:
    """Posts the exact opposite legs of a transfer, even when that takes a member below zero.

    Raises NothingOpen when there is no such transfer, WrongState when it is itself a reversal or
    a merge (facts: state is its kind) or was reversed under another key (state="reversed").
    """
    lock(session)
    wrong = session.get(Transfer, transfer_id)
    if wrong is None:
        raise NothingOpen(f"there is no transfer {transfer_id}")
    if wrong.kind in (TransferKind.REVERSAL, TransferKind.MERGE):
        raise WrongState(f"a {wrong.kind.value} stands for good", state=wrong.kind.value)
    done = session.scalar(select(Transfer).where(Transfer.reverses_id == transfer_id))
    if done is not None and done.idempotency_key != idempotency_key:
        raise WrongState(f"transfer {transfer_id} was reversed before", state="reversed")
    legs = _legs_of(wrong)
    undone = transfer(
        session,
        kind=TransferKind.REVERSAL,
        legs={account_id: -minutes for account_id, minutes in legs.items()},
        reverses_id=transfer_id,
        reason=reason,
        idempotency_key=idempotency_key,
        now=now,
    )
    for account_id in legs:
        kept, key = ends_in(session, account_id), f"{idempotency_key}:{account_id}"
        if kept != account_id:
            merge(
                session, double=account_id, kept=kept, idempotency_key=key, now=now, reason=reason
            )
    return undone


def merge(
    session: Session,
    *,
    double: AccountId,
    kept: AccountId,
    idempotency_key: str,
    now: datetime,
    reason: str = "",
) -> Transfer | None:
    """Moves all that the double's account has, or owes, to the kept one; None when that is
    nothing. Raises WrongState (facts: state="held") while minutes of the double are held."""
    lock(session)
    has = balance(session, double)
    if has.held:
        raise WrongState(f"account {double} has {has.held} minutes held", state="held")
    if not has.posted:
        return None
    return transfer(
        session,
        kind=TransferKind.MERGE,
        legs={double: -has.posted, kept: has.posted},
        reason=reason,
        idempotency_key=idempotency_key,
        now=now,
    )


def made_before(session: Session, idempotency_key: str) -> bool:
    """Whether a transfer was made under this key already."""
    return tail_and_earlier(session, idempotency_key)[1] is not None


def _receiving(session: Session, receiver: MemberId | None) -> Account:
    return fund_account(session) if receiver is None else account_of(session, receiver)


def _check_positive(minutes: int) -> None:
    if minutes <= 0:
        raise BadMinutes(f"{minutes} minutes cannot be given", minutes=minutes)


def _check_legs(legs: Mapping[AccountId, int]) -> None:
    if len(legs) < 2 or 0 in legs.values() or sum(legs.values()) != 0:
        raise LedgerBroken(f"legs must move something and sum to zero: {legs}")


def _the_same(
    session: Session,
    earlier_id: TransferId,
    kind: TransferKind,
    legs: Mapping[AccountId, int],
    visit_id: VisitId | None,
    reverses_id: TransferId | None,
) -> Transfer:
    """The transfer made under this key before, if it is what is asked for now."""
    earlier: Transfer = session.get(Transfer, earlier_id)
    made = (earlier.kind, _legs_of(earlier), earlier.visit_id, earlier.reverses_id)
    if made != (kind, legs, visit_id, reverses_id):
        raise LedgerBroken(f"the key {earlier.idempotency_key!r} was used for another transfer")
    return earlier


def _legs_of(made: Transfer) -> dict[AccountId, int]:
    return {posting.account_id: posting.minutes for posting in made.postings}


def _check_cover(session: Session, legs: Mapping[AccountId, int]) -> None:
    for account_id, minutes in legs.items():
        if minutes < 0:
            kind, has = look(session, account_id)
            if kind is not AccountKind.SYSTEM and -minutes > has.available:
                raise _not_enough(account_id, -minutes, has)


def _not_enough(account_id: AccountId, needed: int, has: BalanceOf) -> NotEnoughMinutes:
    return NotEnoughMinutes(
        f"account {account_id} has {has.available} minutes, {needed} are needed",
        account_id=account_id,
        needed=needed,
        available=has.available,
    )


# -- holds ------------------------------------------------------------------------------------


def hold(
    session: Session,
    *,
    account_id: AccountId,
    assignment_id: AssignmentId,
    minutes: int,
    now: datetime,
) -> Hold:
    """Sets minutes aside for an assignment. The same hold again gives back the pending one.

    Raises BadMinutes, NotEnoughMinutes, and WrongState (facts: state, minutes) when this account
    already holds another number of minutes for the assignment: void that first.
    """
    _check_positive(minutes)
    lock(session)
    pending: Hold | None = session.scalar(
        select(Hold).where(
            Hold.assignment_id == assignment_id,
            Hold.account_id == account_id,
            Hold.state == HoldState.PENDING,
        )
    )
    if pending is not None and pending.minutes != minutes:
        raise WrongState("held already", state=pending.state, minutes=pending.minutes)
    if pending is not None:
        return pending
    has = balance(session, account_id)
    if minutes > has.available:
        raise _not_enough(account_id, minutes, has)
    made = Hold(
        account_id=account_id,
        assignment_id=assignment_id,
        minutes=minutes,
        state=HoldState.PENDING,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def post_hold(session: Session, hold: Hold, *, now: datetime) -> Hold:
    """Frees the minutes because the visit is being settled: the caller transfers what was really
    done in the same unit of work. Posted before: unchanged. Ended otherwise: WrongState."""
    return _end_hold(session, hold, HoldState.POSTED, now)


def void_hold(session: Session, hold: Hold, *, now: datetime) -> Hold:
    """Gives the minutes back because the visit was called off; refuses as `post_hold` does."""
    return _end_hold(session, hold, HoldState.VOIDED, now)


def expire_hold(session: Session, hold: Hold, *, now: datetime) -> Hold:
    """Gives the minutes back because the visit never came; refuses as `post_hold` does."""
    return _end_hold(session, hold, HoldState.EXPIRED, now)


def _end_hold(session: Session, hold: Hold, end: HoldState, now: datetime) -> Hold:
    lock(session)
    session.refresh(hold)
    if hold.state is not HoldState.PENDING and hold.state is not end:
        raise WrongState(f"hold {hold.id} has ended", state=hold.state)
    if hold.state is HoldState.PENDING:
        hold.state, hold.ended_at = end, now
        session.flush()
    return hold
