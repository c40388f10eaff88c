"""The door through which Telegram brings updates by itself, where a village has one."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Update

from bot.channels.telegram.bot_api import Bot
from bot.channels.telegram.polling import ALLOWED, Patience
from bot.channels.telegram.updates import Updates

logger = logging.getLogger(__name__)

SECRET_HEADER = "x-telegram-bot-api-secret-token"
MOST_BYTES = 1024 * 1024
"""Updates carry no files; the longest text is a hundredth of it."""
ANSWER_SECONDS = 25.0
"""So long Telegram is kept waiting for an answer; then it brings the update again."""


class Webhook:
    def __init__(self, bot: Bot, updates: Updates, *, url: str, secret: str) -> None:
        self._bot = bot
        self._updates = updates
        self._url = url
        self._secret = secret

    def route(self) -> Route:
        return Route(urlsplit(self._url).path, self.receive, methods=["POST"])

    async def run(self) -> None:
        """Tells Telegram where we are, once it can be reached."""
        patience = Patience()
        await patience.until_done(self._bot.initialize)
        await patience.until_done(
            lambda: self._bot.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=ALLOWED
            )
        )
        logger.info("Telegram brings updates to @%s by itself", self._bot.username)

    async def receive(self, request: Request) -> Response:
        """Anything but an update from Telegram is refused. It counts as taken when it is answered:
        what a crash interrupts is brought again."""
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return Response(status_code=403)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            logger.warning("what came in as an update is none: %s", type(wrong).__name__)
            return Response(status_code=400)
        if type(update.update_id) is not int:
            return Response(status_code=400)
        task = self._updates.take(update)
        done, _ = await asyncio.wait([task], timeout=ANSWER_SECONDS)
        answered = done and not task.cancelled()
        return Response(status_code=200 if answered else 503)


async def _body(request: Request) -> bytes | None:
    """None when it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body
