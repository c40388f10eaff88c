"""Conversations as staff look for them and read them.

A conversation is one member's turns on one channel with pauses under `PAUSE`; it is derived, and
known by the id of its first turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from actions.timebank.ids import TurnId
from actions.timebank.model import Member, Turn
from actions.timebank.states import TurnOutcome

PAUSE = timedelta(minutes=30)
"""So long a silence ends a conversation."""
LONGEST = 500
"""A conversation of more turns, which nobody ever had, is shown cut."""
LOOKED_AT_ONCE = 60
READ_THROUGH = 50_000
"""In so many turns words are looked for at once: no index leads to them."""
READ_AT_ONCE = 20
PEOPLE_AT_ONCE = 50
"""Who looks for 王 is shown the conversations of no more people of that name."""


class Mark(NamedTuple):
    """A turn's place in time, by which pages are turned."""

    began_at: datetime
    turn: str


@dataclass(frozen=True)
class Wanted:
    """What to look for; all that is given must hold for one and the same turn."""

    name: str = ""
    """A part of the member's name or nickname."""
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    intent: str = ""
    outcome: TurnOutcome | None = None
    confidence_below: float | None = None
    """Of hearing or of understanding, whichever is less sure."""
    words: str = ""
    """In what was heard or answered."""


@dataclass(frozen=True)
class Conversation:
    turns: Sequence[Turn]
    """Oldest first; never empty."""

    @property
    def id(self) -> TurnId:
        return TurnId(self.turns[0].id)

    @property
    def member(self) -> Member:
        member: Member = self.turns[0].member
        return member

    @property
    def began_at(self) -> datetime:
        began: datetime = self.turns[0].began_at
        return began

    @property
    def ended_at(self) -> datetime:
        ended: datetime = self.turns[-1].began_at
        return ended


@dataclass(frozen=True)
class Found:
    conversation: Conversation
    matching: frozenset[str]
    """The turns that were looked for."""


@dataclass(frozen=True)
class Page:
    found: Sequence[Found]
    older: Mark | None = None
    """Where the next page begins; None at the end."""
    looked_back_to: datetime | None = None
    """Where the search for words stopped; what was said before is on the next page, if any."""


def search(
    session: Session, wanted: Wanted, *, before: Mark | None = None, limit: int = 20
) -> Page:
    """Conversations with a turn that is wanted, the one that has it last first. Each is on one
    page only, whatever is said meanwhile."""
    conditions = _conditions(session, wanted)
    seen: set[str] = set()
    shown: list[Conversation] = []
    last: Mark | None = None
    floor = _read_back_to(session, wanted, before)
    looked_at = conditions if floor is None else [*conditions, Turn.began_at >= floor]
    for turn in _newest_first(session, looked_at, before):
        if turn.id in seen:
            continue
        talk = _around(session, turn)
        ids = [one.id for one in talk]
        seen.update(ids)
        mark = Mark(turn.began_at, turn.id)
        if before is not None and _has_match(session, conditions, ids, since=before):
            continue
        if len(shown) == limit:
            return Page(_with_matches(session, shown, conditions), last)
        shown.append(Conversation(_whole(session, ids)))
        last = mark
    found = _with_matches(session, shown, conditions)
    return Page(found) if floor is None else Page(found, Mark(floor, ""), floor)


def conversation_of(session: Session, turn_id: TurnId) -> Conversation | None:
    """The conversation in which this turn was, or None when there is no such turn."""
    turn = session.get(Turn, turn_id)
    if turn is None:
        return None
    return Conversation(_whole(session, [one.id for one in _around(session, turn)]))


def ends_at(session: Session, turn_id: TurnId) -> datetime | None:
    """When the last turn of the conversation with this turn began."""
    talk = conversation_of(session, turn_id)
    return None if talk is None else talk.ended_at


class _Place(NamedTuple):
    """A turn as far as it is needed to tell conversations apart."""

    id: str
    member_id: int
    channel: str
    began_at: datetime

    @property
    def mark(self) -> Mark:
        return Mark(self.began_at, self.id)


_PLACE = (Turn.id, Turn.member_id, Turn.channel, Turn.began_at)


