"""Which fields each method takes, from the published Bot API 10.0, read strictly.

`name!` is required, `name:kind` is not text. What a field may say is in `checks`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.bot_api import checks
from tests.bot_api.refusals import bad_request, not_played


def words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_ANY_MESSAGE = (
    "chat_id!:chat disable_notification:bool protect_content:bool reply_markup:markup "
    "reply_parameters:reply message_thread_id:int business_connection_id message_effect_id "
    "allow_paid_broadcast:bool direct_messages_topic_id:int suggested_post_parameters:object "
)
_EDIT = (
    "chat_id:chat message_id:int reply_markup:inline_markup inline_message_id "
    "business_connection_id "
)
_METHODS = {
    "getMe": "",
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:strings",
    "setWebhook": "url! certificate:file ip_address max_connections:int allowed_updates:strings "
    "drop_pending_updates:bool secret_token",
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    "sendMessage": _ANY_MESSAGE
    + "text! parse_mode entities:object link_preview_options:link_preview",
    "sendVoice": _ANY_MESSAGE
    + "voice!:file caption parse_mode caption_entities:object duration:int",
    "sendLocation": _ANY_MESSAGE
    + "latitude!:float longitude!:float horizontal_accuracy:float live_period:int heading:int "
    "proximity_alert_radius:int",
    "sendChatAction": "chat_id!:chat action! message_thread_id:int business_connection_id",
    "editMessageText": _EDIT + "text! parse_mode entities:object link_preview_options:link_preview",
    "editMessageCaption": _EDIT
    + "caption parse_mode caption_entities:object show_caption_above_media:bool",
    "editMessageReplyMarkup": _EDIT,
    "deleteMessage": "chat_id!:chat message_id!:int",
    "answerCallbackQuery": "callback_query_id! text show_alert:bool url cache_time:int",
    "getFile": "file_id!",
    "getChat": "chat_id!:chat",
    "leaveChat": "chat_id!:chat",
    "setMyCommands": "commands!:commands scope:scope language_code",
    "deleteMyCommands": "scope:scope language_code",
    "getMyCommands": "scope:scope language_code",
}
NOT_PLAYED = words(
    "parse_mode entities caption_entities inline_message_id business_connection_id "
    "message_effect_id allow_paid_broadcast direct_messages_topic_id message_thread_id "
    "suggested_post_parameters show_caption_above_media live_period heading "
    "proximity_alert_radius certificate url"
)
"""Fields of the published API that nothing here acts on."""


def _read(line: str) -> dict[str, tuple[str, bool]]:
    fields = {}
    for word in line.split():
        name, _, kind = word.partition(":")
        fields[name.rstrip("!")] = (kind or "text", name.endswith("!"))
    return fields


FIELDS = {method: _read(line) for method, line in _METHODS.items()}
"""Per method the kind of each field, and whether it is required."""


def read_fields(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call as Python values.

    Raises Refusal for anything that the published API does not have.
    """
    known = FIELDS[method]
    for name in given:
        if name not in known:
            raise bad_request(f"{method} has no field {name}")
        if name in NOT_PLAYED and not (method == "setWebhook" and name == "url"):
            raise not_played(f"{name} of {method}")
    for name, (_, is_required) in known.items():
        if is_required and given.get(name) in (None, ""):
            raise bad_request(_MISSING.get(name, f"parameter {name} is required"))
    return {name: _value(name, known[name][0], value) for name, value in given.items()}


_MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "voice": "there is no voice in the request",
}


def _value(name: str, kind: str, value: Any) -> Any:
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError, KeyError) as wrong:
        raise bad_request(f"can't parse {name} as {kind}: {value!r:.80} ({wrong})") from wrong


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is needed")
    return value


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError("an integer is needed")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("a number is needed")
    return float(value)


def _bool(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _chat(value: Any) -> int:
    if isinstance(value, str) and value.startswith("@"):
        raise not_played("chats by @username")
    return _int(value)


def _file(value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    if "://" in _text(value):
        raise not_played("files by address")
    return value


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _strings(value: Any) -> list[str]:
    return [_text(one) for one in _json(value)]


_READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "chat": _chat,
    "file": _file,
    "object": _json,
    "strings": _strings,
    "markup": lambda value: checks.markup(_json(value)),
    "inline_markup": lambda value: checks.inline_markup(_json(value)),
    "reply": lambda value: checks.reply(_json(value)),
    "link_preview": lambda value: checks.link_preview(_json(value)),
    "commands": lambda value: checks.commands(_json(value)),
    "scope": lambda value: checks.scope(_json(value)),
}
