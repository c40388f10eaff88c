"""The Bot API over real HTTP, on a port of its own on this machine."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bot_api.disturbances import Cut, Disturbance, Limits, Slow, Trouble
from tests.bot_api.fields import FIELDS, read_fields
from tests.bot_api.methods import perform
from tests.bot_api.refusals import Refusal
from tests.bot_api.state import BOT_ID, Call, Telegram
from tests.bot_api.world import Chat, Group

TOKEN = f"{BOT_ID}:AAH-an-honest-token-for-tests-35-chars"
NOBODY_HOME = Response(status_code=503)
"""Never arrives: the connection is gone."""


class BotApi:
    """Telegram for tests. Use it as a context: it runs inside, and on leaving it fails when the
    bot made mistakes that were not expected."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.telegram = Telegram(now, clock)
        self.token = TOKEN
        self._is_away = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(
                    routes=[
                        Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
                        Route("/file/bot{token}/{path:path}", self._download),
                    ],
                    lifespan=self._lifespan,
                ),
                http="httptools",
                ws="none",
                log_level="critical",
                access_log=False,
            )
        )
        self._thread = threading.Thread(target=self._run, name="bot-api", daemon=True)

    # -- running ---------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """As python-telegram-bot's `base_url`."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/bot"

    @property
    def base_file_url(self) -> str:
        return self.base_url.replace("/bot", "/file/bot")

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the Bot API does not start"
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def __enter__(self) -> BotApi:
        self.start()
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.stop()
        if kind is None:
            assert self.mistakes == [], "mistakes of the bot"

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        pushing = asyncio.create_task(self.telegram.updates.push(self.telegram.now))
        await asyncio.sleep(0)
        yield
        pushing.cancel()

    # -- what a test arranges and looks at -------------------------------------------------------

    def chat(self, chat_id: int, name: str, *, has_written: bool = True) -> Chat:
        """A person's private chat with the bot; by default she pressed Start long ago."""
        return Chat.private(self.telegram, chat_id, name, has_written)

    def group(self, chat_id: int, title: str) -> Group:
        return Group.opened(self.telegram, chat_id, title)

    def disturb(
        self, method: str, trouble: Trouble, *, chat: Chat | None = None, times: int = 1
    ) -> None:
        """The next calls of this method (`*` any, `download` a file), in this chat, go wrong."""
        where = chat.id if chat else None
        with self.telegram.changed:
            self.telegram.disturbances.add(Disturbance(trouble, method, where, times))

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside, the network is down: open connections break, new ones before they are read."""
        assert self._loop is not None
        self._is_away = True
        self._loop.call_soon_threadsafe(self._break_connections)
        try:
            yield
        finally:
            self._is_away = False

    def enforce_limits(self, a_second: int = 30, a_second_in_a_chat: int = 1) -> Limits:
        """From now on too many messages are answered with 429; counts how often."""
        limits = Limits(self.telegram.clock, a_second, a_second_in_a_chat)
        self.telegram.limits = limits
        return limits

    @property
    def mistakes(self) -> list[str]:
        """What no bot that does everything right would have been told."""
        return self.telegram.mistakes

    @contextmanager
    def expecting(self, mistake: str) -> Iterator[None]:
        """Inside, the bot makes this mistake, and no other."""
        before = len(self.mistakes)
        yield
        made = self.mistakes[before:]
        del self.mistakes[before:]
        assert made and all(mistake in one for one in made), f"{mistake} expected, made: {made}"

    def calls(self, method: str) -> list[Call]:
        """What the bot asked for so far, without its polling."""
        with self.telegram.changed:
            return [call for call in self.telegram.calls if call.method == method]

    def replay(self, *updates: dict[str, Any]) -> None:
        """These updates come once more, in this order, under their old numbers."""
        self.telegram.updates.repeat(*updates)

    @contextmanager
    def out_of_order(self) -> Iterator[None]:
        """What happens inside reaches the bot afterwards, the last first."""
        with self.telegram.updates.held() as held:
            yield
        self.telegram.updates.repeat(*reversed(held))

    # -- HTTP ------------------------------------------------------------------------------------

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        trouble = self._trouble(method, None)
        if self._is_away or trouble == Cut(after=False):
            return self._cut(request)
        fields: dict[str, Any] = {}
        status, answer = 200, {"ok": True}
        try:
            fields = await self._read(request, method)
            trouble = trouble or self._trouble(method, fields.get("chat_id"))
            if trouble == Cut(after=False):
                return self._cut(request)
            if isinstance(trouble, Refusal):
                raise trouble
            if method == "getUpdates":
                result = await self.telegram.updates.get(fields, request.is_disconnected)
            else:
                with self.telegram.changed:
                    result = perform(self.telegram, method, fields)
            answer = {"ok": True, "result": result}
        except Refusal as refusal:
            status, answer = refusal.status, refusal.as_json()
            if refusal.is_mistake:
                self.mistakes.append(f"{method}: {refusal}")
        is_cut = trouble == Cut(after=True)
        if method != "getUpdates":
            self._remember(method, fields, 0 if is_cut else status, answer)
        if isinstance(trouble, Slow):
            await asyncio.sleep(trouble.seconds)
        return self._cut(request) if is_cut else JSONResponse(answer, status)

    def _trouble(self, method: str, chat: int | None) -> Trouble | None:
        with self.telegram.changed:
            return self.telegram.disturbances.next(method, chat)

    def _remember(
        self, method: str, fields: dict[str, Any], status: int, answer: dict[str, Any]
    ) -> None:
        with self.telegram.changed:
            at = self.telegram.clock()
            result = answer.get("result", answer.get("description"))
            self.telegram.calls.append(Call(method, fields, at, status, result))
            self.telegram.changed.notify_all()

    async def _read(self, request: Request, method: str) -> dict[str, Any]:
        self._check_token(request)
        if method not in FIELDS:
            raise Refusal(404, "Not Found")
        given: dict[str, Any] = dict(request.query_params)
        content = request.headers.get("content-type", "")
        if content.startswith("application/json"):
            given |= await request.json()
        elif content:
            async with request.form() as form:
                given |= {
                    name: await value.read() if isinstance(value, UploadFile) else value
                    for name, value in form.multi_items()
                }
        return read_fields(method, given)

    def _check_token(self, request: Request) -> None:
        token = request.path_params["token"]
        if not re.fullmatch(r"\d+:[\w-]{35,}", token):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")

    async def _download(self, request: Request) -> Response:
        trouble = self._trouble("download", None)
        try:
            if self._is_away or isinstance(trouble, Cut):
                return self._cut(request)
            self._check_token(request)
            if isinstance(trouble, Slow):
                await asyncio.sleep(trouble.seconds)
            if isinstance(trouble, Refusal):
                raise trouble
            for stored in self.telegram.files.values():
                if stored.path == request.path_params["path"]:
                    return Response(stored.data, media_type="application/octet-stream")
            raise Refusal(404, "Not Found")
        except Refusal as refusal:
            if refusal.is_mistake:
                self.mistakes.append(f"download: {refusal}")
            return JSONResponse(refusal.as_json(), refusal.status)

    def _cut(self, request: Request) -> Response:
        self._break_connections(request.client)
        return NOBODY_HOME

    def _break_connections(self, client: Any = None) -> None:
        """Of one client's address, or all."""
        for connection in list(self._server.server_state.connections):
            if client is None or connection.client == tuple(client):  # type: ignore[union-attr]
                connection.transport.abort()  # type: ignore[union-attr]
