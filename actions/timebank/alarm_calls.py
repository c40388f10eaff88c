"""Whom an alarm calls, in which notices, and the log of every step. Alarms know no quiet hours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import delegates, members, outbox
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import AlarmPlace, AlarmRefusal, AlarmStep, Alert, Delivery, Member
from actions.timebank.notices import tell
from actions.timebank.states import (
    AlarmWhy,
    AlertKind,
    DelegateScope,
    DeliveryState,
)

NEIGHBOURS_TOLD = 2

ALARM_KINDS = frozenset({"staff_alert", "neighbour_alert", "check_in_missed", "alert_not_closed"})
"""Notices that ask somebody to go; their `alert_id` names the alarm."""
NOBODY = "staff_alert_nobody"


class Ring(str, Enum):
    """Who is called together, from the nearest to the farthest."""

    COORDINATORS = "coordinators"
    FAMILY = "family"
    """Her delegates for alarms, then kin with an account, wherever they live."""
    NEIGHBOURS = "neighbours"
    """The `NEIGHBOURS_TOLD` nearest who are neither staff nor family."""
    GROUP = "group"
    """Her whole mutual-aid group, nearest first."""
    EVERYONE = "everyone"
    """All of the village who take tasks."""


AT_ONCE = (Ring.COORDINATORS, Ring.FAMILY, Ring.NEIGHBOURS)
"""Called in the moment in which the alarm is raised."""


def people_of(session: Session, rings: Iterable[Ring], member: MemberId) -> list[Member]:
    """The present members of these rings around a member, each once, never herself. Raises
    UnknownMember."""
    found: dict[MemberId, Member] = {}
    for ring in rings:
        for one in _ring(session, ring, member):
            if one.id != member:
                found.setdefault(MemberId(one.id), one)
    return list(found.values())


def _ring(session: Session, ring: Ring, member: MemberId) -> Sequence[Member]:
    if ring is Ring.COORDINATORS:
        return members.coordinators(session)
    if ring is Ring.FAMILY:
        return family_of(session, member)
    near = members.neighbours_of(session, member)
    if ring is Ring.NEIGHBOURS:
        others = [one for one in near if not one.is_coordinator]
        family = family_of(session, member)
        return [one for one in others if one not in family][:NEIGHBOURS_TOLD]
    if ring is Ring.GROUP:
        return near
    able = select(Member).where(Member.takes_tasks.is_(True), Member.left_at.is_(None))
    return list(session.execute(able.order_by(Member.id)).scalars())


def family_of(session: Session, member: MemberId) -> list[Member]:
    """Who hears of her danger because he is hers: whom she allowed it, and her kin."""
    allowed = delegates.delegates_of(session, member, DelegateScope.ALARMS)
    return allowed + [one for one in members.kin_of(session, member) if one not in allowed]


def steps_of(session: Session, alert: Alert) -> list[AlarmStep]:
    """What has been done for this alarm, oldest first."""
    steps = select(AlarmStep).where(AlarmStep.alert_id == alert.id).order_by(AlarmStep.step)
    return list(session.execute(steps).scalars())


def called(session: Session, alert: Alert) -> list[Member]:
    """Everybody who was called in this alarm and still lives here, in the order of calling."""
    ids = dict.fromkeys(one for step in steps_of(session, alert) for one in step.people)
    people = [members.member(session, MemberId(one)) for one in ids]
    return [one for one in people if one.left_at is None]


def refused(session: Session, alert: Alert) -> set[MemberId]:
    """Who said that he cannot go."""
    rows = select(AlarmRefusal.member_id).where(AlarmRefusal.alert_id == alert.id)
    return {MemberId(one) for one in session.execute(rows).scalars()}


def may_go(session: Session, alert: Alert, people: Iterable[Member]) -> list[Member]:
    """Those of these people who can be asked: they have not said that they cannot go."""
    cannot = refused(session, alert)
    return [one for one in people if one.id not in cannot]


def whoever_can(session: Session, alert: Alert, rings: Iterable[Ring]) -> list[Member]:
    """Those of these rings who can be asked again; when none of them can, those who were called
    before, then everybody able, and last the one who took it and fell silent. Empty when all of
    them cannot go."""
    around = MemberId(alert.member_id)
    choices = (
        people_of(session, rings, around),
        called(session, alert),
        people_of(session, (*AT_ONCE, Ring.GROUP, Ring.EVERYONE), around),
    )
    for people in choices:
        others = [one for one in may_go(session, alert, people) if one.id != alert.taken_by_id]
        if others:
            return others
    return may_go(session, alert, [alert.taken_by] if alert.taken_by else [])


def call(
    session: Session,
    alert: Alert,
    people: Sequence[Member],
    *,
    why: AlarmWhy,
    now: datetime,
    turn_id: TurnId | None = None,
    words: str = "",
) -> None:
    """Calls these people and writes the step down. The same turn again does neither.

    Somebody who has not even heard an earlier call of the same alarm is not called twice when
    only time has passed. When there is nobody to call, the staff hear that, each time again."""
    if turn_id is not None and said_in(session, turn_id) is not None:
        return
    step = log(session, alert, people, why=why, now=now, turn_id=turn_id)
    for one in people:
        if why is AlarmWhy.AGAIN and _is_on_its_way(session, alert, one, ALARM_KINDS):
            continue
        _tell(session, alert, one, why=why, words=words, step=step, now=now)
    if not people and why is not AlarmWhy.CLIMBED:
        facts = {"alert_id": alert.id, "member": alert.member.name}
        for one in people_of(session, [Ring.COORDINATORS], MemberId(alert.member_id)):
            if not _is_on_its_way(session, alert, one, {NOBODY}):
                about = f"{alert.id}:{step}"
                tell(session, MemberId(one.id), NOBODY, about=about, now=now, **facts)


def log(
    session: Session,
    alert: Alert,
    people: Sequence[Member],
    *,
    why: AlarmWhy,
    now: datetime,
    turn_id: TurnId | None = None,
) -> int:
    """Writes down what was done about an alarm; gives the step's number."""
    number = next_step(session, alert)
    step = AlarmStep(
        alert_id=alert.id,
        step=number,
        why=why,
        people=[one.id for one in people],
        turn_id=turn_id,
        at=now,
    )
    session.add(step)
    session.flush()
    return number


