"""Updates that Telegram brings by itself; anything else that knocks there is refused."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.channels.telegram.webhook import MOST_BYTES, SECRET_HEADER
from tests.bot.telegram.line import NOTE, Line, eventually

SECRET = "a-secret-of-the-village"
PATH = "/telegram/updates"
ANSWER = "好，买东西。大约一个半小时。"


def app(line: Line) -> Starlette:
    channel = line.channel()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        channel.start()
        yield
        await channel.stop()

    return Starlette(routes=channel.routes, lifespan=lifespan)


@pytest.fixture
def door(line: Line) -> Iterator[TestClient]:
    line.settings = {
        "telegram_webhook_url": f"http://127.0.0.1:9{PATH}",
        "telegram_webhook_secret": SECRET,
    }
    with TestClient(app(line)) as client:
        yield client


def knock(door: TestClient, body: Any, secret: str | None = SECRET) -> int:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if secret is None else {SECRET_HEADER.encode(): secret.encode()}
    return int(door.post(PATH, content=sent, headers=headers).status_code)


def message(number: int, text: str = "买点菜") -> dict[str, Any]:
    wang = {"id": 1001, "type": "private", "first_name": "王"}
    user = {"id": 1001, "is_bot": False, "first_name": "王"}
    about = {"message_id": number, "date": 1_760_000_000, "chat": wang, "from": user}
    return {"update_id": number, "message": {**about, "text": text}}


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "密"])
def test_who_does_not_know_the_secret_is_not_let_in(
    line: Line, door: TestClient, secret: str | None
) -> None:
    line.phone("王奶奶")
    assert knock(door, message(1), secret) == 403
    assert line.turns() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"update_id": null}',
        b'{"update_id": true}',
        b'{"update_id": "x", "message": {}}',
        b'{"update_id": 1, "message": {"message_id": 1}}',
        b'{"update_id": 1, "message": "words"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_update_is_refused(door: TestClient, body: bytes) -> None:
    assert knock(door, body) == 400


def test_an_endless_body_is_not_read_to_its_end(door: TestClient) -> None:
    assert knock(door, b" " * (MOST_BYTES + 1)) == 413


def test_other_methods_are_not_served(door: TestClient) -> None:
    assert door.get(PATH).status_code == 405


def test_an_update_is_answered_once_however_often_it_is_brought(
    line: Line, door: TestClient
) -> None:
    phone = line.phone("王奶奶")
    assert [knock(door, message(7)) for _ in range(3)] == [200, 200, 200]
    assert phone.hears().words == ANSWER
    phone.hears_nothing()
    assert len(line.parlour.dialogue.asked) == 1


def test_without_a_webhook_there_is_no_door(line: Line) -> None:
    with TestClient(app(line)) as client:
        assert knock(client, message(1)) == 404


def test_telegram_is_told_where_we_are_and_brings_a_voice_note(line: Line) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
    line.settings = {"telegram_webhook_url": url, "telegram_webhook_secret": SECRET}
    server = uvicorn.Server(uvicorn.Config(app(line), log_level="critical", ws="none"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    try:
        eventually(lambda: bool(line.api.calls("setWebhook")))
        [call] = line.api.calls("setWebhook")
        assert (call.fields["url"], call.fields["secret_token"]) == (url, SECRET)
        assert "callback_query" in call.fields["allowed_updates"]
        phone = line.phone("王奶奶")
        phone.speaks(NOTE, 1)
        assert phone.hears().words == ANSWER
    finally:
        server.should_exit = True
        thread.join(15)
