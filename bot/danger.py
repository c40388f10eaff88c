"""What a turn means for somebody who was asked whether something had happened to her."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterable, List, Mapping, Optional

from sqlalchemy.orm import Session

from actions.timebank import alarm_questions, alerts
from actions.timebank.ids import MemberId, TurnId

SURE_FROM = 0.5
NAMED = 3
"""How many of the people who were told are named to her."""
ASKS_TO_HEAR_AGAIN = ("repeat", "slow_down", "louder")
NO_ANSWER = frozenset(
    {
        "affirm",
        "chitchat",
        "emergency",
        "goodbye",
        "greet",
        "inform",
        "nlu_fallback",
        "out_of_scope",
        "report_wellbeing",
        "talk_to_human",
        "thank",
        "unsure",
    }
)
"""Said instead of a no, these leave the danger where it was, or confirm it."""
URGENT = "urgent_help"


def people_called(
    session: Session,
    *,
    member: MemberId,
    turn: TurnId,
    words: str,
    intent: str,
    confidence: Optional[float],
    entities: Iterable[Mapping[str, Any]],
    now: datetime,
) -> Optional[List[str]]:
    """Calls people when she was asked whether something had happened and this turn is no answer,
    heard or not (`intent` is empty then); what is clearly about other things settles the question.

    Returns the names of who was told first, or None when nobody had to be called."""
    question = alarm_questions.waiting(session, member)
    if question is None or question.turn_id == turn or intent in ASKS_TO_HEAR_AGAIN:
        return None
    if intent and speaks_of_other_things(intent, confidence, entities):
        alarm_questions.settle(session, question, now=now)
        return None
    alarm_questions.call(session, member=member, words=words, turn_id=turn, now=now)
    return [person.name for person in alerts.who_is_told(session, member)[:NAMED]]


def speaks_of_other_things(
    intent: str, confidence: Optional[float], entities: Iterable[Mapping[str, Any]]
) -> bool:
    """Whether she has clearly gone on to something else, and nothing in it is frightening.

    A cry for people (叫人来) is easily taken for a plain wish for help: that one has a kind."""
    if intent in NO_ANSWER or confidence is None or confidence < SURE_FROM:
        return False
    said = {(entity["entity"], entity["value"]) for entity in entities}
    kinds = {value for name, value in said if name == "service_kind"}
    ails = any(name == "symptom" for name, _value in said)
    return not ails and URGENT not in kinds and (intent != "request_help" or bool(kinds))
