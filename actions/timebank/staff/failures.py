"""Conversations that went wrong, those first whose people need somebody most; and what is done
about them: taken, called back, settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby
from typing import Any, cast

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from actions.timebank.errors import NothingOpen, WrongState
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import CallBack, FailureCare, Member, Turn, TurnNote
from actions.timebank.staff.accounts import require
from actions.timebank.staff.conversations import PAUSE, conversation_of
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    CallBackResult,
    FailureState,
)
from actions.timebank.staff.writing import clean, written
from actions.timebank.states import TurnOutcome
from actions.timebank.turns import LOST_AFTER

LOOKED_BACK = timedelta(days=7)
"""A failure that nobody cared for in this time is too old to be called about."""
LADDER = 3
"""So many repairs in a row, and a person was called in."""
HEARD_SURELY = 0.5
UNDERSTOOD_SURELY = 0.35
OUT_OF_SCOPE = "out_of_scope"
EMERGENCY = "emergency"
TAKES_LEAVE = frozenset({"goodbye", "stop", "thank"})
"""After these words an open question of ours is not waited for."""
QUESTION = "？"


class FailureKind(str, Enum):
    """In what way a conversation went wrong, the worst first."""

    FAILED = "failed"
    """A part of the machine was away or broken."""
    LADDER_END = "ladder_end"
    ABANDONED = "abandoned"
    """We asked last, and nothing came."""
    OUT_OF_SCOPE = "out_of_scope"
    LOW_CONFIDENCE = "low_confidence"
    """Something was heard or understood without certainty, or asked again."""


@dataclass(frozen=True)
class Failure:
    """One conversation that went wrong, with what makes it urgent."""

    conversation: TurnId
    member: MemberId
    name: str
    channel: str
    kinds: Sequence[FailureKind]
    danger: bool
    """Somebody spoke of danger."""
    lives_alone: bool
    times_lately: int
    """Of this member's conversations within `LOOKED_BACK`, how many went wrong."""
    failed_at: datetime
    heard: str
    """The last words of danger, else the last that were not dealt with, as they were heard."""
    state: FailureState = FailureState.NEW
    by: str = ""
    """Who took or settled it."""

    @property
    def need(self) -> tuple[bool, bool, int, datetime]:
        """Sorts the most urgent first."""
        return (not self.danger, not self.lives_alone, -self.times_lately, self.failed_at)


def queue(
    session: Session, *, is_danger: Callable[[str], bool], now: datetime
) -> Sequence[Failure]:
    """What went wrong within `LOOKED_BACK`, settled ones too, by need. `is_danger` tells whether
    words speak of danger."""
    went_wrong = [
        (talk, kinds) for talk in _talks(session, now) if (kinds := _kinds(talk, now=now))
    ]
    times = Counter(talk[0].member_id for talk, _ in went_wrong)
    cared = _cares(session, now)
    of_people = select(Member.id, Member.name, Member.lives_alone).where(Member.id.in_(times))
    people = {row.id: row for row in session.execute(of_people)}
    failures = []
    for talk, kinds in went_wrong:
        first, wrong = talk[0], [turn for turn in talk if _is_wrong(turn, now)] or talk[-1:]
        person, failed_at = people[first.member_id], wrong[-1].began_at
        care = cared.get(first.id)
        frightening = [one for one in talk if one.intent == EMERGENCY or is_danger(one.heard)]
        failures.append(
            Failure(
                conversation=TurnId(first.id),
                member=MemberId(first.member_id),
                name=person.name,
                channel=first.channel,
                kinds=kinds,
                danger=bool(frightening),
                lives_alone=person.lives_alone,
                times_lately=times[first.member_id],
                failed_at=failed_at,
                heard=next((one.heard for one in reversed(frightening or wrong) if one.heard), ""),
                state=_state(care, failed_at),
                by=care.by.name if care is not None else "",
            )
        )
    return sorted(failures, key=lambda one: one.need)


