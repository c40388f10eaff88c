"""Danger: people are told in the same turn, whatever was going on."""

from __future__ import annotations

import pytest

from actions.cancelling import ValidateCancelRequestForm
from actions.disputes import ActionComplain
from actions.repair import ActionRepair
from actions.requests import ValidateRequestHelpForm
from actions.safety import ActionEmergency
from actions.talk import ActionInform, ActionSayNo, ActionSayYes, ActionUnsure
from actions.timebank import alarm_questions
from actions.timebank.model import Alert, Dispute, Offer, ServiceRequest
from actions.timebank.states import (
    AlertState,
    DisputeKind,
    OfferState,
    RequestState,
)
from actions.wellbeing import ActionReportWellbeing
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def cries(speaker: Speaker, words: str = "我摔了，起不来", turn: str | None = None) -> Answered:
    return speaker.says(words, "emergency", turn=turn).runs(ActionEmergency)


def test_people_are_told_and_named_in_one_answer(street: Street, wang: Speaker) -> None:
    answered = cries(wang)
    assert answered.responses == ["utter_emergency"]
    assert "陈干事、张秀英、李建国" in answered.text
    [told] = street.told("陈干事", "staff_alert")
    assert told["words"] == "我摔了，起不来" and "老槐树旁" in told["place"]
    assert len(street.told("张秀英", "neighbour_alert")) == 1


def test_it_comes_before_whatever_was_being_asked(wang: Speaker) -> None:
    wang.form = "request_help_form"
    wang.slots.update(service_kind="shopping", requested_slot="when")
    answered = cries(wang)
    assert answered.leaves_form and answered.drops_matter and wang.form is None


@pytest.mark.parametrize("words", ["", "救命" * 3_000, "👵🏽", "'; DROP TABLE alert; --"])
def test_whatever_the_words_help_is_called(street: Street, wang: Speaker, words: str) -> None:
    assert cries(wang, words).responses == ["utter_emergency"]
    assert street.row(Alert).words == words


def test_the_same_cry_twice_is_one_alert(street: Street, wang: Speaker) -> None:
    for _ in range(2):
        cries(wang, turn="talk:3")
    assert street.count(Alert) == 1 and len(street.told("陈干事", "staff_alert")) == 1


def test_a_coordinator_in_danger_is_not_told_of_herself(street: Street, meet: Meet) -> None:
    answered = cries(meet("陈干事"))
    assert answered.responses == ["utter_emergency"] and "陈干事" not in answered.text


def test_with_nobody_near_the_public_number_is_told(street: Street, meet: Meet) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    answered = cries(meet("赵铁柱"))
    assert answered.responses == ["utter_emergency_no_coordinator"] and "一二零" in answered.text
    assert street.count(Alert) == 1


def test_a_complaint_is_kept_in_her_words_with_a_promise(street: Street, wang: Speaker) -> None:
    words = "她骂我，俺心里难受"
    answered = wang.says(words, "complain").runs(ActionComplain)
    assert answered.responses == ["utter_complaint_heard"] and "陈干事" in answered.text
    dispute = street.row(Dispute)
    assert (dispute.kind, dispute.words) == (DisputeKind.COMPLAINT, words)
    assert len(street.told("陈干事", "staff_dispute")) == 1


# Unsure: one question


def feels_bad(speaker: Speaker, words: str = "俺这心里头不得劲", **said: object) -> Answered:
    return speaker.says(words, "emergency", confidence=0.49, **said).runs(ActionEmergency)


def test_an_unsure_emergency_is_asked_about_once(street: Street, wang: Speaker) -> None:
    wang.form = "cancel_request_form"
    answered = feels_bad(wang, turn="talk:3")
    assert answered.responses == ["utter_ask_alarm"] and len(answered.buttons) == 2
    assert answered.leaves_form, "its yes would be taken as a yes to the form"
    assert street.count(Alert) == 0 and street.told("陈干事", "staff_alert") == []
    assert feels_bad(wang, turn="talk:3").responses == ["utter_ask_alarm"]


