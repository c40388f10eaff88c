"""Deletes the recordings of those who said so, whatever happens in between."""

from __future__ import annotations

import logging
from pathlib import Path

from actions.timebank import consents
from actions.timebank.session import Village

logger = logging.getLogger(__name__)


def delete_revoked(village: Village, recordings: Path) -> int:
    """Deletes files first and their paths from the turns afterwards: after a crash between, or
    with a disk that refuses, the next look finds them again. Returns how many are gone."""
    with village.reading() as session:
        doomed = consents.to_delete(session)
    gone = [turn for turn, path in doomed if _delete(recordings, path)]
    if gone:
        with village.transaction() as session:
            consents.deleted(session, gone)
    return len(gone)


def _delete(recordings: Path, path: str) -> bool:
    file = (recordings / path).resolve()
    if not file.is_relative_to(recordings.resolve()):
        logger.error("%s lies outside the recordings and is not touched", path)
        return False
    try:
        file.unlink(missing_ok=True)
    except OSError:
        logger.exception("%s could not be deleted; tried again soon", path)
        return False
    return True
