"""Who lives alone is asked how she is, and somebody goes to look when she stays silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import alarm_chain, alerts, check_ins, outbox, turns
from actions.timebank.alarm_chain import CHECK_IN_CHAIN, EMERGENCY_CHAIN, read_chain
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import AlertId, MemberId, TurnId
from actions.timebank.model import Alert, CheckIn, Member
from actions.timebank.states import (
    AlertKind,
    AlertState,
    CheckInState,
    Rhythm,
    TurnOutcome,
)
from tests.timebank.builders import FakeClock, make_member

CHAINS = {
    AlertKind.EMERGENCY: read_chain(EMERGENCY_CHAIN),
    AlertKind.MISSED_CHECK_IN: read_chain(CHECK_IN_CHAIN),
}
_turns = count(1)


@pytest.fixture
def wang(session: Session, clock: FakeClock) -> Member:
    """The second member: her day is the Wednesday after this Monday."""
    make_member(session, "赵明", now=clock(), is_coordinator=True)
    return make_member(session, "王桂兰", now=clock(), lives_alone=True, place="村东头")


@pytest.fixture
def zhang(session: Session, clock: FakeClock, wang: Member) -> Member:
    return make_member(session, "张秀英", now=clock(), takes_tasks=True)


def daily(session: Session, wang: Member, clock: FakeClock) -> None:
    check_ins.set_rhythm(session, member=wang.id, rhythm=Rhythm.DAILY, now=clock())


def look_at(session: Session, clock: FakeClock, moment: str) -> list[int]:
    """Lets the village's clock show this time, and looks."""
    clock.now = datetime.fromisoformat(f"2026-03-{moment}").replace(tzinfo=VILLAGE_ZONE)
    return check_ins.look(session, now=clock())


def says(
    session: Session,
    who: Member,
    clock: FakeClock,
    words: str = "叫人买菜",
    outcome: TurnOutcome = TurnOutcome.ANSWERED,
) -> None:
    turn_id = TurnId(f"talk:{next(_turns)}")
    turns.begin(session, turn_id=turn_id, member=who.id, channel="talk", now=clock())
    turns.finish(session, turn_id, now=clock(), outcome=outcome, heard=words)


def states(session: Session) -> list[str]:
    return [one.state.value for one in session.query(CheckIn).order_by(CheckIn.id)]


def kinds(session: Session, who: Member) -> list[str]:
    return [one.kind for one in outbox.queued_for(session, who.id)]


def missed(session: Session, wang: Member, clock: FakeClock) -> Alert:
    daily(session, wang, clock)
    for moment in ("03T09:00", "03T11:00", "03T13:00"):
        look_at(session, clock, moment)
    return session.query(Alert).one()


# When she is asked


