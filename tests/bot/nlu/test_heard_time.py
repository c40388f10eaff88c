from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.heard_time import HeardTime, hear_times
from voice.speakable import speakable

VILLAGE = ZoneInfo("Asia/Shanghai")
SUNDAY_AFTERNOON = datetime(2026, 11, 22, 14, 0, tzinfo=VILLAGE)
"""The fourteenth of the tenth lunar month."""


def heard(text: str, now: datetime = SUNDAY_AFTERNOON, **settings: frozenset[int]) -> list[str]:
    times = hear_times(text, now=now, zone=VILLAGE, **settings)
    return [f"{time.starts_at:%m-%d %H:%M} {time.precision}" for time in times]


def only(text: str) -> HeardTime:
    times = hear_times(text, now=SUNDAY_AFTERNOON, zone=VILLAGE)
    assert len(times) == 1
    return times[0]


@pytest.mark.parametrize(
    "words, moment",
    [
        ("明儿上午", "11-23 09:00"),
        ("明儿个晌午", "11-23 12:00"),
        ("大后天晌午", "11-25 12:00"),
        ("今儿后晌", "11-22 15:00"),
        ("后响", "11-22 15:00"),
        ("黑里", "11-22 19:00"),
        ("晚巴晌", "11-22 17:00"),
        ("一早", "11-23 08:00"),
        ("一大早", "11-23 08:00"),
        ("明早", "11-23 08:00"),
        ("今晚", "11-22 19:00"),
        ("上半天", "11-23 09:00"),
        ("下半天", "11-22 15:00"),
        ("礼拜天晌午头", "11-29 12:00"),
        ("冬至那天上午", "12-22 09:00"),
    ],
)
def test_parts_of_the_day_in_village_words(words: str, moment: str) -> None:
    assert heard(words) == [f"{moment} part_of_day"]


@pytest.mark.parametrize(
    "words, day",
    [
        ("明儿", "11-23"),
        ("后儿", "11-24"),
        ("大后天", "11-25"),
        ("过两天", "11-24"),
        ("三天以后", "11-25"),
        ("初六", "12-14"),
        ("腊月初八", "01-15"),
        ("下个月初五", "12-13"),
        ("农历十五", "11-23"),
        ("下礼拜三", "11-25"),
        ("这个星期六", "11-28"),
        ("下下周五", "12-04"),
        ("周末", "11-28"),
        ("十二月三号", "12-03"),
        ("三号", "12-03"),
        ("31号", "12-31"),
        ("明年三月五号", "03-05"),
        ("大年三十", "02-05"),
        ("春节", "02-06"),
        ("小年", "01-30"),
        ("冬至", "12-22"),
        ("大雪那天", "12-07"),
        ("清明", "04-05"),
        ("八月十五", "09-15"),
        ("八月十五号", "08-15"),
        ("赶集那天", "11-26"),
        ("逢五那天", "11-23"),
        ("明门儿", "11-23"),
    ],
)
def test_days_by_sun_and_moon(words: str, day: str) -> None:
    assert heard(words) == [f"{day} 09:00 day"]


@pytest.mark.parametrize(
    "words, moment",
    [
        ("十点", "11-23 10:00"),
        ("三点", "11-22 15:00"),
        ("八点", "11-22 20:00"),
        ("九点", "11-23 09:00"),
        ("下午三点半", "11-22 15:30"),
        ("明天差五分九点", "11-23 08:55"),
        ("后天七点一刻", "11-24 07:15"),
        ("明天三点", "11-23 15:00"),
        ("今晚八点", "11-22 20:00"),
        ("明儿下午两三点", "11-23 14:00"),
        ("中午一点", "11-23 13:00"),
        ("晚上十二点", "11-23 00:00"),
        ("半夜两点", "11-23 02:00"),
        ("明天凌晨三点", "11-23 03:00"),
        ("15:30", "11-22 15:30"),
        ("明天一点", "11-23 13:00"),
        ("一点吧", "11-23 13:00"),
        ("早上八点明天", "11-23 08:00"),
        ("明儿上午吧，嗯，十点钟", "11-23 10:00"),
        ("明天下午来，三点吧", "11-23 15:00"),
        ("晚上来吧，七点", "11-22 19:00"),
        ("一会儿", "11-22 14:30"),
        ("马上", "11-22 14:15"),
        ("现在", "11-22 14:15"),
        ("半个钟头以后", "11-22 14:30"),
        ("再过两个小时", "11-22 16:00"),
    ],
)
def test_clocks_and_waits(words: str, moment: str) -> None:
    assert heard(words) == [f"{moment} clock"]


def test_a_stretch_has_an_end() -> None:
    stretch = only("两点到三点四十")
    assert stretch.starts_at == SUNDAY_AFTERNOON
    assert stretch.ends_at == SUNDAY_AFTERNOON + timedelta(minutes=100)
    assert only("明天上午九点到下午两点").ends_at == datetime(2026, 11, 23, 14, tzinfo=VILLAGE)
    assert only("三点").ends_at is None


