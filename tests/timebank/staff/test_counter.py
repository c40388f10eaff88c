"""Who comes to the office in person is written down as having spoken, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import ledger
from actions.timebank.errors import (
    BadMinutes,
    InThePast,
    NotForSelf,
    NothingOpen,
    NotYours,
    OfferGone,
    SamePerson,
    UnknownMember,
    WrongState,
)
from actions.timebank.history import history
from actions.timebank.ids import MemberId, RequestId, TurnId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import Dispute, InPersonDeed, ServiceRequest, Turn
from actions.timebank.staff import counter
from actions.timebank.staff.counter import CameIn, NoWords, WrittenBefore
from actions.timebank.staff.states import (
    CounterDeed,
)
from actions.timebank.states import (
    DisputeKind,
    RequestState,
    ServiceKind,
    TurnOutcome,
)
from tests.timebank.builders import MORNING
from tests.timebank.staff.office import Office, open_office


@pytest.fixture
def office(session: Session) -> Office:
    return open_office(session, MORNING)


def asks(office: Office, came: CameIn, **fields: Any) -> InPersonDeed:
    wanted: dict[str, Any] = {
        "service_kind": ServiceKind.SHOPPING,
        "starts_at": office.now + timedelta(days=1),
    }
    return counter.request_help(office.session, came, **{**wanted, **fields})


def request_of(office: Office, deed: InPersonDeed) -> ServiceRequest:
    request = office.session.get(ServiceRequest, deed.request_id)
    assert request is not None
    return request


def test_who_asks_in_person_has_asked_herself(office: Office) -> None:
    deed = asks(office, office.came(office.wang, "明天想买点菜", note="她拄着拐"))
    request = request_of(office, deed)
    assert (request.elder_id, request.requested_by_id) == (office.wang.id, office.wang.id)
    assert (request.state, request.note) == (RequestState.OFFERED, "明天想买点菜")
    assert (deed.staff_id, deed.note) == (office.staff.id, "她拄着拐")
    turn = office.session.get(Turn, deed.turn_id)
    assert turn is not None
    assert (turn.member_id, turn.channel, turn.heard) == (office.wang.id, "console", "明天想买点菜")
    assert (turn.intent, turn.outcome) == ("request_help", TurnOutcome.ANSWERED)
    assert turn.recording_sha256 is None


def test_she_is_told_what_was_written_down_and_by_whom(office: Office) -> None:
    asks(office, office.came(office.wang))
    [told] = office.notices(office.wang, "in_person_request")
    assert (told["by"], told["kind"]) == ("陈干事", "shopping")


def test_a_form_that_is_sent_twice_asks_once(office: Office) -> None:
    came = office.came(office.wang)
    first = asks(office, came)
    assert asks(office, came) is first
    assert office.session.execute(select(func.count(ServiceRequest.id))).scalar_one() == 1
    assert len(office.notices(office.wang, "in_person_request")) == 1


@pytest.mark.parametrize(
    "other",
    [{"words": "别的话"}, {"staff": "zhou"}],
    ids=["other words", "another's form"],
)
def test_a_form_is_good_for_what_it_was_sent_with(office: Office, other: dict[str, Any]) -> None:
    came = office.came(office.wang)
    asks(office, came)
    if "staff" in other:
        other = {"staff": MemberId(office.zhou.id)}
    with pytest.raises(WrittenBefore):
        asks(office, replace(came, **other))
    with pytest.raises(WrittenBefore):
        counter.complain(office.session, came)
    with pytest.raises(NotYours):
        counter.complain(office.session, replace(came, member=MemberId(office.zhang.id)))


def test_an_unconfirmed_visit_is_confirmed_in_person(office: Office) -> None:
    request = office.ask()
    office.claim(office.accepted(request), 60)
    counter.confirm(office.session, office.came(office.wang), RequestId(request.id), minutes=None)
    assert request.state is RequestState.CONFIRMED
    assert office.balance(office.zhang).posted == 60
    [_, confirmation] = request.assignments[0].visit.confirmations
    made = office.session.get(InPersonDeed, confirmation.turn_id)
    assert made is not None and made.staff_id == office.staff.id
    assert confirmation.evidence_sha256 is None
    assert ledger.verify(office.session).intact


def test_whoever_asks_of_her_hours_hears_who_wrote_it_down(office: Office) -> None:
    request = office.ask(minutes=10)
    office.claim(office.accepted(request), 10)
    counter.confirm(office.session, office.came(office.wang), RequestId(request.id), minutes=None)
    office.visited(20, starts_at=office.now + timedelta(days=3))
    for person in (office.wang, office.zhang):
        by_voice, in_person = history(office.session, MemberId(person.id), limit=2)
        assert (by_voice.written_by, in_person.written_by) == (None, "陈干事")


def test_her_own_number_counts_and_a_large_difference_is_disputed(office: Office) -> None:
    request = office.ask()
    office.claim(office.accepted(request), 90)
    counter.confirm(office.session, office.came(office.wang), RequestId(request.id), minutes=30)
    assert request.state is RequestState.DISPUTED
    assert office.balance(office.zhang).posted == 30


def test_she_does_not_confirm_twice(office: Office) -> None:
    request = office.visited()
    with pytest.raises(WrongState):
        counter.confirm(office.session, office.came(office.wang), RequestId(request.id), minutes=1)


def test_a_helper_reports_and_puts_his_number_right(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    came = office.came(office.zhang, "菜买好了")
    counter.report_done(office.session, came, RequestId(request.id), minutes=50)
    counter.report_done(
        office.session, office.came(office.zhang, "说错了"), RequestId(request.id), minutes=40
    )
    [claim] = request.assignments[0].visit.confirmations
    assert (request.state, claim.minutes) == (RequestState.CLAIMED, 40)
    assert office.balance(office.zhang).posted == 0


def test_no_hours_move_by_the_word_of_one_of_the_staff(office: Office) -> None:
    """He could write down a visit that never was."""
    request = office.ask()
    office.accepted(request)
    request_id = RequestId(request.id)
    counter.report_done(office.session, office.came(office.zhang), request_id, minutes=60)
    hers = office.came(office.wang)
    nested = office.session.begin_nested()
    with pytest.raises(SamePerson):
        counter.confirm(office.session, hers, request_id, minutes=None)
    nested.rollback()
    assert office.balance(office.zhang).posted == 0
    other = replace(hers, staff=MemberId(office.zhou.id))
    counter.confirm(office.session, other, request_id, minutes=None)
    assert office.balance(office.zhang).posted == 60


def test_nor_when_the_elder_came_first(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    request_id = RequestId(request.id)
    counter.confirm(office.session, office.came(office.wang), request_id, minutes=60)
    with pytest.raises(SamePerson):
        counter.report_done(office.session, office.came(office.zhang), request_id, minutes=60)


def test_nobody_came_and_she_comes_to_say_so(office: Office) -> None:
    request = office.ask()
    office.accepted(request)
    office.now += timedelta(days=1, minutes=30)
    came = office.came(office.wang, "等了半天没人来")
    deed = counter.report_no_show(office.session, came, RequestId(request.id))
    dispute = office.session.execute(select(Dispute)).scalar_one()
    assert (dispute.kind, dispute.words) == (DisputeKind.NO_SHOW, "等了半天没人来")
    assert (dispute.turn_id, deed.deed) == (deed.turn_id, CounterDeed.NO_SHOW)


def test_a_complaint_is_about_nothing_in_particular(office: Office) -> None:
    deed = counter.complain(office.session, office.came(office.wang, "说话不客气"))
    assert deed.request_id is None
    dispute = office.session.execute(select(Dispute)).scalar_one()
    assert (dispute.kind, dispute.words) == (DisputeKind.COMPLAINT, "说话不客气")


def test_she_needs_it_later_or_no_more(office: Office) -> None:
    request_id = RequestId(office.ask().id)
    later = office.now + timedelta(days=2)
    counter.change_request(
        office.session, office.came(office.wang), request_id, starts_at=later, minutes=90
    )
    request = office.session.get(ServiceRequest, request_id)
    assert request is not None
    assert (request.starts_at, request.minutes) == (later, 90)
    counter.cancel(office.session, office.came(office.wang), request_id)
    assert request.state is RequestState.CANCELLED
    with pytest.raises(WrongState):
        counter.cancel(office.session, office.came(office.wang), request_id)


def test_whoever_is_asked_agrees_declines_or_steps_back(office: Office) -> None:
    request = office.ask()
    request_id = RequestId(request.id)
    asked = office.offer_of(request).helper
    counter.decline(office.session, office.came(asked, "我去赶集"), request_id)
    following = office.offer_of(request)
    assert following.helper_id != asked.id
    counter.accept(office.session, office.came(following.helper), request_id)
    assert request.state is RequestState.ASSIGNED
    counter.decline(office.session, office.came(following.helper, "病了"), request_id)
    assert following.decline_reason == "病了"
    assert request.state is RequestState.OFFERED


Deed = Callable[[Office, CameIn, RequestId], object]
OF_THE_ELDER: dict[str, Deed] = {
    "change": lambda o, c, r: counter.change_request(o.session, c, r, minutes=30),
    "cancel": lambda o, c, r: counter.cancel(o.session, c, r),
    "confirm": lambda o, c, r: counter.confirm(o.session, c, r, minutes=60),
    "no_show": lambda o, c, r: counter.report_no_show(o.session, c, r),
}
OF_THE_HELPER: dict[str, Deed] = {
    "accept": lambda o, c, r: counter.accept(o.session, c, r),
    "decline": lambda o, c, r: counter.decline(o.session, c, r),
    "report_done": lambda o, c, r: counter.report_done(o.session, c, r, minutes=60),
}
ALL = {**OF_THE_ELDER, **OF_THE_HELPER}


@pytest.mark.parametrize("deed", ALL.values(), ids=ALL)
def test_nobody_acts_on_another_s_request(office: Office, deed: Deed) -> None:
    request = office.ask()
    office.accepted(request)
    with pytest.raises((NotYours, OfferGone)):
        deed(office, office.came(office.li), RequestId(request.id))


@pytest.mark.parametrize("deed", ALL.values(), ids=ALL)
@pytest.mark.parametrize("number", [0, -1, LARGEST_ID + 1, 4711])
def test_there_is_no_such_request(office: Office, deed: Deed, number: int) -> None:
    with pytest.raises(NothingOpen):
        deed(office, office.came(office.wang), RequestId(number))


@pytest.mark.parametrize("deed", ALL.values(), ids=ALL)
def test_staff_write_nothing_about_a_visit_of_their_own(office: Office, deed: Deed) -> None:
    """周干事 helps 王奶奶, and 周干事 asks for help."""
    request = office.ask()
    assignment = office.accepted(request)
    assignment.helper = assignment.offer.helper = office.zhou
    office.session.flush()
    by_the_helper = office.came(office.wang, staff=MemberId(office.zhou.id))
    with pytest.raises(NotForSelf):
        deed(office, by_the_helper, RequestId(request.id))
    for_himself = office.came(office.zhou, staff=MemberId(office.zhou.id))
    with pytest.raises(NotForSelf):
        deed(office, for_himself, RequestId(request.id))


@pytest.mark.parametrize("who", ["wu", "zhang", "wang"])
def test_only_a_coordinator_of_the_console_writes_down(office: Office, who: str) -> None:
    with pytest.raises(NotYours):
        asks(office, office.came(office.li, staff=MemberId(getattr(office, who).id)))


@pytest.mark.parametrize("words", ["", "  \n", "啊" * 1_001])
def test_what_was_said_is_written_down(office: Office, words: str) -> None:
    with pytest.raises(NoWords):
        asks(office, office.came(office.wang, words))


def test_only_forms_of_the_console_make_such_turns(office: Office) -> None:
    with pytest.raises(NoWords):
        asks(office, office.came(office.wang, turn_id=TurnId("talk:1")))


@pytest.mark.parametrize("member", [0, -3, LARGEST_ID + 1, 4711])
def test_nobody_unknown_comes_in(office: Office, member: int) -> None:
    with pytest.raises(UnknownMember):
        asks(office, office.came(office.wang, member=MemberId(member)))


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"minutes": 0}, BadMinutes),
        ({"minutes": 100_000}, BadMinutes),
        ({"starts_at": MORNING - timedelta(days=1)}, InThePast),
    ],
)
def test_what_she_cannot_ask_for_by_voice_she_cannot_ask_for_here(
    office: Office, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        asks(office, office.came(office.wang), **wrong)


def test_who_wrote_what_down_is_never_changed(office: Office) -> None:
    asks(office, office.came(office.wang))
    for statement in (
        "UPDATE in_person_deed SET staff_id = 1",
        "DELETE FROM in_person_deed",
    ):
        with pytest.raises(IntegrityError), office.session.begin_nested():
            office.session.execute(text(statement))


def test_the_database_takes_nobody_s_turn_for_another_s(office: Office) -> None:
    deed = asks(office, office.came(office.wang))
    forged = InPersonDeed(
        turn_id=deed.turn_id + "x",
        member_id=office.zhang.id,
        staff_id=office.staff.id,
        deed=CounterDeed.COMPLAIN,
        done_at=office.now,
    )
    with pytest.raises(IntegrityError), office.session.begin_nested():
        office.session.add(forged)
        office.session.flush()
