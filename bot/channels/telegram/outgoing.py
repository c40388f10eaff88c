"""What goes out to a chat: voice notes with their words, and at most two big buttons.

The one door for answers and notices. Where no voice can be made the words go out all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, AsyncIterator, Callable, List, Optional, Sequence, Tuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputFile, Message
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError

from actions.timebank import channels, members
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import ChannelBinding
from actions.timebank.session import Village
from bot.channels.telegram.bot_api import Bot
from bot.messenger import Push
from bot.mouth import Mouth
from voice.types import Delivery, VoiceError

logger = logging.getLogger(__name__)

LONGEST_CAPTION = 1_024
LONGEST_NOTE = 160
"""字 in one voice note, about a minute: somebody who wants to hear it again hears it soon."""
BUTTONS_LAST = timedelta(days=2)
ACTION_SECONDS = 4.0
"""Telegram shows 正在录音 for five."""
REMEMBERED = 1_000
"""Messages of which it is known how far they went out."""
READY = 64
"""Messages that are kept ready to be sent."""
PLAIN: Tuple[Delivery, Optional[InlineKeyboardMarkup]] = (Delivery(), None)
"""How a message goes out while the database is away."""

Done = TypeVar("Done")


@dataclass
class _Sent:
    """How far a message went out: one that was cut off goes on where it ended."""

    notes: List[int] = field(default_factory=list)
    is_whole: bool = False


@dataclass(frozen=True)
class _Ready:
    """A message of which only the sending is left."""

    push: Push
    delivery: Delivery
    keyboard: Optional[InlineKeyboardMarkup]
    sounds: Sequence[Optional[bytes]] = ()


class Post:
    def __init__(self, bot: Bot, village: Village, mouth: Mouth) -> None:
        self._bot = bot
        self._village = village
        self._mouth = mouth
        self._sent: OrderedDict[Tuple[str, str], _Sent] = OrderedDict()
        self._ready: OrderedDict[Tuple[str, str], _Ready] = OrderedDict()

    def spoken(self, text: str) -> str:
        """Canonical facts as they are said and shown."""
        return self._mouth.spoken(text)

    async def prepare(self, push: Push) -> None:
        """Makes ahead all of what will soon be posted: nothing but the network is left then."""
        dressed = await self._dress(push)
        notes = notes_of(self._mouth.sentences(push.text))
        sounds = [await self._sound(sentences, dressed.delivery) for sentences in notes]
        self._ready[push.address, push.about] = replace(dressed, sounds=sounds)
        while len(self._ready) > READY:
            self._ready.popitem(last=False)

    async def post(self, push: Push) -> int:
        """Says its text, which `Mouth.spoken` has prepared, to a bound member, at her pace; the id
        of the last message. The same `about` again sends nothing that was sent before.

        Raises telegram.error.*"""
        ready = self._ready.pop((push.address, push.about), None)
        if ready is None or ready.push != push:
            ready = await self._dress(push)
        return await self.say(
            push.address,
            push.text,
            push.about,
            keyboard=ready.keyboard,
            delivery=ready.delivery,
            sounds=ready.sounds,
        )

    async def say(
        self,
        address: str,
        text: str,
        about: str,
        *,
        keyboard: Optional[InlineKeyboardMarkup] = None,
        delivery: Optional[Delivery] = None,
        sounds: Sequence[Optional[bytes]] = (),
    ) -> int:
        """The same to any chat. `sounds` are its notes as far as they are spoken already."""
        sent = self._known(address, about)
        notes = notes_of(self._mouth.sentences(text))
        if not notes:
            raise ValueError(f"there is nothing to say about {about}")
        for number in range(len(sent.notes), len(notes)):
            is_last = number == len(notes) - 1
            message = await self._send(
                int(address),
                notes[number],
                keyboard if is_last else None,
                delivery or Delivery(),
                sounds[number] if number < len(sounds) else None,
            )
            sent.notes.append(message.message_id)
            sent.is_whole = is_last
        return sent.notes[-1]

    def was_sent(self, address: str, about: str) -> bool:
        """Whether something about it went out since the program started."""
        return (address, about) in self._sent and self._sent[address, about].is_whole

    @asynccontextmanager
    async def working(self, address: str) -> AsyncIterator[None]:
        """Shows that a voice message is being recorded, for as long as it takes."""
        shown = asyncio.create_task(self._show_work(int(address)))
        try:
            yield
        finally:
            shown.cancel()

    async def _show_work(self, chat: int) -> None:
        while True:
            try:
                await self._bot.send_chat_action(chat, ChatAction.RECORD_VOICE)
            except TelegramError as error:
                logger.debug("chat %s was not shown that work goes on: %s", chat, error)
            await asyncio.sleep(ACTION_SECONDS)

    async def _send(
        self,
        chat: int,
        sentences: Sequence[str],
        keyboard: Optional[InlineKeyboardMarkup],
        delivery: Delivery,
        sound: Optional[bytes],
    ) -> Message:
        words = "".join(sentences)
        sound = sound or await self._sound(sentences, delivery)
        if sound is not None:
            note = InputFile(sound, filename="xiaobang.ogg")
            try:
                return await self._bot.send_voice(chat, note, caption=words, reply_markup=keyboard)
            except BadRequest as refused:
                # This person's settings let in no voice messages.
                if "voice" not in refused.message.lower():
                    raise
        return await self._bot.send_message(chat, words, reply_markup=keyboard)

    async def _sound(self, sentences: Sequence[str], delivery: Delivery) -> Optional[bytes]:
        try:
            speech = await asyncio.to_thread(self._mouth.speech, sentences, delivery, "ogg")
            return speech.data
        except VoiceError:
            logger.exception("an answer goes out without its voice")
        except Exception:
            # An engine broke in a way of its own: the words still go out.
            logger.exception("a bug in the voice: the answer goes out without it")
        return None

    def _known(self, address: str, about: str) -> _Sent:
        sent = self._sent.setdefault((address, about), _Sent())
        self._sent.move_to_end((address, about))
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return sent

    async def _dress(self, push: Push) -> _Ready:
        """With her pace, and the buttons under it."""
        delivery, keyboard = await self._in_village(self._looks_of, PLAIN, push)
        return _Ready(push, delivery, keyboard)

    def _looks_of(
        self, session: Session, push: Push
    ) -> Tuple[Delivery, Optional[InlineKeyboardMarkup]]:
        return _delivery(session, push.member), self._keyboard(session, push)

    def _keyboard(self, session: Session, push: Push) -> Optional[InlineKeyboardMarkup]:
        binding = session.get(ChannelBinding, push.binding_id) if push.buttons else None
        if binding is None:
            return None
        made = channels.make_buttons(
            session,
            binding=binding,
            about=push.about,
            buttons=[(button.title, button.payload) for button in push.buttons],
            now=self._village.clock(),
            lasts=BUTTONS_LAST,
        )
        return keyboard_of([(one.title, one.token) for one in made])

    async def _in_village(self, act: Callable[..., Done], otherwise: Done, *given: Any) -> Done:
        def work() -> Done:
            with self._village.transaction() as session:
                return act(session, *given)

        try:
            return await asyncio.to_thread(work)
        except SQLAlchemyError:
            # What is to be said matters more than its pace or its buttons.
            logger.exception("the database is away; the answer goes out plainly")
            return otherwise


def notes_of(sentences: Sequence[str]) -> List[List[str]]:
    """Sentences put together into notes that are neither too long to hear nor for a caption."""
    notes: List[List[str]] = []
    for sentence in sentences:
        for piece in _pieces(sentence):
            if notes and sum(map(len, notes[-1])) + len(piece) <= LONGEST_NOTE:
                notes[-1].append(piece)
            else:
                notes.append([piece])
    return notes


def keyboard_of(buttons: Sequence[Tuple[str, str]]) -> InlineKeyboardMarkup:
    """Titles and what they send: one a row, so that each is as wide as the screen."""
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(title, callback_data=data)] for title, data in buttons[:2]]
    )


def _pieces(sentence: str) -> List[str]:
    # Half of what a caption holds, since letters outside the common plane count twice.
    most = LONGEST_CAPTION // 2
    return [sentence[start : start + most] for start in range(0, len(sentence), most)]


def _delivery(session: Session, member: MemberId) -> Delivery:
    try:
        return Mouth.delivery_for(members.member(session, member))
    except UnknownMember:
        return Delivery()
