"""Answers inside a form: its own wish again, what tells nothing, a yes with another number."""

from __future__ import annotations

from typing import Any

import pytest

from actions import (
    cancelling,
    giving,
    offering,
    ratings,
    recordings,
    reminders,
    requests,
    tasks,
    visits,
)
from actions.forms import ANSWERS, ASKED_AGAIN, VillageForm
from actions.timebank import deeds, turns
from actions.timebank.ids import TurnId
from actions.timebank.model import Confirmation, ServiceRequest, Transfer
from actions.timebank.states import RequestState, TransferKind, TurnOutcome
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

WHEN = "2026-03-03T09:00:00+08:00"


@pytest.fixture
def asked_for(street: Street) -> None:
    """王奶奶 has asked for shopping tomorrow at nine, and 张秀英 agreed."""
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=30))


def opens(speaker: Speaker, form: type[VillageForm], text: str, **said: Any) -> Answered:
    name = form().form_name()
    return speaker.says(text, form.opened_by[0], form=name, **said).runs(form)


def calls_off(speaker: Speaker) -> type[VillageForm]:
    form = cancelling.ValidateCancelRequestForm
    opens(speaker, form, "不要人来了")
    assert speaker.runs(cancelling.ActionAskCancelSure).responses == ["utter_ask_cancel_sure"]
    return form


# The form's own intent, said again


def test_not_wanted_any_more_is_a_yes_to_calling_off(
    street: Street, wang: Speaker, asked_for: None
) -> None:
    form = calls_off(wang)
    wang.says("对，不要了", "cancel_request").runs(form)
    assert wang.runs(cancelling.ActionCancelRequest).responses == ["utter_request_cancelled"]
    assert street.row(ServiceRequest).state is RequestState.CANCELLED


@pytest.mark.parametrize("words", ["不取消", "还要人来", "照旧吧"])
def test_keeping_it_is_no_yes_to_calling_off(wang: Speaker, asked_for: None, words: str) -> None:
    form = calls_off(wang)
    answered = wang.says(words, "cancel_request").runs(form)
    assert answered.slots["cancel_sure"] is None
    assert answered.responses == ["utter_answer_not_understood"]


@pytest.mark.parametrize(
    "words, sure", [("是啊，没来", True), ("没来", True), ("刚来了", None), ("人到了", None)]
)
def test_nobody_came_said_again_is_a_yes(
    street: Street, wang: Speaker, asked_for: None, words: str, sure: bool | None
) -> None:
    street.clock.pass_time(days=1, minutes=20)
    opens(wang, visits.ValidateNoShowForm, "人没来")
    wang.says(words, "report_no_show").runs(visits.ValidateNoShowForm)
    assert wang.slots["no_show_sure"] is sure


@pytest.mark.parametrize(
    "words, sure", [("对，做完了", True), ("没做那么久", None), ("来了", None)]
)
def test_where_hours_move_only_a_word_of_yes_is_a_yes(
    street: Street, wang: Speaker, asked_for: None, words: str, sure: bool | None
) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.session.query(visits.ServiceRequest).one().assignments[0], 60)
    opens(wang, visits.ValidateConfirmVisitForm, "她来过了")
    assert wang.slots["requested_slot"] == "visit_sure"
    wang.says(words, "confirm_service").runs(visits.ValidateConfirmVisitForm)
    assert wang.slots["visit_sure"] is sure


def test_deleting_said_again_is_a_yes_and_not_recording_is_none(
    street: Street, wang: Speaker
) -> None:
    form = recordings.ValidateDeleteRecordingsForm
    with street.neighbourhood() as hood:
        turn = TurnId("before:1")
        turns.begin(hood.session, turn_id=turn, member=hood.wang.id, channel="t", now=hood.now)
        kept = {"outcome": TurnOutcome.ANSWERED, "recording_path": "day/before.audio"}
        turns.finish(hood.session, turn, now=hood.now, **kept)
    opens(wang, form, "别录了")
    assert wang.says("我说别录了", "revoke_recording").runs(form).slots["delete_sure"] is None
    assert wang.says("都删了吧", "revoke_recording").runs(form).slots["delete_sure"] is True


OPEN_QUESTIONS = [
    (requests.ValidateRequestHelpForm, "灯泡不亮了", "service_kind"),
    (requests.ValidateChangeRequestForm, "我想改改", "when"),
    (reminders.ValidateReminderForm, "叫我吃药", "reminder_when"),
    (giving.ValidateTransferTimeForm, "我想送时间", "gift_to"),
    (offering.ValidateOfferHelpForm, "我想帮人", "offered_kinds"),
]


