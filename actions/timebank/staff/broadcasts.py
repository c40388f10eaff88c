"""Broadcasts: one person writes and listens, another approves, then each one is told once.

Told by notices like anything else: in quiet hours they wait, in each person's queue they keep
their order. What was approved is never changed; it can be stopped.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import String, insert, select
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import (
    ChangedMeanwhile,
    NobodyThere,
    NotHeard,
    NothingOpen,
    NothingToSay,
    NotYours,
    TooLongToSay,
    WrongState,
)
from actions.timebank.ids import BroadcastId, MemberId
from actions.timebank.model import Broadcast, BroadcastListener, Group, Lane, Member, Notice
from actions.timebank.staff.accounts import require, second_person
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Audience,
    BroadcastState,
)
from actions.timebank.states import NoticeState

KIND = "broadcast"
LONGEST_WORDS = 160
"""Characters: a minute at the village's pace."""
LONGEST_SECONDS = 60
OLD_NEWS = timedelta(days=7)
"""As long as a notice is news, see `deliveries`."""

IN_WORK = frozenset({BroadcastState.DRAFT, BroadcastState.PROPOSED})


def tidy(words: str) -> str:
    """What was typed, in one line and without what no eye sees. Braces, brackets and markup stay
    what they are: words."""
    return " ".join("".join(one if one.isprintable() else " " for one in words).split())


def write(
    session: Session,
    *,
    by: MemberId,
    words: str,
    spoken_seconds: int,
    audience: Audience,
    of: int | None = None,
    listeners: Collection[MemberId] = (),
    now: datetime,
) -> Broadcast:
    """A draft. `of` is the group's or lane's id, `listeners` are the single members.

    Raises NotYours, NothingToSay, TooLongToSay, NobodyThere, UnknownMember."""
    require(session, by, Permission.PROPOSE_BROADCAST, now=now)
    draft = Broadcast(written_by_id=by, written_at=now, version=1)
    _fill(session, draft, words, spoken_seconds, audience, of, listeners)
    session.add(draft)
    session.flush()
    return draft


def rewrite(
    session: Session,
    broadcast_id: BroadcastId,
    *,
    by: MemberId,
    version: int,
    words: str,
    spoken_seconds: int,
    audience: Audience,
    of: int | None = None,
    listeners: Collection[MemberId] = (),
    now: datetime,
) -> Broadcast:
    """Changes a draft of one's own, which has to be heard anew.

    Raises what `write` does, WrongState, and ChangedMeanwhile when `version` is an older one."""
    draft = _own(session, broadcast_id, by, now)
    _in_state(draft, BroadcastState.DRAFT)
    _same_version(draft, version)
    _fill(session, draft, words, spoken_seconds, audience, of, listeners)
    draft.written_at, draft.heard_at = now, None
    draft.version += 1
    session.flush()
    return draft


def heard(session: Session, broadcast_id: BroadcastId, *, by: MemberId, now: datetime) -> None:
    """Whoever may propose or approve it listens; of the one who wrote it this is kept.

    Raises NotYours, NothingOpen."""
    require(session, by, Permission.PROPOSE_BROADCAST, now=now)
    played = _locked(session, broadcast_id)
    if played.written_by_id == by and played.state is BroadcastState.DRAFT:
        played.heard_at = now
        session.flush()


def propose(
    session: Session, broadcast_id: BroadcastId, *, by: MemberId, version: int, now: datetime
) -> Broadcast:
    """Raises NotYours, NothingOpen, WrongState, ChangedMeanwhile, NotHeard."""
    draft = _own(session, broadcast_id, by, now)
    _in_state(draft, BroadcastState.DRAFT)
    _same_version(draft, version)
    if draft.heard_at is None:
        raise NotHeard(f"broadcast {broadcast_id}")
    draft.state, draft.proposed_at = BroadcastState.PROPOSED, now
    session.flush()
    return draft


