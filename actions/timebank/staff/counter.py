"""What somebody says who came to the office in person, written down by staff as her own words.

Each deed is a turn of hers, on the channel `console`, that does what the same words would have done
by voice; that it was written down, and by whom, stays with it for good, and she is told. The turn
is named by the form: a form that is sent twice is one turn.

Staff write down nothing for themselves and nothing about a visit in which they are a side, and one
person of the staff never writes down both sides of a visit: no hours move by the word of one.
Delegations are given in the elder's own voice only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from actions.timebank import disputes, exchange, members, turns, visits
from actions.timebank.errors import NotYours, OfferGone, Refusal, WrongState
from actions.timebank.ids import AssignmentId, MemberId, OfferId, RequestId, TurnId
from actions.timebank.lookups import active_assignment, refuse_unless, request_by_id, wrong_state
from actions.timebank.model import Assignment, Confirmation, InPersonDeed, ServiceRequest
from actions.timebank.notices import tell
from actions.timebank.queries import pending_offer_of
from actions.timebank.staff.accounts import not_for_self, require, second_person
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    CounterDeed,
)
from actions.timebank.states import (
    Party,
    RequestState,
    ServiceKind,
    TurnOutcome,
)

CHANNEL = "console"
LONGEST_WORDS = 1_000
LONGEST_NOTE = 200

_SAID_AS = {
    CounterDeed.REQUEST: "request_help",
    CounterDeed.CHANGE: "change_request",
    CounterDeed.CANCEL: "cancel_request",
    CounterDeed.CONFIRM: "confirm_service",
    CounterDeed.REPORT_DONE: "complete_task",
    CounterDeed.NO_SHOW: "report_no_show",
    CounterDeed.COMPLAIN: "complain",
    CounterDeed.ACCEPT: "accept_task",
    CounterDeed.DECLINE: "decline_task",
}
"""The intent that the same words have by voice."""


class NoWords(Refusal):
    """What the person said was not written down, or at too great length."""

    code = "no_words"


class WrittenBefore(Refusal):
    """This form was sent before with something else on it."""

    code = "written_before"


@dataclass(frozen=True)
class CameIn:
    """Somebody stands at the counter and says something."""

    member: MemberId
    staff: MemberId
    """Who writes it down."""
    turn_id: TurnId
    """`console:` and what the form was named."""
    words: str
    now: datetime
    note: str = ""


def request_help(
    session: Session,
    came: CameIn,
    *,
    service_kind: ServiceKind,
    starts_at: datetime,
    minutes: int | None = None,
    place: str = "",
    wanted_helper: MemberId | None = None,
) -> InPersonDeed:
    """She asks for help. Raises what `exchange.request_help` raises, and as all deeds here
    NotYours without the permission, NotForSelf, NoWords, UnknownMember, WrittenBefore."""
    earlier = _begin(session, came, CounterDeed.REQUEST)
    if earlier is not None:
        return earlier
    request = exchange.request_help(
        session,
        elder=came.member,
        service_kind=service_kind,
        starts_at=starts_at,
        turn_id=came.turn_id,
        now=came.now,
        minutes=minutes,
        place=place,
        note=came.words.strip(),
        wanted_helper=wanted_helper,
    )
    return _done(session, came, CounterDeed.REQUEST, request)


def change_request(
    session: Session,
    came: CameIn,
    request_id: RequestId,
    *,
    starts_at: datetime | None = None,
    minutes: int | None = None,
) -> InPersonDeed:
    """She needs it at another time or for longer. Raises what `exchange.change_request` raises."""
    earlier = _begin(session, came, CounterDeed.CHANGE, request_id)
    if earlier is not None:
        return earlier
    request = exchange.change_request(
        session,
        elder=came.member,
        request_id=request_id,
        turn_id=came.turn_id,
        now=came.now,
        starts_at=starts_at,
        minutes=minutes,
    )
    return _done(session, came, CounterDeed.CHANGE, request)


def cancel(session: Session, came: CameIn, request_id: RequestId) -> InPersonDeed:
    """She needs it no more. Raises what `exchange.cancel_request` raises."""
    earlier = _begin(session, came, CounterDeed.CANCEL, request_id)
    if earlier is not None:
        return earlier
    request = request_by_id(session, request_id)
    _check_elder(request, came)
    exchange.cancel_request(
        session, by=came.member, request_id=request_id, now=came.now, reason="in_person"
    )
    return _done(session, came, CounterDeed.CANCEL, request)


def confirm(
    session: Session, came: CameIn, request_id: RequestId, *, minutes: int | None
) -> InPersonDeed:
    """The elder says that the work was done, for how long, or with None that the claim is right.

    Raises what `visits.confirm_visit` raises, WrongState when she said it before, and SamePerson
    when the same person of the staff wrote the helper's side down."""
    earlier = _begin(session, came, CounterDeed.CONFIRM, request_id)
    if earlier is not None:
        return earlier
    request = request_by_id(session, request_id)
    _check_elder(request, came)
    refuse_unless(request, RequestState.ASSIGNED, RequestState.IN_PROGRESS, RequestState.CLAIMED)
    if _statement(session, request, Party.ELDER) is not None:
        raise wrong_state(request)
    _check_other_side(session, request, Party.HELPER, came)
    visits.confirm_visit(
        session,
        elder=came.member,
        request_id=request_id,
        turn_id=came.turn_id,
        now=came.now,
        minutes=minutes,
    )
    return _done(session, came, CounterDeed.CONFIRM, request)


