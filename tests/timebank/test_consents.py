"""Whose recordings are kept, who is asked when, and what is to be deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import consents, turns
from actions.timebank.errors import NotYours, UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Consent, Turn
from actions.timebank.states import ConsentKind, ConsentStep, TurnOutcome
from tests.timebank.builders import MORNING, FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in

HALF_A_YEAR = consents.ASKED_AGAIN_AFTER


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


def spoke(
    hood: Neighbourhood, turn: str, who: MemberId | None = None, at: datetime = MORNING
) -> None:
    member = who or hood.wang.id
    turns.begin(hood.session, turn_id=TurnId(turn), member=member, channel="talk", now=at)
    turns.finish(
        hood.session,
        TurnId(turn),
        now=at,
        outcome=TurnOutcome.ANSWERED,
        recording_path=f"day/{turn}.audio",
        recording_sha256="a" * 64,
    )


def said(hood: Neighbourhood, turn: str, at: datetime = MORNING) -> dict[str, object]:
    return {"member": hood.wang.id, "turn_id": TurnId(turn), "now": at}


def kept(hood: Neighbourhood) -> bool:
    return consents.recordings_kept(hood.session, hood.wang.id)


def due(hood: Neighbourhood, at: datetime = MORNING) -> bool:
    return consents.should_ask(hood.session, hood.wang.id, now=at)


def test_the_newest_word_counts(hood: Neighbourhood) -> None:
    assert kept(hood), "joined with the staff, who told her"
    consents.revoke(hood.session, **said(hood, "t1"))
    assert not kept(hood)
    consents.give(hood.session, **said(hood, "t2"))
    assert kept(hood)
    consents.ask(hood.session, **said(hood, "t3"))
    assert kept(hood), "a question takes nothing back"
    assert consents.recordings_kept(hood.session, hood.zhang.id)


def test_the_same_turn_again_changes_nothing(hood: Neighbourhood) -> None:
    first = consents.revoke(hood.session, **said(hood, "t1"))
    assert consents.revoke(hood.session, **said(hood, "t1")) is first
    with pytest.raises(NotYours):
        consents.revoke(hood.session, member=hood.zhang.id, turn_id=TurnId("t1"), now=hood.now)
    with pytest.raises(UnknownMember):
        consents.give(hood.session, member=MemberId(4711), turn_id=TurnId("x"), now=hood.now)


def test_a_newcomer_is_asked_after_some_turns_and_once(hood: Neighbourhood) -> None:
    spoke(hood, "t1")
    assert not due(hood)
    spoke(hood, "t2")
    assert due(hood)
    consents.ask(hood.session, **said(hood, "t2"))
    assert not due(hood)
    assert consents.asked_in(hood.session, hood.wang.id, "t2")
    assert not consents.asked_in(hood.session, hood.wang.id, "t1")
    assert not consents.asked_in(hood.session, hood.zhang.id, "t2")


def test_after_half_a_year_she_is_asked_again_once(hood: Neighbourhood) -> None:
    consents.give(hood.session, **said(hood, "t1"))
    later = MORNING + HALF_A_YEAR
    assert not due(hood, later - timedelta(seconds=1)) and due(hood, later)
    consents.ask(hood.session, **said(hood, "t2", later))
    assert not due(hood, later + timedelta(days=1))
    assert due(hood, later + HALF_A_YEAR)


def test_who_said_no_is_not_asked_again(hood: Neighbourhood) -> None:
    consents.revoke(hood.session, **said(hood, "t1"))
    assert not due(hood, MORNING + 3 * HALF_A_YEAR)


def test_an_answered_question_is_no_question_any_more(hood: Neighbourhood) -> None:
    consents.ask(hood.session, **said(hood, "t1"))
    consents.give(hood.session, **said(hood, "t2"))
    assert not consents.asked_in(hood.session, hood.wang.id, "t1")


def test_only_her_own_earlier_recordings_are_deleted(hood: Neighbourhood) -> None:
    spoke(hood, "hers:1")
    spoke(hood, "zhang:1", hood.zhang.id)
    assert consents.has_recordings(hood.session, hood.wang.id)
    consents.revoke(hood.session, **said(hood, "t1"))
    assert consents.to_delete(hood.session) == [], "stopping deletes nothing"
    at = MORNING + timedelta(minutes=1)
    consents.revoke_and_delete(hood.session, **said(hood, "t2", at))
    consents.give(hood.session, **said(hood, "t3", at))
    spoke(hood, "hers:2", at=at + timedelta(minutes=1))
    assert consents.to_delete(hood.session) == [("hers:1", "day/hers:1.audio")]
    consents.deleted(hood.session, [TurnId("hers:1")])
    hood.session.expire_all()
    gone = hood.session.get(Turn, "hers:1")
    assert (gone.recording_path, gone.recording_sha256) == (None, "a" * 64)
    assert consents.to_delete(hood.session) == []
    assert consents.has_recordings(hood.session, hood.wang.id), "she allowed it again"


def test_a_consent_is_never_rewritten(hood: Neighbourhood) -> None:
    consents.revoke(hood.session, **said(hood, "t1"))
    for change in ("UPDATE consent SET step = 'given'", "DELETE FROM consent"):
        with pytest.raises(IntegrityError, match="a consent"), hood.session.begin_nested():
            hood.session.execute(text(change))
    assert not kept(hood)


def test_only_who_revokes_has_anything_deleted(hood: Neighbourhood) -> None:
    given = {"step": ConsentStep.GIVEN, "delete_before": MORNING, "turn_id": "t", "at": MORNING}
    hood.session.add(Consent(member_id=hood.wang.id, kind=ConsentKind.RECORDING, **given))
    with pytest.raises(IntegrityError):
        hood.session.flush()
