"""Who stands at the counter, and what that person may have come to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import queries
from actions.timebank.ids import MemberId, RequestId
from actions.timebank.model import Assignment, Lane, Member, ServiceRequest
from actions.timebank.staff.states import (
    CounterDeed,
)
from actions.timebank.states import Party, RequestState

LONGEST_SEARCH = 40
EARLY = timedelta(hours=2)
"""A neighbour may come that much earlier than agreed."""


@dataclass(frozen=True)
class Saying:
    """One thing that the person may say about one request."""

    deed: CounterDeed
    request: ServiceRequest
    other: str
    """The helper for an elder, the elder for a helper; empty when nobody has agreed."""
    claimed: int | None = None


def search(session: Session, words: str, *, limit: int) -> list[Member]:
    """Present members whose name, nickname, lane or house has these words; all words count, the
    nearest name first. None for no words."""
    wanted = words.strip()[:LONGEST_SEARCH]
    if not wanted:
        return []
    query = select(Member).join(Lane, Lane.id == Member.lane_id).where(Member.left_at.is_(None))
    for word in wanted.split():
        query = query.where(
            or_(
                *(
                    column.contains(word, autoescape=True)
                    for column in (Member.name, Member.nickname, Member.place, Lane.name)
                )
            )
        )
    begins = Member.name.startswith(wanted, autoescape=True)
    query = query.options(joinedload(Member.lane)).order_by(begins.desc(), Member.name, Member.id)
    return list(session.execute(query.limit(limit)).scalars())


def sayings(session: Session, member: MemberId, *, now: datetime) -> list[Saying]:
    """What may be said of the requests that are not over: first by whoever is helped, then by
    whoever helps."""
    return [
        *_as_elder(session, member, now),
        *_as_helper(session, member),
    ]


def saying(
    session: Session, member: MemberId, deed: CounterDeed, request_id: RequestId, *, now: datetime
) -> Saying | None:
    """That very thing, if it can be said now."""
    return next(
        (
            one
            for one in sayings(session, member, now=now)
            if one.deed is deed and one.request.id == request_id
        ),
        None,
    )


def _as_elder(session: Session, member: MemberId, now: datetime) -> list[Saying]:
    found: list[Saying] = []
    for request in queries.open_requests(session, member):
        helper = queries.helper_of(session, RequestId(request.id))
        name = str(helper.name) if helper is not None else ""
        if request.state in (RequestState.OPEN, RequestState.OFFERED):
            name = ""
        claimed = queries.claimed_minutes(session, RequestId(request.id))
        found += [
            Saying(deed, request, name, claimed) for deed in _elder_may_say(session, request, now)
        ]
    return found


def _elder_may_say(session: Session, request: ServiceRequest, now: datetime) -> list[CounterDeed]:
    promised = next((one for one in request.assignments if one.ended_at is None), None)
    if promised is None:
        return [CounterDeed.CHANGE, CounterDeed.CANCEL]
    if _has_said(promised, Party.ELDER):
        return []
    may: list[CounterDeed] = []
    if request.starts_at - EARLY <= now or request.state is not RequestState.ASSIGNED:
        may.append(CounterDeed.CONFIRM)
    if request.starts_at <= now and request.state is not RequestState.CLAIMED:
        may.append(CounterDeed.NO_SHOW)
    if promised.visit is None:
        may += [CounterDeed.CHANGE, CounterDeed.CANCEL]
    return may


def _as_helper(session: Session, member: MemberId) -> list[Saying]:
    found: list[Saying] = []
    for offer in queries.pending_offers(session, member):
        elder = str(offer.request.elder.name)
        found.append(Saying(CounterDeed.ACCEPT, offer.request, elder))
        found.append(Saying(CounterDeed.DECLINE, offer.request, elder))
    for task in queries.active_tasks(session, member):
        elder = str(task.request.elder.name)
        claimed = queries.claimed_minutes(session, RequestId(task.request_id))
        if not (task.request.state is RequestState.CLAIMED and _has_said(task, Party.ELDER)):
            found.append(Saying(CounterDeed.REPORT_DONE, task.request, elder, claimed))
        if task.visit is None:
            found.append(Saying(CounterDeed.DECLINE, task.request, elder))
    return found


def _has_said(promised: Assignment, party: Party) -> bool:
    visit = promised.visit
    return visit is not None and any(one.party is party for one in visit.confirmations)
