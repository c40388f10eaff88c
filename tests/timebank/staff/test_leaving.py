"""A member leaves: kindly, safely, and with the hours kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from actions.timebank import channels, check_ins, members, queries
from actions.timebank.errors import (
    ChangedMeanwhile,
    NotForSelf,
    NotYours,
    StillOpen,
    UnknownMember,
    WrongState,
)
from actions.timebank.model import ChannelBinding, Delegation, JoinCard, Member, Notice
from actions.timebank.staff import accounts, kin, leaving
from actions.timebank.staff.roles import Role
from actions.timebank.states import (
    CardState,
    Channel,
    CheckInState,
    DelegateScope,
    DelegationState,
    LeavingReason,
    RelationKind,
    RequestState,
    Rhythm,
)
from tests.timebank.neighbourhood import Neighbourhood
from tests.timebank.staff.test_register import hired, hood

__all__ = ["hood"]


def leave(hood: Neighbourhood, member: Member, why: LeavingReason, **about: Any) -> Member:
    given: dict[str, Any] = {"seen": member.version, "by": hood.staff.id, "now": hood.now}
    return leaving.leave(hood.session, member=member.id, why=why, **{**given, **about})


def test_what_was_not_begun_is_called_off_and_the_helper_told(hood: Neighbourhood) -> None:
    request = hood.ask()
    helper = hood.accepted(request).helper
    leave(hood, hood.wang, LeavingReason.MOVED)
    assert request.state is RequestState.CANCELLED
    assert len(hood.notices(helper, "request_cancelled")) == 1
    has = hood.balance(hood.wang)
    assert has.available == has.posted > 0, "the hours stay on the account"


@pytest.mark.parametrize(
    "why, told", [("moved", "helper_stepped_back"), ("died", "helper_changes")]
)
def test_what_he_promised_goes_to_another(hood: Neighbourhood, why: str, told: str) -> None:
    request = hood.ask()
    helper = hood.accepted(request).helper
    leave(hood, helper, LeavingReason(why))
    assert len(hood.notices(hood.wang, told)) == 1
    assert hood.offer_of(request).helper_id != helper.id


def test_whom_he_was_being_asked_is_asked_of_the_next(hood: Neighbourhood) -> None:
    request = hood.ask()
    asked = hood.offer_of(request).helper
    leave(hood, asked, LeavingReason.WISHED)
    assert hood.offer_of(request).helper_id != asked.id
    assert queries.pending_offers(hood.session, asked.id) == []


@pytest.mark.parametrize("who", ["wang", "helper"])
def test_hours_that_wait_for_a_word_keep_both_here(hood: Neighbourhood, who: str) -> None:
    request = hood.ask()
    promise = hood.accepted(request)
    hood.claim(promise, 60)
    member = hood.wang if who == "wang" else promise.helper
    with pytest.raises(StillOpen) as refused:
        leave(hood, member, LeavingReason.DIED)
    assert refused.value.facts["requests"] == [request.id]
    assert leaving.still_open(hood.session, member.id).in_the_way


def asked_about_delegate(hood: Neighbourhood) -> Delegation:
    return kin.propose_delegate(
        hood.session,
        elder=hood.wang.id,
        delegate=hood.zhang.id,
        scopes=list(DelegateScope),
        by=hood.staff.id,
        now=hood.now,
    )


def test_phone_card_link_and_check_ins_end(hood: Neighbourhood) -> None:
    hood.session.add(
        ChannelBinding(
            channel=Channel.TELEGRAM, address="7", member_id=hood.wang.id, bound_at=hood.now
        )
    )
    channels.issue_card(hood.session, member=hood.wang.id, by=None, now=hood.now)
    check_ins.set_rhythm(hood.session, member=hood.wang.id, rhythm=Rhythm.DAILY, now=hood.now)
    asked = check_ins.open_check_in(hood.session, hood.wang.id)
    delegation, serial = asked_about_delegate(hood), hood.wang.link_serial
    leave(hood, hood.wang, LeavingReason.DIED)
    hood.session.expire_all()
    assert channels.binding_of(hood.session, hood.wang.id, channel=Channel.TELEGRAM) is None
    assert hood.session.execute(select(JoinCard.state)).scalar_one() is CardState.VOID
    assert hood.wang.link_serial == serial + 1
    assert asked is not None and asked.state is CheckInState.CANCELLED
    assert delegation.state is DelegationState.ENDED
    told = select(Notice).where(Notice.recipient_id == hood.zhang.id)
    assert hood.session.execute(told).first() is None, "no machine tells of a death"


def test_coming_back_finds_the_hours_and_needs_a_new_link(hood: Neighbourhood) -> None:
    posted = hood.balance(hood.wang).posted
    leave(hood, hood.wang, LeavingReason.MOVED)
    with pytest.raises(UnknownMember):
        leave(hood, hood.wang, LeavingReason.MOVED)
    leaving.come_back(hood.session, member=hood.wang.id, by=hood.staff.id, now=hood.now)
    assert hood.wang.left_at is None and hood.wang.left_why is None
    assert hood.balance(hood.wang).posted == posted
    with pytest.raises(WrongState):
        leaving.come_back(hood.session, member=hood.wang.id, by=hood.staff.id, now=hood.now)
    assert hood.ask().state is not RequestState.CANCELLED


def test_who_may_not_send_anybody_away(hood: Neighbourhood) -> None:
    with pytest.raises(NotForSelf):
        leave(hood, hood.staff, LeavingReason.MOVED)
    with pytest.raises(NotYours):
        leave(hood, hood.wang, LeavingReason.MOVED, by=hood.zhang.id)
    with pytest.raises(ChangedMeanwhile):
        leave(hood, hood.wang, LeavingReason.MOVED, seen=hood.wang.version + 1)
    # Staff are sent away by whoever makes the accounts.
    hired(hood, hood.li, Role.VIEWER)
    with pytest.raises(NotYours):
        leave(hood, hood.li, LeavingReason.MOVED)
    hired(hood, hood.zhao, Role.ADMINISTRATOR)
    leave(hood, hood.li, LeavingReason.MOVED, by=hood.zhao.id)
    assert accounts.staff_of(hood.session, hood.li.id) is None


def test_only_her_yes_makes_a_delegate_and_nobody_proposes_himself(hood: Neighbourhood) -> None:
    hood.staff.is_coordinator = False
    delegation = asked_about_delegate(hood)
    assert delegation.state is DelegationState.PROPOSED
    assert len(hood.notices(hood.wang, "delegation_proposed")) == 1
    with pytest.raises(NotYours):
        kin.propose_delegate(
            hood.session,
            elder=hood.wang.id,
            delegate=hood.staff.id,
            scopes=list(DelegateScope),
            by=hood.staff.id,
            now=hood.now,
        )
    with pytest.raises(NotYours):
        kin.end_delegate(
            hood.session,
            elder=hood.li.id,
            delegation_id=delegation.id,
            by=hood.staff.id,
            now=hood.now,
        )
    kin.end_delegate(
        hood.session,
        elder=hood.wang.id,
        delegation_id=delegation.id,
        by=hood.staff.id,
        now=hood.now,
    )
    assert delegation.state is DelegationState.ENDED


def test_kin_is_written_down_replaced_and_removed(hood: Neighbourhood) -> None:
    about: dict[str, Any] = {"member": hood.wang.id, "other": hood.li.id}
    staff: dict[str, Any] = {"by": hood.staff.id, "now": hood.now}
    for label in ("侄子", "外甥"):
        kin.add_tie(hood.session, **about, kind=RelationKind.KIN, label=label, **staff)
    assert [
        label
        for other, _kind, label in members.relations_of(hood.session, hood.wang.id)
        if other is hood.li
    ] == ["外甥"]
    kin.remove_tie(hood.session, **about, **staff)
    assert hood.li not in members.kin_of(hood.session, hood.wang.id)
