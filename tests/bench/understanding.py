"""`make eval`: measures understanding on utterances written apart from the training ones.

Writes `build/eval.json` and `build/eval.html`. With `--stock` Rasa's stock pipeline is trained on
the same data and measured beside ours; that takes minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import StatisticsError
from typing import Any

from bot.prepare import migrate, rasa_environment, train
from bot.settings import HOUSE, Settings
from tests.bench import scores
from tests.bench.machine import commit, describe
from tests.bench.noise import SHARE, Mishearing, noised
from tests.bench.page import write_page
from tests.bench.report import BUILD, Report, percentile
from tests.bench.scores import Reading
from tests.bench.startup import borrow_trained

WRITTEN_APART = HOUSE / "tests" / "understanding"
NOON = "2026-11-22T12:00:00+08:00"
"""When everything in the test utterances is said."""
STOCK = Path(__file__).with_name("stock.yml")
QUICK = 120
"""Utterances of each set when only the evaluation itself is tried."""
Parse = Callable[[str], Mapping[str, Any]]
Hear = Callable[[str], str]


@dataclass(frozen=True)
class Spoken:
    """An utterance with what its author meant."""

    text: str
    intent: str
    entities: Sequence[Mapping[str, Any]]


def main() -> int:
    given = _given()
    BUILD.mkdir(exist_ok=True)
    report = Report(describe(BUILD), commit())
    sets = {name: read_spoken(WRITTEN_APART / name, quick=given.quick) for name in ("dev", "test")}
    report.conditions["utterances"] = {name: len(spoken) for name, spoken in sets.items()}
    name = "eval-quick" if given.quick else "eval"
    if not sets["test"]:
        report.skipped["everything"] = "there are no utterances in tests/understanding/test"
        report.write(BUILD / f"{name}.json")
        print(report.skipped["everything"], file=sys.stderr)
        return 1

    settings = _settings(BUILD / "eval-home")
    migrate(settings, _say)
    train(settings, _say)
    stock = train_stock(settings) if given.stock else None
    _stay_on_one_core(report)
    readings = measure(report, _ours(settings), sets)
    if stock is not None:
        measure_stock(report, _of_model(stock), sets["test"])
    else:
        for sort in ("clean", "noised"):
            report.skipped[f"stock_intent_accuracy_{sort}"] = "only with --stock"
    report.write(BUILD / f"{name}.json")
    write_page(BUILD / f"{name}.html", report, readings)
    print(f"\n{report.table()}\n\nwritten to build/{name}.json and build/{name}.html")
    return 0


def read_spoken(folder: Path, *, quick: bool = False) -> list[Spoken]:
    """All utterances of a folder of Rasa NLU files, in a fixed order; none without the folder."""
    from rasa.shared.nlu.training_data.loading import load_data

    if not any(folder.glob("*.yml")):
        return []
    spoken = []
    for message in load_data(str(folder)).intent_examples:
        text = message.get("text")
        entities = [_entity(text, one) for one in message.get("entities") or ()]
        spoken.append(Spoken(text, message.get("intent"), entities))
    spoken.sort(key=lambda one: (one.intent, one.text))
    return random.Random(1).sample(spoken, min(QUICK, len(spoken))) if quick else spoken


def measure(
    report: Report, parse: Parse, sets: Mapping[str, Sequence[Spoken]]
) -> Mapping[str, Sequence[Reading]]:
    """Adds our figures and gives the readings of the test set by how it was heard."""
    heard: Mapping[str, Hear] = {
        "clean": lambda text: text,
        "noised": noised,
        "noised_near": lambda text: noised(text, kind=Mishearing.NEAR),
    }
    report.conditions["noised"] = (
        f"{SHARE:.0%} of the characters replaced by ones of the same syllable, or of one that "
        "bot/nlu/sounds.py folds together with it: what features by sound cannot see"
    )
    report.conditions["noised_near"] = f"{SHARE:.0%} replaced by ones of a syllable near it"
    readings = {}
    for sort, hear in heard.items():
        _say(f"{len(sets['test'])} test utterances, {sort}…")
        readings[sort] = read_all(parse, sets["test"], hear)
    add_figures(report, readings)
    if not sets["dev"]:
        report.skipped["dev_intent_accuracy"] = "there are no utterances in tests/understanding/dev"
        return readings
    for sort in ("clean", "noised"):
        _say(f"{len(sets['dev'])} development utterances, {sort}…")
        dev = read_all(parse, sets["dev"], heard[sort])
        report.add({f"dev_intent_accuracy_{sort}": scores.accuracy(dev)}, digits=4)
        report.add({f"dev_calibration_error_{sort}": scores.calibration_error(dev)}, digits=4)
    return readings


def add_figures(report: Report, readings: Mapping[str, Sequence[Reading]]) -> None:
    """`readings` of one test set: clean, noised and noised_near."""
    clean, misheard = readings["clean"], readings["noised"]
    for sort, read in readings.items():
        report.add({f"intent_accuracy_{sort}": scores.accuracy(read)}, digits=4)
        report.add({f"intent_macro_f1_{sort}": scores.macro_f1(read)}, digits=4)
    for suffix, read in (("", clean), ("_noised", misheard)):
        add = _Adder(report, suffix)
        add("entity_f1", scores.entity_f1, read)
        add("emergency_recall", scores.recall, read, "emergency")
        add("emergency_false_alarm_ratio", scores.false_alarm_ratio, read, "emergency")
        add("out_of_scope_recall", scores.recall, read, "out_of_scope")
        add("calibration_error", scores.calibration_error, read)
        add("fallback_ratio", scores.fallback_ratio, read)
    report.add({"understand_p95_ms": percentile([one.milliseconds for one in clean], 95)})
    # On a busy machine the figure that compares: time on the one core, without waiting for it.
    report.add({"understand_cpu_p95_ms": percentile([one.processor_ms for one in clean], 95)})


def measure_stock(report: Report, parse: Parse, spoken: Sequence[Spoken]) -> None:
    """Adds the stock pipeline's figures, and our errors as a share of its errors."""
    hear: Mapping[str, Hear] = {"clean": lambda text: text, "noised": noised}
    for sort in hear:
        _say(f"{len(spoken)} test utterances, {sort}, by the stock pipeline…")
        stock = scores.accuracy(read_all(parse, spoken, hear[sort]))
        report.add({f"stock_intent_accuracy_{sort}": stock}, digits=4)
        if stock < 1:
            ours = report.figures[f"intent_accuracy_{sort}"]
            report.add({f"errors_to_stock_ratio_{sort}": (1 - ours) / (1 - stock)}, digits=3)
    report.conditions["stock"] = "characters instead of Jieba's words: jieba is not in the lock"


