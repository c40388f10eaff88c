"""What a messenger hands over twice is answered once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from actions.timebank import channels
from actions.timebank.model import ChannelUpdate
from actions.timebank.session import Village
from tests.timebank.builders import FakeClock
from tests.timebank.phones import TELEGRAM


def begin(session: Session, update_id: int, clock: FakeClock) -> bool:
    return channels.begin_update(session, channel=TELEGRAM, update_id=update_id, now=clock())


def finish(session: Session, update_id: int, clock: FakeClock) -> None:
    channels.finish_update(session, channel=TELEGRAM, update_id=update_id, now=clock())


def test_an_answered_update_is_never_answered_again(session: Session, clock: FakeClock) -> None:
    assert begin(session, 7, clock)
    finish(session, 7, clock)
    clock.pass_time(days=1)
    assert not begin(session, 7, clock)


def test_what_a_crash_left_begun_is_handed_out_again(session: Session, clock: FakeClock) -> None:
    assert begin(session, 7, clock)
    assert begin(session, 7, clock)
    finish(session, 7, clock)
    assert not begin(session, 7, clock)


@pytest.mark.parametrize("order", [(3, 1, 2), (2**40, 5), (0, 2**63 - 1, 2**31)])
def test_the_order_of_arrival_does_not_matter(
    session: Session, clock: FakeClock, order: tuple[int, ...]
) -> None:
    for update_id in order:
        assert begin(session, update_id, clock)
        finish(session, update_id, clock)
    assert not any(begin(session, update_id, clock) for update_id in order)


@pytest.mark.parametrize("impossible", [-1, 2**63, 10**100])
def test_an_impossible_number_is_ignored(
    session: Session, clock: FakeClock, impossible: int
) -> None:
    assert not begin(session, impossible, clock)


def test_finishing_what_never_began_begins_nothing(session: Session, clock: FakeClock) -> None:
    finish(session, 7, clock)
    assert begin(session, 7, clock)


def test_old_updates_are_swept(session: Session, clock: FakeClock) -> None:
    for update_id in range(50):
        begin(session, update_id, clock)
        finish(session, update_id, clock)
    clock.pass_time(days=3)
    begin(session, 50, clock)
    assert session.query(ChannelUpdate).count() == 1


def test_of_many_deliveries_at_once_all_see_it_answered_afterwards(
    any_village: Village, clock: FakeClock
) -> None:
    def arrive(_: int) -> bool:
        with any_village.transaction() as session:
            return begin(session, 7, clock)

    with ThreadPoolExecutor(4) as pool:
        assert any(pool.map(arrive, range(8)))
    with any_village.transaction() as session:
        finish(session, 7, clock)
    with any_village.transaction() as session:
        assert session.query(ChannelUpdate).count() == 1
        assert not begin(session, 7, clock)
