"""The movements of minutes that staff may propose: putting a transfer right, and granting hours.

Each kind knows whom it concerns, what is in its way, what it would do to whose balance, and how it
is done. `proposals` asks for a second person; here nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.errors import BadMinutes, NotEnoughMinutes, NothingOpen, WrongState
from actions.timebank.ids import AccountId, MemberId, TransferId
from actions.timebank.model import Account, Assignment, Proposal, ServiceRequest, Transfer, Visit
from actions.timebank.notices import tell
from actions.timebank.states import AccountKind, TransferKind

MOST_TO_A_MEMBER = 100 * 60
"""Minutes that one grant may give a member: what is more was surely mistyped."""

MOST_TO_THE_FUND = 1_000 * 60

UNDOABLE = frozenset({TransferKind.SETTLEMENT, TransferKind.GIFT, TransferKind.REISSUE})
"""A reversal stands for good, and what else the ledger will not undo."""


class Movement(Protocol):
    """One kind of proposal."""

    def parties(self, session: Session, proposal: Proposal) -> set[MemberId]:
        """Whose hours it is about: none of them proposes or approves it."""

    def check(self, session: Session, proposal: Proposal) -> None:
        """Raises the refusal that stands in the way; asked when proposing and when approving."""

    def legs(self, session: Session, proposal: Proposal) -> Mapping[AccountId, int]:
        """What it adds to each account, signed minutes. Sums to zero."""

    def perform(
        self, session: Session, proposal: Proposal, *, by: MemberId, now: datetime
    ) -> TransferId | None:
        """Does it, in the transaction in which `by` approves it. None when no minutes moved."""


class Reversal:
    """The exact opposite of a transfer, even of hours that are spent: see `ledger`."""

    def parties(self, session: Session, proposal: Proposal) -> set[MemberId]:
        wrong = _wrong(session, proposal)
        owners = {posting.account.member_id for posting in wrong.postings}
        if wrong.visit_id is not None:
            # The fund may have paid for her: the visit was hers all the same.
            sides = (
                select(ServiceRequest.elder_id, Assignment.helper_id)
                .join(Assignment, Assignment.request_id == ServiceRequest.id)
                .join(Visit, Visit.assignment_id == Assignment.id)
                .where(Visit.id == wrong.visit_id)
            )
            owners.update(session.execute(sides).one())
        return {MemberId(owner) for owner in owners if owner is not None}

    def check(self, session: Session, proposal: Proposal) -> None:
        """Raises NothingOpen, WrongState (facts: state="reversal", "merge" or "reversed")."""
        wrong = _wrong(session, proposal)
        if wrong.kind not in UNDOABLE:
            raise WrongState(f"a {wrong.kind.value} stands for good", state=wrong.kind.value)
        undone = select(Transfer.id).where(Transfer.reverses_id == wrong.id)
        if session.execute(undone).first() is not None:
            raise WrongState(f"transfer {wrong.id} was reversed before", state="reversed")

    def legs(self, session: Session, proposal: Proposal) -> Mapping[AccountId, int]:
        wrong = _wrong(session, proposal)
        return {AccountId(leg.account_id): -leg.minutes for leg in wrong.postings}

    def perform(
        self, session: Session, proposal: Proposal, *, by: MemberId, now: datetime
    ) -> TransferId:
        undone = ledger.reverse(
            session,
            transfer_id=TransferId(proposal.reverses_id),
            reason=proposal.reason,
            idempotency_key=_key(proposal),
            now=now,
        )
        for account_id, minutes in self.legs(session, proposal).items():
            up_or_down = "hours_corrected_up" if minutes > 0 else "hours_corrected_down"
            _tell(session, proposal, up_or_down, account_id, minutes, by=by, now=now)
        return TransferId(undone.id)


class Grant:
    """Hours for a member or the fund: newly issued, or to a member out of the fund."""

    def parties(self, session: Session, proposal: Proposal) -> set[MemberId]:
        owner = _receiver(session, proposal).member_id
        return set() if owner is None else {MemberId(owner)}

    def check(self, session: Session, proposal: Proposal) -> None:
        """Raises BadMinutes (facts: minutes, most), NothingOpen when the receiver is no account
        that can be given to, UnknownMember when she has left, NotEnoughMinutes of the fund."""
        receiver = _receiver(session, proposal)
        to_fund = receiver.kind is AccountKind.FUND
        if receiver.kind is AccountKind.SYSTEM or (to_fund and _from_fund(proposal)):
            raise NothingOpen(f"account {receiver.id} is not given to from {proposal.source}")
        if receiver.member_id is not None:
            members.present(session, MemberId(receiver.member_id))
        most = MOST_TO_THE_FUND if to_fund else MOST_TO_A_MEMBER
        if not 0 < proposal.minutes <= most:
            raise BadMinutes(f"{proposal.minutes} minutes", minutes=proposal.minutes, most=most)
        if _from_fund(proposal):
            has = ledger.balance(session, AccountId(ledger.fund_account(session).id)).available
            if has < proposal.minutes:
                raise NotEnoughMinutes(needed=proposal.minutes, available=max(0, has))

    def legs(self, session: Session, proposal: Proposal) -> Mapping[AccountId, int]:
        giver = ledger.fund_account if _from_fund(proposal) else ledger.system_account
        return {
            AccountId(giver(session).id): -proposal.minutes,
            AccountId(proposal.account_id): proposal.minutes,
        }

    def perform(
        self, session: Session, proposal: Proposal, *, by: MemberId, now: datetime
    ) -> TransferId:
        granted = ledger.transfer(
            session,
            kind=TransferKind.GIFT if _from_fund(proposal) else TransferKind.REISSUE,
            legs=self.legs(session, proposal),
            reason=proposal.reason,
            idempotency_key=_key(proposal),
            now=now,
        )
        account_id = AccountId(proposal.account_id)
        _tell(session, proposal, "hours_granted", account_id, proposal.minutes, by=by, now=now)
        return TransferId(granted.id)


def _tell(
    session: Session,
    proposal: Proposal,
    notice: str,
    account_id: AccountId,
    minutes: int,
    *,
    by: MemberId,
    now: datetime,
) -> None:
    """Tells the owner what was done, by whom and why; of the fund and the system nobody."""
    owner = session.get(Account, account_id).member_id
    if owner is None:
        return
    balance = ledger.balance(session, account_id).posted
    if balance < 0:
        notice += "_owing"
    tell(
        session,
        MemberId(owner),
        notice,
        about=_key(proposal),
        now=now,
        minutes=abs(minutes),
        balance=balance,
        owed=-balance,
        proposer=proposal.proposed_by.name,
        approver=members.member(session, by).name,
        reason=proposal.reason,
    )


def _key(proposal: Proposal) -> str:
    return f"proposal:{proposal.id}"


def _wrong(session: Session, proposal: Proposal) -> Transfer:
    wrong: Transfer | None = session.get(Transfer, proposal.reverses_id)
    if wrong is None:
        raise NothingOpen(f"there is no transfer {proposal.reverses_id}")
    return wrong


def _receiver(session: Session, proposal: Proposal) -> Account:
    receiver: Account | None = session.get(Account, proposal.account_id)
    if receiver is None:
        raise NothingOpen(f"there is no account {proposal.account_id}")
    return receiver


def _from_fund(proposal: Proposal) -> bool:
    return bool(proposal.source is AccountKind.FUND)
