"""Whether a member's recordings are kept: as long as she has not revoked it.

She is asked soon after joining and again every half year, once each time. Who revoked it is not
asked again. Files are deleted by whoever owns the folder, see `to_delete`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import NotYours
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Consent, Turn
from actions.timebank.states import ConsentKind, ConsentStep

ASKED_AGAIN_AFTER = timedelta(days=182)
DELETED_AT_ONCE = 500
SPOKEN_BEFORE_ASKED = 2
"""So many recorded turns come first: a newcomer is not met with a question."""


def recordings_kept(session: Session, member: MemberId) -> bool:
    """Whether what this member says may be kept as a file."""
    newest = _newest(session, member, ConsentStep.GIVEN, ConsentStep.REVOKED)
    return newest is None or newest.step is ConsentStep.GIVEN


def give(session: Session, *, member: MemberId, turn_id: TurnId, now: datetime) -> Consent:
    """From now on recordings are kept. The same turn again changes nothing.

    Raises UnknownMember, NotYours for another's turn; so do all that follow."""
    return _add(session, member, ConsentStep.GIVEN, turn_id, now)


def revoke(session: Session, *, member: MemberId, turn_id: TurnId, now: datetime) -> Consent:
    """From now on nothing is kept; what was kept before stays."""
    return _add(session, member, ConsentStep.REVOKED, turn_id, now)


def revoke_and_delete(
    session: Session, *, member: MemberId, turn_id: TurnId, now: datetime
) -> Consent:
    """Nothing is kept from now on, and all that was kept until now is to be deleted."""
    return _add(session, member, ConsentStep.REVOKED, turn_id, now, delete_before=now)


def ask(session: Session, *, member: MemberId, turn_id: TurnId, now: datetime) -> Consent:
    """Notes that this turn ended with the question."""
    return _add(session, member, ConsentStep.ASKED, turn_id, now)


def should_ask(session: Session, member: MemberId, *, now: datetime) -> bool:
    """Whether it is time for the question."""
    if not recordings_kept(session, member):
        return False
    newest = _newest(session, member, *ConsentStep)
    if newest is not None:
        return bool(newest.at <= now - ASKED_AGAIN_AFTER)
    recorded = select(func.count(Turn.id)).where(
        Turn.member_id == member, Turn.recording_sha256.is_not(None)
    )
    return bool(session.execute(recorded).scalar_one() >= SPOKEN_BEFORE_ASKED)


def asked_in(session: Session, member: MemberId, turn_id: str | None) -> bool:
    """Whether this turn of hers ended with the question."""
    newest = _newest(session, member, *ConsentStep)
    return newest is not None and newest.step is ConsentStep.ASKED and newest.turn_id == turn_id


def has_recordings(session: Session, member: MemberId) -> bool:
    """Whether any recording of hers is kept."""
    kept = select(Turn.id).where(Turn.member_id == member, Turn.recording_path.is_not(None))
    return session.execute(kept.limit(1)).first() is not None


def to_delete(session: Session) -> list[tuple[TurnId, str]]:
    """Turns whose recordings are to be deleted, with the file's path in the recordings folder, at
    most `DELETED_AT_ONCE`.

    A turn stays here until `deleted` is told that its file is gone."""
    revoked = (
        select(Consent.member_id, func.max(Consent.delete_before).label("until"))
        .where(Consent.delete_before.is_not(None))
        .group_by(Consent.member_id)
        .subquery()
    )
    doomed = (
        select(Turn.id, Turn.recording_path)
        .join(revoked, revoked.c.member_id == Turn.member_id)
        .where(Turn.recording_path.is_not(None), Turn.began_at <= revoked.c.until)
        .order_by(Turn.began_at)
        .limit(DELETED_AT_ONCE)
    )
    return [(TurnId(turn), path) for turn, path in session.execute(doomed)]


def deleted(session: Session, turns: Sequence[TurnId]) -> None:
    """The files of these turns are gone; their hashes stay as evidence of what was confirmed."""
    session.execute(update(Turn).where(Turn.id.in_(turns)).values(recording_path=None))


def _add(
    session: Session,
    member: MemberId,
    step: ConsentStep,
    turn_id: TurnId,
    now: datetime,
    delete_before: datetime | None = None,
) -> Consent:
    members.member(session, member)
    same = select(Consent).where(
        Consent.turn_id == turn_id,
        Consent.kind == ConsentKind.RECORDING,
        Consent.step == step,
    )
    earlier = session.execute(same).scalar_one_or_none()
    if earlier is not None:
        if earlier.member_id != member:
            raise NotYours(f"turn {turn_id} is not member {member}'s")
        return cast(Consent, earlier)
    consent = Consent(
        member_id=member,
        kind=ConsentKind.RECORDING,
        step=step,
        delete_before=delete_before,
        turn_id=turn_id,
        at=now,
    )
    session.add(consent)
    session.flush()
    return consent


def _newest(session: Session, member: MemberId, *steps: ConsentStep) -> Consent | None:
    of_these = select(Consent).where(
        Consent.member_id == member,
        Consent.kind == ConsentKind.RECORDING,
        Consent.step.in_(steps),
    )
    newest = session.execute(of_these.order_by(Consent.id.desc()).limit(1)).scalar_one_or_none()
    return cast("Consent | None", newest)