def approve(
    session: Session, broadcast_id: BroadcastId, *, by: MemberId, now: datetime
) -> Broadcast:
    """A second person lets it out: one notice for each whom it is for. Pressed again by the same
    person it does nothing more.

    Raises NotYours, SamePerson, WrongState, NobodyThere, NothingOpen."""
    proposed = _to_decide(session, broadcast_id, by, now)
    if proposed.state is BroadcastState.SENDING and proposed.decided_by_id == by:
        return proposed
    _in_state(proposed, BroadcastState.PROPOSED)
    people = audience_of(session, proposed)
    if not people:
        raise NobodyThere(f"broadcast {broadcast_id}")
    _decide(proposed, BroadcastState.SENDING, by, now)
    session.flush()
    named = {one.member_id for one in proposed.listeners}
    new = [{"broadcast_id": proposed.id, "member_id": one} for one in people if one not in named]
    if new:
        session.execute(insert(BroadcastListener), new)
    session.execute(insert(Notice), [_notice(proposed, one, now) for one in people])
    session.expire(proposed, ["listeners"])
    return proposed


def reject(
    session: Session, broadcast_id: BroadcastId, *, by: MemberId, now: datetime
) -> Broadcast:
    """Raises NotYours, SamePerson, WrongState, NothingOpen."""
    proposed = _to_decide(session, broadcast_id, by, now)
    _in_state(proposed, BroadcastState.PROPOSED)
    _decide(proposed, BroadcastState.REJECTED, by, now)
    proposed.ended_at = now
    session.flush()
    return proposed


def withdraw(
    session: Session, broadcast_id: BroadcastId, *, by: MemberId, now: datetime
) -> Broadcast:
    """Whoever wrote it takes it back. Raises NotYours, WrongState, NothingOpen."""
    own = _own(session, broadcast_id, by, now)
    _in_state(own, *IN_WORK)
    own.state, own.ended_at = BroadcastState.WITHDRAWN, now
    session.flush()
    return own


def stop(session: Session, broadcast_id: BroadcastId, *, by: MemberId, now: datetime) -> Broadcast:
    """Who has not heard it yet hears it no more: `outbox.still_true` drops those notices. Anybody
    who may approve may stop. Raises NotYours, WrongState, NothingOpen."""
    require(session, by, Permission.APPROVE_BROADCAST, now=now)
    going = _locked(session, broadcast_id)
    _in_state(going, BroadcastState.SENDING)
    going.state, going.ended_at = BroadcastState.STOPPED, now
    session.flush()
    return going


def end_told(session: Session, *, now: datetime) -> list[BroadcastId]:
    """Ends what everybody has heard, and what is news no more. For the sweep of every minute."""
    waiting = (
        select(Notice.id)
        .join(BroadcastListener, Notice.dedupe_key == key_of_listener())
        .where(BroadcastListener.broadcast_id == Broadcast.id, Notice.state == NoticeState.QUEUED)
        .exists()
    )
    over = select(Broadcast).where(
        Broadcast.state == BroadcastState.SENDING,
        ~waiting | (Broadcast.decided_at <= now - OLD_NEWS),
    )
    ended = list(session.execute(over).scalars())
    for broadcast in ended:
        broadcast.state, broadcast.ended_at = BroadcastState.SENT, now
    session.flush()
    return [BroadcastId(one.id) for one in ended]


def broadcast(session: Session, broadcast_id: BroadcastId) -> Broadcast:
    """Raises NothingOpen when there is none."""
    known = 0 < broadcast_id <= members.LARGEST_ID
    found = session.get(Broadcast, broadcast_id) if known else None
    if found is None:
        raise NothingOpen(f"no broadcast {broadcast_id}")
    return cast(Broadcast, found)


def audience_of(session: Session, broadcast: Broadcast) -> list[MemberId]:
    """Whom it is for as things stand, by id."""
    conditions: dict[Audience, Any] = {
        Audience.EVERYBODY: Member.id.is_not(None),
        Audience.GROUP: Lane.group_id == broadcast.group_id,
        Audience.LANE: Member.lane_id == broadcast.lane_id,
        Audience.HELPERS: Member.takes_tasks.is_(True),
        Audience.ALONE: Member.lives_alone.is_(True),
        Audience.MEMBERS: Member.id.in_(
            select(BroadcastListener.member_id).where(
                BroadcastListener.broadcast_id == broadcast.id
            )
        ),
    }
    present = (
        select(Member.id)
        .join(Lane, Lane.id == Member.lane_id)
        .where(Member.left_at.is_(None), conditions[broadcast.audience])
        .order_by(Member.id)
    )
    return [MemberId(one) for one in session.execute(present).scalars()]


