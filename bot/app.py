"""The composition root: the one place where concrete engines, channels and stores are named."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Optional, Sequence

import httpx
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from telegram.ext import BaseRateLimiter

from actions.timebank import alarm_chain, alarm_questions, check_ins, delegates, reminders
from actions.timebank.alarm_chain import Chains
from actions.timebank.deadlines import expire_due
from actions.timebank.demo import is_demo_village
from actions.timebank.session import Village, open_village
from actions.timebank.states import Channel
from bot.channels.talk_page.web import talk_page_routes
from bot.channels.telegram.bot_api import make_bot
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.guests import Guests
from bot.channels.telegram.joining import Listener, Listening
from bot.channels.telegram.outgoing import Post
from bot.channels.telegram.rates import Rates
from bot.console import console_routes
from bot.console.desk import ConsoleParts
from bot.dialogue import Dialogue
from bot.ears import Ears
from bot.links import TalkLinks
from bot.mouth import Mouth
from bot.notifier import AT_ONCE, Notifier
from bot.phrases import Phrases, read_phrases
from bot.recordings import delete_revoked
from bot.settings import Settings
from bot.turn import TurnHandler
from bot.turn_types import Speech, Turns
from voice.recognizer import make_recognizer
from voice.synthesizer import make_synthesizer
from voice.types import Delivery, Recognizer, Synthesizer

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 5
"""How often unanswered offers and missed times are looked after."""
THREADS = AT_ONCE + 8
"""Python gives two cores six. Notices that wait for the one voice would take them all, and a cry
for help could not even be written down."""
RASA_PATIENCE = httpx.Timeout(15.0, connect=2.0)


@dataclass(frozen=True)
class Parts:
    """What the web program is made of."""

    village: Village
    phrases: Phrases
    links: TalkLinks
    mouth: Mouth
    turns: TurnHandler
    rasa: httpx.AsyncClient
    recordings: Path
    chains: Chains
    console: ConsoleParts
    telegram: Optional[TelegramChannel] = None
    """None without a token."""


def build_parts(settings: Settings, *, recognizer: Recognizer, synthesizer: Synthesizer) -> Parts:
    village = open_village(settings.database, settings.now)
    phrases = read_phrases()
    # Rasa is on this machine: a proxy of the environment must not come between.
    rasa = httpx.AsyncClient(base_url=settings.rasa_url, timeout=RASA_PATIENCE, trust_env=False)
    mouth = Mouth(synthesizer, settings.now)
    ears = Ears(recognizer, settings.recordings, settings.now)
    turns = TurnHandler(
        village=village,
        dialogue=Dialogue(rasa, settings.key().hex()),
        ears=ears,
        mouth=mouth,
        phrases=phrases,
        least_confidence=settings.recognizer_confidence,
    )
    links = TalkLinks(settings.key())
    telegram = None
    if settings.telegram_token is not None:
        telegram = build_telegram(
            settings,
            village=village,
            mouth=mouth,
            turns=turns,
            phrases=phrases,
            listening=Listener(ears, settings.recognizer_confidence),
        )
    recordings, chains = settings.recordings, settings.chains
    console = ConsoleParts(village, settings, mouth, links, phrases)
    return Parts(village, phrases, links, mouth, turns, rasa, recordings, chains, console, telegram)


def build_telegram(
    settings: Settings,
    *,
    village: Village,
    mouth: Mouth,
    turns: Turns,
    phrases: Phrases,
    listening: Listening,
    limits: Optional[BaseRateLimiter[Any]] = None,
) -> TelegramChannel:
    """The channel, not started, within `limits` or Telegram's own. Raises ValueError without a
    token."""
    bot = make_bot(settings, limits or Rates())
    guests = Guests(village)
    return TelegramChannel(
        settings,
        bot=bot,
        post=Post(bot, village, mouth),
        guests=guests,
        turns=turns,
        phrases=phrases,
        listening=listening,
        set_place=guests.set_place,
    )


def real_recognizer(settings: Settings) -> Recognizer:
    return make_recognizer(settings.models)


def real_synthesizer(settings: Settings) -> Synthesizer:
    return make_synthesizer(settings.home / "spoken")


def build_app(settings: Settings) -> Starlette:
    """The web program with its real engines; they are loaded here, once."""
    parts = build_parts(
        settings,
        recognizer=real_recognizer(settings),
        synthesizer=real_synthesizer(settings),
    )
    with parts.village.reading() as session:
        # Real people's links are never listed, whatever the setting says.
        demo = settings.demo and is_demo_village(session)
    return app_of(parts, demo=demo)


def app_of(parts: Parts, *, demo: bool) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        looking = look_after_deadlines(parts.village, parts.recordings, parts.chains)
        deadlines = asyncio.create_task(looking)
        notifying = None
        if parts.telegram is not None:
            parts.telegram.start()
            notifier = Notifier(
                parts.village, parts.telegram.messenger, parts.phrases, channel=Channel.TELEGRAM
            )
            notifying = asyncio.create_task(notifier.run(), name="notifier")
        yield
        if notifying is not None:
            # While the channel still stands: what is under way lands.
            notifying.cancel()
            await asyncio.wait([notifying])
        if parts.telegram is not None:
            await parts.telegram.stop()
        deadlines.cancel()
        await parts.rasa.aclose()

    async def say_phrase(response: str) -> Speech:
        sentences = parts.mouth.sentences(parts.phrases.text(response))
        return await asyncio.to_thread(parts.mouth.speech, sentences, Delivery())

    routes = talk_page_routes(
        parts.turns,
        parts.village,
        parts.links,
        demo=demo,
        phrases=parts.phrases.text,
        say_phrase=say_phrase,
    )
    routes += console_routes(parts.console)
    if parts.telegram is not None:
        routes += parts.telegram.routes
    return Starlette(routes=routes, lifespan=lifespan)


async def look_after_deadlines(village: Village, recordings: Path, chains: Chains) -> None:
    """Calls people to whoever fell silent, lets alarms climb, passes unanswered offers on and ends
    what is too late, asks how people are, tells reminders, asks again who may act for whom, and
    deletes recordings that nobody may hear any more, for as long as the program runs. What fails
    is tried again soon, and holds nothing else up."""

    def passing_time(act: Callable[[Session], object]) -> Callable[[], None]:
        def look() -> None:
            with village.transaction() as session:
                act(session)

        return look

    looks: Sequence[Callable[[], object]] = (
        # Danger first, and each in a transaction that nothing else can undo.
        passing_time(lambda session: alarm_questions.call_unanswered(session, now=village.clock())),
        passing_time(lambda session: alarm_chain.climb(session, chains, now=village.clock())),
        passing_time(lambda session: expire_due(session, now=village.clock())),
        passing_time(lambda session: check_ins.look(session, now=village.clock())),
        passing_time(lambda session: reminders.tell_due(session, now=village.clock())),
        passing_time(lambda session: delegates.sweep(session, now=village.clock())),
        lambda: delete_revoked(village, recordings),
    )
    while True:
        for look in looks:
            try:
                await asyncio.to_thread(look)
            except Exception:
                # A bug in one must not keep the alarms from climbing.
                logger.exception("what is due could not be looked after; tried again soon")
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
