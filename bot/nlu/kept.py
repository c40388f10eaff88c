"""What the house's trainable components share: what was learned is one JSON file."""

from __future__ import annotations

import json
from typing import Any, Dict, Type, TypeVar

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

FILE = "learned.json"
SPELLED = "spelled"
"""Where a message keeps its text as `Respelling` spells it."""
Self = TypeVar("Self", bound="Kept")


class Kept(GraphComponent):
    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        learned: Any = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self.learned = learned

    @classmethod
    def create(
        cls: Type[Self],
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Self:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls: Type[Self],
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Self:
        with model_storage.read_from(resource) as folder:
            learned = json.loads((folder / FILE).read_text("utf-8"))
        return cls(config, model_storage, resource, learned)

    def keep(self, learned: Any) -> Resource:
        """To be called at the end of training; `learned` must be what JSON can hold."""
        self.learned = learned
        with self._model_storage.write_to(self._resource) as folder:
            (folder / FILE).write_text(json.dumps(learned, ensure_ascii=False), "utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data


def spelled(message: Message) -> str:
    """The utterance as it most likely was meant; as long as the text that was heard, and always
    encodable: a lone surrogate, which nobody said, is a question mark."""
    text: str = message.get(SPELLED) or message.get(TEXT)
    return text.encode("utf-8", "replace").decode("utf-8")
