"""What a messenger handed over: each thing is answered, and answered once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank.model import ChannelUpdate
from actions.timebank.states import Channel

LARGEST_UPDATE = 2**63 - 1
KEPT = timedelta(days=3)
"""Telegram hands over for a day what was not fetched."""


def begin_update(session: Session, *, channel: Channel, update_id: int, now: datetime) -> bool:
    """Whether this is still to be answered: False when it was finished before. What a crash left
    begun is handed out again; the turn's id then sees to it that nothing is done twice."""
    if not 0 <= update_id <= LARGEST_UPDATE:
        return False
    session.execute(delete(ChannelUpdate).where(ChannelUpdate.begun_at <= now - KEPT))
    try:
        # Insert before looking: of two deliveries at the same moment only one can succeed.
        with session.begin_nested():
            session.execute(
                insert(ChannelUpdate).values(channel=channel, update_id=update_id, begun_at=now)
            )
    except IntegrityError:
        begun = session.get(ChannelUpdate, (channel, update_id), populate_existing=True)
        return begun is not None and begun.finished_at is None
    return True


def finish_update(session: Session, *, channel: Channel, update_id: int, now: datetime) -> None:
    """It was answered and need not be handed over again."""
    session.execute(
        update(ChannelUpdate)
        .where(
            ChannelUpdate.channel == channel,
            ChannelUpdate.update_id == update_id,
            ChannelUpdate.finished_at.is_(None),
        )
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )
