"""Phrases of the training data's lookup tables, found as spelled or as they sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.sounds import folded

SHORTEST_BY_SOUND = 3
"""Two syllables sound like too many other words (看病, 扛饼) to be trusted by ear alone."""


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
    """Finds every phrase of the tables in an utterance, longest first at each place."""

    def __init__(self, tables: Dict[str, List[str]]) -> None:
        self.tables = tables
        self._spelled: Dict[str, str] = {}
        self._sounded: Dict[Tuple[str, ...], Tuple[str, str]] = {}
        for table, phrases in tables.items():
            for phrase in phrases:
                self._spelled.setdefault(phrase, table)
                if len(phrase) >= SHORTEST_BY_SOUND:
                    self._sounded.setdefault(tuple(folded(phrase)), (table, phrase))
        self._lengths = sorted({len(p) for p in self._spelled}, reverse=True)

    def find(self, text: str) -> Sequence[Found]:
        """Phrases in the order they are said, none inside another."""
        return list(self._walk(text))

    def _walk(self, text: str) -> Iterator[Found]:
        # `folded` gives one syllable a character, so places in text and sounds are the same.
        sounds = tuple(folded(text))
        start = 0
        while start < len(text):
            found = self._at(text, sounds, start)
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
