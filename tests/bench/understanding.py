"""`make eval`: measures understanding on utterances written apart from the training ones.

Writes `build/eval.json` and `build/eval.html`. Rasa's stock pipeline is trained on the same data
and measured beside ours; the first time for given data that takes long (`--no-stock`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import StatisticsError
from typing import Any

from bot.prepare import fingerprint, migrate, train
from bot.settings import Settings
from tests.bench import scores
from tests.bench.machine import commit, describe
from tests.bench.noise import SHARE
from tests.bench.page import write_page
from tests.bench.report import BUILD, Report, percentile
from tests.bench.scores import Reading
from tests.bench.spoken import (
    NOISE_PERCENTS,
    WRITTEN_APART,
    Parse,
    Spoken,
    hearings,
    noise_name,
    read_all,
    read_spoken,
    training_texts,
)
from tests.bench.stock import CannotTrain, model_path, of_model, train_stock, what_is_taught
from tests.bench.temperature import best_temperature, configured_temperature

NOON = "2026-11-22T12:00:00+08:00"
"""When everything in the test utterances is said."""
COMPARED = ("clean", "noised", "noised_near")
DEVELOPED_ON = ("clean", "noised")
STOCK = "stock_"
"""How the names of the stock pipeline's figures begin."""
Readings = Mapping[str, Sequence[Reading]]
"""By how it was heard, as `spoken.hearings` names it."""


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
    stock = _stock(settings, given, report)
    _stay_on_one_core(report)
    ours = measure(report, _ours(settings), sets)
    theirs = measure_stock(report, of_model(stock), sets["test"]) if stock else {}
    report.write(BUILD / f"{name}.json")
    write_page(BUILD / f"{name}.html", report, ours, theirs)
    print(f"\n{report.table()}\n\nwritten to build/{name}.json and build/{name}.html")
    return 0


def measure(report: Report, parse: Parse, sets: Mapping[str, Sequence[Spoken]]) -> Readings:
    """Adds our figures and gives the readings of the test set."""
    report.conditions["noised"] = (
        f"{SHARE:.0%} of the characters replaced by ones of the same syllable, or of one that "
        "bot/nlu/sounds.py folds together with it: what features by sound cannot see"
    )
    report.conditions["noised_near"] = f"{SHARE:.0%} replaced by ones of a syllable near it"
    readings = _read_test(parse, sets["test"], "by ours")
    add_figures(report, readings)
    add_entity_kinds(report, readings)
    report.conditions["voices"] = voice_accuracies(readings)
    if sets["dev"]:
        add_development(report, parse, sets["dev"])
    else:
        report.skipped["dev_intent_accuracy"] = "there are no utterances in tests/understanding/dev"
    return readings


def measure_stock(report: Report, parse: Parse, spoken: Sequence[Spoken]) -> Readings:
    """Adds the stock pipeline's figures, and our errors as a share of its errors; after ours."""
    readings = _read_test(parse, spoken, "by the stock pipeline")
    add_figures(report, readings, STOCK)
    add_entity_kinds(report, readings, STOCK)
    report.conditions["stock_voices"] = voice_accuracies(readings)
    compare(report)
    return readings


def add_figures(report: Report, readings: Readings, owner: str = "") -> None:
    """Of one pipeline, whose name begins each figure."""
    for sort in COMPARED:
        report.add({f"{owner}intent_accuracy_{sort}": scores.accuracy(readings[sort])}, digits=4)
        report.add({f"{owner}intent_macro_f1_{sort}": scores.macro_f1(readings[sort])}, digits=4)
    for percent in NOISE_PERCENTS:
        name = noise_name(percent)
        if name not in COMPARED:
            accuracy = scores.accuracy(readings[name])
            report.add({f"{owner}intent_accuracy_{name}": accuracy}, digits=4)
    report.conditions["noise_percents"] = list(NOISE_PERCENTS)
    trained_on = training_texts()
    unseen = [one for one in readings["clean"] if one.said not in trained_on]
    report.conditions["also_in_training"] = len(readings["clean"]) - len(unseen)
    if unseen:
        # 返回 and 大声点 are said by everybody: what is left when these are taken out.
        report.add({f"{owner}intent_accuracy_clean_unseen": scores.accuracy(unseen)}, digits=4)
    for suffix, sort in (("", "clean"), ("_noised", "noised")):
        add, read = _Adder(report, owner, suffix), readings[sort]
        add("entity_f1", scores.entity_f1, read)
        add("emergency_recall", scores.recall, read, "emergency")
        add("emergency_false_alarm_ratio", scores.false_alarm_ratio, read, "emergency")
        add("out_of_scope_recall", scores.recall, read, "out_of_scope")
        add("calibration_error", scores.calibration_error, read)
        add("fallback_ratio", scores.fallback_ratio, read)
    wall = percentile([one.milliseconds for one in readings["clean"]], 95)
    # On a busy machine the figure that compares: time on the one core, without waiting for it.
    work = percentile([one.processor_ms for one in readings["clean"]], 95)
    report.add({f"{owner}understand_p95_ms": wall, f"{owner}understand_cpu_p95_ms": work})


