"""Utterances written apart from the training ones, how they are heard, and how they are read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.settings import HOUSE
from tests.bench.noise import SHARE, Mishearing, noised
from tests.bench.scores import Reading

WRITTEN_APART = HOUSE / "tests" / "understanding"
QUICK = 120
"""Utterances of each set when only the evaluation itself is tried."""
NOISE_PERCENTS = (0, 6, 12, 18)
WHAT_IS_SAID = {"service_kind", "when", "duration_minutes", "amount_minutes", "person", "place"}
WHAT_IS_SAID |= {"rating", "symptom", "reason"}
"""Entities of the design; others (a swindler's words) are marks that actions need."""
Parse = Callable[[str], Mapping[str, Any]]
Hear = Callable[[str], str]


@dataclass(frozen=True)
class Spoken:
    """An utterance with what its author meant."""

    text: str
    intent: str
    entities: Sequence[Mapping[str, Any]]
    voice: str = ""
    """Who says it: the name of the file."""


def hearings() -> Mapping[str, Hear]:
    """The ways in which the test set is heard. `clean` and `noised` are no and 12 % noise."""
    return {
        "clean": lambda text: text,
        "noised": noised,
        "noised_near": lambda text: noised(text, kind=Mishearing.NEAR),
        **{
            noise_name(percent): _with_noise(percent)
            for percent in NOISE_PERCENTS
            if percent not in (0, round(SHARE * 100))
        },
    }


def noise_name(percent: int) -> str:
    """Under which name that share of noise is heard."""
    if percent == 0:
        return "clean"
    return "noised" if percent == round(SHARE * 100) else f"noised_{percent}_percent"


def read_spoken(folder: Path, *, quick: bool = False) -> list[Spoken]:
    """All utterances of a folder of Rasa NLU files, in a fixed order; none without the folder."""
    from rasa.shared.nlu.training_data.loading import load_data

    spoken = [
        _spoken(message, file.stem)
        for file in folder.glob("*.yml")
        for message in load_data(str(file)).intent_examples
    ]
    spoken.sort(key=lambda one: (one.intent, one.text, one.voice))
    return random.Random(1).sample(spoken, min(QUICK, len(spoken))) if quick else spoken


@cache
def training_texts() -> frozenset[str]:
    """Everything that the training voices say."""
    return frozenset(one.text for one in read_spoken(HOUSE / "nlu_data" / "nlu"))


def read_all(parse: Parse, spoken: Sequence[Spoken], hear: Hear) -> list[Reading]:
    """How each utterance is understood as it is heard; `hear` keeps its length."""
    return [_read(parse, one, hear(one.text)) for one in spoken]


def _spoken(message: Any, voice: str) -> Spoken:
    text = message.get("text")
    entities = [_entity(text, one) for one in message.get("entities") or ()]
    return Spoken(text, message.get("intent"), entities, voice)


def _with_noise(percent: int) -> Hear:
    return lambda text: noised(text, share=percent / 100)


def _read(parse: Parse, meant: Spoken, heard: str) -> Reading:
    began, worked = time.perf_counter(), time.process_time()
    parsed = parse(heard)
    milliseconds = (time.perf_counter() - began) * 1000
    processor_ms = (time.process_time() - worked) * 1000
    return Reading(
        text=heard,
        intent=meant.intent,
        entities=meant.entities,
        got_intent=parsed["intent"]["name"] or "",
        confidence=float(parsed["intent"]["confidence"]),
        got_entities=[
            _entity(heard, one) for one in parsed["entities"] if one["entity"] in WHAT_IS_SAID
        ],
        milliseconds=milliseconds,
        processor_ms=processor_ms,
        said=meant.text,
        voice=meant.voice,
        ranking={one["name"]: float(one["confidence"]) for one in parsed.get("intent_ranking", ())},
    )


def _entity(text: str, one: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: one[name] for name in ("entity", "value", "start", "end")}
    return {**kept, "text": text[one["start"] : one["end"]]}
