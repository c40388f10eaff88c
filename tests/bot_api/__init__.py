"""Telegram's Bot API for tests, over real HTTP; README.md tells how to use it."""

from tests.bot_api.disturbances import Slow, cut_after, cut_before
from tests.bot_api.refusals import blocked, refused, server_error, too_many
from tests.bot_api.server import TOKEN, BotApi
from tests.bot_api.state import BOT, Posted
from tests.bot_api.world import Chat, Done, Group

__all__ = [
    "BOT",
    "TOKEN",
    "BotApi",
    "Chat",
    "Done",
    "Group",
    "Posted",
    "Slow",
    "blocked",
    "cut_after",
    "cut_before",
    "refused",
    "server_error",
    "too_many",
]