def add_entity_kinds(report: Report, readings: Readings, owner: str = "") -> None:
    """`entity_f1_when` and so on, and over the kinds that the training data annotates."""
    for suffix, sort in (("", "clean"), ("_noised", "noised")):
        for kind in scores.by_entity(readings[sort]):
            report.add({f"{owner}entity_f1_{kind.name}{suffix}": kind.f1}, digits=4)
        if taught := report.conditions.get("taught_kinds"):
            f1 = scores.entity_f1(readings[sort], taught)
            report.add({f"{owner}entity_f1_taught{suffix}": f1}, digits=4)


def add_development(report: Report, parse: Parse, spoken: Sequence[Spoken]) -> None:
    """Figures that may guide the work, since the test voices must not."""
    current = configured_temperature()
    report.conditions["temperature"] = current
    for sort in DEVELOPED_ON:
        _say(f"{len(spoken)} development utterances, {sort}…")
        dev = read_all(parse, spoken, hearings()[sort])
        report.add({f"dev_intent_accuracy_{sort}": scores.accuracy(dev)}, digits=4)
        report.add({f"dev_calibration_error_{sort}": scores.calibration_error(dev)}, digits=4)
        name = "best_temperature_dev" + ("" if sort == "clean" else f"_{sort}")
        try:
            report.add({name: best_temperature(dev, current)}, digits=3)
        except ValueError as nothing:
            report.skipped[name] = str(nothing)


def voice_accuracies(readings: Readings) -> Mapping[str, Mapping[str, float]]:
    """By the name of the voice: how many utterances, and how many of them were understood."""
    voices: dict[str, dict[str, float]] = {}
    for sort in COMPARED:
        for voice, said in scores.by_voice(readings[sort]).items():
            of_voice = voices.setdefault(voice, {"utterances": len(said)})
            of_voice[f"intent_accuracy_{sort}"] = round(scores.accuracy(said), 4)
    return voices


def compare(report: Report) -> None:
    """Our errors as a share of the stock pipeline's, when it makes any."""
    for sort in COMPARED:
        ours = 1 - report.figures[f"intent_accuracy_{sort}"]
        theirs = 1 - report.figures[f"{STOCK}intent_accuracy_{sort}"]
        if theirs:
            report.add({f"errors_to_stock_ratio_{sort}": ours / theirs}, digits=3)
        else:
            report.skipped[f"errors_to_stock_ratio_{sort}"] = "the stock pipeline makes no error"


class _Adder:
    """Adds figures of one sort, saying which the set was too small for."""

    def __init__(self, report: Report, owner: str, suffix: str) -> None:
        self._report = report
        self._owner = owner
        self._suffix = suffix

    def __call__(self, name: str, score: Callable[..., float], *counted: Any) -> None:
        name = self._owner + name + self._suffix
        try:
            self._report.add({name: score(*counted)}, digits=4)
        except StatisticsError:
            self._report.skipped[name] = "the set has no utterance to count"


def _read_test(parse: Parse, spoken: Sequence[Spoken], by: str) -> Readings:
    readings = {}
    for sort, hear in hearings().items():
        _say(f"{len(spoken)} test utterances, {sort}, {by}…")
        readings[sort] = read_all(parse, spoken, hear)
    return readings


def _stock(settings: Settings, given: argparse.Namespace, report: Report) -> Path | None:
    """The stock model, or why there is none in `report`. Before we stay on one core."""
    why = "left out by --no-stock" if given.no_stock else ""
    if given.quick and not model_path(settings.home).exists():
        why = "not trained yet, and --quick does not"
    if not why:
        try:
            model = train_stock(settings)
        except CannotTrain as failed:
            why = str(failed)
        else:
            taught = what_is_taught()
            report.conditions["stock"] = str(taught)
            report.conditions["taught_kinds"] = sorted(taught.annotations)
            return model
    for sort in COMPARED:
        report.skipped[f"{STOCK}intent_accuracy_{sort}"] = why
    return None


def _settings(home: Path) -> Settings:
    """A village of its own, filled anew, at noon of the day of the test utterances."""
    home.mkdir(parents=True, exist_ok=True)
    for old in home.glob("village.db*"):
        old.unlink()
    settings = Settings(home=home, clock=NOON, database_url=None, demo=True)
    # What `make run` has trained on the same inputs need not be trained again.
    trained = Settings().rasa_model / f"{fingerprint(Settings().training)}.tar.gz"
    if trained.exists():
        settings.rasa_model.mkdir(exist_ok=True)
        shutil.copy(trained, settings.rasa_model)
    return settings


def _ours(settings: Settings) -> Parse:
    from bot.understanding import Understanding

    return Understanding(settings, say=_say).parse


def _stay_on_one_core(report: Report) -> None:
    # Before a model is loaded, so that threads yet to come stay there too; training had both.
    core = {min(os.sched_getaffinity(0))}
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), core)
    report.conditions["cores_used"] = 1


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.bench.understanding", description=__doc__)
    parser.add_argument("--no-stock", action="store_true", help="without the stock pipeline")
    parser.add_argument("--quick", action="store_true", help="few utterances, to try this itself")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
