"""The temperature at which the classifier would be as sure as it is right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml
from scipy.optimize import minimize_scalar

from bot.settings import HOUSE
from tests.bench.scores import FALLBACK, Reading

LOWEST, HIGHEST = 0.1, 10.0
WHOLE = 1.001
"""Chances that sum to more were raised by hand, as danger heard by its sound is."""
LEAST = 1e-6


def best_temperature(readings: Sequence[Reading], current: float) -> float:
    """What to write into `config.yml` so that the likelihood of what was meant is highest.

    `current` is the temperature that these readings were made with. Readings that a rule decided
    tell nothing of the classifier and are left out; raises ValueError when no other is there."""
    own = [one for one in readings if 0 < sum(_ranked(one).values()) <= WHOLE]
    if not own:
        raise ValueError("no reading was the classifier's own")
    intents = {reading.intent for reading in own}
    judged = [_chances(one, intents) for one in own]

    def loss(logarithm: float) -> float:
        return fmean(_surprise(*one, math.exp(logarithm)) for one in judged)

    found = minimize_scalar(loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded")
    return current * math.exp(found.x)


def configured_temperature(config: Path = HOUSE / "config.yml") -> float:
    """1 where no component has one, since that changes nothing."""
    pipeline: Sequence[Mapping[str, Any]] = yaml.safe_load(config.read_text("utf-8"))["pipeline"]
    return next((float(one["temperature"]) for one in pipeline if "temperature" in one), 1.0)


def _ranked(reading: Reading) -> Mapping[str, float]:
    """Without the fallback, which is no intent of the classifier's."""
    return {name: chance for name, chance in reading.ranking.items() if name != FALLBACK}


def _chances(reading: Reading, intents: set[str]) -> tuple[float, list[float]]:
    """Of what was meant, and of all intents; those not ranked share evenly what is left."""
    ranked = _ranked(reading)
    others = len(intents - set(ranked))
    each = max(1 - sum(ranked.values()), 0.0) / others if others else 0.0
    chances = [max(one, LEAST) for one in (*ranked.values(), *[each] * others)]
    return max(ranked.get(reading.intent, each), LEAST), chances


def _surprise(meant: float, chances: Sequence[float], temperature: float) -> float:
    """The negative logarithm of what was meant, when all chances are tempered."""
    whole = sum(one ** (1 / temperature) for one in chances)
    return math.log(whole) - math.log(meant) / temperature
