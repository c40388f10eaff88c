"""The Rasa component that spells each utterance anew by its sound, see `respelling`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import List

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.kept import SPELLED, Kept, read_json, spoken, write_json
from bot.nlu.lookups import tables_of
from bot.nlu.respelling import Speller, Spellings, count

FILE = "spellings.json"
VILLAGE_WORDS = "village_words"
"""The lookup table of what only this village says: places, nicknames, dialect. Staff write it
(`bot.training`); without it nothing is different."""
WORD_WEIGHT = 5
"""A word of the list counts as if it had been said so often: enough to be spelled, not more than
what people say every day."""


# Called a featurizer, because Rasa shows training examples to no other kind of component.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class Respelling(Kept):
    """Keeps with each message how it most likely was meant; the text itself stays as heard."""

    _speller: Speller

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        said = [one.get(TEXT) for one in training_data.nlu_examples if one.get(TEXT)]
        words = tables_of(training_data, (VILLAGE_WORDS,)).get(VILLAGE_WORDS, [])
        write_json(folder / FILE, asdict(count([*said, *words * WORD_WEIGHT])))

    def read(self, folder: Path) -> None:
        self._speller = Speller(Spellings(**read_json(folder / FILE)))

    def process(self, messages: List[Message]) -> List[Message]:
        for message in spoken(messages):
            message.set(SPELLED, self._speller.respell(message.get(TEXT)))
        return messages
