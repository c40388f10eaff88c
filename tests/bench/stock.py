"""Rasa's stock pipeline, trained on the same data and measured beside ours."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.prepare import rasa_environment
from bot.settings import HOUSE, Settings
from tests.bench.spoken import Parse

CONFIG = Path(__file__).with_name("stock.yml")
DATA = HOUSE / "nlu_data"
TOLD_EVERY_S = 300
PROGRESS = re.compile(r"Epochs: +\d+%[^\r\n]*?(\d+/\d+ \[[\d:]+<[\d:?]+)")


class CannotTrain(Exception):
    """Where the reason stands is in the message."""


@dataclass(frozen=True)
class Taught:
    """What the training data tells the stock pipeline, which learns entities from annotations."""

    utterances: int
    annotations: Mapping[str, int]
    """How many there are of each kind; a kind that is missing cannot be learned."""
    on_words: float
    """The share of annotations that begin and end where Jieba's words do. Of the others DIET
    learns the whole words that they touch."""

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.annotations.items()))
        return (
            f"Rasa's default pipeline with Jieba and DIET, {_epochs()} epochs, without a fallback, "
            f"trained on the same {self.utterances} utterances. It learns entities from "
            f"annotations ({kinds or 'none'}), {self.on_words:.0%} of which begin and end where "
            "Jieba's words do; other kinds, which ours knows by rules, it cannot find. entity_f1 "
            "counts all kinds for both, entity_f1_taught only the annotated ones"
        )


def model_path(home: Path, data: Path = DATA) -> Path:
    """Where the model of this data and this pipeline is kept, there or not."""
    digest = hashlib.sha256(CONFIG.read_bytes())
    for file in _files(data):
        digest.update(str(file.relative_to(data)).encode())
        digest.update(file.read_bytes())
    return home / "stock" / f"{digest.hexdigest()[:16]}.tar.gz"


def train_stock(settings: Settings, data: Path = DATA) -> Path:
    """The path of a model of the stock pipeline, trained unless it is kept already.

    In a process of its own that leaves no memory behind. Raises CannotTrain."""
    model = model_path(settings.home, data)
    if model.exists():
        return model
    model.parent.mkdir(parents=True, exist_ok=True)
    log = model.with_name(model.name.replace(".tar.gz", ".log"))
    print(f"Training the stock pipeline, once for this data; this takes hours: {log}", flush=True)
    command = [sys.executable, "-m", "rasa", "train", "nlu", "--nlu", str(data)]
    command += ["--config", str(CONFIG), "--domain", str(HOUSE / "bot" / "domain")]
    command += ["--out", str(model.parent), "--fixed-model-name", model.name]
    with open(log, "wb") as written:
        training = subprocess.Popen(
            command,
            cwd=HOUSE,
            env={**rasa_environment(settings), **_threads()},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(training, log)
    finally:
        training.kill()
    if training.returncode or not model.exists():
        raise CannotTrain(f"rasa train nlu ended with {training.returncode}, see {log}")
    return model


def what_is_taught(data: Path = DATA) -> Taught:
    """Reads the training data as Rasa does, and cuts it as the stock tokenizer does."""
    from rasa.shared.nlu.training_data.loading import load_data

    utterances = on_words = 0
    annotations: dict[str, int] = {}
    for message in load_data(str(data / "nlu")).intent_examples:
        utterances += 1
        entities = message.get("entities") or ()
        bounds = _word_bounds(message.get("text")) if entities else set()
        for one in entities:
            annotations[one["entity"]] = annotations.get(one["entity"], 0) + 1
            on_words += {one["start"], one["end"]} <= bounds
    whole = sum(annotations.values())
    return Taught(utterances, annotations, on_words / whole if whole else 1.0)


def of_model(model: Path) -> Parse:
    from rasa.core.agent import Agent

    agent = Agent.load(str(model))
    return lambda text: asyncio.run(agent.parse_message(text))


def progress(log: str) -> str:
    """The last epoch that the log tells of and the time left, as `7/100 [05:10<1:08:31`."""
    told = PROGRESS.findall(log)
    return told[-1] if told else ""


def _wait(training: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        try:
            training.wait(TOLD_EVERY_S)
            return
        except subprocess.TimeoutExpired:
            if told := progress(log.read_text("utf-8", errors="replace")):
                print(f"  epoch {told}]", flush=True)


def _files(data: Path) -> Iterator[Path]:
    """What holds utterances or lookups; rules and stories teach understanding nothing."""
    for folder in ("nlu", "lookups"):
        yield from sorted((data / folder).rglob("*.yml"))


def _threads() -> Mapping[str, str]:
    """As many as there are cores: more would only wait for each other."""
    cores = str(len(os.sched_getaffinity(0)))
    return {
        "OMP_NUM_THREADS": cores,
        "TF_INTRA_OP_PARALLELISM_THREADS": cores,
        "TF_INTER_OP_PARALLELISM_THREADS": "1",
    }


def _epochs() -> int:
    [diet] = [
        one
        for one in yaml.safe_load(CONFIG.read_text("utf-8"))["pipeline"]
        if one["name"] == "DIETClassifier"
    ]
    return int(diet["epochs"])


def _word_bounds(text: str) -> set[int]:
    import jieba

    jieba.setLogLevel("WARNING")
    return {at for _, *bounds in jieba.tokenize(text) for at in bounds}
