"""One update in, one answer out: who it is from, what it is, and who takes it from there."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime, timedelta, timezone
from typing import Awaitable, Callable, Deque, Dict, Optional, Sequence, Set, Tuple

from sqlalchemy.exc import SQLAlchemyError
from telegram import CallbackQuery, Chat, ChatMemberUpdated, Location, Message, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from actions.timebank.errors import ButtonGone, Refusal
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.states import TurnOutcome
from bot.channels.telegram import CHANNEL, joining, kinds
from bot.channels.telegram.bot_api import Bot
from bot.channels.telegram.guests import Guest, Guests
from bot.channels.telegram.joining import Joining, Listening
from bot.channels.telegram.outgoing import LONGEST_CAPTION, Post
from bot.channels.telegram.strangers import Strangers
from bot.messenger import Push
from bot.phrases import Phrases
from bot.turn_types import Button, Turns, Utterance
from bot.words import Refused
from voice.types import VoiceError

logger = logging.getLogger(__name__)

COMMANDS = {"/start": "你好", "/help": "帮助", "/stop": "停"}
"""What Telegram's own commands say. Any other stroke is taken off: only a real button acts as
one."""
GONE = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)
LATE = timedelta(minutes=10)
"""Words that were so long on their way, because a line was away, are answered with saying so."""
CUT_OFF = "still_working"
"""A turn of this very message was begun and not ended: in a chat that goes one by one, the machine
stopped in the middle of it."""

SetPlace = Callable[[MemberId, float, float], Awaitable[bool]]
"""Where a member says she is; whether it became the place of an open alarm of hers."""


class Incoming:
    def __init__(
        self,
        *,
        bot: Bot,
        turns: Turns,
        guests: Guests,
        post: Post,
        phrases: Phrases,
        listening: Listening,
        set_place: SetPlace,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._bot = bot
        self._wall_clock = wall_clock
        self._turns = turns
        self._guests = guests
        self._post = post
        self._phrases = phrases
        self._listening = listening
        self._set_place = set_place
        self._joining = Joining(guests, post, phrases)
        self._strangers = Strangers(guests, post, phrases)
        self._albums: Dict[str, str] = {}
        """The last album of each chat: its pictures come one by one and get one answer."""
        self._places: Dict[str, Tuple[float, float]] = {}
        """Where each chat was last, to about a hundred metres."""
        self._settled: Deque[Tuple[int, int]] = deque(maxlen=1_000)
        """Messages whose buttons were taken away; a fast finger still sees them."""
        self._beside: Set[asyncio.Task[None]] = set()

    async def answer(self, update: Update) -> None:
        """Nothing ends in silence, whatever happens. Raises NetworkError or RetryAfter when the
        answer could not leave."""
        try:
            await self._answer(update)
        except Forbidden:
            chat = update.effective_chat
            logger.info("chat %s has blocked us", chat and chat.id)
            if chat is not None:
                await self._guests.blocked_us(str(chat.id))
        except (RetryAfter, NetworkError) as away:
            if not isinstance(away, BadRequest):
                raise
            logger.exception("Telegram refused something of %s", _about(update))
            await self._apologise(update)
        except (Refusal, Refused) as refusal:
            await self._refuse(update, refusal.code)
        except Exception:
            # The one place where a bug ends: logged with its turn, answered with an apology.
            logger.exception("%s failed", _about(update))
            await self._apologise(update)

    async def _answer(self, update: Update) -> None:
        chat, person = update.effective_chat, update.effective_user
        if chat is None:
            return
        if chat.type != ChatType.PRIVATE:
            return await self._leave(chat, update.my_chat_member)
        if person is None or person.is_bot or person.id != chat.id:
            return
        if update.my_chat_member is not None:
            if update.my_chat_member.new_chat_member.status == ChatMemberStatus.BANNED:
                await self._guests.blocked_us(str(chat.id))
            else:
                await self._guests.who(str(chat.id))
            return
        guest = await self._guests.who(str(chat.id))
        if update.callback_query is not None:
            await self._pressed(guest, update.callback_query)
        elif update.edited_message is not None:
            await self._edited(guest, update.edited_message)
        elif update.message is not None:
            await self._message(guest, update.message)

    # -- messages ------------------------------------------------------------------------------

    async def _message(self, guest: Guest, message: Message) -> None:
        about = _turn(message)
        words = message.text or ""
        command, _, rest = words.partition(" ")
        command = command.partition("@")[0]
        if command == "/start" and rest and not kinds.is_anothers(message):
            return await self._show_card(guest, rest.strip(), about)
        if guest.joining_as is not None and await self._may_be_joining(guest, message, about):
            return
        if not guest.is_known:
            return await self._strangers.greet(guest.address, about)
        if kinds.is_anothers(message):
            return await self._say(guest, "utter_telegram_forwarded", about)
        if message.location is not None:
            return await self._located(guest, message.location, about)
        if message.voice is not None:
            return await self._turn(guest, about, voice=message, said_at=message.date)
        if words:
            text = COMMANDS.get(command) or words.lstrip("/ ")
            return await self._turn(guest, about, text=text, said_at=message.date)
        if self._is_told_already(guest, message):
            return
        await self._say(guest, kinds.other_kind(message), about)

    async def _turn(
        self,
        guest: Guest,
        turn: TurnId,
        *,
        text: Optional[str] = None,
        voice: Optional[Message] = None,
        said_at: Optional[datetime] = None,
    ) -> None:
        assert guest.member is not None and guest.binding is not None
        async with self._post.working(guest.address):
            audio = await self._fetch(voice) if voice is not None else None
            is_late = said_at is not None and self._wall_clock() - said_at > LATE
            answer = await self._turns.take(
                Utterance(turn, guest.member, CHANNEL, audio=audio, text=text, is_late=is_late)
            )
            reply = answer.reply
            if answer.code == CUT_OFF:
                reply = self._phrases.text("utter_telegram_cut_off")
            if is_late:
                reply = self._phrases.text("utter_telegram_late") + reply
            if answer.outcome is TurnOutcome.ANSWERED:
                await self._guests.questions_are_over(guest.binding, keep=turn)
            await self._tell(guest, reply, turn, answer.buttons)

    async def _fetch(self, message: Message) -> bytes:
        """The sound of a voice note. Raises Refused."""
        assert message.voice is not None
        refused = kinds.refused_voice(message.voice)
        if refused is not None:
            raise Refused(refused)
        try:
            file = await self._bot.get_file(message.voice.file_id)
            return bytes(await file.download_as_bytearray())
        except BadRequest as wrong:
            logger.info("a voice note cannot be fetched: %s", wrong)
            raise Refused("too_large" if "too big" in wrong.message else "not_audio") from wrong

    async def _located(self, guest: Guest, place: Location, about: str) -> None:
        taken = await self._is_at(guest, place)
        await self._say(
            guest, "utter_telegram_place_taken" if taken else "utter_telegram_place", about
        )

    async def _is_at(self, guest: Guest, place: Location) -> bool:
        assert guest.member is not None
        self._places[guest.address] = (round(place.latitude, 3), round(place.longitude, 3))
        return await self._set_place(guest.member, place.latitude, place.longitude)

    async def _edited(self, guest: Guest, message: Message) -> None:
        """What was said first was acted on; said anew it would be acted on twice."""
        about = f"{_turn(message)}:edited:{message.edit_date}"
        if not guest.is_known:
            return await self._strangers.greet(guest.address, about)
        place = message.location
        if place is None:
            return await self._say(guest, "utter_telegram_edited", about)
        # A live location comes every few seconds: followed by hundreds of metres, not answered.
        if self._places.get(guest.address) != (round(place.latitude, 3), round(place.longitude, 3)):
            await self._is_at(guest, place)

    def _is_told_already(self, guest: Guest, message: Message) -> bool:
        album = message.media_group_id
        if album is None:
            return False
        before, self._albums[guest.address] = self._albums.get(guest.address), album
        return before == album

    # -- joining -------------------------------------------------------------------------------

    async def _show_card(self, guest: Guest, code: str, about: str) -> None:
        try:
            await self._joining.show_card(guest.address, code, about)
        except Refusal:
            # Who guesses at cards is not answered for ever.
            if guest.is_known or self._strangers.may_hear(guest.address):
                raise

    async def _may_be_joining(self, guest: Guest, message: Message, about: str) -> bool:
        """Whether this was taken as an answer to the question for the name. Who is bound already
        and talks of other things goes on as before."""
        assert guest.joining_as is not None
        said_yes = await self._yes_or_no(guest, message)
        if said_yes is None and guest.is_known:
            await self._guests.stop_joining(guest.address)
            return False
        await self._joining.answer(guest, said_yes, about)
        return True

    async def _yes_or_no(self, guest: Guest, message: Message) -> Optional[bool]:
        assert guest.joining_as is not None
        if kinds.is_anothers(message):
            return None
        if message.voice is None:
            return joining.says_yes(message.text or "", guest.joining_as)
        async with self._post.working(guest.address):
            try:
                words, is_clear = await self._listening.listen(await self._fetch(message))
            except (Refused, VoiceError) as problem:
                logger.info("a voice note while joining was not heard: %s", problem.code)
                return None
        return joining.says_yes(words, guest.joining_as) if is_clear else None

    # -- buttons -------------------------------------------------------------------------------

    async def _pressed(self, guest: Guest, query: CallbackQuery) -> None:
        """The press is acknowledged at once and beside the turn: her finger waits for it."""
        message, token = query.message, query.data or ""
        self._aside(query.answer())
        if message is None:
            return
        about = f"{CHANNEL}:{guest.address}:press:{query.id}"
        if token in (joining.YES, joining.NO):
            self._aside(self._take_buttons_away(query))
            if guest.joining_as is None:
                raise ButtonGone("nobody is joining here any more")
            return await self._joining.answer(guest, token == joining.YES, about)
        if not guest.is_known:
            return await self._strangers.greet(guest.address, about)
        turn = TurnId(f"{CHANNEL}:{guest.address}:button:{token}")
        if self._post.was_sent(guest.address, turn):
            return
        try:
            button = await self._guests.press(guest.address, token)
        except ButtonGone:
            self._aside(self._take_buttons_away(query))
            raise
        await self._turn(guest, turn, text=button.payload)
        # After the answer: Telegram takes one message a second in a chat, and an edit is one.
        self._aside(self._take_buttons_away(query, button.title))

    async def _take_buttons_away(self, query: CallbackQuery, chosen: str = "") -> None:
        """Shows which was pressed instead of them, where the words are still known."""
        message = query.message
        if message is None or (message.chat.id, message.message_id) in self._settled:
            return
        self._settled.append((message.chat.id, message.message_id))
        if not isinstance(message, Message):
            await query.edit_message_reply_markup(None)
            return
        if message.reply_markup is None:
            return
        if not chosen:
            await query.edit_message_reply_markup(None)
            return
        shown = "\n" + self._phrases.text("utter_telegram_chosen", title=chosen)
        if message.text is not None:
            await query.edit_message_text(message.text + shown)
        else:
            await query.edit_message_caption(
                (message.caption or "")[: LONGEST_CAPTION - len(shown)] + shown
            )

    def _aside(self, call: Awaitable[object]) -> None:
        """Something that may fail without harm, such as an edit of a message that is gone."""

        async def quietly() -> None:
            try:
                await call
            except TelegramError as error:
                logger.info("not shown at a button: %s", error)

        task = asyncio.create_task(quietly())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    # -- what is said besides answers ----------------------------------------------------------

    async def _say(self, guest: Guest, response: str, about: str) -> None:
        await self._tell(guest, self._phrases.text(response), about)

    async def _tell(
        self, guest: Guest, text: str, about: str, buttons: Sequence[Button] = ()
    ) -> None:
        if guest.member is None or guest.binding is None:
            await self._post.say(guest.address, text, about)
        else:
            push = Push(about, guest.binding, guest.address, guest.member, text, buttons)
            await self._post.post(push)

    async def _refuse(self, update: Update, code: str) -> None:
        response = f"utter_refused_{code}"
        if response not in self._phrases:
            logger.error("%s: there are no words for %s", _about(update), code)
            response = "utter_apology"
        await self._apologise(update, response)

    async def _apologise(self, update: Update, response: str = "utter_apology") -> None:
        chat = update.effective_chat
        if chat is None or chat.type != ChatType.PRIVATE:
            return
        guest = Guest(str(chat.id))
        try:
            guest = await self._guests.who(guest.address)
        except SQLAlchemyError:
            logger.exception("who is in chat %s is not known", chat.id)
        try:
            await self._say(guest, response, f"{_about(update)}:{response}")
        except Forbidden:
            logger.info("chat %s has blocked us", chat.id)

    async def _leave(self, chat: Chat, change: Optional[ChatMemberUpdated]) -> None:
        """Groups are not served: everybody there would hear what one says."""
        if change is not None and change.new_chat_member.status in GONE:
            return
        try:
            if chat.type != ChatType.CHANNEL:
                text = self._phrases.text("utter_telegram_no_groups")
                await self._post.say(str(chat.id), text, f"{CHANNEL}:{chat.id}:leaving")
            await chat.leave()
        except (Forbidden, BadRequest) as error:
            logger.info("not in group %s any more: %s", chat.id, error)


def _turn(message: Message) -> TurnId:
    return TurnId(f"{CHANNEL}:{message.chat.id}:{message.message_id}")


def _about(update: Update) -> str:
    """The turn, for the log; the update where there is none."""
    message = update.effective_message
    if update.callback_query is not None or message is None:
        return f"update {update.update_id}"
    return _turn(message) if isinstance(message, Message) else f"update {update.update_id}"
