from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.timebank.model import Member
from bot.nlu import names
from bot.nlu.names import FRESH_SECONDS, NameFinder
from tests.small_village import Street
from tests.timebank.builders import make_member

Settle = Callable[..., None]


class Watch:
    """Stands in for the machine's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(names, "time", watch)
    return watch


@pytest.fixture
def settle(street: Street) -> Settle:
    """Lets somebody move in."""

    def move_in(name: str, **fields: Any) -> None:
        with street.village.transaction() as session:
            make_member(session, name, now=street.clock(), **fields)

    return move_in


@pytest.fixture
def finder(street: Street, tmp_path: Path) -> Iterator[NameFinder]:
    """Knows 王奶奶, 张秀英, 李建国, 赵铁柱 and 陈干事."""
    finder = NameFinder(f"sqlite:///{tmp_path / 'village.db'}")
    yield finder
    assert finder._engine is not None
    finder._engine.dispose()


def found(finder: NameFinder, text: str) -> list[tuple[str, str]]:
    return [(one.member_name, text[one.start : one.end]) for one in finder.find(text)]


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("叫张秀英来", [("张秀英", "张秀英")]),
        ("秀英来了没", [("张秀英", "秀英")]),
        ("脏秀音明天来", [("张秀英", "脏秀音")]),
        ("我要修音响", [("张秀英", "修音")]),
        ("建国和秀英都来", [("李建国", "建国"), ("张秀英", "秀英")]),
        ("秀英，还是秀英好", [("张秀英", "秀英"), ("张秀英", "秀英")]),
        ("小张来了", []),
        ("秀", []),
        ("", []),
        ("😀秀英\ud83d", [("张秀英", "秀英")]),
    ],
)
def test_neighbours_are_found_by_name_and_given_name(
    finder: NameFinder, said: str, who: list[tuple[str, str]]
) -> None:
    assert found(finder, said) == who


def test_a_nickname_is_a_name(finder: NameFinder, settle: Settle) -> None:
    settle("孙桂芳", nickname="二丫她娘")
    settle("钱有才", nickname="钱")

    assert found(finder, "二丫她娘在家不") == [("孙桂芳", "二丫她娘")]
    assert found(finder, "二鸭他娘在家不") == [("孙桂芳", "二鸭他娘")]
    # One syllable is in every second word.
    assert found(finder, "没钱了") == []


def test_whoever_sounds_like_it_is_meant_perhaps(finder: NameFinder, settle: Settle) -> None:
    settle("章秀瑛")

    assert found(finder, "脏秀音来了") == [("张秀英", "脏秀音"), ("章秀瑛", "脏秀音")]
    assert found(finder, "休应来了") == [("张秀英", "休应"), ("章秀瑛", "休应")]


def test_whoever_is_spelled_so_is_meant_alone(finder: NameFinder, settle: Settle) -> None:
    settle("章秀瑛")
    settle("李秀英")

    assert found(finder, "叫章秀瑛来") == [("章秀瑛", "章秀瑛")]
    assert found(finder, "叫秀瑛来") == [("章秀瑛", "秀瑛")]
    # Two are called just so.
    assert found(finder, "叫秀英来") == [("张秀英", "秀英"), ("李秀英", "秀英")]


def test_the_longer_of_two_names_is_meant(finder: NameFinder, settle: Settle) -> None:
    settle("孙英来")

    assert found(finder, "张秀英来了") == [("张秀英", "张秀英")]
    assert found(finder, "孙英来了") == [("孙英来", "孙英来")]


def test_a_little_word_is_no_misheard_name(finder: NameFinder, settle: Settle) -> None:
    settle("周德顺")

    assert found(finder, "卖豆腐的顺路") == []
    assert found(finder, "得顺来了") == [("周德顺", "得顺")]


def test_who_left_is_not_known_any_more(finder: NameFinder, street: Street) -> None:
    with street.village.transaction() as session:
        session.query(Member).filter_by(name="张秀英").update({"left_at": street.clock()})

    assert found(finder, "叫秀英来") == []


def test_a_new_neighbour_is_known_after_a_while(
    finder: NameFinder, settle: Settle, watch: Watch
) -> None:
    assert found(finder, "桂芳来了") == []
    settle("孙桂芳")

    watch.seconds += FRESH_SECONDS - 1
    assert found(finder, "桂芳来了") == []
    watch.seconds += 2
    assert found(finder, "桂芳来了") == [("孙桂芳", "桂芳")]


def test_without_a_village_there_are_no_names(tmp_path: Path) -> None:
    assert NameFinder(None).find("叫张秀英来") == []
    nowhere = NameFinder(f"sqlite:///{tmp_path / 'away' / 'village.db'}")
    assert nowhere.find("叫张秀英来") == []
    empty = NameFinder(f"sqlite:///{tmp_path / 'empty.db'}")
    assert empty.find("叫张秀英来") == []


def test_names_that_are_known_outlive_a_database_that_is_away(
    finder: NameFinder, tmp_path: Path, watch: Watch
) -> None:
    assert found(finder, "叫秀英来") == [("张秀英", "秀英")]
    assert finder._engine is not None
    finder._engine.dispose()
    (tmp_path / "village.db").rename(tmp_path / "away.db")

    watch.seconds += FRESH_SECONDS + 1
    assert found(finder, "叫秀英来") == [("张秀英", "秀英")]
