from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.nlu.respelling import NOT_CHINESE, SAME_FOLDED, SAME_SYLLABLE, Speller, count

VILLAGE = (
    "明天上午叫人帮俺买点菜",
    "晌午帮俺买点菜",
    "家里没菜了叫人买点菜",
    "俺脑壳疼得很",
    "脑壳疼",
    "俺腿疼走不动",
    "我腿疼想叫人来",
    "给俺做顿晌午饭",
    "灯泡坏了叫人来修",
    "我还有多少时间",
    "我还剩几个钟头",
    "二丫她娘来不来",
)
ANY_TEXT = st.text(st.characters(), max_size=30)
ODD_TEXT = st.text("俺买点菜卖退腿疼OK3，。 \n😀👵🏽𠀀々〇\ud83d\ufe0f", max_size=20)


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller(count(VILLAGE * 2))


@pytest.fixture(scope="module")
def reordered() -> Speller:
    """Heard the same village in another order."""
    return Speller(count(reversed(VILLAGE * 2)))


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("明天上午叫人帮俺卖点菜", "明天上午叫人帮俺买点菜"),
        ("俺退腾走不动", "俺腿疼走不动"),
        ("恼壳疼", "脑壳疼"),
        # Some accents make sh and s, n and l one.
        ("明天桑午叫人帮俺买点菜", "明天上午叫人帮俺买点菜"),
        ("俺老壳疼得很", "俺脑壳疼得很"),
        ("给俺做吨晌午饭", "给俺做顿晌午饭"),
        ("灯炮坏了叫人来修", "灯泡坏了叫人来修"),
        ("我还有多少石间", "我还有多少时间"),
        ("我还圣几个钟头", "我还剩几个钟头"),
        ("二鸭她娘来不来", "二丫她娘来不来"),
    ],
)
def test_a_word_of_the_village_is_spelled_as_it_was_meant(
    speller: Speller, heard: str, meant: str
) -> None:
    assert speller.respell(heard) == meant


def test_only_what_sounds_alike_is_taken_for_another(speller: Speller) -> None:
    # One syllable off in every accent: 洗点菜 is no 买点菜, however often that is said.
    for heard in ("晌午帮俺洗点菜", "俺手疼走不动"):
        assert speller.respell(heard) == heard


@pytest.mark.parametrize("said", VILLAGE)
def test_what_the_village_says_stays(speller: Speller, said: str) -> None:
    assert speller.respell(said) == said


@pytest.mark.parametrize("said", ["量子力学", "麒麟", "葡萄牙语", "张秀英来帮俺", "雪碧一瓶"])
def test_what_the_village_never_said_stays_too(speller: Speller, said: str) -> None:
    assert speller.respell(said) == said


def test_one_slip_in_training_speech_is_no_spelling() -> None:
    slip = Speller(count(["去岜上干活"]))
    place = Speller(count(["去岜上干活"] * 2))

    assert slip.respell("去八上干活") == "去八上干活"
    assert place.respell("去八上干活") == "去岜上干活"


def test_digits_letters_and_signs_stay_where_they_are(speller: Speller) -> None:
    assert speller.respell("OK，俺卖点菜！123 😀") == "OK，俺买点菜！123 😀"
    assert speller.respell("") == ""


def test_a_comma_ends_what_a_word_can_lean_on(speller: Speller) -> None:
    assert speller.respell("灯炮坏了") == "灯泡坏了"
    assert speller.respell("灯，炮，坏了") == "灯，炮，坏了"


def test_which_of_two_words_is_meant_depends_on_the_village() -> None:
    quarry = Speller(count(["去石岗上干活"] * 2))
    clock = Speller(count(["去时岗上干活"] * 2))

    assert quarry.respell("去十岗上干活") == "去石岗上干活"
    assert clock.respell("去十岗上干活") == "去时岗上干活"


def test_a_different_sound_needs_better_reasons_than_a_different_sign() -> None:
    # 蓝 and 篮 are one syllable; 兰 and 郎 only some accents make one.
    assert SAME_SYLLABLE < SAME_FOLDED
    said = ["看兰花"] * 4 + ["看郎花"] * 4
    assert Speller(count(said)).respell("看蓝花") == "看兰花"
    assert Speller(count(said)).respell("看廊花") == "看郎花"


@settings(deadline=None)
@given(st.one_of(ANY_TEXT, ODD_TEXT))
@example("\ud83d俺卖点菜")
@example("𠀀々〇卖点菜")
@example("鿿龥一")
def test_any_text_keeps_its_length_and_what_is_not_chinese(speller: Speller, text: str) -> None:
    spelled = speller.respell(text)

    assert len(spelled) == len(text)
    for before, after in zip(text, spelled, strict=True):
        if NOT_CHINESE.match(before):
            assert after == before
        else:
            assert not NOT_CHINESE.match(after)


@settings(deadline=None)
@given(ODD_TEXT)
def test_the_same_is_always_spelled_the_same(
    speller: Speller, reordered: Speller, text: str
) -> None:
    assert speller.respell(text) == speller.respell(text) == reordered.respell(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(VILLAGE), min_size=1, max_size=3), st.data())
def test_what_is_spelled_rightly_is_not_spelled_again(
    speller: Speller, said: list[str], data: st.DataObject
) -> None:
    text = "，".join(said)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("卖退腾恼吨炮石圣鸭买腿疼"))
    once = speller.respell(text[:at] + other + text[at + 1 :])

    assert speller.respell(once) == once


def test_counting_is_plain_data_with_the_dictionary_at_a_small_weight() -> None:
    counted = count(["俺买菜", "俺买菜，OK"])
    alone = count([])

    for gram in ("^俺买", "买菜$"):
        assert counted.threes[gram] == pytest.approx(2 + alone.threes.get(gram, 0))
    assert not any("O" in gram or "，" in gram for gram in counted.ones)
    assert 0 < alone.twos["葡萄"] < 20
