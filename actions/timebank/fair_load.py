"""How much each helper was asked, so that nobody is asked again and again.

No study of how often villagers like to be asked was found: the numbers are to be tuned with them.
Emergencies know no such limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.model import Offer, ServiceRequest
from actions.timebank.states import OfferState, ServiceKind

FAIR_LOAD_WINDOW = timedelta(days=30)
"""Who was asked less often in this time is asked sooner."""
MOST_A_DAY = 4
"""In any 24 hours. What was called off counts: the telephone rang all the same."""
MOST_A_WEEK = 12
REST_AFTER_NO = timedelta(hours=1)
"""After a no the next question waits at least so long."""
SILENCES = 3
"""Who let so many questions in a row run out is asked after the others..."""
MOST_A_DAY_IN_SILENCE = 1
"""... and no oftener than this, until he answers one."""


@dataclass(frozen=True)
class Load:
    """What one helper was asked, up to now."""

    lately: int = 0
    """In `FAIR_LOAD_WINDOW`, without what was called off before any answer: no burden."""
    this_week: int = 0
    today: int = 0
    said_no_at: datetime | None = None
    is_silent: bool = False
    has_agreed: bool = False
    """To this very request, before it was changed: asked anew, that is no new question."""

    def is_enough(self, request: ServiceRequest, now: datetime) -> bool:
        """Whether this helper is to be left in peace for now."""
        if request.service_kind is ServiceKind.URGENT_HELP or self.has_agreed:
            return False
        rests = self.said_no_at is not None and now < self.said_no_at + REST_AFTER_NO
        most_today = MOST_A_DAY_IN_SILENCE if self.is_silent else MOST_A_DAY
        return rests or self.today >= most_today or self.this_week >= MOST_A_WEEK


def loads(
    session: Session, helpers: Iterable[MemberId], request: ServiceRequest, *, now: datetime
) -> dict[MemberId, Load]:
    """Of each of these helpers, also of who was never asked."""
    asked: dict[MemberId, list[Any]] = {helper: [] for helper in helpers}
    rows = session.execute(
        select(Offer.helper_id, Offer.request_id, Offer.state, Offer.offered_at, Offer.answered_at)
        .where(Offer.helper_id.in_(asked), Offer.offered_at > now - FAIR_LOAD_WINDOW)
        .order_by(Offer.id)
    )
    for row in rows:
        asked[MemberId(row.helper_id)].append(row)
    return {helper: _load(offers, request, now) for helper, offers in asked.items()}


def _load(offers: Sequence[Any], request: ServiceRequest, now: datetime) -> Load:
    def since(span: timedelta) -> int:
        return sum(offer.offered_at > now - span for offer in offers)

    ended = [one.state for one in offers if one.state not in _NO_ANSWER_YET]
    refused = [one.answered_at for one in offers if one.state is OfferState.DECLINED]
    return Load(
        lately=sum(one.state is not OfferState.WITHDRAWN for one in offers),
        this_week=since(timedelta(days=7)),
        today=since(timedelta(days=1)),
        said_no_at=max(refused, default=None),
        is_silent=len(ended) >= SILENCES and set(ended[-SILENCES:]) == {OfferState.EXPIRED},
        has_agreed=any(
            one.request_id == request.id and one.state is OfferState.ACCEPTED for one in offers
        ),
    )


_NO_ANSWER_YET = (OfferState.PENDING, OfferState.WITHDRAWN)
