"""How well pushes keep to Telegram's limits."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from actions.timebank import bindings
from actions.timebank.ids import MemberId
from actions.timebank.model import Delivery, Notice
from actions.timebank.notices import tell
from actions.timebank.schema import upgrade
from actions.timebank.session import Village, open_village
from actions.timebank.states import Channel, DeliveryState, NoticeState
from bot.channels.telegram.bot_api import make_bot
from bot.channels.telegram.messenger import TelegramMessenger
from bot.channels.telegram.outgoing import Post
from bot.channels.telegram.rates import (
    MESSAGES_A_SECOND,
    MESSAGES_A_SECOND_IN_A_CHAT,
    Rates,
)
from bot.notifier import Notifier
from bot.phrases import read_phrases
from bot.settings import Settings
from bot.turn_types import Speech
from tests.bench.deadline import Deadline
from tests.bench.report import Report
from tests.bot.fakes import tone_wav
from tests.bot_api import BotApi
from tests.timebank.builders import FakeClock, make_member
from voice import codec

CHATS = 1_000
FEW_CHATS = 15
PUSHES_TO_FEW = 15
"""To each of the few chats, so that a chat's own limit counts and not that of all."""
NOON = datetime(2026, 3, 2, 4, tzinfo=timezone.utc)


class SpokenBefore:
    """A mouth that has spoken everything: what is measured is the way, not the voice."""

    def __init__(self) -> None:
        self._speech = Speech(codec.encode(codec.decode(tone_wav(1.0)), "ogg"), codec.mime("ogg"))

    def spoken(self, text: str) -> str:
        return text

    def sentences(self, reply: str) -> list[str]:
        return [reply]

    def speech(self, *_: Any) -> Speech:
        return self._speech


def furnish(file: Path, people: int, pushes: int) -> Village:
    """A village of so many people with chats, each of whom is to be told so many things."""
    upgrade(f"sqlite:///{file}")
    village = open_village(f"sqlite:///{file}", FakeClock(NOON))
    with village.transaction() as session:
        for number in range(1, people + 1):
            member = MemberId(make_member(session, f"村民{number}", now=NOON).id)
            about = {"channel": Channel.TELEGRAM, "address": str(number)}
            bindings.bind(session, member=member, now=NOON, **about)
    queue(village, range(1, people + 1), [f"{number}" for number in range(pushes)])
    return village


def queue(village: Village, people: Sequence[int], keys: Sequence[str]) -> None:
    facts = {"helper": "张秀英", "kind": "shopping"}
    with village.transaction() as session:
        for key in keys:
            for person in people:
                member = MemberId(person)
                tell(session, member, "visit_started", about=key, now=village.clock(), **facts)


def untold(village: Village) -> int:
    """How many notices are still to be told; those handed to the staff are not."""
    handed_on = select(Delivery.notice_id).where(Delivery.state == DeliveryState.GIVEN_UP)
    with village.reading() as session:
        waiting = select(func.count(Notice.id)).where(
            Notice.state == NoticeState.QUEUED, Notice.id.not_in(handed_on)
        )
        return int(session.execute(waiting).scalar_one())


def push_ratio(folder: Path, chats: int, pushes: int) -> tuple[float, int]:
    """The share of the allowed rate that is reached, over real HTTP to an emulated Telegram that
    keeps its limits, and how often it had to refuse."""
    village = furnish(folder / f"{chats}.db", chats, pushes)
    with emulated_telegram(chats) as telegram:
        token, base_url, base_file_url = telegram.recv()
        settings = Settings(
            _env_file=None,
            home=folder,
            telegram_token=token,
            telegram_base_url=base_url,
            telegram_base_file_url=base_file_url,
        )
        seconds = asyncio.run(_push_all(settings, village))
        telegram.send("how many?")
        arrived, refused = telegram.recv()
    village.engine.dispose()
    if arrived != chats * pushes:
        raise AssertionError(f"{arrived} of {chats * pushes} pushes arrived")
    allowed = min(MESSAGES_A_SECOND, chats * MESSAGES_A_SECOND_IN_A_CHAT)
    return chats * pushes / allowed / seconds, refused


@contextmanager
def emulated_telegram(chats: int) -> Iterator[Any]:
    """A Telegram in a process of its own, so that only the network lies between."""
    apart = multiprocessing.get_context("spawn")
    here, there = apart.Pipe()
    process = apart.Process(target=_be_telegram, args=(there, chats), daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.terminate()
        process.join()


def _be_telegram(asked: Any, chats: int) -> None:
    with BotApi() as api:
        limits = api.enforce_limits()
        for number in range(1, chats + 1):
            api.chat(number, f"村民{number}")
        asked.send((api.token, api.base_url, api.base_file_url))
        asked.recv()
        arrived = sum(call.status == 200 for call in api.calls("sendVoice"))
        asked.send((arrived, limits.refused))
        asked.recv()


async def _push_all(settings: Settings, village: Village) -> float:
    """Seconds from the first look into the outbox to the last message that arrived."""
    bot = make_bot(settings, Rates())
    mouth: Any = SpokenBefore()
    messenger = TelegramMessenger(bot, Post(bot, village, mouth))
    notifier = Notifier(village, messenger, read_phrases(), channel=Channel.TELEGRAM)
    await messenger.reachable()
    began = time.perf_counter()
    # A look that finds nobody's turn while a chat's second passes is followed by another.
    while await notifier.step() or untold(village):
        pass
    seconds = time.perf_counter() - began
    await bot.shutdown()
    return seconds


def measure_pushes(report: Report, folder: Path, deadline: Deadline, *, quick: bool) -> None:
    """Adds how near to Telegram's limits 1,000 pushes to 1,000 chats come, and pushes to few."""
    if deadline.over:
        report.skipped["push_within_limit_ratio"] = "no time was left"
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chats, pushes = (60, 2) if quick else (CHATS, PUSHES_TO_FEW)
    many, refused = push_ratio(folder, chats, 1)
    few, refused_few = push_ratio(folder, FEW_CHATS, pushes)
    report.add({"push_within_limit_ratio": many, "push_few_chats_ratio": few}, digits=3)
    report.add({"push_refused": refused + refused_few}, digits=0)
    report.conditions["pushes"] = (
        f"{chats} to {chats} chats and {FEW_CHATS * pushes} to {FEW_CHATS}, emulated Telegram on "
        f"loopback with its limits, speech made before"
    )
    shutil.rmtree(folder)
