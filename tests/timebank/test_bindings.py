"""Whose phone it is, and what happens to it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import channels
from actions.timebank.errors import NotBound
from actions.timebank.ids import BindingId
from actions.timebank.model import ChannelBinding
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in
from tests.timebank.phones import TELEGRAM, Phone, lose


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


@pytest.fixture
def phone(session: Session, clock: FakeClock) -> Phone:
    return Phone(session, clock, "1001")


@pytest.fixture
def other_phone(session: Session, clock: FakeClock) -> Phone:
    return Phone(session, clock, "2002")


def test_a_stranger_speaks_for_nobody(phone: Phone, hood: Neighbourhood) -> None:
    assert phone.speaks_for() is None
    assert channels.binding_of(phone.session, hood.wang.id, channel=TELEGRAM) is None


@pytest.mark.parametrize(
    "address", ["", " 1001", "1001 ", "01001", "１００１", "王奶奶", "%", "1001' OR '1'='1"]
)
def test_another_address_is_another_phone(
    phone: Phone, hood: Neighbourhood, address: str, session: Session, clock: FakeClock
) -> None:
    phone.joins(hood.wang)
    assert Phone(session, clock, address).speaks_for() is None


def test_who_has_left_the_village_speaks_for_nobody(
    phone: Phone, hood: Neighbourhood, clock: FakeClock
) -> None:
    phone.joins(hood.wang)
    hood.wang.left_at = clock()
    assert phone.speaks_for() is None


def test_a_lost_phone_is_unbound_in_one_step(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    phone.joins(hood.wang)
    go, stay = phone.is_sent("我去", "去不了")

    ended = lose(session, hood.wang, clock)

    assert (ended.address, ended.unbound_at) == ("1001", clock())
    assert phone.speaks_for() is None
    assert go.died_at == stay.died_at == clock()


def test_what_is_not_bound_cannot_be_lost(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    with pytest.raises(NotBound):
        lose(session, hood.wang, clock)
    phone.joins(hood.wang)
    lose(session, hood.wang, clock)
    with pytest.raises(NotBound):
        lose(session, hood.wang, clock)


def test_a_found_phone_joins_again(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    old = phone.joins(hood.wang)
    lose(session, hood.wang, clock)
    clock.pass_time(hours=1)

    new = phone.joins(hood.wang)

    assert new.id != old.id and old.unbound_at is not None
    assert phone.speaks_for() == hood.wang.id


def test_losing_hers_leaves_the_neighbours_phones_alone(
    phone: Phone, other_phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    phone.joins(hood.wang)
    other_phone.joins(hood.zhang)
    [go] = other_phone.is_sent("我去")

    lose(session, hood.wang, clock)

    assert other_phone.speaks_for() == hood.zhang.id
    assert other_phone.presses(go).payload == "/我去"


# She blocks us


def unreachable(session: Session, binding: ChannelBinding, clock: FakeClock) -> None:
    channels.mark_unreachable(session, BindingId(binding.id), now=clock())


def test_staff_hear_once_that_she_cannot_be_reached(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    binding = phone.joins(hood.wang)

    unreachable(session, binding, clock)
    clock.pass_time(days=2)
    unreachable(session, binding, clock)

    assert hood.notices(hood.staff, "staff_unreachable") == [{"member": "王奶奶"}]
    assert phone.speaks_for() == hood.wang.id, "what she writes is still hers"


def test_who_blocks_and_comes_back_all_day_is_told_of_once_a_day(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    binding = phone.joins(hood.wang)
    for _ in range(5):
        unreachable(session, binding, clock)
        channels.mark_reachable(session, BindingId(binding.id), now=clock())
        assert binding.unreachable_at is None
        clock.pass_time(minutes=10)
    assert len(hood.notices(hood.staff, "staff_unreachable")) == 1

    clock.pass_time(days=1)
    unreachable(session, binding, clock)
    assert len(hood.notices(hood.staff, "staff_unreachable")) == 2


def test_an_unbound_phone_need_not_be_reached(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    binding = phone.joins(hood.wang)
    lose(session, hood.wang, clock)
    unreachable(session, binding, clock)
    assert binding.unreachable_at is None
    assert hood.notices(hood.staff, "staff_unreachable") == []


@pytest.mark.parametrize("nothing", [0, -1, 404])
def test_an_unknown_phone_is_neither_reached_nor_missed(
    session: Session, clock: FakeClock, nothing: int
) -> None:
    channels.mark_unreachable(session, BindingId(nothing), now=clock())
    channels.mark_reachable(session, BindingId(nothing), now=clock())


# What the database itself refuses


@pytest.mark.parametrize(
    "row",
    [
        "('telegram', '1001', 2, '2026-03-02')",  # her phone for somebody else
        "('telegram', '3003', 1, '2026-03-02')",  # a second phone of hers
        "('telegram', ' ', 2, '2026-03-02')",
        "('pigeon', '3003', 2, '2026-03-02')",
        "('telegram', '3003', 404, '2026-03-02')",
    ],
)
def test_the_database_keeps_one_phone_a_member_and_one_member_a_phone(
    phone: Phone, hood: Neighbourhood, session: Session, row: str
) -> None:
    phone.joins(hood.wang)
    assert (hood.wang.id, hood.zhang.id) == (1, 2)
    with pytest.raises(IntegrityError):
        session.execute(
            text(
                f"INSERT INTO channel_binding (channel, address, member_id, bound_at) VALUES {row}"
            )
        )
