"""Sound containers in and out: what phones, browsers and telephone lines send, to PCM and back.

Everything happens in memory with PyAV; no program is started and no file is written.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from voice.types import RECOGNIZER_RATE, NotAudio, Pcm, TooLong, TooShort

Samples = NDArray[np.float32]
"""Mono sound between -1 and 1."""

LONGEST_SECONDS = 180.0
SHORTEST_SECONDS = 0.3
PEAK = 0.95
"""Loudest sample that `limit` lets through: room for what lossy encoders add."""

_OPEN_OPTIONS = {
    # A playlist could name other files of this machine, and headerless AMR fits any bytes: only
    # containers that say what they are.
    "format_whitelist": "ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,wav,w64,aiff,au,caf,"
    "amr,mp3,flac,aac",
    "protocol_whitelist": "none",
}
_FASTEST_SOURCE = 192_000
_SLOWEST_SOURCE = 4_000
_FULL_SCALE = 32_768.0
_LIMITER_BLOCK_SECONDS = 0.005
_SPEECH_FLOOR = 10 ** (-45 / 20)
_LOSSY = {"ogg": ("libopus", 24_000), "mp3": ("libmp3lame", 48_000)}
"""Encoder and bits a second."""
_LOSSY_RATE = 24_000
"""Both encoders know it, and speech holds little above 12 kHz."""
_MIMES = {"ogg": "audio/ogg", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}


def decode(
    data: bytes,
    *,
    rate: int = RECOGNIZER_RATE,
    longest_seconds: float = LONGEST_SECONDS,
    shortest_seconds: float = SHORTEST_SECONDS,
) -> Pcm:
    """Mono sound of a recording: Opus, Vorbis, WebM, MP4, AAC, WAV (also G.711), AMR, MP3, FLAC.

    A damaged or cut recording gives what can be decoded of it. Work and memory are bounded by
    `longest_seconds`, whatever the file claims.

    Raises TooShort below `shortest_seconds` (also for no bytes at all), TooLong beyond
    `longest_seconds`, NotAudio when no sound can be decoded.
    """
    if not data:
        raise TooShort("no bytes")
    most = int(longest_seconds * rate) * 2
    sound = bytearray()
    source = _Source(data)
    for chunk in _resampled(source.frames(), rate):
        sound += chunk
        if len(sound) > most:
            raise TooLong(f"longer than {longest_seconds:g} s")
    pcm = Pcm(bytes(sound), rate)
    if not sound or pcm.seconds < shortest_seconds:
        if source.damage or not sound:
            raise NotAudio(source.damage or "no sound inside")
        raise TooShort(f"{pcm.seconds:.2f} s")
    return pcm


def encode(pcm: Pcm, container: str) -> bytes:
    """The sound as an `ogg` (Opus), `mp3`, `wav` or `flac` file.

    Raises ValueError for another name.
    """
    if container == "wav":
        return _encode_wav(pcm)
    if container == "flac":
        return _encode_with("flac", pcm, container)
    if container not in _LOSSY:
        raise ValueError(f"unknown container {container!r}")
    codec, bits_a_second = _LOSSY[container]
    return _encode_with(codec, resample(pcm, _LOSSY_RATE), container, bits_a_second)


def _encode_with(codec: str, pcm: Pcm, container: str, bits_a_second: int = 0) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as out:
        stream = cast(av.AudioStream, out.add_stream(codec, rate=pcm.rate, layout="mono"))
        if bits_a_second:
            stream.bit_rate = bits_a_second
        for frame in (_frame(pcm), None) if pcm.samples else (None,):
            for packet in stream.encode(frame):
                out.mux(packet)
    return sink.getvalue()


def mime(container: str) -> str:
    """The media type of what `encode` makes. Raises ValueError for another name."""
    if container not in _MIMES:
        raise ValueError(f"unknown container {container!r}")
    return _MIMES[container]


def resample(pcm: Pcm, rate: int) -> Pcm:
    """The same sound at another rate, band-limited."""
    if pcm.rate == rate or not pcm.samples:
        return Pcm(pcm.samples, rate)
    return Pcm(b"".join(_resampled([_frame(pcm)], rate)), rate)


def silence(seconds: float, rate: int) -> Pcm:
    return Pcm(bytes(2 * int(seconds * rate)), rate)


def concat(parts: Sequence[Pcm]) -> Pcm:
    """One sound after the other, at the rate of the first. Raises ValueError for no parts."""
    if not parts:
        raise ValueError("nothing to join")
    rate = parts[0].rate
    return Pcm(b"".join(resample(part, rate).samples for part in parts), rate)


def to_samples(pcm: Pcm) -> Samples:
    """Floats between -1 and 1; half a sample at the end of cut data is left out."""
    whole = len(pcm.samples) // 2 * 2
    return np.frombuffer(pcm.samples[:whole], dtype="<i2").astype(np.float32) / _FULL_SCALE


def from_samples(samples: Samples, rate: int) -> Pcm:
    clipped = np.clip(np.nan_to_num(samples) * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE - 1)
    return Pcm(clipped.round().astype("<i2").tobytes(), rate)


def speech_level(samples: Samples, rate: int) -> float:
    """Root mean square over the parts that are not silent (above -45 dB); 0 when all is silent."""
    block = max(1, int(rate * 0.02))
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    power = np.mean(np.square(blocks, dtype=np.float64), axis=1)
    loud = power[power > _SPEECH_FLOOR**2]
    return float(np.sqrt(loud.mean())) if loud.size else 0.0


def level(pcm: Pcm, *, decibels: float, gain_percent: int = 100) -> Pcm:
    """Speech brought to one loudness (RMS in dB below full scale), times a listener's own gain.

    Never clips; silence stays silence.
    """
    samples = to_samples(pcm)
    present = speech_level(samples, pcm.rate)
    if not present:
        return pcm
    factor = 10 ** (decibels / 20) / present * gain_percent / 100
    return from_samples(limit(samples * np.float32(factor), pcm.rate), pcm.rate)


def amplify(pcm: Pcm, percent: int) -> Pcm:
    """Louder or softer without clipping: peaks are turned down where they would pass the limit."""
    samples = to_samples(pcm) * np.float32(percent / 100)
    return from_samples(limit(samples, pcm.rate), pcm.rate)


def limit(samples: Samples, rate: int) -> Samples:
    """Keeps every sample within `PEAK` by a gain that moves smoothly and looks ahead."""
    block = max(1, int(rate * _LIMITER_BLOCK_SECONDS))
    count = -(-len(samples) // block)
    if not count or np.max(np.abs(samples)) <= PEAK:
        return samples
    padded = np.pad(np.abs(samples), (0, count * block - len(samples)))
    wanted = np.minimum(1.0, PEAK / np.maximum(padded.reshape(count, block).max(axis=1), 1e-9))
    # The smallest gain of a block and its neighbours: the line between two block centres then
    # never passes what any sample under it allows.
    edged = np.pad(wanted, 1, mode="edge")
    lowest = np.minimum(np.minimum(edged[:-2], edged[1:-1]), edged[2:])
    centres = (np.arange(count) + 0.5) * block
    gain = np.interp(np.arange(len(samples)), centres, lowest)
    return (samples * gain).astype(np.float32)


class _Source:
    """Decodes one recording as far as it goes and remembers what was wrong with it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.damage = ""

    def frames(self) -> Iterator[av.AudioFrame]:
        """Raises NotAudio when there is no container or no sound track."""
        try:
            container = av.open(io.BytesIO(self._data), "r", options=_OPEN_OPTIONS)
        except (FFmpegError, ValueError, EOFError) as error:
            raise NotAudio(f"no container: {error}") from error
        with container:
            if not container.streams.audio:
                raise NotAudio("no sound track")
            yield from self._decoded(container, container.streams.audio[0])

    def _decoded(
        self, container: av.container.InputContainer, stream: av.AudioStream
    ) -> Iterator[av.AudioFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, ValueError, EOFError) as error:
                self.damage = f"cut off: {error}"
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except (FFmpegError, ValueError, EOFError) as error:
                # One bad packet, as a weak radio link makes them, does not spoil the others.
                self.damage = f"bad packet: {error}"
                continue
            for frame in frames:
                if isinstance(frame, av.AudioFrame):
                    yield frame


