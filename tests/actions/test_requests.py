"""Asking for help, changing it, calling it off, asking how it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.cancelling import (
    ActionAskCancelSure,
    ActionCancelRequest,
    ValidateCancelRequestForm,
)
from actions.requests import (
    ActionChangeRequest,
    ActionCheckRequestStatus,
    ActionRequestHelp,
    ValidateChangeRequestForm,
    ValidateRequestHelpForm,
)
from actions.timebank import visits
from actions.timebank.model import Assignment, Member, Offer, ServiceRequest
from actions.timebank.states import OfferState, RequestState, ServiceKind
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

TOMORROW = "2026-03-03T09:00:00+08:00"
LATER = "2026-03-04T15:00:00+08:00"
STORY = "俺腿疼，想叫人明儿上午帮俺买点菜"


def asks_for_help(speaker: Speaker, turn: str | None = None, **slots: object) -> Answered:
    known = {"service_kind": "shopping", "when": TOMORROW, "story": STORY, **slots}
    return speaker.says(STORY, "request_help", slots=known, turn=turn).runs(ActionRequestHelp)


# Asking


def test_the_best_neighbour_is_asked_and_named_with_a_reason(street: Street, wang: Speaker) -> None:
    answered = asks_for_help(wang)
    assert answered.responses == ["utter_request_made"]
    assert "村东头的张秀英" in answered.text and "跟您一条巷子" in answered.text
    assert "2026-03-03T09:00+08:00" in answered.text and "买东西" in answered.text
    request = street.row(ServiceRequest)
    assert (request.state, request.note) == (RequestState.OFFERED, STORY)
    assert (request.minutes, request.place) == (60, "老槐树旁")
    assert request.turn_id == wang.message["metadata"]["turn_id"]
    assert answered.drops_matter


def test_the_length_she_named_is_kept(street: Street, wang: Speaker) -> None:
    asks_for_help(wang, help_minutes=90.0)
    assert street.row(ServiceRequest).minutes == 90


def test_the_neighbour_she_named_is_asked_first(street: Street, wang: Speaker) -> None:
    answered = asks_for_help(wang, wanted_person="赵铁柱")
    assert "赵铁柱" in answered.text and "点名要的" in answered.text
    assert street.row(Offer).helper_id == street.member("赵铁柱")


@pytest.mark.parametrize("nobody", ["周不识", "", "'; DROP TABLE member; --", "👵🏽"])
def test_a_name_that_nobody_has_leaves_the_choice_to_the_village(
    street: Street, wang: Speaker, nobody: str
) -> None:
    assert asks_for_help(wang, wanted_person=nobody).responses == ["utter_request_made"]
    assert street.row(Offer).helper_id == street.member("张秀英")


def test_of_two_people_with_the_name_she_said_neither_is_guessed(
    street: Street, wang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        hood.zhao.name = "李建国"
    asks_for_help(wang, wanted_person="李建国")
    assert street.row(Offer).helper_id == street.member("张秀英")


def test_with_nobody_to_ask_the_coordinator_is_named_and_told(
    street: Street, wang: Speaker
) -> None:
    answered = asks_for_help(wang, service_kind="bathing")
    assert answered.responses == ["utter_request_no_neighbour"] and "陈干事" in answered.text
    assert street.row(ServiceRequest).state is RequestState.OPEN
    assert [fact["kind"] for fact in street.told("陈干事", "staff_no_neighbour")] == ["bathing"]


@pytest.mark.parametrize("missing", ["service_kind", "when"])
def test_a_form_left_before_all_is_known_asks_nobody(
    street: Street, wang: Speaker, missing: str
) -> None:
    answered = asks_for_help(wang, **{missing: None})
    assert answered.text == "" and answered.drops_matter
    assert street.rows(ServiceRequest) == []


def test_too_few_minutes_are_told_and_the_staff_really_look_for_a_way(
    street: Street, wang: Speaker
) -> None:
    answered = asks_for_help(wang, help_minutes=200.0)
    assert answered.responses == ["utter_refused_not_enough_minutes"]
    assert "200分钟" in answered.text and "120分钟" in answered.text and "陈干事" in answered.text
    assert street.rows(ServiceRequest) == [] and answered.drops_matter
    assert [fact["words"] for fact in street.told("陈干事", "staff_call_back")] == [STORY]


def test_a_meal_is_never_refused_for_want_of_minutes(street: Street, wang: Speaker) -> None:
    answered = asks_for_help(wang, service_kind="meals", help_minutes=200.0)
    assert answered.responses == ["utter_request_made"]


@pytest.mark.parametrize("minutes", [0.0, -30.0, 100_000.0])
def test_minutes_that_no_visit_takes_are_refused(
    street: Street, wang: Speaker, minutes: float
) -> None:
    answered = asks_for_help(wang, help_minutes=minutes)
    assert answered.responses == ["utter_refused_bad_minutes"]
    assert street.rows(ServiceRequest) == []


def test_the_same_message_twice_asks_once_and_is_answered_the_same(
    street: Street, wang: Speaker
) -> None:
    assert asks_for_help(wang, turn="talk:7").text == asks_for_help(wang, turn="talk:7").text
    assert street.count(ServiceRequest) == street.count(Offer) == 1


# Times that are over


def in_help_form(speaker: Speaker, when: str) -> Answered:
    slots = {"service_kind": "shopping", "when": when}
    said = speaker.says("昨天", "request_help", slots=slots, form="request_help_form")
    return said.runs(ValidateRequestHelpForm)


def test_a_time_that_is_over_is_asked_again(wang: Speaker) -> None:
    answered = in_help_form(wang, "2026-03-01T09:00:00+08:00")
    assert answered.responses == ["utter_when_is_past"] and answered.slots["when"] is None


def test_now_is_not_over_when_the_words_took_some_minutes(street: Street, wang: Speaker) -> None:
    just_now = (street.clock() - timedelta(minutes=10)).isoformat()
    answered = in_help_form(wang, just_now)
    assert answered.text == "" and "when" not in answered.slots


def test_an_interruption_is_left_to_rasa(street: Street, wang: Speaker) -> None:
    in_help_form(wang, TOMORROW)
    answered = wang.says("我还有多少时间", "check_balance").runs(ValidateRequestHelpForm)
    assert (answered.text, answered.events) == ("", [])


# Changing


def test_another_time_is_read_back_with_who_is_asked_now(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    said = wang.says("改到后天下午", "change_request", slots={"when": LATER})
    answered = said.runs(ActionChangeRequest)
    assert answered.responses == ["utter_request_changed"]
    assert "2026-03-04T15:00+08:00" in answered.text and "我去跟村东头的张秀英说" in answered.text
    asked = street.row(Offer, state=OfferState.PENDING)
    assert asked.helper_id == street.member("张秀英")
    assert street.row(ServiceRequest).starts_at.isoformat() == "2026-03-04T07:00:00+00:00"


def test_another_time_goes_first_to_who_had_agreed(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    with street.neighbourhood() as hood:
        hood.accepted(hood.session.get(ServiceRequest, 1))
    answered = wang.says("改到后天下午", slots={"when": LATER}).runs(ActionChangeRequest)
    assert "张秀英" in answered.text


def test_longer_help_needs_no_new_time(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    wang.says(
        "多待半个钟头，一个半小时",
        "change_request",
        slots={"help_minutes": 90.0},
        form="change_request_form",
        duration_minutes=90,
    )
    assert wang.runs(ValidateChangeRequestForm).slots["when"] == "2026-03-03T09:00+08:00"
    wang.runs(ActionChangeRequest)
    request = street.row(ServiceRequest)
    assert request.minutes == 90
    assert request.starts_at.isoformat() == "2026-03-03T01:00:00+00:00"


def test_a_change_to_a_time_that_is_over_is_asked_again(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    past = {"when": "2026-03-01T09:00:00+08:00"}
    wang.says("改到昨天", "change_request", slots=past, form="change_request_form")
    answered = wang.runs(ValidateChangeRequestForm)
    assert answered.responses == ["utter_when_is_past"] and answered.slots["when"] is None


def test_a_change_without_help_left_in_the_village_says_so(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    with street.neighbourhood() as hood:
        for person in (hood.zhang, hood.li, hood.zhao):
            person.left_at = hood.now
    answered = wang.says("后天吧", slots={"when": LATER}).runs(ActionChangeRequest)
    assert answered.responses == ["utter_request_changed_no_helper"]


@pytest.mark.parametrize(
    "validator, form",
    [
        (ValidateChangeRequestForm, "change_request_form"),
        (ValidateCancelRequestForm, "cancel_request_form"),
    ],
)
def test_with_nothing_asked_for_the_form_is_left(wang: Speaker, validator: type, form: str) -> None:
    answered = wang.says("不用了", form=form, slots={"when": LATER}).runs(validator)
    assert answered.responses == ["utter_refused_nothing_open_request"]
    assert answered.leaves_form and answered.drops_matter
    assert answered.slots["requested_slot"] is None


def test_of_two_requests_the_kind_just_named_is_changed(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    asks_for_help(wang, service_kind="cleaning", when="2026-03-03T14:00:00+08:00")
    said = wang.says("买菜的改到后天", "change_request", service_kind="shopping")
    said.slots.update(when=LATER, service_kind="shopping")
    said.runs(ActionChangeRequest)
    changed = street.row(ServiceRequest, service_kind=ServiceKind.SHOPPING)
    assert changed.starts_at.isoformat() == "2026-03-04T07:00:00+00:00"


# Calling off


def wants_to_cancel(speaker: Speaker, words: str = "不用来了", **entities: str) -> Answered:
    speaker.says(words, "cancel_request", form="cancel_request_form", **entities)
    first = speaker.runs(ValidateCancelRequestForm)
    assert first.text == ""
    return speaker.runs(ActionAskCancelSure)


def answers_cancel(speaker: Speaker, sure: bool | None, turn: str | None = None) -> Answered:
    slots = {} if sure is None else {"cancel_sure": sure}
    speaker.says("对" if sure else "别", "affirm" if sure else "deny", slots=slots, turn=turn)
    speaker.runs(ValidateCancelRequestForm)
    return speaker.runs(ActionCancelRequest)


def test_calling_off_is_read_back_with_two_buttons(wang: Speaker) -> None:
    asks_for_help(wang)
    answered = wants_to_cancel(wang)
    assert answered.responses == ["utter_ask_cancel_sure"]
    assert "2026-03-03T09:00+08:00" in answered.text and "买东西" in answered.text
    assert [button["payload"] for button in answered.buttons] == ["/affirm", "/deny"]


def test_yes_calls_off_gives_the_minutes_back_and_tells_the_helper(
    street: Street, wang: Speaker
) -> None:
    asks_for_help(wang)
    with street.neighbourhood() as hood:
        hood.accepted(hood.session.get(ServiceRequest, 1))
    assert street.balance("王奶奶").held == 60
    wants_to_cancel(wang)
    answered = answers_cancel(wang, True)
    assert answered.responses == ["utter_request_cancelled"] and answered.drops_matter
    assert street.row(ServiceRequest).state is RequestState.CANCELLED
    assert street.balance("王奶奶").held == 0
    assert len(street.told("张秀英", "request_cancelled")) == 1


def test_no_keeps_it(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    wants_to_cancel(wang)
    answered = answers_cancel(wang, False)
    assert answered.responses == ["utter_request_kept"] and answered.drops_matter
    assert street.row(ServiceRequest).state is RequestState.OFFERED


def test_a_question_left_without_an_answer_calls_nothing_off(street: Street, wang: Speaker) -> None:
    asks_for_help(wang)
    wants_to_cancel(wang)
    assert wang.says("").runs(ActionCancelRequest).text == ""
    assert street.row(ServiceRequest).state is RequestState.OFFERED


def test_a_visit_that_has_begun_is_not_called_off(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.accepted(hood.ask()), 60)
    wang.says("不用来了", "cancel_request", form="cancel_request_form")
    answered = wang.runs(ValidateCancelRequestForm)
    assert answered.responses == ["utter_refused_nothing_open_request"]


def test_another_elders_request_cannot_be_called_off(street: Street, meet: Meet) -> None:
    asks_for_help(meet("王奶奶"))
    stranger = meet("赵铁柱")
    stranger.says("不用来了", "cancel_request", form="cancel_request_form", request_id="1")
    answered = stranger.runs(ValidateCancelRequestForm)
    assert answered.responses == ["utter_refused_nothing_open_request"]
    stranger.slots["cancel_sure"] = True
    stranger.runs(ActionCancelRequest)
    assert street.row(ServiceRequest).state is RequestState.OFFERED


def two_requests(speaker: Speaker) -> None:
    asks_for_help(speaker, help_minutes=30.0)
    later = {"service_kind": "cleaning", "when": "2026-03-03T14:00:00+08:00"}
    asks_for_help(speaker, help_minutes=30.0, **later)


def test_of_two_requests_the_one_read_back_is_called_off(street: Street, wang: Speaker) -> None:
    two_requests(wang)
    asked = wants_to_cancel(wang, "买菜的不要了", service_kind="shopping")
    assert "买东西" in asked.text
    answered = answers_cancel(wang, True)
    assert "买东西" in answered.text
    states = {request.service_kind: request.state for request in street.rows(ServiceRequest)}
    assert states[ServiceKind.SHOPPING] is RequestState.CANCELLED
    assert states[ServiceKind.CLEANING] is RequestState.OFFERED


def test_of_two_requests_the_one_named_is_changed_when_the_time_comes_later(
    street: Street, wang: Speaker
) -> None:
    two_requests(wang)
    named = {"service_kind": "shopping"}
    wang.says(
        "买菜的想改个时候", "change_request", slots=named, form="change_request_form", **named
    )
    wang.runs(ValidateChangeRequestForm)
    wang.says("后天下午", "inform", slots={"when": LATER}, when=LATER)
    wang.runs(ValidateChangeRequestForm)
    wang.runs(ActionChangeRequest)
    starts = {row.service_kind: row.starts_at.isoformat() for row in street.rows(ServiceRequest)}
    assert starts == {
        ServiceKind.SHOPPING: "2026-03-04T07:00:00+00:00",
        ServiceKind.CLEANING: "2026-03-03T06:00:00+00:00",
    }


# How it stands


def status(speaker: Speaker) -> Answered:
    return speaker.says("谁来", "check_request_status").runs(ActionCheckRequestStatus)


def test_without_a_request_there_is_nothing_to_tell(wang: Speaker) -> None:
    assert status(wang).responses == ["utter_status_none"]


def test_the_way_of_a_request_is_told_at_each_of_its_stations(
    street: Street, wang: Speaker, zhang: Speaker
) -> None:
    asks_for_help(wang)
    assert status(wang).responses == ["utter_status_asked"]
    with street.neighbourhood() as hood:
        assignment = hood.accepted(hood.session.get(ServiceRequest, 1))
        assignment_id = assignment.id
    answered = status(wang)
    assert answered.responses == ["utter_status_accepted"] and "张秀英" in answered.text
    with street.neighbourhood() as hood:
        visits.start_visit(
            hood.session, helper=hood.zhang.id, assignment_id=assignment_id, now=hood.now
        )
    assert status(wang).responses == ["utter_status_under_way"]
    with street.neighbourhood() as hood:
        hood.claim(hood.session.get(Assignment, assignment_id), 45)
    answered = status(wang)
    assert answered.responses == ["utter_status_claimed"] and "45分钟" in answered.text
    assert [button["payload"] for button in answered.buttons] == ["/affirm", "/deny"]
    with street.neighbourhood() as hood:
        hood.confirm(hood.session.get(ServiceRequest, 1))
    assert status(wang).responses == ["utter_status_none"]


def test_a_request_that_nobody_takes_names_the_coordinator(wang: Speaker) -> None:
    asks_for_help(wang, service_kind="bathing")
    answered = status(wang)
    assert answered.responses == ["utter_status_nobody"] and "陈干事" in answered.text


def test_only_two_requests_are_told_at_once(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        for day in (1, 2, 3):
            hood.ask(starts_at=hood.now + timedelta(days=day), minutes=30)
    assert len(status(wang).responses) == 2


def test_a_neighbour_whose_house_is_not_known_is_told_by_name_alone(
    street: Street, wang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        hood.session.query(Member).filter(Member.name == "张秀英").update({"place": ""})
    assert "我去问张秀英" in asks_for_help(wang).text
    assert street.row(Offer).state is OfferState.PENDING
