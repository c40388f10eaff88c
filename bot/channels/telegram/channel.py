"""Starting and ending the channel. Nothing here may keep the web program from starting: a village
whose line is away has its talk page all the same."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import List, Optional, Union

from starlette.routing import BaseRoute

from bot.channels.telegram.bot_api import Bot
from bot.channels.telegram.guests import Guests
from bot.channels.telegram.incoming import Incoming, SetPlace
from bot.channels.telegram.joining import Listening
from bot.channels.telegram.messenger import TelegramMessenger
from bot.channels.telegram.outgoing import Post
from bot.channels.telegram.polling import Polling
from bot.channels.telegram.updates import Updates
from bot.channels.telegram.webhook import Webhook
from bot.phrases import Phrases
from bot.settings import Settings
from bot.turn_types import Turns

logger = logging.getLogger(__name__)

ENDING_SECONDS = 5.0


class TelegramChannel:
    def __init__(
        self,
        settings: Settings,
        *,
        bot: Bot,
        post: Post,
        guests: Guests,
        turns: Turns,
        phrases: Phrases,
        listening: Listening,
        set_place: SetPlace,
    ) -> None:
        self._bot = bot
        self.messenger = TelegramMessenger(bot, post)
        """For what people are told without having asked."""
        incoming = Incoming(
            bot=bot,
            turns=turns,
            guests=guests,
            post=post,
            phrases=phrases,
            listening=listening,
            set_place=set_place,
        )
        self._updates = Updates(incoming.answer, guests)
        self._way_in = self._chosen(settings)
        self._running: Optional[asyncio.Task[None]] = None

    @property
    def routes(self) -> List[BaseRoute]:
        return [self._way_in.route()] if isinstance(self._way_in, Webhook) else []

    def start(self) -> None:
        """Returns at once, whether or not Telegram can be reached. Needs a running loop."""
        self._running = asyncio.create_task(self._way_in.run(), name="telegram")

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._updates.close(ENDING_SECONDS)
        await self._bot.shutdown()

    def _chosen(self, settings: Settings) -> Union[Polling, Webhook]:
        if settings.telegram_webhook_url is None:
            return Polling(self._bot, self._updates)
        secret = settings.telegram_webhook_secret
        assert secret is not None, "settings see to it"
        return Webhook(
            self._bot,
            self._updates,
            url=settings.telegram_webhook_url,
            secret=secret.get_secret_value(),
        )
