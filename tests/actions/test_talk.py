"""Words that work everywhere: yes, no, again, slower, louder, stop, back, a person please."""

from __future__ import annotations

import pytest

from actions import talk
from actions.safety import ActionEmergency
from actions.timebank import members
from actions.timebank.model import Alert, Member, Offer, ServiceRequest
from actions.timebank.states import AlertState, OfferState, RequestState
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def says(speaker: Speaker, action: type, text: str = "", **said: object) -> Answered:
    return speaker.says(text, **said).runs(action)


def test_a_greeting_names_the_person(wang: Speaker) -> None:
    answered = says(wang, talk.ActionGreet, "在不在")
    assert answered.responses == ["utter_greet"] and "王奶奶" in answered.text


# A bare yes, a bare no


def follows(answered: Answered) -> str | None:
    names = [event["name"] for event in answered.events if event["event"] == "followup"]
    return names[0] if names else None


def test_yes_takes_the_newest_offer(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    assert says(zhang, talk.ActionSayYes, "行").responses == ["utter_task_accepted"]
    assert street.row(Offer).state is OfferState.ACCEPTED


def test_no_declines_the_newest_offer(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    assert says(zhang, talk.ActionSayNo, "不，要看孙子").responses == ["utter_task_declined"]
    assert street.rows(Offer)[0].decline_reason == "要看孙子"


@pytest.mark.parametrize("action", [talk.ActionSayYes, talk.ActionSayNo])
def test_yes_and_no_to_a_claim_open_the_confirmation(
    street: Street, wang: Speaker, action: type
) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 60)
    answered = says(wang, action)
    assert (answered.text, follows(answered)) == ("", "confirm_visit_form")
    assert street.row(ServiceRequest).state is RequestState.CLAIMED


def test_yes_and_no_to_nothing_move_nothing(street: Street, wang: Speaker) -> None:
    assert says(wang, talk.ActionSayYes).responses == ["utter_nothing_to_affirm"]
    assert says(wang, talk.ActionSayNo).responses == ["utter_nothing_to_deny"]


def test_no_takes_back_an_alarm_before_anything_else(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 60)
    says(wang, ActionEmergency, "我摔了")
    street.clock.pass_time(minutes=1)
    assert says(wang, talk.ActionSayNo, "没事了").responses == ["utter_emergency_closed"]
    assert street.row(Alert).state is AlertState.CLOSED
    assert len(street.told("陈干事", "alert_closed")) == 1
    assert follows(says(wang, talk.ActionSayNo, "不对")) == "confirm_visit_form"


def test_not_sure_is_given_time(wang: Speaker) -> None:
    assert says(wang, talk.ActionUnsure, "说不好").responses == ["utter_unsure"]


# Not our business


def test_what_it_cannot_do_is_told_with_what_it_can(street: Street, wang: Speaker) -> None:
    answered = says(wang, talk.ActionOutOfScope, "唱个歌", intent="out_of_scope")
    assert answered.responses == ["utter_out_of_scope"] and "叫邻居帮忙" in answered.text


def test_a_swindle_is_warned_of_and_nothing_else_is_done(street: Street, wang: Speaker) -> None:
    words = "有人打电话叫我把验证码念给他，转两千块钱"
    answered = says(wang, talk.ActionOutOfScope, words, intent="out_of_scope", swindle="验证码")
    assert "别把卡号、验证码告诉人，也别转钱" in answered.text and "陈干事" in answered.text
    assert answered.buttons[0] == {"title": "找人", "payload": "/talk_to_human"}
    assert answered.events == [] and street.balance("王奶奶").posted == 120
    assert street.told("陈干事", "staff_call_back") == []


def test_a_swindle_without_staff_is_warned_of_too(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    answered = says(wang, talk.ActionOutOfScope, intent="out_of_scope", swindle="验证码")
    assert "村里的人" in answered.text


# A bare fact


def test_a_bare_fact_is_said_back_with_two_choices(wang: Speaker) -> None:
    wang.slots["service_kind"] = "shopping"
    answered = says(wang, talk.ActionInform, "买菜" * 30)
    assert answered.responses == ["utter_inform_without_question"]
    assert "买菜" * 10 in answered.text and "买菜" * 11 not in answered.text
    assert len(answered.buttons) == 2 and answered.drops_matter


# Again, slower, louder


def test_again_says_the_last_answer_with_its_buttons(street: Street, wang: Speaker) -> None:
    first = says(wang, talk.ActionInform, "买菜")
    second = says(wang, talk.ActionRepeat, "再说一遍")
    assert (second.text, second.buttons) == (first.text, first.buttons)
    assert second.events == []
    assert says(wang, talk.ActionRepeat, "再说一遍").text == first.text


def test_again_after_several_sentences_says_them_in_order(wang: Speaker) -> None:
    wang.says("查时间")
    for text in ("您原来有两个小时。", "现在还有一个小时。"):
        wang.events.append({"event": "bot", "text": text, "data": {}})
    answered = says(wang, talk.ActionRepeat)
    assert answered.text == "您原来有两个小时。现在还有一个小时。"


def test_again_skips_a_turn_in_which_nothing_was_said(wang: Speaker) -> None:
    first = says(wang, talk.ActionGreet)
    wang.says("")
    assert says(wang, talk.ActionRepeat).text == first.text


def test_again_before_anything_was_said(wang: Speaker) -> None:
    assert says(wang, talk.ActionRepeat).responses == ["utter_nothing_to_repeat"]


@pytest.mark.parametrize(
    "action, responses",
    [
        (talk.ActionRepeat, []),
        (talk.ActionSlowDown, ["utter_slower"]),
        (talk.ActionLouder, ["utter_louder"]),
    ],
)
def test_inside_a_form_the_form_itself_asks_again(
    wang: Speaker, action: type, responses: list[str]
) -> None:
    says(wang, talk.ActionGreet)
    wang.form = "request_help_form"
    answered = says(wang, action)
    assert (answered.responses, answered.events) == (responses, [])
    assert "王奶奶" not in answered.text


def test_again_after_slower_and_louder_says_the_answer_alone(wang: Speaker) -> None:
    first = says(wang, talk.ActionGreet, intent="greet")
    says(wang, talk.ActionSlowDown, intent="slow_down")
    says(wang, talk.ActionLouder, intent="louder")
    assert says(wang, talk.ActionRepeat, intent="repeat").text == first.text


def test_slower_is_kept_for_this_person_and_says_it_again(street: Street, wang: Speaker) -> None:
    first = says(wang, talk.ActionGreet)
    answered = says(wang, talk.ActionSlowDown, "慢点说")
    assert answered.responses == ["utter_slower"] and first.text in answered.text
    assert street.row(Member, name="王奶奶").pace == 160 - members.PACE_STEP
    assert street.row(Member, name="张秀英").pace == 160


def test_slower_than_slowest_says_so(street: Street, wang: Speaker) -> None:
    said = [says(wang, talk.ActionSlowDown).responses[0] for _ in range(5)]
    assert said.count("utter_slower") == 3 and said[-1] == "utter_slowest"
    assert street.row(Member, name="王奶奶").pace == members.SLOWEST


def test_louder_is_kept_up_to_the_loudest(street: Street, wang: Speaker) -> None:
    said = [says(wang, talk.ActionLouder).responses[0] for _ in range(9)]
    assert said == ["utter_louder"] * 8 + ["utter_loudest"]
    assert street.row(Member, name="王奶奶").gain == members.LOUDEST


# Leaving


@pytest.mark.parametrize(
    "action, response",
    [(talk.ActionStop, "utter_stopped"), (talk.ActionGoBack, "utter_gone_back")],
)
def test_stop_and_back_leave_the_form_and_forget_the_matter(
    wang: Speaker, action: type, response: str
) -> None:
    wang.form = "request_help_form"
    wang.slots.update(service_kind="shopping", requested_slot="when")
    answered = says(wang, action)
    assert answered.responses == [response]
    assert answered.leaves_form and answered.drops_matter
    assert answered.slots["requested_slot"] is None and wang.form is None


# People


def test_a_person_is_really_told(street: Street, wang: Speaker) -> None:
    answered = says(wang, talk.ActionTalkToHuman, "我要找人说话", turn="talk:9")
    assert answered.responses == ["utter_staff_told"] and "陈干事" in answered.text
    told = {"member": "王奶奶", "words": "我要找人说话", "turn_id": "talk:9"}
    assert street.told("陈干事", "staff_call_back") == [told]


def test_without_staff_the_emergency_number_is_told(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    assert says(wang, talk.ActionTalkToHuman).responses == ["utter_refused_no_coordinator"]
