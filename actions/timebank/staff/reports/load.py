"""Who is asked too often, and who never."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from actions.timebank.fair_load import MOST_A_DAY, MOST_A_WEEK
from actions.timebank.ids import MemberId
from actions.timebank.model import Member, Offer
from actions.timebank.staff.reports.figures import as_stored
from actions.timebank.staff.reports.hours import visits_by_helper
from actions.timebank.staff.reports.periods import Period
from actions.timebank.states import OfferState


@dataclass(frozen=True)
class HelperLoad:
    """What one helper was asked in the period, and did."""

    member_id: MemberId
    name: str
    answers: Mapping[OfferState, int]
    """How many questions ended so; every end is there."""
    done: int
    """Visits of hers that were settled in the period. How long they were is her own matter."""
    busiest_day: int
    """The most questions in any 24 hours."""
    busiest_week: int
    """The most questions in any seven days."""

    @property
    def asked(self) -> int:
        return sum(self.answers.values())

    @property
    def is_at_the_limit(self) -> bool:
        """She was asked as often as anybody may be; see `fair_load`."""
        return self.busiest_day >= MOST_A_DAY or self.busiest_week >= MOST_A_WEEK


@dataclass(frozen=True)
class Loads:
    helpers: Sequence[HelperLoad]
    """Everybody who was asked, the most asked first."""
    never_asked: Sequence[str]
    """The names of those who wish to be asked and were not."""

    @property
    def at_the_limit(self) -> Sequence[HelperLoad]:
        return [one for one in self.helpers if one.is_at_the_limit]


def loads(session: Session, period: Period) -> Loads:
    done = visits_by_helper(session, period)
    rows = session.execute(
        select(Offer.helper_id, Offer.state, as_stored(Offer.offered_at))
        .where(period.holds(Offer.offered_at))
        .order_by(Offer.helper_id, Offer.offered_at)
    )
    names = dict(iter(session.execute(select(Member.id, Member.name))))
    helpers = []
    for member, offers in groupby(rows, key=itemgetter(0)):
        answers, moments = dict.fromkeys(OfferState, 0), []
        for _, state, moment in offers:
            answers[state] += 1
            moments.append(moment)
        day, week = (_most_within(moments, timedelta(days=days)) for days in (1, 7))
        visits, _ = done.get(member, (0, 0))
        helpers.append(HelperLoad(member, names[member], answers, visits, day, week))
    helpers.sort(key=lambda one: (-one.asked, one.member_id))
    asked = {one.member_id for one in helpers}
    return Loads(helpers, _never_asked(session, period, asked))


def _most_within(moments: Sequence[datetime], span: timedelta) -> int:
    """The most of these ascending moments that lie less than `span` apart."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - span:
            first += 1
        most = max(most, last - first + 1)
    return most


def _never_asked(session: Session, period: Period, asked: Collection[MemberId]) -> list[str]:
    willing = (
        select(Member.id, Member.name)
        .where(
            Member.takes_tasks,
            Member.joined_at < period.ends,
            or_(Member.left_at.is_(None), Member.left_at >= period.ends),
        )
        .order_by(Member.id)
    )
    return [name for member, name in session.execute(willing) if member not in asked]
