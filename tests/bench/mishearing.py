"""What the recognizer makes of training speech: `python -m tests.bench.mishearing [COUNT]`.

Utterances of every training voice are spoken by the project's own voice, roughened by room noise,
recognised and held against what was said. The syllables that were taken for others are counted into
`bot/nlu/data/mishearings.yml`, from which training speech is misheard on purpose.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import yaml

from bot.nlu.mishearing import DATA
from bot.nlu.sounds import syllables
from bot.settings import HOUSE, Settings

COUNT = 400
SEED = 20261124
PACES = (130, 160, 190)
SIGNAL_TO_NOISE_DB = (30.0, 15.0)
ANNOTATION = re.compile(r"\[([^\]]*)\]\{[^}]*\}")
NOT_CHINESE = re.compile(r"[^\u4e00-\u9fff]")
LEAST = 2
"""A confusion seen once may be an accident of one sentence."""


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    said = Random(SEED).sample(sorted(_training_speech()), count)
    confusions: Counter[tuple[str, str]] = Counter()
    wrong = whole = 0
    for number, (text, heard) in enumerate(_heard(said), 1):
        pairs = list(misheard(syllables(text), syllables(heard)))
        confusions.update(pair for pair in pairs if all(pair))
        wrong, whole = wrong + len(pairs), whole + len(text)
        if number % 20 == 0:
            print(f"{number} of {count}: {wrong / whole:.1%} of the syllables misheard", flush=True)
    _write(confusions, wrong / whole, count)
    return 0


def misheard(said: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Syllables that differ in the cheapest alignment; "" where one is missing or too many."""
    costs = np.zeros((len(said) + 1, len(heard) + 1), dtype=int)
    costs[:, 0], costs[0, :] = np.arange(len(said) + 1), np.arange(len(heard) + 1)
    for row, one in enumerate(said, 1):
        for column, other in enumerate(heard, 1):
            costs[row, column] = min(
                costs[row - 1, column - 1] + (one != other),
                costs[row - 1, column] + 1,
                costs[row, column - 1] + 1,
            )
    row, column = len(said), len(heard)
    while row or column:
        same = row and column and said[row - 1] == heard[column - 1]
        step = costs[row, column] - (not same)
        if row and column and costs[row - 1, column - 1] == step:
            row, column = row - 1, column - 1
            if not same:
                yield said[row], heard[column]
        elif row and costs[row - 1, column] == costs[row, column] - 1:
            row -= 1
            yield said[row], ""
        else:
            column -= 1
            yield "", heard[column]


def _training_speech() -> set[str]:
    said = set()
    for file in (HOUSE / "nlu_data" / "nlu").glob("*.yml"):
        for one in yaml.safe_load(file.read_text("utf-8"))["nlu"]:
            for line in str(one.get("examples", "")).splitlines():
                words = NOT_CHINESE.sub("", ANNOTATION.sub(r"\1", line))
                if 3 <= len(words) <= 40:
                    said.add(words)
    return said


def _heard(said: Sequence[str]) -> Iterator[tuple[str, str]]:
    from voice.codec import from_samples, to_samples
    from voice.recognizer import make_recognizer
    from voice.synthesizer import make_synthesizer
    from voice.types import Delivery

    settings = Settings()
    recognizer = make_recognizer(settings.models)
    voice = make_synthesizer(HOUSE / "build" / "spoken")
    noise = np.random.default_rng(SEED)
    for number, words in enumerate(said):
        spoken = voice.synthesize(words, Delivery(pace=PACES[number % len(PACES)]))
        sound = to_samples(spoken)
        power = float(np.mean(sound**2)) / 10 ** (
            SIGNAL_TO_NOISE_DB[number % len(SIGNAL_TO_NOISE_DB)] / 10
        )
        rough = sound + noise.normal(0, power**0.5, len(sound))
        heard = recognizer.recognize(from_samples(np.clip(rough, -1, 1), spoken.rate)).text
        yield words, NOT_CHINESE.sub("", heard)


def _write(confusions: Counter[tuple[str, str]], share: float, count: int) -> None:
    table: dict[str, dict[str, int]] = {}
    for (said, heard), times in sorted(confusions.items()):
        if times >= LEAST:
            table.setdefault(said, {})[heard] = times
    text = (
        "# How often the recognizer took a syllable for another. Written by\n"
        f"# `python -m tests.bench.mishearing {count}`; {share:.1%} of all was misheard.\n"
    )
    Path(DATA).write_text(text + yaml.safe_dump(table, allow_unicode=True), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
