"""A printed card, one scan, one spoken yes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import channels, joining
from actions.timebank.errors import (
    CardExpired,
    CardUnknown,
    CardUsed,
    NothingOpen,
    Refusal,
    TooManyTries,
    UnknownMember,
)
from actions.timebank.ids import MemberId
from actions.timebank.model import CardTry, ChannelBinding, JoinCard
from actions.timebank.session import Village
from actions.timebank.states import CardState
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import Neighbourhood, settle_in
from tests.timebank.phones import TELEGRAM, Phone, print_card


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


@pytest.fixture
def phone(session: Session, clock: FakeClock) -> Phone:
    return Phone(session, clock, "1001")


@pytest.fixture
def other_phone(session: Session, clock: FakeClock) -> Phone:
    return Phone(session, clock, "2002")


@pytest.fixture
def code(session: Session, clock: FakeClock, hood: Neighbourhood) -> str:
    """王奶奶's card, printed just now."""
    return print_card(session, hood.wang, clock)


def the_card(session: Session) -> JoinCard:
    card: JoinCard = session.execute(select(JoinCard)).scalar_one()
    return card


# The good way


def test_a_scan_and_a_yes_bind_the_phone(phone: Phone, code: str, hood: Neighbourhood) -> None:
    assert phone.scan(code) is hood.wang
    assert phone.asked_for() is hood.wang
    assert phone.speaks_for() is None, "not before her yes"

    binding = phone.yes()

    assert phone.speaks_for() == hood.wang.id
    assert phone.asked_for() is None
    assert (binding.address, binding.bound_at) == ("1001", phone.clock())
    assert hood.notices(hood.wang, "joined") == [{"member": "王奶奶"}]
    assert hood.notices(hood.staff, "staff_moved_phone") == []


def test_the_card_can_be_read_by_its_holder_only(code: str, session: Session) -> None:
    stored = session.execute(text("SELECT * FROM join_card")).one()
    assert code not in str(stored)
    assert len(code) == 22


