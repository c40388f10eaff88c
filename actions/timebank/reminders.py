"""Reminders: told at their time, again every few minutes until answered, and never for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import InThePast, NothingOpen, NotYours, Refusal
from actions.timebank.ids import MemberId, ReminderId, TurnId
from actions.timebank.model import Notice, Reminder
from actions.timebank.notices import tell, tell_staff
from actions.timebank.states import NoticeState, ReminderState

AGAIN_AFTER = timedelta(minutes=5)
MOST_TIMES = 6
GIVEN_UP_AFTER = AGAIN_AFTER * MOST_TIMES
"""Later than this it is told no more: a second dose is worse than a missed one."""
MOST_WAITING = 20
LONGEST_WORDS = 60
ONE_DAY = timedelta(days=1)
ALIVE = (ReminderState.WAITING, ReminderState.TOLD)


class TooManyReminders(Refusal):
    """The member has `MOST_WAITING` reminders already."""

    code = "too_many_reminders"


def set_reminder(
    session: Session,
    *,
    member: MemberId,
    words: str,
    due_at: datetime,
    turn_id: TurnId,
    now: datetime,
    repeats_daily: bool = False,
    is_medicine: bool = False,
) -> Reminder:
    """Will say these words to the member at this time. The same turn and time again returns the
    first. Words are cut to `LONGEST_WORDS` characters.

    Raises UnknownMember, NotYours for another's turn, InThePast, TooManyReminders.
    """
    members.member(session, member)
    same = select(Reminder).where(Reminder.turn_id == turn_id, Reminder.due_at == due_at)
    earlier = session.execute(same).scalar_one_or_none()
    if earlier is not None:
        return _own(earlier, member)
    if due_at < now:
        raise InThePast(f"a reminder for {due_at}")
    alive = select(func.count(Reminder.id)).where(
        Reminder.member_id == member, Reminder.state.in_(ALIVE)
    )
    if session.execute(alive).scalar_one() >= MOST_WAITING:
        raise TooManyReminders(f"member {member} has {MOST_WAITING}", most=MOST_WAITING)
    reminder = Reminder(
        member_id=member,
        words=words.strip()[:LONGEST_WORDS],
        due_at=due_at,
        repeats_daily=repeats_daily,
        is_medicine=is_medicine,
        turn_id=turn_id,
        created_at=now,
    )
    session.add(reminder)
    session.flush()
    return reminder


def set_reminders(
    session: Session,
    *,
    member: MemberId,
    words: str,
    due_times: Sequence[datetime],
    turn_id: TurnId,
    now: datetime,
    repeats_daily: bool = False,
    is_medicine: bool = False,
) -> list[Reminder]:
    """The same words at each of several times: all of them or, when `set_reminder` raises, none
    once the caller rolls back. In the order of their times."""
    return [
        set_reminder(
            session,
            member=member,
            words=words,
            due_at=due_at,
            turn_id=turn_id,
            now=now,
            repeats_daily=repeats_daily,
            is_medicine=is_medicine,
        )
        for due_at in sorted(set(due_times))
    ]


def tell_due(session: Session, *, now: datetime) -> list[ReminderId]:
    """Tells what is due and gives up what was not answered for `GIVEN_UP_AFTER`; staff hear of
    medicine given up. Twice in a row does nothing more. Returns whatever was acted on."""
    due = (
        select(Reminder)
        .where(Reminder.state.in_(ALIVE), Reminder.due_at <= now)
        .order_by(Reminder.id)
        .with_for_update()
    )
    acted_on: list[ReminderId] = []
    for reminder in session.execute(due).scalars().all():
        if now >= reminder.due_at + GIVEN_UP_AFTER:
            _give_up(session, reminder, now)
        elif reminder.told_at is None or reminder.told_at + AGAIN_AFTER <= now:
            _tell(session, reminder, now)
        else:
            continue
        acted_on.append(ReminderId(reminder.id))
    return acted_on


def unanswered(session: Session, member: MemberId) -> list[Reminder]:
    """What this member was told and has not answered, the last told first."""
    told = select(Reminder).where(
        Reminder.member_id == member, Reminder.state == ReminderState.TOLD
    )
    newest = told.order_by(Reminder.told_at.desc(), Reminder.id.desc())
    return list(session.execute(newest).scalars())


def alive(session: Session, member: MemberId) -> list[Reminder]:
    """What will still be told to this member, the last asked for first."""
    ahead = select(Reminder).where(Reminder.member_id == member, Reminder.state.in_(ALIVE))
    return list(session.execute(ahead.order_by(Reminder.id.desc())).scalars())


def answer(
    session: Session, *, member: MemberId, reminder_id: ReminderId, now: datetime
) -> Reminder:
    """The member has heard it and it is told no more. Answering late or twice changes nothing.

    Raises NothingOpen for an unknown reminder, NotYours."""
    reminder = reminder_of(session, member, reminder_id)
    if reminder.state is ReminderState.TOLD:
        _end(session, reminder, ReminderState.ANSWERED, now)
    return reminder


def cancel(
    session: Session, *, member: MemberId, reminder_id: ReminderId, now: datetime
) -> Reminder:
    """It will not be told any more, a daily one on no later day. Twice is fine; one that ended
    by itself stays as it ended. Raises NothingOpen for an unknown reminder, NotYours."""
    reminder = reminder_of(session, member, reminder_id)
    if reminder.state in ALIVE:
        reminder.state = ReminderState.CANCELLED
        reminder.ended_at = now
        session.flush()
    return reminder


def reminder_of(session: Session, member: MemberId, reminder_id: ReminderId) -> Reminder:
    """The member's own reminder, locked. Raises NothingOpen, NotYours."""
    if 0 < reminder_id <= members.LARGEST_ID:
        reminder = session.get(Reminder, reminder_id, populate_existing=True, with_for_update=True)
        if reminder is not None:
            return _own(reminder, member)
    raise NothingOpen(f"no reminder {reminder_id}")


