"""Phrases of the training data's lookup tables, found as spelled or as they sound."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from re import Pattern
from typing import Dict, Iterator, List, Sequence, Tuple

from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.sounds import folded

SHORTEST_BY_SOUND = 3
"""Two syllables sound like too many other words (看病, 扛饼) to be trusted by ear alone."""
AS_SPELLED = "_as_spelled"
"""What tables end in whose phrases must not be heard by sound: 有人撬门 sounds like 有人敲门."""
GAP = "…"
"""Stands in a phrase for up to `WIDEST_GAP` characters of one sentence, or for none."""
WIDEST_GAP = 8
SHORTEST_GAPPED_BY_SOUND = 4
SENTENCE_ENDS = "。！？!?"
BETWEEN = " "


@dataclass(frozen=True)
class Found:
    table: str
    phrase: str
    start: int
    end: int


def tables_of(training_data: TrainingData, prefixes: Tuple[str, ...]) -> Dict[str, List[str]]:
    """The lookup tables whose name begins with one of these, phrases in the order written."""
    return {
        table["name"]: list(table["elements"])
        for table in training_data.lookup_tables
        if table["name"].startswith(prefixes)
    }


class PhraseFinder:
    """Finds every phrase of the tables in an utterance, longest first at each place, whole ones
    before those with a gap (血…止不住)."""

    def __init__(self, tables: Dict[str, List[str]]) -> None:
        self.tables = tables
        self._spelled: Dict[str, str] = {}
        self._sounded: Dict[Tuple[str, ...], Tuple[str, str]] = {}
        # By their first character and by their first sound.
        self._gapped: Dict[str, List[_Gapped]] = {}
        for table, phrases in tables.items():
            for phrase in phrases:
                by_sound = not table.endswith(AS_SPELLED)
                if GAP in phrase:
                    one = _gapped(table, phrase, by_sound)
                    for first in {phrase[0], *folded(phrase)[:1]}:
                        self._gapped.setdefault(first, []).append(one)
                    continue
                self._spelled.setdefault(phrase, table)
                if by_sound and len(phrase) >= SHORTEST_BY_SOUND:
                    self._sounded.setdefault(tuple(folded(phrase)), (table, phrase))
        self._lengths = sorted({len(p) for p in self._spelled}, reverse=True)

    def find(self, text: str) -> Sequence[Found]:
        """Phrases in the order they are said, none inside another."""
        return list(self._walk(text))

    def _walk(self, text: str) -> Iterator[Found]:
        # `folded` gives one syllable a character, so places in text and sounds are the same.
        sounds = tuple(folded(text))
        line, places = _line(sounds), _places(sounds)
        start = 0
        while start < len(text):
            found = self._at(text, sounds, start) or self._gapped_at(text, line, places, start)
            if found:
                yield found
                start = found.end
            else:
                start += 1

    def _at(self, text: str, sounds: Tuple[str, ...], start: int) -> Found | None:
        for length in self._lengths:
            end = start + length
            if end > len(text):
                continue
            table = self._spelled.get(text[start:end])
            if table:
                return Found(table, text[start:end], start, end)
            by_sound = self._sounded.get(sounds[start:end])
            if by_sound:
                return Found(by_sound[0], by_sound[1], start, end)
        return None

    def _gapped_at(self, text: str, line: str, places: Sequence[int], start: int) -> Found | None:
        sound = line[places[start] : places[start + 1] - 1]
        likely = dict.fromkeys(
            one for first in (text[start], sound) for one in self._gapped.get(first, ())
        )
        for one in likely:
            match = one.spelled.match(text, start)
            if match:
                return Found(one.table, one.phrase, start, match.end())
            match = one.sounded.match(line, places[start]) if one.sounded else None
            if match:
                end = start + match.group().count(BETWEEN)
                return Found(one.table, one.phrase, start, end)
        return None


@dataclass(frozen=True)
class _Gapped:
    table: str
    phrase: str
    spelled: Pattern[str]
    sounded: Pattern[str] | None
    """Reads a `_line` of sounds."""


def _gapped(table: str, phrase: str, by_sound: bool) -> _Gapped:
    pieces = phrase.split(GAP)
    between = f"[^{SENTENCE_ENDS}]{{0,{WIDEST_GAP}}}?"
    spelled = re.compile(between.join(map(re.escape, pieces)))
    if not by_sound or sum(map(len, pieces)) < SHORTEST_GAPPED_BY_SOUND:
        return _Gapped(table, phrase, spelled, None)
    between = f"(?:[^{SENTENCE_ENDS}{BETWEEN}]+{BETWEEN}){{0,{WIDEST_GAP}}}?"
    lines = [re.escape(_line(folded(piece))) for piece in pieces]
    return _Gapped(table, phrase, spelled, re.compile(between.join(lines)))


def _line(sounds: Sequence[str]) -> str:
    """The sounds in a row, each with `BETWEEN` behind it."""
    return "".join(f"{sound.replace(BETWEEN, '_')}{BETWEEN}" for sound in sounds)


def _places(sounds: Sequence[str]) -> Sequence[int]:
    """Where in the `_line` each sound begins."""
    return list(accumulate((len(sound) + 1 for sound in sounds), initial=0))
