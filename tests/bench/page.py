"""The evaluation as a page to look at: figures, pictures, and every mistake."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from tests.bench import scores
from tests.bench.report import Report
from tests.bench.scores import Entity, Reading

HERE = Path(__file__).parent
AIMS = {
    "intent_accuracy_clean": (">=", 0.95),
    "intent_accuracy_noised": (">=", 0.90),
    "errors_to_stock_ratio_clean": ("<=", 0.5),
    "errors_to_stock_ratio_noised": ("<=", 0.5),
    "entity_f1": (">=", 0.90),
    "emergency_recall": (">=", 0.99),
    "emergency_recall_noised": (">=", 0.99),
    "emergency_false_alarm_ratio": ("<=", 0.01),
    "emergency_false_alarm_ratio_noised": ("<=", 0.01),
    "out_of_scope_recall": (">=", 0.90),
    "calibration_error": ("<=", 0.05),
    "understand_p95_ms": ("<=", 80.0),
}
"""What the project asks for."""
REACHED = {">=": operator.ge, "<=": operator.le}
SIGNS = {">=": "\u2265", "<=": "\u2264"}
CONFUSIONS_SHOWN = 20


@dataclass(frozen=True)
class FigureLine:
    name: str
    value: float
    aim: str
    """Empty where the project asks for nothing."""
    reached: bool


def write_page(file: Path, report: Report, readings: Mapping[str, Sequence[Reading]]) -> None:
    """One file that needs no other. `readings` of the test set by how it was heard; `clean` and
    `noised` are drawn and listed."""
    drawn = {sort: readings[sort] for sort in ("clean", "noised")}
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
    page = templates.get_template("page.html").render(
        report=report,
        lines=[_line(name, value) for name, value in report.figures.items()],
        matrices={sort: _confusion_matrix(read) for sort, read in drawn.items()},
        calibrations={sort: _calibration(read) for sort, read in drawn.items()},
        confusions={sort: _confusions(read) for sort, read in drawn.items()},
        mistakes={sort: _mistakes(read) for sort, read in drawn.items()},
        entity_mistakes=[one for one in drawn["clean"] if one.missed or one.invented],
        values=_values,
    )
    file.write_text(page, "utf-8")


def _line(name: str, value: float) -> FigureLine:
    if name not in AIMS:
        return FigureLine(name, value, "", True)
    sign, aim = AIMS[name]
    return FigureLine(name, value, f"{SIGNS[sign]} {aim:g}", REACHED[sign](value, aim))


def _mistakes(readings: Sequence[Reading]) -> list[Reading]:
    """The surest first: those do the most harm."""
    wrong = [reading for reading in readings if not reading.right]
    return sorted(wrong, key=lambda reading: -reading.confidence)


def _confusions(readings: Sequence[Reading]) -> list[tuple[tuple[str, str], int]]:
    pairs = Counter((one.intent, one.got_intent) for one in readings if not one.right)
    return pairs.most_common(CONFUSIONS_SHOWN)


def _values(entities: Sequence[Entity]) -> str:
    return "; ".join(f"{one['entity']} = {one['value']} ({one['text']})" for one in entities)


def _confusion_matrix(readings: Sequence[Reading]) -> Markup:
    """Rows are what was meant, shaded by the share of each row."""
    meant = sorted({reading.intent for reading in readings})
    names = meant + sorted({reading.got_intent for reading in readings} - set(meant))
    counts = Counter((reading.intent, reading.got_intent) for reading in readings)
    rows = [[counts[intent, got] for got in names] for intent in meant]
    figure = Figure(figsize=(0.32 * len(names) + 2.2, 0.32 * len(meant) + 2.2))
    axes = figure.add_subplot()
    axes.pcolormesh([[count / sum(row) for count in row] for row in rows], cmap="Blues", vmax=1.4)
    for (intent, got), count in counts.items():
        at = names.index(got) + 0.5, meant.index(intent) + 0.5
        shade = "#123" if intent == got else "#b3261e"
        axes.text(*at, str(count), ha="center", va="center", fontsize=7, color=shade)
    axes.set_xticks([at + 0.5 for at in range(len(names))], names, rotation=90, fontsize=7)
    axes.set_yticks([at + 0.5 for at in range(len(meant))], meant, fontsize=7)
    axes.set_xlabel("understood as")
    axes.set_ylabel("meant")
    axes.invert_yaxis()
    return _svg(figure)


def _calibration(readings: Sequence[Reading]) -> Markup:
    """How often each confidence was right; on the diagonal it would be as sure as it is right."""
    groups = scores.bins(readings)
    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#999", linestyle="--", linewidth=1)
    confidences = [group.confidence for group in groups]
    axes.plot(confidences, [group.accuracy for group in groups], marker="o", color="#1f5fa8")
    for group in groups:
        at = (group.confidence, group.accuracy)
        axes.annotate(str(group.count), at, (4, -10), textcoords="offset points", fontsize=7)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="confidence shown", ylabel="share right")
    return _svg(figure)


def _svg(figure: Figure) -> Markup:
    """The picture as an element of the page, its text left as text."""
    sink = StringIO()
    with rc_context({"svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.tight_layout()
        FigureCanvasSVG(figure).print_svg(sink)
    # An XML heading has no place inside HTML.
    document = sink.getvalue()
    return Markup(document[document.index("<svg") :])
