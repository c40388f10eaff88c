"""Whether hours are meant for the village itself, as heard: 给村里, and 给策略, which a recognizer
made of it. What only sounds like the village is read back before anything moves."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from bot.nlu.sounds import distance, folded

VILLAGE = "村里"
WORDS = tuple(folded(word) for word in (VILLAGE, "公家", "公益", "集体", "村委", "村上"))
MISHEARD_FOR_INSIDE = frozenset(folded("里略令林旅类路"))
AS_GOOD_AS_THE_SAME = 0.25
RECEIVER = re.compile(
    "(?:[给归]|[捐送拨划转]到)(?P<whom>[\u4e00-\u9fff]{2})"
    "(?=$|[，。,.！!？? 了吧啊呀嘛用做两二三半几俩]|一(?!下)|公益|委|的?(?:基金|公账|账上|时间))"
)
"""Two syllables behind 给, with nothing of a name behind them (给村里的老王, 给村东头)."""


def hear_fund(text: str) -> Optional[Tuple[int, int]]:
    """Where the village is named as receiver, text[start:end]; None when it is not."""
    for match in RECEIVER.finditer(text):
        heard = folded(match["whom"])
        if _is_the_village(heard) or any(
            distance(heard, word) <= AS_GOOD_AS_THE_SAME for word in WORDS
        ):
            return match.span("whom")
    return None


def _is_the_village(heard: Tuple[str, ...]) -> bool:
    """Beginnings of syllables are misheard least: 策略, 村令, 村离, though not 翠莲."""
    return heard[0][:1] == WORDS[0][0][:1] and heard[1] in MISHEARD_FOR_INSIDE
