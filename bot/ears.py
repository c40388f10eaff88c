"""From a recording to words: kept, decoded, recognised. Blocking; called off the event loop."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Callable, Optional

from voice import codec
from voice.types import Recognizer

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 180


@dataclass(frozen=True)
class Heard:
    """What was heard, and where its recording lies."""

    text: str = ""
    confidence: Optional[float] = None
    """None when the words were typed."""
    engine: str = ""
    recording_path: Optional[str] = None
    """Relative to the recordings folder."""
    recording_sha256: Optional[str] = None


class Ears:
    def __init__(
        self, recognizer: Recognizer, recordings: Path, clock: Callable[[], datetime]
    ) -> None:
        self._recognizer = recognizer
        self._recordings = recordings
        self._clock = clock

    def keep(self, audio: bytes, turn: str, *, on_disk: bool) -> Heard:
        """Stores the recording for the staff, before anything can go wrong with it; only its hash
        where the member wants none kept. A full disk must not keep anyone from being heard: then
        it is logged and the turn goes on without."""
        sha256 = hashlib.sha256(audio).hexdigest()
        if not on_disk:
            return Heard(recording_sha256=sha256)
        name = re.sub(r"[^\w-]", "_", turn)
        relative = Path(f"{self._clock():%Y-%m-%d}") / f"{name}.audio"
        target = self._recordings / relative
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            target.write_bytes(audio)
        except OSError:
            logger.exception("the recording of turn %s could not be kept", turn)
            return Heard(recording_sha256=sha256)
        return Heard(recording_path=str(relative), recording_sha256=sha256)

    def recognize(self, audio: bytes, kept: Heard) -> Heard:
        """What is said in a recording. Raises VoiceError when it is no sound, too long, too
        short, or no engine works."""
        sound = codec.decode(audio, longest_seconds=LONGEST_SECONDS)
        transcript = self._recognizer.recognize(sound)
        return replace(
            kept,
            text=transcript.text,
            confidence=transcript.confidence,
            engine=self._recognizer.name,
        )
