"""What the house's trainable components share: how they are made, trained, kept and loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterable, Iterator, List, Tuple, Type, TypeVar

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import (
    ENTITIES,
    INTENT,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.lookups import PhraseFinder, tables_of

SPELLED = "spelled"
"""Where a message keeps its text as `Respelling` spells it."""
PHRASES = "phrases.json"
Self = TypeVar("Self", bound="Kept")


class Kept(GraphComponent):
    """Learns into a folder, and is read from it before it processes any message."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        """Writes into the folder what is to be known later."""
        raise NotImplementedError

    def read(self, folder: Path) -> None:
        """Knows what `learn` wrote there."""
        raise NotImplementedError

    @classmethod
    def create(
        cls: Type[Self],
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Self:
        return cls(config, model_storage, resource, execution_context)

    @classmethod
    def load(
        cls: Type[Self],
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Self:
        loaded = cls(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            loaded.read(folder)
        return loaded

    def train(self, training_data: TrainingData) -> Resource:
        with self._model_storage.write_to(self._resource) as folder:
            self.learn(training_data, folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data


class KeptPhrases(Kept):
    """Knows the phrases of the lookup tables whose names begin with one of `tables`."""

    tables: ClassVar[Tuple[str, ...]]
    _finder: PhraseFinder

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        write_json(folder / PHRASES, tables_of(training_data, self.tables))

    def read(self, folder: Path) -> None:
        self._finder = PhraseFinder(read_json(folder / PHRASES))


class KeptFeaturizer(Kept, Featurizer):
    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> None:
        Kept.__init__(self, config, model_storage, resource, execution_context)
        Featurizer.__init__(self, execution_context.node_name, config)

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return Featurizer.get_default_config()

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    def process(self, messages: List[Message]) -> List[Message]:
        raise NotImplementedError

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data


def spelled(message: Message) -> str:
    """The utterance as it most likely was meant; as long as the text that was heard, and always
    encodable: a lone surrogate, which nobody said, is a question mark."""
    text: str = message.get(SPELLED) or message.get(TEXT)
    return text.encode("utf-8", "replace").decode("utf-8")


def spoken(messages: Iterable[Message]) -> Iterator[Message]:
    """Those in which somebody said something; buttons send commands (/affirm) instead."""
    return (one for one in messages if one.get(TEXT) and not one.get(TEXT).startswith("/"))


def add_entities(message: Message, found: List[Dict[str, Any]]) -> None:
    message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)


def chance_of(message: Message, intent: str) -> float:
    """How likely the message is of this intent, 0 where nobody thought so."""
    ranking = message.get(INTENT_RANKING_KEY, [])
    return next((one[PREDICTED_CONFIDENCE_KEY] for one in ranking if one["name"] == intent), 0.0)


def decide(message: Message, intent: str, confidence: float) -> None:
    """Puts an intent before all others, whatever the classifier ranked first."""
    decided = {"name": intent, PREDICTED_CONFIDENCE_KEY: confidence}
    others = [one for one in message.get(INTENT_RANKING_KEY, []) if one["name"] != intent]
    message.set(INTENT, decided, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [decided, *others], add_to_output=True)


def write_json(file: Path, learned: Any) -> None:
    file.write_text(json.dumps(learned, ensure_ascii=False), "utf-8")


def read_json(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))
