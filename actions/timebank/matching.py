"""Which neighbour to ask, and why: near first, then known, able, and whose turn it is.

Kin come last: the village helps along the elder's family and in no way stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.availability import WeeklyTime, named_times, weekly_time
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.fair_load import Load, loads
from actions.timebank.ids import MemberId
from actions.timebank.model import (
    Assignment,
    Lane,
    Member,
    Notice,
    Offer,
    Relation,
    ServiceRequest,
    Skill,
    Visit,
)
from actions.timebank.promises import at_the_same_time
from actions.timebank.ratings import poor_visits
from actions.timebank.sparing import not_to_be_asked
from actions.timebank.states import (
    TRAINED_ONLY,
    RelationKind,
    RequestState,
    ServiceKind,
)


class Reason(str, Enum):
    """Why this neighbour, with the facts that come along, strongest first."""

    ASKED_FOR = "asked_for"
    HELPED_BEFORE = "helped_before"
    """`kind` and `day` (ISO date in the village) of the last good visit to this elder."""
    NEIGHBOUR = "neighbour"
    """One of the two named the other as neighbour."""
    SAME_LANE = "same_lane"
    """`lane`, its name."""
    SAME_GROUP = "same_group"
    """`group`, its name."""
    TRAINED = "trained"
    """`kind` of the training."""
    SKILLED = "skilled"
    """`kind` that the neighbour is willing to do."""
    NAMED_DAY = "named_day"
    """The neighbour named this time of the week."""
    KIN = "kin"
    """`label` in the elder's words; empty when only the kin said so."""
    FAIR_TURN = "fair_turn"
    """`asked`, how often in the last 30 days; others were asked more often."""


@dataclass(frozen=True)
class Candidate:
    """A neighbour who could be asked."""

    helper: Member
    reasons: list[Reason]
    """Strongest first."""
    facts: dict[Reason, dict[str, Any]] = field(default_factory=dict)
    """What each reason rests on, see `Reason`."""

    @property
    def why(self) -> list[dict[str, Any]]:
        """As an offer keeps it: `[{"code": "helped_before", "kind": …, "day": …}, …]`."""
        return [{"code": reason.value, **self.facts.get(reason, {})} for reason in self.reasons]


@dataclass(frozen=True)
class _Known:
    """What the village knows of the people around one request, each asked for all at once."""

    elder: Member
    wanted: MemberId | None
    kin: dict[MemberId, str]
    named_neighbours: set[MemberId]
    skills: dict[MemberId, bool]
    """Who is willing to do this kind, and whether trained for it."""
    good_visits: dict[MemberId, tuple[ServiceKind, datetime]]
    named_times: dict[MemberId, set[WeeklyTime]]
    wanted_time: WeeklyTime
    loads: dict[MemberId, Load]
    least_asked: int
    most_asked: int

    def named_this_time(self, helper: MemberId) -> bool:
        return self.wanted_time in self.named_times.get(helper, set())

    def named_other_times(self, helper: MemberId) -> bool:
        return helper in self.named_times and not self.named_this_time(helper)


def candidates(
    session: Session,
    request: ServiceRequest,
    *,
    now: datetime,
    wanted: MemberId | None = None,
    sparing: bool = True,
    again: bool = False,
) -> list[Candidate]:
    """Everybody who could be asked for this request, best first.

    Left out are the elder, who has left or takes no tasks, who was already asked for this
    request at this time and kind (unless `again`), who has promised another task then, who wished
    not to be asked for this, the untrained for the gated kinds, and, while `sparing`, who was
    asked enough (see `fair_load`). `wanted`, whom the elder named, goes first when able, also for
    a kind that is not on that neighbour's list.
    """
    skills = _skills(session, request.service_kind)
    able = _able(session, request, skills, wanted)
    ids = {MemberId(helper.id) for helper in able}
    ids -= not_to_be_asked(session, ids, request)
    if not again:
        ids -= _already_asked(session, request)
    ids -= {MemberId(promise.helper_id) for promise in at_the_same_time(session, ids, request)}
    asked = loads(session, ids, request, now=now)
    if sparing:
        asked = {helper: load for helper, load in asked.items() if not load.is_enough(request, now)}
    free = [helper for helper in able if helper.id in asked]
    if not free:
        return []
    known = _known(session, request, asked, skills, wanted)
    return [_explained(helper, request, known) for helper in _ranked(free, known)]


