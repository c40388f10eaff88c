"""Calls for people: emergencies, missed check-ins, and the wish to talk to a human.

An emergency is never refused, and a false alarm costs nothing: no minutes, no state to repair.
What happens while nobody goes is in `alarm_chain`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import alarm_calls, members
from actions.timebank.alarm_calls import AT_ONCE, NEIGHBOURS_TOLD, Ring
from actions.timebank.errors import NothingOpen, NotYours, Refusal, WrongState
from actions.timebank.ids import AlertId, MemberId, TurnId
from actions.timebank.model import AlarmPlace, AlarmRefusal, Alert, Member
from actions.timebank.notices import tell, tell_staff
from actions.timebank.states import AlarmWhy, AlertKind, AlertState

__all__ = ["NEIGHBOURS_TOLD", "BadPlace", "NoCoordinator", "raise_alert", "who_is_told"]

SAME_EMERGENCY = timedelta(minutes=10)
"""A cry later than this, in an alarm that nobody has taken, calls the neighbours again too."""

TAKEN_BACK_WITHIN = timedelta(minutes=10)
"""How long a bare no still means the alarm and nothing else."""

LONGEST_REASON = 120
MOST_PLACES = 20
"""So many places of one alarm are passed on; a phone that sends on and on wears nobody out."""


class NoCoordinator(Refusal):
    """Somebody wants a human of the village office and the village has named none."""

    code = "no_coordinator"


class BadPlace(Refusal):
    """Coordinates that are nowhere on earth."""

    code = "bad_place"


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

    The same turn again changes nothing. Another cry while nobody has taken the alert joins it:
    its words are added and the coordinators are called once more, after `SAME_EMERGENCY` the
    others too. Raises UnknownMember.
    """
    person = members.member(session, member)
    earlier = _raised_by(session, turn_id)
    if earlier is not None:
        return earlier
    alert = next(
        (
            one
            for one in open_alerts(session, member)
            if one.kind is kind and one.state is AlertState.RAISED
        ),
        None,
    )
    if alert is None:
        alert = Alert(kind=kind, member=person, words=words, turn_id=turn_id, raised_at=now)
        session.add(alert)
        session.flush()
        rings: tuple[Ring, ...] = AT_ONCE
        why = AlarmWhy.RAISED
    else:
        if words not in alert.words.splitlines():
            alert.words = f"{alert.words}\n{words}".strip()
        is_long_ago = now >= alert.raised_at + SAME_EMERGENCY
        rings = AT_ONCE if is_long_ago else (Ring.COORDINATORS,)
        why = AlarmWhy.CRIED_AGAIN
    people = alarm_calls.may_go(session, alert, alarm_calls.people_of(session, rings, member))
    alarm_calls.call(session, alert, people, why=why, now=now, turn_id=turn_id, words=words)
    return alert


def who_is_told(session: Session, member: MemberId) -> list[Member]:
    """Whom an alert of this member reaches at once, each once: the coordinators, the delegates for
    alarms, kin with an account, and the `NEIGHBOURS_TOLD` nearest neighbours. Empty when there is
    nobody: say so, and name the public emergency number. Raises UnknownMember."""
    return alarm_calls.people_of(session, AT_ONCE, member)


def take_alert(
    session: Session, *, alert_id: AlertId, by: MemberId, now: datetime, is_staff: bool = False
) -> Alert:
    """Somebody who was called goes there, or one of the staff (`is_staff`: the caller has seen to
    it) who read of it; the member hears who, and the others that somebody goes. Saying it twice
    is fine, and so is going after having said no.

    Raises NothingOpen for an unknown alert, NotYours for somebody who was not called, WrongState
    when another took it (`facts["by"]` names whom) or it is closed.
    """
    alert = _alert(session, alert_id)
    if alert.state is not AlertState.RAISED and alert.taken_by_id == by:
        return alert
    if not is_staff or by == alert.member_id:
        _check_called(session, alert, by)
    if alert.state is not AlertState.RAISED:
        raise WrongState(
            f"alert {alert_id} is {alert.state.value}",
            state=alert.state.value,
            # Nobody took an alarm of before alarms climbed: the migration closed it.
            by=alert.taken_by.name if alert.taken_by else "",
        )
    _take(alert, by, now)
    session.flush()
    goes = members.member(session, by).name
    facts = {"alert_id": alert.id, "member": alert.member.name, "by": goes}
    kind = "alert_taken" if alert.kind is AlertKind.EMERGENCY else "check_in_taken"
    about = f"{alert_id}:{by}:{alarm_calls.next_step(session, alert)}"
    tell(session, MemberId(alert.member_id), kind, about=about, now=now, by=goes)
    for one in alarm_calls.called(session, alert):
        if one.id != by:
            tell(session, MemberId(one.id), "alert_taken_by_other", about=about, now=now, **facts)
    return alert


