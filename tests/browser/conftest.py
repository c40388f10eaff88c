"""A served talk page and a real Chromium whose microphone plays a file."""

from __future__ import annotations

import io
import os
import shutil
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
import uvicorn
from playwright import sync_api
from playwright.sync_api import expect
from starlette.applications import Starlette

from actions.timebank.ids import MemberId
from actions.timebank.model import Base, Group, Lane, Member
from actions.timebank.session import open_village
from bot.channels.talk_page import talk_page_routes
from bot.links import TalkLinks
from tests.bot.fakes import FakeTurns, say_phrase, tone_wav

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
LINKS = TalkLinks(b"a secret only for the tests")
ELDER, HELPER = MemberId(1), MemberId(2)
NOW = datetime(2025, 3, 1, 8, tzinfo=timezone.utc)
PHRASES = {
    "utter_page_no_network": "网不太好，您的话我记着呢，正在再送。",
    "utter_page_no_microphone": "点这个大圆，用手机录音。",
}
PATIENCE_MS = 30_000
SCREENS = os.environ.get("XIAOBANG_TEST_SCREENS")
"""A folder for pictures of the page, for people to look at."""


@dataclass
class Site:
    """The page being served, with what reached the village computer."""

    origin: str
    turns: FakeTurns

    def link(self, member: MemberId = ELDER) -> str:
        return f"{self.origin}/t/{LINKS.token_for(member, 1)}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    village = open_village(f"sqlite:///{tmp_path / 'village.db'}", lambda: NOW)
    Base.metadata.create_all(village.engine)
    with village.transaction() as session:
        lane = Lane(name="村东头", group=Group(name="一组"))
        session.add_all(
            [
                Member(id=ELDER, name="王桂兰", place="村西头老槐树旁", lane=lane, joined_at=NOW),
                Member(id=HELPER, name="张秀英", takes_tasks=True, lane=lane, joined_at=NOW),
            ]
        )
    turns = FakeTurns()
    routes = talk_page_routes(
        turns,
        village,
        LINKS,
        demo=True,
        phrases=lambda response: PHRASES.get(response, response),
        say_phrase=say_phrase,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), ws="none", log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", turns)
    server.should_exit = True
    thread.join(timeout=10)
    village.engine.dispose()


# Not for the whole session: Playwright's loop would stand in the way of other tests' asyncio.run.
@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("Debian's chromium is not installed")
    spoken = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    # Played in a circle: a second and a half of voice, then a long silence.
    voice = tone_wav(1.5, rate=48_000)
    spoken.write_bytes(_followed_by_silence(voice, seconds=6.0, rate=48_000))
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER,
            args=[
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={spoken}",
            ],
        )
        yield chromium
        chromium.close()


def _followed_by_silence(wav: bytes, *, seconds: float, rate: int) -> bytes:
    with wave.open(io.BytesIO(wav)) as source:
        frames = source.readframes(source.getnframes())
    whole = io.BytesIO()
    with wave.open(whole, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(frames + bytes(2 * int(seconds * rate)))
    return whole.getvalue()


@dataclass
class Visit:
    """One open page and everything suspicious that happened on it."""

    page: Any
    strange: list[str] = field(default_factory=list)

    def state(self, wanted: str) -> None:
        expect(self.page.locator("body")).to_have_attribute(
            "data-state", wanted, timeout=PATIENCE_MS
        )

    def text(self, selector: str, wanted: str) -> None:
        expect(self.page.locator(selector)).to_have_text(wanted, timeout=PATIENCE_MS)

    def picture(self, name: str) -> None:
        if SCREENS:
            self.page.screenshot(path=f"{SCREENS}/{name}.png")


Open = Callable[..., Visit]


@pytest.fixture
def open_page(browser: Any, site: Site) -> Iterator[Open]:
    visits: list[Visit] = []

    def open_page(
        address: str | None = None,
        *,
        width: int = 390,
        height: int = 844,
        before: str = "",
        expected: tuple[str, ...] = (),
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, permissions=["microphone"]
        )
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visit = Visit(page)

        def note(words: str) -> None:
            if not any(part in words for part in expected):
                visit.strange.append(words)

        def hear_console(message: Any) -> None:
            if message.type in ("error", "warning"):
                note(message.text)

        def watch_request(request: Any) -> None:
            if not request.url.startswith((site.origin, f"blob:{site.origin}")):
                note(f"left the origin: {request.url}")

        page.on("pageerror", lambda error: note(f"error: {error}"))
        page.on("console", hear_console)
        page.on("request", watch_request)
        page.goto(address or site.link())
        visits.append(visit)
        return visit

    yield open_page
    for visit in visits:
        visit.page.context.close()
    assert [words for visit in visits for words in visit.strange] == []


def loudness(recording: bytes) -> tuple[float, float]:
    """Seconds of a recording, and its loudest tenth of a second as a part of full scale."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    pieces = []
    with av.open(io.BytesIO(recording), "r") as container:
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    samples = numpy.concatenate(pieces).astype(float) / 32_768
    tenths = samples[: len(samples) // 1_600 * 1_600].reshape(-1, 1_600)
    return len(samples) / 16_000, float(numpy.sqrt((tenths**2).mean(axis=1)).max())


def wait_until(holds: Callable[[], bool], visit: Visit) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        visit.page.wait_for_timeout(50)


def hold_button(visit: Visit, milliseconds: int) -> None:
    """Presses the round button until that much was recorded."""
    visit.page.locator("#talk").hover()
    visit.page.mouse.down()
    visit.state("listening")
    visit.page.wait_for_timeout(milliseconds)
    visit.page.mouse.up()


def type_words(visit: Visit, words: str) -> None:
    if not visit.page.locator("#words").is_visible():
        visit.page.locator(".typing summary").click()
    visit.page.locator("#words").fill(words)
    visit.page.locator("#words").press("Enter")
