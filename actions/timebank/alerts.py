"""Calls for people: emergencies, and the wish to talk to a human.

An emergency is never refused, and a false alarm costs nothing: no minutes, no state to repair.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import delegates, members
from actions.timebank.errors import NothingOpen, NotYours, Refusal, WrongState
from actions.timebank.ids import AlertId, MemberId, TurnId
from actions.timebank.model import Alert, Member
from actions.timebank.notices import tell, tell_staff
from actions.timebank.states import AlertKind, AlertState, DelegateScope

SAME_EMERGENCY = timedelta(minutes=10)
"""A cry within this time of a raised alert belongs to it."""

NEIGHBOURS_TOLD = 2

TAKEN_BACK_WITHIN = timedelta(minutes=10)
"""How long a bare no still means the alarm and nothing else."""


class NoCoordinator(Refusal):
    """Somebody wants a human of the village office and the village has named none."""

    code = "no_coordinator"


def raise_alert(
    session: Session,
    *,
    member: MemberId,
    words: str,
    turn_id: TurnId,
    now: datetime,
    kind: AlertKind = AlertKind.EMERGENCY,
) -> Alert:
    """Calls everybody of `who_is_told` to this member at once.

    The same turn again changes nothing. Another cry within `SAME_EMERGENCY`, while nobody has
    taken the alert, joins it: its words are added and the coordinators are told once more.
    Raises UnknownMember.
    """
    person = members.member(session, member)
    alert = _raised_by(session, turn_id) or _still_raised(session, member, kind, now)
    if alert is None:
        alert = Alert(kind=kind, member=person, words=words, turn_id=turn_id, raised_at=now)
        session.add(alert)
        session.flush()
        _tell_neighbours(session, alert, now)
    elif words not in alert.words.splitlines():
        alert.words = f"{alert.words}\n{words}".strip()
        session.flush()
    _tell_coordinators(session, alert, words, turn_id, now)
    return alert


def who_is_told(session: Session, member: MemberId) -> list[Member]:
    """Whom an alert of this member reaches, each once: the coordinators, the delegates for alarms,
    kin with an account, and the `NEIGHBOURS_TOLD` nearest neighbours. Empty when there is nobody:
    say so, and name the public emergency number. Raises UnknownMember."""
    return _coordinators_for(session, member) + _people_near(session, member)


def take_alert(session: Session, *, alert_id: AlertId, by: MemberId, now: datetime) -> Alert:
    """Somebody who was told goes there; the member hears who. Saying it twice is fine.

    Raises NothingOpen for an unknown alert, NotYours for somebody who was not told, WrongState
    when another took it (`facts["by"]` names whom) or it is closed.
    """
    alert = _alert(session, alert_id)
    if alert.state is not AlertState.RAISED and alert.taken_by_id == by:
        return alert
    if by not in {one.id for one in who_is_told(session, alert.member_id)}:
        raise NotYours(f"member {by} was not told of alert {alert_id}")
    if alert.state is not AlertState.RAISED:
        raise WrongState(
            f"alert {alert_id} is {alert.state.value}",
            state=alert.state.value,
            by=alert.taken_by.name,
        )
    _take(alert, by, now)
    session.flush()
    tell(
        session,
        alert.member_id,
        "alert_taken",
        about=f"{alert_id}",
        now=now,
        by=members.member(session, by).name,
    )
    return alert


def close_alert(session: Session, *, alert_id: AlertId, by: MemberId, now: datetime) -> Alert:
    """All is well: by whoever took it or any coordinator, who takes an untaken one in passing.
    Closing twice is fine. Raises NothingOpen for an unknown alert, NotYours."""
    alert = _alert(session, alert_id)
    if by != alert.taken_by_id and not members.member(session, by).is_coordinator:
        raise NotYours(f"alert {alert_id} is not member {by}'s to close")
    if alert.state is AlertState.RAISED:
        _take(alert, by, now)
    if alert.state is AlertState.TAKEN:
        alert.state = AlertState.CLOSED
        alert.closed_at = now
        session.flush()
    return alert


def withdraw_alert(session: Session, *, member: MemberId, turn_id: TurnId, now: datetime) -> Alert:
    """The member herself says that all is well: a false alarm costs nothing. Everybody who was
    called is told, and the alert is closed. Raises NothingOpen when she raised none lately."""
    alert = alert_lately_raised(session, member, now=now)
    if alert is None:
        raise NothingOpen("no alert of this member is open")
    if alert.state is AlertState.RAISED:
        _take(alert, member, now)
    alert.state = AlertState.CLOSED
    alert.closed_at = now
    session.flush()
    name = members.member(session, member).name
    for person in who_is_told(session, member):
        tell(session, MemberId(person.id), "alert_closed", about=turn_id, now=now, member=name)
    return alert


def alert_lately_raised(session: Session, member: MemberId, *, now: datetime) -> Alert | None:
    """The member's alert of the last `TAKEN_BACK_WITHIN` that is not closed yet."""
    open_still = (
        select(Alert)
        .where(
            Alert.member_id == member,
            Alert.kind == AlertKind.EMERGENCY,
            Alert.state != AlertState.CLOSED,
            Alert.raised_at > now - TAKEN_BACK_WITHIN,
        )
        .order_by(Alert.id.desc())
    )
    return cast("Alert | None", session.execute(open_still).scalars().first())


