"""Phones of villagers on the emulated Telegram, for a stack that listens to it."""

from __future__ import annotations

import time
from typing import Any, Dict

from actions.timebank import channels
from actions.timebank.model import ChannelUpdate
from actions.timebank.states import Channel
from tests.bot_api import BOT, BotApi, Chat, Done
from tests.e2e.stack import Stack

PATIENCE = 120.0
"""Seconds that somebody waits for an answer on a busy machine; no test depends on speed."""


def telegram_environment(api: BotApi) -> Dict[str, str]:
    """The settings that make a stack listen to it."""
    return {
        "XIAOBANG_TELEGRAM_TOKEN": api.token,
        "XIAOBANG_TELEGRAM_BOT": BOT["username"],
        "XIAOBANG_TELEGRAM_BASE_URL": api.base_url,
        "XIAOBANG_TELEGRAM_BASE_FILE_URL": api.base_file_url,
    }


def card_of(stack: Stack, name: str) -> str:
    """The link in the QR code on a card that staff have just printed for somebody."""
    village, member = stack.village, stack.member(name)
    with village.transaction() as session:
        _, code = channels.issue_card(session, member=member, by=None, now=village.clock())
    return f"https://t.me/{BOT['username']}?start={code}"


def joined_phone(stack: Stack, api: BotApi, name: str, chat_id: int) -> Chat:
    """A private chat that is bound to this member already."""
    code = card_of(stack, name).rpartition("=")[2]
    here: Dict[str, Any] = {"channel": Channel.TELEGRAM, "address": str(chat_id)}
    village = stack.village
    with village.transaction() as session:
        channels.show_card(session, code=code, now=village.clock(), **here)
        channels.join(session, now=village.clock(), **here)
    return api.chat(chat_id, name)


def hears_all(stack: Stack, phone: Chat, done: Done) -> str:
    """Waits until what was done is answered; gives all that was heard meanwhile."""
    village, key = stack.village, (Channel.TELEGRAM, done.update["update_id"])
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with village.reading() as session:
            update = session.get(ChannelUpdate, key)
            if update is not None and update.finished_at is not None:
                return "".join(one.words for one in phone.all_heard())
        time.sleep(0.02)
    raise AssertionError(f"{phone.name} waited {PATIENCE} s for an answer")
