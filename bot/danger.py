"""What a turn means for somebody who was asked whether something had happened to her."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional

SURE_FROM = 0.5
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
