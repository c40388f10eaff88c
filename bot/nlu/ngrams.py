"""Sparse features of an utterance: n-grams of its characters, its sounds, and its pattern.

The sounds are pinyin without tones in which what many accents do not tell apart is one
(n/l, zh/z, an/ang …, see `sounds`), so a character misheard by the recognizer still counts.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Sequence, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.sparse_featurizer.sparse_featurizer import SparseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.facts import FACTS
from bot.nlu.kept import spelled
from bot.nlu.sounds import folded

PUNCTUATION = frozenset("，。！？、；：…,.!?;: \t\n")
MASKED = ("when", "duration_minutes", "service_kind", "symptom", "person")
LONG = 8
"""Lengths are told apart in steps of four characters, up to this many steps."""


class Ngrams(SparseFeaturizer, GraphComponent):
    """Weighted n-grams of one reading of the utterance; subclasses say which reading."""

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        vocabulary: Optional[Dict[str, int]] = None,
        weights: Optional[Sequence[float]] = None,
    ) -> None:
        super().__init__(execution_context.node_name, config)
        self._model_storage = model_storage
        self._resource = resource
        # What was said once says nothing about anybody else, and makes training four times longer.
        self._vectorizer = TfidfVectorizer(
            analyzer=self._ngrams, sublinear_tf=True, min_df=2, vocabulary=vocabulary
        )
        if weights is not None:
            self._vectorizer.idf_ = weights

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {**SparseFeaturizer.get_default_config(), "longest": 3, "scale": 8.0}

    @classmethod
    def validate_config(cls, config: Dict[str, Any]) -> None:
        if not 1 <= config.get("longest", 3) <= 6:
            raise ValueError("longest n-gram must be 1 to 6")

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Ngrams:
        return cls(config, model_storage, resource, execution_context)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Ngrams:
        with model_storage.read_from(resource) as folder:
            stored = json.loads((folder / "ngrams.json").read_text("utf-8"))
        return cls(config, model_storage, resource, execution_context, **stored)

    def train(self, training_data: TrainingData) -> Resource:
        said = [example for example in training_data.nlu_examples if example.get(TEXT)]
        self._vectorizer.fit(said)
        stored = {
            "vocabulary": {gram: int(at) for gram, at in self._vectorizer.vocabulary_.items()},
            "weights": [float(weight) for weight in self._vectorizer.idf_],
        }
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "ngrams.json").write_text(json.dumps(stored, ensure_ascii=False), "utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

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