def _conditions(session: Session, wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if wanted.name:
        called = or_(
            Member.name.contains(wanted.name, autoescape=True),
            Member.nickname.contains(wanted.name, autoescape=True),
        )
        people = session.execute(select(Member.id).where(called).limit(PEOPLE_AT_ONCE)).scalars()
        conditions.append(Turn.member_id.in_(list(people)))
    if wanted.since is not None:
        conditions.append(Turn.began_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Turn.began_at < wanted.until)
    if wanted.intent:
        conditions.append(Turn.intent == wanted.intent)
    if wanted.outcome is not None:
        conditions.append(Turn.outcome == wanted.outcome)
    if wanted.confidence_below is not None:
        conditions.append(
            or_(
                Turn.heard_confidence < wanted.confidence_below,
                Turn.intent_confidence < wanted.confidence_below,
            )
        )
    if wanted.words:
        conditions.append(
            or_(
                Turn.heard.contains(wanted.words, autoescape=True),
                Turn.reply.contains(wanted.words, autoescape=True),
            )
        )
    return conditions


def _read_back_to(session: Session, wanted: Wanted, before: Mark | None) -> datetime | None:
    """How far back words are looked for at once; None when that is to the end."""
    if not wanted.words or wanted.name:
        return None
    ends = [mark for mark in (before and before.began_at, wanted.until) if mark is not None]
    moments = select(Turn.began_at).where(*(Turn.began_at <= end for end in ends))
    if wanted.since is not None:
        moments = moments.where(Turn.began_at >= wanted.since)
    last = moments.order_by(Turn.began_at.desc()).offset(READ_THROUGH).limit(1)
    floor = session.execute(last).scalar_one_or_none()
    # When more than that began in one moment, the next page must not begin there again.
    return None if before is not None and floor == before.began_at else floor


def _older_than(mark: Mark) -> Any:
    same = and_(Turn.began_at == mark.began_at, Turn.id < mark.turn)
    # The first condition says nothing new, but it is what the index can be entered by.
    return and_(Turn.began_at <= mark.began_at, or_(Turn.began_at < mark.began_at, same))


def _newer_than(mark: Mark) -> Any:
    same = and_(Turn.began_at == mark.began_at, Turn.id > mark.turn)
    return and_(Turn.began_at >= mark.began_at, or_(Turn.began_at > mark.began_at, same))


def _newest_first(
    session: Session, conditions: Sequence[Any], before: Mark | None
) -> Iterator[_Place]:
    mark = before
    while True:
        query = select(*_PLACE).where(*conditions)
        if mark is not None:
            query = query.where(_older_than(mark))
        query = query.order_by(Turn.began_at.desc(), Turn.id.desc()).limit(LOOKED_AT_ONCE)
        rows = [_Place(*row) for row in session.execute(query)]
        yield from rows
        if len(rows) < LOOKED_AT_ONCE:
            return
        mark = rows[-1].mark


def _around(session: Session, turn: Any) -> list[_Place]:
    """The places of the conversation, oldest first."""
    here = _Place(turn.id, turn.member_id, turn.channel, turn.began_at)
    earlier = list(_reached(session, here, backwards=True))
    return [*reversed(earlier), here, *_reached(session, here, backwards=False)]


def _reached(session: Session, here: _Place, *, backwards: bool) -> Iterator[_Place]:
    """The turns that follow each other from here on in one direction without a long pause."""
    last = here
    for _ in range(LONGEST // READ_AT_ONCE):
        query = select(*_PLACE).where(
            Turn.member_id == here.member_id, Turn.channel == here.channel
        )
        if backwards:
            query = query.where(_older_than(last.mark))
            query = query.order_by(Turn.began_at.desc(), Turn.id.desc())
        else:
            query = query.where(_newer_than(last.mark)).order_by(Turn.began_at, Turn.id)
        rows = [_Place(*row) for row in session.execute(query.limit(READ_AT_ONCE))]
        for row in rows:
            if abs(row.began_at - last.began_at) >= PAUSE:
                return
            last = row
            yield row
        if len(rows) < READ_AT_ONCE:
            return


def _has_match(
    session: Session, conditions: Sequence[Any], ids: Sequence[str], *, since: Mark
) -> bool:
    """Whether an earlier page has shown this conversation."""
    matching = select(Turn.id).where(Turn.id.in_(ids), ~_older_than(since), *conditions)
    return session.execute(matching.limit(1)).first() is not None


def _whole(session: Session, ids: Sequence[str]) -> Sequence[Turn]:
    whole = select(Turn).where(Turn.id.in_(ids)).options(joinedload(Turn.member))
    return list(session.execute(whole.order_by(Turn.began_at, Turn.id)).scalars())


def _with_matches(
    session: Session, shown: Sequence[Conversation], conditions: Sequence[Any]
) -> list[Found]:
    ids = [turn.id for talk in shown for turn in talk.turns]
    matching = set(session.execute(select(Turn.id).where(Turn.id.in_(ids), *conditions)).scalars())
    return [
        Found(talk, frozenset(turn.id for turn in talk.turns if turn.id in matching))
        for talk in shown
    ]
