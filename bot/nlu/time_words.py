"""The words that say when: days, parts of the day, clocks and waits, each with its place in the
utterance. What they mean together is for `heard_time`; village words live in `data/times.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from re import Pattern
from typing import Any

import yaml

from bot.nlu import time_patterns
from bot.nlu.heard_number import minutes_said
from bot.nlu.numerals import Clock, read_clock, read_number

DATA = Path(__file__).with_name("data") / "times.yml"


class Part(Enum):
    """What one word tells of a time."""

    PAST = "past"
    DAY = "day"
    PART = "part"
    CLOCK = "clock"
    WAIT = "wait"
    """So many minutes from now."""
    HARDLY = "hardly"
    """A wait that counts only when nothing else is said."""


class Reckoning(Enum):
    """How the date of a day word is found."""

    PHRASE = "phrase"
    """As JioNLP reads it, be it past or to come."""
    WEEKDAY = "weekday"
    """The next such day of the week."""
    MONTH = "month"
    MONTH_END = "month_end"
    """The last day of this month, or of the next when it begins with 下."""
    YEAR = "year"
    LUNAR = "lunar"
    NEXT_LUNAR_MONTH = "next_lunar_month"
    NEW_YEARS_EVE = "new_years_eve"
    MARKET = "market"


@dataclass(frozen=True)
class DayWord:
    reckoning: Reckoning
    phrase: str = ""
    month: int | None = None
    day: int = 0


@dataclass(frozen=True)
class PartOfDay:
    hour: int | None
    """When it begins if no clock is named; None for the night, when nobody is asked to come."""
    until: int
    adds_noon_to: frozenset[int]
    """Clock hours that are afternoon ones in it."""
    twelve: int
    """What twelve o'clock is in it, noon or the midnight that ends the day (24)."""
    small_hours_next_day: bool
    """Whether one to four o'clock belong to the day after."""


@dataclass(frozen=True)
class ClockWord:
    clock: Clock
    until: Clock | None = None
    until_part: PartOfDay | None = None


@dataclass(frozen=True)
class TimeWord:
    start: int
    end: int
    part: Part
    day: DayWord | None = None
    part_of_day: PartOfDay | None = None
    clock: ClockWord | None = None
    minutes: int = 0


@dataclass(frozen=True)
class Hints:
    """What around and between time words changes their meaning."""

    filler: Pattern[str]
    told_behind: Pattern[str]
    corrects: Pattern[str]
    denies: Pattern[str]
    asks_behind: Pattern[str]
    one_after: Pattern[str]
    one_not_before: Pattern[str]
    part_alone_not_before: Pattern[str]


def time_words(text: str) -> list[TimeWord]:
    """All words of `text` that tell of times, in order, none inside another."""
    grammar = _grammar()
    found: list[TimeWord] = []
    for match in grammar.pattern.finditer(text):
        found.extend(grammar.words_of(match))
    return found


@lru_cache(maxsize=1)
def hints() -> Hints:
    data = _data()
    return Hints(
        filler=re.compile(rf"{data['filler']}{{0,4}}"),
        told_behind=re.compile(data["told_behind"]),
        corrects=re.compile(data["corrects"]),
        denies=re.compile(rf"(?:{data['denies']})$"),
        asks_behind=re.compile(data["asks_behind"]),
        one_after=re.compile(rf"{data['one_after']}$"),
        one_not_before=re.compile(data["one_not_before"]),
        part_alone_not_before=re.compile(data["part_alone_not_before"]),
    )


