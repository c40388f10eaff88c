"""What passes between a channel, the recognizer and the synthesizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Sequence

RECOGNIZER_RATE = 16_000
"""Samples a second that recognizers are given."""


@dataclass(frozen=True)
class Pcm:
    """Mono sound, signed 16-bit little-endian."""

    samples: bytes
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / 2 / self.rate


@dataclass(frozen=True)
class Word:
    text: str
    confidence: float
    start: float
    """Seconds from the beginning."""
    end: float


@dataclass(frozen=True)
class Transcript:
    text: str
    """Simplified Chinese without spaces between characters; empty when nothing was heard."""
    confidence: float
    """0 (a guess) to 1 (certain)."""
    words: Sequence[Word] = ()


@dataclass(frozen=True)
class Delivery:
    """How one person likes to be spoken to."""

    pace: int = 160
    """字 a minute."""
    gain: int = 100
    """Loudness in percent."""


class VoiceError(Exception):
    """Speech could not be taken in or made; `code` is stable, `utter_refused_<code>` is said."""

    code = "voice_failed"


class NotAudio(VoiceError):
    """The bytes are no sound that can be decoded."""

    code = "not_audio"


class TooLong(VoiceError):
    code = "too_long"


class TooShort(VoiceError):
    """Empty, or too short to hold a word."""

    code = "too_short"


class EngineMissing(VoiceError):
    """No engine or model of this kind is installed."""

    code = "engine_missing"


class Recognizer(Protocol):
    """Turns sound into text. Blocking and safe to call from several threads."""

    name: str

    def recognize(self, sound: Pcm) -> Transcript:
        """Takes 16 kHz sound. Nothing but silence or noise gives an empty text.

        Raises VoiceError when the engine fails."""


class Synthesizer(Protocol):
    """Turns spoken Mandarin into sound. Blocking and safe to call from several threads."""

    name: str

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """Takes words that `speakable` has prepared. Raises VoiceError when the engine fails."""
