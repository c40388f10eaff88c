"""Joining by voice: is the person in this chat the one whose card was scanned?"""

from __future__ import annotations

import asyncio
import re
from typing import Dict, Optional, Protocol, Tuple

from bot.channels.telegram.guests import Guest, Guests
from bot.channels.telegram.outgoing import Post, keyboard_of
from bot.ears import Ears, Heard
from bot.nlu.sounds import distance, folded
from bot.phrases import Phrases

YES, NO = "join:yes", "join:no"
"""What the two buttons send; a token of `SentButton` holds no colon."""
TRIES = 2
"""Questions before a person is sent for."""
NOISE = re.compile(r"[\s，。、！？!?.,]")
SAYS_YES = re.compile("(?=.*[对是嗯好行错])(?:对+|是+|嗯+|好|行|没错|就|的|我|啊|呀|嘛|了)+")
SAYS_NO = re.compile("不|没有|错|别|弄混")
LEADS_TO_NAME = re.compile("(?:对+|是+|嗯+|没错|就|的|我|俺|叫|啊|呀|哎)*")
ALIKE = 0.25
"""How far a heard name may sound from the one on the card. 王 and 张 lie 0.5 apart: 张秀英 must not
become 王秀英 by saying her own name."""


class Listening(Protocol):
    async def listen(self, sound: bytes) -> Tuple[str, bool]:
        """What is said, and whether it was heard clearly; kept nowhere. Raises VoiceError."""


class Listener:
    """`Listening` with the village's own ears."""

    def __init__(self, ears: Ears, least_confidence: float) -> None:
        self._ears = ears
        self._least_confidence = least_confidence

    async def listen(self, sound: bytes) -> Tuple[str, bool]:
        heard = await asyncio.to_thread(self._ears.recognize, sound, Heard())
        return heard.text, (heard.confidence or 0.0) >= self._least_confidence


class Joining:
    def __init__(self, guests: Guests, post: Post, phrases: Phrases) -> None:
        self._guests = guests
        self._post = post
        self._phrases = phrases
        self._asked: Dict[str, int] = {}

    async def show_card(self, address: str, code: str, about: str) -> None:
        """Raises Refusal."""
        name = await self._guests.show_card(address, code)
        self._asked[address] = 1
        await self._ask("utter_telegram_join_question", address, name, about)

    async def answer(self, guest: Guest, said_yes: Optional[bool], about: str) -> None:
        """Takes a yes or a no; anything else is asked once more. Raises NothingOpen when she took
        longer than the card waits."""
        assert guest.joining_as is not None, "only asked while joining"
        if said_yes:
            await self._guests.join(guest.address)
            response = "utter_telegram_joined"
        elif said_yes is None and self._asked.get(guest.address, 1) < TRIES:
            self._asked[guest.address] = TRIES
            return await self._ask(
                "utter_telegram_join_again", guest.address, guest.joining_as, about
            )
        else:
            await self._guests.stop_joining(guest.address)
            no = said_yes is False
            response = "utter_telegram_join_not_her" if no else "utter_telegram_join_staff"
        self._asked.pop(guest.address, None)
        await self._post.say(guest.address, self._phrases.text(response), about)

    async def _ask(self, response: str, address: str, name: str, about: str) -> None:
        text, buttons = self._phrases.say(response, name=name)
        keyboard = keyboard_of(
            [(button.title, data) for button, data in zip(buttons, (YES, NO), strict=True)]
        )
        await self._post.say(address, text, about, keyboard=keyboard)


def says_yes(words: str, name: str) -> Optional[bool]:
    """Whether these words say that she is the one of this name: 对, 我是王桂兰, 就是我. None when
    they say neither; 我是王桂兰的儿子 says neither."""
    said = NOISE.sub("", words)
    if SAYS_NO.search(said.replace("没错", "")):
        return False
    if SAYS_YES.fullmatch(said):
        return True
    for called in (name, name[1:] if len(name) > 2 else name):
        before, heard = said[: -len(called)], said[-len(called) :]
        if LEADS_TO_NAME.fullmatch(before) and distance(folded(heard), folded(called)) <= ALIKE:
            return True
    return None
