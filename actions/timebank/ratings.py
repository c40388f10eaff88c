"""How visits were: marks and words of who was helped.

A poor mark goes to the staff as a chance to mend and never to the helper; a good one goes to the
helper as thanks, without the number.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import NothingOpen, NotYours, Refusal
from actions.timebank.ids import MemberId, TurnId, VisitId
from actions.timebank.model import Assignment, Member, Rating, ServiceRequest, Visit
from actions.timebank.notices import tell

LOWEST, HIGHEST = 1, 5
POOR, GOOD = 2, 4
"""Marks up to the first call for mending, from the second on for thanks."""


class BadRating(Refusal):
    """A mark that is none of one to five."""

    code = "bad_rating"


def settled_visits(session: Session, elder: MemberId) -> list[Visit]:
    """The visits to this elder that are settled, the last one first."""
    settled = (
        select(Visit)
        .join(Assignment, Assignment.id == Visit.assignment_id)
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .where(ServiceRequest.elder_id == elder, Visit.settled_at.is_not(None))
        .order_by(Visit.settled_at.desc(), Visit.id.desc())
    )
    return list(session.execute(settled).scalars())


def rate(
    session: Session,
    *,
    rater: MemberId,
    visit_id: VisitId,
    stars: int | None,
    words: str,
    turn_id: TurnId,
    now: datetime,
) -> Rating:
    """Keeps what an elder thinks of a settled visit to her, with or without a mark; said again
    it counts instead of what she said before. The same turn again returns the first rating.

    Raises BadRating, NothingOpen for a visit that is not settled, NotYours for another's.
    """
    earlier = session.execute(select(Rating).where(Rating.turn_id == turn_id)).scalar_one_or_none()
    if earlier is not None:
        if earlier.rater_id != rater:
            raise NotYours(f"turn {turn_id} made another one's rating")
        return cast(Rating, earlier)
    if stars is not None and not LOWEST <= stars <= HIGHEST:
        raise BadRating(f"{stars} stars")
    visit = _settled(session, visit_id)
    if visit.assignment.request.elder_id != rater:
        raise NotYours(f"visit {visit_id} was not to member {rater}")
    rating = Rating(
        visit=visit, rater_id=rater, stars=stars, words=words, turn_id=turn_id, made_at=now
    )
    session.add(rating)
    session.flush()
    _tell(session, rating, now)
    return rating


def poor_visits(session: Session, elder: MemberId) -> set[VisitId]:
    """Visits to which this elder last gave a poor mark."""
    newest = (
        select(func.max(Rating.id))
        .where(Rating.rater_id == elder, Rating.stars.is_not(None))
        .group_by(Rating.visit_id)
    )
    poor = select(Rating.visit_id).where(Rating.id.in_(newest), Rating.stars <= POOR)
    return {VisitId(visit) for visit in session.execute(poor).scalars()}


def who_mends(session: Session, helper: Member) -> list[Member]:
    """The staff who hear of poor marks of this helper: everyone but himself."""
    return [one for one in members.coordinators(session) if one.id != helper.id]


def _settled(session: Session, visit_id: VisitId) -> Visit:
    visit = session.get(Visit, visit_id) if 0 < visit_id <= members.LARGEST_ID else None
    if visit is None or visit.settled_at is None:
        raise NothingOpen(f"no settled visit {visit_id}", what="rating")
    return cast(Visit, visit)


def _tell(session: Session, rating: Rating, now: datetime) -> None:
    if rating.stars is None:
        return
    assignment = rating.visit.assignment
    kind, elder, helper = assignment.request.service_kind, rating.rater.name, assignment.helper
    if rating.stars >= GOOD:
        about = f"{rating.visit_id}"
        tell(session, helper.id, "visit_praised", about=about, now=now, elder=elder, kind=kind)
    elif rating.stars <= POOR:
        for mender in who_mends(session, helper):
            tell(
                session,
                mender.id,
                "staff_low_rating",
                about=f"{rating.id}",
                now=now,
                elder=elder,
                helper=helper.name,
                kind=kind,
                stars=rating.stars,
                words=rating.words,
            )
