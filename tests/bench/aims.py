"""What the project asks of understanding, and how far a report comes."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REACHED = {">=": operator.ge, "<=": operator.le}
SIGNS = {">=": "≥", "<=": "≤"}
PERCENT, MILLISECONDS, TIMES = "percent", "ms", "times"


@dataclass(frozen=True)
class Aim:
    figure: str
    says: str
    sign: str
    wanted: float
    unit: str = PERCENT

    @property
    def words(self) -> str:
        return f"{SIGNS[self.sign]} {written(self.wanted, self.unit)}"


AIMS = (
    Aim("intent_accuracy_clean", "Intent accuracy", ">=", 0.95),
    Aim("intent_accuracy_noised", "Intent accuracy, misheard", ">=", 0.90),
    Aim("errors_to_stock_ratio_clean", "Errors beside stock", "<=", 0.5, TIMES),
    Aim("errors_to_stock_ratio_noised", "Errors beside stock, misheard", "<=", 0.5, TIMES),
    Aim("entity_f1", "Entity F1", ">=", 0.90),
    Aim("emergency_recall", "Emergency recall", ">=", 0.99),
    Aim("emergency_recall_noised", "Emergency recall, misheard", ">=", 0.99),
    Aim("emergency_false_alarm_ratio", "False alarms", "<=", 0.01),
    Aim("emergency_false_alarm_ratio_noised", "False alarms, misheard", "<=", 0.01),
    Aim("out_of_scope_recall", "Out-of-scope recall", ">=", 0.90),
    Aim("calibration_error", "Expected calibration error", "<=", 0.05),
    Aim("understand_p95_ms", "Understanding, p95, one core", "<=", 80.0, MILLISECONDS),
)


@dataclass(frozen=True)
class Standing:
    """How one aim stands. `ours`, `stock` and `mark` are of one scale that begins at 0 and ends
    at `end`; without a figure `ours` is None."""

    aim: Aim
    value: float | None
    ours: float | None
    stock: float | None
    mark: float
    end: float

    @property
    def reached(self) -> bool:
        return self.value is not None and REACHED[self.aim.sign](self.value, self.aim.wanted)

    @property
    def words(self) -> str:
        return "not measured" if self.value is None else written(self.value, self.aim.unit)

    @property
    def bar_unit(self) -> str:
        """Errors beside stock's are drawn as shares of the utterances."""
        return PERCENT if self.aim.unit == TIMES else self.aim.unit


def standings(figures: Mapping[str, float]) -> Sequence[Standing]:
    return [_standing(aim, figures) for aim in AIMS]


def written(value: float, unit: str) -> str:
    if unit == PERCENT:
        # Two decimals, lest 94.97 % look like the 95 that it misses.
        return f"{100 * value:.2f}".rstrip("0").rstrip(".") + "%"
    return f"{value:.0f} ms" if unit == MILLISECONDS else f"{value:.2g} ×"


def _standing(aim: Aim, figures: Mapping[str, float]) -> Standing:
    value = figures.get(aim.figure)
    ours, stock, mark = value, figures.get(f"stock_{aim.figure}"), aim.wanted
    if aim.unit == TIMES and value is not None:
        accuracy = aim.figure.replace("errors_to_stock_ratio", "intent_accuracy")
        ours, stock = 1 - figures[accuracy], 1 - figures[f"stock_{accuracy}"]
        mark = aim.wanted * stock
    end = 1.0 if aim.sign == ">=" else 1.1 * max(2 * mark, ours or 0, stock or 0)
    return Standing(aim, value, ours, stock, mark, end)
