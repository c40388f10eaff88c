from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.lookups import PhraseFinder, tables_of
from tests.bot.nlu.school import training_data

TABLES = {"danger": ["摔倒", "摔倒在地", "胸口疼"], "kind": ["看病", "做饭", "修水管"]}
FINDER = PhraseFinder(TABLES)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("他摔倒了", [("danger", "摔倒", "摔倒")]),
        ("他摔倒在地上", [("danger", "摔倒在地", "摔倒在地")]),
        ("做饭看病", [("kind", "做饭", "做饭"), ("kind", "看病", "看病")]),
        ("做饭做饭", [("kind", "做饭", "做饭")] * 2),
        ("凶口腾得很", [("danger", "胸口疼", "凶口腾")]),
        ("来休水关", [("kind", "修水管", "休水关")]),
        ("扛饼去", []),
        ("衰倒了", []),
        ("做，饭", []),
        ("做", []),
        ("", []),
    ],
)
def test_phrases_are_found_as_spelled_and_long_ones_as_they_sound(
    said: str, found: list[tuple[str, str, str]]
) -> None:
    heard = FINDER.find(said)
    assert [(one.table, one.phrase, said[one.start : one.end]) for one in heard] == found


def test_what_begins_inside_a_phrase_is_not_found() -> None:
    both = PhraseFinder({"danger": ["摔倒在地"], "place": ["在地里"]})

    assert [one.phrase for one in both.find("他摔倒在地里，人在地里")] == ["摔倒在地", "在地里"]


def test_of_two_tables_the_first_written_has_a_phrase() -> None:
    both = PhraseFinder({"one": ["洗衣服"], "two": ["洗衣服", "西衣服"]})

    assert [one.table for one in both.find("洗衣服")] == ["one"]
    assert [one.table for one in both.find("喜衣服")] == ["one"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*TABLES["danger"], *TABLES["kind"], "我", "，", "😀", "\ud83d"])))
def test_what_is_found_stands_in_order_and_never_overlaps(parts: list[str]) -> None:
    said = "".join(parts)
    heard = FINDER.find(said)

    assert sum(one.end - one.start for one in heard) == sum(len(one) for one in parts if one[1:])
    assert all(one.end <= other.start for one, other in pairwise(heard))


def test_nothing_is_found_without_tables() -> None:
    assert PhraseFinder({}).find("摔倒") == []


def test_tables_are_told_apart_by_how_their_name_begins() -> None:
    data = training_data(
        """
version: "3.1"
nlu:
- lookup: service_kind_meals
  examples: |
    - 做饭
    - 煮饭
- lookup: swindle
  examples: |
    - 验证码
"""
    )

    assert tables_of(data, "service_kind_") == {"service_kind_meals": ["做饭", "煮饭"]}
    assert tables_of(data, "swindle") == {"swindle": ["验证码"]}
    assert tables_of(data, "emergency") == {}
