"""One message is one turn, however often it arrives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import turns
from actions.timebank.errors import NotYours, UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Turn
from actions.timebank.session import Village
from actions.timebank.states import TurnOutcome
from tests.timebank.builders import MORNING, FakeClock, make_member

FIRST = TurnId("talk:1")


@pytest.fixture
def elder(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "王桂兰", now=clock())


@pytest.fixture
def helper(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "张秀英", now=clock())


def begin(
    session: Session, member: Member, clock: FakeClock, turn_id: TurnId = FIRST
) -> tuple[Turn, bool]:
    return turns.begin(session, turn_id=turn_id, member=member.id, channel="talk", now=clock())


def take_turn(session: Session, member: Member, clock: FakeClock, outcome: TurnOutcome) -> None:
    turn_id = TurnId(f"talk:{clock().isoformat()}")
    begin(session, member, clock, turn_id)
    turns.finish(session, turn_id, now=clock(), outcome=outcome)
    clock.pass_time(seconds=30)


def test_a_message_begins_one_turn(session: Session, clock: FakeClock, elder: Member) -> None:
    turn, is_new = begin(session, elder, clock)
    again, is_new_again = begin(session, elder, clock)

    assert (is_new, is_new_again) == (True, False)
    assert again is turn
    assert turn.outcome is TurnOutcome.BEGUN
    assert session.query(Turn).count() == 1


@pytest.mark.parametrize("outcome", [one for one in TurnOutcome if one is not TurnOutcome.BEGUN])
def test_a_finished_turn_is_never_answered_again(
    session: Session, clock: FakeClock, elder: Member, outcome: TurnOutcome
) -> None:
    begin(session, elder, clock)
    turns.finish(session, FIRST, now=clock(), outcome=outcome, reply="好")
    clock.pass_time(days=1)

    turn, is_new = begin(session, elder, clock)

    assert not is_new
    assert (turn.outcome, turn.reply) == (outcome, "好")


def test_a_turn_lost_in_a_crash_is_taken_up_once_more(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    begin(session, elder, clock)
    clock.pass_time(minutes=2)
    assert not begin(session, elder, clock)[1], "it may still be under way"
    clock.pass_time(seconds=1)

    turn, is_new = begin(session, elder, clock)

    assert is_new
    assert turn.began_at == clock()
    assert not begin(session, elder, clock)[1], "the second worker has it now"


def test_a_clock_that_was_set_back_does_not_lock_a_lost_turn(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    begin(session, elder, clock)
    clock.pass_time(hours=-3)

    assert begin(session, elder, clock)[1]


def test_a_turn_id_cannot_be_taken_over_by_another(
    session: Session, clock: FakeClock, elder: Member, helper: Member
) -> None:
    begin(session, elder, clock)
    clock.pass_time(hours=1)

    with pytest.raises(NotYours):
        begin(session, helper, clock)


def test_nobody_begins_no_turn(session: Session, clock: FakeClock, elder: Member) -> None:
    with pytest.raises(UnknownMember):
        turns.begin(session, turn_id=FIRST, member=MemberId(404), channel="talk", now=clock())
    assert begin(session, elder, clock)[1], "the transaction goes on"


def test_of_many_deliveries_at_once_one_is_new(village: Village, clock: FakeClock) -> None:
    with village.transaction() as session:
        elder_id = make_member(session, "王桂兰", now=clock()).id

    def arrive(_: int) -> bool:
        with village.transaction() as session:
            return turns.begin(
                session, turn_id=FIRST, member=elder_id, channel="talk", now=clock()
            )[1]

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(arrive, range(8))) == [False] * 7 + [True]


def test_finishing_stores_the_whole_turn(village: Village, clock: FakeClock) -> None:
    columns = {
        "code": "",
        "recording_path": "2026/03/02/1.ogg",
        "recording_sha256": "a" * 64,
        "heard": "俺腿疼",
        "heard_confidence": 0.75,
        "engine": "vosk",
        "intent": "request_help",
        "intent_confidence": 0.5,
        "entities": [{"entity": "when", "value": "2026-03-03"}],
        "reply": "好",
        "buttons": [{"title": "对", "payload": "/affirm"}],
        "stage_ms": {"hear": 700.5},
    }
    assert columns.keys() == turns.FILLED_AT_THE_END
    with village.transaction() as session:
        begin(session, make_member(session, "王桂兰", now=clock()), clock)
    with village.transaction() as session:
        turns.finish(
            session,
            FIRST,
            now=MORNING + timedelta(seconds=2),
            outcome=TurnOutcome.ANSWERED,
            **columns,
        )

    with village.reading() as session:
        turn = turns.find(session, FIRST)
        assert turn is not None
        assert {name: getattr(turn, name) for name in columns} == columns
        assert turn.outcome is TurnOutcome.ANSWERED
        assert turn.ended_at == MORNING + timedelta(seconds=2)


def test_a_late_worker_does_not_overwrite_the_answer(
    session: Session, clock: FakeClock, elder: Member
) -> None:
    begin(session, elder, clock)
    turns.finish(session, FIRST, now=clock(), outcome=TurnOutcome.ANSWERED, reply="好")

    turn = turns.finish(session, FIRST, now=clock(), outcome=TurnOutcome.FAILED, reply="坏")

    assert (turn.outcome, turn.reply) == (TurnOutcome.ANSWERED, "好")


def test_what_is_no_ending_is_refused(session: Session, clock: FakeClock, elder: Member) -> None:
    with pytest.raises(LookupError):
        turns.finish(session, FIRST, now=clock(), outcome=TurnOutcome.ANSWERED)
    begin(session, elder, clock)
    with pytest.raises(ValueError):
        turns.finish(session, FIRST, now=clock(), outcome=TurnOutcome.BEGUN)
    with pytest.raises(TypeError):
        turns.finish(session, FIRST, now=clock(), outcome=TurnOutcome.ANSWERED, member_id=2)


def test_a_message_that_never_came_is_not_found(session: Session) -> None:
    assert turns.find(session, TurnId("talk:none")) is None


def test_recent_turns_are_ones_own_and_newest_first(
    session: Session, clock: FakeClock, elder: Member, helper: Member
) -> None:
    for number in range(4):
        begin(session, elder, clock, TurnId(f"talk:{number}"))
        clock.pass_time(seconds=1)
    begin(session, helper, clock, TurnId("talk:other"))

    assert [one.id for one in turns.recent(session, elder.id, 3)] == ["talk:3", "talk:2", "talk:1"]


def test_repairs_in_a_row_are_counted_until_something_went_well(
    session: Session, clock: FakeClock, elder: Member, helper: Member
) -> None:
    def in_a_row() -> int:
        return turns.repairs_in_a_row(session, elder.id, now=clock())

    assert in_a_row() == 0
    take_turn(session, elder, clock, TurnOutcome.REPAIRED)
    take_turn(session, elder, clock, TurnOutcome.ANSWERED)
    assert in_a_row() == 0
    take_turn(session, elder, clock, TurnOutcome.REPAIRED)
    take_turn(session, helper, clock, TurnOutcome.ANSWERED)
    take_turn(session, elder, clock, TurnOutcome.REPAIRED)
    assert in_a_row() == 2
    begin(session, elder, clock, TurnId("talk:now"))
    assert in_a_row() == 2, "the turn being answered does not interrupt"


def test_an_old_struggle_is_forgotten(session: Session, clock: FakeClock, elder: Member) -> None:
    take_turn(session, elder, clock, TurnOutcome.REPAIRED)
    clock.pass_time(minutes=8)
    take_turn(session, elder, clock, TurnOutcome.REPAIRED)
    assert turns.repairs_in_a_row(session, elder.id, now=clock()) == 2
    clock.pass_time(minutes=2)

    assert turns.repairs_in_a_row(session, elder.id, now=clock()) == 1


def struggles(session: Session, member: Member, clock: FakeClock) -> int:
    wanted = {"intents": ("repeat",), "codes": ("not_heard",)}
    return turns.struggles(session, member.id, now=clock(), **wanted)


def test_struggles_are_counted_by_intent_or_code_within_ten_minutes(
    session: Session, clock: FakeClock, elder: Member, helper: Member
) -> None:
    endings = [("repeat", ""), ("", "not_heard"), ("repeat", "not_heard"), ("greet", ""), ("", "")]
    for number, (intent, code) in enumerate(endings):
        turn_id = TurnId(f"talk:{number}")
        begin(session, elder, clock, turn_id)
        how = {"outcome": TurnOutcome.ANSWERED, "intent": intent, "code": code}
        turns.finish(session, turn_id, now=clock(), **how)
    begin(session, elder, clock, TurnId("talk:under_way"))
    assert (struggles(session, elder, clock), struggles(session, helper, clock)) == (3, 0)
    clock.pass_time(minutes=10)
    assert struggles(session, elder, clock) == 0
