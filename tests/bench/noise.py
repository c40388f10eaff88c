"""Mishears text as a recognizer would: characters become others of like sound.

Nothing here comes from training data: the characters are the 3755 of GB 2312's first level, the
common ones, grouped by how pypinyin reads them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from random import Random

from bot.nlu.sounds import distance, fold, syllables

SHARE = 0.12
SEED = 20261122
SAME_SYLLABLE = 0.5
"""How often a misheard character keeps its syllable, where both ways are open."""
NEAR = 0.5
"""The furthest that syllables may be apart, in the measure of `sounds.distance`."""


class Mishearing(Enum):
    FOLDED = "folded"
    """The same toneless syllable, or one that `bot.nlu.sounds` folds together with it."""
    NEAR = "near"
    """A syllable that no folding makes one: only its beginning or its end is the same."""


def noised(
    text: str, *, kind: Mishearing = Mishearing.FOLDED, share: float = SHARE, seed: int = SEED
) -> str:
    """The text with about `share` of its Chinese characters replaced, always the same ones for the
    same seed whatever else was noised before. Its length stays, so that positions in it hold."""
    chance = Random(f"{seed}:{kind.value}:{text}")
    heard = []
    for character, syllable in zip(text, syllables(text), strict=True):
        misheard = chance.random() < share and _is_chinese(character)
        heard.append(_other(character, syllable, kind, chance) if misheard else character)
    return "".join(heard)


def _other(character: str, syllable: str, kind: Mishearing, chance: Random) -> str:
    """The character itself when there is no other."""
    same = [other for other in _by_syllable().get(syllable, ()) if other != character]
    alike = _folded_together(syllable)
    if kind is Mishearing.NEAR:
        choices: Sequence[str] = _near(fold(syllable))
    elif same and (not alike or chance.random() < SAME_SYLLABLE):
        choices = same
    else:
        choices = alike
    return chance.choice(choices) if choices else character


def _is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


@cache
def _by_syllable() -> Mapping[str, Sequence[str]]:
    found = defaultdict(list)
    for character in _common_characters():
        found[syllables(character)[0]].append(character)
    return found


@cache
def _folded_together(syllable: str) -> Sequence[str]:
    """Characters of other syllables that sound the same in some accent."""
    return [
        character
        for other, characters in _by_syllable().items()
        if other != syllable and fold(other) == fold(syllable)
        for character in characters
    ]


@cache
def _near(folded: str) -> Sequence[str]:
    return [
        character
        for other, characters in _by_syllable().items()
        if 0 < distance([folded], [fold(other)]) <= NEAR
        for character in characters
    ]


def _common_characters() -> str:
    """GB 2312's first level: rows 16 to 55, the last of which is not full."""
    rows = (bytes((row, column)) for row in range(0xB0, 0xD8) for column in range(0xA1, 0xFF))
    return b"".join(rows).decode("gb2312", errors="ignore")
