"""Reminders: at their time, again until answered, and not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import outbox, reminders
from actions.timebank.errors import InThePast, NothingOpen, NotYours, UnknownMember
from actions.timebank.ids import ReminderId
from actions.timebank.model import Reminder
from actions.timebank.states import ReminderState
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in

LATER = timedelta(hours=1)


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


def reminded(hood: Neighbourhood, **fields: Any) -> Reminder:
    """王奶奶 wants to take her medicine in an hour, unless told otherwise."""
    asked: dict[str, Any] = {
        "member": hood.wang.id,
        "words": "吃药",
        "due_at": hood.now + LATER,
        "turn_id": new_turn(),
        "now": hood.now,
        "is_medicine": True,
    }
    return reminders.set_reminder(hood.session, **{**asked, **fields})


def looked(hood: Neighbourhood, after: timedelta) -> list[ReminderId]:
    return reminders.tell_due(hood.session, now=hood.now + after)


def heard(hood: Neighbourhood) -> int:
    """王奶奶's page fetches and speaks all that waits for her."""
    waiting = [one for one in outbox.queued_for(hood.session, hood.wang.id)]
    for one in waiting:
        outbox.deliver(hood.session, notice_id=one.id, member=hood.wang.id, now=hood.now)
    return len([one for one in waiting if one.kind == "reminder"])


def states(hood: Neighbourhood) -> list[ReminderState]:
    rows = select(Reminder.state).order_by(Reminder.id)
    return list(hood.session.execute(rows).scalars())