@pytest.mark.parametrize("form, words, asked", OPEN_QUESTIONS)
def test_the_same_wish_again_asks_once_more_for_what_is_missing(
    wang: Speaker, asked_for: None, form: type[VillageForm], words: str, asked: str
) -> None:
    opens(wang, form, words)
    assert wang.slots["requested_slot"] == asked
    answered = wang.says(words, form.opened_by[0]).runs(form)
    assert answered.responses == ["utter_answer_not_understood"]
    assert answered.slots["form_tries"] == 1, "Rasa would reject the form and repair for ever"
    assert (wang.form, wang.slots["requested_slot"]) == (form().form_name(), asked)


def test_done_said_again_asks_once_more_how_long(zhang: Speaker, asked_for: None) -> None:
    opens(zhang, tasks.ValidateCompleteTaskForm, "干完了")
    answered = zhang.says("干完了嘛", "complete_task").runs(tasks.ValidateCompleteTaskForm)
    assert answered.slots["form_tries"] == 1 and zhang.form == "complete_task_form"


def test_praise_said_again_is_kept_without_a_mark(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.visited(30)
    opens(wang, ratings.ValidateRateServiceForm, "她真好")
    wang.says("真是好", "rate_service").runs(ratings.ValidateRateServiceForm)
    assert (wang.slots["rating_stars"], wang.slots["rating_words"]) == (0, "她真好，真是好")


def test_what_the_same_wish_tells_is_taken(wang: Speaker) -> None:
    form = requests.ValidateRequestHelpForm
    opens(wang, form, "灯泡不亮了")
    wang.says("灯泡要修", "request_help", slots={"service_kind": "repair"}, service_kind="repair")
    assert wang.runs(form).text == "" and wang.slots["requested_slot"] == "when"


# Answers that tell nothing


@pytest.mark.parametrize("intent", ANSWERS)
@pytest.mark.parametrize("form, words, asked", OPEN_QUESTIONS[:3])
def test_the_second_gets_an_example_the_third_a_person(
    street: Street,
    wang: Speaker,
    asked_for: None,
    form: type[VillageForm],
    words: str,
    asked: str,
    intent: str,
) -> None:
    opens(wang, form, words)
    first = wang.says("那个啥", intent).runs(form)
    assert "utter_unsure" in first.responses or "我还没听明白" in first.text
    assert "例如" in wang.says("就那个", intent).runs(form).text
    answered = wang.says("那个嘛", intent, turn="talk:3").runs(form)
    assert answered.responses == ["utter_repair_staff"] and "陈干事" in answered.text
    assert answered.leaves_form and answered.drops_matter
    told = {"member": "王奶奶", "words": "那个嘛", "turn_id": "talk:3"}
    assert street.told("陈干事", "staff_call_back") == [told]


def test_a_yes_that_is_neither_ends_with_a_person_too(wang: Speaker, asked_for: None) -> None:
    form = calls_off(wang)
    wang.says("那天", "inform").runs(form)
    assert wang.says("那天啊", "inform").runs(form).text == "您说对，或者说不对。"
    assert wang.says("就那天", "inform").runs(form).leaves_form


def test_an_answer_that_helps_begins_the_count_anew(wang: Speaker) -> None:
    form = requests.ValidateRequestHelpForm
    opens(wang, form, "帮帮我")
    for _ in range(2):
        wang.says("那个啥", "inform").runs(form)
    wang.says("买菜", "inform", slots={"service_kind": "shopping"}).runs(form)
    assert not wang.slots["form_tries"]
    assert wang.says("那个啥", "inform").runs(form).responses == ["utter_answer_not_understood"]


def test_another_form_knows_nothing_of_the_count(wang: Speaker) -> None:
    opens(wang, requests.ValidateRequestHelpForm, "帮帮我")
    for _ in range(2):
        wang.says("那个啥", "inform").runs(requests.ValidateRequestHelpForm)
    wang.form = None
    opens(wang, reminders.ValidateReminderForm, "叫我吃药")
    answered = wang.says("那个啥", "inform").runs(reminders.ValidateReminderForm)
    assert answered.responses == ["utter_answer_not_understood"]


def test_what_was_not_heard_at_all_counts_too(street: Street, wang: Speaker) -> None:
    form = requests.ValidateRequestHelpForm
    opens(wang, form, "帮帮我")
    with street.neighbourhood() as hood:
        for number in range(2):
            turn = TurnId(f"unheard:{number}")
            turns.begin(hood.session, turn_id=turn, member=hood.wang.id, channel="t", now=hood.now)
            turns.finish(hood.session, turn, now=hood.now, outcome=TurnOutcome.REPAIRED)
    assert wang.says("那个啥", "inform").runs(form).leaves_form


def test_the_channel_knows_that_it_was_not_understood(street: Street, wang: Speaker) -> None:
    form = requests.ValidateRequestHelpForm
    opens(wang, form, "帮帮我", turn="talk:1")
    for _ in range(2):
        wang.says("那个啥", "inform", turn="talk:2").runs(form)
    with street.neighbourhood() as hood:
        assert deeds.done_before(hood.session, TurnId("talk:1"), ASKED_AGAIN) is None
        assert deeds.done_before(hood.session, TurnId("talk:2"), ASKED_AGAIN) is not None


def test_without_staff_the_form_is_left_all_the_same(street: Street, wang: Speaker) -> None:
    form = requests.ValidateRequestHelpForm
    opens(wang, form, "帮帮我")
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    for _ in range(2):
        wang.says("那个啥", "inform").runs(form)
    answered = wang.says("那个啥", "inform").runs(form)
    assert answered.responses == ["utter_repair_no_staff"] and answered.leaves_form


@pytest.mark.parametrize("intent", ["check_balance", "repeat", "chitchat", "talk_to_human"])
def test_other_matters_are_no_answers(wang: Speaker, intent: str) -> None:
    opens(wang, requests.ValidateRequestHelpForm, "帮帮我")
    assert wang.says("我还有多少", intent).runs(requests.ValidateRequestHelpForm).events == []


def test_the_button_of_a_reminder_is_no_answer(wang: Speaker) -> None:
    opens(wang, requests.ValidateRequestHelpForm, "帮帮我")
    pressed = wang.says("/inform", "inform", reminder_id="1")
    assert pressed.runs(requests.ValidateRequestHelpForm).events == []


def test_a_bare_yes_inside_a_form_takes_on_no_task(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    opens(zhang, requests.ValidateRequestHelpForm, "帮帮我")
    answered = zhang.says("对", "affirm").runs(requests.ValidateRequestHelpForm)
    assert answered.responses == ["utter_answer_not_understood"]
    assert len(street.told("张秀英", "offer_made")) == 1


def test_every_question_has_an_example(domain: dict[str, Any]) -> None:
    for shape in domain["forms"].values():
        for slot in shape["required_slots"]:
            assert f"utter_example_{slot}" in domain["responses"]


# A yes with something else


def test_a_number_with_the_yes_is_read_back_though_the_helper_said_it(
    street: Street, wang: Speaker, asked_for: None
) -> None:
    with street.neighbourhood() as hood:
        hood.claim(hood.session.query(visits.ServiceRequest).one().assignments[0], 30)
    form = visits.ValidateConfirmVisitForm
    opens(wang, form, "一个半小时", slots={"visit_minutes": 90.0}, duration_minutes=90)
    assert "90分钟" in wang.runs(visits.ActionAskVisitSure).text
    said = {"slots": {"visit_minutes": 30.0}, "duration_minutes": 30}
    wang.says("对，一颗半钟头", "affirm", **said).runs(form)
    assert wang.slots["requested_slot"] == "visit_sure"
    assert "30分钟" in wang.runs(visits.ActionAskVisitSure).text
    assert street.count(Confirmation) == 1, "only the helper's claim"


@pytest.mark.parametrize(
    "said",
    [
        {"facts": [("when", "2026-03-04T09:00:00+08:00", "后天")]},
        {"facts": [("service_kind", "meals", "做饭")]},
    ],
)
def test_a_yes_to_another_request_calls_nothing_off(
    street: Street, wang: Speaker, asked_for: None, said: dict[str, Any]
) -> None:
    form = calls_off(wang)
    answered = wang.says("对，后天的做饭", "affirm", **said).runs(form)
    assert answered.slots["cancel_sure"] is None
    assert street.row(ServiceRequest).state is RequestState.ASSIGNED


def test_a_yes_with_the_same_day_is_a_yes(wang: Speaker, asked_for: None) -> None:
    form = calls_off(wang)
    day = ("when", "2026-03-03T08:00:00+08:00", "明天")
    wang.says("对，明天的", "affirm", facts=[day]).runs(form)
    assert wang.slots["cancel_sure"] is True


# Hours that are only counted


@pytest.mark.parametrize(
    "words, minutes",
    [
        ("送两个给陈二嫂", 120),
        ("两个", 120),
        ("给她一个半", 90),
        ("半个就行", 30),
        ("1个给她", 60),
        ("全部给她", 120),
        ("一半", 60),
        ("给两个人", None),
        ("十二个给她", None),
        ("给我两个孙子", None),
    ],
)
def test_counted_hours_are_read_back(
    street: Street, wang: Speaker, words: str, minutes: int | None
) -> None:
    form = giving.ValidateTransferTimeForm
    opens(wang, form, "给秀英", facts=[("person", "张秀英", "秀英")])
    assert wang.slots["requested_slot"] == "gift_minutes"
    wang.says(words, "inform").runs(form)
    assert wang.slots["gift_minutes"] == minutes
    assert street.rows(Transfer, kind=TransferKind.GIFT) == []


def test_of_nothing_nothing_is_given(meet: Meet) -> None:
    answered = opens(meet("赵铁柱"), giving.ValidateTransferTimeForm, "全部给秀英")
    assert answered.leaves_form
