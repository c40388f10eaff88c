"""The Rasa component that spells each utterance anew by its sound, see `respelling`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, List, Optional

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import SPELLED, Kept
from bot.nlu.respelling import Speller, Spellings, count


# Called a featurizer, because Rasa shows training examples to no other kind of component.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class Respelling(Kept):
    """Keeps with each message how it most likely was meant; the text itself stays as heard."""

    _speller: Optional[Speller] = None

    def train(self, training_data: TrainingData) -> Resource:
        said = [one.get(TEXT) for one in training_data.nlu_examples if one.get(TEXT)]
        return self.keep(asdict(count(said)))

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Respelling:
        loaded = super().load(config, model_storage, resource, execution_context)
        loaded._speller = Speller(Spellings(**loaded.learned))
        return loaded

    def process(self, messages: List[Message]) -> List[Message]:
        assert self._speller is not None, "a component that processes messages was loaded"
        for message in messages:
            text = message.get(TEXT)
            if text and not text.startswith("/"):
                message.set(SPELLED, self._speller.respell(text))
        return messages