@pytest.mark.parametrize("sure", [0.5, 1.0])
def test_a_sure_emergency_asks_nothing(street: Street, wang: Speaker, sure: float) -> None:
    answered = wang.says("救命", "emergency", confidence=sure).runs(ActionEmergency)
    assert answered.responses == ["utter_emergency"] and street.count(Alert) == 1


@pytest.mark.parametrize(
    "words, intent, action",
    [
        ("要", "affirm", ActionSayYes),
        ("哎哟哎哟", "emergency", ActionEmergency),
        ("说不上来", "unsure", ActionUnsure),
        ("上午", "inform", ActionInform),
        ("呜呜", "nlu_fallback", ActionRepair),
    ],
)
def test_whatever_is_no_clear_no_calls_people_with_both_words(
    street: Street, wang: Speaker, words: str, intent: str, action: type
) -> None:
    feels_bad(wang)
    answered = wang.says(words, intent, confidence=0.3).runs(action)
    assert answered.responses == ["utter_emergency"]
    assert street.row(Alert).words == f"俺这心里头不得劲\n{words}"
    assert len(street.told("陈干事", "staff_alert")) == 1


def test_a_clear_no_is_believed_kindly(street: Street, wang: Speaker) -> None:
    feels_bad(wang)
    answered = wang.says("没有没有", "deny").runs(ActionSayNo)
    assert answered.responses == ["utter_alarm_not_needed"] and street.count(Alert) == 0
    assert wang.says("对", "affirm").runs(ActionSayYes).responses == ["utter_nothing_to_affirm"]


def test_a_no_that_tells_of_an_ailment_is_none(street: Street, wang: Speaker) -> None:
    feels_bad(wang)
    said = wang.says("没摔，就是心口疼", "deny", symptom="心口疼")
    assert said.runs(ActionSayNo).responses == ["utter_emergency"] and street.count(Alert) == 1


