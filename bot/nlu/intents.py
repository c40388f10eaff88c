"""What somebody wants, with a confidence that can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Type

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import Kept
from bot.nlu.linear import Linear, rows_of

RANKED = 10
FILE = "intents.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CalibratedClassifier(Kept, IntentClassifier):
    """Logistic regression whose probabilities are brought to the truth by one temperature.

    The temperature in the config was measured on the development voices
    (`python -m tests.bench.understanding` tells the best one), see Guo et al. 2017, On Calibration
    of Modern Neural Networks."""

    _linear: Linear

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"iterations": 60, "temperature": 1.0}

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        said = [one for one in training_data.intent_examples if one.get(TEXT)]
        intents = [one.get(INTENT) for one in said]
        iterations = self._config["iterations"]
        Linear.fit(rows_of(said), intents, iterations=iterations, balanced=True).write(
            folder / FILE
        )

    def read(self, folder: Path) -> None:
        self._linear = Linear.read(folder / FILE)

    def process(self, messages: List[Message]) -> List[Message]:
        said = [message for message in messages if message.get(TEXT)]
        if not said:
            return messages
        temperature = self._config["temperature"]
        for message, chances in zip(
            said, self._linear.probabilities(rows_of(said), temperature=temperature), strict=True
        ):
            ranking = [
                {"name": self._linear.classes[at], "confidence": float(chances[at])}
                for at in chances.argsort()[::-1]
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking[:RANKED], add_to_output=True)
        return messages
