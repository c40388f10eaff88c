"""Turns: one utterance and its answer, and the guard that one message acts only once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank.errors import NotYours, UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Turn
from actions.timebank.states import TurnOutcome

LOST_AFTER = timedelta(minutes=2)
"""A turn still begun after this was lost in a crash."""

STRUGGLE_WINDOW = timedelta(minutes=10)
"""Repairs older than this belong to another conversation."""

FILLED_AT_THE_END = frozenset(
    {
        "code",
        "recording_path",
        "recording_sha256",
        "heard",
        "heard_confidence",
        "engine",
        "intent",
        "intent_confidence",
        "entities",
        "reply",
        "buttons",
        "stage_ms",
    }
)


def begin(
    session: Session, *, turn_id: TurnId, member: MemberId, channel: str, now: datetime
) -> tuple[Turn, bool]:
    """Takes a message up: `(turn, True)` for the one caller who is to answer it.

    `(turn, False)` means that it is being answered or was answered before, in whatever state the
    turn shows. A turn that a crash left begun for more than `LOST_AFTER` is handed out anew, so
    that the person's repeat is not lost. Commit before the work starts, or nobody else sees it.

    Raises NotYours when the id belongs to another member's turn, UnknownMember when there is no
    such member.
    """
    try:
        # Insert before looking: of two deliveries at the same moment only one can succeed.
        with session.begin_nested():
            session.execute(
                insert(Turn).values(id=turn_id, member_id=member, channel=channel, began_at=now)
            )
    except IntegrityError:
        return _taken_before(session, turn_id, member, channel, now)
    return cast(Turn, session.get(Turn, turn_id)), True


def _taken_before(
    session: Session, turn_id: TurnId, member: MemberId, channel: str, now: datetime
) -> tuple[Turn, bool]:
    turn = session.get(Turn, turn_id, populate_existing=True, with_for_update=True)
    if turn is None:
        raise UnknownMember(f"no member {member} to begin a turn")
    if turn.member_id != member:
        raise NotYours(f"turn {turn_id} is not member {member}'s")
    # The distance, not the difference: a clock that was set back must not lock the turn for ever.
    lost = turn.outcome is TurnOutcome.BEGUN and abs(now - turn.began_at) > LOST_AFTER
    if lost:
        turn.began_at = now
        turn.channel = channel
        session.flush()
    return cast(Turn, turn), lost


def finish(
    session: Session, turn_id: TurnId, *, now: datetime, outcome: TurnOutcome, **columns: Any
) -> Turn:
    """Stores how a turn ended, with any of the columns in `FILLED_AT_THE_END`.

    The first ending stands and is returned: a worker that comes back late must not overwrite
    the answer that the person has already heard. Raises LookupError when the turn was never
    begun, ValueError for the outcome `BEGUN`, TypeError for other columns.
    """
    unknown = columns.keys() - FILLED_AT_THE_END
    if unknown:
        raise TypeError(f"a turn is not finished with {', '.join(sorted(unknown))}")
    if outcome is TurnOutcome.BEGUN:
        raise ValueError("begun is not how a turn ends")
    turn = session.get(Turn, turn_id, populate_existing=True, with_for_update=True)
    if turn is None:
        raise LookupError(f"turn {turn_id} was never begun")
    if turn.outcome is TurnOutcome.BEGUN:
        turn.outcome = outcome
        turn.ended_at = now
        for name, value in columns.items():
            setattr(turn, name, value)
        session.flush()
    return cast(Turn, turn)


def find(session: Session, turn_id: TurnId) -> Turn | None:
    """The stored turn, or None when this message never arrived."""
    return cast(Turn | None, session.get(Turn, turn_id))


def recent(session: Session, member: MemberId, limit: int) -> list[Turn]:
    """This member's last turns, newest first."""
    newest = select(Turn).where(Turn.member_id == member).order_by(Turn.began_at.desc())
    return list(session.execute(newest.limit(limit)).scalars())


def repairs_in_a_row(session: Session, member: MemberId, *, now: datetime) -> int:
    """How often in the last `STRUGGLE_WINDOW` this member was asked again without success
    between. The turn that is still being answered does not count and does not interrupt."""
    outcomes = (
        select(Turn.outcome)
        .where(
            Turn.member_id == member,
            Turn.began_at > now - STRUGGLE_WINDOW,
            Turn.outcome != TurnOutcome.BEGUN,
        )
        .order_by(Turn.began_at.desc())
    )
    count = 0
    for outcome in session.execute(outcomes).scalars():
        if outcome is not TurnOutcome.REPAIRED:
            break
        count += 1
    return count


def struggles(
    session: Session,
    member: MemberId,
    *,
    intents: Sequence[str],
    codes: Sequence[str],
    now: datetime,
) -> int:
    """How many turns of the last `STRUGGLE_WINDOW` ended with one of these intents or codes. The
    turn that is still being answered does not count."""
    ended_so = select(func.count()).where(
        Turn.member_id == member,
        Turn.began_at > now - STRUGGLE_WINDOW,
        Turn.outcome != TurnOutcome.BEGUN,
        or_(Turn.intent.in_(intents), Turn.code.in_(codes)),
    )
    return int(session.execute(ended_so).scalar_one())
