from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.speakable import speakable

VILLAGE = ZoneInfo("Asia/Shanghai")
SUNDAY_AFTERNOON = datetime(2026, 11, 22, 14, 0, tzinfo=VILLAGE)


def said(text: str, now: datetime = SUNDAY_AFTERNOON) -> str:
    return speakable(text, now=now, zone=VILLAGE)


@pytest.mark.parametrize(
    "moment, words",
    [
        ("2026-11-23T09:00:00+08:00", "明天上午九点"),
        ("2026-11-23 09:00", "明天上午九点"),
        ("2026-11-23T01:00:00Z", "明天上午九点"),
        ("2026-11-23T01:00:00.250000+00:00", "明天上午九点"),
        ("2026-11-22T15:30", "今天下午三点半"),
        ("2026-11-22T16:15", "今天下午四点一刻"),
        ("2026-11-24T09:40", "后天上午九点四十"),
        ("2026-11-25T12:05", "大后天中午十二点零五分"),
        ("2026-11-24T18:00", "后天傍晚六点"),
        ("2026-11-22T19:10", "今天晚上七点十分"),
        ("2026-11-26T08:00", "下星期四早上八点"),
        ("2026-12-03T14:00", "十二月三号下午两点"),
        ("2027-01-03T09:00", "明年一月三号上午九点"),
        ("2026-11-23T00:00", "明天凌晨零点"),
    ],
)
def test_a_moment_is_told_as_seen_from_today(moment: str, words: str) -> None:
    assert said(moment) == words


@pytest.mark.parametrize(
    "day, words",
    [
        ("2026-11-22", "今天"),
        ("2026-11-21", "昨天"),
        ("2026-11-20", "前天"),
        ("2026-11-19", "大前天"),
        ("2026-11-16", "这个星期一"),
        ("2026-11-11", "上星期三"),
        ("2026-11-02", "这个月二号"),
        ("2026-10-20", "上个月二十号"),
        ("2026-05-01", "五月一号"),
        ("2025-03-05", "去年三月五号"),
        ("2019-03-05", "二零一九年三月五号"),
        ("2026年11月23日", "明天"),
    ],
)
def test_a_day_is_named_as_neighbours_name_it(day: str, words: str) -> None:
    assert said(day) == words


def test_today_is_the_village_s_day_and_not_the_machine_s() -> None:
    late_evening_in_utc = datetime(2026, 11, 21, 16, 30, tzinfo=timezone.utc)
    assert said("2026-11-22", now=late_evening_in_utc) == "今天"


def test_the_end_of_a_stretch_does_not_name_the_day_again() -> None:
    assert said("2026-11-23T14:00到2026-11-23T15:40") == "明天下午两点到三点四十"
    assert said("2026-11-23T09:00到2026-11-23T14:00") == "明天上午九点到下午两点"
    assert said("2026-11-23T20:00到2026-11-24T08:00") == "明天晚上八点到后天早上八点"


@pytest.mark.parametrize(
    "minutes, words",
    [
        (0, "零分钟"),
        (2, "两分钟"),
        (30, "半个小时"),
        (45, "四十五分钟"),
        (60, "一个小时"),
        (61, "一个小时零一分钟"),
        (90, "一个半小时"),
        (120, "两个小时"),
        (135, "两个小时零十五分钟"),
        (150, "两个半小时"),
        (1560, "二十六个小时"),
        (-60, "负一个小时"),
    ],
)
def test_minutes_become_hours_as_people_count_them(minutes: int, words: str) -> None:
    assert said(f"{minutes}分钟") == words


@pytest.mark.parametrize(
    "written, words",
    [
        ("2个", "两个"),
        ("2 个人", "两个人"),
        ("2点", "两点"),
        ("12个", "十二个"),
        ("22个", "二十二个"),
        ("102个", "一百零二个"),
        ("2000块", "两千块"),
        ("12000块", "一万二千块"),
        ("第2个", "第二个"),
        ("2月2号", "二月二号"),
        ("2分", "两分"),
        ("3", "三"),
        ("槐花巷3号，12组", "槐花巷三号，十二组"),
        ("302室", "三零二室"),
        ("2026年", "二零二六年"),
        ("5年以后", "五年以后"),
        ("37.5℃", "三十七点五度"),
        ("95%", "百分之九十五"),
        ("1,234", "一千二百三十四"),
        ("60-90分钟", "一个小时到一个半小时"),
        ("1-2个", "一到两个"),
        ("9:30", "上午九点半"),
        ("下午3:05", "下午三点零五分"),
        ("007", "零零七"),
        ("1.5小时", "一个半小时"),
    ],
)
def test_numbers_are_read_as_people_say_them(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    "written, words",
    [
        ("13800138000", "幺三八，零零幺三，八零零零"),
        ("+86 138-0013-8000", "幺三八，零零幺三，八零零零"),
        ("010-62345678", "零幺零，六二三四五六七八"),
        ("我帮您打120", "我帮您打幺二零"),
        ("12345热线", "幺二三四五热线"),
        ("120个", "一百二十个"),
    ],
)
def test_telephone_numbers_are_read_digit_by_digit(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    "written, words",
    [
        ("**好** <b>行</b> 😀👍", "好，行"),
        ("[点这里](http://example.org/x?a=1)", "点这里"),
        ("&lt;script&gt;好", "好"),
        ("第一\n- 第二", "第一。第二"),
        ("（村东头）张秀英……来了——好！！？", "村东头，张秀英，来了，好？"),
        ("做个CT，hello吧", "做个西踢，吧"),
        ("😀", ""),
        ("", ""),
    ],
)
def test_what_a_voice_would_stumble_over_is_left_out(written: str, words: str) -> None:
    assert said(written) == words


def test_names_stay_as_they_are() -> None:
    names = "二丫她娘、张三、万千一、欢㛃、王〇"
    assert said(names) == names


def test_what_only_looks_like_a_date_does_no_harm() -> None:
    for written in ("2026-13-45", "2026-02-30T09:00", "9999-12-31T23:59-12:00", "12026-01-011"):
        assert not set(said(written)) & set("0123456789-T")


@given(st.text())
def test_anything_can_be_spoken_without_digits_letters_or_markup(text: str) -> None:
    spoken = said(text)
    assert not any(character.isascii() for character in spoken)
    assert said(spoken) == spoken


FACTS = st.sampled_from(
    [
        "90分钟",
        "2026-11-23T09:00",
        "-",
        "到",
        " ",
        "1",
        "2个",
        "打120",
        ".",
        ":",
        "3号",
        "年",
        "A",
        "<b>",
        "，",
        "好",
        "2026-10-20",
        "%",
        "+08:00",
        "T",
        "13800138000",
        "小时",
        "\n",
        "点",
    ]
)


@given(st.lists(FACTS, max_size=8).map("".join))
def test_facts_in_any_order_are_spoken_and_stay_so(text: str) -> None:
    spoken = said(text)
    assert not any(character.isascii() for character in spoken)
    assert said(spoken) == spoken


@given(st.datetimes(), st.timedeltas(timedelta(days=-900), timedelta(days=900)))
def test_any_moment_can_be_told_on_any_day(moment: datetime, distance: timedelta) -> None:
    now = datetime(2026, 11, 22, tzinfo=VILLAGE) + distance
    assert said(moment.isoformat(), now=now)
