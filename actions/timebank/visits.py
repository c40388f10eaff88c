"""What happened at the elder's home: both sides say it, then the agreed minutes move, once.

The first statement of each side stands; a second one changes nothing and returns how things
stand, but a helper may correct his until the elder has spoken. What is disputed beyond the agreed
part is for the staff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import disputes, funding, ledger
from actions.timebank.errors import BadMinutes, WrongState
from actions.timebank.exchange import LONGEST_MINUTES
from actions.timebank.ids import AssignmentId, DisputeId, MemberId, RequestId, TurnId
from actions.timebank.ledger import BalanceOf
from actions.timebank.lookups import (
    assignment_of,
    refuse_unless,
    request_of,
    wrong_state,
)
from actions.timebank.model import (
    Assignment,
    Confirmation,
    Dispute,
    Member,
    ServiceRequest,
    Visit,
)
from actions.timebank.notices import tell
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    Party,
    RequestState,
)

SAME_ENOUGH = 15
"""Statements that differ by no more minutes than this are no dispute; the smaller one counts."""


@dataclass(frozen=True)
class Settlement:
    """How a visit stands after somebody spoke of it. All amounts are minutes."""

    state: Literal["waiting_for_helper", "waiting_for_elder", "settled"]
    request_id: RequestId
    helper_name: str
    elder_name: str
    minutes_claimed: int | None
    minutes_confirmed: int | None
    minutes_settled: int | None
    dispute_id: DisputeId | None
    """Set when the two differed too much: the smaller number moved, staff decide on the rest."""
    elder_balance: BalanceOf
    from_fund: int = 0
    """How many of the settled minutes the village fund bore for her."""


def start_visit(
    session: Session, *, helper: MemberId, assignment_id: AssignmentId, now: datetime
) -> Visit:
    """The helper has come, and the elder is told. Saying it again returns the same visit.

    Raises NothingOpen, NotYours, and WrongState when the promise is over or the work claimed.
    """
    assignment = assignment_of(session, helper, assignment_id)
    _check_active(assignment)
    request = assignment.request
    if request.state is RequestState.IN_PROGRESS:
        return cast(Visit, assignment.visit)
    refuse_unless(request, RequestState.ASSIGNED)
    visit = _visit(session, assignment)
    visit.checked_in_at = now
    request.state = RequestState.IN_PROGRESS
    session.flush()
    tell(
        session,
        MemberId(request.elder_id),
        "visit_started",
        about=f"{visit.id}",
        now=now,
        helper=assignment.helper.name,
        kind=request.service_kind,
    )
    return visit


def claim_visit(
    session: Session,
    *,
    helper: MemberId,
    assignment_id: AssignmentId,
    minutes: int,
    turn_id: TurnId,
    now: datetime,
    evidence_sha256: str | None = None,
) -> Settlement:
    """The helper says how long it took (1 to 720 minutes); a helper who never said that he had
    come may claim as well. The elder is asked to say yes, or it settles when she already did.

    Raises NothingOpen, NotYours, BadMinutes, and WrongState when the promise is over.
    """
    assignment = assignment_of(session, helper, assignment_id)
    request = assignment.request
    if assignment.visit is not None and _said(assignment.visit, Party.HELPER) is not None:
        return _standing(session, assignment.visit)
    _check_active(assignment)
    refuse_unless(request, RequestState.ASSIGNED, RequestState.IN_PROGRESS)
    _check_minutes(minutes, least=1)
    visit = _visit(session, assignment)
    visit.checked_out_at = now
    request.state = RequestState.CLAIMED
    _keep(session, visit, Party.HELPER, helper, minutes, turn_id, evidence_sha256, now)
    if _said(visit, Party.ELDER) is not None:
        return _settle(session, visit, turn_id, MemberId(helper), now)
    _ask_elder(session, assignment, minutes, "visit_claimed", f"{visit.id}", now)
    return _standing(session, visit)


def correct_claim(
    session: Session,
    *,
    helper: MemberId,
    assignment_id: AssignmentId,
    minutes: int,
    turn_id: TurnId,
    now: datetime,
    evidence_sha256: str | None = None,
) -> Settlement:
    """The helper misspoke: his claim is another number (1 to 720 minutes) as long as the elder has
    not spoken, who is asked anew. The same number again changes nothing.

    Raises NothingOpen, NotYours, BadMinutes, and WrongState before a claim or after her word.
    """
    assignment = assignment_of(session, helper, assignment_id)
    request = assignment.request
    refuse_unless(request, RequestState.CLAIMED)
    _check_minutes(minutes, least=1)
    claim = cast(Confirmation, _said(assignment.visit, Party.HELPER))
    if claim.minutes != minutes:
        claim.minutes, claim.turn_id, claim.made_at = minutes, turn_id, now
        claim.evidence_sha256 = evidence_sha256
        session.flush()
        _ask_elder(session, assignment, minutes, "claim_corrected", turn_id, now)
    return _standing(session, assignment.visit)


def confirm_visit(
    session: Session,
    *,
    elder: MemberId,
    request_id: RequestId,
    turn_id: TurnId,
    now: datetime,
    minutes: int | None = None,
    evidence_sha256: str | None = None,
) -> Settlement:
    """The elder says that the work was done, for how long (0 to 720 minutes), or with None that
    the helper's claim is right. Before a claim her word is kept and the helper asked for his.

    Raises NothingOpen, NotYours, BadMinutes, and WrongState when nobody has promised to come, it
    is over, or None was said before any claim.
    """
    request = request_of(session, elder, request_id)
    assignment = _standing_assignment(session, request)
    visit = assignment.visit if assignment is not None else None
    if visit is not None and _said(visit, Party.ELDER) is not None:
        return _standing(session, visit)
    refuse_unless(request, RequestState.ASSIGNED, RequestState.IN_PROGRESS, RequestState.CLAIMED)
    claim = _said(visit, Party.HELPER) if visit is not None else None
    if minutes is None:
        if claim is None:
            raise wrong_state(request)
        minutes = claim.minutes
    _check_minutes(minutes, least=0)
    visit = visit or _visit(session, cast(Assignment, assignment))
    _keep(session, visit, Party.ELDER, elder, minutes, turn_id, evidence_sha256, now)
    if claim is not None:
        return _settle(session, visit, turn_id, elder, now)
    tell(
        session,
        MemberId(visit.assignment.helper_id),
        "visit_confirmed_first",
        about=f"{visit.id}",
        now=now,
        elder=request.elder.name,
        kind=request.service_kind,
        minutes=minutes,
    )
    return _standing(session, visit)


def _ask_elder(
    session: Session, assignment: Assignment, minutes: int, kind: str, about: str, now: datetime
) -> None:
    request = assignment.request
    tell(
        session,
        MemberId(request.elder_id),
        kind,
        about=about,
        now=now,
        request_id=request.id,
        helper=assignment.helper.name,
        kind=request.service_kind,
        minutes=minutes,
    )


def _settle(
    session: Session, visit: Visit, turn_id: TurnId, spoke_last: MemberId, now: datetime
) -> Settlement:
    """Both have spoken: the smaller number moves, and a large difference goes to the staff."""
    assignment, request = visit.assignment, visit.assignment.request
    claimed = cast(Confirmation, _said(visit, Party.HELPER)).minutes
    confirmed = cast(Confirmation, _said(visit, Party.ELDER)).minutes
    agreed = min(claimed, confirmed)
    funding.pay(session, visit, agreed, turn_id=turn_id, now=now)
    visit.settled_minutes = agreed
    visit.settled_at = now
    assignment.state = AssignmentState.DONE
    assignment.ended_at = now
    if abs(claimed - confirmed) > SAME_ENOUGH:
        disputes.open_dispute(
            session,
            kind=DisputeKind.MINUTES_DIFFER,
            opened_by=spoke_last,
            turn_id=turn_id,
            now=now,
            request=request,
            assignment=assignment,
            claimed=claimed,
            confirmed=confirmed,
        )
        _tell_differing(session, visit, claimed, confirmed, agreed, now)
    else:
        request.state = RequestState.CONFIRMED
        request.ended_at = now
        _tell_settled(session, visit, agreed, spoke_last, now)
    session.flush()
    return _standing(session, visit)


def _standing(session: Session, visit: Visit) -> Settlement:
    assignment, request = visit.assignment, visit.assignment.request
    claim, confirmation = _said(visit, Party.HELPER), _said(visit, Party.ELDER)
    state: Literal["waiting_for_helper", "waiting_for_elder", "settled"] = "settled"
    if visit.settled_at is None:
        state = "waiting_for_helper" if claim is None else "waiting_for_elder"
    elder_account = ledger.account_of(session, request.elder_id)
    return Settlement(
        state=state,
        request_id=RequestId(request.id),
        helper_name=assignment.helper.name,
        elder_name=request.elder.name,
        minutes_claimed=claim.minutes if claim else None,
        minutes_confirmed=confirmation.minutes if confirmation else None,
        minutes_settled=visit.settled_minutes,
        dispute_id=_dispute_over(session, visit),
        elder_balance=ledger.balance(session, elder_account.id),
        from_fund=funding.borne_by_fund(session, visit),
    )


def _dispute_over(session: Session, visit: Visit) -> DisputeId | None:
    if visit.settled_at is None:
        return None
    over_minutes = select(Dispute.id).where(
        Dispute.request_id == visit.assignment.request_id,
        Dispute.kind == DisputeKind.MINUTES_DIFFER,
    )
    return cast("DisputeId | None", session.execute(over_minutes).scalar_one_or_none())


def _visit(session: Session, assignment: Assignment) -> Visit:
    """The assignment's visit, begun now when nobody has spoken of one yet."""
    if assignment.visit is None:
        session.add(Visit(assignment=assignment))
        session.flush()
    return cast(Visit, assignment.visit)


