"""谁看过我的话: asked in many ways, and what only sounds like it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions import who_looked
from actions.policy import ActionAskPolicy
from actions.timebank.staff import audit
from actions.timebank.staff.states import (
    Viewed,
)
from tests.actions.speaker import Speaker
from tests.small_village import Street

YESTERDAY = "2026-03-01"


def looked(street: Street, what: Viewed, *, days_ago: int = 1, by: str = "陈干事") -> None:
    wang, staff = street.member("王奶奶"), street.member(by)
    with street.village.transaction() as session:
        day = street.clock() - timedelta(days=days_ago)
        audit.saw(session, by=staff, what=what, about=wang, subject="turn:1", now=day)


def asks(speaker: Speaker, words: str = "谁看过我的话") -> str:
    return speaker.says(words, "ask_policy").runs(ActionAskPolicy).text


@pytest.mark.parametrize(
    "words",
    [
        "谁看过我的话",
        "谁听过我的录音",
        "有人翻过我的记录没",
        "谁查过我的账",
        "我说的话都有谁听了",
        "俺那录音放给谁听过",
        "哪个看了我的折子",
        "我的账本有没有人翻过",
        "哪个偷听我的录音没得",
        "有没有人看过我说的话啊",
        "我讲的话给人听了去没有",
        "谁听过我的陆音",
        "谁翻过我的帐",
        "哪个瞄过我跟你摆了些啥子",
        "没人看过我的资料吧",
    ],
)
def test_who_looked_is_asked(words: str) -> None:
    assert who_looked.is_asked(words)


@pytest.mark.parametrize(
    "words",
    [
        "谁来看过我",
        "有没有人听我说话",
        "谁看过我的狗",
        "谁给我查过血压",
        "谁听得见我的录音",
        "说的话录下来给谁听，这有讲究没",
        "谁能看我的账",
        "帮我查查我的账",
        "你看过我的话没",
        "谁看过我妈的记录",
        "谁听过我们村的录音",
        "孩子们谁听过我的话",
        "谁动了我的锄头",
        "以后谁会看我的话",
        "谁在管账",
        "我的录音存多久",
        "有人看过我晒的被子",
        "",
    ],
)
def test_what_only_sounds_like_it(words: str) -> None:
    assert not who_looked.is_asked(words)


def test_a_long_story_is_searched_quickly() -> None:
    assert not who_looked.is_asked("谁看过我的" * 4000)
    assert not who_looked.is_asked("我说的话" * 4000)


def test_the_neighbour_is_named_with_the_day(street: Street, wang: Speaker) -> None:
    looked(street, Viewed.CONVERSATION)
    assert asks(wang) == f"{YESTERDAY}陈干事看过您说的话。"


def test_where_nobody_looked_she_hears_that(wang: Speaker) -> None:
    assert asks(wang) == "没有人看过您说的话。"
    assert asks(wang, "谁听过我的录音") == "没有人听过您的录音。"
    assert asks(wang, "谁查过我的账") == "没有人看过您的时间账。"
    assert asks(wang, "有人翻过我的记录没") == "没有人看过您的记录。"


def test_only_what_she_asks_about_is_told(street: Street, wang: Speaker) -> None:
    looked(street, Viewed.PASSBOOK)
    assert asks(wang) == "没有人看过您说的话。"
    assert asks(wang, "谁查过我的账") == f"{YESTERDAY}陈干事看过您的时间账。"
    assert asks(wang, "有人翻过我的记录没") == f"{YESTERDAY}陈干事看过您的时间账。"


def test_who_heard_a_recording_heard_her_words(street: Street, wang: Speaker) -> None:
    looked(street, Viewed.RECORDING)
    assert asks(wang) == f"{YESTERDAY}陈干事听过您的录音。"


def test_a_whole_day_of_reading_is_told_once(street: Street, wang: Speaker) -> None:
    looked(street, Viewed.CONVERSATION, days_ago=2, by="李建国")
    for _ in range(3):
        looked(street, Viewed.CONVERSATION)
    answered = wang.says("谁看过我的话", "ask_policy").runs(ActionAskPolicy)
    assert answered.responses == ["utter_looked_conversation"] * 2
    assert answered.text.startswith(YESTERDAY) and "李建国看过您说的话" in answered.text


def test_at_most_the_last_two_are_told(street: Street, wang: Speaker) -> None:
    for days in (1, 2, 3):
        looked(street, Viewed.CONVERSATION, days_ago=days)
    assert asks(wang).count("陈干事") == 2


def test_her_own_look_and_those_at_others_are_not_told(street: Street, wang: Speaker) -> None:
    looked(street, Viewed.CONVERSATION, by="王奶奶")
    assert asks(wang) == "没有人看过您说的话。"
    looked(street, Viewed.CONVERSATION)
    zhang = Speaker(str(street.member("张秀英")), wang.domain)
    assert asks(zhang) == "没有人看过您说的话。"
