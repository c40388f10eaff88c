"""Leaves out what an intent has no use for: 早上好 is no appointment, 早起吃了两碗 none either."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT
from rasa.shared.nlu.training_data.message import Message

FITS = {
    "when": frozenset(
        {
            "request_help",
            "cancel_request",
            "change_request",
            "check_request_status",
            "set_reminder",
            "offer_help",
            "list_tasks",
            "accept_task",
            "decline_task",
            "inform",
            "affirm",
            "deny",
            "nlu_fallback",
        }
    ),
    "fund": frozenset({"transfer_time", "inform", "affirm", "deny", "nlu_fallback"}),
    "rating": frozenset({"rate_service", "complain", "inform", "affirm", "deny", "nlu_fallback"}),
}
"""Entities that only some intents take; all others fit everywhere."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FittingEntities(GraphComponent):
    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FittingEntities:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            intent = (message.get(INTENT) or {}).get("name")
            fitting = [
                one
                for one in message.get(ENTITIES, [])
                if one["entity"] not in FITS or intent in FITS[one["entity"]]
            ]
            message.set(ENTITIES, fitting, add_to_output=True)
        return messages