def _resampled(frames: Iterable[av.AudioFrame], rate: int) -> Iterator[bytes]:
    """Mono 16-bit pieces; a recording that changes its form in the middle goes on in the new."""
    resampler: av.AudioResampler | None = None
    form: object = None
    for frame in frames:
        if not _SLOWEST_SOURCE <= frame.sample_rate <= _FASTEST_SOURCE:
            raise NotAudio(f"{frame.sample_rate} samples a second")
        if resampler is None or form != (frame.format.name, frame.layout.name, frame.sample_rate):
            if resampler is not None:
                yield from _pieces(resampler, None)
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        # Time stamps of cut recordings jump; what counts is the sound that is there.
        frame.pts = None
        yield from _pieces(resampler, frame)
    if resampler is not None:
        yield from _pieces(resampler, None)


def _pieces(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    try:
        pieces = resampler.resample(frame)
    except (FFmpegError, ValueError) as error:
        raise NotAudio(f"unusable sound: {error}") from error
    for piece in pieces:
        yield bytes(piece.planes[0])[: piece.samples * 2]


def _frame(pcm: Pcm) -> av.AudioFrame:
    whole = len(pcm.samples) // 2 * 2
    samples = np.frombuffer(pcm.samples[:whole], dtype="<i2").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = pcm.rate
    return frame


def _encode_wav(pcm: Pcm) -> bytes:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(pcm.rate)
        out.writeframes(pcm.samples)
    return sink.getvalue()
