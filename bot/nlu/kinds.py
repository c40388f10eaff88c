"""Which kinds of help an utterance speaks of, said (买点菜) or only hinted at (灶都没生火).

Whether it speaks of any is one question, which one it is another: few utterances hint, but those
that do leave little doubt.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse

from bot.nlu.facts import FACTS
from bot.nlu.linear import Linear, rows_of

ANY, NONE = "any", "none"
INTENT_WEIGHT = 3.0
"""How much the intent counts beside the words: a request nearly always names a kind."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class ServiceKinds(EntityExtractorMixin, GraphComponent):
    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        has_any: Optional[Linear] = None,
        which: Optional[Linear] = None,
        intents: Sequence[str] = (),
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._has_any = has_any
        self._which = which
        self._intents = list(intents)

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"any_threshold": 0.6, "second_threshold": 0.3, "iterations": 60}

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ServiceKinds:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ServiceKinds:
        with model_storage.read_from(resource) as folder:
            intents = [str(one) for one in np.load(folder / "intents.npy", allow_pickle=False)]
            has_any, which = (Linear.read(folder / f"{name}.npz") for name in ("any", "which"))
        return cls(config, model_storage, resource, has_any, which, intents)

    def train(self, training_data: TrainingData) -> Resource:
        said = [one for one in training_data.intent_examples if one.get(TEXT)]
        told = [_annotated(one) for one in said]
        rows = rows_of(said)
        self._intents = sorted({one.get(INTENT) for one in said})
        certain = [{one.get(INTENT): 1.0} for one in said]
        iterations = self._config["iterations"]
        self._has_any = Linear.fit(
            sparse.hstack([rows, self._intent_rows(certain)]).tocsr(),
            [ANY if kinds else NONE for kinds in told],
            iterations=iterations,
            balanced=False,
        )
        single = [at for at, kinds in enumerate(told) if len(kinds) == 1]
        self._which = Linear.fit(
            rows[single], [told[at][0] for at in single], iterations=iterations, balanced=False
        )
        with self._model_storage.write_to(self._resource) as folder:
            np.save(folder / "intents.npy", np.array(self._intents), allow_pickle=False)
            self._has_any.write(folder / "any.npz")
            self._which.write(folder / "which.npz")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            if message.get(TEXT) and not message.get(TEXT).startswith("/"):
                kinds = self.add_extractor_name(self._kinds(message))
                message.set(ENTITIES, message.get(ENTITIES, []) + kinds, add_to_output=True)
        return messages

    def _kinds(self, message: Message) -> List[Dict[str, Any]]:
        assert self._has_any is not None and self._which is not None, "it was loaded"
        rows = rows_of([message])
        chances = {one["name"]: one["confidence"] for one in message.get("intent_ranking", [])}
        with_intent = sparse.hstack([rows, self._intent_rows([chances])]).tocsr()
        any_at = list(self._has_any.classes).index(ANY)
        if self._has_any.probabilities(with_intent)[0, any_at] < self._config["any_threshold"]:
            return []
        [likely] = self._which.probabilities(rows)
        first, second = likely.argsort()[::-1][:2]
        best = [first] + ([second] if likely[second] >= self._config["second_threshold"] else [])
        found = [_entity(message, str(self._which.classes[at])) for at in best]
        return sorted(found, key=lambda one: (one["start"], one["end"]))

    def _intent_rows(self, chances: Sequence[Mapping[str, float]]) -> sparse.csr_matrix:
        table = [[one.get(intent, 0.0) for intent in self._intents] for one in chances]
        return sparse.csr_matrix(np.array(table) * INTENT_WEIGHT)


def _annotated(example: Message) -> List[str]:
    kinds = (one["value"] for one in example.get(ENTITIES, []) if one["entity"] == "service_kind")
    return list(dict.fromkeys(kinds))


def _entity(message: Message, kind: str) -> Dict[str, Any]:
    """Where a word of the kind stands; the whole utterance when it is only hinted at."""
    spans = [(one["start"], one["end"]) for one in message.get(FACTS, []) if one["value"] == kind]
    start, end = spans[0] if spans else (0, len(message.get(TEXT)))
    return {"entity": "service_kind", "value": kind, "start": start, "end": end}
