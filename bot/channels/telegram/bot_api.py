"""The client of the Bot API, and the care that its token shows nowhere."""

from __future__ import annotations

import logging
from typing import Any, Optional

from telegram.ext import BaseRateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bot.settings import Settings

OFFICIAL = "https://api.telegram.org/bot"
OFFICIAL_FILES = "https://api.telegram.org/file/bot"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""Village lines are slow."""
UPLOAD_SECONDS = 60.0
HIDDEN = "<token>"

Bot = ExtBot[Any]


def make_bot(settings: Settings, limits: Optional[BaseRateLimiter[Any]] = None) -> Bot:
    """The client as the settings say; nothing is sent yet. Raises ValueError without a token."""
    if settings.telegram_token is None:
        raise ValueError("no Telegram token is set")
    hide_token(settings.telegram_token.get_secret_value())
    return ExtBot(
        token=settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_base_url or OFFICIAL,
        base_file_url=settings.telegram_base_file_url or OFFICIAL_FILES,
        request=_request(settings),
        get_updates_request=_request(settings),
        rate_limiter=limits,
    )


def _request(settings: Settings) -> HTTPXRequest:
    return HTTPXRequest(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        write_timeout=ANSWER_SECONDS,
        media_write_timeout=UPLOAD_SECONDS,
        pool_timeout=ANSWER_SECONDS,
        proxy=settings.telegram_proxy,
        # The settings alone decide: a proxy of the environment must not come between.
        httpx_kwargs={"trust_env": False},
    )


def hide_token(token: str) -> None:
    """Takes the token out of whatever is logged from now on: it is part of every address that
    httpx and python-telegram-bot speak of."""
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, TokenHider) and one.token == token for one in handler.filters):
            handler.addFilter(TokenHider(token))


class TokenHider(logging.Filter):
    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def filter(self, record: logging.LogRecord) -> bool:
        if self.token in (message := record.getMessage()):
            record.msg, record.args = message.replace(self.token, HIDDEN), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = record.exc_text.replace(self.token, HIDDEN)
        return True
