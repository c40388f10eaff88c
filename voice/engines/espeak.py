"""espeak-ng through pyttsx3: the voice of last resort. Hard to understand, but it always works.

espeak-ng keeps its state in globals and pyttsx3 2.99 returns before the file is written, so every
sentence is spoken by a short-lived child process with a time limit; about a tenth of a second.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path

from voice.codec import decode
from voice.types import Delivery, EngineMissing, Pcm, VoiceError

LARGEST_HEADER = 100
"""Bytes of a WAV file that are no sound."""
_RATE = 22_050
_SECONDS_ALLOWED = 20.0
_WORDS_A_CHARACTER = 0.9
"""espeak-ng counts 字 a little slower than it says it does."""


class EspeakSynthesizer:
    """Speaks with a child process a sentence. Safe to call from several threads."""

    name = "espeak"

    def __init__(
        self,
        *,
        command: Sequence[str] = (sys.executable, "-m", "voice.engines.espeak"),
        seconds_allowed: float = _SECONDS_ALLOWED,
    ) -> None:
        """Raises EngineMissing when pyttsx3 or the espeak-ng library is not installed."""
        self._command = list(command)
        self._seconds_allowed = seconds_allowed
        self._library = _package_folder("espeakng_loader")
        _package_folder("pyttsx3")

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        """See `voice.types.Synthesizer`."""
        with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
            sound = Path(folder) / "sentence.wav"
            order = {
                "text": sentence,
                "rate": round(delivery.pace * _WORDS_A_CHARACTER),
                "file": str(sound),
                "seconds": self._seconds_allowed,
            }
            self._run(json.dumps(order))
            if not sound.is_file():
                raise VoiceError("espeak-ng wrote no sound")
            return decode(sound.read_bytes(), rate=_RATE, longest_seconds=600, shortest_seconds=0)

    def _run(self, order: str) -> None:
        project = str(Path(__file__).parents[2])
        known = os.environ.get("PYTHONPATH")
        environment = {
            **os.environ,
            # pyttsx3 looks the library up by name.
            "LD_LIBRARY_PATH": str(self._library),
            "ESPEAK_DATA_PATH": str(self._library / "espeak-ng-data"),
            "PYTHONPATH": os.pathsep.join([project, known] if known else [project]),
        }
        try:
            subprocess.run(
                self._command,
                input=order.encode(),
                env=environment,
                timeout=self._seconds_allowed,
                check=True,
                capture_output=True,
            )
        except subprocess.TimeoutExpired as error:
            raise VoiceError("espeak-ng took too long") from error
        except subprocess.CalledProcessError as error:
            complaint = error.stderr.decode(errors="replace")[-300:]
            raise VoiceError(f"espeak-ng failed: {complaint}") from error
        except OSError as error:
            raise VoiceError(f"espeak-ng could not be started: {error}") from error


def _package_folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EngineMissing(f"the package {package} is not installed: install from the lock")
    return Path(found.submodule_search_locations[0])


def _speak_one_order() -> None:
    """What the child does: one order on standard input, one WAV file."""
    import threading

    import pyttsx3
    from pyttsx3.drivers import _espeak

    def set_pace(**_: object) -> None:
        # Its own thread may still be taking pyttsx3's first settings: one sentence in a thousand
        # was spoken at those when the pace was given before that had ended.
        _espeak.Synchronize()
        _espeak.SetParameter(_espeak.RATE, order["rate"], 0)

    order = json.load(sys.stdin)
    engine = pyttsx3.init("espeak")
    written = threading.Event()
    engine.connect("started-utterance", set_pace)
    engine.connect("finished-utterance", lambda name, completed: written.set())
    engine.setProperty("voice", "cmn")
    engine.save_to_file(order["text"], order["file"])
    engine.runAndWait()
    deadline = time.monotonic() + order["seconds"]
    written.wait(order["seconds"])
    # The driver tells that it has finished a moment before it has closed its file.
    while not _is_whole(Path(order["file"])):
        if time.monotonic() > deadline:
            sys.exit(1)
        time.sleep(0.02)


def _is_whole(sound: Path) -> bool:
    """Whether the header, which is written last, agrees with what the file holds."""
    try:
        with wave.open(str(sound)) as header:
            frames = header.getnframes()
            held = frames * header.getsampwidth() * header.getnchannels()
    except (OSError, EOFError, wave.Error):
        return False
    return bool(frames > 0 and held <= sound.stat().st_size <= held + LARGEST_HEADER)


if __name__ == "__main__":
    _speak_one_order()