def care_of(session: Session, conversation: TurnId) -> FailureCare | None:
    """Who takes care of it, or None while nobody ever did."""
    return cast("FailureCare | None", session.get(FailureCare, conversation))


def take(session: Session, *, conversation: TurnId, by: MemberId, now: datetime) -> FailureCare:
    """From now on `by` looks after it; also one that was settled. Taking it again changes nothing.

    Raises NotYours, NothingOpen, and WrongState (`state`, `by`) when somebody else has it; so do
    all that follow."""
    care = _care(session, conversation, by, now)
    if care.state is FailureState.TAKEN and care.by_id != by:
        raise WrongState("taken by another", state=care.state.value, by=care.by.name)
    return _moved(session, care, FailureState.TAKEN, by, now)


def give_back(session: Session, *, conversation: TurnId, by: MemberId, now: datetime) -> None:
    """Whoever took it cannot do it: it is everybody's again."""
    care = _care(session, conversation, by, now)
    if care.state is not FailureState.TAKEN or care.by_id != by:
        raise WrongState("not his", state=care.state.value, by=care.by.name)
    _moved(session, care, FailureState.NEW, by, now)


def settle(session: Session, *, conversation: TurnId, by: MemberId, now: datetime) -> None:
    """Nothing more is to be done. One that another took is his to settle."""
    care = _care(session, conversation, by, now)
    if care.state is FailureState.TAKEN and care.by_id != by:
        raise WrongState("taken by another", state=care.state.value, by=care.by.name)
    _moved(session, care, FailureState.SETTLED, by, now)


def called_back(
    session: Session,
    *,
    conversation: TurnId,
    by: MemberId,
    result: CallBackResult,
    words: str,
    now: datetime,
) -> CallBack:
    """`by` called the member back or went to see her. Unless she was not reached that settles it,
    whoever took it: she was helped."""
    care = _care(session, conversation, by, now)
    call = CallBack(
        conversation_id=care.conversation_id, result=result, words=clean(words), by_id=by, at=now
    )
    session.add(call)
    if result is not CallBackResult.NOT_REACHED:
        _moved(session, care, FailureState.SETTLED, by, now)
    elif care.state is not FailureState.TAKEN:
        _moved(session, care, FailureState.TAKEN, by, now)
    session.flush()
    return call


def calls_of(session: Session, conversation: TurnId) -> Sequence[CallBack]:
    made = select(CallBack).where(CallBack.conversation_id == conversation)
    return list(
        session.execute(made.options(joinedload(CallBack.by)).order_by(CallBack.id)).scalars()
    )


def note(session: Session, *, turn_id: TurnId, by: MemberId, words: str, now: datetime) -> TurnNote:
    """Notes something on a turn. Raises NotYours, NothingOpen, NothingWritten."""
    require(session, by, Permission.CORRECT_CONVERSATIONS, now=now)
    if session.get(Turn, turn_id) is None:
        raise NothingOpen(f"no turn {turn_id}")
    noted = TurnNote(turn_id=turn_id, words=written(words), by_id=by, at=now)
    session.add(noted)
    session.flush()
    return noted


def notes_of(session: Session, turns: Iterable[str]) -> Sequence[TurnNote]:
    of_these = select(TurnNote).where(TurnNote.turn_id.in_(list(turns)))
    return list(
        session.execute(of_these.options(joinedload(TurnNote.by)).order_by(TurnNote.id)).scalars()
    )


