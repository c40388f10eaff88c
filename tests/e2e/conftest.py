from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

import pytest

from bot.mouth import Mouth
from bot.settings import HOUSE
from tests.bot_api import BotApi
from tests.e2e.phones import telegram_environment
from tests.e2e.stack import Stack
from voice.synthesizer import make_synthesizer
from voice.types import Delivery

HOME = HOUSE / "build" / "test-home"
"""Its trained model and spoken sentences are kept from run to run; all else is made anew."""


@pytest.fixture(scope="session")
def telegram() -> Iterator[BotApi]:
    with BotApi() as api:
        yield api


@pytest.fixture(scope="session")
def stack(telegram: BotApi) -> Iterator[Stack]:
    running = Stack(HOME, **telegram_environment(telegram))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def spoken() -> Callable[[str], bytes]:
    """The project's own voice saying a sentence, as a recording."""
    folder: Path = HOME / "spoken"
    folder.mkdir(parents=True, exist_ok=True)
    mouth = Mouth(make_synthesizer(folder), clock=lambda: None, container="ogg")  # type: ignore[arg-type, return-value]

    def say(sentence: str) -> bytes:
        return mouth.speech([sentence], Delivery(pace=160)).data

    return say
