"""A believable village to try things in: people, opening minutes, and a little past.

The past is lived through the real verbs, so it cannot show what the village could not do. Who
lives there is told in `demo_village.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import exchange, ledger, members, outbox, visits
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import (
    AccountId,
    AssignmentId,
    MemberId,
    NoticeId,
    OfferId,
    RequestId,
    TurnId,
)
from actions.timebank.model import Group, Lane, Member, Relation, Skill, Transfer
from actions.timebank.queries import pending_offer_of
from actions.timebank.states import RelationKind, ServiceKind

FOUNDED_MONTHS_AGO = 3

_FUND_KEY = "demo:fund"


def fill_demo_village(session: Session, *, now: datetime) -> bool:
    """Fills an empty database and tells True; one with any member is left alone (False)."""
    if session.execute(select(Member.id).limit(1)).first() is not None:
        return False
    village = _read()
    founded = _moment(now, months_ago=FOUNDED_MONTHS_AGO, day=1, hour=9)
    _open_fund(session, village["fund_minutes"], founded)
    lanes = _build_lanes(session, village["groups"])
    people = {
        one["name"]: _settle_in(session, one, lanes[one["lane"]], founded)
        for one in village["members"]
    }
    for tie in village["relations"]:
        _relate(session, tie, people)
    for number, visit in enumerate(village["past_visits"], start=1):
        _live_through(session, visit, people, f"demo:{number}", now)
    _deliver_what_is_past(session, people)
    return True


def is_demo_village(session: Session) -> bool:
    """Whether the people in this database are the invented ones."""
    opening = select(Transfer.id).where(Transfer.idempotency_key == _FUND_KEY)
    return session.execute(opening).first() is not None


def _read() -> Mapping[str, Any]:
    story = resources.files("actions.timebank").joinpath("demo_village.json")
    village: Mapping[str, Any] = json.loads(story.read_text(encoding="utf-8"))
    return village


def _moment(now: datetime, *, months_ago: int, day: int, hour: int) -> datetime:
    """A full hour in an earlier month, by the village's calendar."""
    first_of_month = now.astimezone(VILLAGE_ZONE).replace(
        day=1, hour=hour, minute=0, second=0, microsecond=0
    )
    for _ in range(months_ago):
        first_of_month = (first_of_month - timedelta(days=1)).replace(day=1)
    return first_of_month.replace(day=day)


def _open_fund(session: Session, minutes: int, founded: datetime) -> None:
    ledger.ensure_village_accounts(session)
    ledger.grant(
        session,
        account_id=AccountId(ledger.fund_account(session).id),
        minutes=minutes,
        reason="opening",
        idempotency_key=_FUND_KEY,
        now=founded,
    )


def _build_lanes(session: Session, groups: list[Mapping[str, Any]]) -> dict[str, Lane]:
    lanes: dict[str, Lane] = {}
    for one in groups:
        group = Group(name=one["name"])
        lanes |= {name: Lane(name=name, group=group) for name in one["lanes"]}
    session.add_all(lanes.values())
    session.flush()
    return lanes


def _settle_in(
    session: Session, person: Mapping[str, Any], lane: Lane, founded: datetime
) -> Member:
    member = members.join(
        session,
        name=person["name"],
        lane=lane,
        now=founded,
        nickname=person["nickname"],
        birth_year=founded.year - person["age"],
        place=person["place"],
        is_coordinator=person.get("is_coordinator", False),
        lives_alone=person.get("lives_alone", False),
        takes_tasks=person.get("takes_tasks", False),
    )
    member_id = MemberId(member.id)
    for column, trained in (("skills", False), ("trained", True)):
        for kind in person.get(column, ()):
            session.add(Skill(member_id=member_id, service_kind=ServiceKind(kind), trained=trained))
    if "opening_minutes" in person:
        ledger.grant(
            session,
            account_id=AccountId(ledger.account_of(session, member_id).id),
            minutes=person["opening_minutes"],
            reason="opening",
            idempotency_key=f"demo:opening:{member_id}",
            now=founded,
        )
    return member


def _relate(session: Session, tie: Mapping[str, str], people: Mapping[str, Member]) -> None:
    session.add(
        Relation(
            member_id=people[tie["member"]].id,
            other_id=people[tie["other"]].id,
            kind=RelationKind(tie["kind"]),
            label=tie["label"],
        )
    )
    session.flush()


def _live_through(
    session: Session,
    visit: Mapping[str, Any],
    people: Mapping[str, Member],
    story: str,
    now: datetime,
) -> None:
    """One visit from asking, the evening before, to both having said that it was done."""
    elder = MemberId(people[visit["elder"]].id)
    helper = MemberId(people[visit["helper"]].id)
    starts_at = _moment(now, months_ago=visit["months_ago"], day=visit["day"], hour=visit["hour"])
    asked_at = starts_at - timedelta(hours=14)
    done_at = starts_at + timedelta(minutes=visit["claimed"])
    request = exchange.request_help(
        session,
        elder=elder,
        service_kind=ServiceKind(visit["kind"]),
        starts_at=starts_at,
        turn_id=TurnId(f"{story}:ask"),
        now=asked_at,
        minutes=visit["minutes"],
        place=people[visit["elder"]].place,
        note=visit["note"],
        wanted_helper=helper,
    )
    offer = pending_offer_of(session, request.id)
    if offer is None:
        raise LookupError(f"the demo village has nobody for visit {story}")
    assignment = exchange.accept_offer(
        session,
        helper=helper,
        offer_id=OfferId(offer.id),
        now=asked_at + timedelta(minutes=10),
    )
    assignment_id = AssignmentId(assignment.id)
    visits.start_visit(session, helper=helper, assignment_id=assignment_id, now=starts_at)
    visits.claim_visit(
        session,
        helper=helper,
        assignment_id=assignment_id,
        minutes=visit["claimed"],
        turn_id=TurnId(f"{story}:claim"),
        now=done_at,
    )
    visits.confirm_visit(
        session,
        elder=elder,
        request_id=RequestId(request.id),
        turn_id=TurnId(f"{story}:confirm"),
        now=done_at + timedelta(minutes=5),
        minutes=visit["confirmed"],
    )


def _deliver_what_is_past(session: Session, people: Mapping[str, Member]) -> None:
    """Nobody should hear last month's notices on the first day of the demo."""
    for person in people.values():
        member_id = MemberId(person.id)
        for notice in outbox.queued_for(session, member_id):
            outbox.deliver(
                session,
                notice_id=NoticeId(notice.id),
                member=member_id,
                now=notice.created_at,
            )
