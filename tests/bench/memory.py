"""Memory of running processes with all their children, from what Linux says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PROCESSES = Path("/proc")


def memory_figures(parts: Mapping[str, int]) -> tuple[dict[str, float], str]:
    """`memory_<part>_mb` of each part and of the whole with its supervisor, and what was counted:
    PSS, which counts shared pages once, where it can be read, else RSS. `parts` are process ids,
    all children of one supervisor."""
    parents = _parents()
    supervisor = parents[next(iter(parts.values()))]
    trees = {"total": list(_family(supervisor, parents))}
    trees |= {name: list(_family(process, parents)) for name, process in parts.items()}
    shares = {process: _proportional_kb(process) for process in trees["total"]}
    if None in shares.values():
        shares = {process: _resident_kb(process) for process in trees["total"]}
        counted = "RSS"
    else:
        counted = "PSS"
    figures = {
        f"memory_{name}_mb": sum(shares[process] or 0 for process in tree) / 1024
        for name, tree in trees.items()
    }
    return figures, counted


def resident_mb(process: int) -> float:
    """What one process holds in memory now, without its children; 0 when it has ended."""
    return (_resident_kb(process) or 0) / 1024


def _parents() -> dict[int, int]:
    """Every process with its parent."""
    found = {}
    for folder in PROCESSES.glob("[0-9]*"):
        parent = _number(folder / "status", r"^PPid:\s*(\d+)")
        if parent is not None:
            found[int(folder.name)] = parent
    return found


def _family(process: int, parents: Mapping[int, int]) -> Iterator[int]:
    yield process
    for child, parent in parents.items():
        if parent == process:
            yield from _family(child, parents)


def _proportional_kb(process: int) -> int | None:
    return _number(PROCESSES / str(process) / "smaps_rollup", r"^Pss:\s*(\d+) kB")


def _resident_kb(process: int) -> int | None:
    return _number(PROCESSES / str(process) / "status", r"^VmRSS:\s*(\d+) kB")


def _number(file: Path, pattern: str) -> int | None:
    """None when the process has ended or may not be looked at."""
    try:
        found = re.search(pattern, file.read_text("utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
