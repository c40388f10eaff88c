"""王奶奶's street with a telephone line: the real channel, over HTTP, to the emulated Telegram."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from telegram.ext import BaseRateLimiter

from actions.timebank import channels
from actions.timebank.model import ChannelUpdate, Turn
from actions.timebank.states import Channel
from bot.app import build_telegram
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.joining import Listener
from bot.channels.telegram.rates import Rates
from bot.phrases import Phrases
from bot.settings import Settings
from tests.bot.turn_parts import LEAST_CONFIDENCE, Parlour
from tests.bot_api.server import BotApi
from tests.bot_api.world import Chat
from tests.small_village import Street
from voice import codec

PATIENCE = 30.0


def spoken_note(seconds: float = 1.0) -> bytes:
    """A voice note as a phone records it; what is said in it is up to the ears of the test."""
    return codec.encode(codec.silence(seconds, 16_000), "ogg")


NOTE = spoken_note()


class Unlimited(Rates):
    async def process_request(self, callback: Any, args: Any, kwargs: Any, **_: Any) -> Any:
        return await callback(*args, **kwargs)


class Loop:
    """The bot's own thread, so that tests can wait for what a phone hears."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def stop(self) -> None:
        """In the middle of whatever it does."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def end(self) -> None:
        self.stop()
        self._loop.close()


@dataclass
class Line:
    api: BotApi
    parlour: Parlour
    phrases: Phrases
    settings: dict[str, Any] = field(default_factory=dict)
    """What a test sets besides where Telegram is."""
    limits: BaseRateLimiter[Any] | None = field(default_factory=lambda: Unlimited())
    """Telegram's own would make each test wait for seconds; None keeps them."""

    @property
    def street(self) -> Street:
        return self.parlour.street

    def phone(self, name: str, chat_id: int = 1001) -> Chat:
        """The phone of a member who has joined."""
        chat = self.api.chat(chat_id, name)
        self.bind(name, chat_id)
        return chat

    def bind(self, name: str, chat_id: int) -> None:
        with self.street.village.transaction() as session:
            here: dict[str, Any] = {"channel": Channel.TELEGRAM, "address": str(chat_id)}
            now, member = self.street.clock(), self.street.member(name)
            _, code = channels.issue_card(session, member=member, by=None, now=now)
            channels.show_card(session, code=code, now=now, **here)
            channels.join(session, now=now, **here)

    def card(self, name: str) -> str:
        with self.street.village.transaction() as session:
            now, member = self.street.clock(), self.street.member(name)
            return channels.issue_card(session, member=member, by=None, now=now)[1]

    def lose(self, name: str) -> None:
        with self.street.village.transaction() as session:
            channels.unbind(
                session,
                member=self.street.member(name),
                channel=Channel.TELEGRAM,
                now=self.street.clock(),
            )

    def channel(self) -> TelegramChannel:
        settings = Settings(
            _env_file=None,
            telegram_token=self.api.token,
            telegram_base_url=self.api.base_url,
            telegram_base_file_url=self.api.base_file_url,
            **self.settings,
        )
        return build_telegram(
            settings,
            village=self.parlour.street.village,
            mouth=self.parlour.mouth,
            turns=self.parlour.turns,
            phrases=self.phrases,
            listening=Listener(self.parlour.ears, LEAST_CONFIDENCE),
            limits=self.limits,
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """The channel runs inside."""
        loop = Loop()
        channel = loop.run(self._started())
        try:
            yield
        finally:
            loop.run(channel.stop())
            loop.end()

    async def _started(self) -> TelegramChannel:
        channel = self.channel()
        channel.start()
        return channel

    def phrase(self, response: str, **facts: Any) -> str:
        return self.parlour.mouth.spoken(self.phrases.text(response, **facts))

    def turns(self) -> list[Turn]:
        return self.street.rows(Turn)

    def all_answered(self, updates: int) -> None:
        """Waits until so many updates are answered and written down as such."""

        def answered() -> bool:
            rows = self.street.rows(ChannelUpdate)
            return len([row for row in rows if row.finished_at]) >= updates

        eventually(answered)


def eventually(happens: Callable[[], bool], within: float = PATIENCE) -> None:
    until = time.monotonic() + within
    while not happens():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
