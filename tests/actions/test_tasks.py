"""The helper's side: what there is to do, taking it or not, being there, being done."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from actions.talk import ActionInform, ActionSayNo
from actions.tasks import (
    ActionAcceptTask,
    ActionAskWorkedMinutes,
    ActionCompleteTask,
    ActionDeclineTask,
    ActionListTasks,
    ActionStartTask,
    ValidateCompleteTaskForm,
)
from actions.timebank import exchange
from actions.timebank.model import Assignment, Confirmation, Offer, ServiceRequest, Visit
from actions.timebank.states import (
    AssignmentState,
    OfferState,
    RequestState,
    ServiceKind,
)
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


@pytest.fixture
def offered(street: Street) -> int:
    """王奶奶's shopping, offered to 张秀英; the offer's number."""
    with street.neighbourhood() as hood:
        return int(hood.offer_of(hood.ask()).id)


@pytest.fixture
def accepted(street: Street) -> int:
    """The same, agreed to; the assignment's number."""
    with street.neighbourhood() as hood:
        return int(hood.accepted(hood.ask()).id)


def says(speaker: Speaker, action: type, text: str = "", **said: object) -> Answered:
    return speaker.says(text, **said).runs(action)


# What there is to do


def test_without_work_there_is_nothing_to_list(zhang: Speaker) -> None:
    assert says(zhang, ActionListTasks).responses == ["utter_tasks_none"]


def test_an_offer_is_listed_with_buttons_that_name_it(zhang: Speaker, offered: int) -> None:
    answered = says(zhang, ActionListTasks)
    assert answered.responses == ["utter_task_offered"]
    for part in ("王奶奶", "2026-03-03T09:00+08:00", "买东西", "60分钟", "老槐树旁"):
        assert part in answered.text
    yes, no = (button["payload"] for button in answered.buttons)
    assert yes.startswith("/accept_task{") and no.startswith("/decline_task{")
    for payload in (yes, no):
        assert json.loads(payload[payload.index("{") :]) == {"offer_id": str(offered)}


