from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu import mishearing
from bot.nlu.mishearing import DATA, Mishearing
from bot.nlu.sounds import syllables

SPEECH = "明天上午帮俺买点菜卖米的来了各个歌哥河和喝可课"
LONG = "明天上午帮俺买点菜，" * 60


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, int]]:
    """A recognizer that takes mai for mi three times of four, else for lai."""
    table = {"mai": {"mi": 3, "lai": 1}}
    monkeypatch.setattr(mishearing, "_table", lambda: table)
    return table


def test_a_share_of_the_characters_is_misheard(table: dict[str, dict[str, int]]) -> None:
    heard = Mishearing("买卖米来", share=0.2).mishear("买" * 2000, Random(1))

    assert sum(one != "买" for one in heard) / 2000 == pytest.approx(0.2, abs=0.04)


def test_nothing_is_misheard_where_the_share_is_none() -> None:
    assert Mishearing(LONG, share=0).mishear(LONG, Random(1)) == LONG


def test_it_is_misheard_as_the_table_says_or_only_spelled_otherwise(
    table: dict[str, dict[str, int]],
) -> None:
    ears = Mishearing("买卖米来", share=1)
    heard = Counter(ears.mishear("买" * 4000, Random(7)))

    assert heard["卖"] / 4000 == pytest.approx(0.5, abs=0.05)
    assert heard["米"] / 4000 == pytest.approx(0.375, abs=0.05)
    assert heard["来"] / 4000 == pytest.approx(0.125, abs=0.03)
    assert heard["买"] == 0


def test_what_is_common_is_written_more_often(table: dict[str, dict[str, int]]) -> None:
    ears = Mishearing("买" + "卖" * 9 + "麦", share=1)
    heard = Counter(ears.mishear("买" * 1000, Random(7)))

    assert heard["卖"] > 5 * heard["麦"] > 0


def test_what_nobody_writes_is_never_written(table: dict[str, dict[str, int]]) -> None:
    # The recognizer takes mai for mi, but no speech has a character of that sound.
    assert Mishearing("买", share=1).mishear("买买买", Random(1)) == "买买买"


@settings(deadline=None)
@given(st.text(st.characters(), max_size=40), st.integers(0, 9))
def test_any_text_keeps_its_length_and_only_chinese_is_replaced(text: str, seed: int) -> None:
    heard = Mishearing(SPEECH, share=1).mishear(text, Random(seed))

    assert len(heard) == len(text)
    for before, after in zip(text, heard, strict=True):
        assert after == before or ("\u4e00" <= before <= "\u9fff" and after in SPEECH)


def test_latin_words_are_not_taken_for_syllables(table: dict[str, dict[str, int]]) -> None:
    # "a" is a syllable too, but nobody misheard a letter.
    ears = Mishearing("啊阿买卖米", share=1)
    assert ears.mishear("a，3 mai", Random(1)) == "a，3 mai"


def test_the_same_chance_mishears_the_same() -> None:
    ears = Mishearing(SPEECH, share=0.5)

    assert ears.mishear(LONG, Random(3)) == ears.mishear(LONG, Random(3))
    assert ears.mishear(LONG, Random(3)) != ears.mishear(LONG, Random(4))


def test_the_measured_table_holds_syllables_that_were_taken_for_others() -> None:
    measured = yaml.safe_load(DATA.read_text("utf-8"))
    known = {one for at in range(0x4E00, 0x9FA6) for one in syllables(chr(at))}

    for said, heard_for in measured.items():
        assert said not in heard_for
        assert {said, *heard_for} <= known, said
        assert all(times >= 2 for times in heard_for.values())
