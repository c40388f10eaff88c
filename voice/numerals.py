"""Digits that a recognizer writes, or a sentence holds, as Mandarin says them."""

from __future__ import annotations

import re

import cn2an

_DIGITS = "零一二三四五六七八九"
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?!\d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?=年)")
_NUMBER = re.compile(r"(\d+(?:,\d{3})+|\d+)(\.\d+)?")
_LONGEST_COUNT = 4
"""More digits than this are a telephone or card number and are read one by one."""
# 二 becomes 两 before what is counted, but not in dates (二月, 二号) or ordinals (第二).
_COUNTED = "个点半小钟次趟天位斤块顿回遍口只条张件年周百千万"
_LONE_TWO = re.compile(rf"(?<![\d.第周期拜零一二三四五六七八九十百千万点])2(?=[{_COUNTED}])")


def spoken_numbers(text: str) -> str:
    """`上午10:30` becomes 上午十点三十分, `2个小时` 两个小时, `13800138000` digit by digit."""
    text = text.translate(_FULL_WIDTH)
    text = _CLOCK.sub(_clock, text)
    text = _PERCENT.sub(lambda found: f"百分之{_count(found[1])}", text)
    text = _YEAR.sub(lambda found: _one_by_one(found[1]), text)
    text = _LONE_TWO.sub("两", text)
    return _NUMBER.sub(lambda found: _count(found[0]), text)


_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    spoken_hour = "两" if hour == 2 else _count(str(hour))
    if not minute:
        return f"{spoken_hour}点"
    if minute < 10:
        return f"{spoken_hour}点零{_count(str(minute))}分"
    return f"{spoken_hour}点{_count(str(minute))}分"


def _count(number: str) -> str:
    number = number.replace(",", "")
    whole, point, fraction = number.partition(".")
    is_code = len(whole) > _LONGEST_COUNT or (len(whole) > 1 and whole.startswith("0"))
    spoken = _one_by_one(whole) if is_code else str(cn2an.an2cn(whole, "low"))
    return spoken + ("点" + _one_by_one(fraction) if point else "")


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)
