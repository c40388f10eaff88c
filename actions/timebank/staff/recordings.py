"""Whether what somebody said can still be listened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank.model import Consent, Turn


class RecordingState(str, Enum):
    TYPED = "typed"
    """There never was one."""
    KEPT = "kept"
    GONE = "gone"
    """She wanted none kept, or had it deleted; also while the file still waits to be deleted."""


def recording_states(session: Session, turns: Sequence[Turn]) -> Mapping[str, RecordingState]:
    """For each of these turns whether its recording may be played."""
    deleted_until = dict(
        session.execute(
            select(Consent.member_id, func.max(Consent.delete_before))
            .where(Consent.member_id.in_({turn.member_id for turn in turns}))
            .where(Consent.delete_before.is_not(None))
            .group_by(Consent.member_id)
        ).all()
    )

    def state(turn: Turn) -> RecordingState:
        until = deleted_until.get(turn.member_id)
        if turn.recording_path is None:
            return RecordingState.GONE if turn.recording_sha256 else RecordingState.TYPED
        doomed = until is not None and turn.began_at <= until
        return RecordingState.GONE if doomed else RecordingState.KEPT

    return {turn.id: state(turn) for turn in turns}
