"""Where the minutes of a visit come from: the elder's account, and behind it the village fund.

The elder is asked for enough minutes when she makes a request. When they are gone by the time a
neighbour agrees, or a visit took longer, the fund bears the rest: the neighbour has given his
word or his work and must not suffer for it. An empty fund is filled by a reissue, never by a
refusal; the coordinators are told each time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import ledger
from actions.timebank.errors import NotEnoughMinutes
from actions.timebank.ids import AccountId, AssignmentId, MemberId, VisitId
from actions.timebank.model import Assignment, Hold, Posting, ServiceRequest, Transfer, Visit
from actions.timebank.notices import tell_staff
from actions.timebank.states import (
    NEVER_REFUSED,
    HoldState,
    RequestState,
    ServiceKind,
    TransferKind,
)


def check_cover(
    session: Session,
    elder: MemberId,
    kind: ServiceKind,
    minutes: int,
    *,
    promised: Assignment | None = None,
    asking: ServiceRequest | None = None,
) -> None:
    """Raises NotEnoughMinutes (facts `needed`, `available`) when the elder cannot cover a kind
    that the fund does not stand behind. Minutes held for `promised` count as hers; what she asked
    for besides and nobody has promised yet does not, or one hour could be asked for ten times."""
    account = _account(session, elder)
    available = spare_minutes(session, elder, besides=asking) + _held(promised, account)
    if kind not in NEVER_REFUSED and available < minutes:
        raise NotEnoughMinutes(needed=minutes, available=max(0, available))


def spare_minutes(
    session: Session, member: MemberId, *, besides: ServiceRequest | None = None
) -> int:
    """What a member may still promise or give away: neither held for a visit nor needed for what
    she asked for `besides`. Below zero when the fund will have to help. Raises UnknownMember."""
    available = ledger.balance(session, _account(session, member)).available
    return available - _asked_for(session, member, besides=besides)


def _asked_for(session: Session, elder: MemberId, *, besides: ServiceRequest | None) -> int:
    """Minutes of the elder's requests that nobody has promised yet and so are not held."""
    waiting = select(func.coalesce(func.sum(ServiceRequest.minutes), 0)).where(
        ServiceRequest.elder_id == elder,
        ServiceRequest.state.in_((RequestState.OPEN, RequestState.OFFERED)),
        ServiceRequest.service_kind.not_in(NEVER_REFUSED),
    )
    if besides is not None:
        waiting = waiting.where(ServiceRequest.id != besides.id)
    return int(session.execute(waiting).scalar_one())


def set_aside(session: Session, assignment: Assignment, *, now: datetime) -> None:
    """Holds the estimated minutes for an assignment; after a change of the estimate, anew.

    What the elder lacks is held on the fund.
    """
    elder, fund = _account(session, assignment.request.elder_id), _fund(session)
    promised_by_fund = _held(assignment, fund)
    give_back(session, assignment, now=now)
    shares = _shares(session, assignment, elder, fund, assignment.request.minutes, now)
    for account, minutes in shares.items():
        ledger.hold(
            session,
            account_id=account,
            assignment_id=AssignmentId(assignment.id),
            minutes=minutes,
            now=now,
        )
    session.expire(assignment, ["holds"])
    more = shares.get(fund, 0) - promised_by_fund
    occasion = f"promise:{len(assignment.holds)}"
    _tell_staff_of_the_fund(session, assignment, more, occasion, now)


def give_back(
    session: Session, assignment: Assignment, *, now: datetime, never_came: bool = False
) -> None:
    """Frees all minutes held for an assignment whose visit will not be."""
    end = ledger.expire_hold if never_came else ledger.void_hold
    for hold in _pending(assignment):
        end(session, hold, now=now)


def pay(session: Session, visit: Visit, minutes: int, *, turn_id: str, now: datetime) -> None:
    """Moves the agreed minutes to the helper, once for a visit, and ends its holds.

    What the elder lacks, held and available together, comes from the fund. For zero minutes
    nothing moves and the holds are voided.
    """
    assignment = visit.assignment
    elder, fund = _account(session, assignment.request.elder_id), _fund(session)
    promised_by_fund = _held(assignment, fund)
    end = ledger.post_hold if minutes else ledger.void_hold
    for hold in _pending(assignment):
        end(session, hold, now=now)
    if minutes == 0:
        return
    shares = _shares(session, assignment, elder, fund, minutes, now)
    helper = _account(session, assignment.helper_id)
    ledger.transfer(
        session,
        kind=TransferKind.SETTLEMENT,
        legs={helper: minutes} | {account: -share for account, share in shares.items()},
        idempotency_key=f"settlement:{visit.id}",
        now=now,
        visit_id=VisitId(visit.id),
        turn_id=turn_id,
    )
    more = shares.get(fund, 0) - promised_by_fund
    _tell_staff_of_the_fund(session, assignment, more, "visit", now)


def borne_by_fund(session: Session, visit: Visit) -> int:
    """Minutes of this visit's settlement that the fund gave; 0 before it is settled."""
    given = (
        select(Posting.minutes)
        .join(Transfer, Transfer.id == Posting.transfer_id)
        .where(Transfer.visit_id == visit.id, Posting.account_id == _fund(session))
    )
    return -int(session.execute(given).scalar_one_or_none() or 0)


def _account(session: Session, member: MemberId) -> AccountId:
    return AccountId(ledger.account_of(session, member).id)


def _fund(session: Session) -> AccountId:
    return AccountId(ledger.fund_account(session).id)


def _pending(assignment: Assignment | None) -> list[Hold]:
    holds = assignment.holds if assignment is not None else []
    return [hold for hold in holds if hold.state is HoldState.PENDING]


def _held(assignment: Assignment | None, account: AccountId) -> int:
    return sum(hold.minutes for hold in _pending(assignment) if hold.account_id == account)


def _shares(
    session: Session,
    assignment: Assignment,
    elder: AccountId,
    fund: AccountId,
    minutes: int,
    now: datetime,
) -> dict[AccountId, int]:
    """Who bears how many of the minutes, nobody zero; the fund has its share when this returns.

    A reversal may have left either below zero."""
    from_elder = min(minutes, max(0, ledger.balance(session, elder).available))
    from_fund = minutes - from_elder
    lacking = from_fund - ledger.balance(session, fund).available
    if from_fund and lacking > 0:
        # An assignment may need this more than once: what repeats is turned away before.
        after = ledger.head(session).sequence
        ledger.grant(
            session,
            account_id=fund,
            minutes=lacking,
            reason="fund_stands_behind",
            idempotency_key=f"fund_stands_behind:{assignment.id}:{after}",
            now=now,
        )
    shares = {elder: from_elder, fund: from_fund}
    return {account: share for account, share in shares.items() if share}


def _tell_staff_of_the_fund(
    session: Session, assignment: Assignment, minutes: int, occasion: str, now: datetime
) -> None:
    """Tells of minutes that the fund bears and that were not told of before."""
    if minutes > 0:
        request = assignment.request
        tell_staff(
            session,
            "staff_fund_used",
            about=f"{assignment.id}:{occasion}",
            now=now,
            elder=request.elder.name,
            kind=request.service_kind,
            minutes=minutes,
        )
