"""Movements that two people of the staff make together: one proposes, another lets it happen.

Whoever is concerned does neither. What is approved happens in the transaction of the approval,
once: of two who approve at the same time the second is told WrongState. Members whose hours moved
are told who did it and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from actions.timebank import ledger, members
from actions.timebank.errors import (
    ChangedMeanwhile,
    NothingOpen,
    NotYours,
    Refusal,
    WrongState,
)
from actions.timebank.ids import AccountId, MemberId, ProposalId, TransferId
from actions.timebank.model import Account, Member, Proposal
from actions.timebank.staff.accounts import not_for_self, require, second_person
from actions.timebank.staff.merging import Union
from actions.timebank.staff.movements import Grant, Movement, Reversal
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    ProposalKind,
    ProposalState,
)
from actions.timebank.states import AccountKind

LONGEST_REASON = 36
"""Characters: the members concerned hear it, as one sentence."""

_MOVEMENTS: Mapping[ProposalKind, Movement] = {
    ProposalKind.REVERSAL: Reversal(),
    ProposalKind.GRANT: Grant(),
    ProposalKind.MERGE: Union(),
}

_MAY_PROPOSE = {
    ProposalKind.REVERSAL: Permission.PROPOSE_MOVEMENT,
    ProposalKind.GRANT: Permission.PROPOSE_MOVEMENT,
    ProposalKind.MERGE: Permission.EDIT_PEOPLE,
}


class ReasonNeeded(Refusal):
    """A movement without a reason, or one that nobody would listen to; facts: `longest`."""

    code = "reason_needed"


@dataclass(frozen=True)
class Effect:
    """What a proposal does to one account, in minutes, if it is approved now."""

    account_id: AccountId
    kind: AccountKind
    member_id: MemberId | None
    name: str | None
    change: int
    before: int
    after: int
    held: int

    @property
    def below_zero(self) -> bool:
        """Whether somebody owes afterwards: only undoing a mistake may do that, see `ledger`."""
        return self.kind is not AccountKind.SYSTEM and self.after < 0


# -- proposing --------------------------------------------------------------------------------


def propose_reversal(
    session: Session, *, by: MemberId, transfer_id: TransferId, reason: str, now: datetime
) -> Proposal:
    """Raises NotYours, ReasonNeeded, NotForSelf, NothingOpen, and WrongState: facts: state is
    "reversal" or another kind that stands for good, "reversed", or "proposed"."""
    content = {"reverses_id": transfer_id}
    return propose(session, by=by, kind=ProposalKind.REVERSAL, reason=reason, now=now, **content)


def propose_grant(
    session: Session,
    *,
    by: MemberId,
    account_id: AccountId,
    minutes: int,
    reason: str,
    now: datetime,
    source: AccountKind = AccountKind.SYSTEM,
) -> Proposal:
    """Hours newly issued, or out of the fund. Raises NotYours, ReasonNeeded, NotForSelf,
    NothingOpen, UnknownMember, BadMinutes (facts: most), NotEnoughMinutes."""
    if source not in (AccountKind.SYSTEM, AccountKind.FUND):
        raise NothingOpen(f"nothing is granted from {source}")
    content = {"account_id": account_id, "minutes": minutes, "source": source}
    return propose(session, by=by, kind=ProposalKind.GRANT, reason=reason, now=now, **content)


def propose_merge(
    session: Session,
    *,
    by: MemberId,
    double: MemberId,
    kept: MemberId,
    reason: str,
    now: datetime,
) -> Proposal:
    """The double leaves, the kept one goes on with the hours of both. Raises NotYours,
    ReasonNeeded, NotForSelf, UnknownMember, DoubleStillOpen, and WrongState when the double is
    proposed already."""
    facts = {"double_id": double, "kept_id": kept}
    return propose(session, by=by, reason=reason, now=now, kind=ProposalKind.MERGE, **facts)


def propose(
    session: Session,
    *,
    by: MemberId,
    kind: ProposalKind,
    reason: str,
    now: datetime,
    **content: Any,
) -> Proposal:
    """A proposal of any kind; `content` are its own columns. Nothing moves yet."""
    require(session, by, _MAY_PROPOSE[kind], now=now)
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise ReasonNeeded(f"a reason of {len(reason)} characters", longest=LONGEST_REASON)
    made = Proposal(kind=kind, reason=reason, proposed_by_id=by, proposed_at=now, **content)
    made.state = ProposalState.PROPOSED
    with session.no_autoflush:
        _MOVEMENTS[kind].check(session, made)
        not_for_self(by, _MOVEMENTS[kind].parties(session, made))
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError as twice:
        raise WrongState("it is proposed already", state=ProposalState.PROPOSED) from twice
    return made


# -- deciding ---------------------------------------------------------------------------------


def approve(
    session: Session,
    *,
    proposal_id: ProposalId,
    by: MemberId,
    now: datetime,
    seen: Mapping[AccountId, int] | None = None,
) -> Proposal:
    """Lets it happen, now and once. `seen` are the balances afterwards that the second person was
    shown, as `balances_after` gives them.

    Raises NotYours, NothingOpen, SamePerson, NotForSelf, WrongState when it is decided already
    (facts: state, by), ChangedMeanwhile when `seen` is true no more, and what the kind's own check
    raises; it is open still after all of these but WrongState."""
    require(session, by, Permission.APPROVE_MOVEMENT, now=now)
    decided = _still_open(session, proposal_id)
    movement = _MOVEMENTS[decided.kind]
    second_person(MemberId(decided.proposed_by_id), by)
    parties = movement.parties(session, decided)
    not_for_self(by, parties)
    movement.check(session, decided)
    if seen is not None and seen != balances_after(effects(session, decided)):
        raise ChangedMeanwhile(f"hours moved since proposal {decided.id} was looked at")
    decided.transfer_id = movement.perform(session, decided, by=by, now=now)
    return _decide(session, decided, ProposalState.APPROVED, by, now)


def reject(
    session: Session, *, proposal_id: ProposalId, by: MemberId, answer: str, now: datetime
) -> Proposal:
    """A second person says no, and why. Raises NotYours, NothingOpen, SamePerson (whoever
    proposed it withdraws it), NotForSelf, ReasonNeeded, WrongState."""
    require(session, by, Permission.APPROVE_MOVEMENT, now=now)
    answer = " ".join(answer.split())
    if not 0 < len(answer) <= LONGEST_REASON:
        raise ReasonNeeded(f"an answer of {len(answer)} characters", longest=LONGEST_REASON)
    decided = _still_open(session, proposal_id)
    second_person(MemberId(decided.proposed_by_id), by)
    not_for_self(by, _MOVEMENTS[decided.kind].parties(session, decided))
    decided.answer = answer
    return _decide(session, decided, ProposalState.REJECTED, by, now)


def withdraw(session: Session, *, proposal_id: ProposalId, by: MemberId, now: datetime) -> Proposal:
    """Whoever proposed it takes it back. Raises NothingOpen, NotYours, WrongState."""
    decided = _still_open(session, proposal_id)
    require(session, by, _MAY_PROPOSE[decided.kind], now=now)
    if decided.proposed_by_id != by:
        raise NotYours(f"member {by} did not propose {proposal_id}")
    return _decide(session, decided, ProposalState.WITHDRAWN, by, now)


def _still_open(session: Session, proposal_id: ProposalId) -> Proposal:
    found: Proposal | None = session.get(
        Proposal, proposal_id, with_for_update=True, populate_existing=True
    )
    if found is None:
        raise NothingOpen(f"there is no proposal {proposal_id}")
    if found.state is not ProposalState.PROPOSED:
        raise WrongState(
            f"proposal {proposal_id} is decided", state=found.state, by=found.decided_by.name
        )
    return found


def _decide(
    session: Session, proposal: Proposal, state: ProposalState, by: MemberId, now: datetime
) -> Proposal:
    proposal.state, proposal.decided_by_id, proposal.decided_at = state, by, now
    session.flush()
    return proposal


# -- looking ----------------------------------------------------------------------------------


def proposal(session: Session, proposal_id: ProposalId) -> Proposal:
    """Raises NothingOpen when there is none."""
    found: Proposal | None = session.get(Proposal, proposal_id)
    if found is None:
        raise NothingOpen(f"there is no proposal {proposal_id}")
    return found


def parties(session: Session, proposed: Proposal) -> set[MemberId]:
    """Whom it concerns: they neither propose nor decide it."""
    return _MOVEMENTS[proposed.kind].parties(session, proposed)


def kin_among(session: Session, proposed: Proposal, by: MemberId) -> list[Member]:
    """Whom of those concerned `by` is kin to: nothing forbids that, but it should be seen."""
    concerned = parties(session, proposed)
    return [one for one in members.kin_of(session, by) if one.id in concerned]


def effects(session: Session, proposed: Proposal) -> list[Effect]:
    """What would happen to each account if it were approved now; those who give first."""
    legs = _MOVEMENTS[proposed.kind].legs(session, proposed)
    return sorted(
        (_effect(session, account_id, change) for account_id, change in legs.items()),
        key=lambda effect: (effect.change, effect.account_id),
    )


def obstacle(session: Session, proposed: Proposal) -> Refusal | None:
    """What would refuse its approval now, whoever approves; None when nothing does."""
    try:
        _MOVEMENTS[proposed.kind].check(session, proposed)
    except Refusal as refusal:
        return refusal
    return None


def balances_after(seen: Iterable[Effect]) -> dict[AccountId, int]:
    """What the second person agrees to. The system account is nobody's and moves all day."""
    return {one.account_id: one.after for one in seen if one.kind is not AccountKind.SYSTEM}


