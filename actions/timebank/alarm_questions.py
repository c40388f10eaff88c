"""One question before an alarm that may be none: 您是不是出事了？

It is kept here and not in the conversation, because no answer must be an answer too: only a
clear word that all is well keeps people from being called.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import alerts, members
from actions.timebank.ids import AlertId, MemberId, TurnId
from actions.timebank.model import AlarmQuestion, Alert
from actions.timebank.notices import tell

ANSWER_WITHIN = timedelta(minutes=1)
"""After so long without an answer people are called."""


def ask(session: Session, *, member: MemberId, words: str, turn_id: TurnId, now: datetime) -> None:
    """The member is asked about these words. While a question is open there is no second one:
    whoever speaks on without saying no is in danger, see `call`. Raises UnknownMember."""
    members.member(session, member)
    if waiting(session, member) is None and session.get(AlarmQuestion, turn_id) is None:
        session.add(AlarmQuestion(turn_id=turn_id, member_id=member, words=words, asked_at=now))
        session.flush()


def waiting(session: Session, member: MemberId) -> AlarmQuestion | None:
    """The question that this member has not answered yet."""
    unanswered = select(AlarmQuestion).where(
        AlarmQuestion.member_id == member, AlarmQuestion.settled_at.is_(None)
    )
    return cast("AlarmQuestion | None", session.execute(unanswered).scalar_one_or_none())


def settle(session: Session, question: AlarmQuestion, *, now: datetime) -> None:
    """It was no emergency: nobody is called."""
    question.settled_at = now
    session.flush()


def call(
    session: Session, *, member: MemberId, words: str, turn_id: TurnId, now: datetime
) -> Alert:
    """Calls people to this member, telling them also the words of the question that was open, if
    one was. The same turn again changes nothing. Raises UnknownMember."""
    question = waiting(session, member)
    if question is not None:
        words = f"{question.words}\n{words}".strip()
        settle(session, question, now=now)
    return alerts.raise_alert(session, member=member, words=words, turn_id=turn_id, now=now)


def call_unanswered(session: Session, *, now: datetime) -> list[AlertId]:
    """Calls people to everybody who has not answered in time, and tells her who comes or, when
    there is nobody, to call the public emergency number."""
    overdue = (
        select(AlarmQuestion)
        .where(AlarmQuestion.settled_at.is_(None), AlarmQuestion.asked_at <= now - ANSWER_WITHIN)
        .order_by(AlarmQuestion.asked_at)
    )
    raised: list[AlertId] = []
    for question in session.execute(overdue).scalars().all():
        member, turn_id = MemberId(question.member_id), TurnId(question.turn_id)
        alert = call(session, member=member, words="", turn_id=turn_id, now=now)
        raised.append(AlertId(alert.id))
        told = alerts.who_is_told(session, member)
        if told:
            who = told[0].name
            tell(session, member, "alarm_for_silence", about=turn_id, now=now, who=who)
        else:
            tell(session, member, "alarm_reached_nobody", about=turn_id, now=now)
    return raised
