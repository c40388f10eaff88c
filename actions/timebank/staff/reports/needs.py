"""What was asked for, whether it was met, and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Assignment, Dispute, ServiceRequest, Visit
from actions.timebank.staff.reports.figures import Spread, as_stored, spread
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import DisputeKind, RequestState, ServiceKind


class NeedEnd(str, Enum):
    """What became of a request, as far as is known now."""

    MET = "met"
    NOBODY = "nobody"
    """Nobody agreed in time."""
    NO_SHOW = "no_show"
    """Somebody agreed and did not come."""
    CALLED_OFF = "called_off"
    DISPUTED = "disputed"
    """Staff have not decided yet."""
    UNDER_WAY = "under_way"


_ENDS = {
    RequestState.CONFIRMED: NeedEnd.MET,
    RequestState.EXPIRED: NeedEnd.NOBODY,
    RequestState.CANCELLED: NeedEnd.CALLED_OFF,
    RequestState.DISPUTED: NeedEnd.DISPUTED,
}


@dataclass(frozen=True)
class KindNeeds:
    kind: ServiceKind
    ends: Mapping[NeedEnd, int]
    """How many requests ended so; every end is there, with 0 when none did."""

    @property
    def asked(self) -> int:
        return sum(self.ends.values())


@dataclass(frozen=True)
class Needs:
    """Requests count in the period in which they were made, whenever they were met."""

    by_kind: Sequence[KindNeeds]
    """Only kinds that were asked for, the most asked first."""
    to_promise: Spread
    """From the request to the first promise, of those that got one."""
    to_visit: Spread
    """From the request to the coming of the neighbour, of those that were met."""

    @property
    def ends(self) -> Mapping[NeedEnd, int]:
        return {end: sum(one.ends[end] for one in self.by_kind) for end in NeedEnd}

    @property
    def asked(self) -> int:
        return sum(one.asked for one in self.by_kind)

    @property
    def met_percent(self) -> int | None:
        """Of those of which it is known; None when that is of none."""
        ends = self.ends
        known = self.asked - ends[NeedEnd.UNDER_WAY] - ends[NeedEnd.DISPUTED]
        return None if known == 0 else round(100 * ends[NeedEnd.MET] / known)


def needs(session: Session, period: Period) -> Needs:
    return Needs(
        _by_kind(session, period), _to_promise(session, period), _to_visit(session, period)
    )


def _by_kind(session: Session, period: Period) -> list[KindNeeds]:
    # The elder's own words are an end's reason too: only the dispute proves a no-show.
    disputed = select(Dispute.id).where(
        Dispute.request_id == ServiceRequest.id, Dispute.kind == DisputeKind.NO_SHOW
    )
    stood_up = and_(ServiceRequest.state == RequestState.CANCELLED, disputed.exists())
    not_come = case((stood_up, 1), else_=0).label("not_come")
    rows = session.execute(
        select(ServiceRequest.service_kind, ServiceRequest.state, not_come, func.count())
        .where(period.holds(ServiceRequest.created_at))
        .group_by(ServiceRequest.service_kind, ServiceRequest.state, not_come)
    )
    kinds: dict[ServiceKind, dict[NeedEnd, int]] = {}
    for kind, state, is_no_show, count in rows:
        end = NeedEnd.NO_SHOW if is_no_show else _ENDS.get(state, NeedEnd.UNDER_WAY)
        kinds.setdefault(kind, dict.fromkeys(NeedEnd, 0))[end] += count
    found = [KindNeeds(kind, ends) for kind, ends in kinds.items()]
    return sorted(found, key=lambda one: (-one.asked, one.kind))


def _to_promise(session: Session, period: Period) -> Spread:
    return _spans(
        session.execute(
            select(
                as_stored(ServiceRequest.created_at), as_stored(func.min(Assignment.accepted_at))
            )
            .join(Assignment, Assignment.request_id == ServiceRequest.id)
            .where(period.holds(ServiceRequest.created_at))
            .group_by(ServiceRequest.id, ServiceRequest.created_at)
        ).all()
    )


def _to_visit(session: Session, period: Period) -> Spread:
    # A helper who forgot to say that he had come still said when he was done.
    came = func.coalesce(Visit.checked_in_at, Visit.checked_out_at)
    return _spans(
        session.execute(
            select(as_stored(ServiceRequest.created_at), as_stored(came))
            .join(Assignment, Assignment.request_id == ServiceRequest.id)
            .join(Visit, Visit.assignment_id == Assignment.id)
            .where(
                period.holds(ServiceRequest.created_at),
                ServiceRequest.state == RequestState.CONFIRMED,
                came.is_not(None),
            )
        ).all()
    )


def _spans(rows: Sequence[Sequence[Any]]) -> Spread:
    return spread(later - asked for asked, later in rows)