def test_what_has_begun_today_goes_on_at_the_next_half_hour() -> None:
    ten_past_four = SUNDAY_AFTERNOON.replace(hour=16, minute=10)
    assert heard("今天下午", ten_past_four) == ["11-22 16:30 part_of_day"]
    assert heard("今儿", ten_past_four) == ["11-22 16:30 day"]
    assert heard("下午", SUNDAY_AFTERNOON.replace(hour=19)) == ["11-23 15:00 part_of_day"]


@pytest.mark.parametrize("offset, name", enumerate("一二三四五六天"))
def test_every_day_of_next_week_has_an_afternoon(offset: int, name: str) -> None:
    moment = datetime(2026, 11, 23 + offset, 15, 0, tzinfo=VILLAGE)
    for week in ("下星期", "下礼拜", "下周", "下个星期"):
        assert only(f"{week}{name}下午").starts_at == moment


def test_a_day_of_the_week_that_is_over_means_the_next_one() -> None:
    assert heard("星期天上午") == ["11-29 09:00 part_of_day"]
    assert heard("星期天下午") == ["11-22 15:00 part_of_day"]


@pytest.mark.parametrize(
    "story, moments",
    [
        ("俺腿疼，想叫人明儿上午帮俺买点菜", ["11-23 09:00 part_of_day"]),
        ("我现在走不动了，明儿上午来", ["11-23 09:00 part_of_day"]),
        ("晚上睡不着，明儿上午陪我去医院", ["11-23 09:00 part_of_day"]),
        ("明天去医院，晚上送个饭", ["11-23 09:00 day", "11-23 19:00 part_of_day"]),
        ("后天不行大后天行", ["11-24 09:00 day", "11-25 09:00 day"]),
        ("昨天没买上，下午再帮我买", ["11-22 15:00 part_of_day"]),
        ("十点，明天三点也行", ["11-23 10:00 clock", "11-23 15:00 clock"]),
        ("明天早一点来", ["11-23 09:00 day"]),
        ("每天早上八点提醒我吃药", ["11-23 08:00 clock"]),
    ],
)
def test_times_are_taken_out_of_a_story(story: str, moments: list[str]) -> None:
    assert heard(story) == moments


@pytest.mark.parametrize(
    "words, moment",
    [
        ("明天上午，不对，是后天", "11-24 09:00 part_of_day"),
        ("明天上午十点不对是后天", "11-24 10:00 clock"),
        ("不是明天，是后天", "11-24 09:00 day"),
        ("明天上午十点的改到后天", "11-24 10:00 clock"),
        ("明天九点，错了，十点", "11-23 10:00 clock"),
        ("九点，不，十点吧", "11-23 10:00 clock"),
        ("不是礼拜三，是礼拜四", "11-26 09:00 day"),
        ("两点改四点", "11-22 16:00 clock"),
    ],
)
def test_a_correction_wins(words: str, moment: str) -> None:
    assert heard(words) == [moment]


@pytest.mark.parametrize(
    "words",
    [
        "昨儿个",
        "上个月",
        "去年",
        "去年腊月初八",
        "上个月十五号",
        "上礼拜三",
        "昨儿个下午三点来的",
        "昨儿个她下午三点来的",
        "三点来的",
        "今天上午",
        "她坐了一袋烟工夫就走了",
        "上月咋少了俩钟头",
        "夜黑里没睡好",
        "刚才",
    ],
)
def test_tales_of_the_past_are_no_appointments(words: str) -> None:
    assert heard(words) == []


@pytest.mark.parametrize(
    "words",
    [
        "一个半钟头",
        "半天",
        "一下午",
        "坐了一早起",
        "回头见",
        "弄了一会儿",
        "整上午",
        "我七十八了",
        "买两斤肉",
        "慢一点",
        "有一点疼",
        "买点菜",
        "坐一会儿",
        "现在的人",
        "一周一次",
        "一个星期一次",
        "住3号",
        "孙子上初三",
        "小满她娘",
        "下大雪了",
        "天黑了",
        "早上好",
        "半夜",
        "二月三十号",
        "二十五点",
        "",
        "😀",
        "abc",
    ],
)
def test_what_only_sounds_like_a_time_is_none(words: str) -> None:
    assert heard(words) == []


def test_market_days_are_the_village_s_own() -> None:
    assert heard("赶集那天", market_days=frozenset({5, 0})) == ["11-23 09:00 day"]
    assert heard("赶集那天", market_days=frozenset()) == []


def test_the_end_of_the_year_leads_into_the_next() -> None:
    new_years_eve = datetime(2026, 12, 31, 20, 0, tzinfo=VILLAGE)
    assert only_at("明天上午", new_years_eve).starts_at == datetime(2027, 1, 1, 9, tzinfo=VILLAGE)
    assert only_at("三号", new_years_eve).starts_at == datetime(2027, 1, 3, 9, tzinfo=VILLAGE)


