"""Two members who are one person become one: the double leaves, the kept one goes on.

What is behind them stays as it was written and keeps naming the double: visits, turns, transfers,
consents. What is still to come goes over to the kept one; what rests on a word given as the double
ends, and is asked for anew. `FATES` says which of these each table does.

The hours move by one transfer, so whoever proposes it is not who approves it; a merge is never
undone: the database refuses to change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.errors import Refusal, UnknownMember, WrongState
from actions.timebank.ids import AccountId, MemberId, TransferId
from actions.timebank.model import Member, Merge, Proposal
from actions.timebank.notices import tell
from actions.timebank.staff import handover
from actions.timebank.staff.accounts import not_for_self, require, second_person
from actions.timebank.staff.obstacles import Obstacle, obstacles
from actions.timebank.staff.roles import Permission


class Fate(Enum):
    """What becomes of rows that name the double."""

    STAYS = "stays"
    """History: it keeps naming the double. Where it can be open, an open one is in the way."""
    MOVES = "moves"
    """It names the kept one from now on; what he has already is not doubled."""
    ENDS = "ends"
    """An open one ends; what has ended stays."""


FATES: Mapping[str, Fate] = {
    "account.member_id": Fate.STAYS,  # Empty from now on: see `ledger.merge`.
    "alarm_question.member_id": Fate.STAYS,
    "alarm_refusal.member_id": Fate.STAYS,
    "alert.member_id": Fate.STAYS,
    "alert.taken_by_id": Fate.STAYS,
    "assignment.helper_id": Fate.STAYS,
    "availability.member_id": Fate.MOVES,
    "channel_binding.member_id": Fate.ENDS,  # A chat joins by her own yes to her own name.
    "chain_check.by_id": Fate.STAYS,
    "check_in.member_id": Fate.ENDS,
    "check_in_wish.member_id": Fate.MOVES,
    "confirmation.member_id": Fate.STAYS,
    "consent.member_id": Fate.STAYS,
    "delegation.delegate_id": Fate.ENDS,  # A yes to another name, in another's turn.
    "delegation.elder_id": Fate.ENDS,
    "delegation.proposed_by_id": Fate.STAYS,
    "delivery.member_id": Fate.MOVES,
    "dispute.opened_by_id": Fate.STAYS,
    "dispute.resolved_by_id": Fate.STAYS,
    "do_not_ask.member_id": Fate.MOVES,
    "join_card.issued_by_id": Fate.STAYS,
    "join_card.member_id": Fate.ENDS,
    "member_change.by_id": Fate.STAYS,
    "member_change.member_id": Fate.STAYS,
    "member_merge.approved_by_id": Fate.STAYS,
    "member_merge.double_id": Fate.STAYS,
    "member_merge.kept_id": Fate.STAYS,  # Doubles of the double: found by following the rows.
    "member_merge.proposed_by_id": Fate.STAYS,
    "member_priority.member_id": Fate.MOVES,
    "member_priority.set_by_id": Fate.STAYS,
    "notice.recipient_id": Fate.MOVES,
    "offer.helper_id": Fate.STAYS,
    "proposal.decided_by_id": Fate.STAYS,
    "proposal.double_id": Fate.STAYS,
    "proposal.kept_id": Fate.STAYS,
    "proposal.proposed_by_id": Fate.STAYS,
    "rating.rater_id": Fate.STAYS,
    "relation.member_id": Fate.MOVES,
    "relation.other_id": Fate.MOVES,
    "reminder.member_id": Fate.MOVES,
    "roll_import.uploaded_by_id": Fate.STAYS,
    "service_request.elder_id": Fate.STAYS,
    "service_request.requested_by_id": Fate.STAYS,
    "skill.member_id": Fate.MOVES,
    "staff_account.member_id": Fate.STAYS,
    "staff_deed.about_id": Fate.STAYS,
    "staff_deed.by_id": Fate.STAYS,
    "training.member_id": Fate.MOVES,
    "training.recorded_by_id": Fate.STAYS,
    "turn.member_id": Fate.STAYS,
    "wellbeing.member_id": Fate.STAYS,
}
"""By every column that names a member."""


class DoubleStillOpen(Refusal):
    """Something of the double must end first; facts: `what`, a list of `Obstacle`."""

    code = "double_still_open"


class Union:
    """The merge of two members as a `movements.Movement`: what staff propose and approve."""

    def parties(self, session: Session, proposal: Proposal) -> set[MemberId]:
        return {MemberId(proposal.double_id), MemberId(proposal.kept_id)}

    def check(self, session: Session, proposal: Proposal) -> None:
        """Raises UnknownMember when one has left or both are the same, DoubleStillOpen."""
        _both(session, MemberId(proposal.double_id), MemberId(proposal.kept_id))

    def legs(self, session: Session, proposal: Proposal) -> Mapping[AccountId, int]:
        double, kept = _account(session, proposal.double_id), _account(session, proposal.kept_id)
        has = ledger.balance(session, double).posted
        return {double: -has, kept: has} if has else {}

    def perform(
        self, session: Session, proposal: Proposal, *, by: MemberId, now: datetime
    ) -> TransferId | None:
        made = unite(
            session,
            double=MemberId(proposal.double_id),
            kept=MemberId(proposal.kept_id),
            proposed_by=MemberId(proposal.proposed_by_id),
            approved_by=by,
            reason=proposal.reason,
            now=now,
        )
        return None if made.transfer_id is None else TransferId(made.transfer_id)


def unite(
    session: Session,
    *,
    double: MemberId,
    kept: MemberId,
    proposed_by: MemberId,
    approved_by: MemberId,
    reason: str,
    now: datetime,
) -> Merge:
    """Makes the two one, all of it or nothing; the same again returns the first merge.

    Raises NotYours, SamePerson and NotForSelf about whoever approves, WrongState (facts:
    state="merged") when the double was merged into somebody else, and what `Union.check` does."""
    require(session, approved_by, Permission.APPROVE_MOVEMENT, now=now)
    second_person(proposed_by, approved_by)
    not_for_self(approved_by, (double, kept))
    made: Merge | None = session.get(Merge, double)
    if made is not None and made.kept_id != kept:
        raise WrongState(f"member {double} was merged into {made.kept_id}", state="merged")
    if made is not None:
        return made
    _lock(session, double, kept)
    leaving, staying = _both(session, double, kept)
    handover.hand_over(session, leaving, staying, now=now)
    moved = ledger.merge(
        session,
        double=_account(session, double),
        kept=_account(session, kept),
        idempotency_key=f"merge:{double}",
        now=now,
        reason=reason,
    )
    leaving.left_at = now
    made = Merge(
        double_id=double,
        kept_id=kept,
        transfer_id=moved.id if moved is not None else None,
        proposed_by_id=proposed_by,
        approved_by_id=approved_by,
        at=now,
    )
    session.add(made)
    session.flush()
    has = ledger.balance(session, _account(session, kept))
    told = {"reason": reason, "balance": has.posted}
    tell(session, kept, "merged", about=f"merge:{double}", now=now, **told)
    return made


def merged_into(session: Session, member: MemberId) -> Merge | None:
    """How this member left because he was somebody else's double; None when he was not."""
    return cast("Merge | None", session.get(Merge, member))


def doubles_of(session: Session, member: MemberId) -> list[tuple[Member, Merge]]:
    """Who was merged into this member, oldest first: his history before that is theirs."""
    doubles = (
        select(Member, Merge)
        .join(Merge, Merge.double_id == Member.id)
        .where(Merge.kept_id == member)
        .order_by(Merge.at, Member.id)
    )
    return [(person, merge) for person, merge in session.execute(doubles)]


def _both(session: Session, double: MemberId, kept: MemberId) -> tuple[Member, Member]:
    if double == kept:
        raise UnknownMember("nobody is his own double")
    leaving, staying = members.present(session, double), members.present(session, kept)
    what: list[Obstacle] = obstacles(session, leaving, staying)
    if what:
        raise DoubleStillOpen(f"member {double} still has {what}", what=what)
    return leaving, staying


def _account(session: Session, member: MemberId) -> AccountId:
    return AccountId(ledger.account_of(session, member).id)


def _lock(session: Session, *people: MemberId) -> None:
    """No request, task or alarm of theirs begins until the commit: its row names them."""
    rows: Any = select(Member).where(Member.id.in_(people)).order_by(Member.id).with_for_update()
    session.execute(rows.execution_options(populate_existing=True)).all()
