"""Who may be in the roll twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.timebank.staff.doubles import Alike, likely
from tests.timebank.builders import MORNING, make_member


def written(name: str) -> str:
    return name


def by_ear(name: str) -> str:
    """章 and 张 sound the same."""
    return name.replace("章", "张")


def pairs(session: Session, sounds: Any = written) -> list[tuple[str, str, tuple[Alike, ...]]]:
    return [
        (pair.older.name, pair.newer.name, pair.alike)
        for pair in likely(session, sounds=sounds, most=10)
    ]


def people(session: Session, *rows: dict[str, Any]) -> None:
    for row in rows:
        make_member(session, now=MORNING, **row)


def test_one_name_in_two_rows_is_a_likely_double(session: Session) -> None:
    people(session, {"name": "张秀英"}, {"name": "李建国"}, {"name": "张秀英", "lane": "槐树巷"})
    assert pairs(session) == [("张秀英", "张秀英", (Alike.SAME_NAME,))]


def test_another_spelling_of_the_same_sound_needs_one_more_sign(session: Session) -> None:
    people(session, {"name": "张秀英"}, {"name": "章秀英", "lane": "槐树巷"})
    assert pairs(session, by_ear) == []
    people(session, {"name": "章秀英"})
    assert pairs(session, by_ear) == [
        ("张秀英", "章秀英", (Alike.SOUNDS_ALIKE, Alike.SAME_LANE)),
        ("章秀英", "章秀英", (Alike.SAME_NAME,)),
    ]
    assert pairs(session) == [("章秀英", "章秀英", (Alike.SAME_NAME,))]


def test_a_nickname_may_be_the_other_s_name(session: Session) -> None:
    people(
        session,
        {"name": "张秀英", "nickname": "二丫", "birth_year": 1950},
        {"name": "二丫", "lane": "槐树巷", "birth_year": 1950},
    )
    assert pairs(session) == [("张秀英", "二丫", (Alike.NICKNAME, Alike.SAME_BIRTH_YEAR))]


def test_the_likeliest_come_first(session: Session) -> None:
    house = {"birth_year": 1943, "place": "村东头"}
    people(
        session,
        {"name": "李建国"},
        {"name": "李建国", "lane": "槐树巷"},
        {"name": "张秀英", **house},
        {"name": "张秀英", **house},
    )
    assert [older for older, *_ in pairs(session)] == ["张秀英", "李建国"]
    assert len(likely(session, sounds=written, most=1)) == 1


@pytest.mark.parametrize("other", [{"birth_year": 1980}, {"left_at": MORNING}])
def test_father_and_son_and_who_has_left_are_not_doubles(
    session: Session, other: dict[str, Any]
) -> None:
    people(session, {"name": "李建国", "birth_year": 1950}, {"name": "李建国", **other})
    assert pairs(session) == []


def test_neighbours_with_nothing_in_common_but_the_lane_are_not(session: Session) -> None:
    people(session, {"name": "李建国", "birth_year": 1950}, {"name": "张秀英", "birth_year": 1950})
    assert pairs(session) == []
