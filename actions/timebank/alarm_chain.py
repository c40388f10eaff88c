"""The chain that an alarm climbs while nobody goes: whom it calls after how many minutes.

A chain is a readable text, such as

    0 coordinators neighbours family; 3 group; 8 everyone; every 5 coordinators

Minutes count from the alarm. The first step is always the same: it is taken in the moment of the
alarm. The last part says who is called again, and how often, once the chain is at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import alarm_calls, alerts
from actions.timebank.alarm_calls import AT_ONCE, Ring
from actions.timebank.ids import AlertId, MemberId
from actions.timebank.model import AlarmStep, Alert
from actions.timebank.notices import tell
from actions.timebank.states import AlarmWhy, AlertKind, AlertState

LONGEST_MINUTES = 24 * 60

EMERGENCY_CHAIN = "0 coordinators neighbours family; 3 group; 8 everyone; every 5 coordinators"
CHECK_IN_CHAIN = "0 coordinators neighbours family; 60 group; every 60 coordinators"

ASKED_AFTER = {
    AlertKind.EMERGENCY: timedelta(minutes=15),
    AlertKind.MISSED_CHECK_IN: timedelta(minutes=60),
}
"""So long after somebody took it he is asked how she is."""
CLOSED_WITHIN = {
    AlertKind.EMERGENCY: timedelta(minutes=30),
    AlertKind.MISSED_CHECK_IN: timedelta(minutes=180),
}
"""So long after somebody took it the alarm climbs on, unless he said how she is."""


@dataclass(frozen=True)
class ChainStep:
    after: timedelta
    """Since the alarm was raised."""
    rings: tuple[Ring, ...]


@dataclass(frozen=True)
class Chain:
    steps: tuple[ChainStep, ...]
    every: timedelta
    """At the end of the chain `again` is called so often, for ever."""
    again: tuple[Ring, ...]


TIMED = frozenset({AlarmWhy.RAISED, AlarmWhy.CLIMBED, AlarmWhy.AGAIN, AlarmWhy.NOT_CLOSED})
"""From these steps the time to the next one counts; what people say must not hold it up."""

Chains = Mapping[AlertKind, Chain]


def read_chain(text: str) -> Chain:
    """The chain that a text describes. Raises ValueError that says what is wrong with it."""
    *parts, last = [part.split() for part in text.split(";")]
    if not last or last[0] != "every":
        raise ValueError("an alarm chain ends with 'every MINUTES WHO…', such as every 5 group")
    steps: list[ChainStep] = []
    for part in parts:
        after = _minutes(part)
        if steps and after <= steps[-1].after:
            raise ValueError(f"each step of an alarm chain is later than the one before: {part}")
        steps.append(ChainStep(after, _rings(part[1:])))
    if not steps or steps[0].after or set(steps[0].rings) != set(AT_ONCE):
        called = " ".join(ring.value for ring in AT_ONCE)
        raise ValueError(f"an alarm chain begins with '0 {called}': they are called at once")
    every = _minutes(last[1:])
    if not every:
        raise ValueError("an alarm chain calls again every minute at most")
    return Chain(tuple(steps), every, _rings(last[2:]))


def _minutes(part: list[str]) -> timedelta:
    if not part or not part[0].isdecimal() or int(part[0]) > LONGEST_MINUTES:
        raise ValueError(f"minutes up to {LONGEST_MINUTES} come before who is called: {part}")
    return timedelta(minutes=int(part[0]))


def _rings(names: list[str]) -> tuple[Ring, ...]:
    known = {ring.value: ring for ring in Ring}
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise ValueError(f"an alarm chain calls {', '.join(known)}; not {wrong or 'nobody'}")
    return tuple(known[name] for name in dict.fromkeys(names))


def climb(session: Session, chains: Chains, *, now: datetime) -> list[AlertId]:
    """Moves every open alarm on whose time has come: the next step of its chain while nobody has
    taken it, a question to whoever took it, and on again when he does not answer. A step is taken
    at once when all who were called cannot go. Twice in a row does nothing more.

    Returns the alarms for which somebody was called or asked."""
    still_open = (
        select(Alert)
        .where(Alert.state != AlertState.CLOSED)
        .order_by(Alert.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    moved: list[AlertId] = []
    for alert in session.execute(still_open).scalars().all():
        if alert.state is AlertState.TAKEN:
            has_moved = _look_after_taken(session, alert, chains[alert.kind], now)
        else:
            has_moved = _climb_one(session, alert, chains[alert.kind], now)
        if has_moved:
            moved.append(AlertId(alert.id))
    return moved


def _climb_one(session: Session, alert: Alert, chain: Chain, now: datetime) -> bool:
    has_moved = False
    while True:
        taken = [one for one in alarm_calls.steps_of(session, alert) if one.why in TIMED]
        climbed = sum(1 for one in taken if one.why is AlarmWhy.CLIMBED)
        next_steps = chain.steps[climbed + 1 :]
        if not taken:
            # Raised before alarms climbed.
            _call_new(session, alert, AT_ONCE, AlarmWhy.RAISED, now)
        elif next_steps:
            gap = next_steps[0].after - chain.steps[climbed].after
            if not _is_time(session, alert, taken[-1], gap, now):
                return has_moved
            _call_new(session, alert, next_steps[0].rings, AlarmWhy.CLIMBED, now)
        else:
            if not _is_time(session, alert, taken[-1], chain.every, now):
                return has_moved
            _call_again(session, alert, chain.again, now)
        has_moved = True


def _is_time(
    session: Session, alert: Alert, last: AlarmStep, gap: timedelta, now: datetime
) -> bool:
    """Whether the next step is due: its time has come since the last one, or nobody is left who
    could still answer. Calling again never hurries, or it would do so without end."""
    # The distance, not the difference: a clock that was set back must not hold an alarm up.
    if abs(now - last.at) >= gap:
        return True
    if last.why is AlarmWhy.AGAIN:
        return False
    asked = alarm_calls.may_go(session, alert, alarm_calls.called(session, alert))
    return not last.people or not asked


def _call_new(
    session: Session, alert: Alert, rings: tuple[Ring, ...], why: AlarmWhy, now: datetime
) -> None:
    known = {one.id for one in alarm_calls.called(session, alert)}
    around = alarm_calls.people_of(session, rings, MemberId(alert.member_id))
    new = [one for one in around if one.id not in known]
    alarm_calls.call(session, alert, new, why=why, now=now)


def _call_again(session: Session, alert: Alert, rings: tuple[Ring, ...], now: datetime) -> None:
    people = alarm_calls.whoever_can(session, alert, rings)
    alarm_calls.call(session, alert, people, why=AlarmWhy.AGAIN, now=now)
    if alert.kind is AlertKind.EMERGENCY and alert.taken_by_id is None:
        member, about = MemberId(alert.member_id), f"{alert.id}"
        tell(session, member, "alarm_nobody_yet", about=about, now=now, alert_id=alert.id)


def _look_after_taken(session: Session, alert: Alert, chain: Chain, now: datetime) -> bool:
    taken_for = abs(now - alert.taken_at)
    if taken_for >= CLOSED_WITHIN[alert.kind]:
        people = alarm_calls.whoever_can(session, alert, chain.again)
        alerts.reopen(session, alert, people, why=AlarmWhy.NOT_CLOSED, now=now)
        return True
    asked = any(
        one.why is AlarmWhy.ASKED_IF_WELL and one.at >= alert.taken_at
        for one in alarm_calls.steps_of(session, alert)
    )
    if asked or taken_for < ASKED_AFTER[alert.kind]:
        return False
    tell(
        session,
        MemberId(alert.taken_by_id),
        "alert_all_well",
        about=f"{alert.id}:{alarm_calls.next_step(session, alert)}",
        now=now,
        alert_id=alert.id,
        member=alert.member.name,
    )
    alarm_calls.log(session, alert, [alert.taken_by], why=AlarmWhy.ASKED_IF_WELL, now=now)
    return True
