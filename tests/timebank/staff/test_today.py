"""One look shows everything that stands open, what needs people most first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from actions.timebank import alerts, disputes, visits
from actions.timebank.deadlines import expire_due
from actions.timebank.ids import AlertId, AssignmentId, MemberId, TurnId
from actions.timebank.model import ChannelBinding, Delivery, Notice, ServiceRequest, Turn
from actions.timebank.staff import today
from actions.timebank.staff.standing import Need, OpenRequest
from actions.timebank.staff.today import Today
from actions.timebank.states import (
    AlertKind,
    AlertState,
    Channel,
    DeliveryState,
    DisputeKind,
    TurnOutcome,
    Urgency,
)
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import new_turn
from tests.timebank.staff.office import Office, open_office


@pytest.fixture
def office(session: Session) -> Office:
    return open_office(session, MORNING)


def look(office: Office) -> Today:
    return today.look(office.session, now=office.now)


def only(office: Office) -> OpenRequest:
    [request] = look(office).requests
    return request


def test_a_quiet_day_is_empty(office: Office) -> None:
    seen = look(office)
    assert (seen.alarms, seen.disputes, seen.requests, seen.urgent) == ([], [], [], 0)
    assert (seen.notes, seen.warnings, seen.untold, seen.failed) == ([], [], [], 0)


def test_a_request_from_asking_to_the_end(office: Office) -> None:
    request = office.ask()
    asked = only(office)
    offer = office.offer_of(request)
    assert (asked.need, asked.helper, asked.elder) == (Need.ASKED, offer.helper.name, "王奶奶")
    assert (asked.due_at, asked.lane) == (offer.expires_at, "桂花巷")
    promise = office.accepted(request)
    assert (only(office).need, only(office).due_at) == (Need.COMING, request.starts_at)
    office.now = request.starts_at + timedelta(minutes=15)
    assert only(office).need is Need.LATE
    visits.start_visit(
        office.session,
        helper=MemberId(promise.helper_id),
        assignment_id=AssignmentId(promise.id),
        now=office.now,
    )
    under_way = only(office)
    assert under_way.need is Need.UNDER_WAY
    assert under_way.due_at == office.now + timedelta(minutes=request.minutes)
    office.claim(promise, 60)
    assert (only(office).need, only(office).claimed) == (Need.CLAIMED, 60)
    office.now += timedelta(hours=24)
    assert only(office).need is Need.UNCONFIRMED
    office.confirm(request)
    assert look(office).requests == []


def test_a_minute_before_it_is_late_she_is_only_waiting(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    office.now = request.starts_at + timedelta(minutes=14)
    assert only(office).need is Need.COMING


def test_a_request_that_nobody_takes_needs_people(office: Office) -> None:
    request = office.ask()
    while office.decline(request) is not None:
        pass
    assert (only(office).need, only(office).helper) == (Need.NOBODY, None)
    assert look(office).urgent == 1


def test_what_needs_people_most_comes_first(office: Office) -> None:
    minutes = {"minutes": 10}
    coming = office.ask(**minutes)
    office.accepted(coming)
    claimed = office.ask(starts_at=office.now + timedelta(hours=5), **minutes)
    office.claim(office.accepted(claimed), 10)
    asked = office.ask(starts_at=office.now + timedelta(days=2), **minutes)
    order = [one.id for one in look(office).requests]
    assert order == [asked.id, claimed.id, coming.id]


def test_alarms_untaken_before_taken_emergencies_before_silence(office: Office) -> None:
    def cry(who, kind):
        return alerts.raise_alert(
            office.session,
            member=MemberId(who.id),
            words="救命",
            turn_id=new_turn(),
            now=office.now,
            kind=kind,
        )

    taken = cry(office.wang, AlertKind.EMERGENCY)
    alerts.take_alert(
        office.session,
        alert_id=AlertId(taken.id),
        by=MemberId(office.staff.id),
        now=office.now,
    )
    silent = cry(office.zhang, AlertKind.MISSED_CHECK_IN)
    fell = cry(office.li, AlertKind.EMERGENCY)
    seen = look(office).alarms
    assert [one.id for one in seen] == [fell.id, silent.id, taken.id]
    assert (seen[2].state, seen[2].taken_by) == (AlertState.TAKEN, "陈干事")
    assert seen[2].due_at == office.now + timedelta(minutes=30)
    assert (seen[0].member, seen[0].words, seen[0].due_at) == ("李建国", "救命", office.now)
    alerts.withdraw_alert(
        office.session, member=MemberId(office.li.id), turn_id=new_turn(), now=office.now
    )
    assert [one.id for one in look(office).alarms] == [silent.id, taken.id]


def test_disputes_with_their_clocks_the_soonest_first(office: Office) -> None:
    request = office.ask()
    office.claim(office.accepted(request), 90)
    office.confirm(request, 30)
    office.now += timedelta(hours=1)
    disputes.complain(
        office.session,
        member=MemberId(office.zhang.id),
        words="不公道",
        turn_id=TurnId("talk:1"),
        now=office.now,
    )
    first, second = look(office).disputes
    assert (first.kind, first.claimed, first.confirmed) == (DisputeKind.MINUTES_DIFFER, 90, 30)
    assert (first.person, first.due_at - first.opened_at) == ("王奶奶", timedelta(hours=24))
    assert (second.person, second.words, second.service_kind) == ("张秀英", "不公道", None)
    office.now = first.due_at
    assert look(office).urgent == 1


def test_a_wish_to_be_called_back_is_one_wish_however_many_were_told(office: Office) -> None:
    alerts.call_back(
        office.session,
        member=MemberId(office.wang.id),
        words="找你们有事",
        turn_id=TurnId("talk:9"),
        now=office.now,
    )
    [note] = look(office).notes
    assert (note.kind, note.facts["member"]) == ("staff_call_back", "王奶奶")
    office.now += today.LATELY
    assert look(office).notes == []


def turn_of(office: Office, name: str, **fields: object) -> None:
    given = {"channel": "talk", "outcome": TurnOutcome.ANSWERED, "began_at": office.now}
    office.session.add(Turn(id=name, member_id=office.wang.id, **{**given, **fields}))
    office.session.flush()


def test_words_of_swindlers_are_a_warning(office: Office) -> None:
    turn_of(office, "talk:1", entities=[{"entity": "swindle", "value": "中奖"}])
    turn_of(office, "talk:2", entities=[{"entity": "person", "value": "张秀英"}])
    [warning] = look(office).warnings
    assert (warning.member, warning.turn_id) == ("王奶奶", "talk:1")


def test_conversations_that_failed_are_counted_for_a_day(office: Office) -> None:
    turn_of(office, "talk:1", outcome=TurnOutcome.REPAIRED)
    turn_of(office, "talk:2", outcome=TurnOutcome.FAILED)
    turn_of(office, "talk:3")
    assert look(office).failed == 2
    office.now += timedelta(hours=24)
    assert look(office).failed == 0


def test_who_gets_no_messages_is_named_until_they_are_heard(office: Office) -> None:
    office.ask()
    notice = office.session.query(Notice).filter_by(kind="offer_made").one()
    binding = ChannelBinding(
        channel=Channel.TELEGRAM,
        member_id=notice.recipient_id,
        address="7",
        bound_at=office.now,
    )
    office.session.add(binding)
    office.session.flush()
    office.session.add(
        Delivery(
            notice_id=notice.id,
            channel=Channel.TELEGRAM,
            member_id=notice.recipient_id,
            urgency=Urgency.ORDINARY,
            state=DeliveryState.BLOCKED,
            due_at=office.now,
            began_at=office.now,
            binding_id=binding.id,
            tries=1,
        )
    )
    office.session.flush()
    [untold] = look(office).untold
    assert (untold.member_id, untold.count) == (notice.recipient_id, 1)
    notice.state, notice.delivered_at = "delivered", office.now
    office.session.flush()
    assert look(office).untold == []


def test_what_ran_out_is_gone(office: Office) -> None:
    request = office.ask()
    office.now = request.starts_at + timedelta(hours=2)
    expire_due(office.session, now=office.now)
    assert look(office).requests == []


def test_however_much_stands_open_it_is_a_handful_of_queries(office: Office) -> None:
    def queries() -> int:
        office.session.expire_all()
        asked: list[str] = []
        engine = office.session.get_bind()
        count = lambda *a: asked.append(a[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", count)
        look(office)
        event.remove(engine, "before_cursor_execute", count)
        return len(asked)

    office.ask(minutes=5)
    few = queries()
    for day in range(2, 12):
        office.ask(minutes=5, starts_at=office.now + timedelta(days=day))
    assert office.session.query(ServiceRequest).count() == 11
    assert queries() == few <= 8
