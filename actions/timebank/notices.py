"""Short ways to queue a notice for one person or for all the village staff."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank import members, outbox
from actions.timebank.ids import MemberId


def tell(
    session: Session,
    recipient: MemberId,
    kind: str,
    /,
    *,
    about: str,
    now: datetime,
    **facts: object,
) -> None:
    """Queues a notice once for this person; `about` names the event that it tells of."""
    key = f"{kind}:{about}"
    outbox.queue(session, recipient=recipient, kind=kind, facts=facts, dedupe_key=key, now=now)


def tell_staff(
    session: Session, kind: str, /, *, about: str, now: datetime, **facts: object
) -> None:
    """The same for every coordinator."""
    for coordinator in members.coordinators(session):
        tell(session, MemberId(coordinator.id), kind, about=about, now=now, **facts)
