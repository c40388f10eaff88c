"""What somebody wants, with a confidence that can be believed."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.linear import Linear, rows_of

RANKED = 10
FILE = "intents.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CalibratedClassifier(IntentClassifier, GraphComponent):
    """Logistic regression whose probabilities are brought to the truth by one temperature.

    The temperature in the config was measured on the development voices
    (`python -m tests.bench.understanding` tells the best one), see Guo et al. 2017, On Calibration
    of Modern Neural Networks."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        linear: Optional[Linear] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._linear = linear

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"iterations": 60, "temperature": 1.0}

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CalibratedClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> CalibratedClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, Linear.read(folder / FILE))

    def train(self, training_data: TrainingData) -> Resource:
        said = [one for one in training_data.intent_examples if one.get(TEXT)]
        intents = [one.get(INTENT) for one in said]
        self._linear = Linear.fit(
            rows_of(said), intents, iterations=self._config["iterations"], balanced=True
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._linear.write(folder / FILE)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        assert self._linear is not None, "a component that processes messages was loaded"
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
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking[:RANKED], add_to_output=True)
        return messages
