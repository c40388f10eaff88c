"""What several themes count in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from sqlalchemy import DateTime, and_, select, type_coerce
from sqlalchemy.orm import aliased

from actions.timebank.model import Transfer
from actions.timebank.states import TransferKind

A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Spread:
    """How long something took. Minutes are rounded up, so that "within so many" is true."""

    count: int
    median: int | None
    """Within so many minutes for at least half of them; None when there were none."""
    p90: int | None
    """Within so many minutes for at least nine of ten."""


def spread(spans: Iterable[timedelta]) -> Spread:
    """A span below zero, which only a clock that was set can make, counts as none."""
    minutes = sorted(max(0, ceil(span / A_MINUTE)) for span in spans)
    if not minutes:
        return Spread(0, None, None)
    return Spread(len(minutes), _reached(minutes, 50), _reached(minutes, 90))


def _reached(ascending: list[int], percent: int) -> int:
    """The smallest that so many of hundred do not exceed."""
    return ascending[-(-len(ascending) * percent // 100) - 1]


def as_stored(moment: Any) -> Any:
    """SQL: the moment of this column in UTC, without saying so: enough to tell how far moments
    lie apart, and half the work where there are thousands."""
    return type_coerce(moment, DateTime)


def stands(kind: TransferKind) -> Any:
    """SQL: a transfer of this kind that was not reversed since."""
    reversal = aliased(Transfer)
    reversed_ = select(reversal.id).where(reversal.reverses_id == Transfer.id)
    return and_(Transfer.kind == kind, ~reversed_.exists())
