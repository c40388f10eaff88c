"""The recordings that voice turns are measured with, spoken by the project's own voice.

Run as a program of its own (`python -m tests.bench.recordings FOLDER`), so that the voice's memory
and threads are gone when the measuring begins. What is recorded already is kept.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import yaml

from bot.settings import HOUSE

SAID = Path(__file__).with_name("said.yml")
VOICE_NAME = "voice.txt"


@dataclass(frozen=True)
class Said:
    who: str
    says: str


def read_said() -> list[Said]:
    """What the people of the demo village say, in order."""
    return [Said(**one) for one in yaml.safe_load(SAID.read_text("utf-8"))]


def recording_of(folder: Path, words: str) -> Path:
    return folder / f"{sha256(words.encode()).hexdigest()[:16]}.ogg"


def record(folder: Path) -> str:
    """Makes the missing recordings in a process of their own; gives the name of the voice.

    Raises CalledProcessError."""
    command = [sys.executable, "-m", "tests.bench.recordings", str(folder)]
    subprocess.run(command, cwd=HOUSE, check=True, capture_output=True)
    return (folder / VOICE_NAME).read_text("utf-8")


def _speak(folder: Path, sayings: Sequence[Said]) -> None:
    from voice import codec
    from voice.synthesizer import make_synthesizer
    from voice.types import Delivery

    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in sayings if not recording_of(folder, one.says).exists()]
    if not missing:
        return
    voice = make_synthesizer(folder / "sentences")
    (folder / VOICE_NAME).write_text(voice.name, "utf-8")
    for one in missing:
        # A breath before and after, as between pressing the button and letting it go.
        spoken = voice.synthesize(one.says, Delivery())
        breath = codec.silence(0.4, spoken.rate)
        sound = codec.encode(codec.concat([breath, spoken, breath]), "ogg")
        recording_of(folder, one.says).write_bytes(sound)


if __name__ == "__main__":
    _speak(Path(sys.argv[1]), read_said())
