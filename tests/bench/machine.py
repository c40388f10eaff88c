"""What the figures were measured on: enough to compare, nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from bot.settings import HOUSE


def describe(folder: Path) -> dict[str, Any]:
    """The machine now. `folder` lies on the file system that is measured."""
    return {
        "cpu": _first(r"^model name\s*:\s*(.+)$", "/proc/cpuinfo") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": int(_first(r"^MemTotal:\s*(\d+) kB$", "/proc/meminfo") or 0) // 1024,
        "os": _system(),
        "python": platform.python_version(),
        "file_system": _file_system(folder),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def commit() -> str:
    """The commit that is measured, with `+changes` when files differ from it."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}+changes" if _git("status", "--porcelain") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=HOUSE, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, {platform.machine()}"


def _file_system(folder: Path) -> str:
    """Its type, found by the longest mount point above the folder."""
    mounts = [line.split(" ")[1:3] for line in _read("/proc/mounts").splitlines()]
    above = [(len(point), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(above)[1] if above else "unknown"


def _first(pattern: str, file: str) -> str:
    found = re.search(pattern, _read(file), re.MULTILINE)
    return found[1] if found else ""


def _read(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", errors="replace")
    except OSError:
        return ""
