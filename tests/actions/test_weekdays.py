"""Weekly times as the village says them."""

from __future__ import annotations

import pytest

from actions.timebank.availability import WeeklyTime
from actions.timebank.states import DayPart
from actions.weekdays import grouped, weekly_times

MORNING, AFTERNOON, EVENING = DayPart
ALL = list(DayPart)
WEEK = list(range(7))


def times(days: list[int], parts: list[DayPart]) -> set[WeeklyTime]:
    return {(day, part) for day in days for part in parts}


@pytest.mark.parametrize(
    "words, days, parts",
    [
        ("礼拜一、礼拜三上午能帮着做饭", [0, 2], [MORNING]),
        ("我礼拜一三五头晌都闲着", [0, 2, 4], [MORNING]),
        ("礼拜二礼拜五下午都有空", [1, 4], [AFTERNOON]),
        ("烧饭打扫都行，周一到周五上午", [0, 1, 2, 3, 4], [MORNING]),
        ("周一至五", [0, 1, 2, 3, 4], ALL),
        ("星期六到星期一", [5, 6, 0], ALL),
        ("礼拜1，3", [0, 2], ALL),
        ("一三五上午吧", [0, 2, 4], [MORNING]),
        ("俺礼拜天摊一鏊子送过去", [6], ALL),
        ("周六日", [5, 6], ALL),
        ("周末我都在", [5, 6], ALL),
        ("工作日晚上", [0, 1, 2, 3, 4], [EVENING]),
        ("我天天有空", WEEK, ALL),
        ("每天早上送过去", WEEK, [MORNING]),
        ("农闲的时候都行", WEEK, ALL),
        ("晚上我也能去", WEEK, [EVENING]),
        ("上午，礼拜一、礼拜三都行", [0, 2], [MORNING]),
        ("每周二后晌", [1], [AFTERNOON]),
        ("礼拜三上午下午都行", [2], [MORNING, AFTERNOON]),
        ("礼拜二五点以后", [1], ALL),
    ],
)
def test_days_and_parts_of_the_day_are_understood(
    words: str, days: list[int], parts: list[DayPart]
) -> None:
    assert weekly_times(words) == times(days, parts)


def test_each_day_keeps_its_own_part() -> None:
    heard = weekly_times("礼拜一上午、礼拜三下午，礼拜六")
    assert heard == {(0, MORNING), (2, AFTERNOON)} | times([5], ALL)


@pytest.mark.parametrize(
    "words, days, parts",
    [
        ("礼拜六礼拜天不行，带孙子，其他随便", [0, 1, 2, 3, 4], ALL),
        ("礼拜六礼拜天不行带孙子其他随便", [0, 1, 2, 3, 4], ALL),
        ("下晚儿我不行得看孙子白天随便你支使", WEEK, [MORNING, AFTERNOON]),
        ("除了礼拜天都行", [0, 1, 2, 3, 4, 5], ALL),
        ("晚上没空", WEEK, [MORNING, AFTERNOON]),
        ("天天有空，重活不行", WEEK, ALL),
        ("天天有空重活不行", WEEK, ALL),
        ("礼拜一行礼拜六不行", [0], ALL),
        ("礼拜一礼拜二礼拜三礼拜四不行", [4, 5, 6], ALL),
    ],
)
def test_what_does_not_suit_is_left_out(words: str, days: list[int], parts: list[DayPart]) -> None:
    assert weekly_times(words) == times(days, parts)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "我想帮忙",
        "别的不行，包饺子我行",
        "下礼拜一我有空",
        "下个礼拜三",
        "一周三天",
        "一个礼拜三天",
        "周围的人我都认得",
        "明天上午有空",
        "今晚我能去",
        "一天最多俩钟头",
        "/offer_help",
        "礼拜" * 500,
    ],
)
def test_where_no_weekly_time_is_named_none_is_heard(words: str) -> None:
    assert weekly_times(words) == frozenset()


def test_days_of_the_same_part_are_said_together() -> None:
    mixed = times([0, 2], [MORNING]) | times([5], ALL) | times([1], [EVENING, MORNING])
    assert grouped(mixed) == [
        ([0, 2], [MORNING]),
        ([1], [MORNING, EVENING]),
        ([5], ALL),
    ]
