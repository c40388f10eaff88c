"""Finds the row that a verb acts on, locked until the transaction ends, and turns strangers away.

The request's row is the lock for everything that hangs on it: offers, assignment, visit.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.errors import NothingOpen, NotYours, WrongState
from actions.timebank.ids import AssignmentId, MemberId, OfferId, RequestId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import Assignment, Offer, ServiceRequest
from actions.timebank.states import AssignmentState, RequestState


def request_by_id(session: Session, request_id: RequestId) -> ServiceRequest:
    """The request, locked. Raises NothingOpen when there is none."""
    return _locked(session, request_id)


def request_of(session: Session, elder: MemberId, request_id: RequestId) -> ServiceRequest:
    """The elder's own request, locked. Raises NothingOpen, NotYours."""
    request = _locked(session, request_id)
    if request.elder_id != elder:
        raise NotYours(f"request {request_id} is not member {elder}'s")
    return request


def offer_to(session: Session, helper: MemberId, offer_id: OfferId) -> Offer:
    """An offer made to this helper, its request locked. Raises NothingOpen, NotYours."""
    return cast(Offer, _helpers_own(session, Offer, helper, offer_id))


def assignment_of(session: Session, helper: MemberId, assignment_id: AssignmentId) -> Assignment:
    """A task that this helper accepted, its request locked. Raises NothingOpen, NotYours."""
    return cast(Assignment, _helpers_own(session, Assignment, helper, assignment_id))


def active_assignment(session: Session, request: ServiceRequest) -> Assignment | None:
    """Who is coming for this request or was there; None when nobody has promised."""
    active = select(Assignment).where(
        Assignment.request_id == request.id, Assignment.state == AssignmentState.ACTIVE
    )
    return cast("Assignment | None", session.execute(active).scalar_one_or_none())


def place_of(request: ServiceRequest) -> str:
    """Where the helper is to go; without a known house it is the lane."""
    return str(request.place or request.elder.place or request.elder.lane.name)


def refuse_unless(request: ServiceRequest, *states: RequestState) -> None:
    """Raises WrongState when the request stands anywhere else."""
    if request.state not in states:
        raise wrong_state(request)


def wrong_state(request: ServiceRequest) -> WrongState:
    return WrongState(f"request {request.id} is {request.state.value}", state=request.state.value)


def _locked(session: Session, request_id: RequestId) -> ServiceRequest:
    request = _row(session, ServiceRequest, request_id, with_for_update=True)
    return cast(ServiceRequest, request)


def _helpers_own(session: Session, model: Any, helper: MemberId, row_id: int) -> Any:
    row = _row(session, model, row_id)
    if row.helper_id != helper:
        raise NotYours(f"{model.__tablename__} {row_id} is not member {helper}'s")
    _locked(session, row.request_id)
    return _row(session, model, row_id)


def _row(session: Session, model: Any, row_id: int, *, with_for_update: bool = False) -> Any:
    """What stands in the database now, also when the session has seen an older version."""
    if 0 < row_id <= LARGEST_ID:
        row = session.get(model, row_id, populate_existing=True, with_for_update=with_for_update)
        if row is not None:
            return row
    raise NothingOpen(f"no {model.__tablename__} {row_id}")
