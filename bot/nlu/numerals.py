"""Numbers and clock times as they are said, the common ground of `heard_number` and
`heard_time`.

The capital names are pieces of regular expressions; none of them holds a named group, so that
they can be used several times in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")}
DIGITS.update({"〇": 0, "两": 2, "俩": 2, "仨": 3, "幺": 1})
TENS = {"廿": 20, "卅": 30}
UNITS = {"十": 10, "百": 100, "千": 1000}

WHOLE = r"(?:[0-9]{1,4}|[零〇一二两俩仨三四五六七八九十廿卅百千]{1,7})"
NUMBER = rf"(?:[0-9]{{1,4}}\.[0-9]{{1,2}}|{WHOLE}(?:点[零一二三四五六七八九])?)"
"""A whole number, or one with a decimal part (一点五, 1.5)."""

_ONE = "[一二两三四五六七八九]"
_HOUR = rf"(?:[01]?[0-9]|2[0-4]|十一二|十{_ONE}?|二十[一二三四]?|{_ONE}{_ONE}?|零)"
_MINUTE = rf"(?:[0-5]?[0-9]|[二三四五]?十{_ONE}?|零?{_ONE})"
_MINUTE_ALONE = rf"(?:[0-5][0-9]|[二三四五]?十{_ONE}?|零{_ONE})"
_SHORT_OF = rf"差(?:一刻|{_MINUTE}分钟?|[五十])"
_DECIMAL_AMOUNT = r"[1-9一二三四五六七八九](?:个半?)?(?:小时|钟头|斤|里|块|米|公里|倍)"
_NO_MINUTE = r"[0-9零一二两三四五六七八九十个号天块斤月年岁次口位件样]|分钟"
CLOCK = (
    rf"(?:(?:{_SHORT_OF}(?:不?到)?)?(?<![0-9零一二两三四五六七八九十百第])"
    # 一点五个小时 and 三点五斤 are amounts.
    rf"{_HOUR}(?:点钟?|[:：](?=[0-5][0-9])|时(?![候间辰常]))(?!{_DECIMAL_AMOUNT})"
    rf"(?:整|半|[一三13]刻(?!钟)|过?{_MINUTE}分(?!钟)|{_MINUTE_ALONE}(?!{_NO_MINUTE})"
    rf"|{_SHORT_OF})?(?:来钟|多钟?|左右|前后)?)"
)
"""A clock time; what it shows is read by `read_clock`."""

CLOCK_PARTS = re.compile(
    rf"(?P<short_before>{_SHORT_OF})?(?:不?到)?"
    rf"(?P<hour>{_HOUR})(?:点钟?|[:：]|时)"
    rf"(?:(?P<half>半)|(?P<quarters>[一三13])刻|过?(?P<minute>{_MINUTE})|(?P<short>{_SHORT_OF}))?"
)


@dataclass(frozen=True)
class Clock:
    """What a clock shows; `hour` as said, so 三点 is 3 whether night or afternoon is meant."""

    hour: int
    minute: int


@lru_cache(maxsize=4096)
def read_number(words: str) -> float | None:
    """The number that the words say (四十五, 一百二, 俩, 一点五, 90); None when they say none.

    Two digits in a row as in 两三 read as the first; 十几 and the like are not numbers."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", words):
        return float(words)
    whole, point, decimal = words.partition("点")
    if point:
        value = read_number(whole)
        return None if value is None or decimal not in DIGITS else value + DIGITS[decimal] / 10
    return _read_whole(whole)


def _read_whole(words: str) -> float | None:
    total, digit, last_unit = 0, None, 0
    for character in words:
        if character in DIGITS:
            # 两三个小时 and 七八点: the smaller one promises less. 一百零二 starts anew at 零.
            if digit is None or digit == 0:
                digit = DIGITS[character]
        elif character in TENS:
            total, last_unit = total + TENS[character], 10
        elif character in UNITS:
            total += (1 if digit is None else digit) * UNITS[character]
            digit, last_unit = None, UNITS[character]
        else:
            return None
    if digit is not None:
        # 一百二 is 120, 一百零二 is 102.
        trailing = last_unit // 10 if last_unit >= 100 and "零" not in words else 1
        total += digit * trailing
    return float(total) if words else None


def read_clock(words: str) -> Clock | None:
    """The clock time that `words`, a match of CLOCK, says; None when no clock can show it."""
    parts = CLOCK_PARTS.match(words)
    if not parts:
        return None
    hour = read_number(parts["hour"])
    minute = 0
    if parts["half"]:
        minute = 30
    elif parts["quarters"]:
        minute = 15 * int(read_number(parts["quarters"]) or 0)
    elif parts["minute"]:
        minute = int(read_number(parts["minute"]) or 0)
    short = parts["short_before"] or parts["short"]
    if short:
        missing = re.sub("[差分钟]", "", short)
        minute -= 15 if missing == "一刻" else int(read_number(missing) or 0)
    if hour is None or not 0 <= hour <= 24 or not -60 < minute < 60:
        return None
    at = (int(hour) * 60 + minute) % (24 * 60)
    return Clock(at // 60, at % 60)
