"""What an action did in a turn and what it answered, so that the same turn again is answered
alike and acts no second time.

A dialogue that gets no answer sends its turn once more; the first may have been carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete
from sqlalchemy.orm import Session

from actions.timebank.ids import TurnId
from actions.timebank.model import Deed

KEPT = timedelta(days=1)
"""No channel delivers a message again after this long."""


def done_before(session: Session, turn_id: TurnId, action: str) -> Deed | None:
    """The deed of this action in this turn, or None when it has not acted yet."""
    return cast("Deed | None", session.get(Deed, (turn_id, action)))


def remember(
    session: Session,
    *,
    turn_id: TurnId,
    action: str,
    messages: Sequence[Any],
    events: Sequence[Any],
    now: datetime,
) -> None:
    """Kept in the transaction of the deed itself: both happen or neither."""
    session.execute(delete(Deed).where(Deed.done_at < now - KEPT))
    session.add(
        Deed(
            turn_id=turn_id,
            action=action,
            messages=list(messages),
            events=list(events),
            done_at=now,
        )
    )