def report_done(
    session: Session, came: CameIn, request_id: RequestId, *, minutes: int
) -> InPersonDeed:
    """The helper says how long it took, or, until the elder has spoken, that it was otherwise.

    Raises what `visits.claim_visit` and `correct_claim` raise, and SamePerson as `confirm`."""
    earlier = _begin(session, came, CounterDeed.REPORT_DONE, request_id)
    if earlier is not None:
        return earlier
    request = request_by_id(session, request_id)
    promised = _promise_of(session, request, came)
    _check_other_side(session, request, Party.ELDER, came)
    claims = visits.correct_claim if request.state is RequestState.CLAIMED else visits.claim_visit
    claims(
        session,
        helper=came.member,
        assignment_id=AssignmentId(promised.id),
        minutes=minutes,
        turn_id=came.turn_id,
        now=came.now,
    )
    return _done(session, came, CounterDeed.REPORT_DONE, request)


def report_no_show(session: Session, came: CameIn, request_id: RequestId) -> InPersonDeed:
    """The elder says that nobody came. Raises what `disputes.report_no_show` raises."""
    earlier = _begin(session, came, CounterDeed.NO_SHOW, request_id)
    if earlier is not None:
        return earlier
    dispute = disputes.report_no_show(
        session,
        elder=came.member,
        request_id=request_id,
        turn_id=came.turn_id,
        now=came.now,
        words=came.words.strip(),
    )
    return _done(session, came, CounterDeed.NO_SHOW, dispute.request)


def complain(session: Session, came: CameIn) -> InPersonDeed:
    """Anything somebody is unhappy with."""
    earlier = _begin(session, came, CounterDeed.COMPLAIN)
    if earlier is not None:
        return earlier
    disputes.complain(
        session,
        member=came.member,
        words=came.words.strip(),
        turn_id=came.turn_id,
        now=came.now,
    )
    return _done(session, came, CounterDeed.COMPLAIN, None)


def accept(session: Session, came: CameIn, request_id: RequestId) -> InPersonDeed:
    """Whoever is asked says yes. Raises what `exchange.accept_offer` raises, and OfferGone when
    somebody else is asked by now."""
    earlier = _begin(session, came, CounterDeed.ACCEPT, request_id)
    if earlier is not None:
        return earlier
    request = request_by_id(session, request_id)
    offer = pending_offer_of(session, request_id)
    if offer is None or offer.helper_id != came.member:
        raise OfferGone(f"request {request_id} is not offered to member {came.member}")
    exchange.accept_offer(session, helper=came.member, offer_id=OfferId(offer.id), now=came.now)
    return _done(session, came, CounterDeed.ACCEPT, request)


