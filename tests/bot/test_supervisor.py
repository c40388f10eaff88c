"""Keeping the parts running, with small children that answer, die, or do neither."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bot import supervisor
from bot.supervisor import CannotStart, Part, Supervisor

PATIENCE = 30.0
"""Seconds that a busy machine may take for anything here."""

SERVES = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
DIES = "import sys; print('the last words'); sys.exit(3)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def part(name: str, code: str) -> Part:
    port = free_port()
    command = [sys.executable, "-S", "-c", code, str(port)]
    return Part(name, command, port, f"http://127.0.0.1:{port}/", dict(os.environ))


@pytest.fixture(autouse=True)
def own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(supervisor, "GRACE", 0.5)
    kept = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    yield
    for one, handler in kept.items():
        signal.signal(one, handler)


def run(parts: list[Part], folder: Path, ready: Callable[[], None]) -> None:
    Supervisor(parts, folder=folder, logs=folder / "logs").run(ready)


def ask_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def answers(one: Part) -> bool:
    try:
        return httpx.get(one.health, trust_env=False, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def is_gone(one: Part) -> bool:
    return one.process is not None and one.process.poll() is not None


def test_all_are_healthy_when_it_is_ready_and_gone_at_the_end(tmp_path: Path) -> None:
    parts, healthy = [part("a", SERVES), part("b", SERVES)], []

    def ready() -> None:
        healthy.extend(map(answers, parts))
        ask_to_end()

    run(parts, tmp_path, ready)
    assert healthy == [True, True]
    assert all(map(is_gone, parts)) and not any(map(answers, parts))
    assert "serving" in (tmp_path / "logs" / "a.log").read_text()


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    one = part("a", SERVES)

    def kill_it_once() -> None:
        first = one.process
        assert first is not None
        first.kill()
        wait_until(lambda: one.process is not first and answers(one))
        ask_to_end()

    run([one], tmp_path, lambda: in_background(kill_it_once))
    assert len(one.deaths) == 1 and is_gone(one)


def test_a_part_that_keeps_dying_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor.time, "sleep", lambda _seconds: None)
    good, bad = part("good", SERVES), part("bad", DIES)
    with pytest.raises(CannotStart, match="bad dies again and again") as given_up:
        run([good, bad], tmp_path, lambda: pytest.fail("it is not ready"))
    assert "the last words" in str(given_up.value)
    assert len(bad.deaths) == supervisor.DEATHS and is_gone(good)


def test_a_part_that_never_answers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "HEALTHY_WITHIN", 0.0)
    silent = part("silent", "import time; print('thinking', flush=True); time.sleep(600)")
    with pytest.raises(CannotStart, match="silent does not answer"):
        run([silent], tmp_path, lambda: pytest.fail("it is not ready"))
    assert is_gone(silent)


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    first, second = part("a", SERVES), part("b", SERVES)
    with socket.socket() as other:
        other.bind(("127.0.0.1", second.port))
        other.listen()
        with pytest.raises(CannotStart, match=f"Port {second.port} for b is taken"):
            run([first, second], tmp_path, lambda: pytest.fail("it is not ready"))
    assert first.process is None and second.process is None


def test_a_program_that_is_not_there_ends_the_others(tmp_path: Path) -> None:
    good, missing = part("good", SERVES), part("missing", "")
    missing.command = ["/no/such/program"]
    with pytest.raises((CannotStart, OSError)):
        run([good, missing], tmp_path, lambda: pytest.fail("it is not ready"))
    assert is_gone(good)


def test_a_part_that_will_not_end_is_ended(tmp_path: Path) -> None:
    stubborn = part("stubborn", STUBBORN)
    run([stubborn], tmp_path, ask_to_end)
    assert is_gone(stubborn) and stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


def test_asked_to_end_before_all_is_ready_it_ends(tmp_path: Path) -> None:
    slow = part("slow", "import time; time.sleep(600)")
    told: list[str] = []

    def soon() -> None:
        wait_until(lambda: slow.process is not None)
        ask_to_end()

    in_background(soon)
    run([slow], tmp_path, lambda: told.append("ready"))
    assert told == [] and is_gone(slow)
