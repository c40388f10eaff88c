"""The console, served, in a real Chromium with somebody of the staff logged in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from actions.timebank.staff.roles import Role
from bot.phrases import read_phrases
from tests.bot.console.conftest import ConsoleHouse, build_console
from tests.browser.conftest import PATIENCE_MS, SCREENS, Visit
from tests.small_village import Street, build_village

Open = Callable[..., Visit]
WIDE, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="session")
def console_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("console") / "village.db"
    build_village(file)
    return file


@pytest.fixture
def console(console_original: Path, tmp_path: Path) -> Iterator[ConsoleHouse]:
    street = Street.copied(console_original, tmp_path / "village.db")
    yield build_console(street, tmp_path, read_phrases())
    street.village.engine.dispose()


@pytest.fixture
def origin(console: ConsoleHouse) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(console.app, ws="none", log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def open_console(browser: Any, console: ConsoleHouse, origin: str) -> Iterator[Open]:
    """`open_console(Role.COORDINATOR, "/people")`: a page of somebody with these roles; `member`
    names who it is. The page must say nothing strange and never leave the village."""
    visits: list[Visit] = []

    def open_console(
        *roles_and_path: Any,
        member: str | None = None,
        size: tuple[int, int] = WIDE,
        width: int | None = None,
        height: int | None = None,
        expected: tuple[str, ...] = (),
    ) -> Visit:
        *roles, path = roles_and_path
        client = console.as_role(*roles, name=member)
        token = client.http.cookies["xiaobang_staff"]
        context = browser.new_context(
            viewport={"width": width or size[0], "height": height or size[1]},
            accept_downloads=True,
        )
        context.add_cookies(
            [{"name": "xiaobang_staff", "value": token, "domain": "127.0.0.1", "path": "/console"}]
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visit = Visit(page)

        def note(words: str) -> None:
            if not any(part in words for part in expected):
                visit.strange.append(words)

        page.on("pageerror", lambda error: note(f"error: {error}"))
        page.on(
            "console",
            lambda message: note(message.text) if message.type in ("error", "warning") else None,
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((origin, "blob:", "data:"))
                else note(f"left the village: {request.url}")
            ),
        )
        page.goto(f"{origin}/console{path}")
        visits.append(visit)
        return visit

    yield open_console
    for visit in visits:
        visit.page.context.close()
    assert [words for visit in visits for words in visit.strange] == []


def picture(visit: Visit, name: str) -> None:
    """The whole page, for people to look at."""
    if SCREENS:
        visit.page.screenshot(path=f"{SCREENS}/console-{name}.png", full_page=True)


__all__ = ["PHONE", "WIDE", "Open", "Role", "picture"]
