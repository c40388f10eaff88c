from __future__ import annotations

from typing import Any

import pytest

from tests.bot.nlu.school import entities, heard, lookups, train, training_data

GIVES = {
    "intent": {"name": "transfer_time", "confidence": 0.8},
    "intent_ranking": [
        {"name": "transfer_time", "confidence": 0.8},
        {"name": "out_of_scope", "confidence": 0.1},
        {"name": "greet", "confidence": 0.1},
    ],
}


@pytest.fixture(scope="module")
def warner(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Knows the house's words of swindlers."""
    data = training_data(lookups("swindles"), lookups("emergencies"))
    return train("SwindleBySound", data, tmp_path_factory.mktemp("warner"))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("把验证码告诉我", ["验证码"]),
        ("俺眼睁马是多少", ["验证码"]),
        ("说我中了大奖要先交手续费", ["中了大奖", "先交手续费"]),
        ("公安局的要我转到这个账户", ["公安局的要我", "转到这个账户"]),
        ("把两个小时转到这个账户", ["转到这个账户"]),
    ],
)
def test_words_of_swindlers_are_warned_of(warner: Any, said: str, words: list[str]) -> None:
    message = heard(warner, said, **GIVES)

    assert message.get("intent") == {"name": "out_of_scope", "confidence": 1.0}
    ranked = [one["name"] for one in message.get("intent_ranking")]
    assert ranked == ["out_of_scope", "transfer_time", "greet"]
    assert entities(message, "swindle") == words
    for one in message.get("entities"):
        assert len(said[one["start"] : one["end"]]) == len(one["value"])


def test_what_was_meant_counts_too(warner: Any) -> None:
    message = heard(warner, "要我的咔好", spelled="要我的卡号", **GIVES)

    assert entities(message, "swindle") == ["卡号"]


@pytest.mark.parametrize(
    "said",
    [
        "转两个小时给张秀英",
        "给秀英打两个钟头过去",
        "我的密码忘了",
        "卡在哪里",
        "社保卡丢了帮我去补",
        "帮我去银行取钱",
        "电费要交了",
        "我账上还有多少",
        "",
    ],
)
def test_honest_talk_of_hours_and_errands_is_left_alone(warner: Any, said: str) -> None:
    message = heard(warner, said, **GIVES)

    assert message.get("intent") == GIVES["intent"]
    assert message.get("intent_ranking") == GIVES["intent_ranking"]
    assert entities(message, "swindle") == []


def test_danger_to_life_comes_before_danger_to_money(warner: Any) -> None:
    danger = {"name": "emergency", "confidence": 1.0}
    message = heard(
        warner, "救命，有人要我念验证码", intent=danger, intent_ranking=[danger], entities=[]
    )

    assert message.get("intent") == danger
    assert message.get("intent_ranking") == [danger]
    assert entities(message, "swindle") == []


def test_other_facts_are_kept_beside_the_warning(warner: Any) -> None:
    when = {"entity": "when", "value": "2026-03-03T09:00:00+08:00", "start": 0, "end": 2}
    message = heard(warner, "明天把验证码给他", entities=[when], **GIVES)

    assert [one["entity"] for one in message.get("entities")] == ["when", "swindle"]


def test_who_already_is_out_of_scope_stays_as_sure_as_he_was(warner: Any) -> None:
    strange = {"name": "out_of_scope", "confidence": 0.6}
    message = heard(warner, "验证码是啥", intent=strange, intent_ranking=[strange])

    assert message.get("intent") == strange
    assert entities(message, "swindle") == ["验证码"]
