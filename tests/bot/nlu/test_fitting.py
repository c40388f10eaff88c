from __future__ import annotations

from typing import Any

import pytest
import yaml
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.fitting import FITS, FittingEntities
from bot.phrases import DOMAIN

WHEN = {"entity": "when", "value": "2026-03-03T09:00:00+08:00", "start": 0, "end": 2}
RATING = {"entity": "rating", "value": 5, "start": 0, "end": 4}
PERSON = {"entity": "person", "value": "张秀英", "start": 2, "end": 4}


def left(intent: str | None) -> list[str]:
    known: dict[str, Any] = {"text": "早上秀英五颗星", "entities": [WHEN, RATING, PERSON]}
    if intent:
        known["intent"] = {"name": intent, "confidence": 0.9}
    [message] = FittingEntities().process([Message(known)])
    return [one["entity"] for one in message.get("entities")]


@pytest.mark.parametrize(
    ("intent", "fitting"),
    [
        ("request_help", ["when", "person"]),
        ("rate_service", ["rating", "person"]),
        ("inform", ["when", "rating", "person"]),
        # Not understood, it may be the answer that a form waits for.
        ("nlu_fallback", ["when", "rating", "person"]),
        ("greet", ["person"]),
        ("confirm_service", ["person"]),
        (None, ["person"]),
    ],
)
def test_an_intent_keeps_what_it_has_a_use_for(intent: str | None, fitting: list[str]) -> None:
    assert left(intent) == fitting


def test_intents_that_take_entities_are_intents_of_the_house() -> None:
    base = yaml.safe_load((DOMAIN / "base.yml").read_text("utf-8"))
    known = {one if isinstance(one, str) else next(iter(one)) for one in base["intents"]}

    for entity, intents in FITS.items():
        assert entity in base["entities"]
        assert intents - {"nlu_fallback"} <= known


def test_silence_has_no_entities() -> None:
    [message] = FittingEntities().process([Message({"text": ""})])

    assert message.get("entities") == []
