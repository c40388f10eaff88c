"""A street with a telephone line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.phrases import Phrases
from tests.bot.telegram.line import Line
from tests.bot.turn_parts import Parlour
from tests.bot_api.server import BotApi


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as api:
        yield api


@pytest.fixture
def line(api: BotApi, parlour: Parlour, phrases: Phrases) -> Line:
    return Line(api, parlour, phrases)


@pytest.fixture
def open_line(line: Line) -> Iterator[Line]:
    """The same, with the channel running."""
    with line.open():
        yield line
