"""The staff's console over a database, alone in its process: `python -m tests.bench.console_server
DATABASE HOME` prints its port when it answers, and ends with its input."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from actions.timebank.clock import clock_at
from actions.timebank.session import open_village
from bot.console import console_routes
from bot.console.desk import ConsoleParts
from bot.links import TalkLinks
from bot.mouth import Mouth
from bot.phrases import read_phrases
from bot.settings import Settings
from tests.bot.turn_parts import FakeSynthesizer


def main(database: str, home: str) -> None:
    village = open_village(database, clock_at(None))
    parts = ConsoleParts(
        village=village,
        settings=Settings(home=Path(home), _env_file=None),
        mouth=Mouth(FakeSynthesizer(), village.clock, container="wav"),
        links=TalkLinks(b"a secret only for the bench"),
        phrases=read_phrases(),
    )
    app = Starlette(routes=console_routes(parts))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, ws="none", log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)

    def end_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_input, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
