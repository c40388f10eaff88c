"""What somebody may send besides voice and text, and the response that answers it."""

from __future__ import annotations

from typing import Optional

from telegram import Message, Voice

from voice.codec import LONGEST_SECONDS

MOST_BYTES = 20 * 1024 * 1024
"""The Bot API hands out no larger file; three minutes of voice are not a tenth of it."""

KINDS = {
    "photo": "photo",
    "animation": "photo",
    "sticker": "sticker",
    "video": "video",
    "video_note": "video",
    "audio": "audio",
    "contact": "contact",
    "document": "document",
    "poll": "game",
    "dice": "game",
    "game": "game",
    "story": "photo",
    "video_chat_started": "call",
    "video_chat_scheduled": "call",
    "video_chat_ended": "call",
    "video_chat_participants_invited": "call",
}
"""Attributes of a message, in the order in which they are looked for: an animation is a document
as well. Each is answered by `utter_telegram_<kind>`."""


def other_kind(message: Message) -> str:
    """The response to what is neither voice nor text nor a place."""
    for attribute, kind in KINDS.items():
        if getattr(message, attribute):
            return f"utter_telegram_{kind}"
    return "utter_telegram_unknown_kind"


def is_anothers(message: Message) -> bool:
    """Whether somebody else's words were passed on: they are never taken for her own."""
    return bool(message.forward_origin or message.via_bot or message.is_automatic_forward)


def refused_voice(voice: Voice) -> Optional[str]:
    """The code of why this voice note is not worth fetching; None for a good one."""
    length = voice.duration
    seconds = length if isinstance(length, (int, float)) else length.total_seconds()
    if seconds <= 0 or voice.file_size == 0:
        return "too_short"
    if seconds > LONGEST_SECONDS:
        return "too_long"
    if (voice.file_size or 0) > MOST_BYTES:
        return "too_large"
    return None
