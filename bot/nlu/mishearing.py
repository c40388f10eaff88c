"""Mishears training speech as the recognizer does, so that what it writes is no surprise later.

Which syllables it takes for which was measured on real output (`python -m tests.bench.mishearing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from random import Random

import yaml

from bot.nlu.sounds import syllables

DATA = Path(__file__).with_name("data") / "mishearings.yml"
SHARE = 0.12
SAME_SYLLABLE = 0.5
"""How often the syllable is heard rightly and only spelled as another character."""


class Mishearing:
    """Writes one character for another of a syllable that the recognizer takes it for."""

    def __init__(self, said: Iterable[str], *, share: float = SHARE) -> None:
        """`said`: speech whose characters the recognizer may write."""
        self._share = share
        self._written: dict[str, Counter[str]] = {}
        for character, times in Counter("".join(said)).items():
            if "\u4e00" <= character <= "\u9fff":
                written = self._written.setdefault(syllables(character)[0], Counter())
                written[character] += times

    def mishear(self, text: str, chance: Random) -> str:
        """As long as the text, so that places in it hold."""
        return "".join(
            self._other(character, syllable, chance) if chance.random() < self._share else character
            for character, syllable in zip(text, syllables(text), strict=True)
        )

    def _other(self, character: str, syllable: str, chance: Random) -> str:
        heard_for = _table().get(syllable, {})
        if heard_for and chance.random() >= SAME_SYLLABLE:
            syllable = chance.choices(list(heard_for), list(heard_for.values()))[0]
        written = {
            other: times
            for other, times in self._written.get(syllable, {}).items()
            if other != character
        }
        if not written or not "\u4e00" <= character <= "\u9fff":
            return character
        return chance.choices(list(written), list(written.values()))[0]


@cache
def _table() -> Mapping[str, Mapping[str, int]]:
    """How often each syllable was heard as which other."""
    return yaml.safe_load(DATA.read_text("utf-8")) or {}
