"""提醒我吃药: asked for, told, answered, called off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from actions import cancelling, talk, wellbeing, wording
from actions import reminders as spoken
from actions.timebank import reminders
from actions.timebank.model import Offer, Reminder, ServiceRequest
from actions.timebank.states import OfferState, ReminderState, RequestState
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

SEVEN = "2026-03-03T07:00+08:00"


def wants(
    speaker: Speaker, words: str, slot: Any = SEVEN, *, turn: str | None = None, **entities: Any
) -> Answered:
    """She says it, the form is validated and, when the time is known, closed."""
    slots = {"reminder_words": words}
    if slot is not None:
        slots["reminder_when"] = slot
    speaker.says(words, "set_reminder", turn=turn, form="reminder_form", slots=slots, **entities)
    checked = speaker.runs(spoken.ValidateReminderForm)
    if not speaker.slots.get("reminder_when"):
        return checked
    answered = speaker.runs(spoken.ActionSetReminder)
    speaker.form = None
    return answered


def told(street: Street, speaker: Speaker, words: str = "叫我吃药") -> Reminder:
    """It was asked for and its time has come."""
    wants(speaker, words)
    street.clock.now = street.row(Reminder).due_at
    sweep(street)
    return street.row(Reminder)


def sweep(street: Street) -> None:
    with street.village.transaction() as session:
        reminders.tell_due(session, now=street.clock())


# Asked for


def test_it_is_read_back_in_passing_and_kept(street: Street, wang: Speaker) -> None:
    answered = wants(wang, "明天早上七点叫我吃药。")
    assert answered.responses == ["utter_reminder_set"]
    assert answered.text == f"好，{SEVEN}叫您吃药。" and answered.drops_matter
    row = street.row(Reminder)
    assert (row.words, row.is_medicine, row.repeats_daily) == ("吃药", True, False)
    assert (row.member_id, row.due_at.hour) == (street.member("王奶奶"), 23)


@pytest.mark.parametrize("words", ["每天早上七点叫我吃药", "早上七点天天提醒我吃药"])
def test_every_day_is_every_day(street: Street, wang: Speaker, words: str) -> None:
    answered = wants(wang, words)
    assert answered.responses == ["utter_reminder_set_daily"]
    assert street.row(Reminder).repeats_daily


@pytest.mark.parametrize(
    "words, deed",
    [
        ("明天早上七点叫我吃药", "吃药"),
        ("半个钟头后喊我去看看锅", "去看看锅"),
        ("下午三点提醒我一下把鸡喂了", "把鸡喂了"),
        ("六点叫我", None),
        ("下午三点一刻喊我一声，我要去接伢", None),
        ("锅里焖着饭一刻钟叫我", None),
        ("今晚提醒我明天打电话", None),
        ("给老头子的药别忘了说一声", None),
        ("叫我儿媳妇喊我起床", None),
        ("", None),
    ],
)
def test_only_a_certain_deed_is_cut_out(words: str, deed: str | None) -> None:
    assert spoken.bare_deed(words) == deed


def test_otherwise_her_own_words_are_kept_whole(street: Street, wang: Speaker) -> None:
    words = "下午三点一刻喊我一声，我要去接伢"
    answered = wants(wang, words)
    assert answered.responses == ["utter_reminder_set_in_her_words"]
    assert words in answered.text and street.row(Reminder).words == words
    assert not street.row(Reminder).is_medicine


def test_a_length_of_time_counts_from_now(street: Street, wang: Speaker) -> None:
    wants(wang, "锅里焖着饭，一刻钟叫我", slot=15, duration_minutes=15)
    assert street.row(Reminder).due_at == street.clock() + timedelta(minutes=15)


def test_a_time_that_was_said_beats_its_length(street: Street, wang: Speaker) -> None:
    wants(wang, "半个钟头后叫我", slot=30, duration_minutes=30, when=SEVEN)
    assert street.row(Reminder).due_at.isoformat() == "2026-03-02T23:00:00+00:00"


@pytest.mark.parametrize("slot", [None, 0, -5, 10**9])
def test_without_a_time_the_form_asks(street: Street, wang: Speaker, slot: Any) -> None:
    answered = wants(wang, "提醒我吃药", slot=slot)
    assert (answered.text, wang.slots["reminder_when"]) == ("", None)
    assert street.count(Reminder) == 0


def test_a_time_given_later_is_taken_with_the_first_words(street: Street, wang: Speaker) -> None:
    wants(wang, "提醒我吃药", slot=None)
    wang.says("半个钟头", "inform", slots={"reminder_when": 30})
    wang.runs(spoken.ValidateReminderForm)
    assert wang.runs(spoken.ActionSetReminder).responses == ["utter_reminder_set"]
    assert street.row(Reminder).words == "吃药"


def test_a_past_time_is_asked_again(street: Street, wang: Speaker) -> None:
    answered = wants(wang, "叫我吃药", slot="2026-03-01T07:00+08:00")
    assert answered.responses == ["utter_reminder_when_past"]
    assert answered.slots["reminder_when"] is None and street.count(Reminder) == 0


def test_words_about_something_else_leave_the_question_open(wang: Speaker) -> None:
    wants(wang, "提醒我吃药", slot=None)
    assert wang.says("我有多少钟头", "check_balance").runs(spoken.ValidateReminderForm).events == []


def test_the_same_turn_again_is_one_reminder(street: Street, wang: Speaker) -> None:
    first = wants(wang, "叫我吃药", turn="talk:1")
    assert wants(wang, "叫我吃药", turn="talk:1").text == first.text
    assert street.count(Reminder) == 1


def test_the_twenty_first_is_refused_kindly(street: Street, wang: Speaker) -> None:
    for _ in range(20):
        wants(wang, "叫我吃药")
    answered = wants(wang, "叫我吃药")
    assert answered.responses == ["utter_refused_too_many_reminders"] and "20" in answered.text
    assert street.count(Reminder) == 20


# Several times in one sentence

EIGHT, EVENING = "2026-03-03T08:00+08:00", "2026-03-03T20:00+08:00"


def wants_at(speaker: Speaker, words: str, *whens: tuple[str, str], turn: str = "t:1") -> Answered:
    """She names several times; each as its ISO time and the words she said for it."""
    facts = [("when", moment, said) for moment, said in whens]
    slots = {"reminder_words": words, "reminder_when": whens[-1][0]}
    form = "reminder_form"
    speaker.says(words, "set_reminder", turn=turn, form=form, slots=slots, facts=facts)
    speaker.runs(spoken.ValidateReminderForm)
    answered = speaker.runs(spoken.ActionSetReminder)
    speaker.form = None
    return answered


@pytest.mark.parametrize("joined", ["跟", "和", "，", "", "还有"])
def test_both_times_are_kept_and_said_back(street: Street, wang: Speaker, joined: str) -> None:
    words = f"早上八点{joined}晚上八点提醒我吃药"
    answered = wants_at(wang, words, (EIGHT, "早上八点"), (EVENING, "晚上八点"))
    assert answered.responses == ["utter_reminder_set"]
    assert answered.text == f"好，{EIGHT}、{EVENING}叫您吃药。"
    rows = street.rows(Reminder)
    assert [row.due_at.hour for row in rows] == [0, 12]
    assert all(row.is_medicine and row.words == "吃药" for row in rows)


def test_every_day_at_both_times(street: Street, wang: Speaker) -> None:
    words = "每天早上八点跟晚上八点叫我吃药"
    answered = wants_at(wang, words, (EIGHT, "早上八点"), (EVENING, "晚上八点"))
    assert answered.responses == ["utter_reminder_set_daily"]
    assert [row.repeats_daily for row in street.rows(Reminder)] == [True, True]


def test_the_same_turn_again_makes_no_third(street: Street, wang: Speaker) -> None:
    for _ in range(2):
        words = "早上八点跟晚上八点叫我吃药"
        wants_at(wang, words, (EIGHT, "早上八点"), (EVENING, "晚上八点"))
    assert street.count(Reminder) == 2


@pytest.mark.parametrize(
    "words",
    ["晚上八点提醒我早上八点的事", "早上八点，不对，晚上八点叫我", "早上八点或者晚上八点叫我"],
)
def test_times_that_stand_apart_are_not_all_meant(
    street: Street, wang: Speaker, words: str
) -> None:
    said = [(EIGHT, "早上八点"), (EVENING, "晚上八点")]
    last = max(said, key=lambda one: words.index(one[1]))
    wants_at(wang, words, *sorted(said, key=lambda one: words.index(one[1])))
    assert [wording.moment(row.due_at) for row in street.rows(Reminder)] == [
        wording.moment(datetime.fromisoformat(last[0]))
    ]


def test_of_two_times_the_one_that_is_past_is_left_out(street: Street, wang: Speaker) -> None:
    past = "2026-03-01T08:00+08:00"
    wants_at(wang, "早上八点跟晚上八点叫我吃药", (past, "早上八点"), (EVENING, "晚上八点"))
    assert street.row(Reminder).due_at.hour == 12


def test_the_twenty_first_of_two_keeps_neither(street: Street, wang: Speaker) -> None:
    for _ in range(19):
        wants(wang, "叫我吃药")
    words = "早上八点跟晚上八点叫我吃药"
    answered = wants_at(wang, words, (EIGHT, "早上八点"), (EVENING, "晚上八点"))
    assert answered.responses == ["utter_refused_too_many_reminders"]
    assert street.count(Reminder) == 19


# Answered


@pytest.mark.parametrize("words", ["知道了", "吃了", "吃过了。", "晓得"])
def test_known_and_taken_end_it(street: Street, wang: Speaker, words: str) -> None:
    told(street, wang)
    answered = wang.says(words, "inform").runs(talk.ActionInform)
    assert answered.responses == ["utter_reminder_answered"]
    assert street.row(Reminder).state is ReminderState.ANSWERED


def test_a_bare_yes_ends_it(street: Street, wang: Speaker) -> None:
    told(street, wang)
    assert wang.says("好", "affirm").runs(talk.ActionSayYes).responses == [
        "utter_reminder_answered"
    ]
    assert street.row(Reminder).state is ReminderState.ANSWERED


def test_taken_is_no_tale_of_how_she_is(street: Street, wang: Speaker) -> None:
    told(street, wang)
    answered = wang.says("吃了", "report_wellbeing").runs(wellbeing.ActionReportWellbeing)
    assert answered.responses == ["utter_reminder_answered"]


def test_a_bare_no_lets_it_come_again(street: Street, wang: Speaker) -> None:
    told(street, wang)
    answered = wang.says("还没", "deny").runs(talk.ActionSayNo)
    assert answered.responses == ["utter_reminder_told_again"]
    assert street.row(Reminder).state is ReminderState.TOLD


def test_another_fact_answers_no_reminder(street: Street, wang: Speaker) -> None:
    told(street, wang)
    answered = wang.says("买菜", "inform").runs(talk.ActionInform)
    assert answered.responses == ["utter_inform_without_question"]
    assert street.row(Reminder).state is ReminderState.TOLD


@pytest.mark.parametrize("form", [None, "cancel_request_form"])
def test_the_button_answers_its_reminder_also_inside_a_form(
    street: Street, wang: Speaker, form: str | None
) -> None:
    reminder = told(street, wang)
    wang.form = form
    answered = wang.says("", "inform", reminder_id=str(reminder.id)).runs(talk.ActionInform)
    assert answered.responses == ["utter_reminder_answered"]
    assert street.row(Reminder).state is ReminderState.ANSWERED


def test_the_button_of_another_answers_nothing(street: Street, wang: Speaker, meet: Meet) -> None:
    reminder = told(street, wang)
    li = meet("李建国")
    answered = li.says("", "inform", reminder_id=str(reminder.id)).runs(talk.ActionInform)
    assert answered.responses == ["utter_refused_not_yours"]
    assert street.row(Reminder).state is ReminderState.TOLD


def test_yes_goes_to_what_was_asked_last(street: Street, zhang: Speaker) -> None:
    told(street, zhang)
    street.clock.pass_time(minutes=1)
    with street.neighbourhood() as hood:
        hood.ask()
    assert zhang.says("行", "affirm").runs(talk.ActionSayYes).responses == ["utter_task_accepted"]
    assert street.row(Reminder).state is ReminderState.TOLD


def test_yes_to_a_reminder_takes_no_task(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask(starts_at=hood.now + timedelta(days=3))
    told(street, zhang)
    zhang.says("好", "affirm").runs(talk.ActionSayYes)
    assert street.row(Offer).state is OfferState.PENDING


# Called off


def calls_off(speaker: Speaker, words: str, **entities: Any) -> Answered:
    speaker.says(words, "cancel_request", form="cancel_request_form", **entities)
    refused = speaker.runs(cancelling.ValidateCancelRequestForm)
    return refused if refused.text else speaker.runs(cancelling.ActionAskCancelSure)


def answers(speaker: Speaker, sure: bool) -> Answered:
    speaker.says("嗯", "affirm" if sure else "deny", slots={"cancel_sure": sure})
    speaker.runs(cancelling.ValidateCancelRequestForm)
    return speaker.runs(cancelling.ActionCancelRequest)


def test_a_reminder_is_called_off_after_a_yes(street: Street, wang: Speaker) -> None:
    wants(wang, "叫我吃药")
    asked = calls_off(wang, "那个不要了")
    assert asked.responses == ["utter_ask_reminder_off"] and "吃药" in asked.text
    answered = answers(wang, True)
    assert answered.responses == ["utter_reminder_off"] and answered.drops_matter
    assert street.row(Reminder).state is ReminderState.CANCELLED


def test_a_no_keeps_it(street: Street, wang: Speaker) -> None:
    wants(wang, "叫我吃药")
    calls_off(wang, "那个提醒不要了")
    answers(wang, False)
    assert street.row(Reminder).state is ReminderState.WAITING


def test_a_request_is_meant_unless_she_says_reminder(street: Street, wang: Speaker) -> None:
    wants(wang, "叫我吃药")
    with street.neighbourhood() as hood:
        hood.ask()
    assert calls_off(wang, "不用来了").responses == ["utter_ask_cancel_sure"]
    wang.form = None
    assert calls_off(wang, "那个提醒不要了").responses == ["utter_ask_reminder_off"]
    answers(wang, True)
    assert street.row(ServiceRequest).state is RequestState.OFFERED
    assert street.row(Reminder).state is ReminderState.CANCELLED


def test_of_several_the_time_that_is_said_tells_which(street: Street, wang: Speaker) -> None:
    wants(wang, "叫我吃药")
    wants(wang, "叫我喂鸡", slot="2026-03-03T09:00+08:00")
    assert "吃药" in calls_off(wang, "七点那个提醒不要了", when=SEVEN).text
    wang.form = None
    assert "喂鸡" in calls_off(wang, "那个提醒不要了").text


def test_with_nothing_to_call_off_it_says_so(wang: Speaker) -> None:
    answered = calls_off(wang, "那个提醒不要了")
    assert answered.responses == ["utter_refused_nothing_open_request"]
