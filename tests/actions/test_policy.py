"""时间会不会过期: answered in the words of the rulebook."""

from __future__ import annotations

import pytest

from actions import talk
from actions.policy import ActionAskPolicy
from actions.timebank.rulebook import village_rules
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

TWO = "路上骑车二十分钟，算不算"


def asks(speaker: Speaker, words: str, **said: str) -> Answered:
    return speaker.says(words, "ask_policy", **said).runs(ActionAskPolicy)


def rule(name: str) -> str:
    [found] = [one for one in village_rules().rules if one.id == name]
    return found.text


def test_the_rule_is_quoted_with_its_number(wang: Speaker) -> None:
    answered = asks(wang, "存的时间会不会过期")
    assert answered.text == f"村规第8条说：{rule('expiry')}"


def test_two_close_rules_are_asked_about(wang: Speaker) -> None:
    answered = asks(wang, TWO)
    assert answered.responses == ["utter_policy_which"]
    assert [one["title"] for one in answered.buttons] == ["路上算不算", "按分钟怎么记"]
    assert answered.buttons[0]["payload"] == '/ask_policy{"rule_number": "18"}'


def test_the_button_chooses(wang: Speaker) -> None:
    asks(wang, TWO)
    assert rule("travel") in asks(wang, "", rule_number="18").text


def test_a_bare_word_chooses(wang: Speaker) -> None:
    asks(wang, TWO)
    answered = wang.says("路上", "inform").runs(talk.ActionInform)
    assert rule("travel") in answered.text


def test_a_bare_word_without_such_a_question_chooses_nothing(wang: Speaker) -> None:
    answered = wang.says("过期", "inform").runs(talk.ActionInform)
    assert answered.responses == ["utter_inform_without_question"]


@pytest.mark.parametrize("number", ["0", "99", "七", "-1"])
def test_a_made_up_button_is_no_rule(street: Street, wang: Speaker, number: str) -> None:
    assert asks(wang, "", rule_number=number).responses == ["utter_policy_unknown"]


def test_what_no_rule_answers_goes_to_the_staff(street: Street, wang: Speaker) -> None:
    answered = asks(wang, "你们支书叫啥", turn="talk:1")
    assert answered.responses == ["utter_policy_unknown"] and "陈干事" in answered.text
    assert street.told("陈干事", "staff_call_back")[0]["words"] == "你们支书叫啥"


def test_without_staff_nothing_is_promised(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    assert asks(wang, "你们支书叫啥").responses == ["utter_refused_no_coordinator"]


def test_which_rulebook_it_is_can_be_asked(wang: Speaker) -> None:
    answered = asks(wang, "这村规是哪一版")
    assert answered.text == f"这是村规第1版，{village_rules().valid_from}起用的。"
