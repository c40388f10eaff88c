"""Small sounds made from numbers, for tests of ears and mouth."""

from __future__ import annotations

import io

import av
import numpy as np

from voice.codec import from_samples, resample, to_samples
from voice.types import Pcm


def tone(seconds: float, *, rate: int = 16_000, hertz: float = 440.0, loud: float = 0.3) -> Pcm:
    times = np.arange(int(seconds * rate)) / rate
    return from_samples((loud * np.sin(2 * np.pi * hertz * times)).astype(np.float32), rate)


def noise(seconds: float, *, loud: float = 0.1, seed: int = 7) -> Pcm:
    randomly = np.random.default_rng(seed)
    return from_samples(randomly.normal(0, loud, int(seconds * 16_000)).astype(np.float32), 16_000)


def chords(seconds: float) -> Pcm:
    """Something like an organ playing, for what is music and not speech."""
    rate = 16_000
    times = np.arange(int(seconds * rate)) / rate
    roots = (220.0, 174.6, 261.6, 196.0)
    sound = np.zeros_like(times)
    for beat, start in enumerate(np.arange(0, seconds, 0.5)):
        within = (times >= start) & (times < start + 0.5)
        for interval in (1, 1.25, 1.5, 2):
            root = roots[beat % len(roots)] * interval
            sound += within * 0.1 * np.sin(2 * np.pi * root * times) * np.exp(start - times)
    return from_samples(sound.astype(np.float32), rate)


def recorded(
    sound: Pcm, container: str, codec: str, *, rate: int, layout: str = "mono", video: bool = False
) -> bytes:
    """The sound as some phone or browser would send it."""
    sink = io.BytesIO()
    samples = np.frombuffer(resample(sound, rate).samples, dtype="<i2")
    channels = 2 if layout == "stereo" else 1
    interleaved = np.repeat(samples, channels).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
    frame.sample_rate = rate
    with av.open(sink, "w", format=container) as out:
        film = out.add_stream("mpeg4", rate=10) if video else None
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if film is not None:
            film.width = film.height = 64
            film.pix_fmt = "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            for shown in (picture, None):
                out.mux(film.encode(shown))
        for piece in (frame, None):
            out.mux(stream.encode(piece))
    return sink.getvalue()


def main_pitch(sound: Pcm) -> float:
    """The loudest frequency in Hz."""
    samples = to_samples(sound)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * sound.rate / len(samples))