def decline_alert(
    session: Session,
    *,
    alert_id: AlertId,
    by: MemberId,
    turn_id: TurnId,
    now: datetime,
    reason: str = "",
) -> Alert:
    """Somebody who was called cannot go and is not asked again in this alarm. Whoever had taken
    it gives it back: the member hears so, and the others are called at once.

    Once it is closed, or twice, it changes nothing. Raises NothingOpen for an unknown alert,
    NotYours for somebody who was not called."""
    alert = _alert(session, alert_id)
    _check_called(session, alert, by)
    if alert.state is AlertState.CLOSED:
        return alert
    if session.get(AlarmRefusal, (alert.id, by)) is None:
        refusal = AlarmRefusal(
            alert_id=alert.id, member_id=by, reason=reason[:LONGEST_REASON], at=now
        )
        session.add(refusal)
        session.flush()
    if alert.state is AlertState.TAKEN and alert.taken_by_id == by:
        elder, name = MemberId(alert.member_id), alert.taken_by.name
        tell(session, elder, "alert_taker_cannot", about=turn_id, now=now, by=name)
        people = _others(session, alert)
        alert.taken_by_id = alert.taken_at = None
        reopen(session, alert, people, why=AlarmWhy.GIVEN_BACK, now=now, turn_id=turn_id)
    return alert


def ask_for_more(
    session: Session, *, alert_id: AlertId, by: MemberId, turn_id: TurnId, now: datetime
) -> Alert:
    """Whoever went there needs more people: the others are called once more.

    Raises NothingOpen for an unknown alert, NotYours for anybody who did not take it, WrongState
    when it is closed."""
    alert = _alert(session, alert_id)
    if alert.taken_by_id != by:
        raise NotYours(f"member {by} did not take alert {alert_id}")
    if alert.state is AlertState.CLOSED:
        raise WrongState(f"alert {alert_id} is closed", state=alert.state.value)
    people = _others(session, alert)
    reopen(session, alert, people, why=AlarmWhy.MORE_NEEDED, now=now, turn_id=turn_id)
    return alert


def reopen(
    session: Session,
    alert: Alert,
    people: list[Member],
    *,
    why: AlarmWhy,
    now: datetime,
    turn_id: TurnId | None = None,
) -> None:
    """The alarm is anybody's again, and these people are called. Who took it stays known, so that
    he may still say how she is."""
    alert.state = AlertState.RAISED
    session.flush()
    alarm_calls.call(session, alert, people, why=why, now=now, turn_id=turn_id)


def close_alert(
    session: Session,
    *,
    alert_id: AlertId,
    by: MemberId,
    now: datetime,
    in_hospital: bool = False,
    is_staff: bool = False,
) -> Alert:
    """All is well, or she is in good hands: by whoever took it, any coordinator or one of the
    staff (`is_staff`: the caller has seen to it), who takes an untaken one in passing. Everybody
    who was called hears that all is well; that she is in hospital, only the staff and her family.
    Closing twice is fine.

    Raises NothingOpen for an unknown alert, NotYours."""
    alert = _alert(session, alert_id)
    may_close = is_staff or members.member(session, by).is_coordinator
    if by != alert.taken_by_id and not may_close:
        raise NotYours(f"alert {alert_id} is not member {by}'s to close")
    if alert.state is AlertState.CLOSED:
        return alert
    if alert.taken_by_id is None:
        _take(alert, by, now)
    concerned = alarm_calls.called(session, alert)
    if in_hospital:
        rings = (Ring.COORDINATORS, Ring.FAMILY)
        concerned = alarm_calls.people_of(session, rings, MemberId(alert.member_id))
    kind = "alert_hospital" if in_hospital else "alert_closed"
    _close(session, alert, [one for one in concerned if one.id != by], kind=kind, now=now)
    return alert


def withdraw_alert(session: Session, *, member: MemberId, turn_id: TurnId, now: datetime) -> Alert:
    """The member herself says that all is well: a false alarm costs nothing. Everybody who was
    called is told, and all that is open of hers is closed; the newest is returned. Raises
    NothingOpen when nothing is open."""
    mine = open_alerts(session, member)
    if not mine:
        raise NothingOpen("no alert of this member is open")
    for alert in mine:
        if alert.taken_by_id is None:
            _take(alert, member, now)
        _close(session, alert, alarm_calls.called(session, alert), kind="alert_closed", now=now)
    return mine[0]


