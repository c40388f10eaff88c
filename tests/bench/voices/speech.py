"""How an elder's words reach the microphone: another throat, a slower mouth, a room, a telephone.

All noise comes from fixed seeds: the same words in the same condition are the same recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from hashlib import sha256
from pathlib import Path

import numpy as np

from tests.bench.voices.goals import Persona
from voice import codec
from voice.codec import Samples
from voice.synthesizer import SLOWEST
from voice.types import RECOGNIZER_RATE, Delivery, Pcm, Synthesizer

SLOW_PACE = 110
SLOWER_AGAIN = 12
"""字 a minute that somebody speaks slower who says the same once more."""
BREATH_SECONDS = 0.4
"""Between pressing the button and speaking, and between the last word and letting it go."""
ROOM_DECIBELS = -45.0
"""How loud a room is in which nobody speaks, below full scale."""
TELEPHONE_RATE = 8_000
TELEPHONE_BAND = (300.0, 3_400.0)
_MU = 255.0


class Condition(Enum):
    CLEAN = "clean"
    NOISE_15 = "noise_15db"
    NOISE_8 = "noise_8db"
    SLOW = "slow"
    TELEPHONE = "telephone"


DEGRADED = tuple(one for one in Condition if one is not Condition.CLEAN)
NOISE_DECIBELS = {Condition.NOISE_15: 15.0, Condition.NOISE_8: 8.0}
"""By how much the speech is louder than the noise."""


class Throat:
    """Makes recordings of what people of the village say."""

    def __init__(self, synthesizer: Synthesizer, crowd: Sequence[tuple[Persona, str]]) -> None:
        """`crowd` is who talks in the background, and what; their voices are made when needed."""
        self._synthesizer = synthesizer
        self._crowd = crowd
        self._babble: Samples | None = None

    def record(self, persona: Persona, words: str, condition: Condition, again: int = 0) -> Pcm:
        """The words as the microphone takes them, said before `again` times: nobody says the same
        twice alike. Raises VoiceError."""
        pace = min(persona.pace, SLOW_PACE) if condition is Condition.SLOW else persona.pace
        persona = replace(persona, pace=max(pace - again * SLOWER_AGAIN, SLOWEST))
        sound = self._with_breaths(self._speak(persona, words))
        seed = seed_of(persona.name, words, condition.value, str(again))
        if condition in NOISE_DECIBELS:
            noise = self._room(persona, len(sound), seed)
            sound = mixed(sound, noise, NOISE_DECIBELS[condition])
        if condition is Condition.TELEPHONE:
            sound = telephone(sound)
        return codec.from_samples(codec.limit(sound, RECOGNIZER_RATE), RECOGNIZER_RATE)

    def silence(self, persona: Persona, seconds: float, condition: Condition) -> Pcm:
        """Nobody speaks: only the room is there, as loud as that room is under speech."""
        seed = seed_of(persona.name, "", condition.value)
        noise = self._room(persona, int(seconds * RECOGNIZER_RATE), seed)
        decibels = ROOM_DECIBELS
        if condition in NOISE_DECIBELS:
            decibels = -20.0 - NOISE_DECIBELS[condition]
        sound = noise * np.float32(10 ** (decibels / 20) / _power(noise) ** 0.5)
        if condition is Condition.TELEPHONE:
            sound = telephone(sound)
        return codec.from_samples(sound, RECOGNIZER_RATE)

    def _speak(self, persona: Persona, words: str) -> Samples:
        # Played faster, a voice is higher, smaller and quicker; it spoke slower by as much.
        pace = round(persona.pace / persona.pitch)
        spoken = self._synthesizer.synthesize(words, Delivery(pace=pace))
        return codec.to_samples(codec.resample(pitched(spoken, persona.pitch), RECOGNIZER_RATE))

    @staticmethod
    def _with_breaths(sound: Samples) -> Samples:
        breath = np.zeros(int(BREATH_SECONDS * RECOGNIZER_RATE), np.float32)
        return np.concatenate([breath, sound, breath])

    def _room(self, persona: Persona, length: int, seed: int) -> Samples:
        """Pink noise and the voices of others, in the share of her room."""
        if self._babble is None:
            voices = [self._speak(who, words) for who, words in self._crowd]
            self._babble = babble(voices)
        start = seed % len(self._babble)
        others = np.resize(np.roll(self._babble, -start), length)
        share = persona.room.value
        hum = _even(pink_noise(length, seed)) * np.sqrt(1 - share)
        return (hum + _even(others) * np.sqrt(share)).astype(np.float32)


class Recordings:
    """Keeps recordings as Opus files, as a phone sends them."""

    def __init__(self, folder: Path, throat: Throat) -> None:
        self._folder = folder
        self._throat = throat

    def said(self, persona: Persona, words: str, condition: Condition, again: int = 0) -> Path:
        """Raises VoiceError."""
        file = self._file(persona, words, condition, again)
        if not file.exists():
            self._keep(file, self._throat.record(persona, words, condition, again))
        return file

    def silence(self, persona: Persona, seconds: float, condition: Condition) -> Path:
        file = self._file(persona, f"silence {seconds:g}", condition)
        if not file.exists():
            self._keep(file, self._throat.silence(persona, seconds, condition))
        return file

    def _file(self, persona: Persona, words: str, condition: Condition, again: int = 0) -> Path:
        name = f"{seed_of(repr(persona), words, str(again)):016x}-{condition.value}.ogg"
        return self._folder / name

    def _keep(self, file: Path, sound: Pcm) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(codec.encode(sound, "ogg"))


def seed_of(*parts: str) -> int:
    return int(sha256("\0".join(parts).encode()).hexdigest()[:16], 16)


def pitched(sound: Pcm, pitch: float) -> Pcm:
    """Played `pitch` times as fast: higher and shorter by as much, at the same rate."""
    faster = Pcm(sound.samples, round(sound.rate * pitch))
    return codec.resample(faster, sound.rate)


def mixed(speech: Samples, noise: Samples, decibels: float) -> Samples:
    """The speech with the noise so many decibels below it; pauses do not count as speech."""
    level = codec.speech_level(speech, RECOGNIZER_RATE)
    factor = level / 10 ** (decibels / 20) / max(_power(noise) ** 0.5, 1e-9)
    return (speech + noise[: len(speech)] * np.float32(factor)).astype(np.float32)


def pink_noise(length: int, seed: int) -> Samples:
    """Each octave is as strong as the next, as in wind, water and fans; nothing below 20 Hz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=length))
    frequencies = np.fft.rfftfreq(length, 1 / RECOGNIZER_RATE)
    shape = np.where(frequencies < 20, 0, 1 / np.sqrt(np.maximum(frequencies, 20)))
    return _even(np.fft.irfft(spectrum * shape, length).astype(np.float32))


