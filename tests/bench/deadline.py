"""A bound on how long measuring may take on a slow machine."""

from __future__ import annotations

import time


class Deadline:
    """Over when its seconds, or those of the whole it is a part of, have passed."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._ends

    def part(self, seconds: float) -> Deadline:
        """At most so many seconds of what is left."""
        return Deadline(min(seconds, self._ends - time.monotonic()))
