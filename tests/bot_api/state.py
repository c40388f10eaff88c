"""What the emulated Telegram remembers: chats, messages, files, pressed buttons, calls."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.bot_api.disturbances import Disturbances, Limits
from tests.bot_api.refusals import Refusal, bad_request, blocked
from tests.bot_api.updates import Updates

BOT_ID = 7_000_000_001
BOT = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": "小帮",
    "username": "xiaobang_test_bot",
}


@dataclass
class Posted:
    """A message, with all that it ever looked like."""

    versions: list[dict[str, Any]]
    voice: bytes | None = None
    silent: bool = False
    """Whether the phone stayed quiet."""
    deleted: bool = False

    @property
    def now(self) -> dict[str, Any]:
        return self.versions[-1]

    @property
    def message_id(self) -> int:
        return int(self.now["message_id"])

    @property
    def chat_id(self) -> int:
        return int(self.now["chat"]["id"])

    @property
    def by_bot(self) -> bool:
        return self.now.get("from", {}).get("id") == BOT_ID

    @property
    def words(self) -> str:
        """Its text or caption."""
        return str(self.now.get("text") or self.now.get("caption") or "")

    @property
    def seconds(self) -> int:
        return int(self.now["voice"]["duration"])

    @property
    def keys(self) -> dict[str, str]:
        """The data of the buttons under it now, by title."""
        return _keys(self.now)

    @property
    def buttons(self) -> list[str]:
        return list(self.keys)

    def data_of(self, title: str) -> str:
        """What a button sends; also one that an edit took away, for screens lag behind."""
        for version in reversed(self.versions):
            if title in _keys(version):
                return _keys(version)[title]
        raise AssertionError(f"no button {title} under {self.words!r}: {self.buttons}")


def _keys(message: dict[str, Any]) -> dict[str, str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    keys = [key for row in rows for key in row if "callback_data" in key]
    return {key["text"]: key["callback_data"] for key in keys}


@dataclass
class Room:
    """A chat, private or group."""

    about: dict[str, Any]
    """As JSON."""
    has_written: bool = True
    """A bot may not write first."""
    has_blocked: bool = False
    messages: dict[int, Posted] = field(default_factory=dict)
    sent: list[Posted] = field(default_factory=list)
    """All that the bot sent."""
    unheard: deque[Posted] = field(default_factory=deque)
    unseen_edits: deque[Posted] = field(default_factory=deque)
    actions: list[str] = field(default_factory=list)
    """What the bot was shown doing."""
    is_left: bool = False
    """Of a group: the bot is not in it."""

    @property
    def status(self) -> str:
        """The bot's own, in this chat."""
        return "kicked" if self.has_blocked else "left" if self.is_left else "member"

    def belongs(self, status: str) -> None:
        self.has_blocked, self.is_left = status == "kicked", status == "left"

    def membership(self, by: dict[str, Any], before: str, at: int) -> dict[str, Any]:
        """The change from the status before to what it is now, as JSON."""
        then, now = (
            {"user": BOT, "status": one, **({"until_date": 0} if one == "kicked" else {})}
            for one in (before, self.status)
        )
        about = {"chat": self.about, "from": by, "date": at}
        return {**about, "old_chat_member": then, "new_chat_member": now}


@dataclass
class StoredFile:
    id: str
    data: bytes
    size: int
    """May be more than the data, to speak of files that are too big."""
    path: str

    @property
    def about(self) -> dict[str, Any]:
        return {"file_id": self.id, "file_unique_id": f"u{self.id}", "file_size": self.size}


@dataclass
class Press:
    """A button that was pressed and shows a waiting wheel until it is answered."""

    id: str
    at: float
    answer: dict[str, Any] | None = None


@dataclass(frozen=True)
class Call:
    """What the bot asked for and what came of it."""

    method: str
    fields: dict[str, Any]
    at: float
    status: int
    """0 when the connection was cut."""
    result: Any


class Telegram:
    """All of it, guarded by `changed`: hold it to look or to touch, it tells of every change."""

    def __init__(self, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self.changed = threading.Condition()
        self.now = now
        """The time of day that messages carry."""
        self.clock = clock
        """Steady seconds, for limits."""
        self.updates = Updates()
        self.disturbances = Disturbances()
        self.limits: Limits | None = None
        self.rooms: dict[int, Room] = {}
        self.files: dict[str, StoredFile] = {}
        self.presses: dict[str, Press] = {}
        self.commands: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[Call] = []
        self.mistakes: list[str] = []
        self.press_lasts = 60.0
        """Seconds in which a pressed button can be answered."""
        self.numbers = itertools.count(101)

    def room(self, chat_id: int) -> Room:
        """A chat that the bot may write to; raises Refusal."""
        room = self.rooms.get(chat_id)
        if room is None or not room.has_written:
            # The same answer for both: nobody learns who is on Telegram.
            raise bad_request("chat not found")
        if room.has_blocked:
            raise blocked()
        if room.is_left:
            raise Refusal(403, "Forbidden: bot is not a member of the supergroup chat")
        return room

    def store(self, data: bytes, kind: str, size: int | None = None) -> StoredFile:
        number = next(self.numbers)
        path = f"{kind}/file_{number}"
        stored = StoredFile(f"{kind}-{number}", data, size or len(data), path)
        self.files[stored.id] = stored
        return stored

    def post(self, room: Room, by: dict[str, Any], **content: Any) -> Posted:
        """A new message in a chat; its update, if any, is made elsewhere."""
        message = {
            "message_id": next(self.numbers),
            "from": by,
            "chat": room.about,
            "date": int(self.now()),
            **content,
        }
        posted = Posted([message])
        room.messages[posted.message_id] = posted
        return posted