def decline(session: Session, came: CameIn, request_id: RequestId) -> InPersonDeed:
    """Whoever is asked says no, or whoever had agreed cannot come; the next neighbour is asked.

    Raises what `exchange.step_back` raises, and OfferGone when he is neither."""
    earlier = _begin(session, came, CounterDeed.DECLINE, request_id)
    if earlier is not None:
        return earlier
    request = request_by_id(session, request_id)
    offer = pending_offer_of(session, request_id)
    reason = came.words.strip()
    if offer is not None and offer.helper_id == came.member:
        exchange.decline_offer(
            session, helper=came.member, offer_id=OfferId(offer.id), now=came.now, reason=reason
        )
    else:
        promised = active_assignment(session, request)
        if promised is None or promised.helper_id != came.member:
            raise OfferGone(f"request {request_id} is not offered to member {came.member}")
        exchange.step_back(
            session,
            helper=came.member,
            assignment_id=AssignmentId(promised.id),
            now=came.now,
            reason=reason,
        )
    return _done(session, came, CounterDeed.DECLINE, request)


def _begin(
    session: Session, came: CameIn, deed: CounterDeed, request_id: RequestId | None = None
) -> InPersonDeed | None:
    """Writes the turn down; what this very form did before, when it was sent before."""
    require(session, came.staff, Permission.HANDLE_VISITS, now=came.now)
    not_for_self(came.staff, [came.member])
    members.present(session, came.member)
    words = came.words.strip()
    if not 0 < len(words) <= LONGEST_WORDS or not came.turn_id.startswith(f"{CHANNEL}:"):
        raise NoWords(f"{len(words)} characters")
    _, is_new = turns.begin(
        session, turn_id=came.turn_id, member=came.member, channel=CHANNEL, now=came.now
    )
    if not is_new:
        return _same_form(session, came, deed, request_id)
    if request_id is not None:
        request = request_by_id(session, request_id)
        promised = active_assignment(session, request)
        helper = MemberId(promised.helper_id) if promised is not None else None
        not_for_self(came.staff, [MemberId(request.elder_id), helper])
    turns.finish(
        session,
        came.turn_id,
        now=came.now,
        outcome=TurnOutcome.ANSWERED,
        heard=words,
        intent=_SAID_AS[deed],
    )
    return None


def _same_form(
    session: Session, came: CameIn, deed: CounterDeed, request_id: RequestId | None
) -> InPersonDeed:
    made = cast("InPersonDeed | None", session.get(InPersonDeed, came.turn_id))
    is_same = (
        made is not None
        and (made.staff_id, made.deed) == (came.staff, deed)
        and (request_id is None or made.request_id == request_id)
        and made.turn.heard == came.words.strip()
    )
    if made is None or not is_same:
        raise WrittenBefore(f"turn {came.turn_id} was something else")
    return made


def _done(
    session: Session, came: CameIn, deed: CounterDeed, request: ServiceRequest | None
) -> InPersonDeed:
    """Keeps who wrote it down, and tells whose words they are."""
    made = InPersonDeed(
        turn_id=came.turn_id,
        member_id=came.member,
        staff_id=came.staff,
        deed=deed,
        request_id=request.id if request is not None else None,
        note=came.note.strip()[:LONGEST_NOTE],
        done_at=came.now,
    )
    session.add(made)
    session.flush()
    tell(
        session,
        came.member,
        f"in_person_{deed.value}",
        about=came.turn_id,
        now=came.now,
        by=members.member(session, came.staff).name,
        elder=request.elder.name if request is not None else "",
        kind=request.service_kind if request is not None else "",
        starts_at=request.starts_at if request is not None else None,
    )
    return made


def _check_elder(request: ServiceRequest, came: CameIn) -> None:
    if request.elder_id != came.member:
        raise NotYours(f"request {request.id} is not member {came.member}'s")


def _promise_of(session: Session, request: ServiceRequest, came: CameIn) -> Assignment:
    promised = active_assignment(session, request)
    if promised is None:
        raise WrongState("nobody has promised to come", state=request.state.value)
    if promised.helper_id != came.member:
        raise NotYours(f"request {request.id} is not member {came.member}'s task")
    return promised


def _statement(session: Session, request: ServiceRequest, party: Party) -> Confirmation | None:
    promised = active_assignment(session, request)
    said = promised.visit.confirmations if promised is not None and promised.visit else []
    return next((one for one in said if one.party is party), None)


def _check_other_side(
    session: Session, request: ServiceRequest, party: Party, came: CameIn
) -> None:
    said = _statement(session, request, party)
    written = session.get(InPersonDeed, said.turn_id) if said is not None else None
    if written is not None:
        second_person(MemberId(written.staff_id), came.staff)