def _own(reminder: Reminder, member: MemberId) -> Reminder:
    if reminder.member_id != member:
        raise NotYours(f"reminder {reminder.id} is not member {member}'s")
    return reminder


def _tell(session: Session, reminder: Reminder, now: datetime) -> None:
    """One that still waits to be heard is not queued a second time."""
    key = f"{reminder.member_id}:reminder:{reminder.id}:"
    unheard = select(Notice.id).where(
        Notice.recipient_id == reminder.member_id,
        Notice.state == NoticeState.QUEUED,
        Notice.dedupe_key.startswith(key, autoescape=True),
    )
    if session.execute(unheard).first() is None:
        tell(
            session,
            MemberId(reminder.member_id),
            "reminder",
            about=f"{reminder.id}:{now.isoformat()}",
            now=now,
            reminder_id=reminder.id,
            words=reminder.words,
        )
    reminder.state = ReminderState.TOLD
    reminder.told_at = now
    session.flush()


def _give_up(session: Session, reminder: Reminder, now: datetime) -> None:
    if reminder.is_medicine:
        tell_staff(
            session,
            "staff_reminder_unanswered",
            about=f"{reminder.id}",
            now=now,
            member=reminder.member.name,
            words=reminder.words,
        )
    _end(session, reminder, ReminderState.GIVEN_UP, now)


def _end(session: Session, reminder: Reminder, state: ReminderState, now: datetime) -> None:
    reminder.state = state
    reminder.ended_at = now
    if reminder.repeats_daily:
        days_gone = max(0, (now - reminder.due_at) // ONE_DAY)
        session.add(
            Reminder(
                member_id=reminder.member_id,
                words=reminder.words,
                due_at=reminder.due_at + ONE_DAY * (days_gone + 1),
                repeats_daily=True,
                is_medicine=reminder.is_medicine,
                turn_id=reminder.turn_id,
                created_at=now,
            )
        )
    session.flush()
