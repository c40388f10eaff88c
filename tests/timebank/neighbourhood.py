"""Two lanes of one group, a farther lane, and the people whom the exchange tests are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import exchange, ledger, queries, visits
from actions.timebank.ids import TurnId
from actions.timebank.model import (
    Assignment,
    Group,
    Member,
    Notice,
    Offer,
    ServiceRequest,
)
from actions.timebank.states import ServiceKind
from tests.timebank.builders import make_lane, make_member

WILLING = (
    ServiceKind.SHOPPING,
    ServiceKind.MEALS,
    ServiceKind.CLEANING,
    ServiceKind.URGENT_HELP,
)

_turns = count(1)


def new_turn() -> TurnId:
    return TurnId(f"test:{next(_turns)}")


@dataclass
class Neighbourhood:
    """王奶奶 in 桂花巷 with two hours; 张秀英 next door, 李建国 one lane on, 赵铁柱 far away."""

    session: Session
    now: datetime
    wang: Member
    zhang: Member
    li: Member
    zhao: Member
    staff: Member

    def ask(self, **fields: Any) -> ServiceRequest:
        """王奶奶 asks for an hour of shopping tomorrow, unless told otherwise."""
        asked: dict[str, Any] = {
            "elder": self.wang.id,
            "service_kind": ServiceKind.SHOPPING,
            "starts_at": self.now + timedelta(days=1),
            "turn_id": new_turn(),
            "now": self.now,
        }
        return exchange.request_help(self.session, **{**asked, **fields})

    def offer_of(self, request: ServiceRequest) -> Offer:
        offer = queries.pending_offer_of(self.session, request.id)
        assert offer is not None, "nobody is being asked"
        return offer

    def accepted(self, request: ServiceRequest) -> Assignment:
        """Whoever is asked says yes."""
        offer = self.offer_of(request)
        return exchange.accept_offer(
            self.session, helper=offer.helper_id, offer_id=offer.id, now=self.now
        )

    def decline(self, request: ServiceRequest) -> Offer | None:
        """Whoever is asked says no."""
        offer = self.offer_of(request)
        return exchange.decline_offer(
            self.session, helper=offer.helper_id, offer_id=offer.id, now=self.now
        )

    def claim(self, assignment: Assignment, minutes: int) -> visits.Settlement:
        return visits.claim_visit(
            self.session,
            helper=assignment.helper_id,
            assignment_id=assignment.id,
            minutes=minutes,
            turn_id=new_turn(),
            now=self.now,
        )

    def confirm(self, request: ServiceRequest, minutes: int | None = None) -> visits.Settlement:
        return visits.confirm_visit(
            self.session,
            elder=request.elder_id,
            request_id=request.id,
            turn_id=new_turn(),
            now=self.now,
            minutes=minutes,
        )

    def visited(self, minutes: int = 60, **fields: Any) -> ServiceRequest:
        """A whole good visit from asking to settling."""
        request = self.ask(**fields)
        self.claim(self.accepted(request), minutes)
        self.confirm(request)
        return request

    def balance(self, member: Member) -> ledger.BalanceOf:
        return ledger.balance(self.session, ledger.account_of(self.session, member.id).id)

    def fund(self) -> ledger.BalanceOf:
        return ledger.balance(self.session, ledger.fund_account(self.session).id)

    def notices(self, member: Member, kind: str) -> list[dict[str, Any]]:
        """The facts of what this member was told of this kind, oldest first."""
        told = select(Notice.facts).where(Notice.recipient_id == member.id, Notice.kind == kind)
        return list(self.session.execute(told.order_by(Notice.id)).scalars())


def settle_in(session: Session, now: datetime) -> Neighbourhood:
    wang = make_member(session, "王奶奶", now=now, opening_minutes=120, place="老槐树旁")
    far = Group(name="西片互助组")
    session.add(far)
    make_lane(session, "石桥巷", far)
    helper: dict[str, Any] = {"now": now, "skills": WILLING, "takes_tasks": True}
    return Neighbourhood(
        session=session,
        now=now,
        wang=wang,
        zhang=make_member(session, "张秀英", place="村东头", **helper),
        li=make_member(session, "李建国", lane="槐树巷", **helper),
        zhao=make_member(session, "赵铁柱", lane="石桥巷", **helper),
        staff=make_member(session, "陈干事", now=now, is_coordinator=True),
    )
