"""What was said without what was taken back, and which need is for when."""

from __future__ import annotations

from typing import Any

import pytest

from actions.said import Need, facts_meant, moment_meant, needs, value_meant

MARCH = "2026-03-0{}T{:02}:00:00+08:00"
WORDS = {
    "买菜": ("service_kind", "shopping"),
    "买点菜": ("service_kind", "shopping"),
    "买点白菜": ("service_kind", "shopping"),
    "做饭": ("service_kind", "meals"),
    "扫地": ("service_kind", "cleaning"),
    "陪我去医院": ("service_kind", "escort_medical"),
    "理发": ("service_kind", "haircut"),
    "明天": ("when", MARCH.format(3, 9)),
    "后天": ("when", MARCH.format(4, 9)),
    "两点": ("when", MARCH.format(2, 14)),
    "后天下午": ("when", MARCH.format(4, 15)),
    "后天两点": ("when", MARCH.format(4, 14)),
    "下午": ("when", MARCH.format(2, 15)),
    "过两个钟头": ("when", MARCH.format(2, 11)),
    "一个小时": ("duration_minutes", 60),
    "一个半小时": ("duration_minutes", 90),
    "两个钟头": ("duration_minutes", 120),
}


def heard(text: str) -> dict[str, Any]:
    """The utterance with its entities where they stand, the longest words first."""
    found: list[dict[str, Any]] = []
    for words in sorted(WORDS, key=len, reverse=True):
        name, value = WORDS[words]
        start = text.find(words)
        while start >= 0:
            end = start + len(words)
            if all(end <= one["start"] or start >= one["end"] for one in found):
                found.append({"entity": name, "value": value, "start": start, "end": end})
            start = text.find(words, end)
    return {"text": text, "entities": sorted(found, key=lambda one: one["start"])}


@pytest.mark.parametrize(
    "text, entity, value",
    [
        ("不是买菜，是做饭", "service_kind", "meals"),
        ("是做饭，不是买菜", "service_kind", "meals"),
        ("买菜，不对，做饭", "service_kind", "meals"),
        ("做饭，不要买菜", "service_kind", "meals"),
        ("不是买菜", "service_kind", None),
        ("是不是买菜", "service_kind", "shopping"),
        ("做饭对不对，买菜", "service_kind", "shopping"),
        ("一个小时，不对，一个半小时", "duration_minutes", 90),
        ("两个钟头，错了，一个小时，不对，一个半小时", "duration_minutes", 90),
        ("一个半小时，不是两个钟头", "duration_minutes", 90),
        ("一个半小时，不是一个小时", "duration_minutes", 90),
        ("说错了，两点", "when", MARCH.format(2, 14)),
        ("明天，不对，后天", "when", MARCH.format(4, 9)),
        ("", "when", None),
    ],
)
def test_the_later_counts_and_the_denied_does_not(text: str, entity: str, value: object) -> None:
    assert value_meant(heard(text), entity) == value


def test_a_correction_of_one_thing_leaves_the_others() -> None:
    kept = facts_meant(heard("明天买菜一个小时，不对，一个半小时"))
    assert [one["value"] for one in kept] == [MARCH.format(3, 9), "shopping", 90]


def test_what_a_button_carries_is_never_taken_back() -> None:
    message = {"text": "不是", "entities": [{"entity": "service_kind", "value": "meals"}]}
    assert value_meant(message, "service_kind") == "meals"


@pytest.mark.parametrize("message", [{}, {"text": None, "entities": None}, {"text": "不对"}])
def test_nothing_said_is_nothing_meant(message: dict[str, Any]) -> None:
    assert facts_meant(message) == [] and needs(message) == []
    assert moment_meant(message, MARCH.format(3, 9)) is None


TOMORROW_AT_TEN = "2026-03-03T10:00:00+08:00"


@pytest.mark.parametrize(
    "text, moment",
    [
        ("不对，是后天", "2026-03-04T10:00:00+08:00"),
        ("我说错了，两点", "2026-03-03T14:00:00+08:00"),
        ("不对，下午", "2026-03-03T15:00:00+08:00"),
        ("不对，后天下午", "2026-03-04T15:00:00+08:00"),
        ("后天两点", "2026-03-04T14:00:00+08:00"),
        ("过两个钟头", "2026-03-02T11:00:00+08:00"),
    ],
)
def test_half_a_time_keeps_the_other_half(text: str, moment: str) -> None:
    assert moment_meant(heard(text), TOMORROW_AT_TEN) == moment


def test_a_first_time_stands_alone() -> None:
    assert moment_meant(heard("两点"), None) == MARCH.format(2, 14)


SHOP = Need("shopping", MARCH.format(3, 9), None)
HOSPITAL = Need("escort_medical", MARCH.format(4, 9), None)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("明天帮我买点菜，后天陪我去医院", [SHOP, HOSPITAL]),
        ("明天帮我买点菜后天陪我去医院", [SHOP, HOSPITAL]),
        ("买菜明天，陪我去医院后天", [SHOP, HOSPITAL]),
        ("明天买菜，陪我去医院后天", [SHOP, HOSPITAL]),
        ("明天买菜做饭", [SHOP, Need("meals", MARCH.format(3, 9), None)]),
        (
            "做饭跟扫地，明天",
            [Need("meals", SHOP.when, None), Need("cleaning", SHOP.when, None)],
        ),
        ("做饭跟扫地都要人", [Need("meals", None, None), Need("cleaning", None, None)]),
        (
            "明天买菜一个小时，做饭两个钟头",
            [Need("shopping", SHOP.when, 60), Need("meals", SHOP.when, 120)],
        ),
        ("明天买菜，后天也买菜", [SHOP, Need("shopping", MARCH.format(4, 9), None)]),
        ("明天买菜，买点白菜", [SHOP]),
        ("明天不是买菜，是做饭", [Need("meals", SHOP.when, None)]),
        ("买菜", [Need("shopping", None, None)]),
        ("明天", []),
    ],
)
def test_each_need_has_its_own_time(text: str, expected: list[Need]) -> None:
    assert needs(heard(text)) == expected
