"""How well utterances were understood, counted from what was expected and what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any

from actions.timebank.clock import VILLAGE_ZONE

BINS = 10
FALLBACK = "nlu_fallback"
Entity = Mapping[str, Any]
"""`entity`, `value`, `start`, `end`, and `text`: the words that it stands for."""


@dataclass(frozen=True)
class Reading:
    """One utterance, what its author meant, and how it was understood."""

    text: str
    intent: str
    entities: Sequence[Entity]
    got_intent: str
    confidence: float
    got_entities: Sequence[Entity]
    milliseconds: float
    processor_ms: float
    """What of it was work of this process, whatever else ran on its core."""
    said: str = ""
    """What was said; `text` is what was heard of it."""
    voice: str = ""
    ranking: Mapping[str, float] = field(default_factory=dict)
    """Confidence by intent, at least of the surest ones."""

    @property
    def right(self) -> bool:
        return self.intent == self.got_intent

    @property
    def missed(self) -> list[Entity]:
        return _left_over(self.entities, self.got_entities)[0]

    @property
    def invented(self) -> list[Entity]:
        return _left_over(self.entities, self.got_entities)[1]


def accuracy(readings: Sequence[Reading]) -> float:
    return fmean(reading.right for reading in readings)


def macro_f1(readings: Sequence[Reading]) -> float:
    """The mean over the intents that were meant, each counting the same however rare."""
    return fmean(score.f1 for score in by_intent(readings))


def recall(readings: Sequence[Reading], intent: str) -> float:
    """Raises ValueError (of `fmean`) when nobody meant it."""
    return fmean(reading.right for reading in readings if reading.intent == intent)


def false_alarm_ratio(readings: Sequence[Reading], intent: str) -> float:
    """How often it was understood where it was not meant."""
    return fmean(reading.got_intent == intent for reading in readings if reading.intent != intent)


def fallback_ratio(readings: Sequence[Reading]) -> float:
    return fmean(reading.got_intent == FALLBACK for reading in readings)


@dataclass(frozen=True)
class Score:
    """How well one intent or one kind of entity was found."""

    name: str
    meant: int
    got: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.got if self.got else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.meant if self.meant else 0.0

    @property
    def f1(self) -> float:
        """1 when there was nothing to find and nothing was found."""
        return 2 * self.right / (self.meant + self.got) if self.meant + self.got else 1.0


def by_intent(readings: Sequence[Reading]) -> list[Score]:
    """Of each intent that was meant, by name."""
    meant = Counter(reading.intent for reading in readings)
    got = Counter(reading.got_intent for reading in readings)
    right = Counter(reading.intent for reading in readings if reading.right)
    return [Score(name, meant[name], got[name], right[name]) for name in sorted(meant)]


def by_entity(readings: Sequence[Reading]) -> list[Score]:
    """Of each kind that was meant or found, by name; found is when kind and value are right."""
    meant = _kinds(one for reading in readings for one in reading.entities)
    got = _kinds(one for reading in readings for one in reading.got_entities)
    missed = _kinds(one for reading in readings for one in reading.missed)
    return [
        Score(kind, meant[kind], got[kind], meant[kind] - missed[kind])
        for kind in sorted({*meant, *got})
    ]


def by_voice(readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    voices: dict[str, list[Reading]] = {}
    for reading in readings:
        voices.setdefault(reading.voice, []).append(reading)
    return dict(sorted(voices.items()))


def entity_f1(readings: Sequence[Reading], kinds: Collection[str] | None = None) -> float:
    """Over all utterances together, of these kinds only if any are given."""
    scores = [one for one in by_entity(readings) if kinds is None or one.name in kinds]
    return Score(
        "",
        sum(one.meant for one in scores),
        sum(one.got for one in scores),
        sum(one.right for one in scores),
    ).f1


@dataclass(frozen=True)
class Bin:
    """Utterances understood with about the same confidence."""

    count: int
    confidence: float
    accuracy: float


def bins(readings: Sequence[Reading]) -> list[Bin]:
    """The bins of equal width that are not empty, the unsure ones first."""
    groups: list[list[Reading]] = [[] for _ in range(BINS)]
    for reading in readings:
        groups[min(int(reading.confidence * BINS), BINS - 1)].append(reading)
    return [
        Bin(len(group), fmean(reading.confidence for reading in group), accuracy(group))
        for group in groups
        if group
    ]


def calibration_error(readings: Sequence[Reading]) -> float:
    """Expected calibration error: how far confidence and truth lie apart on average."""
    return sum(one.count * abs(one.confidence - one.accuracy) for one in bins(readings)) / len(
        readings
    )


def same_entity(expected: Entity, got: Entity) -> bool:
    """Values are equal, times as moments and numbers as numbers. An expected entity that was
    annotated without a value of its own is also met by the same kind over exactly its words,
    however these were misheard."""
    if expected["entity"] != got["entity"]:
        return False
    places = [(one["start"], one["end"]) for one in (expected, got)]
    if expected["value"] == expected["text"] and places[0] == places[1]:
        return True
    return _comparable(expected) == _comparable(got)


def _kinds(entities: Iterable[Entity]) -> Counter[str]:
    return Counter(one["entity"] for one in entities)


def _comparable(entity: Entity) -> object:
    words = str(entity["value"])
    if entity["entity"] != "when":
        return words
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return words
    return moment if moment.tzinfo else moment.replace(tzinfo=VILLAGE_ZONE)


def _left_over(
    expected: Sequence[Entity], got: Sequence[Entity]
) -> tuple[list[Entity], list[Entity]]:
    """What was expected and not found, and what was found and not expected."""
    missed, invented = [], list(got)
    for one in expected:
        match = next((other for other in invented if same_entity(one, other)), None)
        if match is None:
            missed.append(one)
        else:
            invented.remove(match)
    return missed, invented