def _skills(session: Session, kind: ServiceKind) -> dict[MemberId, bool]:
    rows = session.execute(
        select(Skill.member_id, Skill.trained)
        .join(Member, Member.id == Skill.member_id)
        .where(Skill.service_kind == kind, Member.takes_tasks, Member.left_at.is_(None))
    )
    return {MemberId(member): trained for member, trained in rows}


def _able(
    session: Session,
    request: ServiceRequest,
    skills: dict[MemberId, bool],
    wanted: MemberId | None,
) -> list[Member]:
    """Willing members; where nobody lists the kind, all of the elder's group who take tasks."""
    willing = select(Member).where(
        Member.takes_tasks, Member.left_at.is_(None), Member.id != request.elder_id
    )
    if request.service_kind in TRAINED_ONLY:
        who = Member.id.in_([member for member, trained in skills.items() if trained])
    elif set(skills) - {request.elder_id}:
        who = or_(Member.id.in_(skills), Member.id == wanted)
    else:
        lanes = select(Lane.id).where(Lane.group_id == request.elder.lane.group_id)
        who = or_(Member.lane_id.in_(lanes), Member.id == wanted)
    with_home = joinedload(Member.lane).joinedload(Lane.group)
    return list(session.execute(willing.where(who).options(with_home)).scalars())


def _already_asked(session: Session, request: ServiceRequest) -> set[MemberId]:
    """Who was asked since the kind or time last changed. What was asked then is in the notices:
    people who could not come on Monday may be asked for Tuesday, and for Monday again."""
    offers = session.execute(
        select(Offer.id, Offer.helper_id).where(Offer.request_id == request.id).order_by(Offer.id)
    ).all()
    if not offers:
        return set()
    told = session.execute(
        select(Notice.facts).where(
            Notice.kind == "offer_made",
            Notice.recipient_id.in_({helper for _, helper in offers}),
            Notice.created_at >= request.created_at,
        )
    ).scalars()
    facts_of = {facts["offer_id"]: facts for facts in told}
    asked: set[MemberId] = set()
    for offer, helper in reversed(offers):
        if offer in facts_of and not _asks_for(facts_of[offer], request):
            break
        asked.add(MemberId(helper))
    return asked


def _asks_for(facts: dict[str, Any], request: ServiceRequest) -> bool:
    same_time = datetime.fromisoformat(facts["starts_at"]) == request.starts_at
    return same_time and bool(facts["kind"] == request.service_kind.value)


def _known(
    session: Session,
    request: ServiceRequest,
    asked: dict[MemberId, Load],
    skills: dict[MemberId, bool],
    wanted: MemberId | None,
) -> _Known:
    kin, named_neighbours = _relations(session, request.elder_id)
    ids = set(asked)
    return _Known(
        elder=request.elder,
        wanted=wanted,
        kin=kin,
        named_neighbours=named_neighbours,
        skills=skills,
        good_visits=_good_visits(session, request.elder_id, ids),
        named_times=named_times(session, ids),
        wanted_time=weekly_time(request.starts_at),
        loads=asked,
        least_asked=min(load.lately for load in asked.values()),
        most_asked=max(load.lately for load in asked.values()),
    )


