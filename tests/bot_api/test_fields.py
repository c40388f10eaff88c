"""The table of fields is the published Bot API, as python-telegram-bot knows it too."""

from __future__ import annotations

import inspect

import pytest
import telegram

from tests.bot_api.fields import FIELDS, NOT_PLAYED, read_fields, words
from tests.bot_api.methods import in_python
from tests.bot_api.refusals import Refusal

HELPS_OF_PTB = words(
    "self read_timeout write_timeout connect_timeout pool_timeout api_kwargs filename location "
    "allow_sending_without_reply reply_to_message_id disable_web_page_preview"
)


@pytest.mark.parametrize("method", FIELDS)
def test_each_method_has_the_fields_that_ptb_sends(method: str) -> None:
    theirs = inspect.signature(getattr(telegram.Bot, in_python(method))).parameters
    assert set(FIELDS[method]) == set(theirs) - HELPS_OF_PTB
    theirs_required = {name for name, field in theirs.items() if field.default is field.empty}
    ours_required = {name for name, (_, required) in FIELDS[method].items() if required}
    # Their latitude may come as a Location.
    assert theirs_required - HELPS_OF_PTB == ours_required - {"latitude", "longitude"}


def test_all_that_is_not_played_exists() -> None:
    assert {name for fields in FIELDS.values() for name in fields} >= NOT_PLAYED


@pytest.mark.parametrize(
    "method, given, why",
    [
        ("sendMessage", {"chat_id": "1", "text": "好", "sound": "x"}, "no field sound"),
        ("sendMessage", {"text": "好"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "1"}, "message text is empty"),
        ("sendMessage", {"chat_id": "wang", "text": "好"}, "can't parse chat_id"),
        ("sendMessage", {"chat_id": "@wang", "text": "好"}, "does not play"),
        ("sendMessage", {"chat_id": "1", "text": "好", "parse_mode": "HTML"}, "does not play"),
        ("sendMessage", {"chat_id": "1", "text": b"x"}, "can't parse text"),
        ("sendMessage", {"chat_id": "1", "text": "好", "protect_content": "1"}, "can't parse"),
        ("sendMessage", {"chat_id": "1", "text": "好", "reply_markup": "{}"}, "reply markup"),
        ("sendMessage", {"chat_id": "1", "text": "好", "reply_markup": "{"}, "can't parse"),
        ("sendVoice", {"chat_id": "1"}, "no voice"),
        ("sendVoice", {"chat_id": "1", "voice": "https://x/y.ogg"}, "does not play"),
        ("sendVoice", {"chat_id": "1", "voice": "f", "duration": "2.5"}, "can't parse duration"),
        ("sendVoice", {"chat_id": True, "voice": "f"}, "can't parse chat_id"),
        ("sendLocation", {"chat_id": "1", "latitude": "n", "longitude": "1"}, "can't parse"),
        ("getUpdates", {"allowed_updates": "[1]"}, "can't parse allowed_updates"),
        ("setMyCommands", {"commands": '[{"command": "A", "description": "x"}]'}, "COMMAND"),
        ("setMyCommands", {"commands": '[{"command": "a", "text": "x"}]'}, "can't parse"),
    ],
)
def test_what_the_bot_api_does_not_have_is_refused(
    method: str, given: dict[str, object], why: str
) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        read_fields(method, given)
    assert refused.value.is_mistake and refused.value.status == 400


@pytest.mark.parametrize(
    "key, why",
    [
        ({"text": "接", "callback_data": "x" * 64}, ""),
        ({"text": "接", "callback_data": "接" * 21}, ""),
        ({"text": "看", "url": "https://example.org"}, ""),
        ({"text": "接", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "接", "callback_data": "接" * 22}, "BUTTON_DATA_INVALID"),
        ({"text": "接", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "接"}, "exactly one kind"),
        ({"text": "接", "callback_data": "x", "url": "https://example.org"}, "exactly one kind"),
        ({"text": "接", "switch_inline_query": "x"}, "does not play"),
        ({"text": " ", "callback_data": "x"}, "text"),
        ({"text": "接", "callback_data": "x", "colour": "red"}, "colour"),
    ],
)
def test_buttons_are_as_telegram_takes_them(key: dict[str, str], why: str) -> None:
    given = {"chat_id": "1", "text": "去吗？", "reply_markup": {"inline_keyboard": [[key]]}}
    if why:
        with pytest.raises(Refusal, match=why):
            read_fields("sendMessage", given)
    else:
        assert read_fields("sendMessage", given)["reply_markup"]["inline_keyboard"] == [[key]]


def test_unknown_fields_within_objects_are_found() -> None:
    for name, value in {
        "reply_parameters": '{"message_id": 1, "quote_text": "x"}',
        "link_preview_options": '{"is_disabled": true, "is_big": true}',
        "reply_markup": '{"inline_keyboard": [], "resize": true}',
    }.items():
        with pytest.raises(Refusal):
            read_fields("sendMessage", {"chat_id": "1", "text": "好", name: value})
