"""How a simulated elder sounds: her throat and pace, the room's noise, the telephone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bench.voices.goals import Persona, Room
from tests.bench.voices.speech import (
    Condition,
    Recordings,
    Throat,
    companded,
    mixed,
    pink_noise,
    pitched,
    telephone,
)
from tests.voice.sounds import main_pitch, noise, tone
from voice import codec
from voice.types import RECOGNIZER_RATE, Delivery, Pcm


class Hum:
    """A voice that hums: longer for more words and a slower pace."""

    name = "hum"

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        return tone(len(sentence) * 60 / delivery.pace, rate=24_000, hertz=200, loud=0.14)


CROWD = [(Persona("路人", pitch=1.3), "今儿集上的白菜可便宜"), (Persona("路人"), "衣裳收了没有")]
ELDER = Persona("王桂兰", pace=150)
SENTENCE = "明天上午想叫人帮我买点菜"


def recorded(condition: Condition, persona: Persona = ELDER, again: int = 0) -> Pcm:
    return Throat(Hum(), CROWD).record(persona, SENTENCE, condition, again)


def energy(sound: Pcm, low: float, high: float) -> float:
    samples = codec.to_samples(sound)
    power = np.square(np.abs(np.fft.rfft(samples)))
    frequencies = np.fft.rfftfreq(len(samples), 1 / sound.rate)
    return float(power[(frequencies >= low) & (frequencies < high)].sum())


@pytest.mark.parametrize(
    ("condition", "decibels"), [(Condition.NOISE_15, 15), (Condition.NOISE_8, 8)]
)
@pytest.mark.parametrize("room", list(Room))
def test_noise_is_as_loud_as_it_is_called(
    condition: Condition, decibels: float, room: Room
) -> None:
    persona = Persona("王桂兰", room=room)
    clean = codec.to_samples(recorded(Condition.CLEAN, persona))
    noisy = codec.to_samples(recorded(condition, persona))
    speech = codec.speech_level(clean, RECOGNIZER_RATE)
    added = float(np.sqrt(np.mean(np.square(noisy - clean, dtype=np.float64))))

    assert 20 * np.log10(speech / added) == pytest.approx(decibels, abs=0.2)


def test_pauses_do_not_count_as_speech_when_noise_is_added() -> None:
    speech = codec.to_samples(tone(1.0))
    paused = np.concatenate([np.zeros(4 * RECOGNIZER_RATE, np.float32), speech])
    hiss = codec.to_samples(noise(5.0))

    alone = mixed(speech, hiss, 10.0) - speech
    among = mixed(paused, hiss, 10.0) - paused
    assert np.std(among) == pytest.approx(np.std(alone), rel=0.02)


def test_pink_noise_is_as_strong_in_each_octave() -> None:
    sound = codec.from_samples(pink_noise(20 * RECOGNIZER_RATE, 1) * 0.05, RECOGNIZER_RATE)
    octaves = [energy(sound, low, 2 * low) for low in (100, 400, 1600, 3200)]

    assert max(octaves) / min(octaves) < 1.3
    assert energy(sound, 0, 15) < octaves[0] / 100


def test_a_telephone_leaves_only_its_band() -> None:
    hiss = noise(2.0)
    heard = codec.from_samples(telephone(codec.to_samples(hiss)), RECOGNIZER_RATE)

    assert energy(heard, 500, 3_200) > 0.8 * energy(hiss, 500, 3_200)
    assert energy(heard, 0, 250) < 0.01 * energy(hiss, 0, 250)
    assert energy(heard, 4_100, 8_000) < 0.001 * energy(hiss, 4_100, 8_000)


def test_companding_keeps_soft_sounds_and_has_few_steps() -> None:
    ramp = np.linspace(-1, 1, 20_001, dtype=np.float32)
    heard = companded(ramp)

    assert len(np.unique(heard)) == 255
    loud = np.abs(ramp) > 0.01
    assert float(np.max(np.abs(heard - ramp)[loud] / np.abs(ramp)[loud])) < 0.05


def test_another_throat_is_higher_and_keeps_its_pace() -> None:
    high = recorded(Condition.CLEAN, Persona("王桂兰", pace=150, pitch=1.25))

    assert main_pitch(high) == pytest.approx(250, abs=3)
    assert high.seconds == pytest.approx(recorded(Condition.CLEAN).seconds, rel=0.02)
    assert pitched(tone(1.0), 1.25).seconds == pytest.approx(0.8, abs=0.01)


def test_slow_is_slower_and_again_is_slower_still() -> None:
    usual, slow = recorded(Condition.CLEAN), recorded(Condition.SLOW)
    breaths = 0.8

    ratio = (slow.seconds - breaths) / (usual.seconds - breaths)
    assert ratio == pytest.approx(150 / 110, rel=0.02)
    assert recorded(Condition.CLEAN, again=1).seconds > usual.seconds
    assert recorded(Condition.SLOW, again=20).seconds < 2 * slow.seconds


def test_the_same_is_the_same_recording_and_is_made_once(tmp_path: Path) -> None:
    for condition in Condition:
        assert recorded(condition) == recorded(condition), condition
    recordings = Recordings(tmp_path, Throat(Hum(), CROWD))
    first = recordings.said(ELDER, SENTENCE, Condition.NOISE_8)
    made = first.stat().st_mtime_ns
    assert recordings.said(ELDER, SENTENCE, Condition.NOISE_8) == first
    assert first.stat().st_mtime_ns == made
    assert recordings.said(ELDER, SENTENCE, Condition.NOISE_8, again=1) != first
    assert recordings.said(ELDER, SENTENCE, Condition.CLEAN) != first


def test_silence_is_three_seconds_of_a_quiet_room(tmp_path: Path) -> None:
    throat = Throat(Hum(), CROWD)
    quiet = throat.silence(ELDER, 3.0, Condition.CLEAN)
    noisy = throat.silence(ELDER, 3.0, Condition.NOISE_8)

    assert quiet.seconds == noisy.seconds == 3.0
    assert np.std(codec.to_samples(quiet)) == pytest.approx(10 ** (-45 / 20), rel=0.1)
    assert np.std(codec.to_samples(noisy)) == pytest.approx(10 ** (-28 / 20), rel=0.1)
