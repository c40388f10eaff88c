"""Slower and with longer silences for whoever asked twice to hear it again or was cut off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank import members, turns
from actions.timebank.ids import MemberId

STRUGGLES = 2
"""So many within `turns.STRUGGLE_WINDOW`, and it becomes slower and more patient by itself."""
INTENTS = ("repeat", "slow_down")
CODES = ("not_heard", "not_heard_clearly")


def grow(session: Session, *, member: MemberId, intent: str, code: str, now: datetime) -> bool:
    """Looks at the turn that just ended; True when the member is to be told, which is once."""
    if intent not in INTENTS and code not in CODES:
        return False
    before = turns.struggles(session, member, intents=INTENTS, codes=CODES, now=now)
    if (before + 1) % STRUGGLES:
        return False
    was_first = members.member(session, member).patience_ms == members.SHORTEST_PATIENCE
    members.set_pace(session, member=member, by=-members.PACE_STEP)
    members.set_patience(session, member=member, by=members.PATIENCE_STEP)
    return was_first
