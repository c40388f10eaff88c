"""What may be in a field, and whether python-telegram-bot knows all that is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import telegram
from telegram import TelegramObject, Update

from tests.bot_api.refusals import bad_request, not_played

MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_CALLBACK_DATA = 64
MOST_ANSWER = 200
BIGGEST_DOWNLOAD = 20 * 1024 * 1024
BIGGEST_UPLOAD = 50 * 1024 * 1024
BIGGEST_VOICE = 1024 * 1024
"""A longer voice note is shown as a file, which an elder cannot play."""
GRANULES = 48_000
"""Ogg Opus counts in these a second, whatever the sound's own rate."""


def text(words: str) -> str:
    if not words.strip():
        raise bad_request("message text is empty")
    if len(words) > MOST_TEXT:
        raise bad_request("message is too long")
    return words


def caption(words: str) -> str:
    if len(words) > MOST_CAPTION:
        raise bad_request("message caption is too long")
    return words


def opus_seconds(sound: bytes) -> float:
    """How long an Ogg Opus recording is; raises Refusal when it is anything else."""
    if len(sound) > BIGGEST_UPLOAD:
        raise bad_request("file is too big")
    if not sound:
        raise bad_request("file must be non-empty")
    if not sound.startswith(b"OggS") or sound[28:36] != b"OpusHead":
        raise bad_request("a voice note must be Opus in OGG")
    if len(sound) > BIGGEST_VOICE:
        raise bad_request("a voice note above 1 MB is shown as a file")
    last_page = sound.rfind(b"OggS")
    granules = int.from_bytes(sound[last_page + 6 : last_page + 14], "little", signed=True)
    skipped = int.from_bytes(sound[38:40], "little")
    return max(0.0, (granules - skipped) / GRANULES)


def markup(given: Any) -> dict[str, Any]:
    """Any keyboard under a message."""
    if "inline_keyboard" in given:
        return inline_markup(given)
    for key, kind in (
        ("keyboard", telegram.ReplyKeyboardMarkup),
        ("remove_keyboard", telegram.ReplyKeyboardRemove),
        ("force_reply", telegram.ForceReply),
    ):
        if key in given:
            # Both are true by their name in python-telegram-bot.
            return _known(kind, given, {key} & {"remove_keyboard", "force_reply"})
    raise bad_request("object expected as reply markup")


def inline_markup(given: Any) -> dict[str, Any]:
    _known(telegram.InlineKeyboardMarkup, given)
    for row in given["inline_keyboard"]:
        for button in row:
            kinds = set(button) - {"text", "icon_custom_emoji_id", "style"}
            if not button["text"].strip() or len(kinds) != 1:
                raise bad_request("inline keyboard button text and exactly one kind are needed")
            if kinds == {"url"}:
                continue
            if kinds != {"callback_data"}:
                raise not_played(f"buttons with {kinds}")
            if not 1 <= len(button["callback_data"].encode()) <= MOST_CALLBACK_DATA:
                raise bad_request("BUTTON_DATA_INVALID")
    return dict(given)


def reply(given: Any) -> dict[str, Any]:
    unknown = set(given) - {"message_id", "allow_sending_without_reply"}
    if unknown:
        raise not_played(f"{unknown} of reply_parameters")
    return _known(telegram.ReplyParameters, given)


def link_preview(given: Any) -> dict[str, Any]:
    return _known(telegram.LinkPreviewOptions, given)


def scope(given: Any) -> dict[str, Any]:
    return _known(telegram.BotCommandScope, given)


def commands(given: Any) -> list[dict[str, Any]]:
    for command in given:
        _known(telegram.BotCommand, command)
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    if len(given) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    return list(given)


KINDS_OF_UPDATES = frozenset(Update.ALL_TYPES)
ASKED_FOR_BY_NAME = {"chat_member", "message_reaction", "message_reaction_count"}


def allowed_updates(given: Sequence[str]) -> frozenset[str]:
    """The kinds of updates that a bot asked for; none means all but three."""
    unknown = set(given) - KINDS_OF_UPDATES
    if unknown:
        raise bad_request(f"there are no updates called {unknown}")
    return frozenset(given or KINDS_OF_UPDATES - ASKED_FOR_BY_NAME)


# -- python-telegram-bot as a second reader of the published API -------------------------------


def _known(kind: Any, given: Any, fixed: set[str] | None = None) -> dict[str, Any]:
    read = {name: value for name, value in given.items() if name not in (fixed or ())}
    thing = kind.de_json(read, None)
    unknown = [*unknown_fields(thing), *_lost(read, thing.to_dict())]
    if unknown:
        raise bad_request(f"{kind.__name__} has no {unknown}")
    return dict(given)


def unknown_fields(thing: Any, at: str = "") -> Iterator[str]:
    """Fields anywhere in a parsed object that python-telegram-bot has no name for."""
    if isinstance(thing, (list, tuple)):
        for one in thing:
            yield from unknown_fields(one, at)
    if not isinstance(thing, TelegramObject):
        return
    at = f"{at}{type(thing).__name__}."
    yield from (f"{at}{name}" for name in thing.api_kwargs)
    for ancestor in type(thing).__mro__:
        for name in getattr(ancestor, "__slots__", ()):
            if not name.startswith("_") and name != "api_kwargs":
                yield from unknown_fields(getattr(thing, name, None), at)


def parsed(kind: Any, emitted: Mapping[str, Any]) -> Any:
    """What the server emitted as python-telegram-bot reads it.

    Raises AssertionError when something of it is unknown or lost on the way.
    """
    thing = kind.de_json(dict(emitted), None)
    unknown = list(unknown_fields(thing))
    lost = list(_lost(emitted, thing.to_dict()))
    assert not unknown and not lost, f"unknown {unknown}, lost {lost} of {emitted}"
    return thing


def _lost(before: Any, after: Any, at: str = "") -> Iterator[str]:
    if isinstance(before, Mapping):
        for name, value in before.items():
            if not isinstance(after, Mapping) or name not in after:
                if value != []:  # An empty list is left out.
                    yield f"{at}{name}"
            else:
                yield from _lost(value, after[name], f"{at}{name}.")
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield at
        else:
            for number, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from _lost(one, other, f"{at}{number}.")
    elif before != after:
        yield f"{at}: {before!r} became {after!r}"
