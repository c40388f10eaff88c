"""The methods of the Bot API, each a function of the same name in Python's spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.bot_api import checks
from tests.bot_api.fields import FIELDS, words
from tests.bot_api.refusals import bad_request
from tests.bot_api.state import BOT, Posted, Room, Telegram

Fields = dict[str, Any]
ACTIONS = words(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document "
    "choose_sticker find_location record_video_note upload_video_note"
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
SENDS = frozenset({"sendMessage", "sendVoice", "sendLocation"})
"""What counts against Telegram's limits."""


def perform(telegram: Telegram, method: str, fields: Fields) -> Any:
    """Does what the bot asks for; gives the result as JSON. Raises Refusal."""
    if method in SENDS:
        telegram.room(fields["chat_id"])
        if telegram.limits is not None:
            telegram.limits.count(fields["chat_id"])
    return _METHODS[method](telegram, fields)


def get_me(_telegram: Telegram, _fields: Fields) -> Any:
    return {
        **BOT,
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


# -- sending -------------------------------------------------------------------------------------


def send_message(telegram: Telegram, fields: Fields) -> Any:
    return _send(telegram, fields, {"text": checks.text(fields["text"])}).now


def send_voice(telegram: Telegram, fields: Fields) -> Any:
    voice = fields["voice"]
    if isinstance(voice, bytes):
        checks.opus_seconds(voice)
        stored = telegram.store(voice, "voice")
    elif voice in telegram.files:
        stored = telegram.files[voice]
    else:
        raise bad_request("wrong file identifier/HTTP URL specified")
    seconds = fields.get("duration", round(checks.opus_seconds(stored.data)))
    content: Fields = {"voice": {**stored.about, "duration": seconds, "mime_type": "audio/ogg"}}
    if fields.get("caption"):
        content["caption"] = checks.caption(fields["caption"])
    posted = _send(telegram, fields, content)
    posted.voice = stored.data
    return posted.now


def send_location(telegram: Telegram, fields: Fields) -> Any:
    latitude, longitude = fields["latitude"], fields["longitude"]
    if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
        raise bad_request("wrong latitude or longitude")
    accuracy = fields.get("horizontal_accuracy")
    place = {"latitude": latitude, "longitude": longitude}
    if accuracy is not None:
        place["horizontal_accuracy"] = accuracy
    return _send(telegram, fields, {"location": place}).now


def _send(telegram: Telegram, fields: Fields, content: Fields) -> Posted:
    room = telegram.room(fields["chat_id"])
    if "reply_parameters" in fields:
        content |= _answering(room, fields["reply_parameters"])
    if fields.get("protect_content"):
        content["has_protected_content"] = True
    if "inline_keyboard" in fields.get("reply_markup", {}):
        content["reply_markup"] = fields["reply_markup"]
    posted = telegram.post(room, BOT, **content)
    posted.silent = fields.get("disable_notification", False)
    room.sent.append(posted)
    room.unheard.append(posted)
    return posted


def _answering(room: Room, about: Fields) -> Fields:
    answered = room.messages.get(about["message_id"])
    if answered is not None and not answered.deleted:
        quoted = {key: value for key, value in answered.now.items() if key != "reply_to_message"}
        return {"reply_to_message": quoted}
    if about.get("allow_sending_without_reply"):
        return {}
    raise bad_request("message to be replied not found", is_mistake=answered is None)


def send_chat_action(telegram: Telegram, fields: Fields) -> Any:
    if fields["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    telegram.room(fields["chat_id"]).actions.append(fields["action"])
    return True


# -- changing what was sent ----------------------------------------------------------------------


def edit_message_text(telegram: Telegram, fields: Fields) -> Any:
    return _edit(telegram, fields, "text", checks.text(fields["text"]))


def edit_message_caption(telegram: Telegram, fields: Fields) -> Any:
    return _edit(telegram, fields, "caption", checks.caption(fields.get("caption", "")))


def edit_message_reply_markup(telegram: Telegram, fields: Fields) -> Any:
    return _edit(telegram, fields, "", "")


def _edit(telegram: Telegram, fields: Fields, part: str, words: str) -> Any:
    posted = _own_message(telegram, fields, "edit")
    before = posted.now
    if part == "text" and "text" not in before:
        raise bad_request("there is no text in the message to edit")
    if part == "caption" and "voice" not in before:
        raise bad_request("there is no caption in the message to edit")
    after = {key: value for key, value in before.items() if key != "reply_markup"}
    if part:
        after[part] = words
    if not after.get("caption", "-"):
        del after["caption"]
    # Who does not name the buttons again takes them away.
    if fields.get("reply_markup", {}).get("inline_keyboard"):
        after["reply_markup"] = fields["reply_markup"]
    if after == before:
        raise bad_request(NOT_MODIFIED)
    after["edit_date"] = int(telegram.now())
    posted.versions.append(after)
    telegram.rooms[posted.chat_id].unseen_edits.append(posted)
    return after


def delete_message(telegram: Telegram, fields: Fields) -> Any:
    _own_message(telegram, fields, "delete").deleted = True
    return True


def _own_message(telegram: Telegram, fields: Fields, deed: str) -> Posted:
    for needed in ("chat_id", "message_id"):
        if needed not in fields:
            raise bad_request(f"{needed} is empty")
    posted = telegram.room(fields["chat_id"]).messages.get(fields["message_id"])
    if posted is None or posted.deleted:
        # That the person deleted it is no fault of the bot.
        raise bad_request(f"message to {deed} not found", is_mistake=posted is None)
    if not posted.by_bot:
        raise bad_request(f"message can't be {deed}ed")
    return posted


# -- buttons, files, commands --------------------------------------------------------------------


def answer_callback_query(telegram: Telegram, fields: Fields) -> Any:
    press = telegram.presses.get(fields["callback_query_id"])
    if len(fields.get("text", "")) > checks.MOST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if press is None or press.answer is not None:
        raise bad_request(TOO_OLD)
    if telegram.clock() - press.at > telegram.press_lasts:
        raise bad_request(TOO_OLD)
    press.answer = fields
    return True


def get_file(telegram: Telegram, fields: Fields) -> Any:
    stored = telegram.files.get(fields["file_id"])
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if stored.size > checks.BIGGEST_DOWNLOAD:
        raise bad_request("file is too big", is_mistake=False)
    return {**stored.about, "file_path": stored.path}


def get_chat(telegram: Telegram, fields: Fields) -> Any:
    room = telegram.room(fields["chat_id"])
    gifts = words(
        "unlimited_gifts limited_gifts unique_gifts premium_subscription gifts_from_channels"
    )
    return {
        **room.about,
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(sorted(gifts), False),
    }


def leave_chat(telegram: Telegram, fields: Fields) -> Any:
    room = telegram.room(fields["chat_id"])
    if room.about["type"] == "private":
        raise bad_request("chat member status can't be changed in private chats")
    room.belongs("left")
    telegram.updates.add("my_chat_member", room.membership(BOT, "member", int(telegram.now())))
    return True


def set_my_commands(telegram: Telegram, fields: Fields) -> Any:
    telegram.commands[_whose(fields)] = fields["commands"]
    return True


def delete_my_commands(telegram: Telegram, fields: Fields) -> Any:
    telegram.commands.pop(_whose(fields), None)
    return True


def get_my_commands(telegram: Telegram, fields: Fields) -> Any:
    return telegram.commands.get(_whose(fields), [])


def _whose(fields: Fields) -> str:
    return f"{fields.get('scope', {'type': 'default'})} {fields.get('language_code', '')}"


# -- updates -------------------------------------------------------------------------------------


def set_webhook(telegram: Telegram, fields: Fields) -> Any:
    return telegram.updates.set_webhook(fields)


def delete_webhook(telegram: Telegram, fields: Fields) -> Any:
    return telegram.updates.set_webhook(fields)


def get_webhook_info(telegram: Telegram, _fields: Fields) -> Any:
    return telegram.updates.webhook_info()


def in_python(method: str) -> str:
    return re.sub("([A-Z])", lambda found: "_" + found[1].lower(), method)


_METHODS: dict[str, Callable[[Telegram, Fields], Any]] = {
    method: globals()[in_python(method)] for method in FIELDS if method != "getUpdates"
}
