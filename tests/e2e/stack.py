"""The whole of 小帮 as `make run` starts it, in a folder of its own, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional
from uuid import uuid4

import httpx

from actions.timebank.ids import MemberId
from actions.timebank.members import find_member
from actions.timebank.session import Village, open_village
from bot.links import TalkLinks
from bot.settings import HOUSE, Settings

NOON = "2026-11-22T12:00:00+08:00"
"""When the tests' village lives: a Sunday."""
PATIENCE = 2700
"""Seconds until a first start, with its training, must be done on a busy machine."""
KEPT = ("rasa", "models", "spoken")
"""What one run may leave for the next: nothing of it depends on what people said."""


class Stack:
    def __init__(self, home: Path, *, clock: Optional[str] = NOON, **more: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        for thing in home.iterdir():
            if thing.name not in KEPT:
                shutil.rmtree(thing) if thing.is_dir() else thing.unlink()
        ports = _free_ports(3)
        # Nothing of a real village's settings may reach in here.
        ours = {key: value for key, value in os.environ.items() if not key.startswith("XIAOBANG_")}
        self.environment: Dict[str, str] = {
            **ours,
            "XIAOBANG_DATABASE_URL": "",
            "XIAOBANG_PUBLIC_URL": "",
            "XIAOBANG_HOST": "127.0.0.1",
            "XIAOBANG_DEMO": "true",
            "XIAOBANG_HOME": str(home),
            "XIAOBANG_PORT": str(ports[0]),
            "XIAOBANG_RASA_PORT": str(ports[1]),
            "XIAOBANG_ACTIONS_PORT": str(ports[2]),
            "XIAOBANG_MODEL_DOWNLOAD": "false",
            "XIAOBANG_CLOCK": clock or "",
            **more,
        }
        self.settings = Settings(
            _env_file=None,
            database_url=None,
            public_url=None,
            host="127.0.0.1",
            demo=True,
            home=home,
            port=ports[0],
            rasa_port=ports[1],
            actions_port=ports[2],
            clock=clock,
            model_download=False,
        )
        self.log = home / "run.log"
        self.web = httpx.Client(base_url=self.settings.address, timeout=90, trust_env=False)
        self._process: Optional[subprocess.Popen[bytes]] = None

    def start(self) -> float:
        """Runs `xiaobang run` until it says that it is ready; gives the seconds it took."""
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"],
                cwd=HOUSE,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while "小帮 is ready" not in self.log.read_text("utf-8", errors="replace"):
            late = time.monotonic() - began > PATIENCE
            if late or self._process.poll() is not None:
                raise AssertionError(f"it does not start:\n{self.log.read_text('utf-8')[-3000:]}")
            time.sleep(0.2)
        return time.monotonic() - began

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    @property
    def village(self) -> Village:
        return open_village(self.settings.database, self.settings.now)

    def member(self, name: str) -> MemberId:
        with self.village.reading() as session:
            return MemberId(find_member(session, name).id)

    def token(self, name: str) -> str:
        with self.village.reading() as session:
            person = find_member(session, name)
            return TalkLinks(self.settings.key()).token_for(MemberId(person.id), person.link_serial)

    def turn(
        self,
        name: str,
        text: Optional[str] = None,
        *,
        audio: Optional[bytes] = None,
        turn_id: Optional[str] = None,
    ) -> Dict[str, Any]:
        """One turn of a person through the API, typed or spoken; gives the JSON answer."""
        fields = {"turn_id": turn_id or uuid4().hex}
        if text is not None:
            fields["text"] = text
        answer = self.web.post(
            "/api/turn",
            data=fields,
            files={"audio": ("said.wav", audio, "audio/wav")} if audio is not None else None,
            headers={"Authorization": f"Bearer {self.token(name)}"},
        )
        return {"status": answer.status_code, **answer.json()}

    def notices(self, name: str) -> List[Dict[str, Any]]:
        """What is waiting to be told to a person; it counts as heard."""
        bearer = {"Authorization": f"Bearer {self.token(name)}"}
        waiting = self.web.get("/api/notices", headers=bearer).json()["notices"]
        for notice in waiting:
            self.web.post(f"/api/notices/{notice['id']}/heard", headers=bearer)
        return list(waiting)

    def children(self) -> Dict[str, int]:
        """Process ids of the running parts by what they are."""
        assert self._process is not None
        found = {}
        listing = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self._process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in listing.splitlines():
            pid, command = line.strip().split(" ", 1)
            for name, mark in (("actions", "rasa_sdk"), ("rasa", "rasa run"), ("web", "bot web")):
                if mark in command:
                    found[name] = int(pid)
        return found


def _free_ports(count: int) -> List[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