def read_all(parse: Parse, spoken: Sequence[Spoken], hear: Hear) -> list[Reading]:
    """How each utterance is understood as it is heard; `hear` keeps its length."""
    return [_read(parse, one, hear(one.text)) for one in spoken]


def train_stock(settings: Settings) -> Path:
    """A model of the stock pipeline on our training data. Raises CalledProcessError."""
    _say("Training the stock pipeline; this takes minutes, see build/eval-home/stock.log…")
    folder = settings.home / "stock"
    command = [sys.executable, "-m", "rasa", "train", "nlu", "--nlu", "nlu_data"]
    command += ["--config", str(STOCK), "--domain", "bot/domain"]
    command += ["--out", str(folder), "--fixed-model-name", "stock"]
    with open(settings.home / "stock.log", "wb") as log:
        subprocess.run(
            command,
            cwd=HOUSE,
            env=rasa_environment(settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    return folder / "stock.tar.gz"


class _Adder:
    """Adds figures of one sort, saying which the set was too small for."""

    def __init__(self, report: Report, suffix: str) -> None:
        self._report = report
        self._suffix = suffix

    def __call__(self, name: str, score: Callable[..., float], *counted: Any) -> None:
        try:
            self._report.add({name + self._suffix: score(*counted)}, digits=4)
        except StatisticsError:
            self._report.skipped[name + self._suffix] = "the set has no utterance to count"


def _read(parse: Parse, meant: Spoken, heard: str) -> Reading:
    began, worked = time.perf_counter(), time.process_time()
    parsed = parse(heard)
    milliseconds = (time.perf_counter() - began) * 1000
    processor_ms = (time.process_time() - worked) * 1000
    return Reading(
        text=heard,
        intent=meant.intent,
        entities=meant.entities,
        got_intent=parsed["intent"]["name"] or "",
        confidence=float(parsed["intent"]["confidence"]),
        got_entities=[_entity(heard, one) for one in parsed["entities"]],
        milliseconds=milliseconds,
        processor_ms=processor_ms,
    )


def _entity(text: str, one: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: one[name] for name in ("entity", "value", "start", "end")}
    return {**kept, "text": text[one["start"] : one["end"]]}


def _settings(home: Path) -> Settings:
    """A village of its own, filled anew, at noon of the day of the test utterances."""
    home.mkdir(parents=True, exist_ok=True)
    for old in home.glob("village.db*"):
        old.unlink()
    settings = Settings(home=home, clock=NOON, database_url=None, demo=True)
    borrow_trained(settings)
    return settings


def _ours(settings: Settings) -> Parse:
    from bot.understanding import Understanding

    return Understanding(settings, say=_say).parse


def _of_model(model: Path) -> Parse:
    from rasa.core.agent import Agent

    agent = Agent.load(str(model))
    return lambda text: asyncio.run(agent.parse_message(text))


def _stay_on_one_core(report: Report) -> None:
    # Before Rasa is loaded, so that all its threads stay there too; training had both.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    report.conditions["cores_used"] = 1


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.bench.understanding", description=__doc__)
    parser.add_argument("--stock", action="store_true", help="the stock pipeline beside ours")
    parser.add_argument("--quick", action="store_true", help="few utterances, to try this itself")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
