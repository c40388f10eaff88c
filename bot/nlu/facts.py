"""What an utterance says for certain: times, lengths, ratings, names, and words of a kind of help.

Values are ready to act on: `when` is an aware ISO datetime counted from the village's clock,
`duration_minutes` an integer. Which kind of help the words add up to is for `kinds` to say.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List
from zoneinfo import ZoneInfo

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from actions.timebank.clock import clock_at
from bot.nlu.heard_number import hear_minutes, hear_rating
from bot.nlu.heard_time import hear_times, warm_up
from bot.nlu.kept import KeptPhrases, add_entities, spelled, spoken
from bot.nlu.names import NameFinder

KIND = "service_kind_"
FACTS = "heard_facts"
"""Where the facts are kept in a message, in training too, where they are no annotations."""


# Also a featurizer, because Rasa shows training examples to no other kind of component.
@DefaultV1Recipe.register(
    [
        DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR,
        DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER,
    ],
    is_trainable=True,
)
class FactExtractor(EntityExtractorMixin, KeptPhrases):
    tables = (KIND, "symptom")

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context)
        self._zone = ZoneInfo(config["zone"])
        # Rasa makes its components itself, so these two come from where it runs.
        self._clock = clock_at(os.environ.get("XIAOBANG_CLOCK"))
        self._names = NameFinder(os.environ.get("XIAOBANG_DATABASE_URL"))

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"zone": "Asia/Shanghai"}

    def read(self, folder: Path) -> None:
        super().read(folder)
        warm_up()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        for example in training_data.training_examples:
            if example.get(TEXT):
                example.set(FACTS, self.facts(example))
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        for message in spoken(messages):
            found = self.facts(message)
            message.set(FACTS, found)
            certain = [dict(fact) for fact in found if not _needs_judgement(fact)]
            add_entities(message, self.add_extractor_name(certain))
        return messages

    def facts(self, message: Message) -> List[Dict[str, Any]]:
        """Rasa entities in the order they are said."""
        text, now = spelled(message), self._clock()
        found = [
            _entity("when", time.starts_at.astimezone(self._zone).isoformat(), time)
            for time in hear_times(text, now=now, zone=self._zone)
        ]
        found += [_entity("duration_minutes", m.minutes, m) for m in hear_minutes(text)]
        for phrase in self._finder.find(text):
            kind = phrase.table.removeprefix(KIND)
            is_kind = phrase.table.startswith(KIND)
            found.append(
                _entity("service_kind", kind, phrase)
                if is_kind
                else _entity(phrase.table, phrase.phrase, phrase)
            )
        # Names are foreign to the speller: they are taken as heard.
        found += [
            _entity("person", name.member_name, name)
            for name in self._names.find(message.get(TEXT))
        ]
        rating = hear_rating(text)
        if rating is not None:
            found.append({"entity": "rating", "value": rating, "start": 0, "end": len(text)})
        return sorted(found, key=lambda entity: (entity["start"], entity["end"]))


def _needs_judgement(fact: Dict[str, Any]) -> bool:
    """A word of a kind of help or of an ailment may stand for anything: 修 in 车修好了."""
    return fact["entity"] in ("service_kind", "symptom")


def _entity(name: str, value: Any, span: Any) -> Dict[str, Any]:
    return {"entity": name, "value": value, "start": span.start, "end": span.end}
