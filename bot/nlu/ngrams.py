"""Sparse features of an utterance: n-grams of its characters, its sounds, and its pattern.

The sounds are pinyin without tones in which what many accents do not tell apart is one
(n/l, zh/z, an/ang …, see `sounds`), so a character misheard by the recognizer still counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.facts import FACTS
from bot.nlu.kept import KeptFeaturizer, read_json, spelled, write_json
from bot.nlu.sounds import folded

FILE = "ngrams.json"
PUNCTUATION = frozenset("，。！？、；：…,.!?;: \t\n")
MASKED = ("when", "duration_minutes", "service_kind", "symptom", "person")
LONG = 8
"""Lengths are told apart in steps of four characters, up to this many steps."""


class Ngrams(KeptFeaturizer):
    """Weighted n-grams of one reading of the utterance; subclasses say which reading."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context)
        # What was said once says nothing about anybody else, and makes training four times longer.
        self._vectorizer = TfidfVectorizer(analyzer=self._ngrams, sublinear_tf=True, min_df=2)

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {**KeptFeaturizer.get_default_config(), "longest": 3, "scale": 8.0}

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        if not 1 <= config.get("longest", 3) <= 6:
            raise ValueError("longest n-gram must be 1 to 6")

    def learn(self, training_data: TrainingData, folder: Path) -> None:
        said = [example for example in training_data.nlu_examples if example.get(TEXT)]
        self._vectorizer.fit(said)
        grams = self._vectorizer.get_feature_names_out()
        weights = self._vectorizer.idf_
        write_json(folder / FILE, dict(zip(grams.tolist(), weights.tolist(), strict=True)))

    def read(self, folder: Path) -> None:
        weights = read_json(folder / FILE)
        self._vectorizer.vocabulary = list(weights)
        self._vectorizer.idf_ = list(weights.values())

    def process(self, messages: List[Message]) -> List[Message]:
        said = [message for message in messages if message.get(TEXT)]
        if said:
            # Rasa's classifier has a fixed regularisation: longer vectors make it surer of itself.
            rows = self._vectorizer.transform(said) * self._config["scale"]
            for message, row in zip(said, sparse.csr_matrix(rows), strict=False):
                message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages

    def units(self, message: Message) -> Sequence[str]:
        """The utterance as a sequence of what n-grams are made of."""
        raise NotImplementedError

    def _ngrams(self, message: Message) -> List[str]:
        units = ["^", *self.units(message), "$"]
        return [
            " ".join(units[start : start + length])
            for length in range(1, self._config["longest"] + 1)
            for start in range(len(units) - length + 1)
        ]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class CharacterNgrams(Ngrams):
    def units(self, message: Message) -> Sequence[str]:
        return _without_punctuation(spelled(message))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SoundNgrams(Ngrams):
    def units(self, message: Message) -> Sequence[str]:
        return folded("".join(_without_punctuation(spelled(message))))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class FactNgrams(Ngrams):
    """The utterance with its facts masked: 明儿上午帮俺买点菜 and 后天给我剪个头 are one pattern,
    <when>帮我<service_kind>. Needs FactExtractor before it."""

    def units(self, message: Message) -> Sequence[str]:
        text, units, at = spelled(message), [], 0
        for fact in message.get(FACTS) or []:
            if fact["start"] >= at and fact["entity"] in MASKED:
                units += [*_without_punctuation(text[at : fact["start"]]), f"<{fact['entity']}>"]
                at = fact["end"]
        return units + _without_punctuation(text[at:])

    def _ngrams(self, message: Message) -> List[str]:
        length = min(len(message.get(TEXT)) // 4, LONG)
        facts = message.get(FACTS) or []
        kinds = {fact["value"] for fact in facts if fact["entity"] == "service_kind"}
        return [
            *super()._ngrams(message),
            f"length {length}",
            *(f"has {fact}" for fact in sorted({fact["entity"] for fact in facts})),
            *(f"kind {kind}" for kind in sorted(kinds)),
        ]


def _without_punctuation(text: str) -> List[str]:
    return [character for character in text if character not in PUNCTUATION]