def listed(
    session: Session,
    *,
    state: ProposalState | None = None,
    limit: int,
    before: ProposalId | None = None,
) -> list[Proposal]:
    """Proposals, newest first; `before` pages on."""
    wanted = select(Proposal).options(
        joinedload(Proposal.proposed_by), joinedload(Proposal.decided_by)
    )
    if state is not None:
        wanted = wanted.where(Proposal.state == state)
    if before is not None:
        wanted = wanted.where(Proposal.id < before)
    return list(session.execute(wanted.order_by(Proposal.id.desc()).limit(limit)).scalars())


def waiting(session: Session) -> int:
    """How many wait for a second person."""
    still_open = (
        select(func.count()).select_from(Proposal).where(Proposal.state == ProposalState.PROPOSED)
    )
    return int(session.execute(still_open).scalar_one())


def undoable(session: Session, transfer_id: TransferId) -> bool:
    """Whether a reversal of this transfer could be proposed now."""
    asked = Proposal(kind=ProposalKind.REVERSAL, reverses_id=transfer_id)
    still_open = select(Proposal.id).where(
        Proposal.reverses_id == transfer_id, Proposal.state == ProposalState.PROPOSED
    )
    if session.execute(still_open).first() is not None:
        return False
    try:
        Reversal().check(session, asked)
    except Refusal:
        return False
    return True


def effects_of_reversal(session: Session, transfer_id: TransferId) -> list[Effect]:
    """What undoing this transfer now would do, before anybody proposed it. Raises NothingOpen."""
    return effects(session, Proposal(kind=ProposalKind.REVERSAL, reverses_id=transfer_id))


def _effect(session: Session, account_id: AccountId, change: int) -> Effect:
    account: Account = session.get(Account, account_id)
    has = ledger.balance(session, account_id)
    owner = session.get(Member, account.member_id) if account.member_id is not None else None
    return Effect(
        account_id=account_id,
        kind=account.kind,
        member_id=MemberId(owner.id) if owner is not None else None,
        name=owner.name if owner is not None else None,
        change=change,
        before=has.posted,
        after=has.posted + change,
        held=has.held,
    )
