"""Who is in a chat, from the village's own books; and what the channel writes into them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Callable, Optional, Set, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from actions.timebank import alerts, channels
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import BindingId, MemberId
from actions.timebank.notices import tell_staff
from actions.timebank.session import Village
from actions.timebank.states import Channel
from bot.turn_types import Button

logger = logging.getLogger(__name__)

HERE = Channel.TELEGRAM
STRANGERS_A_DAY = 10
"""So many of them staff are told of; a flood of strangers must not drown what matters."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Guest:
    """A private chat. Nothing in it came from the words or names in a message."""

    address: str
    member: Optional[MemberId] = None
    binding: Optional[BindingId] = None
    joining_as: Optional[str] = None
    """The name that this chat is being asked about."""

    @property
    def is_known(self) -> bool:
        return self.member is not None and self.binding is not None


class Guests:
    def __init__(self, village: Village) -> None:
        self._village = village
        self._strangers_told: Set[str] = set()
        self._strangers_day: Optional[date] = None

    async def who(self, address: str) -> Guest:
        """Whoever this chat is bound to; she can be reached again, since she writes."""

        def look(session: Session, now: datetime) -> Guest:
            asked = channels.joining(session, channel=HERE, address=address, now=now)
            name = asked.name if asked else None
            binding = channels.binding_at(session, channel=HERE, address=address)
            if binding is None:
                return Guest(address, joining_as=name)
            channels.mark_reachable(session, BindingId(binding.id), now=now)
            return Guest(address, MemberId(binding.member_id), BindingId(binding.id), name)

        return await self.write(look)

    async def show_card(self, address: str, code: str) -> str:
        """The name on the card. Raises CardUnknown, CardUsed, CardExpired, TooManyTries."""

        def count(session: Session, now: datetime) -> None:
            channels.count_try(session, channel=HERE, address=address, now=now)

        def show(session: Session, now: datetime) -> str:
            shown = channels.show_card(session, code=code, channel=HERE, address=address, now=now)
            return str(shown.name)

        await self.write(count)
        return await self.write(show)

    async def join(self, address: str) -> None:
        """Raises NothingOpen when nobody is being asked any more."""
        await self.write(
            lambda session, now: channels.join(session, channel=HERE, address=address, now=now)
        )

    async def stop_joining(self, address: str) -> None:
        await self.write(
            lambda session, now: channels.stop_joining(
                session, channel=HERE, address=address, now=now
            )
        )

    async def press(self, address: str, token: str) -> Button:
        """What the pressed button means. Raises ButtonNotYours, ButtonGone."""

        def press(session: Session, now: datetime) -> Button:
            sent = channels.press(session, channel=HERE, address=address, token=token, now=now)
            return Button(sent.title, sent.payload)

        return await self.write(press)

    async def questions_are_over(self, binding: BindingId, keep: str) -> None:
        """The buttons of earlier answers die; those of notices speak for themselves."""
        try:
            await self.write(
                lambda session, now: channels.kill_earlier(
                    session, binding_id=binding, starting=f"{HERE.value}:", keep=keep, now=now
                )
            )
        except SQLAlchemyError:
            # Her answer matters more.
            logger.exception("the older buttons of binding %s still act", binding)

    async def set_place(self, member: MemberId, latitude: float, longitude: float) -> bool:
        """`SetPlace`: whether it became the place of an open emergency of hers. Raises BadPlace."""

        def place(session: Session, now: datetime) -> bool:
            alarm = alerts.set_place(
                session, member=member, latitude=latitude, longitude=longitude, now=now
            )
            return alarm is not None

        return await self.write(place)

    async def blocked_us(self, address: str) -> None:
        def mark(session: Session, now: datetime) -> None:
            binding = channels.binding_at(session, channel=HERE, address=address)
            if binding is not None:
                channels.mark_unreachable(session, BindingId(binding.id), now=now)

        await self.write(mark)

    async def stranger_came(self, address: str) -> None:
        """Staff are told once a day of each unknown chat; never who it says it is."""
        day = self._village.clock().astimezone(VILLAGE_ZONE).date()
        if day != self._strangers_day:
            self._strangers_day, self._strangers_told = day, set()
        if address in self._strangers_told or len(self._strangers_told) >= STRANGERS_A_DAY:
            return
        self._strangers_told.add(address)
        about = f"{HERE.value}:{address}:{day}"
        await self.write(
            lambda session, now: tell_staff(session, "staff_stranger", about=about, now=now)
        )

    # -- `updates.Seen` ------------------------------------------------------------------------

    async def begin(self, update_id: int) -> bool:
        try:
            return await self.write(
                lambda session, now: channels.begin_update(
                    session, channel=HERE, update_id=update_id, now=now
                )
            )
        except SQLAlchemyError:
            # Better answered twice than not at all; the turn's id keeps it from acting twice.
            logger.exception("whether update %s was answered before is not known", update_id)
            return True

    async def finish(self, update_id: int) -> None:
        try:
            await self.write(
                lambda session, now: channels.finish_update(
                    session, channel=HERE, update_id=update_id, now=now
                )
            )
        except SQLAlchemyError:
            logger.exception("that update %s was answered could not be stored", update_id)

    async def write(self, act: Callable[[Session, datetime], Result]) -> Result:
        """Runs a short unit of work off the event loop."""

        def work() -> Any:
            with self._village.transaction() as session:
                return act(session, self._village.clock())

        result: Result = await asyncio.to_thread(work)
        return result
