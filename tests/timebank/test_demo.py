"""The invented village: believable, lived through, and never mixed with a real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import demo, exchange, ledger, members, outbox
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import TurnId
from actions.timebank.matching import candidates
from actions.timebank.model import (
    Account,
    Dispute,
    Group,
    Hold,
    Lane,
    Member,
    Posting,
    ServiceRequest,
    Skill,
    Transfer,
)
from actions.timebank.session import Village
from actions.timebank.states import (
    TRAINED_ONLY,
    HoldState,
    RequestState,
    ServiceKind,
    TransferKind,
)
from tests.timebank.builders import FakeClock, make_member


@pytest.fixture
def filled(session: Session, clock: FakeClock) -> Session:
    assert demo.fill_demo_village(session, now=clock())
    return session


def everybody(session: Session) -> list[Member]:
    return list(session.execute(select(Member)).scalars())


def count(session: Session, model: type) -> int:
    return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def test_the_village_has_people_groups_and_lanes(filled: Session) -> None:
    assert len(everybody(filled)) == 14
    assert count(filled, Group) == 2
    lanes = {lane.name for lane in filled.execute(select(Lane)).scalars()}
    assert lanes == {"桂花巷", "槐树巷", "井台巷", "河沿巷"}
    assert [one.name for one in members.coordinators(filled)] == ["赵明"]
    assert all(one.place for one in everybody(filled))
    assert {one.lane.name for one in everybody(filled)} == lanes


def test_every_kind_of_help_has_somebody(filled: Session) -> None:
    for kind in ServiceKind:
        able = filled.execute(
            select(Skill)
            .join(Member, Member.id == Skill.member_id)
            .where(Skill.service_kind == kind, Member.takes_tasks)
        ).scalars()
        assert any(one.trained or kind not in TRAINED_ONLY for one in able), kind


def test_everybody_has_an_account_and_the_sum_is_zero(filled: Session) -> None:
    total = filled.execute(select(func.sum(Posting.minutes))).scalar_one()
    assert total == 0
    assert count(filled, Account) == 14 + 2
    assert ledger.balance(filled, ledger.fund_account(filled).id).available == 6000
    assert ledger.verify(filled).intact


def test_the_past_is_settled(filled: Session, clock: FakeClock) -> None:
    requests = list(filled.execute(select(ServiceRequest)).scalars())
    assert len(requests) == 5
    assert {one.state for one in requests} == {RequestState.CONFIRMED}
    holds = filled.execute(select(Hold)).scalars()
    assert {one.state for one in holds} == {HoldState.POSTED}
    assert count(filled, Dispute) == 0
    moments = [
        one.occurred_at
        for one in filled.execute(select(Transfer).order_by(Transfer.sequence)).scalars()
    ]
    assert moments == sorted(moments)
    assert moments[-1] < clock()


def test_an_elder_can_hear_where_her_minutes_went(filled: Session, clock: FakeClock) -> None:
    elder = members.find_member(filled, "桂兰婶")

    lines = ledger.history(filled, elder.id, limit=10)

    assert [(one.kind, one.minutes, one.other_name) for one in lines] == [
        (TransferKind.SETTLEMENT, -30, "黄春燕"),
        (TransferKind.SETTLEMENT, -60, "张秀英"),
        (TransferKind.REISSUE, 480, None),
    ]
    account = ledger.account_of(filled, elder.id)
    assert ledger.balance(filled, account.id) == ledger.BalanceOf(390, 0, 390)
    last_month = clock().astimezone(VILLAGE_ZONE).replace(day=1) - timedelta(days=1)
    assert lines[1].visit_day is not None
    assert (lines[1].visit_day.year, lines[1].visit_day.month) == (
        last_month.year,
        last_month.month,
    )


def test_the_neighbour_who_helped_before_is_asked_first(filled: Session, clock: FakeClock) -> None:
    elder = members.find_member(filled, "王桂兰")

    request = exchange.request_help(
        filled,
        elder=elder.id,
        service_kind=ServiceKind.SHOPPING,
        starts_at=clock() + timedelta(days=1),
        turn_id=TurnId("talk:1"),
        now=clock(),
    )

    (offer,) = request.offers
    assert offer.helper.name == "张秀英"
    assert offer.why[0]["code"] == "helped_before"
    assert len(candidates(filled, request, now=clock())) >= 2, "somebody is left to be asked next"


def test_nobody_is_told_of_the_past(filled: Session) -> None:
    for one in everybody(filled):
        assert outbox.queued_for(filled, one.id) == []


def test_a_second_filling_does_nothing(village: Village, clock: FakeClock) -> None:
    with village.transaction() as session:
        assert demo.fill_demo_village(session, now=clock())
    with village.transaction() as session:
        before = ledger.head(session)
        clock.pass_time(days=40)
        assert not demo.fill_demo_village(session, now=clock())
        assert len(everybody(session)) == 14
        assert ledger.head(session) == before
        assert demo.is_demo_village(session)


def test_a_real_village_stays_as_it_is(session: Session, clock: FakeClock) -> None:
    make_member(session, "王桂兰", now=clock())

    assert not demo.fill_demo_village(session, now=clock())

    assert len(everybody(session)) == 1
    assert not demo.is_demo_village(session)


@contextmanager
def undone(village: Village) -> Iterator[Session]:
    """A transaction that leaves nothing behind."""
    with village.engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection, future=True) as session:
            yield session
        transaction.rollback()


def test_the_village_can_be_founded_on_any_day(village: Village) -> None:
    for month, day in ((1, 1), (2, 28), (3, 1), (3, 31), (12, 31)):
        now = datetime(2026, month, day, 0, 5, tzinfo=VILLAGE_ZONE)
        with undone(village) as session:
            assert demo.fill_demo_village(session, now=now)
            newest = session.execute(select(func.max(Transfer.sequence))).scalar_one()
            last = session.execute(select(Transfer).where(Transfer.sequence == newest)).scalar_one()
            assert last.occurred_at < now