def _keep(
    session: Session,
    visit: Visit,
    party: Party,
    member: MemberId,
    minutes: int,
    turn_id: TurnId,
    evidence_sha256: str | None,
    now: datetime,
) -> None:
    session.add(
        Confirmation(
            visit=visit,
            party=party,
            member_id=member,
            minutes=minutes,
            turn_id=turn_id,
            evidence_sha256=evidence_sha256,
            made_at=now,
        )
    )
    session.flush()


def _said(visit: Visit, party: Party) -> Confirmation | None:
    return next((one for one in visit.confirmations if one.party is party), None)


def _standing_assignment(session: Session, request: ServiceRequest) -> Assignment | None:
    """Who came or is to come; not who was released from it."""
    kept = select(Assignment).where(
        Assignment.request_id == request.id,
        Assignment.state != AssignmentState.RELEASED,
    )
    return cast("Assignment | None", session.execute(kept).scalar_one_or_none())


def _check_active(assignment: Assignment) -> None:
    if assignment.state is AssignmentState.RELEASED:
        raise WrongState("the promise is over", state=assignment.state.value)


def _check_minutes(minutes: int, *, least: int) -> None:
    if not least <= minutes <= LONGEST_MINUTES:
        raise BadMinutes(f"{minutes} minutes", minutes=minutes)


