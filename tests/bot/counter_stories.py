"""What happens at the counter of the village office, for the notices that it queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions.timebank.ids import DisputeId, MemberId, RequestId, TurnId
from actions.timebank.model import Dispute, Member
from actions.timebank.staff import counter, mediating
from actions.timebank.staff.counter import CameIn
from actions.timebank.staff.roles import Role
from actions.timebank.states import ServiceKind
from tests.timebank.neighbourhood import Neighbourhood, new_turn
from tests.timebank.staff.office import employ


def _came(hood: Neighbourhood, who: Member, **fields: Any) -> CameIn:
    given: dict[str, Any] = {
        "member": MemberId(who.id),
        "staff": MemberId(hood.staff.id),
        "turn_id": TurnId(f"console:{new_turn()}"),
        "words": "我自己来说一声",
        "now": hood.now,
    }
    return CameIn(**{**given, **fields})


def asked_in_person(hood: Neighbourhood) -> None:
    employ(hood.session, hood.staff, Role.COORDINATOR)
    made = counter.request_help(
        hood.session,
        _came(hood, hood.wang),
        service_kind=ServiceKind.SHOPPING,
        starts_at=hood.now + timedelta(days=1),
    )
    request = RequestId(made.request_id)
    counter.change_request(hood.session, _came(hood, hood.wang), request, minutes=30)
    counter.cancel(hood.session, _came(hood, hood.wang), request)


def helped_in_person(hood: Neighbourhood) -> None:
    employ(hood.session, hood.staff, Role.COORDINATOR)
    request = hood.ask()
    counter.decline(hood.session, _came(hood, hood.offer_of(request).helper), RequestId(request.id))
    helper = hood.offer_of(request).helper
    counter.accept(hood.session, _came(hood, helper), RequestId(request.id))
    counter.report_done(hood.session, _came(hood, helper), RequestId(request.id), minutes=30)
    other = hood.ask(starts_at=hood.now + timedelta(days=2))
    hood.claim(hood.accepted(other), 40)
    counter.confirm(hood.session, _came(hood, hood.wang), RequestId(other.id), minutes=None)


def contested_in_person(hood: Neighbourhood) -> None:
    employ(hood.session, hood.staff, Role.COORDINATOR)
    employ(hood.session, hood.zhao, Role.MEDIATOR)
    counter.complain(hood.session, _came(hood, hood.wang))
    request = hood.ask()
    hood.accepted(request)
    hood.now = request.starts_at + timedelta(hours=1)
    made = counter.report_no_show(hood.session, _came(hood, hood.wang), RequestId(request.id))
    dispute = hood.session.query(Dispute).filter_by(turn_id=made.turn_id).one()
    mediating.decide(
        hood.session,
        by=MemberId(hood.zhao.id),
        dispute_id=DisputeId(dispute.id),
        words="他记错了日子，已经赔了不是。",
        now=hood.now,
    )


COUNTER_STORIES = (asked_in_person, helped_in_person, contested_in_person)
