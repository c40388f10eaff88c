"""While nobody goes an alarm climbs; it never ends in silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import alarm_chain, alerts, outbox, quiet_hours
from actions.timebank.alarm_calls import Ring
from actions.timebank.alarm_chain import CHECK_IN_CHAIN, EMERGENCY_CHAIN, read_chain
from actions.timebank.errors import NotYours, WrongState
from actions.timebank.ids import AlertId, TurnId
from actions.timebank.model import AlarmStep, Alert, Delivery, Member, Notice
from actions.timebank.session import Village
from actions.timebank.states import (
    AlarmWhy,
    AlertKind,
    AlertState,
    Channel,
    DelegateScope,
    DeliveryState,
    Urgency,
)
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.consenting import allow
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in

CHAINS = {
    AlertKind.EMERGENCY: read_chain(EMERGENCY_CHAIN),
    AlertKind.MISSED_CHECK_IN: read_chain(CHECK_IN_CHAIN),
}


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    """All of the group but 赵铁柱 are called in the first moment."""
    return settle_in(session, clock())


def cry(hood: Neighbourhood, clock: FakeClock, words: str = "我摔了") -> Alert:
    about = {"member": hood.wang.id, "words": words, "turn_id": new_turn()}
    return alerts.raise_alert(hood.session, now=clock(), **about)


def climb(hood: Neighbourhood, clock: FakeClock, **later: float) -> list[AlertId]:
    clock.pass_time(**later)
    return alarm_chain.climb(hood.session, CHAINS, now=clock())


def take(hood: Neighbourhood, alert: Alert, who: Member, clock: FakeClock) -> None:
    alerts.take_alert(hood.session, alert_id=AlertId(alert.id), by=who.id, now=clock())


def cannot(hood: Neighbourhood, alert: Alert, who: Member, clock: FakeClock) -> None:
    about = {"alert_id": AlertId(alert.id), "by": who.id, "turn_id": new_turn()}
    alerts.decline_alert(hood.session, now=clock(), **about)


def log(hood: Neighbourhood) -> list[tuple[str, list[str]]]:
    """Each step with the names of whom it called."""
    steps = hood.session.query(AlarmStep).order_by(AlarmStep.alert_id, AlarmStep.step)
    return [
        (one.why.value, [hood.session.get(Member, who).name for who in one.people]) for one in steps
    ]


def kinds(hood: Neighbourhood, who: Member) -> list[str]:
    return [one.kind for one in outbox.queued_for(hood.session, who.id)]


def hears(hood: Neighbourhood, clock: FakeClock, *people: Member) -> None:
    """Whatever was queued for them was told."""
    for who in people:
        for one in outbox.queued_for(hood.session, who.id):
            outbox.deliver(hood.session, notice_id=one.id, member=who.id, now=clock())


# The text in the settings


def test_a_chain_reads_as_it_is_written() -> None:
    chain = read_chain("0 coordinators neighbours family; 3 group; 8 everyone; every 5 group")
    assert [step.after for step in chain.steps] == [timedelta(minutes=at) for at in (0, 3, 8)]
    assert chain.steps[2].rings == (Ring.EVERYONE,)
    assert (chain.every, chain.again) == (timedelta(minutes=5), (Ring.GROUP,))


FIRST = "0 coordinators neighbours family"


@pytest.mark.parametrize(
    "wrong, says",
    [
        ("", "ends with"),
        (FIRST, "ends with"),
        (f"{FIRST}; 3 group", "ends with"),
        (f"{FIRST}; every", "minutes"),
        (f"{FIRST}; every 5", "nobody"),
        (f"{FIRST}; every 0 group", "every minute"),
        ("every 5 coordinators", "begins with"),
        ("0 coordinators; every 5 group", "begins with"),
        ("3 coordinators neighbours family; every 5 group", "begins with"),
        (f"{FIRST} group; every 5 group", "begins with"),
        (f"{FIRST}; 3; every 5 group", "nobody"),
        (f"{FIRST}; 3 police; every 5 group", "police"),
        (f"{FIRST}; group 3; every 5 group", "minutes"),
        (f"{FIRST}; -3 group; every 5 group", "minutes"),
        (f"{FIRST}; 3.5 group; every 5 group", "minutes"),
        (f"{FIRST}; 99999 group; every 5 group", "minutes"),
        (f"{FIRST}; 8 group; 3 everyone; every 5 group", "later"),
        (f"{FIRST}; 3 group; 3 everyone; every 5 group", "later"),
        (f"{FIRST}; ; every 5 group", "minutes"),
    ],
)
def test_a_wrong_chain_is_refused_and_says_why(wrong: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_chain(wrong)


# Climbing


def test_an_alarm_climbs_from_the_nearest_to_everyone(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    make_member(hood.session, "孙大爷", now=clock(), lane="槐树巷")
    alert = cry(hood, clock)
    assert climb(hood, clock) == []
    for minutes in (3, 5, 5):
        assert climb(hood, clock, minutes=minutes - 1, seconds=59) == []
        assert climb(hood, clock, seconds=1) == [alert.id]
        assert climb(hood, clock) == []
    assert log(hood) == [
        ("raised", ["陈干事", "张秀英", "李建国"]),
        ("climbed", ["孙大爷"]),
        ("climbed", ["赵铁柱"]),
        ("again", ["陈干事"]),
    ]
    assert kinds(hood, hood.zhao) == ["neighbour_alert"]
    assert kinds(hood, hood.zhang) == ["neighbour_alert"]


def test_whom_she_allowed_it_is_called_at_once_and_the_two_nearest_besides(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    allow(hood.session, hood.wang, hood.zhao, clock(), [DelegateScope.ALARMS])
    allow(hood.session, hood.wang, hood.zhang, clock(), [DelegateScope.ALARMS])
    make_member(hood.session, "孙大爷", now=clock(), lane="槐树巷")
    alert = cry(hood, clock)
    assert log(hood) == [("raised", ["陈干事", "赵铁柱", "张秀英", "李建国", "孙大爷"])]
    take(hood, alert, hood.zhao, clock)
    assert hood.notices(hood.wang, "alert_taken") == [{"by": "赵铁柱"}]


def test_a_delegate_without_leave_for_alarms_hears_of_none(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    allow(hood.session, hood.wang, hood.zhao, clock(), [DelegateScope.ASK_HELP])
    cry(hood, clock)
    assert log(hood) == [("raised", ["陈干事", "张秀英", "李建国"])]


def test_a_step_that_reaches_nobody_new_costs_no_time(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    climb(hood, clock, minutes=3)
    assert log(hood)[1:] == [("climbed", []), ("climbed", ["赵铁柱"])]


def test_at_the_end_the_staff_are_called_again_and_again_and_she_is_told_of_120(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    climb(hood, clock, minutes=3)
    for _ in range(4):
        hears(hood, clock, hood.staff)
        climb(hood, clock, minutes=5)
        assert kinds(hood, hood.staff) == ["staff_alert"]
    assert [why for why, _ in log(hood)][-4:] == ["again"] * 4
    assert kinds(hood, hood.wang) == ["alarm_nobody_yet"]


def test_who_has_not_even_heard_it_yet_is_not_flooded(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    for _ in range(30):
        climb(hood, clock, minutes=5)
    assert kinds(hood, hood.staff) == ["staff_alert"]
    assert len(log(hood)) > 25


def undelivered(hood: Neighbourhood, who: Member, state: DeliveryState, clock: FakeClock) -> None:
    """Nothing of what was queued for him will come by itself any more."""
    for one in outbox.queued_for(hood.session, who.id):
        about = {"channel": Channel.TELEGRAM, "member_id": who.id, "urgency": Urgency.URGENT}
        times = {"due_at": clock(), "ended_at": clock()}
        hood.session.add(Delivery(notice=one, state=state, **about, **times))
    hood.session.flush()


@pytest.mark.parametrize("state", [DeliveryState.GIVEN_UP, DeliveryState.DROPPED])
def test_whom_the_messenger_could_not_reach_is_called_again(
    hood: Neighbourhood, clock: FakeClock, state: DeliveryState
) -> None:
    cry(hood, clock)
    undelivered(hood, hood.staff, state, clock)
    climb(hood, clock, minutes=3)
    climb(hood, clock, minutes=5)
    assert kinds(hood, hood.staff) == ["staff_alert", "staff_alert"]


def test_crying_again_and_again_does_not_hold_the_alarm_up(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    for _ in range(4):
        clock.pass_time(minutes=2)
        cry(hood, clock, "快来人")
        climb(hood, clock)
    assert ("climbed", ["赵铁柱"]) in log(hood)


def test_a_clock_that_is_set_back_does_not_hold_the_alarm_up(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    climb(hood, clock, hours=-5)
    assert ("climbed", ["赵铁柱"]) in log(hood)


def test_night_is_no_excuse(hood: Neighbourhood, clock: FakeClock) -> None:
    clock.pass_time(hours=17)  # Two in the night.
    alert = cry(hood, clock)
    set_place(hood, clock, (34.5, 113.25))
    climb(hood, clock, minutes=3)
    assert ("climbed", ["赵铁柱"]) in log(hood)
    take(hood, alert, hood.zhang, clock)
    climb(hood, clock, minutes=15)
    climb(hood, clock, minutes=15)
    cannot(hood, alert, hood.zhang, clock)
    climb(hood, clock, minutes=30)
    alerts.close_alert(hood.session, alert_id=alert.id, by=hood.staff.id, now=clock())
    for one in hood.session.query(Notice):
        assert quiet_hours.may_be_told(one.kind, one.facts, clock()), one.kind


def test_an_alarm_of_before_the_chain_is_taken_up(hood: Neighbourhood, clock: FakeClock) -> None:
    old = Alert(kind=AlertKind.EMERGENCY, member=hood.wang, turn_id="talk:old", raised_at=clock())
    hood.session.add(old)
    hood.session.flush()
    climb(hood, clock)
    assert log(hood) == [("raised", ["陈干事", "张秀英", "李建国"])]


def test_an_alarm_that_the_migration_closed_is_refused_as_over(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    times = {"raised_at": clock(), "closed_at": clock(), "state": AlertState.CLOSED}
    old = Alert(kind=AlertKind.EMERGENCY, member=hood.wang, turn_id="talk:old", **times)
    hood.session.add(old)
    hood.session.flush()
    with pytest.raises(WrongState):
        take(hood, old, hood.zhang, clock)


def test_with_nobody_around_she_is_sent_to_120_at_once(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    for person in (hood.zhang, hood.li, hood.zhao, hood.staff):
        person.left_at = clock()
    cry(hood, clock)
    climb(hood, clock)
    assert kinds(hood, hood.wang) == ["alarm_nobody_yet"]
    assert [people for _, people in log(hood)] == [[]] * 4


# Who cannot go


def test_who_cannot_go_is_not_called_again_in_this_alarm(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    cannot(hood, alert, hood.staff, clock)
    hears(hood, clock, hood.staff)
    for _ in range(6):
        climb(hood, clock, minutes=5)
    assert kinds(hood, hood.staff) == []
    assert log(hood)[-1] == ("again", ["张秀英", "李建国", "赵铁柱"])


def test_when_all_who_were_called_cannot_go_it_climbs_at_once(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    for who in (hood.zhang, hood.li, hood.staff):
        assert climb(hood, clock) == []
        cannot(hood, alert, who, clock)
    climb(hood, clock)
    assert log(hood)[-1] == ("climbed", ["赵铁柱"])


def nobody_can(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    for who in (hood.zhang, hood.li, hood.staff):
        cannot(hood, alert, who, clock)
    climb(hood, clock)
    cannot(hood, alert, hood.zhao, clock)


def test_when_nobody_at_all_can_go_the_staff_hear_of_120_once(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    nobody_can(hood, clock)
    for _ in range(3):
        climb(hood, clock, minutes=5)
    assert kinds(hood, hood.staff) == ["staff_alert", "staff_alert_nobody"]
    assert log(hood)[-1] == ("again", [])
    assert kinds(hood, hood.wang) == ["alarm_nobody_yet"]


def test_while_nobody_can_go_the_staff_hear_so_again_and_again(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    nobody_can(hood, clock)
    for _ in range(3):
        hears(hood, clock, hood.staff)
        climb(hood, clock, minutes=5)
        assert kinds(hood, hood.staff) == ["staff_alert_nobody"]


def is_told(hood: Neighbourhood, who: Member, kind: str) -> bool:
    [notice] = [one for one in outbox.queued_for(hood.session, who.id) if one.kind == kind]
    return outbox.still_true(hood.session, notice)


def test_what_is_over_before_it_was_heard_is_not_told(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    set_place(hood, clock, (34.5, 113.25))
    climb(hood, clock, minutes=3)
    climb(hood, clock, minutes=5)
    assert is_told(hood, hood.wang, "alarm_nobody_yet")
    take(hood, alert, hood.zhang, clock)
    assert not is_told(hood, hood.wang, "alarm_nobody_yet")
    climb(hood, clock, minutes=15)
    assert is_told(hood, hood.zhang, "alert_all_well")
    climb(hood, clock, minutes=15)
    assert not is_told(hood, hood.zhang, "alert_all_well")
    assert is_told(hood, hood.staff, "alert_not_closed")
    assert is_told(hood, hood.zhao, "alert_place")
    alerts.close_alert(hood.session, alert_id=alert.id, by=hood.zhang.id, now=clock())
    for who, kind in ((hood.staff, "alert_not_closed"), (hood.zhao, "alert_place")):
        assert not is_told(hood, who, kind), kind


def test_somebody_who_could_not_may_go_after_all(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    cannot(hood, alert, hood.zhang, clock)
    take(hood, alert, hood.zhang, clock)
    assert alert.taken_by is hood.zhang


def test_a_no_from_somebody_who_was_not_called_counts_for_nothing(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    for stranger in (hood.zhao, hood.wang):
        with pytest.raises(NotYours):
            cannot(hood, alert, stranger, clock)


# Who went there


def test_the_others_hear_that_somebody_goes(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    for _ in range(2):
        take(hood, alert, hood.zhang, clock)
    assert hood.notices(hood.li, "alert_taken_by_other") == [
        {"alert_id": alert.id, "member": "王奶奶", "by": "张秀英"}
    ]
    assert kinds(hood, hood.zhang) == ["neighbour_alert"]
    assert hood.notices(hood.wang, "alert_taken") == [{"by": "张秀英"}]


def test_a_taken_alarm_calls_nobody_else_and_asks_how_she_is(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    assert climb(hood, clock, minutes=14) == []
    assert climb(hood, clock, minutes=1) == [alert.id]
    assert climb(hood, clock) == []
    assert log(hood)[1:] == [("asked_if_well", ["张秀英"])]
    assert hood.notices(hood.zhang, "alert_all_well") == [
        {"alert_id": alert.id, "member": "王奶奶"}
    ]


def test_an_alarm_that_is_not_closed_climbs_on(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    climb(hood, clock, minutes=15)
    climb(hood, clock, minutes=15)
    assert alert.state is AlertState.RAISED
    assert log(hood)[-1] == ("not_closed", ["陈干事"])
    assert hood.notices(hood.staff, "alert_not_closed")[0]["by"] == "张秀英"
    climb(hood, clock, minutes=3)
    assert log(hood)[-1] == ("climbed", ["赵铁柱"])
    # She who went there may still say that all is well.
    alerts.close_alert(hood.session, alert_id=alert.id, by=hood.zhang.id, now=clock())
    assert alert.state is AlertState.CLOSED and alert.taken_by is hood.zhang


def test_when_nobody_else_is_left_he_who_fell_silent_is_asked_again(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    for person in (hood.li, hood.zhao, hood.staff):
        person.left_at = clock()
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    climb(hood, clock, minutes=30)
    assert log(hood)[1] == ("not_closed", ["张秀英"])
    assert hood.notices(hood.wang, "alarm_nobody_yet") == []


def test_an_alarm_given_back_calls_the_others_at_once(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    cannot(hood, alert, hood.zhang, clock)
    assert (alert.state, alert.taken_by_id) == (AlertState.RAISED, None)
    assert log(hood)[-1] == ("given_back", ["陈干事", "李建国"])
    assert hood.notices(hood.wang, "alert_taker_cannot") == [{"by": "张秀英"}]
    with pytest.raises(NotYours):
        alerts.close_alert(hood.session, alert_id=alert.id, by=hood.zhang.id, now=clock())
    take(hood, alert, hood.li, clock)
    assert [one["by"] for one in hood.notices(hood.wang, "alert_taken")] == ["张秀英", "李建国"]


def test_who_went_there_can_ask_for_more_people(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    about = {"alert_id": AlertId(alert.id), "turn_id": TurnId("talk:more"), "now": clock()}
    with pytest.raises(NotYours):
        alerts.ask_for_more(hood.session, by=hood.li.id, **about)
    for _ in range(2):
        alerts.ask_for_more(hood.session, by=hood.zhang.id, **about)
    assert log(hood)[1:] == [("more_needed", ["陈干事", "李建国"])]
    assert kinds(hood, hood.li)[-1] == "neighbour_alert"


def test_in_hospital_is_told_to_staff_and_family_alone(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    take(hood, alert, hood.zhang, clock)
    about = {"alert_id": AlertId(alert.id), "by": hood.zhang.id, "now": clock()}
    alerts.close_alert(hood.session, in_hospital=True, **about)
    assert kinds(hood, hood.staff)[-1] == "alert_hospital"
    assert kinds(hood, hood.li)[-1] == "alert_taken_by_other"
    assert climb(hood, clock, hours=9) == []


def test_she_takes_back_everything_that_is_open_of_hers(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    first = cry(hood, clock)
    take(hood, first, hood.zhang, clock)
    second = cry(hood, clock)
    assert second is not first
    alerts.withdraw_alert(hood.session, member=hood.wang.id, turn_id=new_turn(), now=clock())
    assert {first.state, second.state} == {AlertState.CLOSED}
    assert climb(hood, clock, hours=9) == []


def test_what_waits_for_somebody_is_the_newest_emergency(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alarms = [
        alerts.raise_alert(
            hood.session, member=who.id, words="", turn_id=new_turn(), now=clock(), kind=kind
        )
        for who, kind in (
            (hood.wang, AlertKind.EMERGENCY),
            (hood.zhang, AlertKind.EMERGENCY),
            (hood.wang, AlertKind.MISSED_CHECK_IN),
        )
    ]
    waits = [alarms[1], alarms[0], alarms[2]]
    for alert in waits:
        assert alerts.waiting_for(hood.session, hood.staff.id) is alert
        cannot(hood, alert, hood.staff, clock)
    assert alerts.waiting_for(hood.session, hood.staff.id) is None
    assert alerts.waiting_for(hood.session, hood.zhao.id) is None


# Where she is


def set_place(hood: Neighbourhood, clock: FakeClock, where: tuple[float, float]) -> Alert | None:
    latitude, longitude = where
    about = {"member": hood.wang.id, "latitude": latitude, "longitude": longitude}
    return alerts.set_place(hood.session, now=clock(), **about)


def test_the_place_is_told_once_to_all_and_to_who_is_called_later(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    alert = cry(hood, clock)
    for _ in range(2):
        assert set_place(hood, clock, (34.5, 113.25)) is alert
    for who in (hood.staff, hood.zhang):
        [place] = hood.notices(who, "alert_place")
        assert (place["latitude"], place["longitude"], place["member"]) == (34.5, 113.25, "王奶奶")
    climb(hood, clock, minutes=3)
    assert kinds(hood, hood.zhao) == ["neighbour_alert", "alert_place"]


def test_without_an_alarm_a_place_is_nobody_s_business(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    assert set_place(hood, clock, (34.5, 113.25)) is None
    alert = cry(hood, clock)
    alerts.close_alert(hood.session, alert_id=alert.id, by=hood.staff.id, now=clock())
    assert set_place(hood, clock, (34.5, 113.25)) is None
    assert kinds(hood, hood.zhang) == ["neighbour_alert", "alert_closed"]


@pytest.mark.parametrize(
    "nowhere",
    [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (float("nan"), 0), (0, float("inf"))],
)
def test_a_place_that_is_nowhere_is_refused(
    hood: Neighbourhood, clock: FakeClock, nowhere: tuple[float, float]
) -> None:
    cry(hood, clock)
    with pytest.raises(alerts.BadPlace):
        set_place(hood, clock, nowhere)
    assert kinds(hood, hood.zhang) == ["neighbour_alert"]


def test_a_phone_that_sends_on_and_on_wears_nobody_out(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    cry(hood, clock)
    for step in range(100):
        set_place(hood, clock, (34 + step / 1000, 113))
    assert len(hood.notices(hood.zhang, "alert_place")) == alerts.MOST_PLACES


# What the database itself keeps


@pytest.mark.parametrize(
    "statement",
    ["UPDATE alarm_step SET people = '[]'", "DELETE FROM alarm_step"],
)
def test_steps_are_never_changed(village: Village, clock: FakeClock, statement: str) -> None:
    with village.transaction() as session:
        cry(settle_in(session, clock()), clock)
    with pytest.raises(IntegrityError), village.transaction() as session:
        session.execute(text(statement))


def test_a_step_is_taken_once(hood: Neighbourhood, clock: FakeClock) -> None:
    alert = cry(hood, clock)
    hood.session.execute(text("SAVEPOINT twice"))
    hood.session.expunge_all()
    hood.session.add(
        AlarmStep(alert_id=alert.id, step=0, why=AlarmWhy.RAISED, people=[], at=clock())
    )
    with pytest.raises(IntegrityError):
        hood.session.flush()