def test_a_card_is_told_who_printed_it_and_until_when_it_holds(
    hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    card, _ = channels.issue_card(
        session, member=MemberId(hood.wang.id), by=MemberId(hood.staff.id), now=clock()
    )
    assert card.issued_by_id == hood.staff.id
    assert card.expires_at == clock() + timedelta(days=7)


def test_a_no_leaves_the_card_for_whom_it_was_meant(
    phone: Phone, other_phone: Phone, code: str, hood: Neighbourhood
) -> None:
    other_phone.scan(code)
    other_phone.no()
    assert other_phone.asked_for() is None
    with pytest.raises(NothingOpen):
        other_phone.yes()

    phone.scan(code)
    phone.yes()

    assert (phone.speaks_for(), other_phone.speaks_for()) == (hood.wang.id, None)


def test_scanning_twice_asks_again(phone: Phone, code: str, hood: Neighbourhood) -> None:
    phone.scan(code)
    phone.clock.pass_time(minutes=14)
    phone.scan(code)
    phone.clock.pass_time(minutes=14)
    assert phone.asked_for() is hood.wang


def test_of_two_scanned_cards_the_last_one_counts(
    phone: Phone, other_phone: Phone, code: str, hood: Neighbourhood
) -> None:
    zhangs = print_card(phone.session, hood.zhang, phone.clock)
    phone.scan(code)
    phone.scan(zhangs)
    assert phone.asked_for() is hood.zhang

    assert other_phone.scan(code) is hood.wang, "her own card is free again"


def test_her_new_phone_takes_the_place_of_the_old_one(
    phone: Phone, other_phone: Phone, hood: Neighbourhood
) -> None:
    phone.joins(hood.wang)
    [right] = phone.is_sent("对")

    other_phone.joins(hood.wang)

    assert (phone.speaks_for(), other_phone.speaks_for()) == (None, hood.wang.id)
    assert right.died_at is not None
    assert hood.notices(hood.staff, "staff_moved_phone") == [{"member": "王奶奶"}]


def test_a_phone_that_is_passed_on_forgets_who_had_it(phone: Phone, hood: Neighbourhood) -> None:
    phone.joins(hood.zhang)
    [go] = phone.is_sent("我去")

    phone.joins(hood.wang)

    assert phone.speaks_for() == hood.wang.id
    assert go.died_at is not None
    assert hood.notices(hood.staff, "staff_phone_taken_over") == [
        {"member": "王奶奶", "before": "张秀英"}
    ]
    assert hood.notices(hood.staff, "staff_moved_phone") == []


def test_two_who_swap_their_phones_are_both_reached(
    phone: Phone, other_phone: Phone, hood: Neighbourhood
) -> None:
    phone.joins(hood.zhang)
    other_phone.joins(hood.wang)

    phone.joins(hood.wang)
    assert other_phone.speaks_for() is None
    other_phone.joins(hood.zhang)

    assert (phone.speaks_for(), other_phone.speaks_for()) == (hood.wang.id, hood.zhang.id)


def test_joining_again_with_the_same_phone_changes_nothing(
    phone: Phone, hood: Neighbourhood
) -> None:
    first = phone.joins(hood.wang)
    [right] = phone.is_sent("对")

    again = phone.joins(hood.wang)

    assert again is first and first.unbound_at is None
    assert phone.presses(right).payload == "/对", "what she was asked stays open"
    assert hood.notices(hood.staff, "staff_moved_phone") == []


# Too late, too often, the wrong card


def test_a_yes_after_a_quarter_of_an_hour_joins_nobody(phone: Phone, code: str) -> None:
    phone.scan(code)
    phone.clock.pass_time(minutes=15)
    assert phone.asked_for() is None
    with pytest.raises(NothingOpen):
        phone.yes()
    assert phone.speaks_for() is None

    phone.scan(code)
    phone.yes()
    assert phone.speaks_for() is not None


def test_a_yes_without_a_card_joins_nobody(phone: Phone, hood: Neighbourhood) -> None:
    with pytest.raises(NothingOpen):
        phone.yes()
    phone.no()


def test_a_second_yes_joins_nobody_again(phone: Phone, code: str, hood: Neighbourhood) -> None:
    phone.scan(code)
    phone.yes()
    with pytest.raises(NothingOpen):
        phone.yes()
    assert phone.speaks_for() == hood.wang.id


def test_a_card_joins_once(phone: Phone, other_phone: Phone, code: str) -> None:
    phone.scan(code)
    phone.yes()
    for late in (phone, other_phone):
        with pytest.raises(CardUsed):
            late.scan(code)
    assert other_phone.asked_for() is None


def test_while_one_is_asked_another_gets_no_answer(
    phone: Phone, other_phone: Phone, code: str, hood: Neighbourhood
) -> None:
    phone.scan(code)
    with pytest.raises(CardUsed):
        other_phone.scan(code)
    with pytest.raises(NothingOpen):
        other_phone.yes()

    phone.clock.pass_time(minutes=15)
    assert other_phone.scan(code) is hood.wang
    with pytest.raises(NothingOpen):
        phone.yes()


def test_a_card_holds_a_week(phone: Phone, code: str) -> None:
    phone.clock.pass_time(days=7, seconds=-1)
    phone.scan(code)
    phone.no()
    phone.clock.pass_time(seconds=1)
    with pytest.raises(CardExpired):
        phone.scan(code)


def test_who_scanned_in_time_may_still_say_yes(phone: Phone, code: str) -> None:
    phone.clock.pass_time(days=7, seconds=-1)
    phone.scan(code)
    phone.clock.pass_time(minutes=5)
    assert phone.yes().address == "1001"


def test_a_newer_card_makes_the_older_one_void(
    phone: Phone, code: str, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    newer = print_card(session, hood.wang, clock)
    with pytest.raises(CardExpired):
        phone.scan(code)
    assert phone.scan(newer) is hood.wang


def test_a_newer_card_ends_what_the_older_one_began(
    phone: Phone, code: str, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    phone.scan(code)
    print_card(session, hood.wang, clock)
    assert phone.asked_for() is None
    with pytest.raises(NothingOpen):
        phone.yes()


def test_a_neighbours_card_stays_when_hers_is_renewed(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    zhangs = print_card(session, hood.zhang, clock)
    print_card(session, hood.wang, clock)
    assert phone.scan(zhangs) is hood.zhang


FORGED = [
    "",
    " ",
    "a",
    "A" * 21,
    "A" * 22,
    "A" * 23,
    "王" * 22,
    "A" * 21 + "\n",
    "\x00" * 22,
    "\ud800" * 22,
    "' OR '1'='1' --abcdefg",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
def test_a_forged_code_is_unknown(phone: Phone, code: str, forged: str) -> None:
    with pytest.raises(CardUnknown):
        phone.scan(forged)
    assert phone.asked_for() is None


@pytest.mark.parametrize("bend", [str.lower, str.upper, lambda code: code + " "])
def test_a_bent_code_is_unknown(phone: Phone, code: str, bend: object) -> None:
    assert callable(bend)
    with pytest.raises(CardUnknown):
        phone.scan(bend(code))


def test_the_stored_hash_opens_nothing(phone: Phone, code: str, session: Session) -> None:
    stored = the_card(session).code_hash
    for guess in (stored, stored[:22]):
        with pytest.raises(CardUnknown):
            phone.scan(guess)


def test_who_has_left_cannot_join(
    phone: Phone, code: str, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    phone.scan(code)
    hood.wang.left_at = clock()
    with pytest.raises(NothingOpen):
        phone.yes()
    with pytest.raises(CardUnknown):
        phone.scan(code)
    with pytest.raises(UnknownMember):
        print_card(session, hood.wang, clock)


def test_nobody_gets_no_card(session: Session, clock: FakeClock) -> None:
    with pytest.raises(UnknownMember):
        channels.issue_card(session, member=MemberId(404), by=None, now=clock())


# Guessing


def guess(village: Village, address: str, code: str = "A" * 22) -> None:
    """As a channel does it: the try is kept whatever comes of it."""
    here = {"channel": TELEGRAM, "address": address, "now": village.clock()}
    with village.transaction() as session:
        channels.count_try(session, **here)
    with village.transaction() as session:
        channels.show_card(session, code=code, **here)


def test_who_guesses_on_and_on_is_sent_away(village: Village, clock: FakeClock) -> None:
    with village.transaction() as session:
        code = print_card(session, settle_in(session, clock()).wang, clock)
    for _ in range(joining.MOST_TRIES):
        with pytest.raises(CardUnknown):
            guess(village, "666")
    for tried in ("A" * 22, code):
        with pytest.raises(TooManyTries):
            guess(village, "666", tried)

    guess(village, "1001", code)  # Others are not kept waiting.
    with village.transaction() as session:
        channels.stop_joining(session, channel=TELEGRAM, address="1001", now=clock())
    clock.pass_time(hours=1)
    guess(village, "666", code)


def test_a_flood_of_guesses_does_not_fill_the_database(village: Village, clock: FakeClock) -> None:
    for _ in range(100):
        with pytest.raises(Refusal):
            guess(village, "666")
    with village.reading() as session:
        assert session.query(CardTry).count() == joining.MOST_TRIES + 1
    clock.pass_time(hours=2)
    with pytest.raises(CardUnknown):
        guess(village, "777")
    with village.reading() as session:
        assert session.query(CardTry).count() == 1


# Two at the same instant


def test_of_two_who_scan_one_card_at_once_one_joins(any_village: Village, clock: FakeClock) -> None:
    with any_village.transaction() as session:
        wang = make_member(session, "王奶奶", now=clock())
        code, wang_id = print_card(session, wang, clock), wang.id
    together = Barrier(4)

    def scan_and_say_yes(address: str) -> str:
        together.wait()
        try:
            with any_village.transaction() as session:
                Phone(session, clock, address).scan(code)
            with any_village.transaction() as session:
                Phone(session, clock, address).yes()
        except CardUsed:
            return "used"
        return address

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(scan_and_say_yes, ["1", "2", "3", "4"]))

    [winner] = [end for end in ends if end != "used"]
    with any_village.reading() as session:
        assert Phone(session, clock, winner).speaks_for() == wang_id
        assert session.query(ChannelBinding).count() == 1
        assert the_card(session).state is CardState.USED


def test_a_yes_that_arrives_twice_at_once_binds_once(
    any_village: Village, clock: FakeClock
) -> None:
    with any_village.transaction() as session:
        code = print_card(session, make_member(session, "王奶奶", now=clock()), clock)
        Phone(session, clock, "1").scan(code)
    together = Barrier(2)

    def yes(_: int) -> bool:
        together.wait()
        try:
            with any_village.transaction() as session:
                Phone(session, clock, "1").yes()
        except NothingOpen:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(yes, range(2))) == [False, True]


def test_two_who_swap_phones_at_once_both_have_one(any_village: Village, clock: FakeClock) -> None:
    with any_village.transaction() as session:
        wang = make_member(session, "王奶奶", now=clock())
        zhang = make_member(session, "张秀英", now=clock())
        Phone(session, clock, "1").joins(wang)
        Phone(session, clock, "2").joins(zhang)
        ids = {"1": zhang.id, "2": wang.id}
        for address, member in (("1", zhang), ("2", wang)):
            Phone(session, clock, address).scan(print_card(session, member, clock))
    together = Barrier(2)

    def yes(address: str) -> None:
        together.wait()
        with any_village.transaction() as session:
            Phone(session, clock, address).yes()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(yes, ids))
    with any_village.reading() as session:
        assert {one: Phone(session, clock, one).speaks_for() for one in ids} == ids


# What the database itself refuses


@pytest.mark.parametrize(
    "change",
    [
        "state = 'used'",  # for no chat
        "state = 'asked'",  # in no chat
        "state = 'lent'",
        "state = 'used', binding_id = 1",  # 张秀英's chat
        "channel = 'telegram'",
        "address = '1001', channel = 'telegram'",
        "code_hash = NULL",
    ],
)
def test_the_database_refuses_half_a_card(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock, change: str
) -> None:
    phone.joins(hood.zhang)
    print_card(session, hood.wang, clock)
    with pytest.raises(IntegrityError):
        session.execute(
            text(f"UPDATE join_card SET {change} WHERE member_id = :wang"), {"wang": hood.wang.id}
        )


def test_the_database_keeps_one_live_card_a_member(
    code: str, session: Session, clock: FakeClock, hood: Neighbourhood
) -> None:
    print_card(session, hood.wang, clock)
    with pytest.raises(IntegrityError):
        session.execute(text("UPDATE join_card SET state = 'unused'"))
