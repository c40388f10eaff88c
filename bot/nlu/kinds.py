"""Which kinds of help an utterance speaks of, said (买点菜) or only hinted at (灶都没生火).

Whether it speaks of any is one question, which one it is another: few utterances hint, but those
that do leave little doubt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse

from bot.nlu.facts import FACTS
from bot.nlu.kept import Kept, add_entities, chance_of, read_json, spoken, write_json
from bot.nlu.linear import Linear, rows_of

ANY, NONE = "any", "none"
HAS_ANY, WHICH, INTENTS = "any.npz", "which.npz", "intents.json"
INTENT_WEIGHT = 3.0
"""How much the intent counts beside the words: a request nearly always names a kind."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class ServiceKinds(EntityExtractorMixin, Kept):
    _has_any: Linear
    _which: Linear
    _intents: List[str]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"any_threshold": 0.6, "second_threshold": 0.3, "iterations": 60}

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        said = [one for one in training_data.intent_examples if one.get(TEXT)]
        told = [_annotated(one) for one in said]
        rows = rows_of(said)
        intents = sorted({one.get(INTENT) for one in said})
        write_json(folder / INTENTS, intents)
        certain = _intent_rows(intents, [{one.get(INTENT): 1.0} for one in said])
        iterations = self._config["iterations"]
        Linear.fit(
            sparse.hstack([rows, certain]).tocsr(),
            [ANY if kinds else NONE for kinds in told],
            iterations=iterations,
            balanced=False,
        ).write(folder / HAS_ANY)
        single = [at for at, kinds in enumerate(told) if len(kinds) == 1]
        Linear.fit(
            rows[single], [told[at][0] for at in single], iterations=iterations, balanced=False
        ).write(folder / WHICH)

    def read(self, folder: Path) -> None:
        self._intents = read_json(folder / INTENTS)
        self._has_any = Linear.read(folder / HAS_ANY)
        self._which = Linear.read(folder / WHICH)

    def process(self, messages: List[Message]) -> List[Message]:
        for message in spoken(messages):
            add_entities(message, self.add_extractor_name(self._kinds(message)))
        return messages

    def _kinds(self, message: Message) -> List[Dict[str, Any]]:
        rows = rows_of([message])
        chances = {intent: chance_of(message, intent) for intent in self._intents}
        with_intent = sparse.hstack([rows, _intent_rows(self._intents, [chances])]).tocsr()
        any_at = list(self._has_any.classes).index(ANY)
        if self._has_any.probabilities(with_intent)[0, any_at] < self._config["any_threshold"]:
            return []
        [likely] = self._which.probabilities(rows)
        first, second = likely.argsort()[::-1][:2]
        best = [first] + ([second] if likely[second] >= self._config["second_threshold"] else [])
        found = [_entity(message, str(self._which.classes[at])) for at in best]
        return sorted(found, key=lambda one: (one["start"], one["end"]))


def _intent_rows(
    intents: Sequence[str], chances: Sequence[Mapping[str, float]]
) -> sparse.csr_matrix:
    table = [[one.get(intent, 0.0) for intent in intents] for one in chances]
    return sparse.csr_matrix(np.array(table) * INTENT_WEIGHT)


def _annotated(example: Message) -> List[str]:
    kinds = (one["value"] for one in example.get(ENTITIES, []) if one["entity"] == "service_kind")
    return list(dict.fromkeys(kinds))


def _entity(message: Message, kind: str) -> Dict[str, Any]:
    """Where a word of the kind stands; the whole utterance when it is only hinted at."""
    spans = [(one["start"], one["end"]) for one in message.get(FACTS, []) if one["value"] == kind]
    start, end = spans[0] if spans else (0, len(message.get(TEXT)))
    return {"entity": "service_kind", "value": kind, "start": start, "end": end}
