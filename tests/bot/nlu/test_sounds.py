from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.sounds import distance, find, fold, folded, regions, syllables


def test_every_character_has_one_syllable_and_what_is_not_chinese_stays() -> None:
    assert syllables("俺要ok，3个") == ("an", "yao", "o", "k", "，", "3", "ge")


def test_words_are_read_in_their_context() -> None:
    assert syllables("银行")[1] == "hang"
    assert syllables("绿豆")[0] == "lv"


@pytest.mark.parametrize(
    "one, other",
    [
        ("奶奶", "来来"),
        ("知道", "资道"),
        ("吃饭", "刺饭"),
        ("十", "四"),
        ("飞机", "灰鸡"),
        ("湖南", "扶兰"),
        ("热天", "乐天"),
        ("班长", "帮展"),
        ("真的", "蒸的"),
        ("心里", "星里"),
        ("先生", "箱森"),
        ("船", "床"),
        ("女儿", "旅儿"),
    ],
)
def test_what_accents_do_not_tell_apart_is_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize("one, other", [("饭", "汉"), ("买菜", "看病"), ("东", "当"), ("米", "你")])
def test_what_every_ear_tells_apart_stays_two(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_a_region_keeps_the_sounds_that_it_does_tell_apart() -> None:
    assert "wu" in regions()
    assert fold("niu", "wu") == "niu"
    assert fold("niu", "southwest") == "liu"


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="atlantis"):
        fold("niu", "atlantis")


def test_close_sounds_are_nearer_than_strange_ones() -> None:
    same = distance(folded("张秀英"), folded("脏秀音"))
    close = distance(folded("张秀英"), folded("将秀英"))
    strange = distance(folded("张秀英"), folded("布秀英"))
    assert same == 0 < close < strange <= 1


def test_a_missing_syllable_costs_one() -> None:
    assert distance(folded("张秀英"), folded("秀英")) == 1
    assert distance((), folded("秀英")) == 2


def test_a_name_is_found_where_it_sounds() -> None:
    text = "昨天脏秀音来了"
    span = find(folded("张秀英"), text, 0.5)
    assert span is not None
    assert (text[span.start : span.end], span.distance) == ("脏秀音", 0)


def test_the_nearest_of_two_is_found_and_not_the_first() -> None:
    text = "将秀英说张秀英来"
    span = find(folded("张秀英"), text, 1)
    assert span is not None and text[span.start : span.end] == "张秀英"


@pytest.mark.parametrize("text", ["", "今天天气好", "，，，", "abc"])
def test_who_was_not_named_is_not_found(text: str) -> None:
    assert find(folded("张秀英"), text, 1.0) is None


def test_nothing_is_nowhere() -> None:
    assert find((), "今天天气好", 3) is None


@given(st.text())
def test_any_text_has_a_syllable_for_each_character(text: str) -> None:
    assert len(syllables(text)) == len(folded(text)) == len(text)


WORDS = st.text(alphabet="张秀英脏音买菜卖柴十四热乐", max_size=6).map(folded)


@given(WORDS, WORDS, WORDS)
def test_distance_is_a_distance(a: tuple[str, ...], b: tuple[str, ...], c: tuple[str, ...]) -> None:
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a) <= max(len(a), len(b))
    # Costs of one half are 0, 0.25 and 0.5, so that a way round is never shorter.
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@given(st.text(max_size=20), st.text(alphabet="张秀英买菜", min_size=1, max_size=4))
def test_a_needle_is_found_in_its_own_haystack(around: str, needle: str) -> None:
    text = around + needle + around
    span = find(folded(needle), text, 0)
    # Its reading can change with its neighbours (长大, 长短), and then it sounds different there.
    if folded(needle) == folded(text)[len(around) : len(around) + len(needle)]:
        assert span is not None
        assert folded(text)[span.start : span.end] == folded(needle)
