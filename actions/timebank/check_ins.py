"""Asking those who live alone how they are, and going to look when they do not answer.

Whatever she says to 小帮 that day is a sign of life: then she is not asked, or not missed.
Nobody is woken by this: she is asked, and missed, in `FRIENDLY` hours only.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import cast

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from actions.timebank import alerts, members
from actions.timebank.clock import VILLAGE_ZONE, village_day
from actions.timebank.ids import CheckInId, MemberId, TurnId
from actions.timebank.model import Alert, CheckIn, CheckInWish, Member, Turn
from actions.timebank.notices import tell
from actions.timebank.states import (
    AlertKind,
    AlertState,
    CheckInState,
    Rhythm,
    TurnOutcome,
)

ASK_AT = time(9, 0)
FRIENDLY = (time(8, 0), time(20, 0))
LATEST_FIRST_ASK = time(16, 0)
"""Later than this she would be missed in the dark: she is asked the next morning."""
AGAIN_AFTER = timedelta(hours=2)
MISSED_AFTER = timedelta(hours=2)
"""After the second time of asking."""
OPEN = (CheckInState.WAITING, CheckInState.ASKED)


def rhythm_of(session: Session, person: Member) -> Rhythm:
    """As she wishes; without a wish weekly when she lives alone, else never."""
    wish = session.get(CheckInWish, person.id)
    if wish is not None:
        return cast(Rhythm, wish.rhythm)
    return Rhythm.WEEKLY if person.lives_alone else Rhythm.NEVER


def set_rhythm(session: Session, *, member: MemberId, rhythm: Rhythm, now: datetime) -> None:
    """From now on this member is asked so often. What she was asked already is dropped when she
    is to be asked no more. Raises UnknownMember."""
    person = members.member(session, member)
    session.merge(CheckInWish(member_id=member, rhythm=rhythm, set_at=now))
    session.flush()
    ahead = open_check_in(session, member)
    if ahead is not None and (rhythm is Rhythm.NEVER or ahead.state is CheckInState.WAITING):
        _end(session, ahead, CheckInState.CANCELLED, now)
    _plan(session, person, now)


def open_check_in(session: Session, member: MemberId) -> CheckIn | None:
    """The time of asking that is ahead of this member, or that waits for her answer."""
    is_open = select(CheckIn).where(CheckIn.member_id == member, CheckIn.state.in_(OPEN))
    return cast("CheckIn | None", session.execute(is_open).scalar_one_or_none())


def is_asked(session: Session, member: MemberId) -> bool:
    """Whether she was asked how she is and has not answered."""
    check_in = open_check_in(session, member)
    return check_in is not None and check_in.state is CheckInState.ASKED


def look(session: Session, *, now: datetime) -> list[CheckInId]:
    """Asks who is due, asks again, raises the alarm for who stays silent, and plans the next time;
    an alarm is closed when she speaks after all. Twice in a row does nothing more. Returns the
    check-ins in which something happened."""
    moved = _close_answered(session, now)
    due = (
        select(CheckIn)
        .where(CheckIn.state.in_(OPEN), CheckIn.due_at <= now)
        .order_by(CheckIn.id)
        .with_for_update()
    )
    for check_in in session.execute(due).scalars().all():
        if _look_at(session, check_in, now):
            moved.append(CheckInId(check_in.id))
    for person in _to_be_planned(session):
        _plan(session, person, now)
    return moved


def _look_at(session: Session, check_in: CheckIn, now: datetime) -> bool:
    person, asked_at, again_at = check_in.member, check_in.asked_at, check_in.asked_again_at
    if person.left_at is not None:
        _end(session, check_in, CheckInState.CANCELLED, now)
    elif _has_spoken(session, person, since=village_day(asked_at or now)):
        _end(session, check_in, CheckInState.ANSWERED, now)
    elif asked_at is None and _village_time(now) > LATEST_FIRST_ASK:
        check_in.due_at = village_day(now, ASK_AT, days=1)
        session.flush()
    elif not FRIENDLY[0] <= _village_time(now) < FRIENDLY[1]:
        return False
    elif asked_at is None:
        check_in.state, check_in.asked_at = CheckInState.ASKED, now
        _ask(session, check_in, "check_in", now)
    elif again_at is None and now >= asked_at + AGAIN_AFTER:
        check_in.asked_again_at = now
        _ask(session, check_in, "check_in_again", now)
    elif again_at is not None and now >= again_at + MISSED_AFTER:
        _raise_alarm(session, check_in, now)
    else:
        return False
    return True


def _to_be_planned(session: Session) -> list[Member]:
    """Who is to be asked and has no time of asking ahead."""
    has_open = select(CheckIn.id).where(CheckIn.member_id == Member.id, CheckIn.state.in_(OPEN))
    wish = CheckInWish.rhythm
    asked = (
        select(Member)
        .outerjoin(CheckInWish, CheckInWish.member_id == Member.id)
        .where(
            Member.left_at.is_(None),
            or_(wish != Rhythm.NEVER, and_(wish.is_(None), Member.lives_alone.is_(True))),
            ~has_open.exists(),
        )
    )
    return list(session.execute(asked.order_by(Member.id)).scalars())


def _plan(session: Session, person: Member, now: datetime) -> None:
    """The next day of her rhythm: a week's are spread over its days by member. While an alarm of
    hers is open she is not asked besides."""
    rhythm = rhythm_of(session, person)
    member = MemberId(person.id)
    if rhythm is Rhythm.NEVER or open_check_in(session, member) is not None:
        return
    if any(one.kind is AlertKind.MISSED_CHECK_IN for one in alerts.open_alerts(session, member)):
        return
    days = 1
    if rhythm is Rhythm.WEEKLY:
        today = now.astimezone(VILLAGE_ZONE).weekday()
        days = (person.id - today - 1) % 7 + 1
    session.add(CheckIn(member_id=person.id, due_at=village_day(now, ASK_AT, days=days)))
    session.flush()


def _ask(session: Session, check_in: CheckIn, kind: str, now: datetime) -> None:
    session.flush()
    member = MemberId(check_in.member_id)
    facts = {"check_in_id": check_in.id, "member": check_in.member.name}
    tell(session, member, kind, about=f"{check_in.id}", now=now, **facts)


def _raise_alarm(session: Session, check_in: CheckIn, now: datetime) -> None:
    alert = alerts.raise_alert(
        session,
        member=MemberId(check_in.member_id),
        words="",
        turn_id=TurnId(f"check-in:{check_in.id}"),
        now=now,
        kind=AlertKind.MISSED_CHECK_IN,
    )
    check_in.alert_id = alert.id
    _end(session, check_in, CheckInState.MISSED, now)
    member = MemberId(check_in.member_id)
    told = alerts.who_is_told(session, member)
    if told:
        about = f"check-in:{check_in.id}"
        tell(session, member, "alarm_for_silence", about=about, now=now, who=told[0].name)


def _close_answered(session: Session, now: datetime) -> list[CheckInId]:
    missed = (
        select(CheckIn)
        .join(Alert, Alert.id == CheckIn.alert_id)
        .where(CheckIn.state == CheckInState.MISSED, Alert.state != AlertState.CLOSED)
        .order_by(CheckIn.id)
    )
    answered: list[CheckInId] = []
    for check_in in session.execute(missed).scalars().all():
        if _has_spoken(session, check_in.member, since=check_in.ended_at):
            alerts.close_answered(session, check_in.alert, now=now)
            answered.append(CheckInId(check_in.id))
    return answered


def _has_spoken(session: Session, person: Member, *, since: datetime) -> bool:
    """Whether anything was heard of her since then, understood or not."""
    heard = select(Turn.id).where(
        Turn.member_id == person.id,
        Turn.began_at >= since,
        Turn.heard != "",
        Turn.outcome != TurnOutcome.BEGUN,
    )
    return session.execute(heard.limit(1)).first() is not None


def _end(session: Session, check_in: CheckIn, state: CheckInState, now: datetime) -> None:
    check_in.state, check_in.ended_at = state, now
    session.flush()


def _village_time(now: datetime) -> time:
    return now.astimezone(VILLAGE_ZONE).time()
