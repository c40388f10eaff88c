"""Spells an utterance anew by its sound: what a recognizer most likely should have written.

A noisy channel: each character may have been misheard for another of the same folded syllable;
of all spellings the one is taken that villagers would most likely say, by a trigram model of
the training speech and of the words of a dictionary. Most characters stay as they are.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.sounds import fold, syllables

SAME_SYLLABLE = 6.0
"""Cost, in nats, of taking a character for another of the same toneless syllable."""
SAME_FOLDED = 8.0
"""Cost of taking it for one whose syllable only some accents make the same."""
BEAM = 12
"""Spellings kept side by side."""
RARE = 1.5
"""A character counted less often is no candidate: somebody's slip, or a name."""
CHARACTERS = 6000
"""How many characters there may be, for what was never seen."""
UNSEEN = 0.1
REMEMBERED = 100_000
"""Chances kept in memory, some 20 MB: one utterance asks for thousands of them, mostly the same."""
COMMON_WORD = 50
"""Words that the dictionary counted less often are left out."""
NOT_CHINESE = re.compile(r"[^\u4e00-\u9fff]+")
BEFORE, AFTER = "^", "$"


@dataclass(frozen=True)
class Spellings:
    """How often characters follow each other; plain data, so that it can be kept."""

    ones: Mapping[str, float]
    twos: Mapping[str, float]
    threes: Mapping[str, float]


def count(said: Iterable[str]) -> Spellings:
    """What villagers say, with the words of the dictionary at a small weight."""
    ones: defaultdict[str, float] = defaultdict(float)
    twos: defaultdict[str, float] = defaultdict(float)
    threes: defaultdict[str, float] = defaultdict(float)
    weighted = [(text, 1.0) for text in said]
    for text, weight in [*weighted, *_dictionary()]:
        for part in NOT_CHINESE.split(text):
            line = f"{BEFORE}{BEFORE}{part}{AFTER}" if part else ""
            for end in range(3, len(line) + 1):
                ones[line[end - 1 : end]] += weight
                twos[line[end - 2 : end]] += weight
                threes[line[end - 3 : end]] += weight
    return Spellings(dict(ones), dict(twos), dict(threes))


class Speller:
    """Safe for many threads; the same text is always spelled the same."""

    def __init__(self, counted: Spellings) -> None:
        self._counted = counted
        self._total = sum(counted.ones.values())
        self._after_one = _contexts(counted.twos)
        self._after_two = _contexts(counted.threes)
        self._sounding: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for character, times in counted.ones.items():
            if times >= RARE and not NOT_CHINESE.match(character):
                [syllable] = syllables(character)
                self._sounding[fold(syllable)].append((character, syllable))
        self._likely = lru_cache(REMEMBERED)(self._log_probability)

    def respell(self, text: str) -> str:
        """The likeliest spelling; as long as the text, so that places in it stay."""
        beam = [(0.0, BEFORE, BEFORE, "")]
        for character, syllable in zip(text, syllables(text), strict=True):
            if NOT_CHINESE.match(character):
                beam = [(score, BEFORE, BEFORE, said + character) for score, _, _, said in beam]
            else:
                beam = self._longer(beam, character, syllable)
        return max(beam)[3]

    def _longer(
        self, beam: list[tuple[float, str, str, str]], character: str, syllable: str
    ) -> list[tuple[float, str, str, str]]:
        best: dict[tuple[str, str], tuple[float, str, str, str]] = {}
        choices = self._choices(character, syllable)
        for score, first, second, said in beam:
            for other, cost in choices:
                reached = score - cost + self._likely(first, second, other)
                known = best.get((second, other))
                if known is None or known[0] < reached:
                    best[second, other] = (reached, second, other, said + other)
        return sorted(best.values(), reverse=True)[:BEAM]

    def _choices(self, character: str, syllable: str) -> list[tuple[str, float]]:
        others = self._sounding.get(fold(syllable), ())
        return [(character, 0.0)] + [
            (other, SAME_SYLLABLE if its_syllable == syllable else SAME_FOLDED)
            for other, its_syllable in others
            if other != character
        ]

    def _log_probability(self, first: str, second: str, third: str) -> float:
        """Witten and Bell's smoothing: the more that may follow, the more the shorter context
        counts."""
        seen = self._counted
        chance = (seen.ones.get(third, 0) + UNSEEN) / (self._total + UNSEEN * CHARACTERS)
        for counts, after, context in (
            (seen.twos, self._after_one, second),
            (seen.threes, self._after_two, first + second),
        ):
            times, kinds = after.get(context, (0.0, 0))
            if times:
                chance = (counts.get(context + third, 0) + kinds * chance) / (times + kinds)
        return math.log(chance)


def _contexts(counts: Mapping[str, float]) -> Mapping[str, tuple[float, int]]:
    """How often each beginning was followed, and by how many different characters."""
    found: dict[str, tuple[float, int]] = {}
    for characters, times in counts.items():
        before, kinds = found.get(characters[:-1], (0.0, 0))
        found[characters[:-1]] = (before + times, kinds + 1)
    return found


def _dictionary() -> Iterable[tuple[str, float]]:
    # Imported where it is used: only training needs it.
    import jieba

    with jieba.get_dict_file() as lines:
        for line in lines:
            word, times = line.decode("utf-8").split()[:2]
            if len(word) > 1 and int(times) > COMMON_WORD:
                yield word, min(3.0, math.log10(int(times)) - 1) / 2
