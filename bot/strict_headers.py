"""Adds to every answer what the browser may trust it with."""

from __future__ import annotations

from typing import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StrictHeaders:
    """Adds the strict headers to each response; `cache` is what may be kept of it."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], cache: str) -> None:
        self.app = app
        self.headers = {**headers, "Cache-Control": cache}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_strictly)
