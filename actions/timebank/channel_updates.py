"""What a messenger handed over: each thing is answered, and answered once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from actions.timebank.model import ChannelUpdate
from actions.timebank.states import Channel

KEPT = timedelta(days=3)
"""Telegram hands over for a day what was not fetched."""


def begin_update(session: Session, *, channel: Channel, update_id: int, now: datetime) -> bool:
    """Whether this is still to be answered: False when it was finished before. What a crash left
    begun is handed out again; the turn's id then sees to it that nothing is done twice."""
    session.execute(delete(ChannelUpdate).where(ChannelUpdate.begun_at <= now - KEPT))
    begun = session.get(ChannelUpdate, (channel, update_id))
    if begun is None:
        session.add(ChannelUpdate(channel=channel, update_id=update_id, begun_at=now))
        session.flush()
        return True
    return begun.finished_at is None


def finish_update(session: Session, *, channel: Channel, update_id: int, now: datetime) -> None:
    """It was answered. The first time stands."""
    begun = session.get(ChannelUpdate, (channel, update_id))
    if begun is None:
        session.add(
            ChannelUpdate(channel=channel, update_id=update_id, begun_at=now, finished_at=now)
        )
    elif begun.finished_at is None:
        begun.finished_at = now
    session.flush()
