"""Emergencies: everybody near is called at once, and once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import alerts, members, outbox
from actions.timebank.errors import NothingOpen, NotYours, UnknownMember, WrongState
from actions.timebank.ids import AlertId, MemberId, TurnId
from actions.timebank.model import Alert, Member, Notice, Relation
from actions.timebank.states import AlertKind, AlertState, RelationKind
from tests.timebank.builders import FakeClock, make_member


@dataclass
class People:
    elder: Member
    director: Member
    deputy: Member
    son: Member
    next_door: Member
    same_lane: Member
    other_lane: Member


@pytest.fixture
def people(session: Session, clock: FakeClock) -> People:
    now = clock()
    everybody = People(
        elder=make_member(session, "王桂兰", now=now, place="村东头"),
        director=make_member(session, "赵明", now=now, is_coordinator=True),
        deputy=make_member(session, "钱会计", now=now, lane="槐树巷", is_coordinator=True),
        son=make_member(session, "李建国", now=now, lane="槐树巷"),
        next_door=make_member(session, "张秀英", now=now, takes_tasks=True),
        same_lane=make_member(session, "刘大山", now=now),
        other_lane=make_member(session, "周小梅", now=now, lane="槐树巷"),
    )
    son, elder = everybody.son, everybody.elder
    session.add(Relation(member_id=son.id, other_id=elder.id, kind=RelationKind.KIN))
    session.flush()
    return everybody


def cry(
    session: Session, who: Member, clock: FakeClock, words: str = "摔了", turn: str = "1"
) -> Alert:
    return alerts.raise_alert(
        session, member=who.id, words=words, turn_id=TurnId(f"talk:{turn}"), now=clock()
    )


def kinds_for(session: Session, who: Member) -> list[str]:
    return [one.kind for one in outbox.queued_for(session, who.id)]


def told(session: Session) -> set[str]:
    rows = session.execute(select(Notice)).scalars()
    return {one.recipient.name for one in rows}


def test_an_emergency_calls_staff_kin_and_the_two_nearest(
    session: Session, clock: FakeClock, people: People
) -> None:
    alert = cry(session, people.elder, clock)

    assert (alert.kind, alert.state) == (AlertKind.EMERGENCY, AlertState.RAISED)
    assert told(session) == {"赵明", "钱会计", "李建国", "张秀英", "刘大山"}
    assert told(session) == {one.name for one in alerts.who_is_told(session, people.elder.id)}
    (to_staff,) = outbox.queued_for(session, people.director.id)
    assert to_staff.kind == "staff_alert"
    assert to_staff.facts == {
        "alert_id": alert.id,
        "member": "王桂兰",
        "place": "桂花巷村东头",
        "words": "摔了",
    }
    (to_neighbour,) = outbox.queued_for(session, people.next_door.id)
    assert to_neighbour.kind == "neighbour_alert"
    assert to_neighbour.facts == {"alert_id": alert.id, "member": "王桂兰", "place": "桂花巷村东头"}


def test_the_same_cry_arriving_twice_is_one_alert(
    session: Session, clock: FakeClock, people: People
) -> None:
    first = cry(session, people.elder, clock)
    clock.pass_time(hours=1)

    assert cry(session, people.elder, clock) is first
    assert first.words == "摔了"
    assert kinds_for(session, people.director) == ["staff_alert"]
    assert session.query(Alert).count() == 1


def test_a_second_cry_joins_the_alert_and_calls_staff_again(
    session: Session, clock: FakeClock, people: People
) -> None:
    first = cry(session, people.elder, clock)
    clock.pass_time(minutes=3)

    for _ in range(2):  # The second cry's message is delivered twice as well.
        assert cry(session, people.elder, clock, "起不来了", turn="2") is first

    assert first.words == "摔了\n起不来了"
    for staff in (people.director, people.deputy):
        heard = [one.facts["words"] for one in outbox.queued_for(session, staff.id)]
        assert heard == ["摔了", "起不来了"]
    assert kinds_for(session, people.next_door) == ["neighbour_alert"]


def test_the_same_words_again_still_call_staff_again(
    session: Session, clock: FakeClock, people: People
) -> None:
    alert = cry(session, people.elder, clock, "救命")
    cry(session, people.elder, clock, "救命", turn="2")

    assert alert.words == "救命"
    assert kinds_for(session, people.director) == ["staff_alert"] * 2


def test_a_cry_after_ten_minutes_calls_the_neighbours_again_too(
    session: Session, clock: FakeClock, people: People
) -> None:
    first = cry(session, people.elder, clock)
    clock.pass_time(minutes=10)

    assert cry(session, people.elder, clock, turn="2") is first
    assert kinds_for(session, people.next_door) == ["neighbour_alert"] * 2


def test_a_cry_after_help_has_come_is_a_new_alert(
    session: Session, clock: FakeClock, people: People
) -> None:
    first = cry(session, people.elder, clock)
    alerts.take_alert(session, alert_id=first.id, by=people.next_door.id, now=clock())

    assert cry(session, people.elder, clock, turn="2") is not first


def test_two_elders_in_need_have_two_alerts(
    session: Session, clock: FakeClock, people: People
) -> None:
    first = cry(session, people.elder, clock)

    assert cry(session, people.other_lane, clock, turn="2") is not first


def test_an_emergency_is_no_missed_check_in(
    session: Session, clock: FakeClock, people: People
) -> None:
    missed = alerts.raise_alert(
        session,
        member=people.elder.id,
        words="",
        turn_id=TurnId("check-in:1"),
        now=clock(),
        kind=AlertKind.MISSED_CHECK_IN,
    )

    assert cry(session, people.elder, clock) is not missed


def test_an_alert_in_a_village_without_staff_still_calls_the_neighbours(
    session: Session, clock: FakeClock, people: People
) -> None:
    people.director.left_at = people.deputy.left_at = clock()

    cry(session, people.elder, clock)

    assert told(session) == {"李建国", "张秀英", "刘大山"}


def test_an_alert_of_somebody_all_alone_is_kept(session: Session, clock: FakeClock) -> None:
    hermit = make_member(session, "王桂兰", now=clock())

    alert = cry(session, hermit, clock)

    assert alert.state is AlertState.RAISED
    assert alerts.who_is_told(session, hermit.id) == []


def test_a_coordinator_in_need_is_not_sent_to_himself(
    session: Session, clock: FakeClock, people: People
) -> None:
    cry(session, people.director, clock)

    assert kinds_for(session, people.director) == []
    assert kinds_for(session, people.deputy) == ["staff_alert"]


def test_no_alert_for_nobody(session: Session, clock: FakeClock) -> None:
    with pytest.raises(UnknownMember):
        alerts.raise_alert(
            session, member=MemberId(404), words="", turn_id=TurnId("talk:1"), now=clock()
        )


def test_the_member_hears_who_is_coming(session: Session, clock: FakeClock, people: People) -> None:
    alert = cry(session, people.elder, clock)
    raised_at = clock()

    for _ in range(2):
        clock.pass_time(minutes=1)
        alerts.take_alert(session, alert_id=alert.id, by=people.next_door.id, now=clock())

    assert alert.state is AlertState.TAKEN
    assert alert.taken_at == raised_at + timedelta(minutes=1)
    (notice,) = outbox.queued_for(session, people.elder.id)
    assert (notice.kind, notice.facts) == ("alert_taken", {"by": "张秀英"})


def test_an_alert_is_taken_by_one(session: Session, clock: FakeClock, people: People) -> None:
    alert = cry(session, people.elder, clock)
    alerts.take_alert(session, alert_id=alert.id, by=people.next_door.id, now=clock())

    with pytest.raises(WrongState) as refusal:
        alerts.take_alert(session, alert_id=alert.id, by=people.son.id, now=clock())
    assert refusal.value.facts == {"state": "taken", "by": "张秀英"}


def test_a_stranger_takes_no_alert(session: Session, clock: FakeClock, people: People) -> None:
    alert = cry(session, people.elder, clock)

    for stranger in (people.other_lane, people.elder):
        with pytest.raises(NotYours):
            alerts.take_alert(session, alert_id=alert.id, by=stranger.id, now=clock())
    assert alert.state is AlertState.RAISED


def test_an_alert_is_closed_by_who_took_it_or_by_staff(
    session: Session, clock: FakeClock, people: People
) -> None:
    alert = cry(session, people.elder, clock)
    alerts.take_alert(session, alert_id=alert.id, by=people.next_door.id, now=clock())
    with pytest.raises(NotYours):
        alerts.close_alert(session, alert_id=alert.id, by=people.son.id, now=clock())
    closed_at = clock()

    for by in (people.next_door, people.director):
        alerts.close_alert(session, alert_id=alert.id, by=by.id, now=clock())
        clock.pass_time(hours=1)

    assert (alert.state, alert.closed_at) == (AlertState.CLOSED, closed_at)
    assert alert.taken_by is people.next_door
    with pytest.raises(WrongState):
        alerts.take_alert(session, alert_id=alert.id, by=people.director.id, now=clock())


def test_staff_close_a_false_alarm_in_one_go(
    session: Session, clock: FakeClock, people: People
) -> None:
    alert = cry(session, people.elder, clock)

    alerts.close_alert(session, alert_id=alert.id, by=people.director.id, now=clock())

    assert alert.state is AlertState.CLOSED
    assert alert.taken_by_id == people.director.id


def test_an_alert_that_never_was_is_refused(
    session: Session, clock: FakeClock, people: People
) -> None:
    for act in (alerts.take_alert, alerts.close_alert):
        for alert_id in (AlertId(404), AlertId(0), AlertId(10**30)):
            with pytest.raises(NothingOpen):
                act(session, alert_id=alert_id, by=people.director.id, now=clock())


def test_who_wants_a_human_is_called_back_by_staff(
    session: Session, clock: FakeClock, people: People
) -> None:
    for _ in range(2):
        asked = alerts.call_back(
            session, member=people.elder.id, words="叫人", turn_id=TurnId("talk:9"), now=clock()
        )

    assert asked == members.coordinators(session)
    for staff in (people.director, people.deputy):
        (notice,) = outbox.queued_for(session, staff.id)
        assert notice.kind == "staff_call_back"
        assert notice.facts == {"member": "王桂兰", "words": "叫人", "turn_id": "talk:9"}


def test_a_village_without_staff_says_so(session: Session, clock: FakeClock) -> None:
    elder = make_member(session, "王桂兰", now=clock())

    with pytest.raises(alerts.NoCoordinator):
        alerts.call_back(
            session, member=elder.id, words="叫人", turn_id=TurnId("talk:9"), now=clock()
        )