def test_what_was_promised_is_listed_before_what_is_offered(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    with street.neighbourhood() as hood:
        hood.ask(wanted_helper=hood.zhang.id, minutes=30, service_kind=ServiceKind.MEALS)
    assert says(zhang, ActionListTasks).responses == ["utter_task_ahead"]


def promise(street: Street, *hours: float) -> None:
    """张秀英 promises short visits to 王奶奶, so many hours from now."""
    with street.neighbourhood() as hood:
        for later in hours:
            wanted = {"minutes": 10, "starts_at": hood.now + timedelta(hours=later)}
            hood.accepted(hood.ask(**wanted, wanted_helper=hood.zhang.id))


def test_todays_and_tomorrows_visits_are_listed_in_order_one_fact_a_message(
    street: Street, zhang: Speaker
) -> None:
    promise(street, 28, 3, 50)
    answered = says(zhang, ActionListTasks)
    assert answered.responses == ["utter_task_ahead"] * 2
    assert answered.text.index("03-02T12:00") < answered.text.index("03-03T13:00")


def test_of_many_visits_the_first_are_told_and_the_rest_counted(
    street: Street, zhang: Speaker
) -> None:
    promise(street, 1, 2, 3, 4)
    street.clock.pass_time(minutes=1)
    with street.neighbourhood() as hood:
        hood.session.query(Offer).update({"offered_at": hood.now - timedelta(days=2)})
    promise(street, 5, 6)
    answered = says(zhang, ActionListTasks)
    assert answered.responses == ["utter_task_ahead"] * 4 + ["utter_tasks_more"]
    assert "还有2件" in answered.text


def test_another_helpers_work_is_not_listed(meet: Meet, offered: int, accepted: int) -> None:
    assert says(meet("赵铁柱"), ActionListTasks).responses == ["utter_tasks_none"]


def test_without_a_house_the_lane_is_told(street: Street, zhang: Speaker, offered: int) -> None:
    with street.neighbourhood() as hood:
        hood.wang.place = ""
        hood.session.get(ServiceRequest, 1).place = ""
    assert "桂花巷" in says(zhang, ActionListTasks).text


# Yes or no


def test_yes_takes_the_offer_and_the_elder_is_told(
    street: Street, zhang: Speaker, offered: int
) -> None:
    answered = says(zhang, ActionAcceptTask, "行，我去", intent="accept_task")
    assert answered.responses == ["utter_task_accepted"]
    assert "王奶奶" in answered.text and "老槐树旁" in answered.text
    assert street.row(Offer).state is OfferState.ACCEPTED
    assert street.balance("王奶奶").held == 60
    assert len(street.told("王奶奶", "request_accepted")) == 1


def test_the_button_takes_its_own_offer_not_the_newest(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        first = hood.offer_of(hood.ask(minutes=30)).id
        second = hood.ask(wanted_helper=hood.zhang.id, minutes=30, service_kind=ServiceKind.MEALS)
        assert hood.offer_of(second).helper_id == hood.zhang.id
    says(zhang, ActionAcceptTask, offer_id=str(first))
    accepted = street.row(Offer, state=OfferState.ACCEPTED)
    assert accepted.id == first


def test_the_elder_named_says_which_offer_is_meant(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask(minutes=30)
        hood.ask(elder=hood.li.id, service_kind=ServiceKind.MEALS, wanted_helper=hood.zhang.id)
    says(zhang, ActionAcceptTask, "王奶奶那儿我去", person="王奶奶")
    taken = street.row(Offer, state=OfferState.ACCEPTED)
    assert street.row(ServiceRequest, id=taken.request_id).elder_id == street.member("王奶奶")


@pytest.mark.parametrize("action", [ActionAcceptTask, ActionDeclineTask])
def test_nobody_answers_anothers_offer(
    street: Street, meet: Meet, offered: int, action: type
) -> None:
    answered = says(meet("李建国"), action, offer_id=str(offered))
    assert answered.responses == ["utter_refused_not_yours"]
    assert street.row(Offer).state is OfferState.PENDING


@pytest.mark.parametrize("button", ["999999999", "0"])
def test_an_offer_that_never_was_says_that_nothing_is_there(
    street: Street, zhang: Speaker, button: str
) -> None:
    answered = says(zhang, ActionAcceptTask, offer_id=button)
    assert answered.text and street.rows(Assignment) == []


@pytest.mark.parametrize("button", ["1; DROP TABLE offer", "-1", "²", "1" * 30, ""])
def test_a_button_that_is_no_number_is_as_if_it_said_nothing(
    street: Street, zhang: Speaker, offered: int, button: str
) -> None:
    assert says(zhang, ActionAcceptTask, offer_id=button).responses == ["utter_task_accepted"]


def test_yes_to_two_things_at_once_names_the_first_and_asks_another_for_the_second(
    street: Street, zhang: Speaker, offered: int
) -> None:
    with street.neighbourhood() as hood:
        asked = {"elder": hood.staff.id, "service_kind": ServiceKind.MEALS}
        second = hood.offer_of(hood.ask(**asked, wanted_helper=hood.zhang.id)).id
    says(zhang, ActionAcceptTask, offer_id=str(offered))
    answered = says(zhang, ActionAcceptTask, offer_id=str(second))
    assert answered.responses == ["utter_refused_already_promised"]
    assert "王奶奶" in answered.text and "2026-03-03T09:00+08:00" in answered.text
    assert street.row(Assignment).offer_id == offered
    assert street.row(Offer, id=second).state is OfferState.DECLINED
    assert street.told("李建国", "offer_made")[0]["elder"] == "陈干事"


def test_yes_to_nothing_is_told(zhang: Speaker) -> None:
    assert says(zhang, ActionAcceptTask).responses == ["utter_refused_nothing_open_offer"]


def test_yes_to_what_was_called_off_thanks_all_the_same(
    street: Street, zhang: Speaker, offered: int
) -> None:
    with street.neighbourhood() as hood:
        exchange.cancel_request(hood.session, by=hood.wang.id, request_id=1, now=hood.now)
    answered = says(zhang, ActionAcceptTask, offer_id=str(offered))
    assert answered.responses == ["utter_refused_offer_gone"]
    assert street.balance("王奶奶").held == 0


@pytest.mark.parametrize(
    "words, kept",
    [("孙子发烧了，去不了", "孙子发烧了"), ('/decline_task{"offer_id": "1"}', "")],
)
def test_no_asks_the_next_and_keeps_the_reason_given(
    street: Street, zhang: Speaker, offered: int, words: str, kept: str
) -> None:
    answered = says(zhang, ActionDeclineTask, words, offer_id=str(offered))
    assert answered.responses == ["utter_task_declined"]
    declined, following = street.rows(Offer)
    assert (declined.state, declined.decline_reason) == (OfferState.DECLINED, kept)
    assert following.state is OfferState.PENDING and following.helper_id != declined.helper_id


def test_a_very_long_reason_is_cut(street: Street, zhang: Speaker, offered: int) -> None:
    says(zhang, ActionDeclineTask, "忙" * 500)
    assert len(street.rows(Offer)[0].decline_reason) == 120


def test_who_had_agreed_and_cannot_come_steps_back(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    answered = says(zhang, ActionDeclineTask, "明天去不了了")
    assert answered.responses == ["utter_task_stepped_back"] and "王奶奶" in answered.text
    assert street.row(Assignment).state is AssignmentState.RELEASED
    assert street.balance("王奶奶").held == 0


def test_no_to_nothing_is_told(zhang: Speaker) -> None:
    assert says(zhang, ActionDeclineTask).responses == ["utter_refused_nothing_open_offer"]


# Being there, being done


def test_being_there_is_kept_and_the_elder_told(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    assert says(zhang, ActionStartTask, "我到了").responses == ["utter_task_started"]
    assert street.row(Visit).checked_in_at == street.clock()
    assert len(street.told("王奶奶", "visit_started")) == 1


def test_at_the_second_door_of_the_day_the_second_visit_begins(
    street: Street, zhang: Speaker
) -> None:
    promise(street, 0.5, 1.25, 8)
    for _ in range(2):
        says(zhang, ActionStartTask, "我到了")
        street.clock.pass_time(minutes=40)
    begun = [visit.assignment_id for visit in street.rows(Visit)]
    assert begun == [1, 2]
    # Saying it twice at one door does not begin the evening's visit.
    says(zhang, ActionStartTask, "我到了，到了")
    assert street.count(Visit) == 2


def test_the_button_says_whose_door_it_is(street: Street, zhang: Speaker) -> None:
    promise(street, 1, 8)
    says(zhang, ActionStartTask, assignment_id="2")
    assert street.row(Visit).assignment_id == 2


@pytest.mark.parametrize("button", ["999", "0"])
def test_a_button_of_anothers_visit_begins_nothing(
    street: Street, zhang: Speaker, accepted: int, button: str
) -> None:
    answered = says(zhang, ActionStartTask, assignment_id=button)
    assert answered.responses == ["utter_refused_nothing_open_task"]
    assert street.rows(Visit) == []


@pytest.mark.parametrize("text", ["我到了", "我到了，又到了"])
def test_being_there_without_a_promise_is_told(zhang: Speaker, text: str) -> None:
    assert says(zhang, ActionStartTask, text).responses == ["utter_refused_nothing_open_task"]


def is_done(
    speaker: Speaker, minutes: float | None, text: str = "干完了", **said: object
) -> Answered:
    slots = {} if minutes is None else {"worked_minutes": minutes}
    speaker.says(text, "complete_task", slots=slots, form="complete_task_form", **said)
    checked = speaker.runs(ValidateCompleteTaskForm)
    if minutes is None or checked.leaves_form:
        return checked
    return speaker.runs(ActionCompleteTask)


def test_how_long_it_took_is_asked_about_the_right_visit(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    is_done(zhang, None)
    asked = zhang.runs(ActionAskWorkedMinutes)
    assert asked.responses == ["utter_ask_worked_minutes"]
    assert "王奶奶" in asked.text and "买东西" in asked.text


def test_done_is_kept_with_its_recording_and_waits_for_the_elder(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    answered = is_done(zhang, 60.0, "干完了，一个钟头", recording="cd" * 32)
    assert answered.responses == ["utter_task_completed"] and "60分钟" in answered.text
    claim = street.row(Confirmation)
    assert (claim.minutes, claim.evidence_sha256) == (60, "cd" * 32)
    assert street.balance("张秀英").posted == 0 and answered.drops_matter
    assert street.told("王奶奶", "visit_claimed")[0]["minutes"] == 60


def confirmed_by_elder(street: Street, minutes: int) -> None:
    with street.neighbourhood() as hood:
        hood.confirm(hood.session.get(ServiceRequest, 1), minutes)


def test_done_after_the_elders_word_is_settled_at_once(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    confirmed_by_elder(street, 60)
    answered = is_done(zhang, 60.0)
    assert answered.responses == ["utter_task_settled"]
    assert street.balance("张秀英").posted == 60 and "您现在有60分钟" in answered.text


def test_done_for_much_longer_than_the_elder_said_names_who_looks_into_it(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    confirmed_by_elder(street, 30)
    answered = is_done(zhang, 90.0)
    assert answered.responses == ["utter_task_disputed"]
    for part in ("90分钟", "30分钟", "陈干事"):
        assert part in answered.text


@pytest.mark.parametrize("minutes", [0.0, -5.0, 100_000.0])
def test_minutes_that_no_visit_takes_are_refused(
    street: Street, zhang: Speaker, accepted: int, minutes: float
) -> None:
    assert is_done(zhang, minutes).responses == ["utter_refused_bad_minutes"]
    assert street.rows(Confirmation) == []


def test_done_with_nothing_leaves_the_form(zhang: Speaker) -> None:
    answered = is_done(zhang, 60.0)
    assert answered.responses == ["utter_refused_nothing_open_task"] and answered.leaves_form


def test_a_form_left_without_minutes_claims_nothing(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    assert says(zhang, ActionCompleteTask).text == ""
    assert street.row(ServiceRequest).state is RequestState.ASSIGNED


def test_a_second_done_changes_nothing(street: Street, zhang: Speaker, accepted: int) -> None:
    is_done(zhang, 60.0)
    is_done(zhang, 300.0)
    assert street.row(Confirmation).minutes == 60


def test_of_two_tasks_the_one_asked_about_is_claimed(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=30))
        account = {"elder": hood.staff.id, "service_kind": ServiceKind.MEALS}
        later = hood.now + timedelta(hours=30)
        hood.accepted(hood.ask(**account, wanted_helper=hood.zhang.id, starts_at=later))
    is_done(zhang, None, "陈干事家干完了", person="陈干事")
    assert "陈干事" in zhang.runs(ActionAskWorkedMinutes).text
    zhang.says("一个钟头", "inform", slots={"worked_minutes": 60.0})
    zhang.runs(ValidateCompleteTaskForm)
    answered = zhang.runs(ActionCompleteTask)
    assert "陈干事" in answered.text


# 不对，是半个小时


@pytest.mark.parametrize(
    "action, intent, words",
    [
        (ActionSayNo, "deny", "不对，是半个小时"),
        (ActionInform, "inform", "半个小时"),
        (None, "complete_task", "不对，我做了半个小时"),
    ],
)
def test_a_number_misheard_is_set_right_at_once(
    street: Street, zhang: Speaker, accepted: int, action: type | None, intent: str, words: str
) -> None:
    is_done(zhang, 90.0)
    if action is None:
        answered = is_done(zhang, 30.0, words, duration_minutes=30)
    else:
        answered = says(zhang, action, words, intent=intent, duration_minutes=30)
    assert answered.responses == ["utter_task_completed"] and "30分钟" in answered.text
    assert street.row(Confirmation).minutes == 30
    assert street.told("王奶奶", "claim_corrected")[0]["minutes"] == 30


def test_a_bare_no_to_the_number_asks_for_the_right_one(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    is_done(zhang, 90.0)
    answered = says(zhang, ActionSayNo, "不对", intent="deny")
    assert answered.responses == ["utter_ask_worked_minutes_again"]
    assert street.row(Confirmation).minutes == 90
    answered = is_done(zhang, 30.0, "半个小时", duration_minutes=30)
    assert "30分钟" in answered.text and street.row(Confirmation).minutes == 30


def test_the_right_visit_is_set_right_although_another_waits(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    promise(street, 2)
    is_done(zhang, 90.0)
    claimed = street.row(Confirmation).visit_id
    is_done(zhang, 30.0, "错了，半个小时", duration_minutes=30)
    assert street.row(Confirmation).visit_id == claimed
    assert street.row(Confirmation).minutes == 30


def test_after_her_word_the_number_stands(street: Street, zhang: Speaker, accepted: int) -> None:
    is_done(zhang, 90.0)
    confirmed_by_elder(street, 90)
    answered = says(zhang, ActionSayNo, "不对，是半个小时", intent="deny", duration_minutes=30)
    assert answered.responses == ["utter_refused_wrong_state"]
    assert street.balance("张秀英").posted == 90


def test_a_no_to_something_else_later_changes_no_minutes(
    street: Street, zhang: Speaker, accepted: int
) -> None:
    is_done(zhang, 90.0)
    zhang.says("天气真好", "chitchat")
    answered = says(zhang, ActionSayNo, "不对，是半个小时", intent="deny", duration_minutes=30)
    assert answered.responses == ["utter_nothing_to_deny"]
    assert street.row(Confirmation).minutes == 90


@pytest.mark.parametrize("minutes", [0, 100_000])
def test_a_correction_to_what_no_visit_takes_is_refused(
    street: Street, zhang: Speaker, accepted: int, minutes: int
) -> None:
    is_done(zhang, 90.0)
    answered = says(zhang, ActionSayNo, "不对", intent="deny", duration_minutes=minutes)
    assert answered.responses == ["utter_refused_bad_minutes"]
    assert street.row(Confirmation).minutes == 90
