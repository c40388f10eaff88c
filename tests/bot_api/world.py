"""The village's side of the phone: what people do with the bot, and what they hear of it."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from tests.bot_api.state import BOT, Posted, Press, Room, Telegram
from tests.bot_api.updates import Update

PATIENCE = 5.0
"""Seconds that somebody waits for the bot."""
START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")
PICTURE = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


@dataclass(frozen=True)
class Done:
    """What somebody did, and the update that told the bot of it."""

    update: Update
    posted: Posted | None = None

    @property
    def message_id(self) -> int:
        assert self.posted is not None
        return self.posted.message_id


@dataclass(frozen=True)
class Chat:
    """Somebody with a phone: in her private chat with the bot, or within a group."""

    telegram: Telegram
    user: dict[str, Any]
    room: Room

    @classmethod
    def private(cls, telegram: Telegram, chat_id: int, name: str, has_written: bool) -> Chat:
        user = {"id": chat_id, "is_bot": False, "first_name": name, "language_code": "zh-hans"}
        about = {"id": chat_id, "type": "private", "first_name": name}
        with telegram.changed:
            room = telegram.rooms.setdefault(chat_id, Room(about, has_written))
        return cls(telegram, user, room)

    @property
    def id(self) -> int:
        return int(self.room.about["id"])

    @property
    def name(self) -> str:
        return str(self.user["first_name"])

    # -- what she does ---------------------------------------------------------------------------

    def says(self, text: str) -> Done:
        content: dict[str, Any] = {"text": text}
        if text.startswith("/"):
            length = len(text.split()[0])
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return self._sends(**content)

    def scans(self, card: str) -> Done:
        """Opens a deep link, given whole or by its start parameter, and taps Start."""
        address, _, parameter = card.rpartition("?start=")
        assert address in ("", f"https://t.me/{BOT['username']}"), f"not this bot's link: {card}"
        assert START_PARAMETER.fullmatch(parameter), f"no phone passes this on: {parameter}"
        return self.says(f"/start {parameter}")

    def speaks(
        self, ogg: bytes, seconds: int, *, size: int | None = None, tells_size: bool = True
    ) -> Done:
        """Sends a voice note; `size` is what Telegram takes it for, when it is not its own. It
        may leave out to tell it."""
        voice = self._file(ogg, "voice", size)
        if not tells_size:
            del voice["file_size"]
        return self._sends(voice={**voice, "duration": seconds, "mime_type": "audio/ogg"})

    def sends_audio(self, data: bytes, seconds: int = 3, *, size: int | None = None) -> Done:
        audio = self._file(data, "music", size)
        about = {"duration": seconds, "mime_type": "audio/mpeg", "file_name": "歌.mp3"}
        return self._sends(audio={**audio, **about})

    def sends_document(self, data: bytes, name: str = "表.pdf", *, size: int | None = None) -> Done:
        document = self._file(data, "documents", size)
        return self._sends(document={**document, "file_name": name})

    def sends_photo(self, caption: str = "", *, album: str = "") -> Done:
        """Pictures sent together come one by one, with the same album."""
        shown = {"width": 90, "height": 60, **self._file(PICTURE, "photos")}
        told = {"caption": caption} if caption else {}
        return self._sends(photo=[shown], **told, **({"media_group_id": album} if album else {}))

    def sends_video(self) -> Done:
        film = {"width": 90, "height": 60, "duration": 3, **self._file(PICTURE, "videos")}
        return self._sends(video=film)

    def sends_video_note(self, data: bytes = PICTURE, seconds: int = 3) -> Done:
        film = self._file(data, "video_notes")
        return self._sends(video_note={**film, "length": 240, "duration": seconds})

    def sends_sticker(self, emoji: str = "👍") -> Done:
        about = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
        picture = self._file(PICTURE, "stickers")
        return self._sends(sticker={**picture, "type": "regular", **about, "emoji": emoji})

    def throws_dice(self) -> Done:
        return self._sends(dice={"emoji": "🎲", "value": 6})

    def sends_contact(self, name: str = "李建国", phone: str = "13800000000") -> Done:
        return self._sends(contact={"phone_number": phone, "first_name": name})

    def shares_location(self, latitude: float, longitude: float, *, live: bool = False) -> Done:
        place: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
        return self._sends(location=place | ({"live_period": 900} if live else {}))

    def moves(self, shared: Done, latitude: float, longitude: float) -> Done:
        """Her live location changed."""
        assert shared.posted is not None
        place = {**shared.posted.now["location"], "latitude": latitude, "longitude": longitude}
        return self._edits(shared, location=place)

    def forwards(self, text: str = "", *, ogg: bytes = b"", written_by: str = "李建国") -> Done:
        """Passes on what somebody else wrote or spoke."""
        origin = {"type": "hidden_user", "date": int(self.telegram.now()) - 60}
        content: dict[str, Any] = {"text": text}
        if ogg:
            voice = self._file(ogg, "voice")
            content = {"voice": {**voice, "duration": 3, "mime_type": "audio/ogg"}}
        return self._sends(forward_origin={**origin, "sender_user_name": written_by}, **content)

    def edits(self, done: Done, text: str) -> Done:
        return self._edits(done, text=text)

    def deletes(self, posted: Posted) -> None:
        """Telegram tells no bot of it."""
        with self.telegram.changed:
            posted.deleted = True

    def presses(
        self, title: str, message: Posted | None = None, *, long_after: bool = False
    ) -> Done:
        """A button under a message, the last that has buttons if none is named; also one that
        was taken away since. The message may be another's: whoever writes a program of his own
        can send the data of any button. `long_after`: so late that Telegram does not show the
        bot its message any more."""
        with self.telegram.changed:
            if message is None:
                message = next((one for one in reversed(self.room.sent) if one.buttons), None)
                assert message is not None, f"{self.name} has no buttons"
            data = message.data_of(title)
            is_own = message.chat_id == self.id and not message.deleted
        if is_own and not long_after:
            return self.forges_press(data, message.now)
        return self.forges_press(data, self._unseen(message.message_id))

    def forges_press(self, data: str, message: dict[str, Any] | None = None) -> Done:
        """A press with data of her own making."""
        about = {"from": self.user, "chat_instance": f"i{self.id}", "data": data}
        with self.telegram.changed:
            press = Press(str(next(self.telegram.numbers)), self.telegram.clock())
            self.telegram.presses[press.id] = press
            shown = message or self._unseen(1)
            update = self.telegram.updates.add(
                "callback_query", {"id": press.id, "message": shown, **about}
            )
        return Done(update)

    def blocks(self) -> Done:
        """Blocks the bot: it is told so, and cannot write to her any more."""
        return self._belongs("kicked")

    def unblocks(self) -> Done:
        return self._belongs("member")

    # -- what comes to her -----------------------------------------------------------------------

    def hears(self, timeout: float = PATIENCE) -> Posted:
        """The next message of the bot that she has not heard yet; waits for it. In a coroutine
        that shares its loop with the bot, `await chat.will_hear()` instead."""
        return self._next(self.room.unheard, timeout, "heard nothing")

    def sees_edit(self, timeout: float = PATIENCE) -> Posted:
        """The next message that the bot changed, as it is now."""
        return self._next(self.room.unseen_edits, timeout, "saw no message change")

    async def will_hear(self, timeout: float = PATIENCE) -> Posted:
        return await asyncio.to_thread(self.hears, timeout)

    async def will_see_edit(self, timeout: float = PATIENCE) -> Posted:
        return await asyncio.to_thread(self.sees_edit, timeout)

    def hears_nothing(self, seconds: float = 0.3) -> None:
        with self.telegram.changed:
            self.telegram.changed.wait_for(lambda: bool(self.room.unheard), seconds)
            heard = [posted.words for posted in self.room.unheard]
        assert heard == [], f"{self.name} heard {heard}"

    def answer_to(self, pressed: Done) -> dict[str, Any] | None:
        """How the bot answered a press, None while the wheel still turns."""
        with self.telegram.changed:
            return self.telegram.presses[pressed.update["callback_query"]["id"]].answer

    @property
    def actions(self) -> list[str]:
        """What the bot was shown doing, like record_voice."""
        with self.telegram.changed:
            return list(self.room.actions)

    # -- inside ----------------------------------------------------------------------------------

    def _next(self, posted: deque[Posted], timeout: float, otherwise: str) -> Posted:
        with self.telegram.changed:
            came = self.telegram.changed.wait_for(lambda: bool(posted), timeout)
            assert came, f"{self.name} {otherwise} in {timeout} s"
            return posted.popleft()

    def _sends(self, **content: Any) -> Done:
        if self.room.has_blocked:
            self.unblocks()
        with self.telegram.changed:
            self.room.has_written = True
            posted = self.telegram.post(self.room, self.user, **content)
            return Done(self.telegram.updates.add("message", posted.now), posted)

    def _edits(self, done: Done, **content: Any) -> Done:
        assert done.posted is not None
        with self.telegram.changed:
            edited = {**done.posted.now, **content, "edit_date": int(self.telegram.now())}
            done.posted.versions.append(edited)
            return Done(self.telegram.updates.add("edited_message", edited), done.posted)

    def _file(self, data: bytes, kind: str, size: int | None = None) -> dict[str, Any]:
        with self.telegram.changed:
            return self.telegram.store(data, kind, size).about

    def _unseen(self, message_id: int) -> dict[str, Any]:
        return {"chat": self.room.about, "message_id": message_id, "date": 0}

    def _belongs(self, status: str) -> Done:
        with self.telegram.changed:
            before = self.room.status
            self.room.belongs(status)
            change = self.room.membership(self.user, before, int(self.telegram.now()))
            return Done(self.telegram.updates.add("my_chat_member", change))


@dataclass(frozen=True)
class Group:
    """A group chat that the bot is in."""

    telegram: Telegram
    room: Room

    @classmethod
    def opened(cls, telegram: Telegram, chat_id: int, title: str) -> Group:
        assert chat_id < 0, "groups have numbers below zero"
        about = {"id": chat_id, "type": "supergroup", "title": title}
        with telegram.changed:
            return cls(telegram, telegram.rooms.setdefault(chat_id, Room(about)))

    def member(self, person: Chat) -> Chat:
        """This person within the group, doing what she does there."""
        return replace(person, room=self.room)

    def brings_in_the_bot(self, person: Chat) -> Done:
        """Somebody makes the bot a member."""
        with self.telegram.changed:
            self.room.belongs("left")
        return self.member(person)._belongs("member")
