"""Danger, whatever the classifier thinks: words of danger heard by spelling or by sound, or a
classifier that is not nearly sure that it is *not* an emergency. A false alarm costs one
question; a missed one a life (rule 23)."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.kept import KeptPhrases, chance_of, decide, spelled
from bot.nlu.lookups import Found

EMERGENCY = "emergency"
NOT_SO = re.compile(
    "(?:没|没有|没再|不|不是|莫|别|别再|不要|不会|小心|当心|谨防|防|防止|预防|防备|怕|怕又|就怕|免得|以防"
    "|(?:差(?:一?点儿?|些|一步|不点)|险些|几乎|要是|假如|万一|比方)[^。，,]{0,10})$"
)
"""Before a word of danger, in one breath with it: it did not happen."""
LONG_AGO = re.compile(
    "去年|前年|大前年|头年|旧年|往年|当年|早年|[那哪]一?[年回次]|上个?月|上个?(?:礼拜|星期)|上一?[回次]|前些|前几|头些|前阵"
    "|前一阵|早先|从前|以前|小时候|年轻|做噩?梦"
)
SEEN_OR_READ = re.compile(
    "电视[里上剧]|电影|[戏书歌]里|戏文|唱戏|评书|新闻|广播|收音机|动画片|抖音|视频里|手机[里上]|故事"
)
OVER = re.compile(
    "好了|好多了|好利索|长好|消肿|结痂|过去了|没事[了儿]?|救[过上]来|找回来|出院|[一二两三四五六七八九十几][多来]?年了?(?!没)"
    "|没再|没犯|不[疼痛]了|算[谁哪]|谁[赔负]|哪个[赔负]|保险"
)
"""Soon behind a word of danger: it is over, or only asked about. 咋办 is none: whoever finds
somebody lying there says it."""
JUST_NOW = re.compile("刚|现在|这会|今[天儿早晚朝日夜]|眼下|又")
STORY_REACH = 12
"""How many characters before a word of danger a 'long ago' still tells its time."""
OVER_REACH = 14
CERTAIN = 1.0
DOUBT = 0.49
"""The most that is thought of a tale: one question."""


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
        texts = {message.get(TEXT), spelled(message)}
        if any(self._counts(text, found) for text in texts for found in self._finder.find(text)):
            return CERTAIN
        chance = chance_of(message, EMERGENCY)
        if all(is_a_tale(text) for text in texts):
            likeliest = (message.get(INTENT) or {}).get("name") == EMERGENCY
            return min(chance, DOUBT) if likeliest else 0.0
        return chance if chance >= self._config["classifier_threshold"] else 0.0

    @staticmethod
    def _counts(text: str, found: Found) -> bool:
        before, behind = text[: found.start], text[found.end : found.end + OVER_REACH]
        if NOT_SO.search(before) or OVER.search(behind):
            return False
        return not is_a_tale(text, before[-STORY_REACH:])


def is_a_tale(text: str, part: Optional[str] = None) -> bool:
    """Whether a part of the text, or all of it, tells of long ago or of a play, and the text of
    nothing that happens now."""
    where = text if part is None else part
    long_ago = LONG_AGO.search(where) and not JUST_NOW.search(text)
    return bool(long_ago or SEEN_OR_READ.search(where))