@dataclass(frozen=True)
class _Grammar:
    pattern: Pattern[str]
    days: Mapping[str, str]
    parts: Mapping[str, PartOfDay]
    festivals: Mapping[str, DayWord]
    months: Mapping[str, int]
    weeks_ahead: Mapping[str, int]
    waits: Mapping[str, int]
    hardly: Mapping[str, int]
    some_days: Mapping[str, int]

    def words_of(self, match: re.Match[str]) -> list[TimeWord]:
        start, end = match.span()
        if match["past"]:
            return [TimeWord(start, end, Part.PAST)]
        if match["short_day"]:
            middle = match.end("short_day")
            day = DayWord(Reckoning.PHRASE, self.days[match["short_day"]])
            part = self.parts[match["short_part"]]
            return [
                TimeWord(start, middle, Part.DAY, day=day),
                TimeWord(middle, end, Part.PART, part_of_day=part),
            ]
        day_word = self._day(match)
        if day_word:
            return [TimeWord(start, end, Part.DAY, day=day_word)]
        if match["part"]:
            return [TimeWord(start, end, Part.PART, part_of_day=self.parts[match["part"]])]
        if match["clock"]:
            return self._clock(match)
        if match["hardly"]:
            return [TimeWord(start, end, Part.HARDLY, minutes=self.hardly[match["hardly"]])]
        wait = match["wait_first"] or match["wait_last"]
        minutes = minutes_said(wait) if wait else self.waits[match["soon"]]
        return [TimeWord(start, end, Part.WAIT, minutes=minutes)] if minutes else []

    def _clock(self, match: re.Match[str]) -> list[TimeWord]:
        clock = read_clock(match["clock"])
        if clock is None:
            return []
        until = read_clock(match["until"]) if match["until"] else None
        until_part = self.parts[match["until_part"]] if match["until_part"] else None
        word = ClockWord(clock, until, until_part)
        return [TimeWord(match.start(), match.end(), Part.CLOCK, clock=word)]

    def _day(self, match: re.Match[str]) -> DayWord | None:
        if match["day"]:
            return DayWord(Reckoning.PHRASE, self.days[match["day"]])
        if match["days_on"]:
            days = int(read_number(match["days_on"]) or 0) * (7 if match["weeks_on"] else 1)
            return DayWord(Reckoning.PHRASE, f"{days}天后")
        if match["some_days"]:
            return DayWord(Reckoning.PHRASE, f"{self.some_days[match['some_days']]}天后")
        if match["month_ends"]:
            return DayWord(Reckoning.MONTH_END, match["month_ends"])
        if match["month_begins"]:
            return DayWord(Reckoning.PHRASE, "下个月1号")
        if match["weekday"]:
            return self._weekday(match)
        if match["festival"]:
            return self.festivals[match["festival"]]
        if match["market"]:
            digit = match["market_digit"]
            return DayWord(Reckoning.MARKET, day=int(read_number(digit) or 0) if digit else 0)
        if match["month_day"]:
            reckoning = _solar_reckoning(match)
            return DayWord(reckoning, match["month_day"])
        if match["lunar_day"] or match["lunar_wide"]:
            return self._lunar(match)
        return None

    def _weekday(self, match: re.Match[str]) -> DayWord:
        # JioNLP takes 周末 for Sunday; people mean the first free day.
        name = "周" + match["weekday"].replace("末", "六")
        ahead = self.weeks_ahead.get(match["ahead"] or "", 0)
        if ahead:
            return DayWord(Reckoning.PHRASE, "下" * (ahead // 7) + name)
        return DayWord(Reckoning.WEEKDAY, "本" + name)

    def _lunar(self, match: re.Match[str]) -> DayWord:
        words = match["lunar_day"] or match["lunar_wide"]
        day = int(read_number(words.lstrip("初")) or 0)
        month_name = match["marked_month"] or match["lunar_month"] or match["plain_month"] or ""
        if month_name.startswith("下"):
            return DayWord(Reckoning.NEXT_LUNAR_MONTH, day=day)
        month = self.months.get(month_name)
        if month is None and month_name:
            month = int(read_number(month_name.rstrip("月")) or 0) or None
        return DayWord(Reckoning.LUNAR, month=month, day=day)


def _solar_reckoning(match: re.Match[str]) -> Reckoning:
    if match["year"] or (match["month"] and match["month"][0] in "下这本"):
        return Reckoning.PHRASE
    return Reckoning.YEAR if match["month"] else Reckoning.MONTH


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    data = _data()
    days = {word: standard for standard, words in data["days"].items() for word in words}
    parts, part_words = _parts(data)
    festivals = _festivals(data)
    waits = {word: minutes for minutes, words in data["soon"].items() for word in words}
    hardly = {word: minutes for minutes, words in data["hardly"].items() for word in words}
    some_days = {word: days for days, words in data["some_days"].items() for word in words}
    alternatives = [
        time_patterns.past_pattern(data),
        time_patterns.short_day_pattern(data, part_words),
        time_patterns.market_pattern(data),
        time_patterns.day_pattern(data, days, festivals, some_days),
        time_patterns.wait_pattern(data, waits, hardly),
        time_patterns.part_pattern(data, part_words),
        time_patterns.clock_pattern(part_words),
    ]
    return _Grammar(
        pattern=re.compile("|".join(f"(?:{alternative})" for alternative in alternatives)),
        days={**days, **data["short_days"]},
        parts=parts,
        festivals=festivals,
        months=data["lunar_months"],
        weeks_ahead=data["next_words"],
        waits=waits,
        hardly=hardly,
        some_days=some_days,
    )


def _parts(data: Mapping[str, Any]) -> tuple[dict[str, PartOfDay], list[str]]:
    standard = {
        name: PartOfDay(
            row["hour"],
            row["until"],
            frozenset(row["adds_noon_to"]),
            row.get("twelve", 12),
            row.get("small_hours") == "next_day",
        )
        for name, row in data["parts"].items()
    }
    words = {word: standard[name] for name, said in data["part_words"].items() for word in said}
    for name, meals in data["meals"].items():
        eaten = [f"{over}{meal}" for over in data["meals_over"] for meal in meals]
        behind = [f"{meal}{later}" for later in data["meals_behind"] for meal in meals]
        words.update(dict.fromkeys(eaten + behind, standard[name]))
    short = {word: standard[name] for word, name in data["short_parts"].items()}
    return {**short, **words}, list(words)


def _festivals(data: Mapping[str, Any]) -> dict[str, DayWord]:
    days = {word: DayWord(Reckoning.NEW_YEARS_EVE) for word in data["new_years_eve"]}
    for row in data["lunar_festivals"]:
        for word in row["words"]:
            days[word] = DayWord(Reckoning.LUNAR, month=row["month"], day=row["day"])
    for standard, words in data["solar_festivals"].items():
        days.update({word: DayWord(Reckoning.YEAR, standard) for word in words})
    days.update({term: DayWord(Reckoning.YEAR, term) for term in data["solar_terms"]})
    return days
