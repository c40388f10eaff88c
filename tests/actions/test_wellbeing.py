"""腰疼: taken up in her words, and somebody offered once."""

from __future__ import annotations

from typing import Any

import pytest

from actions import talk
from actions.safety import ActionEmergency
from actions.timebank.model import Alert, Wellbeing
from actions.timebank.states import AlertState
from actions.wellbeing import ActionReportWellbeing
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def says(speaker: Speaker, words: str, **said: Any) -> Answered:
    return speaker.says(words, "report_wellbeing", **said).runs(ActionReportWellbeing)


def test_an_ailment_is_kept_and_a_way_to_the_doctor_offered(street: Street, wang: Speaker) -> None:
    answered = says(wang, "这两天腰疼", symptom="腰疼")
    assert answered.responses == ["utter_symptom_heard_escort_medical"]
    assert answered.text.startswith("腰疼，我记下了。") and len(answered.buttons) == 2
    row = street.row(Wellbeing)
    assert (row.words, row.symptoms) == ("这两天腰疼", ["腰疼"])


def follows(answered: Answered) -> list[str]:
    return [event["name"] for event in answered.events if event["event"] == "followup"]


@pytest.mark.parametrize(
    "words, symptom, kind",
    [("腰疼得厉害", "腰疼", "escort_medical"), ("心里闷，睡不着", "睡不着", "companionship")],
)
def test_yes_asks_for_a_neighbour_of_the_right_kind(
    wang: Speaker, words: str, symptom: str, kind: str
) -> None:
    assert says(wang, words, symptom=symptom).responses == [f"utter_symptom_heard_{kind}"]
    answered = wang.says("要", "affirm").runs(talk.ActionSayYes)
    assert answered.slots["service_kind"] == kind and answered.slots["when"] is None
    assert follows(answered) == ["request_help_form"]


def test_no_is_fine(wang: Speaker) -> None:
    says(wang, "腰疼", symptom="腰疼")
    answered = wang.says("不用", "deny").runs(talk.ActionSayNo)
    assert answered.responses == ["utter_nobody_shall_come"]


def test_a_no_to_company_sends_away_nobody_who_was_called(street: Street, wang: Speaker) -> None:
    wang.says("我摔了", "emergency").runs(ActionEmergency)
    says(wang, "腰疼", symptom="腰疼")
    answered = wang.says("不用", "deny").runs(talk.ActionSayNo)
    assert answered.responses == ["utter_nobody_shall_come"]
    assert street.row(Alert).state is not AlertState.CLOSED


def test_it_is_offered_once(wang: Speaker) -> None:
    says(wang, "腰疼", symptom="腰疼")
    wang.says("查时间", "check_balance")
    answered = wang.says("好", "affirm").runs(talk.ActionSayYes)
    assert answered.responses == ["utter_nothing_to_affirm"]


@pytest.mark.parametrize(
    "words", ["好着呢", "腰疼好多了", "头不昏了", "睡得好，精神也好", "腰不疼了"]
)
def test_good_news_gets_a_warm_word(street: Street, wang: Speaker, words: str) -> None:
    assert says(wang, words, symptom="腰疼").responses == ["utter_wellbeing_good"]
    assert street.row(Wellbeing).symptoms == []


@pytest.mark.parametrize("words", ["夜里起来四回，没睡好", "不好", "老样子", "血糖七点二"])
def test_what_is_not_clearly_good_is_not_cheered_at(wang: Speaker, words: str) -> None:
    assert says(wang, words).responses == ["utter_wellbeing_heard"]


def test_one_better_and_one_worse_is_worse(wang: Speaker) -> None:
    answered = says(wang, "腰不疼了，腿疼起来了", symptom="腿疼")
    assert answered.responses == ["utter_symptom_heard_escort_medical"]


def test_inside_a_form_no_second_question_is_asked(wang: Speaker) -> None:
    wang.form = "request_help_form"
    answered = says(wang, "腰疼", symptom="腰疼")
    assert answered.responses == ["utter_symptom_heard"] and answered.buttons == []


def test_anothers_offer_is_not_hers(wang: Speaker, meet: Meet) -> None:
    says(wang, "腰疼", symptom="腰疼", turn="talk:1")
    zhang = meet("张秀英")
    zhang.says("腰疼", "report_wellbeing", turn="talk:1")
    answered = zhang.says("要", "affirm").runs(talk.ActionSayYes)
    assert answered.responses == ["utter_nothing_to_affirm"]


def test_the_third_time_in_a_week_the_staff_hear_of_it(street: Street, wang: Speaker) -> None:
    for _ in range(3):
        says(wang, "腰疼", symptom="腰疼")
    assert street.told("陈干事", "staff_wellbeing") == [{"member": "王奶奶", "words": "腰疼"}]
