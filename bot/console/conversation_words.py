"""What is written of a turn in one or two words: its meaning, its outcome, its stages."""

from __future__ import annotations

from enum import Enum
from typing import Any, Iterable, Optional

from actions.timebank.model import Turn
from actions.timebank.staff.corrections import ENTITIES, INTENTS
from actions.timebank.staff.effects import DEEDS


def _choices(name: str, values: Iterable[str]) -> Any:
    return Enum(name, [(value.upper(), value) for value in values], type=str)


Intent = _choices("Intent", [*INTENTS, "nlu_fallback"])
"""So that what was meant has its label as all other choices have."""
DeedDone = _choices("DeedDone", DEEDS)
EntityName = _choices("EntityName", ENTITIES)


class TurnCode(str, Enum):
    """Why a turn was not simply answered."""

    NOT_UNDERSTOOD = "not_understood"
    NOT_HEARD = "not_heard"
    NOT_HEARD_CLEARLY = "not_heard_clearly"
    NOT_CHINESE = "not_chinese"
    REPAIR_AGAIN = "repair_again"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_LARGE = "too_large"
    NOT_AUDIO = "not_audio"
    VOICE_FAILED = "voice_failed"
    ENGINE_MISSING = "engine_missing"
    DIALOGUE_AWAY = "dialogue_away"
    BUG = "bug"


class Stage(str, Enum):
    HEAR = "hear"
    DIALOGUE = "dialogue"
    TOTAL = "total"


class HeardOn(str, Enum):
    TALK = "talk"
    TELEGRAM = "telegram"
    TERMINAL = "terminal"


def known(choices: type[Enum], value: str) -> Optional[Enum]:
    """The choice of this value, or None for one that has no label."""
    try:
        return choices(value)
    except ValueError:
        return None


def described(turn: Turn) -> dict[str, Any]:
    """The choices of a turn that have labels."""
    return {
        "intent": known(Intent, turn.intent),
        "code": known(TurnCode, turn.code),
        "channel": known(HeardOn, turn.channel),
        "stages": [(known(Stage, name), name, ms) for name, ms in turn.stage_ms.items()],
    }
