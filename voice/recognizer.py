"""The ears: which engine hears, what it is given, and what happens when it fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from voice import models
from voice.codec import Samples, from_samples, resample, to_samples
from voice.types import (
    RECOGNIZER_RATE,
    EngineMissing,
    Pcm,
    Recognizer,
    Transcript,
    VoiceError,
    Word,
)

log = logging.getLogger(__name__)

Span = tuple[int, int]
SpeechFinder = Callable[[Samples], Sequence[Span]]
"""First and last sample of each stretch of speech in 16 kHz sound, none longer than 25 s."""

_SILENT_PEAK = 0.004
_WANTED_PEAK = 0.5
_MOST_GAIN = 30.0
_LONGEST_PIECE = 25 * RECOGNIZER_RATE
_PADDING = int(0.2 * RECOGNIZER_RATE)
_SHORTEST_SPEECH_MS = 60
"""The voiced middle of a 啊 or 不 said fast."""
_LEAST_SPEECH_LIKE = 0.35


def make_recognizer(models_dir: Path, *, threads: int = 2) -> Recognizer:
    """The best recognizer that the models folder allows: Vosk when its model is there, with
    whisper-base behind it, else whisper-base. Takes some seconds; share what it gives.

    Raises EngineMissing when the folder holds no model that can be used.
    """
    engines: list[Recognizer] = []
    problems = []
    for load in (_load_vosk, _load_whisper):
        try:
            # whisper behind Vosk costs 250 MB, so it waits until Vosk fails for the first time.
            engines.append(
                LazyRecognizer("whisper", lambda: _load_whisper(models_dir, threads))
                if engines and models.find_whisper(models_dir)
                else load(models_dir, threads)
            )
        except EngineMissing as missing:
            problems.append(str(missing))
    if not engines:
        raise EngineMissing("no recognizer: " + "; ".join(problems))
    log.info("recognizer: %s (models in %s)", engines[0].name, models_dir)
    engine = engines[0] if len(engines) == 1 else FallbackRecognizer(engines)
    return AttentiveRecognizer(engine, find_speech)


def _load_vosk(models_dir: Path, _threads: int) -> Recognizer:
    folder = models.find_vosk(models_dir)
    if folder is None:
        raise EngineMissing(f"no Vosk model in {models_dir}")
    from voice.engines.vosk import VoskRecognizer

    return VoskRecognizer(folder)


def _load_whisper(models_dir: Path, threads: int) -> Recognizer:
    folder = models.find_whisper(models_dir)
    if folder is None:
        raise EngineMissing(f"no {models.WHISPER_NAME} in {models_dir}")
    from voice.engines.whisper import WhisperRecognizer

    return WhisperRecognizer(folder, threads=threads)


class LazyRecognizer:
    """Loads an engine when it is needed for the first time."""

    def __init__(self, name: str, load: Callable[[], Recognizer]) -> None:
        self.name = name
        self._load = load
        self._engine: Recognizer | None = None
        self._lock = threading.Lock()

    def recognize(self, sound: Pcm) -> Transcript:
        """See `voice.types.Recognizer`."""
        with self._lock:
            if self._engine is None:
                self._engine = self._load()
        return self._engine.recognize(sound)


class FallbackRecognizer:
    """Asks the next engine when one fails."""

    def __init__(self, engines: Sequence[Recognizer]) -> None:
        self._engines = engines
        self.name = engines[0].name

    def recognize(self, sound: Pcm) -> Transcript:
        """See `voice.types.Recognizer`; raises what the last engine raised."""
        for engine in self._engines[:-1]:
            try:
                return engine.recognize(sound)
            except VoiceError as error:
                log.warning("recognizer %s failed, the next one is asked: %s", engine.name, error)
        return self._engines[-1].recognize(sound)


class AttentiveRecognizer:
    """Gives an engine speech only, at an even loudness and in pieces it can hold.

    Engines invent words for silence and noise; here these give an empty text without asking.
    """

    def __init__(self, engine: Recognizer, find_speech: SpeechFinder) -> None:
        self._engine = engine
        self._find_speech = find_speech
        self.name = engine.name

    def recognize(self, sound: Pcm) -> Transcript:
        """See `voice.types.Recognizer`. Sound of another rate is resampled."""
        samples = _evenly_loud(to_samples(resample(sound, RECOGNIZER_RATE)))
        pieces = _pieces(self._find_speech(samples), len(samples)) if samples.size else []
        heard = []
        for start, end in pieces:
            transcript = self._engine.recognize(from_samples(samples[start:end], RECOGNIZER_RATE))
            heard.append(_later(transcript, start / RECOGNIZER_RATE))
        return _joined(heard)


def find_speech(samples: Samples) -> Sequence[Span]:
    """Silero's voice activity detection, from faster-whisper's own package."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=_LEAST_SPEECH_LIKE,
        min_speech_duration_ms=_SHORTEST_SPEECH_MS,
        max_speech_duration_s=_LONGEST_PIECE / RECOGNIZER_RATE,
        min_silence_duration_ms=400,
        speech_pad_ms=0,
    )
    try:
        return [(span["start"], span["end"]) for span in get_speech_timestamps(samples, options)]
    except RuntimeError as error:
        raise VoiceError(f"speech could not be told from noise: {error}") from error


def _evenly_loud(samples: Samples) -> Samples:
    """Elders speak softly and hold phones far away; what is all but silent is left alone."""
    if not samples.size:
        return samples
    centred: Samples = samples - samples.mean()
    # One knock must not decide how loud the speech is.
    peak = float(np.quantile(np.abs(centred), 0.999))
    if peak < _SILENT_PEAK:
        return np.zeros_like(centred)
    gain = min(_MOST_GAIN, _WANTED_PEAK / peak)
    return np.clip(centred * np.float32(gain), -1.0, 1.0)


def _pieces(spans: Sequence[Span], length: int) -> list[Span]:
    """Joins stretches of speech, with a breath at both ends, as far as an engine can hold them."""
    pieces: list[Span] = []
    for begin, finish in spans:
        start, end = max(0, begin - _PADDING), min(length, finish + _PADDING)
        if pieces and end - pieces[-1][0] <= _LONGEST_PIECE:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    return pieces


def _later(transcript: Transcript, seconds: float) -> Transcript:
    words = [
        Word(word.text, word.confidence, word.start + seconds, word.end + seconds)
        for word in transcript.words
    ]
    return replace(transcript, words=tuple(words))


def _joined(heard: Sequence[Transcript]) -> Transcript:
    spoken = [transcript for transcript in heard if transcript.text]
    if not spoken:
        return Transcript(text="", confidence=0.0)
    length = sum(len(transcript.text) for transcript in spoken)
    return Transcript(
        text="，".join(transcript.text for transcript in spoken),
        confidence=sum(one.confidence * len(one.text) for one in spoken) / length,
        words=tuple(word for transcript in spoken for word in transcript.words),
    )
