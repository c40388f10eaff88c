"""不对，是后天: what was said is changed, in the form, after the request, and for minutes."""

from __future__ import annotations

from typing import Any

import pytest

from actions.requests import (
    ActionChangeRequest,
    ActionRequestHelp,
    ValidateChangeRequestForm,
    ValidateRequestHelpForm,
)
from actions.talk import ActionGreet, ActionInform, ActionSayNo
from actions.tasks import ValidateCompleteTaskForm
from actions.timebank.model import ServiceRequest
from actions.timebank.states import ServiceKind
from actions.visits import ActionAskVisitSure, ValidateConfirmVisitForm
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

TOMORROW = "2026-03-03T10:00:00+08:00"
AFTER = "2026-03-04T09:00:00+08:00"
AFTER_AT_TEN = "2026-03-04T02:00:00+00:00"

Fact = tuple[str, Any, str]
DAY_AFTER: Fact = ("when", AFTER, "后天")
COOKING: Fact = ("service_kind", "meals", "做饭")
SHOPPING: Fact = ("service_kind", "shopping", "买菜")


def follows(answered: Answered) -> list[str]:
    return [event["name"] for event in answered.events if event["event"] == "followup"]


def asked_for_shopping(speaker: Speaker) -> None:
    known = {"service_kind": "shopping", "when": TOMORROW}
    speaker.says("明天十点买菜", "request_help", slots=known).runs(ActionRequestHelp)


# Inside the form


@pytest.mark.parametrize("intent", ["deny", "change_request", "inform"])
def test_another_kind_inside_the_form_is_said_back(wang: Speaker, intent: str) -> None:
    wang.says("买菜", "request_help", slots={"service_kind": "shopping"}, form="request_help_form")
    wang.runs(ValidateRequestHelpForm)
    wang.says(
        "不是买菜，是做饭", intent, slots={"service_kind": "meals"}, facts=[SHOPPING, COOKING]
    )
    answered = wang.runs(ValidateRequestHelpForm)
    assert answered.text == "好，做饭。" and wang.slots["service_kind"] == "meals"
    assert wang.form == "request_help_form"


def test_a_kind_denied_behind_the_right_one_is_not_taken(wang: Speaker) -> None:
    wang.says("买菜", "request_help", slots={"service_kind": "shopping"}, form="request_help_form")
    wang.runs(ValidateRequestHelpForm)
    # Rasa fills the slot with the last entity.
    wang.says(
        "是做饭，不是买菜", "deny", slots={"service_kind": "shopping"}, facts=[COOKING, SHOPPING]
    )
    answered = wang.runs(ValidateRequestHelpForm)
    assert answered.slots["service_kind"] == "meals" and answered.text == "好，做饭。"


def test_another_day_inside_the_form_keeps_the_hour(wang: Speaker) -> None:
    wang.says("明天十点", "request_help", slots={"when": TOMORROW}, form="request_help_form")
    wang.runs(ValidateRequestHelpForm)
    wang.says("不对，是后天", "deny", slots={"when": AFTER}, facts=[DAY_AFTER])
    answered = wang.runs(ValidateRequestHelpForm)
    assert answered.slots["when"] == "2026-03-04T10:00:00+08:00"
    assert answered.text == "好，2026-03-04T10:00:00+08:00。"


def test_what_was_asked_for_is_not_said_back(wang: Speaker) -> None:
    wang.says("买菜", "request_help", slots={"service_kind": "shopping"}, form="request_help_form")
    wang.runs(ValidateRequestHelpForm)
    wang.says("后天", "inform", slots={"when": AFTER}, facts=[DAY_AFTER])
    assert wang.runs(ValidateRequestHelpForm).text == ""


@pytest.mark.parametrize("intent", ["deny", "inform"])
def test_a_length_told_inside_the_form_is_said_back(wang: Speaker, intent: str) -> None:
    wang.form, wang.slots["requested_slot"] = "request_help_form", "when"
    length = ("duration_minutes", 120, "两个钟头")
    wang.says("不对，两个钟头", intent, slots={"help_minutes": 120.0}, facts=[length])
    answered = wang.runs(ValidateRequestHelpForm)
    assert answered.text == "好，120分钟。" and wang.slots["requested_slot"] == "service_kind"


# Right after the request


@pytest.mark.parametrize("action, intent", [(ActionSayNo, "deny"), (ActionInform, "inform")])
@pytest.mark.parametrize("said", [DAY_AFTER, COOKING, ("duration_minutes", 90, "一个半小时")])
def test_a_correction_right_after_the_request_changes_it(
    wang: Speaker, action: type, intent: str, said: Fact
) -> None:
    asked_for_shopping(wang)
    answered = wang.says(f"不对，是{said[2]}", intent, facts=[said]).runs(action)
    assert (answered.text, follows(answered)) == ("", ["change_request_form"])


def test_another_day_is_said_back_with_its_hour(street: Street, wang: Speaker) -> None:
    asked_for_shopping(wang)
    wang.says(
        "不对，是后天", "deny", slots={"when": AFTER}, facts=[DAY_AFTER], form="change_request_form"
    )
    wang.runs(ValidateChangeRequestForm)
    answered = wang.runs(ActionChangeRequest)
    assert answered.responses == ["utter_request_changed"]
    assert "2026-03-04T10:00+08:00，买东西" in answered.text
    assert street.row(ServiceRequest).starts_at.isoformat() == AFTER_AT_TEN


