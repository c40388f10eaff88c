"""Staff choose whom to ask, go to an alarm, and decide what is contested."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from actions.timebank import alerts, disputes
from actions.timebank.errors import (
    BadMinutes,
    NotForSelf,
    NothingOpen,
    NotYours,
    Refusal,
    WrongState,
)
from actions.timebank.ids import AlertId, DisputeId, MemberId, RequestId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import Alert, Dispute, ServiceRequest
from actions.timebank.session import Village
from actions.timebank.staff import counter, handling, mediating
from actions.timebank.staff.counter import NoWords
from actions.timebank.staff.roles import Role
from actions.timebank.states import (
    AlertKind,
    AlertState,
    DisputeState,
    OfferState,
    RequestState,
    ServiceKind,
)
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import new_turn
from tests.timebank.staff.office import Office, employ, open_office


@pytest.fixture
def office(session: Session) -> Office:
    return open_office(session, MORNING)


def asks(office: Office, request: ServiceRequest, helper: int) -> None:
    handling.ask(
        office.session,
        by=MemberId(office.staff.id),
        request_id=RequestId(request.id),
        helper=MemberId(helper),
        now=office.now,
    )


def alarm(office: Office, kind: AlertKind = AlertKind.EMERGENCY) -> Alert:
    return alerts.raise_alert(
        office.session,
        member=MemberId(office.wang.id),
        words="我摔倒了",
        turn_id=new_turn(),
        now=office.now,
        kind=kind,
    )


def differing(office: Office, claimed: int = 90, confirmed: int = 30) -> Dispute:
    request = office.ask()
    office.claim(office.accepted(request), claimed)
    office.confirm(request, confirmed)
    dispute: Dispute = office.session.query(Dispute).one()
    return dispute


def decides(
    office: Office,
    dispute: int,
    minutes: int | None = 60,
    words: str = "两家都认一小时",
    by: str = "wu",
) -> Dispute:
    return mediating.decide(
        office.session,
        by=MemberId(getattr(office, by).id),
        dispute_id=DisputeId(dispute),
        words=words,
        minutes=minutes,
        now=office.now,
    )


# -- whom to ask ----------------------------------------------------------------------------------


def test_staff_see_who_could_be_asked_and_why(office: Office) -> None:
    request = office.ask()
    first, others = handling.neighbours_for(office.session, request, now=office.now)
    assert office.offer_of(request).helper in [one.helper for one in others]
    assert {one.helper.name for one in first} == {"李建国", "赵铁柱"}
    assert all(one.reasons for one in first if one.helper is office.li)


def test_nobody_is_looked_for_once_somebody_agreed(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    assert handling.neighbours_for(office.session, request, now=office.now) == ([], [])


def test_another_is_asked_at_once_and_everybody_hears(office: Office) -> None:
    request = office.ask()
    before = office.offer_of(request)
    asks(office, request, office.zhao.id)
    assert before.state is OfferState.WITHDRAWN
    assert office.offer_of(request).helper is office.zhao
    assert office.notices(before.helper, "offer_gone")
    [asked] = office.notices(office.zhao, "offer_made")
    assert "asked_for" not in [reason["code"] for reason in asked["why"]]
    assert office.notices(office.wang, "request_asked_again")[-1]["helper"] == "赵铁柱"


def test_the_same_again_changes_nothing(office: Office) -> None:
    request = office.ask()
    asks(office, request, office.zhao.id)
    offer = office.offer_of(request)
    asks(office, request, office.zhao.id)
    assert office.offer_of(request) is offer


def test_who_said_no_may_be_asked_again_by_hand(office: Office) -> None:
    request = office.ask()
    said_no = office.offer_of(request).helper
    office.decline(request)
    asks(office, request, said_no.id)
    assert office.offer_of(request).helper is said_no


@pytest.mark.parametrize("who", ["wang", "staff"])
def test_neither_herself_nor_who_takes_no_tasks(office: Office, who: str) -> None:
    with pytest.raises(NothingOpen):
        asks(office, office.ask(), getattr(office, who).id)


@pytest.mark.parametrize("helper", [0, -1, 4711, LARGEST_ID + 1])
def test_nobody_unknown_is_asked(office: Office, helper: int) -> None:
    request = office.ask()
    with pytest.raises(NothingOpen):
        asks(office, request, helper)
    assert office.offer_of(request).state is OfferState.PENDING


def test_a_promise_is_not_taken_away_by_asking(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    with pytest.raises(WrongState):
        asks(office, request, office.zhao.id)


# -- alarms ---------------------------------------------------------------------------------------


def test_staff_who_were_not_called_may_go(office: Office) -> None:
    clerk = employ(office.session, office.zhao, Role.COORDINATOR)
    alert = alarm(office)
    handling.take_alarm(
        office.session, by=MemberId(clerk.id), alert_id=AlertId(alert.id), now=office.now
    )
    assert (alert.state, alert.taken_by_id) == (AlertState.TAKEN, clerk.id)
    assert office.notices(office.wang, "alert_taken")[-1]["by"] == "赵铁柱"


def test_the_second_who_takes_it_is_told_who_goes(office: Office) -> None:
    alert = AlertId(alarm(office).id)
    handling.take_alarm(
        office.session, by=MemberId(office.staff.id), alert_id=alert, now=office.now
    )
    with pytest.raises(WrongState) as told:
        handling.take_alarm(
            office.session, by=MemberId(office.zhou.id), alert_id=alert, now=office.now
        )
    assert told.value.facts["by"] == "陈干事"


@pytest.mark.parametrize("in_hospital", [False, True])
def test_staff_close_it(office: Office, in_hospital: bool) -> None:
    clerk = employ(office.session, office.zhao, Role.COORDINATOR)
    alert = alarm(office)
    handling.close_alarm(
        office.session,
        by=MemberId(clerk.id),
        alert_id=AlertId(alert.id),
        now=office.now,
        in_hospital=in_hospital,
    )
    assert alert.state is AlertState.CLOSED


def test_nobody_closes_the_alarm_about_himself(office: Office) -> None:
    employ(office.session, office.wang, Role.COORDINATOR)
    alert, wang = AlertId(alarm(office).id), MemberId(office.wang.id)
    with pytest.raises(NotForSelf):
        handling.close_alarm(office.session, by=wang, alert_id=alert, now=office.now)
    with pytest.raises(NotYours):
        handling.take_alarm(office.session, by=wang, alert_id=alert, now=office.now)


@pytest.mark.parametrize("alert", [0, -1, 4711, LARGEST_ID + 1])
def test_there_is_no_such_alarm(office: Office, alert: int) -> None:
    for verb in (handling.take_alarm, handling.close_alarm):
        with pytest.raises(NothingOpen):
            verb(
                office.session,
                by=MemberId(office.staff.id),
                alert_id=AlertId(alert),
                now=office.now,
            )


# -- disputes -------------------------------------------------------------------------------------


def test_the_mediator_reads_both_sides(office: Office) -> None:
    request = office.ask()
    office.claim(office.accepted(request), 90)
    counter.confirm(
        office.session, office.came(office.wang, "就半小时"), RequestId(request.id), minutes=30
    )
    found = mediating.matter(office.session, DisputeId(office.session.query(Dispute).one().id))
    assert found.helper is not None and found.helper.confirmation is not None
    assert (found.helper.person, found.helper.confirmation.minutes) == (office.zhang, 90)
    assert found.elder.turn is not None and found.elder.written_by is office.staff
    assert found.elder.turn.heard == "就半小时"
    assert (found.moved, found.not_yet_moved) == (30, 0)
    assert found.settlement is not None


def test_a_decision_is_told_and_moves_nothing_beyond_what_both_said(office: Office) -> None:
    dispute = differing(office)
    before = office.balance(office.zhang)
    decides(office, dispute.id, 60)
    assert (dispute.state, dispute.decided_minutes) == (DisputeState.RESOLVED, 60)
    assert dispute.request.state is RequestState.CONFIRMED
    assert office.balance(office.zhang) == before
    assert mediating.matter(office.session, DisputeId(dispute.id)).not_yet_moved == 30
    for person in (office.wang, office.zhang):
        [told] = office.notices(person, "dispute_decided")
        assert (told["by"], told["words"]) == ("吴调解", "两家都认一小时")


def test_the_same_decision_twice_is_one(office: Office) -> None:
    dispute = differing(office)
    decides(office, dispute.id)
    decides(office, dispute.id)
    assert len(office.notices(office.wang, "dispute_decided")) == 1


def test_the_second_who_decides_is_told_who_did(office: Office) -> None:
    dispute = differing(office)
    employ(office.session, office.li, Role.MEDIATOR)
    decides(office, dispute.id)
    with pytest.raises(WrongState) as told:
        decides(office, dispute.id, 90, by="li")
    assert told.value.facts["by"] == "吴调解"
    assert dispute.decided_minutes == 60


@pytest.mark.parametrize("minutes", [None, 29, 91, 0, -5, 100_000])
def test_a_decision_lies_between_what_the_two_said(office: Office, minutes: int | None) -> None:
    dispute = differing(office)
    with pytest.raises(BadMinutes):
        decides(office, dispute.id, minutes)
    assert dispute.state is DisputeState.OPEN


@pytest.mark.parametrize("words", ["", " ", "好" * 1_001])
def test_a_decision_is_told_in_words(office: Office, words: str) -> None:
    with pytest.raises(NoWords):
        decides(office, differing(office).id, words=words)


def test_who_did_not_come_and_a_complaint_have_no_minutes(office: Office) -> None:
    deed = counter.complain(office.session, office.came(office.wang, "说话不客气"))
    complaint = office.session.query(Dispute).filter_by(turn_id=deed.turn_id).one()
    with pytest.raises(BadMinutes):
        decides(office, complaint.id, 60)
    decides(office, complaint.id, None)
    assert complaint.state is DisputeState.RESOLVED
    found = mediating.matter(office.session, DisputeId(complaint.id))
    assert found.helper is None and found.elder.turn is not None


def test_a_promise_that_nobody_kept_names_who_promised(office: Office) -> None:
    request = office.ask()
    promised = office.accepted(request).helper
    office.now += timedelta(days=1, hours=1)
    counter.report_no_show(office.session, office.came(office.wang), RequestId(request.id))
    dispute = office.session.query(Dispute).one()
    found = mediating.matter(office.session, DisputeId(dispute.id))
    assert found.helper is not None and found.helper.person is promised
    decides(office, dispute.id, None)
    assert request.state is RequestState.CANCELLED


def test_no_side_decides_for_itself(office: Office) -> None:
    dispute = differing(office)
    for side in ("wang", "zhang"):
        employ(office.session, getattr(office, side), Role.MEDIATOR)
        with pytest.raises(NotForSelf):
            decides(office, dispute.id, by=side)


def test_coordinators_of_the_console_mediate_nothing(office: Office) -> None:
    with pytest.raises(NotYours):
        decides(office, differing(office).id, by="staff")


def test_by_voice_a_coordinator_still_decides_and_nobody_else(office: Office) -> None:
    dispute = differing(office)
    fields = {"dispute_id": DisputeId(dispute.id), "resolution": "好", "now": office.now}
    with pytest.raises(NotYours):
        disputes.resolve(office.session, mediator=MemberId(office.li.id), **fields)
    disputes.resolve(office.session, mediator=MemberId(office.staff.id), **fields)
    assert dispute.state is DisputeState.RESOLVED


@pytest.mark.parametrize("dispute", [0, -1, 4711, LARGEST_ID + 1])
def test_there_is_no_such_dispute(office: Office, dispute: int) -> None:
    with pytest.raises(NothingOpen):
        decides(office, dispute)


# -- two at the same moment -----------------------------------------------------------------------


def at_once(village: Village, *deeds) -> list[str]:
    """Each deed in a transaction and a thread of its own; what became of each."""
    ready, became = threading.Barrier(len(deeds)), ["" for _ in deeds]

    def run(place: int) -> None:
        ready.wait()
        try:
            with village.transaction() as session:
                deeds[place](session)
            became[place] = "done"
        except Refusal as refusal:
            became[place] = f"{refusal.code} {refusal.facts.get('by', '')}".strip()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(became)


def test_of_two_who_take_one_alarm_at_once_the_second_is_told(any_village: Village) -> None:
    with any_village.transaction() as session:
        office = open_office(session, MORNING)
        alert, chen, zhou = AlertId(alarm(office).id), office.staff.id, office.zhou.id

    def takes(who: int):
        return lambda session: handling.take_alarm(
            session, by=MemberId(who), alert_id=alert, now=MORNING
        )

    became = at_once(any_village, takes(chen), takes(zhou))
    assert became[0] == "done"
    assert became[1] in ("wrong_state 陈干事", "wrong_state 周干事")


def test_of_two_who_decide_one_dispute_at_once_the_second_is_told(any_village: Village) -> None:
    with any_village.transaction() as session:
        office = open_office(session, MORNING)
        employ(session, office.li, Role.MEDIATOR)
        dispute = DisputeId(differing(office).id)
        wu, li = office.wu.id, office.li.id

    def says(who: int, minutes: int):
        return lambda session: mediating.decide(
            session,
            by=MemberId(who),
            dispute_id=dispute,
            words="我定了",
            minutes=minutes,
            now=MORNING,
        )

    became = at_once(any_village, says(wu, 60), says(li, 90))
    assert became[0] == "done"
    assert became[1] in ("wrong_state 吴调解", "wrong_state 李建国")


def test_one_form_sent_twice_at_once_asks_once(any_village: Village) -> None:
    with any_village.transaction() as session:
        office = open_office(session, MORNING)
        came = office.came(office.wang)

    def asks_for_help(session: Session) -> None:
        counter.request_help(
            session,
            came,
            service_kind=ServiceKind.SHOPPING,
            starts_at=MORNING + timedelta(days=1),
        )

    assert at_once(any_village, asks_for_help, asks_for_help) == ["done", "done"]
    with any_village.reading() as session:
        assert session.query(ServiceRequest).count() == 1