def notice_facts(broadcast: Broadcast) -> dict[str, Any]:
    """What its notices hold, for a preview too."""
    return {
        "broadcast_id": broadcast.id,
        "words": broadcast.words,
        "staff": broadcast.written_by.name,
    }


def key_of_listener() -> Any:
    """The dedupe key of the notice of a row of `BroadcastListener`, in SQL."""
    listener, told_of = (
        cast_to(column, String)
        for column in (BroadcastListener.member_id, BroadcastListener.broadcast_id)
    )
    return listener + f":{KIND}:" + told_of


def _notice(broadcast: Broadcast, member: MemberId, now: datetime) -> dict[str, Any]:
    # Written at once: one by one, 2,000 would hold everybody's turn for seconds.
    return {
        "recipient_id": member,
        "kind": KIND,
        "facts": notice_facts(broadcast),
        "state": NoticeState.QUEUED,
        "dedupe_key": f"{member}:{KIND}:{broadcast.id}",
        "created_at": now,
    }


def _fill(
    session: Session,
    draft: Broadcast,
    words: str,
    spoken_seconds: int,
    audience: Audience,
    of: int | None,
    listeners: Collection[MemberId],
) -> None:
    words = tidy(words[: LONGEST_WORDS * 10])
    if not words or spoken_seconds <= 0:
        raise NothingToSay(f"{len(words)} characters")
    if len(words) > LONGEST_WORDS or spoken_seconds > LONGEST_SECONDS:
        raise TooLongToSay(f"{len(words)} characters, {spoken_seconds} seconds")
    draft.words, draft.spoken_seconds, draft.audience = words, spoken_seconds, audience
    draft.group_id = _known(session, Group, of) if audience is Audience.GROUP else None
    draft.lane_id = _known(session, Lane, of) if audience is Audience.LANE else None
    meant = set(listeners) if audience is Audience.MEMBERS else set()
    if audience is Audience.MEMBERS and not meant:
        raise NobodyThere("no members were named")
    wanted = {members.present(session, one).id for one in meant}
    kept = [one for one in draft.listeners if one.member_id in wanted]
    new = wanted - {one.member_id for one in kept}
    draft.listeners = kept + [BroadcastListener(member_id=one) for one in sorted(new)]


def _known(session: Session, table: Any, row_id: int | None) -> int:
    known = row_id is not None and 0 < row_id <= members.LARGEST_ID
    if not known or session.get(table, row_id) is None:
        raise NobodyThere(f"no {table.__tablename__} {row_id}")
    return cast(int, row_id)


def _locked(session: Session, broadcast_id: BroadcastId) -> Broadcast:
    broadcast(session, broadcast_id)
    found = session.get(Broadcast, broadcast_id, populate_existing=True, with_for_update=True)
    return cast(Broadcast, found)


def _own(session: Session, broadcast_id: BroadcastId, by: MemberId, now: datetime) -> Broadcast:
    require(session, by, Permission.PROPOSE_BROADCAST, now=now)
    own = _locked(session, broadcast_id)
    if own.written_by_id != by:
        raise NotYours(f"broadcast {broadcast_id} is another's")
    return own


def _to_decide(
    session: Session, broadcast_id: BroadcastId, by: MemberId, now: datetime
) -> Broadcast:
    require(session, by, Permission.APPROVE_BROADCAST, now=now)
    proposed = _locked(session, broadcast_id)
    second_person(MemberId(proposed.written_by_id), by)
    return proposed


def _decide(proposed: Broadcast, state: BroadcastState, by: MemberId, now: datetime) -> None:
    proposed.state, proposed.decided_by_id, proposed.decided_at = state, by, now


def _in_state(broadcast: Broadcast, *states: BroadcastState) -> None:
    if broadcast.state not in states:
        raise WrongState(f"broadcast {broadcast.id}", state=broadcast.state)


def _same_version(draft: Broadcast, version: int) -> None:
    if draft.version != version:
        raise ChangedMeanwhile(
            f"broadcast {draft.id}", by=draft.written_by.name, at=draft.written_at
        )