def test_another_kind_keeps_the_time_and_the_other_requests(street: Street, wang: Speaker) -> None:
    known = {"service_kind": "meals", "when": AFTER, "help_minutes": 30.0}
    wang.says("后天做饭", "request_help", slots=known).runs(ActionRequestHelp)
    wang.slots["help_minutes"] = None
    asked_for_shopping(wang)
    kind = {"service_kind": "meals"}
    said = {"facts": [COOKING], "slots": kind, "form": "change_request_form"}
    wang.says("不对，是做饭", "deny", **said).runs(ValidateChangeRequestForm)
    wang.runs(ActionChangeRequest)
    requests = street.rows(ServiceRequest)
    assert [one.service_kind for one in requests] == [ServiceKind.MEALS, ServiceKind.MEALS]
    starts = [one.starts_at.isoformat() for one in requests]
    assert starts == ["2026-03-04T01:00:00+00:00", "2026-03-03T02:00:00+00:00"]


def test_a_correction_of_the_correction_changes_it_again(wang: Speaker) -> None:
    asked_for_shopping(wang)
    said = {"slots": {"when": AFTER}, "facts": [DAY_AFTER], "form": "change_request_form"}
    wang.says("不对，是后天", "deny", **said).runs(ValidateChangeRequestForm)
    wang.runs(ActionChangeRequest)
    wang.form = None
    answered = wang.says("不是买菜，是做饭", "deny", facts=[SHOPPING, COOKING]).runs(ActionSayNo)
    assert follows(answered) == ["change_request_form"]


def test_a_bare_no_right_after_the_request_asks_what_is_wrong(wang: Speaker) -> None:
    asked_for_shopping(wang)
    assert wang.says("不对", "deny").runs(ActionSayNo).responses == ["utter_ask_what_is_wrong"]
    answered = wang.says("后天", "inform", facts=[DAY_AFTER]).runs(ActionInform)
    assert follows(answered) == ["change_request_form"]


def test_after_other_words_it_is_no_correction_any_more(wang: Speaker) -> None:
    asked_for_shopping(wang)
    wang.says("你好", "greet").runs(ActionGreet)
    answered = wang.says("后天", "inform", facts=[DAY_AFTER]).runs(ActionInform)
    assert answered.responses == ["utter_inform_without_question"]
    assert wang.says("不对", "deny").runs(ActionSayNo).responses == ["utter_nothing_to_deny"]


# Minutes of a visit


def confirms(speaker: Speaker, text: str, intent: str, *minutes: Fact, **slots: Any) -> Answered:
    form = None if speaker.form else "confirm_visit_form"
    if minutes:
        slots["visit_minutes"] = float(minutes[-1][1])
    speaker.says(text, intent, slots=slots, facts=minutes, form=form)
    return speaker.runs(ValidateConfirmVisitForm)


def minutes(amount: int, words: str) -> Fact:
    return ("duration_minutes", amount, words)


@pytest.mark.parametrize("intent, sure", [("deny", False), ("inform", None), ("affirm", True)])
def test_other_minutes_are_read_back_again(
    street: Street, wang: Speaker, intent: str, sure: bool | None
) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 30)
    confirms(wang, "一个小时", "confirm_service", minutes(60, "一个小时"))
    slots = {} if sure is None else {"visit_sure": sure}
    confirms(wang, "不对，是一个半小时", intent, minutes(90, "一个半小时"), **slots)
    assert (wang.slots["visit_minutes"], wang.slots.get("visit_sure")) == (90, None)
    assert "您说张秀英做了90分钟" in wang.runs(ActionAskVisitSure).text


def test_a_yes_that_says_the_same_number_is_a_yes(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 30)
    confirms(wang, "一个小时", "confirm_service", minutes(60, "一个小时"))
    confirms(wang, "对，一个小时", "affirm", minutes(60, "一个小时"), visit_sure=True)
    assert (wang.slots["visit_minutes"], wang.slots["visit_sure"]) == (60, True)


@pytest.mark.parametrize(
    "text, said",
    [
        ("一个小时，不对，一个半小时", [minutes(60, "一个小时"), minutes(90, "一个半小时")]),
        ("一个半小时，不是一个小时", [minutes(90, "一个半小时"), minutes(60, "一个小时")]),
    ],
)
def test_of_two_numbers_the_one_meant_counts(
    street: Street, wang: Speaker, text: str, said: list[Fact]
) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 30)
    confirms(wang, text, "confirm_service", *said)
    assert (wang.slots["visit_minutes"], wang.slots.get("visit_sure")) == (90, None)


def test_of_two_numbers_of_the_helper_the_one_meant_counts(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask())
    text, said = "一个半小时，不是一个小时", [minutes(90, "一个半小时"), minutes(60, "一个小时")]
    slots = {"worked_minutes": 60.0}
    zhang.says(text, "complete_task", slots=slots, facts=said, form="complete_task_form")
    assert zhang.runs(ValidateCompleteTaskForm).slots["worked_minutes"] == 90
