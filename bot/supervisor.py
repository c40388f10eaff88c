"""Keeps the parts running: starts them, waits until each is healthy, starts a dead one again."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Deque, List, Mapping, Optional, Sequence

import httpx

logger = logging.getLogger(__name__)

HEALTHY_WITHIN = 180.0
"""Seconds a part may take to answer after its start."""
DEATHS = 5
WITHIN = 120.0
"""So many deaths in so many seconds and the part is given up, with its last words."""
GRACE = 8.0
"""Seconds between asking a part to end and ending it."""


class CannotStart(Exception):
    """A part cannot be started; the message names it and shows its last lines."""


@dataclass
class Part:
    """One child process."""

    name: str
    command: Sequence[str]
    port: int
    health: str
    """Address that answers 200 when the part works."""
    environment: Mapping[str, str]
    process: Optional[subprocess.Popen[bytes]] = None
    deaths: Deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))


class Supervisor:
    def __init__(self, parts: List[Part], *, folder: Path, logs: Path) -> None:
        self._parts = parts
        self._folder = folder
        self._logs = logs
        self._ending = False

    def run(self, ready: Callable[[], None]) -> None:
        """Starts all, calls `ready` when all are healthy, and stays until told to end (Ctrl-C or
        a termination signal). Raises CannotStart; all parts are ended then, too."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        try:
            for part in self._parts:
                _refuse_taken_port(part)
            self._logs.mkdir(parents=True, exist_ok=True)
            for part in self._parts:
                self._start(part)
            self._wait_until_healthy()
            if not self._ending:
                ready()
            while not self._ending:
                self._revive()
                time.sleep(0.5)
        finally:
            self._end_all()

    def _end(self, _signal: int, _frame: object) -> None:
        self._ending = True

    def _start(self, part: Part) -> None:
        with open(self._logs / f"{part.name}.log", "ab") as log:
            part.process = subprocess.Popen(
                part.command,
                cwd=self._folder,
                env=dict(part.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # Ctrl-C reaches us alone, so that the parts are ended in order.
                start_new_session=True,
            )
        logger.info("%s started, process %s", part.name, part.process.pid)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_WITHIN
        waiting = list(self._parts)
        while waiting and not self._ending:
            self._revive()
            waiting = [part for part in waiting if not _is_healthy(part)]
            if waiting and time.monotonic() > deadline:
                raise CannotStart(f"{waiting[0].name} does not answer.\n{self._words(waiting[0])}")
            time.sleep(0.3)

    def _revive(self) -> None:
        for part in self._parts:
            if part.process is None or part.process.poll() is None:
                continue
            now = time.monotonic()
            part.deaths.append(now)
            often = len(part.deaths) == DEATHS and now - part.deaths[0] < WITHIN
            if often:
                raise CannotStart(f"{part.name} dies again and again.\n{self._words(part)}")
            code = part.process.returncode
            logger.warning("%s ended with %s and is started again", part.name, code)
            # The first time at once, then slower and slower.
            time.sleep(min(0.2 * 2 ** len(part.deaths), 5))
            self._start(part)

    def _words(self, part: Part) -> str:
        log = self._logs / f"{part.name}.log"
        lines = log.read_text("utf-8", errors="replace").splitlines() if log.exists() else []
        return f"The last lines of {log.name}:\n" + "\n".join(lines[-15:])

    def _end_all(self) -> None:
        for part in reversed(self._parts):
            _signal_group(part, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for part in self._parts:
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(part, signal.SIGKILL)
                part.process.wait()


def _signal_group(part: Part, which: signal.Signals) -> None:
    if part.process is not None and part.process.poll() is None:
        try:
            os.killpg(part.process.pid, which)
        except ProcessLookupError:
            logger.debug("%s had just ended", part.name)


def _refuse_taken_port(part: Part) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", part.port))
        except OSError as error:
            raise CannotStart(
                f"Port {part.port} for {part.name} is taken. Is 小帮 running already? "
                f"Another port can be set, see README."
            ) from error


def _is_healthy(part: Part) -> bool:
    try:
        return httpx.get(part.health, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