def _talks(session: Session, now: datetime) -> Iterator[list[Any]]:
    """The conversations that ended lately."""
    since = now - LOOKED_BACK
    rows = session.execute(
        select(
            Turn.id,
            Turn.member_id,
            Turn.channel,
            Turn.began_at,
            Turn.outcome,
            Turn.intent,
            Turn.heard_confidence,
            Turn.intent_confidence,
            Turn.heard,
            Turn.reply.contains(QUESTION).label("asks"),
        )
        # A day more, to know all of those that began before.
        .where(Turn.began_at > since - timedelta(days=1))
        .order_by(Turn.began_at, Turn.id)
    )
    lines = sorted(rows, key=lambda turn: (turn.member_id, turn.channel))
    for _, turns in groupby(lines, key=lambda turn: (turn.member_id, turn.channel)):
        talk: list[Any] = []
        for turn in turns:
            if talk and turn.began_at - talk[-1].began_at >= PAUSE:
                if talk[-1].began_at > since:
                    yield talk
                talk = []
            talk.append(turn)
        if talk[-1].began_at > since:
            yield talk


def _kinds(talk: Sequence[Any], *, now: datetime) -> list[FailureKind]:
    last, found = talk[-1], set()
    in_a_row = 0
    for turn in talk:
        in_a_row = in_a_row + 1 if turn.outcome is TurnOutcome.REPAIRED else 0
        if in_a_row == LADDER:
            found.add(FailureKind.LADDER_END)
        if _is_broken(turn, now):
            found.add(FailureKind.FAILED)
        if turn.intent == OUT_OF_SCOPE:
            found.add(FailureKind.OUT_OF_SCOPE)
        if turn.outcome is TurnOutcome.REPAIRED or _is_unsure(turn):
            found.add(FailureKind.LOW_CONFIDENCE)
    asks = last.outcome is TurnOutcome.REPAIRED or last.asks
    if asks and last.intent not in TAKES_LEAVE and now - last.began_at >= PAUSE:
        found.add(FailureKind.ABANDONED)
    return [kind for kind in FailureKind if kind in found]


def _is_wrong(turn: Any, now: datetime) -> bool:
    return (
        turn.outcome is TurnOutcome.REPAIRED
        or turn.intent == OUT_OF_SCOPE
        or _is_broken(turn, now)
        or _is_unsure(turn)
    )


def _is_broken(turn: Any, now: datetime) -> bool:
    lost = turn.outcome is TurnOutcome.BEGUN and now - turn.began_at > LOST_AFTER
    return lost or turn.outcome is TurnOutcome.FAILED


def _is_unsure(turn: Any) -> bool:
    heard, understood = turn.heard_confidence, turn.intent_confidence
    return (heard is not None and heard < HEARD_SURELY) or (
        understood is not None and understood < UNDERSTOOD_SURELY
    )


def _cares(session: Session, now: datetime) -> dict[str, FailureCare]:
    lately = select(FailureCare).where(FailureCare.changed_at > now - LOOKED_BACK)
    cares = session.execute(lately.options(joinedload(FailureCare.by))).scalars()
    return {care.conversation_id: care for care in cares}


def _state(care: FailureCare | None, failed_at: datetime) -> FailureState:
    failed_again = care is not None and failed_at > care.changed_at
    if care is None or (care.state is FailureState.SETTLED and failed_again):
        return FailureState.NEW
    return cast(FailureState, care.state)


def _care(session: Session, turn_id: TurnId, by: MemberId, now: datetime) -> FailureCare:
    """The row of this conversation, made when there is none."""
    require(session, by, Permission.CORRECT_CONVERSATIONS, now=now)
    talk = conversation_of(session, turn_id)
    if talk is None:
        raise NothingOpen(f"no conversation {turn_id}")
    try:
        with session.begin_nested():
            session.execute(
                insert(FailureCare).values(
                    conversation_id=talk.id, state=FailureState.NEW, by_id=by, changed_at=now
                )
            )
    except IntegrityError:
        pass  # Somebody cares for it, or did.
    row = session.get(FailureCare, talk.id, populate_existing=True, with_for_update=True)
    return cast(FailureCare, row)


def _moved(
    session: Session, care: FailureCare, state: FailureState, by: MemberId, now: datetime
) -> FailureCare:
    care.state, care.by_id, care.changed_at = state, by, now
    session.flush()
    session.expire(care, ["by"])
    return care
