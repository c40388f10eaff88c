"""Regular expressions of the words that say when, with the named groups that `time_words` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.nlu.heard_number import duration_pattern, one_of
from bot.nlu.numerals import CLOCK

SMALL = "(?:[0-9]{1,2}|[一二两三四五六七八九十廿卅]{1,3})"
YEAR = "(?:20[0-9]{2}|二[零〇][零〇一二三四五六七八九]{2})年"
LUNAR_NUMERAL = "[一二三四五六七八九十]"
LUNAR_DAY = "(?:初[一二三四五六七八九十]|廿[一二三四五六七八九]?)"
LUNAR_DAY_WIDE = f"(?:{LUNAR_DAY}|二?十[一二三四五六七八九]?|三十|{SMALL})"


def short_day_pattern(data: Mapping[str, Any], part_words: list[str]) -> str:
    short_parts = "".join(data["short_parts"])
    return (
        rf"(?P<short_day>[{''.join(data['short_days'])}])"
        rf"(?P<short_part>{one_of(part_words)}|[{short_parts}](?![点些一]))"
    )


def day_pattern(
    data: Mapping[str, Any],
    days: Iterable[str],
    festivals: Iterable[str],
    some_days: Iterable[str],
) -> str:
    return (
        rf"(?:(?P<festival>{_festival_pattern(data, festivals)})|{_days_on_pattern(some_days)}"
        rf"|{_weekday_pattern(data)}|{_lunar_pattern(data)}|{_month_day_pattern()}"
        rf"|(?<![0-9一二三四五六七八九十冬腊正])(?P<month_ends>(?:[这本]个?|下个?)?月底)|(?P<month_begins>下个?月初)(?!{LUNAR_NUMERAL})"
        rf"|(?P<day>{one_of(days)}))(?:[那这]天)?"
    )


def market_pattern(data: Mapping[str, Any]) -> str:
    return (
        rf"(?P<market>{one_of(data['market_words'])}"
        rf"|{data['market_on']}(?P<market_digit>[一二三四五六七八九十])(?:[那这]天|(?:的?集|赶集)(?:[那这]天)?)?)"
    )


def clock_pattern(part_words: list[str]) -> str:
    return (
        rf"(?P<clock>{CLOCK})"
        rf"(?:(?:到|至|-|—|~|～)(?P<until_part>{one_of(part_words)})?(?P<until>{CLOCK}))?"
    )


def _festival_pattern(data: Mapping[str, Any], festivals: Iterable[str]) -> str:
    unsure = set(data["solar_terms"]) - set(data["sure_terms"])
    sure = one_of(set(festivals) - unsure)
    # 八月十五 is the moon festival, 八月十五号 a day in summer.
    return rf"(?<!十)(?:{sure}(?!{SMALL}?[号日])|{one_of(unsure)}{data['solar_term_needs']})"


def past_pattern(data: Mapping[str, Any]) -> str:
    weekday = rf"{one_of(data['last_words'])}{one_of(data['week_words'])}[一二三四五六日天末]?"
    return rf"(?P<past>{weekday}|{one_of(data['past_days'])})"


def _days_on_pattern(some_days: Iterable[str]) -> str:
    number = "(?:[0-9]{1,2}|[一二两三四五六七八九十俩]{1,2})"
    weeks, later = "个?(?:星期|礼拜)", "(?:以后|之后|过后|后)"
    some = one_of(some_days)
    length = rf"(?:{number}(?:天|{weeks})|{some})"
    return (
        rf"(?:(?=(?:再?过|隔){length})(?:再?过|隔)|(?={length}{later}))"
        rf"(?:(?P<some_days>{some})|(?P<days_on>{number})(?:天|(?P<weeks_on>{weeks}))){later}?"
    )


def _weekday_pattern(data: Mapping[str, Any]) -> str:
    return (
        # 一个星期一次 and 两周 count weeks.
        r"(?<![一两二三四五六几每半]个)(?<![一两二三四五六几每半])"
        rf"(?P<ahead>{one_of(data['next_words'])})?{one_of(data['week_words'])}"
        r"(?P<weekday>[一二三四五六日天末])(?![次趟回])"
    )


def _lunar_pattern(data: Mapping[str, Any]) -> str:
    named, marks = one_of(data["lunar_months"]), one_of(data["lunar_marks"])
    month = rf"(?:{named}|{SMALL}月|下个?月)"
    return (
        rf"(?:(?:{marks}(?P<marked_month>{month})?|(?P<lunar_month>{named}))的?"
        rf"(?P<lunar_wide>{LUNAR_DAY_WIDE})[号日]?"
        # 上初三 is a class at school.
        rf"|(?<![上读念中])(?:(?P<plain_month>{month})|[这本]个?月)?"
        rf"(?P<lunar_day>{LUNAR_DAY})(?![中学]|毕业))"
    )


def _month_day_pattern() -> str:
    return (
        rf"(?P<month_day>(?P<year>明年|今年|后年|{YEAR})?(?P<month>下个?月|[这本]个?月"
        rf"|(?<![0-9十]){SMALL}月)?(?<![0-9百住巷院路街弄组第])(?<!门牌){SMALL}"
        r"[号日](?![楼院屋房门组家线车机床桌店]))"
    )


def wait_pattern(data: Mapping[str, Any], waits: Iterable[str], hardly: Iterable[str]) -> str:
    length = duration_pattern()
    later = "(?:以后|之后|过后|后|再)"
    soon = rf"(?P<soon>{one_of(waits)})|(?P<hardly>{one_of(hardly)})"
    behind = "".join(f"(?<!{words})" for words in data["soon_not_after"].split("|"))
    return (
        rf"(?:再?过|再?等)(?P<wait_first>{length}){later}?|(?P<wait_last>{length}){later}"
        rf"|{behind}(?:{soon})(?!{data['soon_not_before']})"
    )


def part_pattern(data: Mapping[str, Any], words: list[str]) -> str:
    behind = "".join(f"(?<!{part})" for part in data["part_not_after"].split("|"))
    short = "".join(data["short_parts"])
    return (
        rf"(?P<part>(?:{behind}|(?={one_of(data['whole_words_anyway'])})){one_of(words)}"
        rf"(?!{data['part_not_before']})"
        # 晚一点 is somewhat later.
        rf"|(?<=每)[{short}]|[{short}](?={CLOCK})(?![一1]点(?![钟半整])))"
    )
