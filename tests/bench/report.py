"""What a run found out, in the shape that `build/*.json` keeps, and as a table to read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.settings import HOUSE

BUILD = HOUSE / "build"


@dataclass
class Report:
    """Figures by name with their unit, and why any of them is missing or not what it should be."""

    machine: Mapping[str, Any]
    commit: str
    figures: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Figures or parts that were left out or cut short, with the reason."""
    conditions: dict[str, Any] = field(default_factory=dict)
    """What must be known to compare these figures with others."""

    def add(self, figures: Mapping[str, float], *, digits: int = 1) -> None:
        self.figures.update({name: round(value, digits) for name, value in figures.items()})

    def add_times(self, stage: str, milliseconds: Sequence[float]) -> None:
        """The median and the 95th percentile of a stage, or why there is none."""
        if not milliseconds:
            self.skipped[f"{stage}_ms"] = "no turn had this stage"
            return
        self.add({f"{stage}_p{share}_ms": percentile(milliseconds, share) for share in (50, 95)})

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        shape = {
            "machine": self.machine,
            "commit": self.commit,
            "figures": self.figures,
            "skipped": self.skipped,
            "conditions": self.conditions,
        }
        file.write_text(json.dumps(shape, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def table(self) -> str:
        """The whole report in lines of two columns."""
        parts = [self.machine | {"commit": self.commit}, self.conditions, self.figures]
        width = max(len(name) for part in parts for name in part)
        blocks = ["\n".join(f"{name:<{width}}  {part[name]}" for name in part) for part in parts]
        if self.skipped:
            blocks.append(
                "\n".join(f"not whole: {name}: {why}" for name, why in self.skipped.items())
            )
        return "\n\n".join(block for block in blocks if block)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest measured value that `share` percent of all values do not exceed.

    Raises ValueError when there are no values or the share is not within 0 to 100."""
    if not values or not 0 <= share <= 100:
        raise ValueError("a percentile needs values and a share of 0 to 100")
    rank = max(1, math.ceil(len(values) * share / 100))
    return sorted(values)[rank - 1]
