"""A button acts in the chat it was sent to, in its time, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import channels
from actions.timebank.errors import ButtonGone, ButtonNotYours
from actions.timebank.ids import BindingId
from actions.timebank.session import Village
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import Neighbourhood, settle_in
from tests.timebank.phones import Phone, lose


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


@pytest.fixture
def phone(session: Session, clock: FakeClock, hood: Neighbourhood) -> Phone:
    """张秀英's."""
    hers = Phone(session, clock, "1001")
    hers.joins(hood.zhang)
    return hers


@pytest.fixture
def other_phone(session: Session, clock: FakeClock, hood: Neighbourhood) -> Phone:
    """李建国's."""
    his = Phone(session, clock, "2002")
    his.joins(hood.li)
    return his


def test_a_pressed_button_tells_what_it_means(phone: Phone, hood: Neighbourhood) -> None:
    go, _stay = phone.is_sent("我去", "去不了")

    pressed = phone.presses(go)

    assert (pressed.payload, pressed.title, pressed.member_id) == ("/我去", "我去", hood.zhang.id)
    assert pressed.pressed_at == phone.clock()


def test_its_token_tells_nothing_and_fits_a_messenger(phone: Phone) -> None:
    go, stay = phone.is_sent("我去", "去不了")
    assert go.token != stay.token
    assert all(len(one.token.encode()) == 22 for one in (go, stay))


def test_pressing_twice_is_pressing_once(phone: Phone) -> None:
    go, _stay = phone.is_sent("我去", "去不了")
    first = phone.presses(go)
    at_first = first.pressed_at
    phone.clock.pass_time(minutes=5)

    assert phone.presses(go) is first
    assert first.pressed_at == at_first


def test_after_one_button_the_other_is_dead(phone: Phone) -> None:
    go, stay = phone.is_sent("我去", "去不了")
    phone.presses(go)
    with pytest.raises(ButtonGone):
        phone.presses(stay)
    assert stay.pressed_at is None
    assert phone.presses(go).payload == "/我去", "the first one stays pressed"


def test_another_messages_buttons_stay(phone: Phone) -> None:
    go, _ = phone.is_sent("我去", "去不了", about="notice:1")
    right, _ = phone.is_sent("对", "不对", about="notice:2")
    phone.presses(go)
    assert phone.presses(right).payload == "/对"


def test_a_message_sent_again_has_the_same_buttons(phone: Phone) -> None:
    first = phone.is_sent("我去", "去不了")
    phone.clock.pass_time(minutes=1)
    again = phone.is_sent("我去", "去不了")
    assert [one.token for one in again] == [one.token for one in first]
    assert again[0].expires_at == first[0].expires_at

    phone.presses(first[0])
    third = phone.is_sent("我去", "去不了")
    assert third[1].died_at is not None, "sending again wakes no dead button"


def test_each_chat_has_its_own_buttons_for_one_event(phone: Phone, other_phone: Phone) -> None:
    [hers] = phone.is_sent("我去", about="alert:1")
    [his] = other_phone.is_sent("我去", about="alert:1")
    phone.presses(hers)
    assert other_phone.presses(his).payload == "/我去"


def test_no_buttons_are_none(phone: Phone) -> None:
    assert phone.is_sent() == []


def test_more_than_two_are_refused(phone: Phone) -> None:
    with pytest.raises(ValueError):
        phone.is_sent("一", "二", "三")


# Bad presses


def test_a_button_acts_in_its_own_chat_only(phone: Phone, other_phone: Phone) -> None:
    go, _ = phone.is_sent("我去", "去不了")
    with pytest.raises(ButtonNotYours):
        other_phone.presses(go)
    assert go.pressed_at is None
    assert phone.presses(go).payload == "/我去"


FORGED = ["", "A", "A" * 22, "王" * 22, "\x00" * 22, "\ud800" * 22, "' OR 1=1 --", "x" * 1_000_000]


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
def test_a_forged_token_presses_nothing(phone: Phone, forged: str) -> None:
    go, stay = phone.is_sent("我去", "去不了")
    with pytest.raises(ButtonNotYours):
        phone.presses(forged)
    assert (go.pressed_at, stay.pressed_at) == (None, None)


def test_a_week_later_it_is_too_late(phone: Phone) -> None:
    go, stay = phone.is_sent("我去", "去不了", lasts=timedelta(hours=1))
    phone.clock.pass_time(minutes=59, seconds=59)
    phone.presses(go)
    for moment in ({"seconds": 1}, {"days": 7}):
        phone.clock.pass_time(**moment)
        for button in (go, stay):
            with pytest.raises(ButtonGone):
                phone.presses(button)


def test_what_ended_cannot_be_pressed(phone: Phone) -> None:
    go, stay = phone.is_sent("我去", "去不了")
    binding_id = BindingId(go.binding_id)
    channels.kill_buttons(phone.session, binding_id=binding_id, about="notice:1", now=phone.clock())
    for button in (go, stay):
        with pytest.raises(ButtonGone):
            phone.presses(button)


