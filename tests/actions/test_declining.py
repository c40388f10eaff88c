"""Why a neighbour does not come, and what is made of it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from actions.talk import ActionSayNo, ActionSayYes
from actions.tasks import ActionAcceptTask, ActionDeclineTask
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.model import DoNotAsk, Offer
from actions.timebank.states import OfferState, ServiceKind
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


@pytest.fixture
def offered(street: Street) -> int:
    """王奶奶's shopping, offered to 张秀英; the offer's number."""
    with street.neighbourhood() as hood:
        return int(hood.offer_of(hood.ask()).id)


def declines(speaker: Speaker, words: str, **said: object) -> Answered:
    return speaker.says(words, "decline_task", **said).runs(ActionDeclineTask)


def reason_kept(street: Street) -> str:
    return str(street.rows(Offer)[0].decline_reason)


@pytest.mark.parametrize(
    "words, kept",
    [
        ("去不了，我孙子发烧", "我孙子发烧"),
        ("孙子发烧了，去不了", "孙子发烧了"),
        ("这回去不了，我家猪要下崽儿", "我家猪要下崽儿"),
        ("不好意思，我去不了啊。明天要赶集！", "明天要赶集"),
        ("去不了", ""),
        ("我去不了了", ""),
        ("不接", ""),
        ("不去不去", ""),
        ("不，没空", ""),
        ("怕他家的狗", "怕他家的狗"),
        ('/decline_task{"offer_id": "1"}', ""),
        ("", ""),
        ("{elder}'; DROP TABLE offer; --", "{elder}';DROPTABLEoffer;--"),
    ],
)
def test_the_reason_is_kept_without_the_no(
    street: Street, zhang: Speaker, offered: int, words: str, kept: str
) -> None:
    assert declines(zhang, words).responses == ["utter_task_declined"]
    assert reason_kept(street).replace(" ", "").replace("，", "") == kept.replace("，", "")


def test_a_reason_that_was_understood_counts_as_it_is(
    street: Street, zhang: Speaker, offered: int
) -> None:
    declines(zhang, "我孙子发烧去不了", reason="孙子发烧")
    assert reason_kept(street) == "孙子发烧"


@pytest.mark.parametrize(
    "words",
    [
        "这个我不会，修不来",
        "去不了，我不敢爬高",
        "我不想干这个",
        "没干过，怕干坏了",
        "我搬不动",
    ],
)
def test_what_he_never_does_is_asked_once_and_then_kept(
    street: Street, zhang: Speaker, offered: int, words: str
) -> None:
    asked = declines(zhang, words)
    assert asked.responses == ["utter_task_declined", "utter_ask_not_this_kind"]
    assert "买东西" in asked.text and [one["title"] for one in asked.buttons] == ["行", "不用"]
    assert street.rows(DoNotAsk) == []
    answered = zhang.says("行", "affirm").runs(ActionSayYes)
    assert answered.responses == ["utter_not_this_kind"]
    wish = street.row(DoNotAsk)
    assert (wish.member_id, wish.service_kind) == (street.member("张秀英"), ServiceKind.SHOPPING)
    assert wish.words == reason_kept(street) and wish.until is None


@pytest.mark.parametrize(
    "words, said, until",
    [
        ("这阵子我都不在家", {}, "2026-03-09"),
        ("我腿脚不好，去不了", {}, "2026-03-09"),
        ("最近住院呢，十五号才回来", {"when": "2026-03-15T09:00:00+08:00"}, "2026-03-15"),
        ("这两天去走亲戚", {"when": "2026-03-01T09:00:00+08:00"}, "2026-03-09"),
        ("这两天去走亲戚", {"when": "2031-03-01T09:00:00+08:00"}, "2026-03-09"),
    ],
)
def test_who_is_away_is_not_asked_until_he_is_back(
    street: Street, zhang: Speaker, offered: int, words: str, said: dict[str, str], until: str
) -> None:
    asked = declines(zhang, words, **said)
    assert asked.responses == ["utter_task_declined", "utter_ask_away"] and until in asked.text
    assert zhang.says("行", "affirm").runs(ActionSayYes).responses == ["utter_away"]
    wish = street.row(DoNotAsk)
    assert wish.service_kind is None
    day_after = date.fromisoformat(until) + timedelta(days=1)
    assert wish.until == datetime.combine(day_after, time(0), VILLAGE_ZONE)


@pytest.mark.parametrize(
    "words", ["孙子发烧了", "今天我修不了", "我不会去的", "这回干不了", "下午要去接孩子"]
)
def test_a_reason_for_today_asks_nothing_more(
    street: Street, zhang: Speaker, offered: int, words: str
) -> None:
    assert declines(zhang, words).responses == ["utter_task_declined"]


def test_no_to_the_question_keeps_him_asked(street: Street, zhang: Speaker, offered: int) -> None:
    declines(zhang, "这个我不会")
    assert zhang.says("不用", "deny").runs(ActionSayNo).responses == ["utter_still_asked"]
    assert street.rows(DoNotAsk) == []


def test_a_yes_to_that_question_takes_no_other_offer(
    street: Street, zhang: Speaker, offered: int
) -> None:
    with street.neighbourhood() as hood:
        asked = {"elder": hood.staff.id, "service_kind": ServiceKind.MEALS}
        hood.ask(**asked, wanted_helper=hood.zhang.id)
    declines(zhang, "王奶奶那个我不会", person="王奶奶")
    # 行 sounds like both.
    assert zhang.says("行", "accept_task").runs(ActionAcceptTask).responses == [
        "utter_not_this_kind"
    ]
    assert street.rows(Offer, state=OfferState.ACCEPTED) == []


def test_who_goes_after_all_is_not_written_off(
    street: Street, zhang: Speaker, offered: int
) -> None:
    declines(zhang, "这个我不会")
    answered = zhang.says("那我还是去吧", "accept_task").runs(ActionAcceptTask)
    assert answered.responses == ["utter_refused_nothing_open_offer"]
    assert street.rows(DoNotAsk) == []


def test_the_question_is_over_with_the_next_thing_said(
    street: Street, zhang: Speaker, offered: int
) -> None:
    declines(zhang, "这个我不会")
    zhang.says("今天天气好", "chitchat")
    assert zhang.says("行", "affirm").runs(ActionSayYes).responses == ["utter_nothing_to_affirm"]
    assert street.rows(DoNotAsk) == []


def test_the_same_turn_again_asks_and_keeps_once(
    street: Street, zhang: Speaker, offered: int
) -> None:
    declines(zhang, "这个我不会")
    for _ in range(2):
        zhang.says("行", "affirm", turn="talk:9:same").runs(ActionSayYes)
    assert street.count(DoNotAsk) == 1


def test_stepping_back_with_such_a_reason_asks_too(street: Street, meet: Meet) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask())
    answered = declines(meet("张秀英"), "我腿摔了，去不了")
    assert answered.responses == ["utter_task_stepped_back", "utter_ask_away"]