def close_answered(session: Session, alert: Alert, *, now: datetime) -> None:
    """She spoke after all, having missed her check-in: those who were called hear so, unless she
    cried for help."""
    in_danger = any(
        one.kind is AlertKind.EMERGENCY for one in open_alerts(session, MemberId(alert.member_id))
    )
    told = [] if in_danger else alarm_calls.called(session, alert)
    _close(session, alert, told, kind="check_in_answered", now=now)


def open_alerts(session: Session, member: MemberId) -> list[Alert]:
    """What is not closed of this member's alarms, newest first."""
    still_open = select(Alert).where(Alert.member_id == member, Alert.state != AlertState.CLOSED)
    return list(session.execute(still_open.order_by(Alert.id.desc())).scalars())


def alert_lately_raised(session: Session, member: MemberId, *, now: datetime) -> Alert | None:
    """The member's emergency of the last `TAKEN_BACK_WITHIN` that is not closed yet."""
    return next(
        (
            one
            for one in open_alerts(session, member)
            if one.kind is AlertKind.EMERGENCY and one.raised_at > now - TAKEN_BACK_WITHIN
        ),
        None,
    )


def waiting_for(session: Session, member: MemberId) -> Alert | None:
    """The alarm that this member was called to and has not answered, and nobody has taken: an
    emergency before a missed check-in, the newest of each. None when there is none."""
    raised = select(Alert).where(Alert.state == AlertState.RAISED, Alert.member_id != member)
    by_need = sorted(
        session.execute(raised).scalars(),
        key=lambda one: (one.kind is not AlertKind.EMERGENCY, -one.id),
    )
    for alert in by_need:
        called = {one.id for one in alarm_calls.called(session, alert)}
        if member in called - alarm_calls.refused(session, alert):
            return cast(Alert, alert)
    return None


def taken_by(session: Session, member: MemberId) -> Alert | None:
    """The newest alarm that this member took last and nobody has closed yet."""
    his = (
        select(Alert)
        .where(
            Alert.taken_by_id == member,
            Alert.member_id != member,
            Alert.state != AlertState.CLOSED,
        )
        .order_by(Alert.id.desc())
        .limit(1)
    )
    return cast("Alert | None", session.execute(his).scalar_one_or_none())


def set_place(
    session: Session, *, member: MemberId, latitude: float, longitude: float, now: datetime
) -> Alert | None:
    """Her phone says where she is, in degrees: everybody who was called to her newest emergency
    is told, and whoever is called later. The same place again tells nobody anew, nor do more than
    `MOST_PLACES`. Returns the alert, or None when no emergency of hers is open. Raises
    BadPlace."""
    # Written so that what is no number is refused as well.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadPlace(f"{latitude}, {longitude}")
    mine = open_alerts(session, member)
    alert = next((one for one in mine if one.kind is AlertKind.EMERGENCY), None)
    if alert is None:
        return None
    known = alarm_calls.places_of(session, alert)
    is_new = not known or (known[-1].latitude, known[-1].longitude) != (latitude, longitude)
    if is_new and len(known) < MOST_PLACES:
        session.add(AlarmPlace(alert_id=alert.id, latitude=latitude, longitude=longitude, at=now))
        session.flush()
    for one in alarm_calls.called(session, alert):
        alarm_calls.tell_place(session, alert, one, now=now)
    return alert


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


def _check_called(session: Session, alert: Alert, by: MemberId) -> None:
    called = alarm_calls.called(session, alert) or who_is_told(session, MemberId(alert.member_id))
    if by == alert.member_id or by not in {one.id for one in called}:
        raise NotYours(f"member {by} was not called to alert {alert.id}")


def _others(session: Session, alert: Alert) -> list[Member]:
    """Whom to call when he who took it is not enough: all that were called before."""
    called = [one for one in alarm_calls.called(session, alert) if one.id != alert.taken_by_id]
    can = alarm_calls.may_go(session, alert, called)
    return can or alarm_calls.whoever_can(session, alert, AT_ONCE)


def _take(alert: Alert, by: MemberId, now: datetime) -> None:
    alert.state = AlertState.TAKEN
    alert.taken_by_id = by
    alert.taken_at = now


def _close(session: Session, alert: Alert, told: list[Member], *, kind: str, now: datetime) -> None:
    alert.state = AlertState.CLOSED
    alert.closed_at = now
    session.flush()
    for one in told:
        facts = {"alert_id": alert.id, "member": alert.member.name}
        tell(session, MemberId(one.id), kind, about=f"{alert.id}", now=now, **facts)


def _raised_by(session: Session, turn_id: TurnId) -> Alert | None:
    step = alarm_calls.said_in(session, turn_id)
    if step is not None:
        return cast(Alert, session.get(Alert, step.alert_id))
    of_turn = select(Alert).where(Alert.turn_id == turn_id)
    return cast("Alert | None", session.execute(of_turn).scalar_one_or_none())
