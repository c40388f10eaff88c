"""Weekly times as the village says them: 礼拜一、礼拜三上午, 一三五, 周末, 天天, 晚上不行."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Set, Tuple

from actions.timebank.availability import WeeklyTime
from actions.timebank.states import DayPart

WHOLE_DAY = frozenset(DayPart)
WHOLE_WEEK = frozenset(range(7))

_DIGITS = {
    **{digit: day for day, digit in enumerate(("一", "二", "三", "四", "五", "六", "日"))},
    **{digit: day for day, digit in enumerate("1234567")},
    **{"天": 6, "七": 6},
}
_NEXT_DIGIT = "[一二三四五六日七1-7]"
_DIGIT = "[一二三四五六日天七1-7]"
# 下礼拜一 is one day and no habit, 一周三天 names none.
_WEEK = "(?<![上下这])(?<!(?<![周拜期])[一两])(?<![上下这一两]个)(?:星期|礼拜|周)"
_PARTS = {
    "上午|早上|早晨|早起|早间|清早|一早|头晌|前晌|前半天|上半天": frozenset({DayPart.MORNING}),
    "下午|午后|后晌|过晌|后半天|下半天": frozenset({DayPart.AFTERNOON}),
    "晚上|晚间|夜里|夜晚|夜间|傍晚|下晚|擦黑|黑了": frozenset({DayPart.EVENING}),
    "白天|白日": frozenset({DayPart.MORNING, DayPart.AFTERNOON}),
    "全天|整天": WHOLE_DAY,
}
_DAYS = {
    "周末|双休": frozenset({5, 6}),
    "工作日": frozenset(range(5)),
    "一三五": frozenset({0, 2, 4}),
    "二四六": frozenset({1, 3, 5}),
    "每天|天天|日日|见天|哪天都|啥时候都|随时|农闲": WHOLE_WEEK,
}
_TIME_WORD = re.compile(
    rf"(?P<once>(?:大?后|[今明昨])(?:天|儿|日)个?(?:{'|'.join(_PARTS)})?|[今明]晚)"
    rf"|{_WEEK}(?P<first>{_DIGIT})(?:到|至|[-—])(?:星期|礼拜|周)?(?P<last>{_DIGIT})"
    rf"|{_WEEK}(?P<days>{_DIGIT}(?:[、，,和跟]?{_NEXT_DIGIT})*)(?![天点个十])"
    rf"|(?P<named>{'|'.join(_DAYS)})|(?P<part>{'|'.join(_PARTS)})"
)
_CANNOT = re.compile(
    "[^，,。；有能可]{0,5}?(?:不行|不成|不中|不得空|不得闲|没空|没得空|没工夫|[去来]不了)"
)
_EXCEPT = re.compile("(?:除了|除开|除去)$")


@dataclass
class _Said:
    """One word for days or for a part of the day."""

    days: FrozenSet[int]
    parts: FrozenSet[DayPart]
    is_left_out: bool = False


def weekly_times(words: str) -> FrozenSet[WeeklyTime]:
    """The times of the week that somebody says to have; empty when none are named.

    Days without a part of the day are whole days, a part without days is meant for every day.
    What comes with 不行 is left out, of the whole week when nothing else is named. The slack
    season (农闲) counts as every day; 明天 and 下礼拜一 are no habit and not counted."""
    said = _words_for_times(words)
    wanted = _together(one for one in said if not one.is_left_out)
    left_out = _together(one for one in said if one.is_left_out)
    if left_out and not wanted:
        wanted = _times(WHOLE_WEEK, WHOLE_DAY)
    return frozenset(wanted - left_out)


def _words_for_times(words: str) -> List[_Said]:
    found = [match for match in _TIME_WORD.finditer(words) if not match["once"]]
    said: List[_Said] = []
    following, is_left_out = len(words), False
    for match in reversed(found):
        between = words[match.end() : following]
        # In 礼拜六、礼拜天不行 both days are meant.
        if not said or between.strip("、，,和跟"):
            is_left_out = bool(_CANNOT.match(between))
        said.insert(0, _read(match))
        said[0].is_left_out = is_left_out or bool(_EXCEPT.search(words, 0, match.start()))
        following = match.start()
    return said


def _read(match: re.Match[str]) -> _Said:
    if match["first"]:
        first, last = _DIGITS[match["first"]], _DIGITS[match["last"]]
        return _Said(frozenset((first + n) % 7 for n in range((last - first) % 7 + 1)), frozenset())
    if match["days"]:
        return _Said(frozenset(_DIGITS[d] for d in match["days"] if d in _DIGITS), frozenset())
    if match["named"]:
        return _Said(_of(_DAYS, match["named"]), frozenset())
    return _Said(frozenset(), _of(_PARTS, match["part"]))


def _of(table: Mapping[str, FrozenSet[Any]], word: str) -> FrozenSet[Any]:
    return next(meant for words, meant in table.items() if word in words.split("|"))


def _together(said: Iterable[_Said]) -> Set[WeeklyTime]:
    """礼拜一上午、礼拜三下午: a part belongs to the days before it, or, when it is said first,
    to those after it."""
    times: Set[WeeklyTime] = set()
    days: FrozenSet[int] = frozenset()
    parts: FrozenSet[DayPart] = frozenset()
    part_came_first = False
    for one in said:
        if one.days and days and parts and not part_came_first:
            times |= _times(days, parts)
            days, parts = frozenset(), frozenset()
        part_came_first = part_came_first or bool(one.parts and not days)
        days, parts = days | one.days, parts | one.parts
    if days or parts:
        times |= _times(days or WHOLE_WEEK, parts or WHOLE_DAY)
    return times


def _times(days: Iterable[int], parts: Iterable[DayPart]) -> Set[WeeklyTime]:
    return {(day, part) for day in days for part in parts}


def grouped(times: Iterable[WeeklyTime]) -> List[Tuple[List[int], List[DayPart]]]:
    """Days that have the same parts together, as they are said back: earliest day first."""
    parts_of: Dict[int, List[DayPart]] = {}
    for day, part in times:
        parts_of.setdefault(day, []).append(part)
    groups: Dict[Tuple[DayPart, ...], List[int]] = {}
    for day, parts in sorted(parts_of.items()):
        in_order = tuple(part for part in DayPart if part in parts)
        groups.setdefault(in_order, []).append(day)
    return [(days, list(in_order)) for in_order, days in groups.items()]