def _tell_settled(
    session: Session, visit: Visit, minutes: int, spoke_last: MemberId, now: datetime
) -> None:
    """Whoever spoke last hears it as the answer to that; the other one by notice."""
    assignment, request = visit.assignment, visit.assignment.request
    told_helper = spoke_last == request.elder_id
    who, other = (
        (assignment.helper, request.elder) if told_helper else (request.elder, assignment.helper)
    )
    account = ledger.account_of(session, who.id)
    tell(
        session,
        MemberId(who.id),
        "visit_settled",
        about=f"{visit.id}",
        now=now,
        other=other.name,
        kind=request.service_kind,
        minutes=minutes,
        balance=ledger.balance(session, account.id).posted,
        earned=told_helper,
    )


def _tell_differing(
    session: Session, visit: Visit, claimed: int, confirmed: int, settled: int, now: datetime
) -> None:
    for who, other in _both_sides(visit):
        tell(
            session,
            MemberId(who.id),
            "minutes_differ",
            about=f"{visit.id}",
            now=now,
            other=other.name,
            claimed=claimed,
            confirmed=confirmed,
            settled=settled,
        )


def _both_sides(visit: Visit) -> tuple[tuple[Member, Member], tuple[Member, Member]]:
    """Each with the other."""
    elder, helper = visit.assignment.request.elder, visit.assignment.helper
    return (elder, helper), (helper, elder)
