"""The whole conversation in a terminal, by text or sound files, through the running web program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, List, Optional
from uuid import uuid4

import httpx

from actions.timebank.ids import MemberId
from actions.timebank.members import member as find
from actions.timebank.session import open_village
from bot.links import TalkLinks
from bot.settings import Settings

PATIENCE = 60.0
"""Seconds; a long recording on a slow machine."""


class Conversation:
    """Says what it is given and prints what comes back."""

    def __init__(self, settings: Settings, member: MemberId, name: str) -> None:
        village = open_village(settings.database, settings.now)
        with village.reading() as session:
            serial = find(session, member).link_serial
        token = TalkLinks(settings.key()).token_for(member, serial)
        self._name = name
        self._web = httpx.Client(
            base_url=f"http://127.0.0.1:{settings.port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
            trust_env=False,
        )

    def run(self, recordings: List[Path]) -> int:
        """Sends the recordings, or else what is typed until the end of input."""
        try:
            if recordings:
                for file in recordings:
                    self._turn(audio=file)
                return 0
            self._tell_notices()
            for line in _lines(f"{self._name}: "):
                self._turn(text=line)
                self._tell_notices()
        except httpx.ConnectError:
            print("小帮 is not running. Start it with `make run`.", file=sys.stderr)
            return 1
        return 0

    def _turn(self, *, text: Optional[str] = None, audio: Optional[Path] = None) -> None:
        fields: Dict[str, Any] = {"turn_id": uuid4().hex}
        files = None
        if audio is not None:
            files = {"audio": (audio.name, audio.read_bytes())}
        else:
            fields["text"] = text
        answer = self._web.post("/api/turn", data=fields, files=files).json()
        if audio is not None:
            print(f"{self._name}: {answer.get('heard', '')}")
        print(f"小帮: {answer.get('reply') or answer.get('code')}")
        for button in answer.get("buttons", []):
            print(f"      [{button['title']}]")

    def _tell_notices(self) -> None:
        for notice in self._web.get("/api/notices").json().get("notices", []):
            print(f"小帮: {notice['text']}")
            self._web.post(f"/api/notices/{notice['id']}/heard")


def _lines(prompt: str) -> Any:
    while True:
        try:
            line = input(prompt if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line
