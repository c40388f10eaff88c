"""What staff wrote and decided is refused any other content by the database itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.timebank import chain, members
from actions.timebank.ids import BroadcastId, MemberId, TurnId
from actions.timebank.session import Village
from actions.timebank.staff import books, broadcasts, corrections, failures
from actions.timebank.staff.broadcast_delivery import told_in_person
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Audience,
    CallBackResult,
)
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.desk import hired
from tests.timebank.staff.talking import mishear

WORK = """
UPDATE chain_check SET first_bad = NULL, head = 'x'
DELETE FROM chain_check
UPDATE call_back SET words = 'x'
DELETE FROM call_back
UPDATE turn_note SET words = 'x'
DELETE FROM turn_note
UPDATE broadcast_visit SET told_by_id = member_id
DELETE FROM broadcast_visit
UPDATE training_decision SET said = 'x'
UPDATE training_decision SET state = 'refused'
DELETE FROM training_decision
UPDATE broadcast SET words = 'x'
UPDATE broadcast SET audience = 'alone'
UPDATE broadcast SET decided_by_id = NULL, decided_at = NULL
DELETE FROM broadcast
UPDATE broadcast_listener SET member_id = member_id
DELETE FROM broadcast_listener
""".strip().splitlines()


def _a_day_of_work(session: Session) -> None:
    chen = hired(session, "陈干事", Role.COORDINATOR, Role.BOOKKEEPER)
    zhou = hired(session, "周调解", Role.MEDIATOR)
    wang = make_member(session, "王奶奶", now=MORNING)
    turn = TurnId(mishear(session, members.member(session, MemberId(wang.id)), MORNING).id)
    his = {"by": chen, "now": MORNING}
    books.note_check(session, chain.verify(session), **his)
    failures.note(session, turn_id=turn, words="慢慢说", **his)
    failures.called_back(
        session, conversation=turn, result=CallBackResult.HELPED, words="好了", **his
    )
    written = corrections.correct(
        session, turn_id=turn, said="腿疼", intent="inform", entities=[], seen_version=0, **his
    )
    session.flush()
    corrections.accept(session, correction_id=written.id, by=zhou, said="腿疼", now=MORNING)
    words = {"words": "路修好了。", "spoken_seconds": 2, "audience": Audience.EVERYBODY}
    number = BroadcastId(broadcasts.write(session, **words, **his).id)
    broadcasts.heard(session, number, **his)
    broadcasts.propose(session, number, version=1, **his)
    broadcasts.approve(session, number, by=zhou, now=MORNING)
    told_in_person(session, number, member=MemberId(wang.id), **his)


def _refused(village: Village, statement: str) -> None:
    stays = pytest.raises(DBAPIError, match="what staff wrote and decided stays")
    with stays, village.transaction() as session:
        session.execute(text(statement))


def test_nothing_of_it_is_changed_or_taken_out(any_village: Village) -> None:
    with any_village.transaction() as session:
        _a_day_of_work(session)
    for statement in WORK:
        _refused(any_village, statement)


def test_what_a_second_person_looks_at_stands_still(any_village: Village) -> None:
    """Neither words nor listeners of a broadcast change between the look and the yes."""
    with any_village.transaction() as session:
        chen = hired(session, "陈干事", Role.COORDINATOR)
        his = {"by": chen, "now": MORNING}
        words = {"words": "路修好了。", "spoken_seconds": 2, "audience": Audience.MEMBERS}
        made = broadcasts.write(session, listeners=[chen], **words, **his)
        number = BroadcastId(made.id)
        broadcasts.heard(session, number, **his)
        broadcasts.propose(session, number, version=1, **his)
        other = make_member(session, "李建国", now=MORNING).id
    for statement in (
        "UPDATE broadcast SET words = 'x'",
        "UPDATE broadcast SET heard_at = NULL",
        f"INSERT INTO broadcast_listener VALUES ({number}, {other})",
        "DELETE FROM broadcast_listener",
    ):
        _refused(any_village, statement)


def test_what_was_let_into_the_training_can_be_taken_out_once(any_village: Village) -> None:
    with any_village.transaction() as session:
        _a_day_of_work(session)
        session.execute(text("UPDATE training_decision SET state = 'withdrawn'"))
    _refused(any_village, "UPDATE training_decision SET state = 'accepted'")
