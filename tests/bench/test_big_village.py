"""The big village, made small: what is measured on it holds together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import chain
from actions.timebank.model import (
    Account,
    Confirmation,
    Member,
    Posting,
    ServiceRequest,
    Transfer,
    Turn,
    Visit,
)
from actions.timebank.session import Village, open_engine
from actions.timebank.states import AccountKind, RequestState
from tests.bench.big_village import Size, build
from tests.timebank.builders import MORNING

SMALL = Size(members=60, turns=2_000, transfers=500, days=90)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    file: Path = tmp_path_factory.mktemp("big") / "village.db"
    build(file, until=MORNING, size=SMALL)
    engine = open_engine(f"sqlite:///{file}")
    with Village(engine, lambda: MORNING).reading() as session:
        yield session
    engine.dispose()


def test_it_is_as_big_as_was_asked(session: Session) -> None:
    for model, count in ((Member, SMALL.members), (Turn, SMALL.turns), (Transfer, SMALL.transfers)):
        assert session.scalar(select(func.count()).select_from(model)) == count


def test_its_chain_is_sound(session: Session) -> None:
    checked = chain.verify(session)
    assert checked.intact, checked.problem
    assert checked.transfers == SMALL.transfers


def test_only_the_system_gave_what_it_did_not_have(session: Session) -> None:
    poor = (
        select(Account.kind)
        .join(Posting, Posting.account_id == Account.id)
        .group_by(Account.id)
        .having(func.sum(Posting.minutes) < 0)
    )
    assert set(session.scalars(poor)) <= {AccountKind.SYSTEM}


def test_every_state_of_a_request_is_there(session: Session) -> None:
    states = set(session.scalars(select(ServiceRequest.state)))
    assert states == set(RequestState)


def test_each_statement_was_said_in_a_turn_of_that_member(session: Session) -> None:
    theirs = select(Turn.id).where(
        Turn.id == Confirmation.turn_id, Turn.member_id == Confirmation.member_id
    )
    assert not session.scalars(select(Confirmation.id).where(~theirs.exists())).all()


def test_each_visit_moved_what_was_settled(session: Session) -> None:
    moved = (
        select(func.sum(Posting.minutes))
        .join(Transfer, Transfer.id == Posting.transfer_id)
        .where(Transfer.visit_id == Visit.id, Posting.minutes > 0)
        .scalar_subquery()
    )
    settled = session.execute(
        select(Visit.settled_minutes, moved).where(Visit.settled_at.is_not(None))
    )
    rows = settled.all()
    assert rows and all(minutes == sum_ for minutes, sum_ in rows)


def test_nothing_has_happened_later_than_now(session: Session) -> None:
    for moment in (Transfer.occurred_at, Turn.began_at, ServiceRequest.created_at):
        assert session.scalar(select(func.max(moment))) <= MORNING
