"""What a helper wishes not to be asked for: a kind of help, or a time when he is away.

A wish follows a reason for a no, and his yes to it. Offering help again undoes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from actions.timebank.errors import InThePast
from actions.timebank.ids import MemberId
from actions.timebank.model import DoNotAsk, ServiceRequest
from actions.timebank.states import ServiceKind

LONGEST_WORDS = 120
AWAY = timedelta(days=7)
"""How long somebody is left in peace who named no day of his return."""
LONGEST_AWAY = timedelta(days=180)
"""Nobody is forgotten for ever by a misheard date."""


def not_this_kind(
    session: Session, *, helper: MemberId, kind: ServiceKind, words: str, now: datetime
) -> None:
    """From now on the helper is not asked for this kind; his words are kept as the reason. Saying
    it twice changes nothing."""
    _wish(session, helper, kind, None, words, now)


def away(
    session: Session, *, helper: MemberId, until: datetime, words: str, now: datetime
) -> datetime:
    """The helper is not asked for anything that begins before `until`, which is cut to
    `LONGEST_AWAY` and returned. The newest word counts. Raises InThePast."""
    if until <= now:
        raise InThePast(f"away until {until}", starts_at=until)
    until = min(until, now + LONGEST_AWAY)
    _wish(session, helper, None, until, words, now)
    return until


def undo(session: Session, *, helper: MemberId, kinds: Iterable[ServiceKind]) -> None:
    """He is back, and may be asked for these kinds again."""
    session.execute(
        delete(DoNotAsk).where(
            DoNotAsk.member_id == helper,
            or_(DoNotAsk.service_kind.is_(None), DoNotAsk.service_kind.in_(set(kinds))),
        )
    )


def not_to_be_asked(
    session: Session, helpers: Iterable[MemberId], request: ServiceRequest
) -> set[MemberId]:
    """Who of these wished not to be asked for this kind, or is away then."""
    wished = select(DoNotAsk.member_id).where(
        DoNotAsk.member_id.in_(set(helpers)),
        or_(DoNotAsk.service_kind.is_(None), DoNotAsk.service_kind == request.service_kind),
        or_(DoNotAsk.until.is_(None), DoNotAsk.until > request.starts_at),
    )
    return {MemberId(member) for member in session.execute(wished).scalars()}


def _wish(
    session: Session,
    helper: MemberId,
    kind: ServiceKind | None,
    until: datetime | None,
    words: str,
    now: datetime,
) -> None:
    same_kind = DoNotAsk.service_kind.is_(None) if kind is None else DoNotAsk.service_kind == kind
    session.execute(delete(DoNotAsk).where(DoNotAsk.member_id == helper, same_kind))
    session.add(
        DoNotAsk(
            member_id=helper,
            service_kind=kind,
            until=until,
            words=words[:LONGEST_WORDS],
            said_at=now,
        )
    )
    session.flush()
