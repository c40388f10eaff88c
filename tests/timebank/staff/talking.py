"""What people said to 小帮, as rows, and the staff who look at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from actions.timebank import turns
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Turn
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Role
from actions.timebank.states import TurnOutcome
from tests.timebank.builders import MORNING, make_member

_numbers = count(1)
FINISHED: dict[str, Any] = {
    "heard": "俺想叫人买点菜",
    "heard_confidence": 0.9,
    "engine": "vosk",
    "intent": "request_help",
    "intent_confidence": 0.9,
    "reply": "好的，记下了。",
}


def say(
    session: Session,
    member: Member,
    at: datetime,
    *,
    channel: str = "talk",
    outcome: TurnOutcome = TurnOutcome.ANSWERED,
    **columns: Any,
) -> Turn:
    """One finished turn, well understood unless told otherwise."""
    turn_id = TurnId(f"{channel}:{member.id}:{next(_numbers):05}")
    turns.begin(session, turn_id=turn_id, member=member.id, channel=channel, now=at)
    return turns.finish(
        session,
        turn_id,
        now=at + timedelta(seconds=2),
        outcome=outcome,
        **{**FINISHED, **columns},
    )


def mishear(session: Session, member: Member, at: datetime, **columns: Any) -> Turn:
    """A turn in which nothing certain was heard, so that she was asked again."""
    unclear: dict[str, Any] = {
        "outcome": TurnOutcome.REPAIRED,
        "code": "not_heard_clearly",
        "heard": "嗯那个",
        "heard_confidence": 0.3,
        "intent": "",
        "intent_confidence": None,
        "reply": "没听清，您再说一遍？",
    }
    return say(session, member, at, **{**unclear, **columns})


def hire(session: Session, name: str, *roles: Role) -> MemberId:
    """A member of the village who works with these roles."""
    person = make_member(session, name, now=MORNING)
    accounts.make(
        session,
        member=MemberId(person.id),
        login=f"staff{person.id}",
        roles=roles,
        password_hash="none",
        now=MORNING,
    )
    return MemberId(person.id)
