"""What a browser sends for one turn, taken in without trusting it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import uuid4

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from actions.timebank.ids import MemberId, TurnId

MAX_AUDIO_BYTES = 25 * 1024 * 1024
MAX_TEXT_CHARACTERS = 1_000
FORM_OVERHEAD_BYTES = 64 * 1024
"""Boundaries and part headers around the recording."""
_TURN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTROLS = dict.fromkeys(range(32), " ")


class Refused(Exception):
    """The message cannot be taken; `code` names why."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class TurnForm:
    turn_id: str
    """As the browser knows it, without channel and member."""
    audio: bytes | None
    text: str | None


class BoundedRequest(Request):
    """A request whose body is refused as soon as it is known to be too large."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        limit = MAX_AUDIO_BYTES + FORM_OVERHEAD_BYTES
        if int(self.headers.get("content-length", "0")) > limit:
            raise Refused("too_large", 413)
        taken = 0
        async for chunk in super().stream():
            taken += len(chunk)
            if taken > limit:
                raise Refused("too_large", 413)
            yield chunk


async def read_turn_form(request: Request) -> TurnForm:
    """Raises Refused: too_large, too_long, empty (nothing usable came) or bad_turn_id."""
    bounded = BoundedRequest(request.scope, request.receive)
    try:
        async with bounded.form(
            max_files=2, max_fields=8, max_part_size=MAX_AUDIO_BYTES + FORM_OVERHEAD_BYTES
        ) as form:
            taken = TurnForm(_turn_id(form), await _audio(form), _text(form))
    except (MultiPartException, HTTPException) as torn:
        raise Refused("empty", 400) from torn
    if taken.audio is None and taken.text is None:
        raise Refused("empty", 400)
    return taken


def known_turn_id(raw: str) -> str:
    """The browser's own turn id, when it has the shape of one. Raises Refused bad_turn_id."""
    if _TURN_ID.fullmatch(raw) is None:
        raise Refused("bad_turn_id", 400)
    return raw


def whole_turn_id(member: MemberId, turn_id: str) -> TurnId:
    """Channel and member are part of it, so that nobody can reach another person's turn."""
    return TurnId(f"talk:{member}:{turn_id}")


def _turn_id(form: FormData) -> str:
    raw = form.get("turn_id", "")
    return known_turn_id(raw) if isinstance(raw, str) and raw else uuid4().hex


async def _audio(form: FormData) -> bytes | None:
    upload = form.get("audio")
    if not isinstance(upload, UploadFile):
        return None
    sound = await upload.read(MAX_AUDIO_BYTES + 1)
    if len(sound) > MAX_AUDIO_BYTES:
        raise Refused("too_large", 413)
    return sound or None


def _text(form: FormData) -> str | None:
    raw = form.get("text")
    if not isinstance(raw, str):
        return None
    words = raw.translate(_CONTROLS).strip()
    if len(words) > MAX_TEXT_CHARACTERS:
        raise Refused("too_long", 413)
    return words or None