def test_killing_ends_one_message_in_one_chat(phone: Phone, other_phone: Phone) -> None:
    [go] = phone.is_sent("我去", about="notice:1")
    [right] = phone.is_sent("对", about="notice:2")
    [his] = other_phone.is_sent("我去", about="notice:1")
    channels.kill_buttons(
        phone.session, binding_id=BindingId(go.binding_id), about="notice:1", now=phone.clock()
    )
    assert (right.died_at, his.died_at) == (None, None)
    assert go.died_at == phone.clock()


def test_who_pressed_in_time_gets_the_same_answer_after_the_end(phone: Phone) -> None:
    go, _ = phone.is_sent("我去", "去不了")
    phone.presses(go)
    channels.kill_buttons(
        phone.session, binding_id=BindingId(go.binding_id), about="notice:1", now=phone.clock()
    )
    assert phone.presses(go).payload == "/我去"


def test_the_buttons_of_a_lost_phone_are_dead(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    go, stay = phone.is_sent("我去", "去不了")
    phone.presses(go)
    lose(session, hood.zhang, clock)
    for button in (go, stay):
        with pytest.raises(ButtonGone):
            phone.presses(button)


def test_they_stay_dead_when_the_phone_is_hers_again(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    go, _ = phone.is_sent("我去", "去不了")
    lose(session, hood.zhang, clock)
    phone.joins(hood.zhang)
    with pytest.raises(ButtonGone):
        phone.presses(go)


def test_a_passed_on_phone_does_not_press_for_who_had_it(phone: Phone, hood: Neighbourhood) -> None:
    go, _ = phone.is_sent("我去", "去不了")
    phone.joins(hood.wang)
    with pytest.raises(ButtonGone):
        phone.presses(go)


def test_buttons_made_too_late_for_a_lost_phone_never_act(
    phone: Phone, hood: Neighbourhood, session: Session, clock: FakeClock
) -> None:
    binding = lose(session, hood.zhang, clock)
    [go] = channels.make_buttons(
        session,
        binding=binding,
        about="notice:1",
        buttons=[("我去", "/accept_task")],
        now=clock(),
        lasts=timedelta(hours=1),
    )
    with pytest.raises(ButtonGone):
        phone.presses(go)


def test_who_has_left_presses_nothing(phone: Phone, hood: Neighbourhood, clock: FakeClock) -> None:
    go, _ = phone.is_sent("我去", "去不了")
    hood.zhang.left_at = clock()
    with pytest.raises(ButtonGone):
        phone.presses(go)


def test_long_gone_buttons_are_forgotten(phone: Phone) -> None:
    [old] = phone.is_sent("我去", about="notice:1")
    token = old.token
    phone.clock.pass_time(days=29)
    phone.is_sent("对", about="notice:2")
    with pytest.raises(ButtonGone):
        phone.presses(token)

    phone.clock.pass_time(days=2)
    phone.is_sent("对", about="notice:3")
    phone.session.expunge_all()
    with pytest.raises(ButtonNotYours):
        phone.presses(token)


# Two at the same instant


def test_of_two_buttons_pressed_at_once_one_counts(any_village: Village, clock: FakeClock) -> None:
    with any_village.transaction() as session:
        phone = Phone(session, clock, "1")
        phone.joins(make_member(session, "张秀英", now=clock()))
        tokens = [one.token for one in phone.is_sent("我去", "去不了")]
    together = Barrier(2)

    def press(token: str) -> bool:
        together.wait()
        try:
            with any_village.transaction() as session:
                Phone(session, clock, "1").presses(token)
        except ButtonGone:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, tokens)) == [False, True]


def test_a_message_made_twice_at_once_has_one_set_of_buttons(
    any_village: Village, clock: FakeClock
) -> None:
    with any_village.transaction() as session:
        Phone(session, clock, "1").joins(make_member(session, "张秀英", now=clock()))
    together = Barrier(2)

    def send(_: int) -> list[str]:
        together.wait()
        with any_village.transaction() as session:
            return [one.token for one in Phone(session, clock, "1").is_sent("我去", "去不了")]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(send, range(2))
    assert first == second


# What the database itself refuses


@pytest.mark.parametrize(
    "change",
    [
        "pressed_at = '2026-03-02'",  # both of one message
        "pressed_at = '2026-03-02', died_at = '2026-03-02'",
        "place = 2",
        "place = 0",
        "member_id = 1",  # 王奶奶, whose chat it is not
        "binding_id = 404",
    ],
)
def test_the_database_refuses_an_impossible_button(
    phone: Phone, session: Session, change: str
) -> None:
    phone.is_sent("我去", "去不了")
    with pytest.raises(IntegrityError):
        session.execute(text(f"UPDATE sent_button SET {change}"))