def _relations(session: Session, elder: MemberId) -> tuple[dict[MemberId, str], set[MemberId]]:
    """Kin with what the elder calls them, and neighbours, whichever of the two said so."""
    kin: dict[MemberId, str] = {}
    neighbours: set[MemberId] = set()
    rows = session.execute(
        select(Relation).where(or_(Relation.member_id == elder, Relation.other_id == elder))
    ).scalars()
    for relation in rows:
        said_by_elder = relation.member_id == elder
        other = MemberId(relation.other_id if said_by_elder else relation.member_id)
        if relation.kind is RelationKind.NEIGHBOUR:
            neighbours.add(other)
        elif said_by_elder:
            kin[other] = relation.label
        else:
            kin.setdefault(other, "")
    return kin, neighbours


def _good_visits(
    session: Session, elder: MemberId, ids: set[MemberId]
) -> dict[MemberId, tuple[ServiceKind, datetime]]:
    """The last visit to this elder that both sides confirmed alike, of each helper; none of a
    helper whose last one she thought poor."""
    rows = session.execute(
        select(
            Assignment.helper_id, ServiceRequest.service_kind, ServiceRequest.starts_at, Visit.id
        )
        .join(ServiceRequest, ServiceRequest.id == Assignment.request_id)
        .join(Visit, Visit.assignment_id == Assignment.id)
        .where(
            ServiceRequest.elder_id == elder,
            ServiceRequest.state == RequestState.CONFIRMED,
            Assignment.helper_id.in_(ids),
            Visit.settled_minutes > 0,
        )
        .order_by(ServiceRequest.starts_at)
    )
    last = {MemberId(helper): (kind, starts_at, visit) for helper, kind, starts_at, visit in rows}
    poor = poor_visits(session, elder)
    return {
        helper: (kind, starts_at)
        for helper, (kind, starts_at, visit) in last.items()
        if visit not in poor
    }


def _ranked(free: list[Member], known: _Known) -> list[Member]:
    def rank(helper: Member) -> tuple[Any, ...]:
        return (
            helper.id != known.wanted,
            # A helper who named other times comes only when nobody else can, not even kin.
            known.named_other_times(helper.id),
            helper.id in known.kin,
            known.loads[helper.id].is_silent,
            _distance(helper, known),
            not known.named_this_time(helper.id),
            helper.id not in known.good_visits,
            not known.skills.get(helper.id, False),
            helper.id not in known.skills,
            known.loads[helper.id].lately,
            helper.id,
        )

    return sorted(free, key=rank)


def _distance(helper: Member, known: _Known) -> int:
    if helper.id in known.named_neighbours or helper.lane_id == known.elder.lane_id:
        return 0
    return 1 if helper.lane.group_id == known.elder.lane.group_id else 2


def _explained(helper: Member, request: ServiceRequest, known: _Known) -> Candidate:
    facts: dict[Reason, dict[str, Any]] = {}
    kind = request.service_kind.value
    if helper.id == known.wanted:
        facts[Reason.ASKED_FOR] = {}
    if helper.id in known.good_visits:
        last_kind, at = known.good_visits[helper.id]
        day = at.astimezone(VILLAGE_ZONE).date().isoformat()
        facts[Reason.HELPED_BEFORE] = {"kind": last_kind.value, "day": day}
    if helper.id in known.named_neighbours:
        facts[Reason.NEIGHBOUR] = {}
    if helper.lane_id == known.elder.lane_id:
        facts[Reason.SAME_LANE] = {"lane": helper.lane.name}
    elif helper.lane.group_id == known.elder.lane.group_id:
        facts[Reason.SAME_GROUP] = {"group": helper.lane.group.name}
    if known.skills.get(helper.id, False):
        facts[Reason.TRAINED] = {"kind": kind}
    elif helper.id in known.skills:
        facts[Reason.SKILLED] = {"kind": kind}
    if known.named_this_time(helper.id):
        facts[Reason.NAMED_DAY] = {}
    if helper.id in known.kin:
        facts[Reason.KIN] = {"label": known.kin[helper.id]}
    asked = known.loads[helper.id].lately
    if asked == known.least_asked < known.most_asked:
        facts[Reason.FAIR_TURN] = {"asked": asked}
    return Candidate(helper, list(facts), facts)