def test_a_no_declines_no_offer_while_danger_is_asked_about(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    feels_bad(zhang)
    zhang.says("没事", "deny").runs(ActionSayNo)
    assert street.row(Offer).state is OfferState.PENDING


def test_another_s_no_answers_nothing_of_hers(street: Street, wang: Speaker, meet: Meet) -> None:
    feels_bad(wang)
    meet("张秀英").says("不", "deny").runs(ActionSayNo)
    assert wang.says("要", "affirm").runs(ActionSayYes).responses == ["utter_emergency"]


# 没事了: the alarm is taken back, whatever the words were classed as


ALL_WELL = ["没事了，不用来人", "没事了", "我好了", "甭喊人了"]


def says_all_well(speaker: Speaker, words: str, intent: str, **said: object) -> Answered:
    if intent == "cancel_request":
        return speaker.says(words, intent, form="cancel_request_form", **said).runs(
            ValidateCancelRequestForm
        )
    actions = {"affirm": ActionSayYes, "deny": ActionSayNo}
    action = actions.get(intent, ActionReportWellbeing)
    return speaker.says(words, intent, **said).runs(action)


@pytest.mark.parametrize("words", ALL_WELL)
@pytest.mark.parametrize("intent", ["cancel_request", "report_wellbeing", "affirm"])
def test_all_is_well_is_read_back_and_calls_off_no_request(
    street: Street, wang: Speaker, intent: str, words: str
) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    cries(wang)
    answered = says_all_well(wang, words, intent)
    assert answered.responses == ["utter_ask_all_well"]
    assert wang.form is None and street.told("张秀英", "alert_closed") == []
    answered = wang.says("对", "affirm").runs(ActionSayYes)
    assert answered.responses == ["utter_emergency_closed"]
    assert street.row(Alert).state is AlertState.CLOSED
    assert len(street.told("张秀英", "alert_closed")) == 1
    assert street.row(ServiceRequest).state is RequestState.OFFERED


@pytest.mark.parametrize("words", ALL_WELL)
def test_a_plain_no_takes_it_back_at_once(street: Street, wang: Speaker, words: str) -> None:
    cries(wang)
    assert says_all_well(wang, words, "deny").responses == ["utter_emergency_closed"]


def test_all_is_well_said_twice_is_believed(street: Street, wang: Speaker) -> None:
    cries(wang)
    says_all_well(wang, "没事了", "report_wellbeing")
    assert says_all_well(wang, "我没事", "cancel_request").responses == ["utter_emergency_closed"]


def test_the_same_message_again_is_not_said_twice(street: Street, wang: Speaker) -> None:
    cries(wang)
    for _ in range(2):
        says_all_well(wang, "没事了", "cancel_request", turn="talk:again")
    assert street.row(Alert).state is AlertState.RAISED


def test_no_to_the_question_lets_people_come(street: Street, wang: Speaker) -> None:
    cries(wang)
    says_all_well(wang, "没事了", "report_wellbeing")
    assert wang.says("不对", "deny").runs(ActionSayNo).responses == ["utter_emergency"]
    assert street.row(Alert).state is AlertState.RAISED


@pytest.mark.parametrize("intent", ["cancel_request", "report_wellbeing", "affirm"])
def test_all_is_well_before_an_alarm_is_read_back_too(
    street: Street, wang: Speaker, intent: str
) -> None:
    feels_bad(wang)
    assert says_all_well(wang, "没事了，不用来人", intent).responses == ["utter_ask_all_well"]
    answered = wang.says("对", "affirm").runs(ActionSayYes)
    assert answered.responses == ["utter_alarm_not_needed"] and street.count(Alert) == 0


def test_who_then_says_nothing_is_still_looked_after(street: Street, wang: Speaker) -> None:
    feels_bad(wang)
    says_all_well(wang, "没事了", "report_wellbeing")
    street.clock.pass_time(minutes=2)
    with street.neighbourhood() as hood:
        assert alarm_questions.call_unanswered(hood.session, now=street.clock())


def test_an_ailment_in_the_same_breath_takes_nothing_back(street: Street, wang: Speaker) -> None:
    cries(wang)
    answered = says_all_well(wang, "没事，就是心口疼", "report_wellbeing", symptom="心口疼")
    assert "utter_ask_all_well" not in answered.responses
    assert street.row(Alert).state is AlertState.RAISED


def test_an_alarm_is_taken_back_as_long_as_it_is_open(street: Street, wang: Speaker) -> None:
    cries(wang)
    street.clock.pass_time(minutes=50)
    assert says_all_well(wang, "没事了", "report_wellbeing").responses == ["utter_ask_all_well"]
    assert wang.says("对", "affirm").runs(ActionSayYes).responses == ["utter_emergency_closed"]
    assert says_all_well(wang, "没事了", "report_wellbeing").responses == ["utter_wellbeing_heard"]


def test_a_bare_no_long_after_is_about_other_things(street: Street, wang: Speaker) -> None:
    cries(wang)
    street.clock.pass_time(minutes=11)
    assert wang.says("不", "deny").runs(ActionSayNo).responses == ["utter_nothing_to_deny"]
    assert street.row(Alert).state is AlertState.RAISED


def test_inside_a_form_it_takes_the_alarm_back_as_well(street: Street, wang: Speaker) -> None:
    cries(wang)
    wang.form, wang.slots["requested_slot"] = "request_help_form", "when"
    answered = wang.says("没事了，不用来人", "deny").runs(ValidateRequestHelpForm)
    assert answered.responses == ["utter_emergency_closed"] and answered.leaves_form


@pytest.mark.parametrize("words", ["出大事了", "不是没事", "有事", "快来人"])
def test_other_words_take_nothing_back(street: Street, wang: Speaker, words: str) -> None:
    cries(wang)
    says_all_well(wang, words, "affirm")
    assert street.row(Alert).state is AlertState.RAISED