def test_who_lives_alone_is_asked_once_a_week_in_the_morning(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    assert look_at(session, clock, "02T10:00") == []
    assert look_at(session, clock, "04T08:59") == []
    assert len(look_at(session, clock, "04T09:00")) == 1
    assert look_at(session, clock, "04T09:00") == []
    [notice] = outbox.queued_for(session, wang.id)
    assert (notice.kind, notice.facts["member"]) == ("check_in", "王桂兰")
    says(session, wang, clock)
    look_at(session, clock, "04T09:10")
    look_at(session, clock, "04T09:11")
    assert states(session) == ["answered", "waiting"]
    ahead = check_ins.open_check_in(session, wang.id)
    assert ahead is not None
    assert ahead.due_at == datetime(2026, 3, 11, 9, tzinfo=VILLAGE_ZONE)


def test_who_lives_with_others_is_not_asked_unless_she_wishes(
    session: Session, clock: FakeClock, zhang: Member
) -> None:
    look_at(session, clock, "02T10:00")
    assert check_ins.open_check_in(session, zhang.id) is None
    daily(session, zhang, clock)
    look_at(session, clock, "03T09:00")
    assert kinds(session, zhang) == ["check_in"]


def test_a_daily_wish_is_kept_every_day(session: Session, clock: FakeClock, wang: Member) -> None:
    daily(session, wang, clock)
    for day in ("03", "04", "05"):
        look_at(session, clock, f"{day}T09:00")
        says(session, wang, clock)
        look_at(session, clock, f"{day}T09:05")
    assert kinds(session, wang) == ["check_in"] * 3


def test_never_is_kept_too_also_when_she_was_just_asked(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T09:00")
    check_ins.set_rhythm(session, member=wang.id, rhythm=Rhythm.NEVER, now=clock())
    for moment in ("03T11:00", "03T15:00", "09T09:00"):
        assert look_at(session, clock, moment) == []
    assert states(session) == ["cancelled"]
    assert session.query(Alert).count() == 0


def test_a_wish_of_nobody_is_refused(session: Session, clock: FakeClock) -> None:
    with pytest.raises(UnknownMember):
        check_ins.set_rhythm(session, member=MemberId(404), rhythm=Rhythm.DAILY, now=clock())


def test_who_has_spoken_that_day_is_not_asked(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T07:00")
    says(session, wang, clock)
    look_at(session, clock, "03T09:00")
    assert kinds(session, wang) == [] and states(session) == ["answered", "waiting"]


def test_another_s_words_are_no_sign_of_her_life(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T07:00")
    says(session, zhang, clock)
    look_at(session, clock, "03T09:00")
    assert kinds(session, wang) == ["check_in"]


def test_after_a_day_without_power_she_is_asked_the_next_morning(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T19:00")
    look_at(session, clock, "04T08:30")
    assert kinds(session, wang) == []
    look_at(session, clock, "04T09:00")
    assert kinds(session, wang) == ["check_in"]


def test_who_has_left_the_village_is_neither_asked_nor_missed(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T09:00")
    wang.left_at = clock()
    for moment in ("03T11:00", "03T15:00", "04T09:00"):
        look_at(session, clock, moment)
    assert states(session) == ["cancelled"] and session.query(Alert).count() == 0


# When she does not answer


def test_silence_is_asked_again_and_then_looked_after_calmly(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T09:00")
    assert look_at(session, clock, "03T10:59") == []
    look_at(session, clock, "03T11:00")
    assert kinds(session, wang) == ["check_in", "check_in_again"]
    assert look_at(session, clock, "03T12:59") == []
    look_at(session, clock, "03T13:00")
    assert look_at(session, clock, "03T13:00") == []

    alert = session.query(Alert).one()
    assert (alert.kind, alert.state) == (AlertKind.MISSED_CHECK_IN, AlertState.RAISED)
    assert states(session) == ["missed"]
    assert kinds(session, zhang) == ["check_in_missed"]
    assert kinds(session, wang)[-1] == "alarm_for_silence"


def test_an_old_question_is_not_put_when_she_was_missed_meanwhile(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    alert = missed(session, wang, clock)
    asked = [one for one in outbox.queued_for(session, wang.id) if one.kind.startswith("check_in")]
    assert len(asked) == 2
    assert not any(outbox.still_true(session, one) for one in asked)
    [call] = [one for one in outbox.queued_for(session, zhang.id) if one.kind == "check_in_missed"]
    assert outbox.still_true(session, call)
    alerts.take_alert(session, alert_id=AlertId(alert.id), by=zhang.id, now=clock())
    assert not outbox.still_true(session, call)


def test_a_missed_check_in_climbs_slowly_and_never_shouts(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    far = make_member(session, "周小梅", now=clock(), lane="槐树巷")
    make_member(session, "吴婶", now=clock(), lane="槐树巷")
    next_door = make_member(session, "刘大山", now=clock())
    missed(session, wang, clock)
    alarm_chain.climb(session, CHAINS, now=clock.pass_time(minutes=59))
    assert kinds(session, far) == [] and kinds(session, next_door) == ["check_in_missed"]
    alarm_chain.climb(session, CHAINS, now=clock.pass_time(minutes=1))
    assert kinds(session, far) == ["check_in_missed"]
    alarm_chain.climb(session, CHAINS, now=clock.pass_time(hours=3))
    assert "alarm_nobody_yet" not in kinds(session, wang)


@pytest.mark.parametrize(
    "outcome", [TurnOutcome.ANSWERED, TurnOutcome.REPAIRED, TurnOutcome.FAILED]
)
def test_her_voice_counts_whatever_came_of_it(
    session: Session, clock: FakeClock, wang: Member, outcome: TurnOutcome
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T09:00")
    says(session, wang, clock, "嗯哼", outcome)
    look_at(session, clock, "03T15:00")
    assert states(session) == ["answered", "waiting"] and session.query(Alert).count() == 0


def test_a_silent_recording_is_no_sign_of_life(
    session: Session, clock: FakeClock, wang: Member
) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T09:00")
    says(session, wang, clock, "", TurnOutcome.REPAIRED)
    turns.begin(session, turn_id=TurnId("talk:lost"), member=wang.id, channel="talk", now=clock())
    for moment in ("03T11:00", "03T13:00"):
        look_at(session, clock, moment)
    assert states(session) == ["missed"]


def test_nobody_is_woken_by_a_check_in(session: Session, clock: FakeClock, wang: Member) -> None:
    daily(session, wang, clock)
    look_at(session, clock, "03T15:00")
    look_at(session, clock, "03T18:00")
    for moment in ("03T20:00", "04T03:00", "04T07:59"):
        assert look_at(session, clock, moment) == []
    look_at(session, clock, "04T08:00")
    assert states(session) == ["missed"]


def test_her_answer_after_all_sends_everybody_home(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    alert = missed(session, wang, clock)
    alerts.take_alert(session, alert_id=AlertId(alert.id), by=zhang.id, now=clock())
    assert kinds(session, wang)[-1] == "check_in_taken"
    clock.pass_time(minutes=5)
    says(session, wang, clock, "我刚才下地了")
    assert check_ins.look(session, now=clock()) and not check_ins.look(session, now=clock())
    assert alert.state is AlertState.CLOSED
    assert kinds(session, zhang) == ["check_in_missed", "check_in_answered"]
    assert alarm_chain.climb(session, CHAINS, now=clock.pass_time(hours=9)) == []


def test_a_cry_for_help_is_no_good_news(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    alert = missed(session, wang, clock)
    clock.pass_time(minutes=5)
    says(session, wang, clock, "我摔了")
    turn_id = TurnId("talk:cry")
    alerts.raise_alert(session, member=wang.id, words="我摔了", turn_id=turn_id, now=clock())
    check_ins.look(session, now=clock())
    assert alert.state is AlertState.CLOSED
    assert kinds(session, zhang) == ["check_in_missed", "neighbour_alert"]


def test_while_somebody_looks_after_her_she_is_not_asked_besides(
    session: Session, clock: FakeClock, wang: Member, zhang: Member
) -> None:
    alert = missed(session, wang, clock)
    look_at(session, clock, "05T09:00")
    assert states(session) == ["missed"]
    alerts.take_alert(session, alert_id=AlertId(alert.id), by=zhang.id, now=clock())
    alerts.close_alert(session, alert_id=AlertId(alert.id), by=zhang.id, now=clock())
    look_at(session, clock, "05T09:01")
    assert states(session) == ["missed", "waiting"]


# What the database itself keeps


@pytest.mark.parametrize(
    "state, times",
    [
        (CheckInState.WAITING, {"ended_at": True}),
        (CheckInState.ASKED, {}),
        (CheckInState.ANSWERED, {}),
        (CheckInState.MISSED, {"asked_at": True, "ended_at": True}),
        (CheckInState.WAITING, {"asked_again_at": True}),
    ],
)
def test_a_check_in_that_contradicts_itself_is_refused(
    session: Session, clock: FakeClock, zhang: Member, state: CheckInState, times: dict[str, bool]
) -> None:
    moments = {name: clock() for name in times}
    session.add(CheckIn(member_id=zhang.id, due_at=clock(), state=state, **moments))
    with pytest.raises(IntegrityError):
        session.flush()


def test_she_is_asked_one_thing_at_a_time(session: Session, clock: FakeClock, wang: Member) -> None:
    daily(session, wang, clock)
    session.add(CheckIn(member_id=wang.id, due_at=clock() + timedelta(days=1)))
    with pytest.raises(IntegrityError):
        session.flush()
