"""How people say they are; who is unwell again and again is looked after by the staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NotYours
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Wellbeing
from actions.timebank.notices import tell_staff

AGAIN_AND_AGAIN = 3
"""So many reports of an ailment within `LOOKED_BACK` are told to the staff."""
LOOKED_BACK = timedelta(days=7)


def report(
    session: Session,
    *,
    member: MemberId,
    words: str,
    symptoms: Sequence[str],
    turn_id: TurnId,
    now: datetime,
) -> Wellbeing:
    """Keeps what the member says of how she is; the same turn again changes nothing.

    The staff are told at most once a calendar week of a member. Raises UnknownMember, NotYours
    for another's turn.
    """
    person = members.member(session, member)
    earlier = said_in(session, turn_id)
    if earlier is not None:
        if earlier.member_id != member:
            raise NotYours(f"turn {turn_id} is not member {member}'s")
        return earlier
    said = Wellbeing(member=person, words=words, symptoms=list(symptoms), turn_id=turn_id, at=now)
    session.add(said)
    session.flush()
    if symptoms and _ailing_reports(session, member, now) >= AGAIN_AND_AGAIN:
        year, week, _ = now.astimezone(VILLAGE_ZONE).isocalendar()
        tell_staff(
            session,
            "staff_wellbeing",
            about=f"{member}:{year}-{week}",
            now=now,
            member=person.name,
            words=words,
        )
    return said


def said_in(session: Session, turn_id: str | None) -> Wellbeing | None:
    """What was said of this in one turn; None when nothing was."""
    of_turn = select(Wellbeing).where(Wellbeing.turn_id == turn_id)
    return cast("Wellbeing | None", session.execute(of_turn).scalar_one_or_none())


def _ailing_reports(session: Session, member: MemberId, now: datetime) -> int:
    lately = select(Wellbeing.symptoms).where(
        Wellbeing.member_id == member, Wellbeing.at > now - LOOKED_BACK, Wellbeing.at <= now
    )
    return sum(1 for symptoms in session.execute(lately).scalars() if symptoms)
