"""From a need to a neighbour's promise: what elder and helper may do with a request.

Everyone acts only for himself (NotYours); only a coordinator may also cancel for another. Each
verb takes the request where its drawing in `states` allows it, and refuses otherwise
(WrongState).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import funding, on_behalf
from actions.timebank.errors import (
    BadMinutes,
    InThePast,
    NotYours,
    OfferGone,
    WrongState,
)
from actions.timebank.ids import AssignmentId, MemberId, OfferId, RequestId, TurnId
from actions.timebank.lookups import (
    active_assignment,
    assignment_of,
    offer_to,
    refuse_unless,
    request_by_id,
    request_of,
    wrong_state,
)
from actions.timebank.members import member, present
from actions.timebank.model import Assignment, Offer, ServiceRequest
from actions.timebank.notices import tell
from actions.timebank.offers import (
    ask_next,
    end_offer,
    pass_on,
    tell_elder_nobody_is_left,
    too_late_at,
)
from actions.timebank.promises import check_free
from actions.timebank.queries import pending_offer_of
from actions.timebank.states import (
    AssignmentState,
    OfferState,
    RequestState,
    ServiceKind,
)

DEFAULT_MINUTES = {
    ServiceKind.MEALS: 60,
    ServiceKind.CLEANING: 120,
    ServiceKind.SHOPPING: 60,
    ServiceKind.ERRAND: 60,
    ServiceKind.ESCORT_MEDICAL: 180,
    ServiceKind.ESCORT_WALK: 60,
    ServiceKind.REPAIR: 60,
    ServiceKind.COMPANIONSHIP: 60,
    ServiceKind.BATHING: 60,
    ServiceKind.HAIRCUT: 30,
    ServiceKind.FARM_WORK: 120,
    ServiceKind.URGENT_HELP: 60,
}
"""The estimate when the elder names none."""

LONGEST_MINUTES = 720
JUST_NOW = timedelta(minutes=15)
"""Between saying 现在 and being understood some minutes pass."""

LONGEST_PLACE = 120
LONGEST_DECLINE_REASON = 120
LONGEST_END_REASON = 80


def request_help(
    session: Session,
    *,
    elder: MemberId,
    service_kind: ServiceKind,
    starts_at: datetime,
    turn_id: TurnId,
    now: datetime,
    minutes: int | None = None,
    place: str = "",
    note: str = "",
    requested_by: MemberId | None = None,
    wanted_helper: MemberId | None = None,
) -> ServiceRequest:
    """A new request, offered to the best neighbour at once; open, and the coordinators told,
    when nobody is able. The same turn again returns the first request.

    `requested_by` may be whom `on_behalf.check_may_ask` allows; the elder is told of it. Without
    `place` it is the elder's home. Raises UnknownMember, NotYours, InThePast, BadMinutes,
    NotEnoughMinutes.
    """
    earlier = _made_in(session, turn_id)
    if earlier is not None:
        if earlier.elder_id != elder:
            raise NotYours(f"turn {turn_id} made another elder's request")
        return earlier
    person = present(session, elder)
    asker = elder if requested_by is None else requested_by
    if asker != elder:
        on_behalf.check_may_ask(session, elder=elder, by=asker, now=now)
    minutes = DEFAULT_MINUTES[service_kind] if minutes is None else minutes
    _check_sensible(minutes, starts_at, now)
    funding.check_cover(session, elder, service_kind, minutes)
    request = ServiceRequest(
        elder=person,
        requested_by_id=asker,
        service_kind=service_kind,
        starts_at=starts_at,
        minutes=minutes,
        place=(place or person.place)[:LONGEST_PLACE],
        note=note,
        turn_id=turn_id,
        created_at=now,
    )
    session.add(request)
    session.flush()
    if asker != elder:
        on_behalf.tell_asked(session, request, now=now)
    ask_next(session, request, now=now, wanted=wanted_helper)
    return request


def change_request(
    session: Session,
    *,
    elder: MemberId,
    request_id: RequestId,
    turn_id: TurnId,
    now: datetime,
    starts_at: datetime | None = None,
    minutes: int | None = None,
    service_kind: ServiceKind | None = None,
) -> ServiceRequest:
    """Another time, length or kind; what is not given stays. Saying it twice changes nothing.

    With another time or kind everybody may be asked anew, a helper who had agreed first of all.
    Raises NothingOpen, NotYours, WrongState once the visit has begun, InThePast, BadMinutes,
    NotEnoughMinutes; a refused change leaves the request as it was.
    """
    request = request_of(session, elder, request_id)
    promised = _not_begun(session, request)
    starts_at = request.starts_at if starts_at is None else starts_at
    minutes = request.minutes if minutes is None else minutes
    service_kind = request.service_kind if service_kind is None else service_kind
    asks_anew = (starts_at, service_kind) != (request.starts_at, request.service_kind)
    if not asks_anew and minutes == request.minutes:
        return request
    _check_sensible(minutes, starts_at if asks_anew else now, now)
    funding.check_cover(session, elder, service_kind, minutes, promised=promised, asking=request)
    waiting = pending_offer_of(session, request.id)
    if asks_anew and waiting is not None:
        end_offer(session, waiting, OfferState.WITHDRAWN, now=now)
    if asks_anew and promised is not None:
        _release(session, promised, now)
        _tell_cancelled(session, promised, now)
    request.starts_at, request.minutes, request.service_kind = (
        starts_at,
        minutes,
        service_kind,
    )
    session.flush()
    if asks_anew:
        first = MemberId(promised.helper_id) if promised is not None else None
        ask_next(session, request, now=now, wanted=first)
        return request
    if promised is not None:
        funding.set_aside(session, promised, now=now)
    who_knows = promised or waiting
    if who_knows is not None:
        _tell_changed(session, request, MemberId(who_knows.helper_id), turn_id, now)
    return request


def cancel_request(
    session: Session,
    *,
    by: MemberId,
    request_id: RequestId,
    now: datetime,
    reason: str = "",
) -> ServiceRequest:
    """The elder, or a coordinator for her, needs no help any more: held minutes are free again
    and whoever was asked or had agreed is told.

    Raises NothingOpen, NotYours, and WrongState once the visit has begun or it is over.
    """
    request = request_by_id(session, request_id)
    if by != request.elder_id and not member(session, by).is_coordinator:
        raise NotYours(f"request {request_id} is not member {by}'s")
    promised = _not_begun(session, request)
    waiting = pending_offer_of(session, request.id)
    if waiting is not None:
        end_offer(session, waiting, OfferState.WITHDRAWN, now=now)
    if promised is not None:
        _release(session, promised, now)
        _tell_cancelled(session, promised, now)
    request.state = RequestState.CANCELLED
    request.ended_at = now
    request.end_reason = reason[:LONGEST_END_REASON]
    session.flush()
    return request


def accept_offer(
    session: Session, *, helper: MemberId, offer_id: OfferId, now: datetime
) -> Assignment:
    """The helper promises to come: minutes are held and the elder is told. Saying it again
    returns the same promise.

    A yes after the time limit counts as long as nobody else was asked. The elder's minutes may
    be gone since she asked: the fund then bears the rest (see `funding`). Raises NothingOpen,
    NotYours, OfferGone, and AlreadyPromised when he is to be elsewhere then, unless it is urgent.
    """
    offer = offer_to(session, helper, offer_id)
    request = offer.request
    if offer.state is OfferState.ACCEPTED:
        promised = active_assignment(session, request)
        if promised is not None and promised.offer_id == offer.id:
            return promised
    if offer.state is not OfferState.PENDING or now >= too_late_at(request):
        raise OfferGone(f"offer {offer_id} is {offer.state.value}", state=offer.state.value)
    check_free(session, offer)
    offer.state = OfferState.ACCEPTED
    offer.answered_at = now
    request.state = RequestState.ASSIGNED
    assignment = Assignment(request=request, offer=offer, helper=offer.helper, accepted_at=now)
    session.add(assignment)
    session.flush()
    funding.set_aside(session, assignment, now=now)
    tell(
        session,
        MemberId(request.elder_id),
        "request_accepted",
        about=f"{assignment.id}",
        now=now,
        helper=offer.helper.name,
        helper_place=offer.helper.place,
        kind=request.service_kind,
        starts_at=request.starts_at,
        minutes=request.minutes,
    )
    return assignment


def decline_offer(
    session: Session,
    *,
    helper: MemberId,
    offer_id: OfferId,
    now: datetime,
    reason: str = "",
) -> Offer | None:
    """The helper cannot come: the next neighbour is asked (the offer returned) and the elder
    told; None when nobody is left, then the coordinators are told too. Saying it again changes
    nothing and returns whoever is being asked now.

    Raises NothingOpen, NotYours, OfferGone, and WrongState after a yes (see `step_back`).
    """
    offer = offer_to(session, helper, offer_id)
    if offer.state is OfferState.DECLINED:
        return pending_offer_of(session, offer.request.id)
    if offer.state is OfferState.ACCEPTED:
        raise WrongState(f"offer {offer_id} was accepted", state=offer.state.value)
    if offer.state is not OfferState.PENDING:
        raise OfferGone(f"offer {offer_id} is {offer.state.value}", state=offer.state.value)
    offer.decline_reason = reason[:LONGEST_DECLINE_REASON]
    return pass_on(session, offer, OfferState.DECLINED, now=now)


def step_back(
    session: Session,
    *,
    helper: MemberId,
    assignment_id: AssignmentId,
    now: datetime,
    reason: str = "",
    told_as: str = "helper_stepped_back",
) -> Offer | None:
    """The helper cannot keep the promise: the elder is told, by the notice `told_as`, and the
    next neighbour asked (the offer returned, None when nobody is left).

    Raises NothingOpen, NotYours, and WrongState once the visit has begun or the promise is over.
    """
    assignment = assignment_of(session, helper, assignment_id)
    request = assignment.request
    if assignment.state is not AssignmentState.ACTIVE:
        raise WrongState(f"the promise is {assignment.state.value}", state=assignment.state.value)
    refuse_unless(request, RequestState.ASSIGNED)
    _not_begun(session, request)
    _release(session, assignment, now)
    assignment.offer.decline_reason = reason[:LONGEST_DECLINE_REASON]
    tell(
        session,
        MemberId(request.elder_id),
        told_as,
        about=f"{assignment.id}",
        now=now,
        helper=assignment.helper.name,
        kind=request.service_kind,
    )
    following = ask_next(session, request, now=now)
    if following is None:
        tell_elder_nobody_is_left(session, request, now=now)
    return following


def _made_in(session: Session, turn_id: TurnId) -> ServiceRequest | None:
    of_turn = select(ServiceRequest).where(ServiceRequest.turn_id == turn_id)
    return cast("ServiceRequest | None", session.execute(of_turn).scalar_one_or_none())


def _check_sensible(minutes: int, starts_at: datetime, now: datetime) -> None:
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise BadMinutes(f"{minutes} minutes", minutes=minutes)
    if starts_at < now - JUST_NOW:
        raise InThePast(f"{starts_at} is over", starts_at=starts_at)


def _not_begun(session: Session, request: ServiceRequest) -> Assignment | None:
    """Who has promised to come, if anybody. Raises WrongState once the visit has begun, also
    when only the elder said so."""
    refuse_unless(request, RequestState.OPEN, RequestState.OFFERED, RequestState.ASSIGNED)
    promised = active_assignment(session, request)
    if promised is not None and promised.visit is not None:
        raise wrong_state(request)
    return promised


def _release(session: Session, assignment: Assignment, now: datetime) -> None:
    funding.give_back(session, assignment, now=now)
    assignment.state = AssignmentState.RELEASED
    assignment.ended_at = now
    assignment.request.state = RequestState.OPEN
    session.flush()


def _tell_cancelled(session: Session, promised: Assignment, now: datetime) -> None:
    request = promised.request
    tell(
        session,
        MemberId(promised.helper_id),
        "request_cancelled",
        about=f"{promised.id}",
        now=now,
        elder=request.elder.name,
        kind=request.service_kind,
        starts_at=request.starts_at,
    )


def _tell_changed(
    session: Session,
    request: ServiceRequest,
    helper: MemberId,
    turn_id: TurnId,
    now: datetime,
) -> None:
    tell(
        session,
        helper,
        "request_changed",
        about=f"{request.id}:{turn_id}",
        now=now,
        elder=request.elder.name,
        kind=request.service_kind,
        starts_at=request.starts_at,
        minutes=request.minutes,
    )