def babble(voices: Sequence[Samples]) -> Samples:
    """All at once, each as loud as the others and from its beginning again until the longest
    has ended."""
    length = max(len(voice) for voice in voices)
    return _even(np.sum([np.resize(_even(voice), length) for voice in voices], axis=0))


def telephone(sound: Samples) -> Samples:
    """What a telephone line leaves of 16 kHz sound: 300 to 3400 Hz, G.711 µ-law at 8 kHz."""
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / RECOGNIZER_RATE)
    low, high = TELEPHONE_BAND
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    filtered = np.fft.irfft(spectrum, len(sound)).astype(np.float32)
    banded = codec.from_samples(filtered, RECOGNIZER_RATE)
    narrow = codec.to_samples(codec.resample(banded, TELEPHONE_RATE))
    line = codec.from_samples(companded(narrow), TELEPHONE_RATE)
    return codec.to_samples(codec.resample(line, RECOGNIZER_RATE))


def companded(samples: Samples) -> Samples:
    """Through the 256 steps of µ-law and back."""
    sizes = np.log1p(_MU * np.minimum(np.abs(samples), 1)) / np.log1p(_MU)
    steps = np.round(sizes * 127) / 127
    return (np.sign(samples) * np.expm1(steps * np.log1p(_MU)) / _MU).astype(np.float32)


def _even(samples: Samples) -> Samples:
    """With a power of one."""
    return (samples / max(_power(samples) ** 0.5, 1e-9)).astype(np.float32)


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
