from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.heard_number import hear_minutes, hear_rating
from bot.nlu.numerals import read_clock, read_number


@pytest.mark.parametrize(
    "words, minutes",
    [
        ("一个钟头", 60),
        ("一个半钟头", 90),
        ("三刻钟", 45),
        ("俩小时", 120),
        ("俩半钟头", 150),
        ("仨钟头", 180),
        ("半拉钟头", 30),
        ("半个小时", 30),
        ("半天", 240),
        ("一袋烟工夫", 15),
        ("两袋烟的工夫", 30),
        ("一顿饭工夫", 30),
        ("一上午", 180),
        ("四十来分钟", 40),
        ("四十多分钟", 45),
        ("十几分钟", 15),
        ("个把钟头", 60),
        ("一个来小时", 60),
        ("一个多小时", 75),
        ("一个小时零十分", 70),
        ("一个钟头一刻", 75),
        ("两个小时零五分钟", 125),
        ("两个小时半", 150),
        ("两个半钟", 150),
        ("个半小时", 90),
        ("大半个小时", 40),
        ("两个，钟头", 120),
        ("一下晌", 180),
        ("90分钟", 90),
        ("1.5小时", 90),
        ("一点五个小时", 90),
        ("一百二十分钟", 120),
        ("两三个钟头", 120),
        ("两点到三点四十", 100),
        ("十一点到一点", 120),
        ("九点干到十一点", 120),
    ],
)
def test_a_length_of_time_is_heard_as_minutes(words: str, minutes: int) -> None:
    heard = hear_minutes(words)
    assert [(one.text, one.minutes) for one in heard] == [(words, minutes)]


@pytest.mark.parametrize(
    "story, minutes",
    [
        ("干完了，一个钟头", [60]),
        ("她坐了一袋烟工夫就走了", [15]),
        ("来了，做了一个小时", [60]),
        ("两点来的，三点半走的", [90]),
        ("她两点到的三点四十走的", [100]),
        ("上月咋少了俩钟头", [120]),
        ("人家要是方便，能多待上半个钟头吗", [30]),
        ("饭后半个钟头提醒俺", [30]),
        ("你这里十二个半，我们对一对", [750]),
        ("他记一个钟头，我讲一个半，按哪个的", [60, 90]),
        ("扫地半个小时，做饭四十分钟", [30, 40]),
    ],
)
def test_lengths_are_found_inside_a_story(story: str, minutes: list[int]) -> None:
    assert [one.minutes for one in hear_minutes(story)] == minutes


@pytest.mark.parametrize(
    "words",
    [
        "三点钟",
        "十点一刻",
        "买两斤肉",
        "我都七十八了",
        "一个点心",
        "一个钟表",
        "上半天来",
        "后半晌",
        "三点四十分",
        "零分钟",
        "两点到两点",
        "买点菜",
        "三个小时候的伙伴",
        "两个半大小子",
        "五颗星",
        "",
        "😀",
    ],
)
def test_clocks_ages_and_counts_are_no_lengths(words: str) -> None:
    assert hear_minutes(words) == []


@pytest.mark.parametrize(
    "words, stars",
    [
        ("五颗星", 5),
        ("给三分吧", 3),
        ("打个四分", 4),
        ("4颗星", 4),
        ("满分", 5),
        ("一百分", 5),
        ("零分", 1),
        ("两个星", 2),
        ("不是三分，是四分", 4),
        ("六分", None),
        ("十分满意", None),
        ("三分钟", None),
        ("一百分钟", None),
        ("十点三分", None),
        ("三分之一", None),
        ("一分不差", None),
        ("你给我分一分", None),
        ("最高分", 5),
        ("挺好的", None),
    ],
)
def test_stars_are_heard(words: str, stars: int | None) -> None:
    assert hear_rating(words) == stars


@pytest.mark.parametrize(
    "words, number",
    [
        ("一百二", 120),
        ("一百零二", 102),
        ("廿八", 28),
        ("俩", 2),
        ("两三", 2),
        ("1.5", 1.5),
        ("", None),
        ("点", None),
    ],
)
def test_numerals(words: str, number: float | None) -> None:
    assert read_number(words) == number


def test_a_clock_short_of_the_hour() -> None:
    clock = read_clock("差一刻十点")
    assert clock is not None and (clock.hour, clock.minute) == (9, 45)
    assert read_clock("没有") is None


SPOKEN = yaml.safe_load((Path(__file__).parent / "said" / "lengths.yml").read_text("utf-8"))


@pytest.mark.parametrize("words, meant", SPOKEN.items())
def test_lengths_as_elders_say_them(words: str, meant: int | list[int]) -> None:
    heard = [one.minutes for one in hear_minutes(words)]
    assert heard == ([meant] if isinstance(meant, int) else meant)


SPEECH = st.lists(
    st.sampled_from(
        [
            "一",
            "二",
            "两",
            "三",
            "十",
            "半",
            "个",
            "来",
            "多",
            "零",
            "俩",
            "百",
            "90",
            "1.5",
            "点",
            "分",
            "刻",
            "钟",
            "分钟",
            "小时",
            "钟头",
            "天",
            "到",
            "袋烟",
            "工夫",
            "颗",
            "星",
            "走",
            "的",
            "，",
            "上午",
        ]
    ),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(), SPEECH))
def test_whatever_is_said_spans_are_right_and_lengths_are_positive(text: str) -> None:
    end = 0
    for heard in hear_minutes(text):
        assert text[heard.start : heard.end] == heard.text
        assert end <= heard.start < heard.end
        assert heard.minutes >= 1
        end = heard.end
    assert hear_rating(text) in (None, 1, 2, 3, 4, 5)
