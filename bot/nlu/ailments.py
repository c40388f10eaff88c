"""Where an utterance tells an ailment, in the speaker's own words: 腰疼, 腿肿得穿不进鞋.

A conditional random field over characters and their folded sounds, trained on what is annotated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, List, Mapping, Sequence, Tuple

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.facts import FACTS
from bot.nlu.kept import Kept, add_entities, spelled, spoken
from bot.nlu.sounds import folded

SYMPTOM = "symptom"
FILE = "ailments.crfsuite"
BEGINS, GOES_ON, OUTSIDE = "B", "I", "O"
SETTINGS = {"c1": 0.1, "c2": 0.05, "max_iterations": 80, "feature.minfreq": 2}
EDGE = "_"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class Ailments(EntityExtractorMixin, Kept):
    _tagger: Any

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        import pycrfsuite

        trainer = pycrfsuite.Trainer(verbose=False)
        trainer.set_params(SETTINGS)
        intents_with = {one.get(INTENT) for one in training_data.intent_examples if _spans(one)}
        for example in training_data.intent_examples:
            if example.get(INTENT) in intents_with:
                trainer.append(_features(example.get(TEXT), example), _labels(example))
        trainer.train(str(folder / FILE))

    def read(self, folder: Path) -> None:
        import pycrfsuite

        # Not `open_inmemory`: it goes on reading bytes that it does not keep.
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open(str(folder / FILE))

    def process(self, messages: List[Message]) -> List[Message]:
        for message in spoken(messages):
            text, spans = message.get(TEXT), list(self._found(message))
            # What the word list knows counts where the model heard nothing.
            spans += [
                (fact["start"], fact["end"])
                for fact in message.get(FACTS) or []
                if fact["entity"] == SYMPTOM and not _overlaps(fact, spans)
            ]
            found = [
                {"entity": SYMPTOM, "value": text[start:end], "start": start, "end": end}
                for start, end in sorted(spans)
            ]
            add_entities(message, self.add_extractor_name(found))
        return messages

    def _found(self, message: Message) -> Iterator[Tuple[int, int]]:
        start = None
        labels = self._tagger.tag(_features(spelled(message), message))
        for at, label in enumerate([*labels, OUTSIDE]):
            if start is not None and label != GOES_ON:
                yield start, at
                start = None
            if label == BEGINS or (label == GOES_ON and start is None):
                start = at


def _overlaps(fact: Mapping[str, Any], spans: Sequence[Tuple[int, int]]) -> bool:
    return any(fact["start"] < end and start < fact["end"] for start, end in spans)


def _spans(example: Message) -> List[Tuple[int, int]]:
    return [
        (one["start"], one["end"]) for one in example.get(ENTITIES, []) if one["entity"] == SYMPTOM
    ]


def _labels(example: Message) -> List[str]:
    labels = [OUTSIDE] * len(example.get(TEXT))
    for start, end in _spans(example):
        labels[start:end] = [BEGINS] + [GOES_ON] * (end - start - 1)
    return labels


def _features(text: str, message: Message) -> List[List[str]]:
    """For each character: itself and its neighbours, as written and as they sound, and whether
    the word list of ailments knows a phrase there."""
    padded, sounds = f"{EDGE * 2}{text}{EDGE * 2}", [EDGE, *folded(text), EDGE]
    known = {
        at
        for fact in message.get(FACTS) or []
        if fact["entity"] == SYMPTOM
        for at in range(fact["start"], fact["end"])
    }
    return [[*_around(padded, sounds, at), f"known {at in known}"] for at in range(len(text))]


def _around(padded: str, sounds: Sequence[str], at: int) -> List[str]:
    window, sound = padded[at : at + 5], sounds[at : at + 3]
    pieces = {"0": (2, 3), "-1": (1, 2), "+1": (3, 4), "-2": (0, 1), "+2": (4, 5)}
    pieces |= {"-10": (1, 3), "01": (2, 4), "-21": (0, 2), "12": (3, 5), "-101": (1, 4)}
    pieces |= {"-210": (0, 3), "012": (2, 5)}
    return [
        *(f"{name} {window[start:end]}" for name, (start, end) in pieces.items()),
        f"s0 {sound[1]}",
        f"s-10 {sound[0]} {sound[1]}",
        f"s01 {sound[1]} {sound[2]}",
    ]
