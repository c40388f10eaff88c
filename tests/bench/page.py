"""The evaluation as a page to look at: aims, pictures, and every mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from tests.bench import scores
from tests.bench.aims import AIMS, standings
from tests.bench.confusion import heat_map, worst_confusions
from tests.bench.pictures import calibration, gauge, latency, noise_curve, small_bar, voice_bars
from tests.bench.report import Report
from tests.bench.scores import Entity, Reading, Score
from tests.bench.spoken import NOISE_PERCENTS, noise_name

HERE = Path(__file__).parent
DRAWN = ("clean", "noised")
EMERGENCY = "emergency"
Readings = Mapping[str, Sequence[Reading]]


def write_page(file: Path, report: Report, ours: Readings, stock: Readings) -> None:
    """One file that needs no other. Readings of the test set by how it was heard; `stock` is empty
    where it was not measured."""
    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    drawn = {sort: ours[sort] for sort in DRAWN}
    page = templates.get_template("page.html").render(
        report=report,
        standings=standings(report.figures),
        gauge=gauge,
        small_bar=small_bar,
        noise=_noise(ours, stock),
        voices=voice_bars(_voices(ours, stock)),
        maps={sort: heat_map(read) for sort, read in drawn.items()},
        confusions={sort: worst_confusions(read) for sort, read in drawn.items()},
        calibrations={sort: calibration(read, stock.get(sort, ())) for sort, read in drawn.items()},
        intents=_rows(scores.by_intent, ours, stock),
        entities=_rows(scores.by_entity, ours, stock),
        emergencies={sort: _emergencies(read) for sort, read in drawn.items()},
        latency=latency([one.milliseconds for one in ours["clean"]], _aim("understand_p95_ms")),
        mistakes={sort: _mistakes(read) for sort, read in drawn.items()},
        entity_mistakes=[one for one in ours["clean"] if one.missed or one.invented],
        values=_values,
    )
    file.write_text(page, "utf-8")


def _aim(figure: str) -> float:
    return next(aim.wanted for aim in AIMS if aim.figure == figure)


def _noise(ours: Readings, stock: Readings) -> Any:
    names = [noise_name(percent) for percent in NOISE_PERCENTS]
    return noise_curve(
        NOISE_PERCENTS,
        {
            owner: [scores.accuracy(read[name]) for name in names]
            for owner, read in (("ours", ours), ("stock", stock))
            if read
        },
    )


def _voices(ours: Readings, stock: Readings) -> dict[str, dict[str, float]]:
    """Accuracy by voice and way of hearing."""
    bars: dict[str, dict[str, float]] = {}
    for owner, read in (("", ours), ("stock ", stock)):
        for sort in ("clean", "noised", "noised_near"):
            for voice, said in scores.by_voice(read.get(sort, ())).items():
                name = owner + sort.replace("_", " ")
                bars.setdefault(voice, {})[name] = scores.accuracy(said)
    return bars


def _rows(count: Any, ours: Readings, stock: Readings) -> list[dict[str, Any]]:
    """The worst first; with the F1 of misheard speech and of stock beside."""
    noised = _f1s(count(ours["noised"]))
    theirs = _f1s(count(stock["clean"])) if stock else {}
    rows = [
        {"score": one, "noised": noised.get(one.name, 0.0), "stock": theirs.get(one.name)}
        for one in count(ours["clean"])
    ]
    return sorted(rows, key=lambda row: (row["score"].f1, row["noised"]))


def _f1s(counted: Sequence[Score]) -> dict[str, float]:
    return {one.name: one.f1 for one in counted}


def _emergencies(readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    wrong = _mistakes(readings)
    return {
        "missed": [one for one in wrong if one.intent == EMERGENCY],
        "false alarms": [one for one in wrong if one.got_intent == EMERGENCY],
    }


def _mistakes(readings: Sequence[Reading]) -> list[Reading]:
    """The surest first: those do the most harm."""
    wrong = [reading for reading in readings if not reading.right]
    return sorted(wrong, key=lambda reading: -reading.confidence)


def _values(entities: Sequence[Entity]) -> str:
    return "; ".join(f"{one['entity']} = {one['value']} ({one['text']})" for one in entities)
