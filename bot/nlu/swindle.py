"""Words that swindlers use, whatever else is said: who says them is warned, nothing is done."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import Kept, spelled
from bot.nlu.lookups import PhraseFinder, tables_of

SWINDLE, OUT_OF_SCOPE, EMERGENCY = "swindle", "out_of_scope", "emergency"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SwindleBySound(Kept):
    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        learned: Optional[Dict[str, List[str]]] = None,
    ) -> None:
        super().__init__(config, model_storage, resource, learned)
        self._finder = PhraseFinder(learned or {})

    def train(self, training_data: TrainingData) -> Resource:
        return self.keep(tables_of(training_data, SWINDLE))

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            found = list(self._finder.find(spelled(message))) if text else []
            intent = (message.get(INTENT) or {}).get("name")
            if found and intent != EMERGENCY:
                heard = [
                    {"entity": SWINDLE, "value": one.phrase, "start": one.start, "end": one.end}
                    for one in found
                ]
                message.set(ENTITIES, message.get(ENTITIES, []) + heard, add_to_output=True)
                if intent != OUT_OF_SCOPE:
                    sure = {"name": OUT_OF_SCOPE, "confidence": 1.0}
                    others = [
                        one
                        for one in message.get("intent_ranking", [])
                        if one["name"] != OUT_OF_SCOPE
                    ]
                    message.set(INTENT, sure, add_to_output=True)
                    message.set("intent_ranking", [sure, *others], add_to_output=True)
        return messages
