"""Danger, whatever the classifier thinks: words of danger heard by spelling or by sound, or a
classifier that is not nearly sure that it is *not* an emergency. A false alarm costs one
question; a missed one a life (rule 23)."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.kept import KeptPhrases, chance_of, decide, spelled
from bot.nlu.lookups import Found

EMERGENCY = "emergency"
NEGATED_BY: tuple[str, ...] = (
    "没",
    "没有",
    "没再",
    "不是",
    "莫",
    "别",
    "别再",
    "不要",
    "不会",
    "差点",
    "差点儿",
)
NEGATED_BY += ("小心", "当心", "怕", "怕又", "免得", "以防")
LONG_AGO = ("去年", "前年", "那年", "上个月", "上月", "年轻时", "年轻那会儿", "从前", "小时候")
JUST_NOW = ("刚", "现在", "这会", "今", "眼下", "又")
STORY_REACH = 8
"""How many characters before a word of danger a 'long ago' still tells its time."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EmergencyBySound(KeptPhrases):
    """Marks an emergency with confidence 1 when its words were heard, and with the classifier's
    own when it only may be one; who acts on it asks first below a half."""

    tables = (EMERGENCY,)

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"classifier_threshold": 0.3}

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            sure = self._sureness(message) if message.get(TEXT) else 0.0
            if sure:
                decide(message, EMERGENCY, sure)
        return messages

    def _sureness(self, message: Message) -> float:
        """0 when it is none."""
        # What was heard and what was meant: a life is worth listening twice.
        for text in {message.get(TEXT), spelled(message)}:
            if any(self._counts(text, found) for found in self._finder.find(text)):
                return 1.0
        chance = chance_of(message, EMERGENCY)
        return chance if chance >= self._config["classifier_threshold"] else 0.0

    @staticmethod
    def _counts(text: str, found: Found) -> bool:
        # Only what stands right before the word denies it: 儿子没在家摔倒了 is no denial.
        before = text[: found.start]
        told_of_old = any(word in before[-STORY_REACH:] for word in LONG_AGO)
        happens_now = any(word in text for word in JUST_NOW)
        return not before.endswith(NEGATED_BY) and not (told_of_old and not happens_now)
