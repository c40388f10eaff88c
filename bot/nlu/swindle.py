"""Words that swindlers use, whatever else is said: who says them is warned, nothing is done."""

from __future__ import annotations

from typing import List

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.emergency import EMERGENCY
from bot.nlu.kept import KeptPhrases, add_entities, decide, spelled

SWINDLE, OUT_OF_SCOPE = "swindle", "out_of_scope"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SwindleBySound(KeptPhrases):
    tables = (SWINDLE,)

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            found = self._finder.find(spelled(message)) if message.get(TEXT) else []
            intent = (message.get(INTENT) or {}).get("name")
            if found and intent != EMERGENCY:
                heard = [
                    {"entity": SWINDLE, "value": one.phrase, "start": one.start, "end": one.end}
                    for one in found
                ]
                add_entities(message, heard)
                if intent != OUT_OF_SCOPE:
                    decide(message, OUT_OF_SCOPE, 1.0)
        return messages