def next_step(session: Session, alert: Alert) -> int:
    count = select(func.count()).select_from(AlarmStep).where(AlarmStep.alert_id == alert.id)
    return int(session.execute(count).scalar_one())


def said_in(session: Session, turn_id: TurnId) -> AlarmStep | None:
    """The step that this turn set off, of whichever alarm."""
    of_turn = select(AlarmStep).where(AlarmStep.turn_id == turn_id)
    return cast("AlarmStep | None", session.execute(of_turn).scalars().first())


def places_of(session: Session, alert: Alert) -> list[AlarmPlace]:
    """Where she is as her phone said; the last counts."""
    places = select(AlarmPlace).where(AlarmPlace.alert_id == alert.id).order_by(AlarmPlace.id)
    return list(session.execute(places).scalars())


def tell_place(session: Session, alert: Alert, one: Member, *, now: datetime) -> None:
    """The place, if it is known, once to each."""
    for place in places_of(session, alert)[-1:]:
        tell(
            session,
            MemberId(one.id),
            "alert_place",
            about=f"{place.id}",
            now=now,
            alert_id=alert.id,
            member=alert.member.name,
            latitude=place.latitude,
            longitude=place.longitude,
        )


def _tell(
    session: Session,
    alert: Alert,
    one: Member,
    *,
    why: AlarmWhy,
    words: str,
    step: int,
    now: datetime,
) -> None:
    person = alert.member
    place = f"{person.lane.name}{person.place}"
    facts = {"alert_id": alert.id, "member": person.name, "place": place}
    if why is AlarmWhy.NOT_CLOSED:
        kind = "alert_not_closed"
        facts["by"] = alert.taken_by.name
    elif alert.kind is AlertKind.MISSED_CHECK_IN:
        kind = "check_in_missed"
    elif one.is_coordinator:
        # Her own words go to the staff alone.
        kind = "staff_alert"
        facts["words"] = words or alert.words
    else:
        kind = "neighbour_alert"
    tell(session, MemberId(one.id), kind, about=f"{alert.id}:{step}", now=now, **facts)
    tell_place(session, alert, one, now=now)


def _is_on_its_way(session: Session, alert: Alert, one: Member, kinds: Collection[str]) -> bool:
    """Whether such a notice of this alarm still waits to be heard. What a messenger could not
    bring, or found untrue at the time, does not: nobody hears it any more by itself."""
    waiting = [
        notice.id
        for notice in outbox.queued_for(session, MemberId(one.id))
        if notice.kind in kinds and notice.facts.get("alert_id") == alert.id
    ]
    lost = select(Delivery.notice_id).where(
        Delivery.notice_id.in_(waiting),
        Delivery.state.in_((DeliveryState.GIVEN_UP, DeliveryState.DROPPED)),
    )
    return bool(set(waiting) - set(session.execute(lost).scalars()))
