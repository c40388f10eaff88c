"""What went wrong, whom it hits most, and what is done about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import turns
from actions.timebank.errors import NothingOpen, NothingWritten, NotYours, WrongState
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Turn
from actions.timebank.staff import failures
from actions.timebank.staff.failures import Failure, FailureKind
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    CallBackResult,
    FailureState,
)
from actions.timebank.states import TurnOutcome
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.talking import hire, mishear, say

MINUTE = timedelta(minutes=1)
NOON = MORNING + timedelta(hours=3)


@pytest.fixture
def wang(session: Session) -> Member:
    return make_member(session, "王桂兰", now=MORNING, lives_alone=True)


@pytest.fixture
def li(session: Session) -> Member:
    return make_member(session, "李建国", now=MORNING)


@pytest.fixture
def chen(session: Session) -> MemberId:
    return hire(session, "陈干事", Role.COORDINATOR)


@pytest.fixture
def zhou(session: Session) -> MemberId:
    return hire(session, "周会计", Role.MEDIATOR)


def queue(session: Session, now: object = NOON) -> list[Failure]:
    return list(failures.queue(session, is_danger=lambda words: "摔" in words, now=now))  # type: ignore[arg-type]


def failed(session: Session, person: Member) -> TurnId:
    turn = say(session, person, MORNING, outcome=TurnOutcome.FAILED, code="bug")
    return TurnId(turn.id)


# What went wrong


def test_a_conversation_that_went_well_is_no_failure(session: Session, wang: Member) -> None:
    say(session, wang, MORNING, reply="明天上午九点，对吗？")
    say(session, wang, MORNING + MINUTE, heard="对", intent="affirm")

    assert queue(session) == []


@pytest.mark.parametrize(
    "columns, kind",
    [
        ({"outcome": TurnOutcome.FAILED}, FailureKind.FAILED),
        ({"intent": "out_of_scope"}, FailureKind.OUT_OF_SCOPE),
        ({"heard_confidence": 0.49}, FailureKind.LOW_CONFIDENCE),
        ({"intent_confidence": 0.34}, FailureKind.LOW_CONFIDENCE),
        ({"outcome": TurnOutcome.REPAIRED, "reply": "再说一遍。"}, FailureKind.LOW_CONFIDENCE),
        ({"reply": "您要几点？"}, FailureKind.ABANDONED),
    ],
)
def test_what_goes_wrong_is_told_by_its_kind(
    session: Session, wang: Member, columns: dict[str, object], kind: FailureKind
) -> None:
    say(session, wang, MORNING, **columns)

    [one] = queue(session)
    assert kind in one.kinds


def test_three_repairs_in_a_row_are_the_ladder_s_end(session: Session, wang: Member) -> None:
    for number in range(3):
        mishear(session, wang, MORNING + number * MINUTE)
    say(session, wang, MORNING + 4 * MINUTE)

    [one] = queue(session)
    assert one.kinds == [FailureKind.LADDER_END, FailureKind.LOW_CONFIDENCE]
    assert one.heard == "嗯那个"


def test_repairs_with_success_between_are_not(session: Session, wang: Member) -> None:
    for number in range(4):
        mishear(session, wang, MORNING + 2 * number * MINUTE)
        say(session, wang, MORNING + (2 * number + 1) * MINUTE)

    [one] = queue(session)
    assert FailureKind.LADDER_END not in one.kinds


def test_a_question_of_a_moment_ago_is_not_abandoned(session: Session, wang: Member) -> None:
    say(session, wang, NOON - 29 * MINUTE, reply="您要几点？")
    assert queue(session) == []
    assert [one.kinds for one in queue(session, NOON + MINUTE)] == [[FailureKind.ABANDONED]]


def test_who_says_goodbye_to_a_question_abandons_nothing(session: Session, wang: Member) -> None:
    say(session, wang, MORNING, intent="goodbye", reply="再见。明天还聊吗？")
    assert queue(session) == []


def test_a_turn_that_was_lost_in_a_crash_is_a_failure(session: Session, wang: Member) -> None:
    turns.begin(session, turn_id=TurnId("talk:x"), member=wang.id, channel="talk", now=MORNING)
    assert [one.kinds for one in queue(session)] == [[FailureKind.FAILED]]


def test_failures_of_long_ago_are_over(session: Session, wang: Member) -> None:
    failed(session, wang)
    assert queue(session, MORNING + failures.LOOKED_BACK - MINUTE)
    assert not queue(session, MORNING + failures.LOOKED_BACK + MINUTE)


# Who needs it most


def test_danger_comes_first_then_who_lives_alone_then_who_fails_often(
    session: Session, wang: Member, li: Member
) -> None:
    zhao = make_member(session, "赵铁柱", now=MORNING)
    sun = make_member(session, "孙大娘", now=MORNING)
    qian = make_member(session, "钱婶", now=MORNING)
    mishear(session, qian, MORNING - 60 * MINUTE)
    mishear(session, sun, MORNING)
    mishear(session, zhao, MORNING + MINUTE)
    mishear(session, zhao, MORNING + 60 * MINUTE)
    mishear(session, wang, MORNING + 61 * MINUTE)
    mishear(session, li, MORNING + 62 * MINUTE, heard="俺摔着")

    assert [one.name for one in queue(session)] == (
        ["李建国", "王桂兰", "赵铁柱", "赵铁柱", "钱婶", "孙大娘"]
    )


def test_an_emergency_by_any_words_is_danger(session: Session, li: Member) -> None:
    say(session, li, MORNING, intent="emergency", outcome=TurnOutcome.FAILED)
    assert [one.danger for one in queue(session)] == [True]


# Caring for it


def test_who_takes_it_calls_back_and_it_is_settled(
    session: Session, wang: Member, chen: MemberId
) -> None:
    talk = failed(session, wang)
    failures.take(session, conversation=talk, by=chen, now=NOON)
    assert [(one.state, one.by) for one in queue(session)] == [(FailureState.TAKEN, "陈干事")]

    failures.called_back(
        session,
        conversation=talk,
        by=chen,
        result=CallBackResult.HELPED,
        words=" 帮她登记了\u202e\n买菜 ",
        now=NOON,
    )
    assert [one.state for one in queue(session)] == [FailureState.SETTLED]
    [call] = failures.calls_of(session, talk)
    assert (call.by.name, call.at, call.words) == ("陈干事", NOON, "帮她登记了 买菜")


def test_who_was_not_reached_stays_with_who_called(
    session: Session, wang: Member, chen: MemberId
) -> None:
    talk = failed(session, wang)
    failures.called_back(
        session,
        conversation=talk,
        by=chen,
        result=CallBackResult.NOT_REACHED,
        words="",
        now=NOON,
    )
    assert [(one.state, one.by) for one in queue(session)] == [(FailureState.TAKEN, "陈干事")]


def test_what_another_has_taken_is_his(
    session: Session, wang: Member, chen: MemberId, zhou: MemberId
) -> None:
    talk = failed(session, wang)
    failures.take(session, conversation=talk, by=chen, now=NOON)
    failures.take(session, conversation=talk, by=chen, now=NOON)
    for step in (failures.take, failures.settle, failures.give_back):
        with pytest.raises(WrongState) as refused:
            step(session, conversation=talk, by=zhou, now=NOON)
        assert refused.value.facts == {"state": "taken", "by": "陈干事"}

    failures.give_back(session, conversation=talk, by=chen, now=NOON)
    assert [one.state for one in queue(session)] == [FailureState.NEW]
    failures.settle(session, conversation=talk, by=zhou, now=NOON)
    assert [(one.state, one.by) for one in queue(session)] == [(FailureState.SETTLED, "周会计")]


def test_what_fails_once_more_is_new_again(session: Session, wang: Member, chen: MemberId) -> None:
    talk = failed(session, wang)
    failures.settle(session, conversation=talk, by=chen, now=MORNING + MINUTE)
    say(session, wang, MORNING + 10 * MINUTE, outcome=TurnOutcome.FAILED)

    assert [one.state for one in queue(session)] == [FailureState.NEW]


def test_any_turn_of_the_conversation_leads_to_it(
    session: Session, wang: Member, chen: MemberId
) -> None:
    first = failed(session, wang)
    later = say(session, wang, MORNING + MINUTE)
    failures.take(session, conversation=TurnId(later.id), by=chen, now=NOON)

    care = failures.care_of(session, first)
    assert care is not None and care.state is FailureState.TAKEN


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.ADMINISTRATOR, None])
def test_who_only_looks_or_is_no_staff_changes_nothing(
    session: Session, wang: Member, role: Role | None
) -> None:
    talk = failed(session, wang)
    by = hire(session, "路人", role) if role else MemberId(wang.id)
    with pytest.raises(NotYours):
        failures.take(session, conversation=talk, by=by, now=NOON)
    with pytest.raises(NotYours):
        failures.note(session, turn_id=talk, by=by, words="好", now=NOON)
    assert failures.care_of(session, talk) is None


def test_nothing_is_noted_on_what_was_never_said(session: Session, chen: MemberId) -> None:
    nowhere = TurnId("talk:0:'; DROP TABLE turn; --")
    with pytest.raises(NothingOpen):
        failures.take(session, conversation=nowhere, by=chen, now=NOON)
    with pytest.raises(NothingOpen):
        failures.note(session, turn_id=nowhere, by=chen, words="好", now=NOON)
    assert session.query(Turn).count() == 0


def test_a_note_says_something_in_one_line(session: Session, wang: Member, chen: MemberId) -> None:
    talk = failed(session, wang)
    failures.note(session, turn_id=talk, by=chen, words="耳背，\n慢慢说", now=NOON)
    with pytest.raises(NothingWritten):
        failures.note(session, turn_id=talk, by=chen, words=" \u200b\n", now=NOON)

    assert [(one.words, one.by.name) for one in failures.notes_of(session, [talk])] == [
        ("耳背， 慢慢说", "陈干事")
    ]
