"""Before an alarm that may be none: one question, and no answer is an answer too."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import alarm_questions, outbox
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import AlarmQuestion, Alert, Member
from tests.timebank.builders import FakeClock, make_member

FIRST, SECOND = TurnId("talk:1"), TurnId("talk:2")


@pytest.fixture
def elder(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "王桂兰", now=clock(), place="村东头")


@pytest.fixture
def director(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "赵明", now=clock(), is_coordinator=True)


def ask(session: Session, elder: Member, clock: FakeClock, turn: TurnId = FIRST) -> None:
    alarm_questions.ask(session, member=elder.id, words="不得劲", turn_id=turn, now=clock())


def alarms(session: Session) -> list[Alert]:
    return list(session.execute(select(Alert)).scalars())


def told(session: Session, who: Member) -> list[tuple[str, dict[str, object]]]:
    return [(one.kind, one.facts) for one in outbox.queued_for(session, who.id)]


def test_a_question_calls_nobody_yet(
    session: Session, clock: FakeClock, elder: Member, director: Member
) -> None:
    ask(session, elder, clock)
    assert alarm_questions.waiting(session, elder.id).words == "不得劲"  # type: ignore[union-attr]
    assert alarm_questions.waiting(session, director.id) is None
    assert alarms(session) == [] and told(session, director) == []


def test_asking_twice_is_one_question(session: Session, clock: FakeClock, elder: Member) -> None:
    for turn in (FIRST, FIRST, SECOND):
        ask(session, elder, clock, turn)
    assert session.query(AlarmQuestion).count() == 1


def test_the_same_turn_asks_no_second_time_after_its_answer(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    ask(session, elder, clock)
    settle(session, elder, clock)
    ask(session, elder, clock)
    assert alarm_questions.waiting(session, elder.id) is None


def settle(session: Session, elder: Member, clock: FakeClock) -> None:
    question = alarm_questions.waiting(session, elder.id)
    assert question is not None
    alarm_questions.settle(session, question, now=clock())


def test_the_database_keeps_to_one_open_question(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    ask(session, elder, clock)
    session.add(AlarmQuestion(turn_id=SECOND, member_id=elder.id, words="", asked_at=clock()))
    with pytest.raises(IntegrityError):
        session.flush()


def test_whoever_calls_is_told_with_the_words_of_the_question(
    session: Session, clock: FakeClock, elder: Member, director: Member
) -> None:
    ask(session, elder, clock)
    for _ in range(2):
        alarm_questions.call(session, member=elder.id, words="快来", turn_id=SECOND, now=clock())
    [alert] = alarms(session)
    assert alert.words == "不得劲\n快来"
    assert [facts["words"] for _kind, facts in told(session, director)] == ["不得劲\n快来"]
    assert alarm_questions.waiting(session, elder.id) is None


def test_a_no_keeps_people_from_being_called(
    session: Session, clock: FakeClock, elder: Member, director: Member
) -> None:
    ask(session, elder, clock)
    settle(session, elder, clock)
    clock.pass_time(minutes=5)
    assert alarm_questions.call_unanswered(session, now=clock()) == []
    assert alarms(session) == [] and told(session, director) == []


def test_silence_calls_people_and_tells_her_who_comes(
    session: Session, clock: FakeClock, elder: Member, director: Member
) -> None:
    ask(session, elder, clock)
    clock.pass_time(seconds=59)
    assert alarm_questions.call_unanswered(session, now=clock()) == []
    clock.pass_time(seconds=1)
    [alarm] = alarm_questions.call_unanswered(session, now=clock())
    assert alarm_questions.call_unanswered(session, now=clock()) == []
    [alert] = alarms(session)
    assert (alert.id, alert.words, alert.member_id) == (alarm, "不得劲", elder.id)
    assert [kind for kind, _ in told(session, director)] == ["staff_alert"]
    assert told(session, elder) == [("alarm_for_silence", {"who": "赵明"})]


def test_silence_where_nobody_is_near_is_told_too(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    ask(session, elder, clock)
    clock.pass_time(minutes=1)
    assert len(alarm_questions.call_unanswered(session, now=clock())) == 1
    assert told(session, elder) == [("alarm_reached_nobody", {})]


def test_a_stranger_is_not_asked(session: Session, clock: FakeClock) -> None:
    with pytest.raises(UnknownMember):
        alarm_questions.ask(session, member=MemberId(999), words="", turn_id=FIRST, now=clock())
