"""The side of those who are called: 我去, 去不了, 我到了, 她没事了."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.safety import ActionEmergency
from actions.talk import ActionInform, ActionSayNo, ActionSayYes
from actions.tasks import (
    ActionAcceptTask,
    ActionDeclineTask,
    ActionListTasks,
    ActionStartTask,
    ValidateCompleteTaskForm,
)
from actions.timebank import alerts, check_ins
from actions.timebank.ids import TurnId
from actions.timebank.model import AlarmRefusal, Alert, CheckIn, Offer, Wellbeing
from actions.timebank.states import (
    AlertKind,
    AlertState,
    CheckInState,
    OfferState,
    Rhythm,
)
from actions.wellbeing import ActionReportWellbeing
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


@pytest.fixture
def alarm(street: Street, wang: Speaker) -> int:
    """王奶奶 has cried for help."""
    wang.says("我摔了，起不来", "emergency").runs(ActionEmergency)
    return int(street.row(Alert).id)


def goes(speaker: Speaker, words: str = "我去", **button: str) -> Answered:
    return speaker.says(words, "accept_task", **button).runs(ActionAcceptTask)


def cannot(speaker: Speaker, words: str = "去不了", **button: str) -> Answered:
    return speaker.says(words, "decline_task", **button).runs(ActionDeclineTask)


def missed_check_in(street: Street) -> int:
    with street.neighbourhood() as hood:
        alert = alerts.raise_alert(
            hood.session,
            member=hood.wang.id,
            words="",
            turn_id=TurnId("check-in:9"),
            now=hood.now,
            kind=AlertKind.MISSED_CHECK_IN,
        )
        return int(alert.id)


# Who goes


def test_i_go_takes_the_alarm_and_names_where(street: Street, zhang: Speaker, alarm: int) -> None:
    answered = goes(zhang, "我去，我这就过去")
    assert answered.responses == ["utter_alarm_taken"]
    assert "王奶奶" in answered.text and "老槐树旁" in answered.text
    assert street.row(Alert).taken_by_id == street.member("张秀英")
    assert street.told("王奶奶", "alert_taken") == [{"by": "张秀英"}]
    assert len(street.told("李建国", "alert_taken_by_other")) == 1


@pytest.mark.parametrize(
    "intent, action", [("affirm", ActionSayYes), ("start_task", ActionStartTask)]
)
def test_other_ways_of_saying_that_one_goes(
    street: Street, zhang: Speaker, alarm: int, intent: str, action: type
) -> None:
    answered = zhang.says("行，我马上过去", intent).runs(action)
    assert answered.responses == ["utter_alarm_taken"]
    assert street.row(Alert).state is AlertState.TAKEN


def test_an_alarm_goes_before_an_open_offer(street: Street, zhang: Speaker, alarm: int) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    assert goes(zhang).responses == ["utter_alarm_taken"]
    assert street.row(Offer).state is OfferState.PENDING
    assert goes(zhang).responses == ["utter_task_accepted"]


def test_the_button_of_an_offer_is_about_the_offer(
    street: Street, zhang: Speaker, alarm: int
) -> None:
    with street.neighbourhood() as hood:
        offer = hood.offer_of(hood.ask()).id
    assert goes(zhang, "/accept_task", offer_id=str(offer)).responses == ["utter_task_accepted"]
    assert street.row(Alert).state is AlertState.RAISED


def test_an_offer_made_after_a_calm_alarm_goes_first(street: Street, zhang: Speaker) -> None:
    missed_check_in(street)
    street.clock.pass_time(minutes=5)
    with street.neighbourhood() as hood:
        hood.ask()
    assert goes(zhang).responses == ["utter_task_accepted"]
    assert goes(zhang).responses == ["utter_alarm_taken"]


def test_two_who_go_are_told_of_each_other(
    street: Street, zhang: Speaker, meet: Meet, alarm: int
) -> None:
    goes(zhang)
    answered = goes(meet("李建国"), "/accept_task", alert_id=str(alarm))
    assert answered.responses == ["utter_alarm_taken_by_other"] and "张秀英" in answered.text
    assert goes(zhang, "/accept_task", alert_id=str(alarm)).responses == ["utter_alarm_taken"]


def test_a_button_pressed_a_week_later_calls_nobody(
    street: Street, zhang: Speaker, meet: Meet, alarm: int
) -> None:
    goes(zhang)
    zhang.says("/report_wellbeing", "report_wellbeing", alert_id=str(alarm), choice="1").runs(
        ActionReportWellbeing
    )
    street.clock.pass_time(days=7)
    for speaker in (zhang, meet("李建国")):
        for press in (goes, cannot):
            answered = press(speaker, "/pressed", alert_id=str(alarm))
            assert answered.responses == ["utter_alarm_over"]
    assert street.row(Alert).state is AlertState.CLOSED


@pytest.mark.parametrize("press", [goes, cannot])
@pytest.mark.parametrize("number, refused", [("1", "not_yours"), ("77", "nothing_open")])
def test_a_forged_button_is_refused(
    street: Street, meet: Meet, alarm: int, press: object, number: str, refused: str
) -> None:
    answered = press(meet("赵铁柱"), "/pressed", alert_id=number)  # type: ignore[operator]
    assert answered.responses == [f"utter_refused_{refused}"]
    assert street.row(Alert).state is AlertState.RAISED and street.count(AlarmRefusal) == 0


def test_who_was_not_called_is_offered_nothing(street: Street, meet: Meet, alarm: int) -> None:
    assert goes(meet("赵铁柱")).responses == ["utter_refused_nothing_open_offer"]


def test_what_is_there_to_do_names_the_alarm_first(zhang: Speaker, alarm: int) -> None:
    answered = zhang.says("有啥活", "list_tasks").runs(ActionListTasks)
    assert answered.responses == ["utter_alarm_waiting"]
    assert [one["payload"] for one in answered.buttons] == [
        f'/accept_task{{"alert_id": "{alarm}"}}',
        f'/decline_task{{"alert_id": "{alarm}"}}',
    ]


# Who cannot


def test_a_no_is_kept_with_its_reason_and_means_no_offer(
    street: Street, zhang: Speaker, alarm: int
) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    assert cannot(zhang, "我在城里，去不了").responses == ["utter_alarm_declined"]
    assert street.row(AlarmRefusal).reason == "我在城里"
    assert street.row(Offer).state is OfferState.PENDING
    assert zhang.says("不", "deny").runs(ActionSayNo).responses == ["utter_task_declined"]


def test_a_bare_no_declines_the_alarm(street: Street, zhang: Speaker, alarm: int) -> None:
    assert zhang.says("不行", "deny").runs(ActionSayNo).responses == ["utter_alarm_declined"]
    assert street.count(AlarmRefusal) == 1


def test_who_took_it_may_give_it_back(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    assert cannot(zhang, "我去不成了").responses == ["utter_alarm_given_back"]
    assert street.row(Alert).state is AlertState.RAISED
    assert street.told("王奶奶", "alert_taker_cannot") == [{"by": "张秀英"}]
    assert len(street.told("李建国", "neighbour_alert")) == 2


def test_a_no_to_a_later_offer_gives_no_alarm_back(
    street: Street, zhang: Speaker, alarm: int
) -> None:
    goes(zhang)
    street.clock.pass_time(minutes=5)
    with street.neighbourhood() as hood:
        hood.ask()
    assert cannot(zhang).responses == ["utter_task_declined"]
    assert street.row(Alert).state is AlertState.TAKEN


# How she is


def test_being_there_is_heard(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    answered = zhang.says("我到了", "start_task").runs(ActionStartTask)
    assert answered.responses == ["utter_alarm_there"]


WELL = ["她没事了", "人好好的，就是吓着了", "已经扶起来了", "缓过来了"]


@pytest.mark.parametrize("words", WELL)
@pytest.mark.parametrize(
    "intent, action",
    [
        ("report_wellbeing", ActionReportWellbeing),
        ("inform", ActionInform),
        ("affirm", ActionSayYes),
        ("deny", ActionSayNo),
    ],
)
def test_all_is_well_is_read_back_before_the_alarm_ends(
    street: Street, zhang: Speaker, alarm: int, words: str, intent: str, action: type
) -> None:
    goes(zhang)
    assert zhang.says(words, intent).runs(action).responses == ["utter_ask_alarm_end"]
    assert street.row(Alert).state is AlertState.TAKEN
    assert zhang.says("对", "affirm").runs(ActionSayYes).responses == ["utter_alarm_ended"]
    assert street.row(Alert).state is AlertState.CLOSED
    assert len(street.told("李建国", "alert_closed")) == 1


def test_done_with_nothing_else_to_be_done_means_the_alarm(
    street: Street, zhang: Speaker, alarm: int
) -> None:
    goes(zhang)
    answered = zhang.says("弄好了", "complete_task", form="complete_task_form").runs(
        ValidateCompleteTaskForm
    )
    assert answered.responses == ["utter_ask_alarm_end"] and answered.leaves_form


def test_said_twice_it_is_believed(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    for _ in range(2):
        zhang.says("她没事了", "report_wellbeing").runs(ActionReportWellbeing)
    assert street.row(Alert).state is AlertState.CLOSED


def test_in_hospital_is_told_to_the_staff(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    answered = zhang.says("已经送到县医院了", "report_wellbeing").runs(ActionReportWellbeing)
    assert answered.responses == ["utter_ask_alarm_end_hospital"]
    zhang.says("对", "affirm").runs(ActionSayYes)
    assert len(street.told("陈干事", "alert_hospital")) == 1
    assert street.told("李建国", "alert_closed") == []


def test_no_keeps_the_alarm(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    zhang.says("她没事了", "report_wellbeing").runs(ActionReportWellbeing)
    assert zhang.says("不对", "deny").runs(ActionSayNo).responses == ["utter_alarm_goes_on"]
    assert zhang.says("对", "affirm").runs(ActionSayYes).responses == ["utter_nothing_to_affirm"]
    assert street.row(Alert).state is AlertState.TAKEN


@pytest.mark.parametrize(
    "words", ["她不好", "还没醒，快来人", "得送医院", "要送卫生院", "不行了", "流血了"]
)
def test_bad_news_ends_nothing(street: Street, zhang: Speaker, alarm: int, words: str) -> None:
    goes(zhang)
    for intent, action in (("report_wellbeing", ActionReportWellbeing), ("inform", ActionInform)):
        answered = zhang.says(words, intent).runs(action)
        assert not any("alarm_end" in one for one in answered.responses), words
    assert street.row(Alert).state is AlertState.TAKEN


def test_who_did_not_go_ends_nothing(
    street: Street, zhang: Speaker, meet: Meet, alarm: int
) -> None:
    goes(zhang)
    li = meet("李建国")
    answered = li.says("她没事了", "report_wellbeing").runs(ActionReportWellbeing)
    assert answered.responses == ["utter_wellbeing_heard"]
    pressed = li.says("/x", "report_wellbeing", alert_id=str(alarm), choice="1")
    assert pressed.runs(ActionReportWellbeing).responses == ["utter_refused_not_yours"]
    assert street.row(Alert).state is AlertState.TAKEN


def test_the_buttons_of_how_is_she(street: Street, zhang: Speaker, alarm: int) -> None:
    goes(zhang)
    more = zhang.says("/x", "report_wellbeing", alert_id=str(alarm), choice="2")
    assert more.runs(ActionReportWellbeing).responses == ["utter_alarm_more_called"]
    assert len(street.told("李建国", "neighbour_alert")) == 2
    well = zhang.says("/x", "report_wellbeing", alert_id=str(alarm), choice="1")
    assert well.runs(ActionReportWellbeing).responses == ["utter_alarm_ended"]
    assert more.runs(ActionReportWellbeing).responses == ["utter_alarm_ended"]
    again = zhang.says("/x", "report_wellbeing", alert_id=str(alarm), choice="2")
    assert again.runs(ActionReportWellbeing).responses == ["utter_alarm_over"]


# 今天身体咋样？


@pytest.fixture
def asked(street: Street) -> CheckIn:
    """王奶奶 was asked this morning how she is."""
    with street.neighbourhood() as hood:
        member = hood.wang.id
        check_ins.set_rhythm(hood.session, member=member, rhythm=Rhythm.DAILY, now=hood.now)
        check_ins.look(hood.session, now=hood.now + timedelta(days=1))
    street.clock.pass_time(days=1, minutes=5)
    found: CheckIn = street.row(CheckIn)
    assert found.state is CheckInState.ASKED
    return found


@pytest.mark.parametrize(
    "said",
    [
        {"text": "/report_wellbeing", "intent": "report_wellbeing", "choice": "1"},
        {"text": "嗯", "intent": "affirm"},
    ],
)
def test_fine_is_good_to_hear(street: Street, wang: Speaker, asked: CheckIn, said: dict) -> None:
    action = ActionSayYes if said["intent"] == "affirm" else ActionReportWellbeing
    assert wang.says(**said).runs(action).responses == ["utter_wellbeing_good"]
    assert street.row(Wellbeing).symptoms == []


@pytest.mark.parametrize(
    "said",
    [
        {"text": "/report_wellbeing", "intent": "report_wellbeing", "choice": "2"},
        {"text": "不", "intent": "deny"},
    ],
)
def test_not_so_well_brings_the_offer_of_a_neighbour(
    street: Street, wang: Speaker, asked: CheckIn, said: dict
) -> None:
    action = ActionSayNo if said["intent"] == "deny" else ActionReportWellbeing
    answered = wang.says(**said).runs(action)
    assert answered.responses == ["utter_symptom_heard_escort_medical"]
    assert street.row(Wellbeing).symptoms == ["身体不太好"]
    follows = wang.says("要", "affirm").runs(ActionSayYes)
    assert follows.slots["service_kind"] == "escort_medical"


def test_a_bare_yes_of_somebody_not_asked_is_about_nothing(wang: Speaker) -> None:
    assert wang.says("嗯", "affirm").runs(ActionSayYes).responses == ["utter_nothing_to_affirm"]