def only_at(text: str, now: datetime) -> HeardTime:
    (time,) = hear_times(text, now=now, zone=VILLAGE)
    return time


def test_it_is_the_village_s_clock_that_counts() -> None:
    """Half past midnight in the village is still yesterday in London."""
    now = datetime(2026, 11, 21, 16, 30, tzinfo=timezone.utc)
    assert heard("明天上午十点", now) == ["11-23 10:00 clock"]


@pytest.mark.parametrize("machine_zone", ["UTC", "America/Los_Angeles"])
def test_the_machine_s_zone_does_not_matter(machine_zone: str) -> None:
    program = (
        "import sys; from datetime import datetime; from zoneinfo import ZoneInfo\n"
        "from bot.nlu.heard_time import hear_times\n"
        "assert 'jionlp' not in sys.modules\n"
        "zone = ZoneInfo('Asia/Shanghai'); now = datetime(2026, 11, 22, 23, 30, tzinfo=zone)\n"
        "print(hear_times('大后天晌午', now=now, zone=zone)[0].starts_at.isoformat())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TZ": machine_zone, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        text=True,
    )
    # Nothing but the answer: the parser behind it must not print its banner.
    assert answer.stdout == "2026-11-25T12:00:00+08:00\n"


def test_hearing_prints_nothing() -> None:
    printed = io.StringIO()
    with redirect_stdout(printed):
        hear_times("腊月初八", now=SUNDAY_AFTERNOON, zone=VILLAGE)
    assert printed.getvalue() == ""


SPEECH = st.lists(
    st.sampled_from(
        [
            "明儿",
            "后天",
            "昨天",
            "今天",
            "上午",
            "晌午",
            "晚上",
            "十点",
            "三点半",
            "一点",
            "两点到三点",
            "初六",
            "腊月",
            "初八",
            "下礼拜三",
            "一会儿",
            "现在",
            "过",
            "两天",
            "一个钟头",
            "以后",
            "不对",
            "不是",
            "是",
            "，",
            "吧",
            "的",
            "我",
            "来",
            "来的",
            "赶集那天",
            "冬至",
            "三号",
            "十二月",
            "2",
            "0",
            ":",
            "号",
            "半",
            "一",
            "早",
        ]
    ),
    max_size=10,
).map("".join)
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=VILLAGE)
)


@given(st.one_of(st.text(), SPEECH), NOWS)
def test_whatever_is_said_spans_are_right_and_times_are_to_come(text: str, now: datetime) -> None:
    end = 0
    for time in hear_times(text, now=now, zone=VILLAGE):
        assert text[time.start : time.end] == time.text
        assert end <= time.start < time.end
        assert now <= time.starts_at
        assert time.starts_at.utcoffset() == timedelta(hours=8)
        assert time.ends_at is None or time.starts_at < time.ends_at
        end = time.end


@given(NOWS, st.integers(0, 400), st.integers(0, 24 * 60 - 1))
def test_what_the_voice_says_is_heard_as_it_was_meant(
    now: datetime, days: int, minutes: int
) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    meant = midnight + timedelta(days=days, minutes=minutes)
    spoken = speakable(meant.isoformat(), now=now, zone=VILLAGE)
    times = [time.starts_at for time in hear_times(spoken, now=now, zone=VILLAGE)]
    assert times == ([meant] if meant >= now else [])


SPOKEN = yaml.safe_load((Path(__file__).parent / "said" / "times.yml").read_text("utf-8"))


def test_the_table_of_spoken_times_is_long() -> None:
    assert len(SPOKEN) >= 250


@pytest.mark.parametrize("words, meant", SPOKEN.items())
def test_times_as_elders_say_them(words: str, meant: str | list[str]) -> None:
    times = hear_times(words, now=SUNDAY_AFTERNOON, zone=VILLAGE)
    assert [f"{time.starts_at:%m-%d %H:%M}" for time in times] == (
        [meant] if isinstance(meant, str) else meant
    )


@pytest.mark.parametrize("words", ["月底", "这个月底", "下月底"])
def test_the_last_day_of_a_month_is_found_in_every_month(words: str) -> None:
    for month in range(1, 13):
        now = datetime(2026, month, 1, 8, 0, tzinfo=VILLAGE)
        (time,) = hear_times(words, now=now, zone=VILLAGE)
        first_after = time.starts_at.date() + timedelta(days=1)
        assert first_after.day == 1
        assert (first_after.month - month) % 12 == (2 if words == "下月底" else 1)


@pytest.mark.parametrize(
    "words, moments",
    [
        ("早上八点跟晚上八点提醒我吃药", ["11-23 08:00 clock", "11-22 20:00 clock"]),
        ("吃了早饭来帮我，后天晚上好不好", ["11-23 08:00 part_of_day", "11-24 19:00 part_of_day"]),
        ("我吃了早饭没有", []),
        ("每晚都睡不着", []),
        ("今年底子不厚", []),
    ],
)
def test_new_words_of_time_inside_a_story(words: str, moments: list[str]) -> None:
    assert heard(words) == moments