def call_back(
    session: Session, *, member: MemberId, words: str, turn_id: TurnId, now: datetime
) -> list[Member]:
    """Asks the village staff to call this member back and returns who was asked.

    The same turn asks once. Raises NoCoordinator, UnknownMember.
    """
    person = members.member(session, member)
    staff = members.coordinators(session)
    if not staff:
        raise NoCoordinator("nobody can call back")
    tell_staff(
        session,
        "staff_call_back",
        about=turn_id,
        now=now,
        member=person.name,
        words=words,
        turn_id=turn_id,
    )
    return staff


def _alert(session: Session, alert_id: AlertId) -> Alert:
    if 0 < alert_id <= members.LARGEST_ID:
        alert = session.get(Alert, alert_id, populate_existing=True, with_for_update=True)
        if alert is not None:
            return cast(Alert, alert)
    raise NothingOpen(f"no alert {alert_id}")


def _take(alert: Alert, by: MemberId, now: datetime) -> None:
    alert.state = AlertState.TAKEN
    alert.taken_by_id = by
    alert.taken_at = now


def _raised_by(session: Session, turn_id: TurnId) -> Alert | None:
    of_turn = select(Alert).where(Alert.turn_id == turn_id)
    return cast("Alert | None", session.execute(of_turn).scalar_one_or_none())


def _still_raised(
    session: Session, member: MemberId, kind: AlertKind, now: datetime
) -> Alert | None:
    raised = (
        select(Alert)
        .where(
            Alert.member_id == member,
            Alert.kind == kind,
            Alert.state == AlertState.RAISED,
            Alert.raised_at > now - SAME_EMERGENCY,
        )
        .order_by(Alert.id.desc())
        .limit(1)
    )
    return cast("Alert | None", session.execute(raised).scalar_one_or_none())


def _coordinators_for(session: Session, member: MemberId) -> list[Member]:
    return [one for one in members.coordinators(session) if one.id != member]


def _people_near(session: Session, member: MemberId) -> list[Member]:
    family = delegates.delegates_of(session, member, DelegateScope.ALARMS)
    near = members.neighbours_of(session, member)
    kin = family + [one for one in members.kin_of(session, member) if one not in family]
    neighbours = [one for one in near if not one.is_coordinator and one not in family]
    return [one for one in kin if not one.is_coordinator] + neighbours[:NEIGHBOURS_TOLD]


def _where(person: Member) -> str:
    return f"{person.lane.name}{person.place}"


def _tell_coordinators(
    session: Session, alert: Alert, words: str, turn_id: TurnId, now: datetime
) -> None:
    person = alert.member
    for one in _coordinators_for(session, person.id):
        tell(
            session,
            MemberId(one.id),
            "staff_alert",
            about=turn_id,
            now=now,
            alert_id=alert.id,
            member=person.name,
            place=_where(person),
            words=words,
        )


def _tell_neighbours(session: Session, alert: Alert, now: datetime) -> None:
    person = alert.member
    for one in _people_near(session, person.id):
        tell(
            session,
            MemberId(one.id),
            "neighbour_alert",
            about=alert.turn_id,
            now=now,
            alert_id=alert.id,
            member=person.name,
            place=_where(person),
        )
