"""Sound before spelling: what was said, as syllables without tones, in which sounds that many
accents do not tell apart are one.

The foldings and the regions where they are at home live in `data/foldings.yml`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_name("data") / "foldings.yml"
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
DIFFERENT_HALF = 0.5
"""What a different beginning, or a different end, of a syllable costs."""
CLOSE_HALF = 0.25
REMEMBERED_TEXTS = 4096


@dataclass(frozen=True)
class HeardSpan:
    """Where a needle sounds most alike: text[start:end], `distance` as `distance` measures it."""

    start: int
    end: int
    distance: float


@dataclass(frozen=True)
class _Foldings:
    """Replacements of beginnings, ends and whole syllables."""

    initial: Mapping[str, str]
    final: Mapping[str, str]
    syllable: Mapping[str, str]

    def fold(self, syllable: str) -> str:
        whole = self.syllable.get(syllable, syllable)
        initial, final = _halves(whole)
        for ending, folded_ending in self.final.items():
            if final.endswith(ending):
                final = final[: -len(ending)] + folded_ending
                break
        return self.initial.get(initial, initial) + final


def regions() -> frozenset[str]:
    """The dialect regions that foldings can be limited to."""
    return frozenset(region for rule in _data()["foldings"].values() for region in rule["regions"])


@lru_cache(maxsize=1)
def little_words() -> frozenset[str]:
    """Characters that are heard rightly by every recognizer."""
    return frozenset(_data()["heard_rightly"])


@lru_cache(maxsize=REMEMBERED_TEXTS)
def syllables(text: str) -> tuple[str, ...]:
    """Toneless pinyin, one entry a character, ü as v; what is not Chinese stays as it is."""
    # Imported when first needed: its dictionaries take a third of a second to load.
    from pypinyin import lazy_pinyin

    read: list[str] = lazy_pinyin(text, errors=_as_it_is)
    # A character that cannot be read alone (an iteration mark) must not shift all that follow.
    return tuple(read) if len(read) == len(text) else tuple(_one_by_one(text))


def fold(syllable: str, region: str | None = None) -> str:
    """The syllable as it is compared; `region` limits the foldings to those at home there.

    Raises ValueError for a region that the data does not know."""
    return _fold_cached(syllable, region)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def folded(text: str, region: str | None = None) -> tuple[str, ...]:
    """Folded syllables, one entry a character."""
    return tuple(_fold_cached(syllable, region) for syllable in syllables(text))


def distance(a: Sequence[str], b: Sequence[str]) -> float:
    """Edit distance of folded syllables: 1 for one missing, one too many or one with nothing in
    common; 0.25 to 0.75 for one that is close."""
    row = [float(at) for at in range(len(b) + 1)]
    for at, left in enumerate(a, start=1):
        diagonal, row[0] = row[0], float(at)
        for column, right in enumerate(b, start=1):
            best = min(diagonal + _cost(left, right), row[column] + 1, row[column - 1] + 1)
            diagonal, row[column] = row[column], best
    return row[-1]


def find(needle: Sequence[str], text: str, limit: float) -> HeardSpan | None:
    """The part of `text` that sounds most like the folded needle, the first of equals; None when
    even that is further than `limit` (in the measure of `distance`) away."""
    if not needle:
        return None
    best: HeardSpan | None = None
    # One column a character; each cell holds the cheapest alignment that ends there and where
    # in the text it began.
    column = [(float(depth), 0) for depth in range(len(needle) + 1)]
    for at, sound in enumerate(folded(text)):
        above = (0.0, at + 1)
        fresh = [above]
        diagonal = column[0]
        for depth, wanted in enumerate(needle, start=1):
            before = column[depth]
            # On equal cost the alignment that began later is the shorter span.
            above = min(
                (diagonal[0] + _cost(wanted, sound), diagonal[1]),
                (before[0] + 1, before[1]),
                (above[0] + 1, above[1]),
                key=_cheapest_then_latest,
            )
            fresh.append(above)
            diagonal = before
        column = fresh
        price, start = column[-1]
        if price <= limit and start <= at and (best is None or price < best.distance):
            best = HeardSpan(start, at + 1, price)
    return best


def _cheapest_then_latest(cell: tuple[float, int]) -> tuple[float, int]:
    return cell[0], -cell[1]


def _as_it_is(characters: str) -> Any:
    # pypinyin takes a list here, though its types tell of a string only.
    return list(characters)


def _one_by_one(text: str) -> list[str]:
    from pypinyin import lazy_pinyin

    return ["".join(lazy_pinyin(character, errors=_as_it_is)) or character for character in text]


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _fold_cached(syllable: str, region: str | None) -> str:
    return _foldings(region).fold(syllable)


def _halves(syllable: str) -> tuple[str, str]:
    for initial in INITIALS:
        final = syllable[len(initial) :]
        if syllable.startswith(initial) and final and final[0] in "aeiouv":
            return initial, final
    return "", syllable


@lru_cache(maxsize=65536)
def _cost(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if not (a.isascii() and a.isalpha() and b.isascii() and b.isalpha()):
        return 1.0
    (initial_a, final_a), (initial_b, final_b) = _halves(a), _halves(b)
    initials, finals = _close_pairs()
    return _half_cost(initial_a, initial_b, initials) + _half_cost(final_a, final_b, finals)


def _half_cost(a: str, b: str, close: Collection[frozenset[str]]) -> float:
    if a == b:
        return 0.0
    return CLOSE_HALF if frozenset((a, b)) in close else DIFFERENT_HALF


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    return loaded


@cache
def _foldings(region: str | None) -> _Foldings:
    if region is not None and region not in regions():
        raise ValueError(f"no foldings are known for the region {region!r}")
    parts: dict[str, dict[str, str]] = {"initial": {}, "final": {}, "syllable": {}}
    for rule in _data()["foldings"].values():
        if region is None or region in rule["regions"]:
            for part, replacements in parts.items():
                replacements.update(rule.get(part, {}))
    return _Foldings(**parts)


@lru_cache(maxsize=1)
def _close_pairs() -> tuple[frozenset[frozenset[str]], frozenset[frozenset[str]]]:
    close = _data()["close"]
    return (
        frozenset(frozenset(pair) for pair in close["initials"]),
        frozenset(frozenset(pair) for pair in close["finals"]),
    )
