"""How long something took, and how many stars it gets, as elders say it.

Village words (一袋烟工夫, 半拉钟头) live in `data/durations.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from re import Pattern
from typing import Any

import yaml

from bot.nlu.numerals import CLOCK, NUMBER, WHOLE, read_clock, read_number

DATA = Path(__file__).with_name("data") / "durations.yml"
HALF_DAY = 12 * 60
"""Minutes after which the hand of a clock shows the same again."""


@dataclass(frozen=True)
class HeardMinutes:
    """A length of time: text[start:end] of the utterance is `.text`."""

    text: str
    start: int
    end: int
    minutes: int


def hear_minutes(text: str) -> list[HeardMinutes]:
    """Lengths of time in the order said, none inside another, each at least a minute.

    两点到三点四十 counts as a length too. Of a vague pair (两三个小时) the smaller is taken."""
    grammar = _grammar()
    found: list[HeardMinutes] = []
    for match in grammar.pattern.finditer(text):
        minutes = grammar.minutes_of(match)
        if minutes >= 1:
            found.append(HeardMinutes(match.group(), match.start(), match.end(), minutes))
    return found


def hear_rating(text: str) -> int | None:
    """One to five stars; the last one named when somebody corrects himself, None when none is."""
    heard: int | None = None
    for match in _grammar().rating.finditer(text):
        if match["full"]:
            heard = 5
        elif match["low"]:
            heard = 1
        else:
            number = read_number(match["number"])
            if number in (1, 2, 3, 4, 5):
                heard = int(number)
    return heard


def duration_pattern() -> str:
    """A regular expression without named groups for one length of time, clocks left out."""
    return _grammar().unnamed


def minutes_said(words: str) -> int:
    """The minutes of `words`, a full match of `duration_pattern`; 0 when it tells none."""
    heard = hear_minutes(words)
    return heard[0].minutes if heard else 0


@dataclass(frozen=True)
class _Grammar:
    pattern: Pattern[str]
    unnamed: str
    rating: Pattern[str]
    fixed: Mapping[str, int]
    each: Mapping[str, int]
    more_than_hours: int
    more_than_minutes: int

    def minutes_of(self, match: re.Match[str]) -> int:
        if match["from"]:
            return _between(match["from"], match["to"])
        if match["fixed"]:
            return self.fixed[match["fixed"]]
        if match["each"]:
            return round((read_number(match["times"] or "一") or 0) * self.each[match["each"]])
        if match["only_minutes"]:
            return self._minutes(match["only_minutes"], match["more_minutes"])
        if match["bare_hours"]:
            return int(read_number(match["bare_hours"]) or 0) * 60 + 30
        return self._hours(match)

    def _hours(self, match: re.Match[str]) -> int:
        minutes = round((read_number(match["hours"]) or 0) * 60)
        if match["half"] or match["half_after"]:
            minutes += 30
        elif match["more_hours"]:
            minutes += self.more_than_hours
        if match["quarters"]:
            minutes += 15 * int(read_number(match["quarters"]) or 0)
        elif match["and_minutes"]:
            minutes += int(read_number(match["and_minutes"]) or 0)
        if match["short_quarter"]:
            minutes -= 15
        elif match["short_minutes"]:
            minutes -= int(read_number(match["short_minutes"]) or 0)
        return minutes

    def _minutes(self, words: str, more: str | None) -> int:
        quarters = words.endswith("刻")
        number = int(read_number(words.rstrip("刻")) or 0)
        extra = self.more_than_minutes if more else 0
        return number * 15 if quarters else number + extra


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    data: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    fixed = {word: minutes for minutes, words in data["fixed"].items() for word in words}
    each = {word: row["minutes"] for row in data["each"] for word in row["words"]}
    lengths = _lengths_pattern(data, fixed, each)
    between = "|".join(data["from_to"])
    return _Grammar(
        pattern=re.compile(rf"(?P<from>{CLOCK})(?:{between})(?P<to>{CLOCK})|{lengths}"),
        unnamed=f"(?:{re.sub('[?]P<[a-z_]+>', '?:', lengths)})",
        rating=_rating_pattern(data["rating"]),
        fixed=fixed,
        each=each,
        more_than_hours=data["more_than_hours"],
        more_than_minutes=data["more_than_minutes"],
    )


def _lengths_pattern(data: Mapping[str, Any], fixed: Iterable[str], each: Iterable[str]) -> str:
    long_unit = one_of(data["hour_units"])
    short_unit = f"{one_of(data['short_hour_units'])}(?!{data['short_units_not_before']})"
    hours = (
        rf"(?P<hours>{NUMBER})"
        # Recognizers write a pause as a comma: 两个，钟头.
        rf"个?[，,]?(?P<half>半)?(?P<more_hours>多)?来?"
        # The short units need their 个, else 三点钟 were three hours.
        rf"(?:{long_unit}(?!候)|(?:(?<=个)|(?<=个半)|(?<=个多)|(?<=个来)|(?<=[俩仨])){short_unit})"
        rf"(?:(?P<half_after>半)|(?:[零又过，,]|还多)?(?:(?P<quarters>[一三13])刻钟?"
        rf"|(?P<and_minutes>{WHOLE})(?:分钟?|(?<=[0-9十一二三四五六七八九]{{2}})(?={data['clause_end']})))"
        rf"|差(?:(?P<short_quarter>一刻钟?)|(?P<short_minutes>{WHOLE})分钟?))?"
    )
    # Numbers of quarters are read with their unit; 十点一刻 is a clock.
    minutes = (
        rf"(?P<only_minutes>{WHOLE}(?=[来多几]?分钟|[来多几]分来?钟)|(?<!点)[一二两三123]刻(?=钟))"
        rf"(?P<more_minutes>[多几])?来?(?:{one_of(data['minute_units'])}|钟)"
    )
    return (
        rf"(?:(?<!{data['half_day_not_after']})|(?!{data['half_day']}))(?P<fixed>{one_of(fixed)})"
        rf"|(?:(?P<times>{WHOLE})|{data['each_verbs']})(?P<each>{one_of(each)}){data['each_tail']}"
        rf"|{hours}|{minutes}"
        rf"|(?P<bare_hours>{WHOLE})个半(?={data['clause_end']})"
    )


def _rating_pattern(data: Mapping[str, Any]) -> Pattern[str]:
    return re.compile(
        rf"(?P<full>{one_of(data['full_marks'])})(?!钟)|(?P<low>{one_of(data['lowest'])})(?!钟)"
        rf"|(?<![点零十百0-9差过公分])(?P<number>[一二两三四五1-5])(?:个?(?:颗|个)?星|颗(?![一-龥])|分(?!{data['not_before']}))"
    )


def one_of(words: Iterable[str]) -> str:
    """A regular expression for any of the words, the longest first."""
    ordered: Sequence[str] = sorted(set(words), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word) for word in ordered) + ")"


def _between(start_words: str, end_words: str) -> int:
    start, end = read_clock(start_words), read_clock(end_words)
    if start is None or end is None:
        return 0
    minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
    return minutes % HALF_DAY