def test_it_is_told_at_its_time_and_not_before(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    assert looked(hood, LATER - timedelta(seconds=1)) == []
    assert looked(hood, LATER) == [reminder.id] and reminder.state is ReminderState.TOLD
    facts = {"reminder_id": reminder.id, "words": "吃药"}
    assert hood.notices(hood.wang, "reminder") == [facts]


def test_it_is_told_every_five_minutes_six_times_and_then_given_up(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    told = 0
    for minute in range(0, 60):
        looked(hood, LATER + timedelta(minutes=minute))
        told += heard(hood)
    assert told == reminders.MOST_TIMES and reminder.state is ReminderState.GIVEN_UP
    assert hood.notices(hood.staff, "staff_reminder_unanswered") == [
        {"member": "王奶奶", "words": "吃药"}
    ]


def test_while_her_phone_is_off_it_waits_once_and_not_six_times(hood: Neighbourhood) -> None:
    reminded(hood)
    for minute in range(0, 30, 5):
        looked(hood, LATER + timedelta(minutes=minute))
    assert heard(hood) == 1


def test_staff_are_not_told_of_a_pot_that_boils(hood: Neighbourhood) -> None:
    reminder = reminded(hood, words="关火", is_medicine=False)
    looked(hood, LATER)
    looked(hood, LATER + timedelta(minutes=30))
    assert reminder.state is ReminderState.GIVEN_UP
    assert hood.notices(hood.staff, "staff_reminder_unanswered") == []


def test_a_machine_that_was_off_tells_nothing_half_an_hour_late(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    looked(hood, LATER + timedelta(minutes=30))
    assert reminder.state is ReminderState.GIVEN_UP
    assert hood.notices(hood.wang, "reminder") == []
    assert len(hood.notices(hood.staff, "staff_reminder_unanswered")) == 1


def test_two_looks_at_one_moment_tell_once(hood: Neighbourhood) -> None:
    reminded(hood)
    assert len(looked(hood, LATER)) == 1 and looked(hood, LATER) == []


def test_an_answer_ends_it(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    looked(hood, LATER)
    assert reminders.unanswered(hood.session, hood.wang.id) == [reminder]
    for _ in range(2):
        answered(hood, reminder)
        assert reminder.state is ReminderState.ANSWERED
    assert reminders.unanswered(hood.session, hood.wang.id) == []
    assert looked(hood, LATER + timedelta(minutes=5)) == []


def answered(hood: Neighbourhood, reminder: Reminder, at: datetime | None = None) -> None:
    reminders.answer(
        hood.session, member=hood.wang.id, reminder_id=reminder.id, now=at or hood.now + LATER
    )


def test_an_answer_before_its_time_leaves_it_waiting(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    answered(hood, reminder)
    assert reminder.state is ReminderState.WAITING


@pytest.mark.parametrize("how", ["answered", "given up"])
def test_a_daily_one_comes_again_tomorrow(hood: Neighbourhood, how: str) -> None:
    reminder = reminded(hood, repeats_daily=True)
    looked(hood, LATER)
    if how == "answered":
        answered(hood, reminder)
    looked(hood, LATER + timedelta(minutes=30))
    [tomorrow] = reminders.alive(hood.session, hood.wang.id)
    assert tomorrow.state is ReminderState.WAITING
    assert tomorrow.due_at == reminder.due_at + timedelta(days=1)
    assert (tomorrow.words, tomorrow.is_medicine, tomorrow.repeats_daily) == ("吃药", True, True)
    assert looked(hood, LATER + timedelta(days=1)) == [tomorrow.id]


def test_a_daily_one_skips_the_days_the_machine_was_off(hood: Neighbourhood) -> None:
    reminder = reminded(hood, repeats_daily=True)
    looked(hood, LATER + timedelta(days=3, hours=1))
    [next_one] = reminders.alive(hood.session, hood.wang.id)
    assert next_one.due_at == reminder.due_at + timedelta(days=4)
    assert len(states(hood)) == 2


@pytest.mark.parametrize("told", [False, True])
def test_what_is_called_off_is_told_no_more_on_no_day(hood: Neighbourhood, told: bool) -> None:
    reminder = reminded(hood, repeats_daily=True)
    if told:
        looked(hood, LATER)
    for _ in range(2):
        reminders.cancel(hood.session, member=hood.wang.id, reminder_id=reminder.id, now=hood.now)
    assert states(hood) == [ReminderState.CANCELLED]
    assert looked(hood, LATER + timedelta(days=1)) == []


def test_what_ended_by_itself_is_not_called_off_afterwards(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    looked(hood, LATER + timedelta(minutes=30))
    reminders.cancel(hood.session, member=hood.wang.id, reminder_id=reminder.id, now=hood.now)
    assert reminder.state is ReminderState.GIVEN_UP


def test_nobody_answers_or_calls_off_for_another(hood: Neighbourhood) -> None:
    reminder = reminded(hood)
    for act in (reminders.answer, reminders.cancel):
        with pytest.raises(NotYours):
            act(hood.session, member=hood.zhang.id, reminder_id=reminder.id, now=hood.now)
    assert reminder.state is ReminderState.WAITING


@pytest.mark.parametrize("number", [-1, 0, 99, 2**40])
def test_a_made_up_reminder_is_none(hood: Neighbourhood, number: int) -> None:
    with pytest.raises(NothingOpen):
        reminders.answer(
            hood.session, member=hood.wang.id, reminder_id=ReminderId(number), now=hood.now
        )


def test_one_turn_asks_once(hood: Neighbourhood) -> None:
    turn = new_turn()
    assert reminded(hood, turn_id=turn) is reminded(hood, turn_id=turn)
    with pytest.raises(NotYours):
        reminded(hood, turn_id=turn, member=hood.zhang.id)


def test_a_past_time_is_refused(hood: Neighbourhood) -> None:
    with pytest.raises(InThePast):
        reminded(hood, due_at=hood.now - timedelta(seconds=1))
    assert states(hood) == []


def test_a_stranger_is_not_reminded(hood: Neighbourhood) -> None:
    with pytest.raises(UnknownMember):
        reminded(hood, member=4711)


def test_twenty_wait_and_the_next_is_refused(hood: Neighbourhood) -> None:
    rows = [reminded(hood) for _ in range(reminders.MOST_WAITING)]
    with pytest.raises(reminders.TooManyReminders) as refused:
        reminded(hood)
    assert refused.value.facts == {"most": 20}
    reminded(hood, member=hood.zhang.id)
    reminders.cancel(hood.session, member=hood.wang.id, reminder_id=rows[0].id, now=hood.now)
    reminded(hood)


def test_a_long_story_is_cut_to_what_can_be_said(hood: Neighbourhood) -> None:
    assert len(reminded(hood, words="药" * 500).words) == reminders.LONGEST_WORDS


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": "  "},
        {"state": ReminderState.TOLD},
        {"state": ReminderState.ANSWERED},
    ],
)
def test_the_database_itself_refuses_what_cannot_be(
    hood: Neighbourhood, wrong: dict[str, Any]
) -> None:
    columns = {
        "member_id": hood.wang.id,
        "words": "吃药",
        "due_at": hood.now,
        "turn_id": "t",
        "created_at": hood.now,
    }
    hood.session.add(Reminder(**{**columns, **wrong}))
    with pytest.raises(IntegrityError):
        hood.session.flush()
