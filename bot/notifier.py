"""The notifier: brings people what is queued for them through their messenger.

Each notice is told once, in order for each person. That cannot be promised alone: a messenger
such as Telegram knows no message of ours by a name of our own, so when this program dies, or the
line does, between its taking a message and our writing that down, nobody can know whether it
arrived. Of the two mistakes left, telling twice is the smaller one: an elder shrugs at it, while
words that never came leave her waiting for nobody. So what is unknown is told again, and this is
done to make it rare and harmless:

- Words and sound are ready, and the messenger's limits let it leave, before a delivery is marked
  `sending`: what waited and never left is no try. The commit of `sent` follows the network call at
  once, and is tried again when the database is busy.
- After the line broke nothing is sent to try it: `Messenger.reachable` asks a harmless question.
- A line that broke before anything left is no unknown: it is told later, as often as it takes.
- A second copy carries the same buttons: whichever is pressed, it is the same press and turn.
- A delivery left `sending` is taken up after 90 seconds, when whoever sent it is surely gone;
  urgent ones at once when a notifier starts: an emergency told twice harms nobody.
- After three tries that may have arrived it is not sent again; the staff are told instead.
- A notifier that is stopped lets what is under way land first.

Several notifiers may run: a delivery begins by compare-and-set, and the database lets only one
message at a time of each person's queue be `sending`.

Urgent notices go first and are not held up by ordinary ones, which keep quiet hours. A question
that is over before it was sent is not put; one that was sent has its message changed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, AsyncContextManager, Awaitable, Callable, Dict, List, Optional, TypeVar

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from actions.timebank import deliveries
from actions.timebank.ids import BindingId, DeliveryId, MemberId, NoticeId
from actions.timebank.model import ChannelBinding, Delivery
from actions.timebank.session import Village
from actions.timebank.states import Channel
from bot.messenger import Blocked, Messenger, Push, RateLimited, Refused, Unreachable
from bot.notices import told
from bot.phrases import Phrases

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between looks into the outbox: what is queued is on its way a second later."""
AT_ONCE = 32
"""People told at the same time: enough to keep thirty messages a second flowing over a line of
most of a second, and to fill one chat's second with others'."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds; an emergency must not wait long for a line that is back."""
LANDING_SECONDS = 10.0
"""What is under way has so long to end when the program stops."""
WRITTEN_DOWN_WITHIN = 5
"""Tries to write down how it ended, a second and more apart."""

Done = TypeVar("Done")
Ending = Callable[..., Any]
"""One of the verbs that end a try in `deliveries`."""


@dataclass(frozen=True)
class _Due:
    id: DeliveryId
    binding_id: BindingId
    push: Optional[Push]
    """None when there are no words for it."""
    is_wanted: bool
    """Whether it is worth the trouble of preparing."""


class Notifier:
    def __init__(
        self,
        village: Village,
        messenger: Messenger,
        phrases: Phrases,
        *,
        channel: Channel,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        at_once: int = AT_ONCE,
    ) -> None:
        self._village = village
        self._messenger = messenger
        self._phrases = phrases
        self._channel = channel
        self._sleep = sleep
        self._chance = chance
        self._at_once = at_once
        # One thread: SQLite's writers take turns anyway, and waiting for one's turn is slow.
        self._database = ThreadPoolExecutor(1, thread_name_prefix="notifier")
        self._under_way: Dict[DeliveryId, asyncio.Task[None]] = {}
        self._restarted = True
        self._tidy_at = 0.0
        self._rest = 0.0
        """Seconds that the messenger asked us to be silent for."""
        self._times_away = 0
        """How often in a row the messenger could not be reached."""

    async def run(self) -> None:
        """Delivers for as long as it is not cancelled; then lets what is under way land."""
        try:
            while True:
                try:
                    busy = await self.step()
                except Exception:
                    # The next notice must not be lost to what broke over this one.
                    logger.exception("the outbox could not be delivered; tried again soon")
                    busy = False
                if not busy:
                    await self._sleep(LOOK_EVERY)
        finally:
            await self._land()

    async def step(self) -> bool:
        """Sends on their way whom there is room for and waits until one has landed; False when
        there was nothing to do. Raises SQLAlchemyError when the database is away."""
        if self._rest or self._times_away:
            await self._wait_it_out()
            return True
        room, tidy = self._at_once - len(self._under_way), self._is_time_to_tidy()
        # Looking for several at once costs little more than looking for one.
        if room >= (self._at_once + 1) // 2 or (tidy and room):
            for due in await self._in_database(self._look, room, tidy):
                self._under_way[due.id] = asyncio.create_task(self._tell(due))
        if not self._under_way:
            return False
        landed, _ = await asyncio.wait(
            self._under_way.values(), timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
        )
        self._under_way = {
            number: task for number, task in self._under_way.items() if task not in landed
        }
        for task in landed:
            task.result()
        return True

    async def _wait_it_out(self) -> None:
        if self._rest:
            seconds, self._rest = self._rest, 0.0
            await self._sleep(seconds)
            return
        await self._sleep(self._pause(self._times_away))
        if await self._messenger.reachable():
            self._times_away = 0
        else:
            self._times_away += 1

    async def _land(self) -> None:
        if self._under_way:
            _, still = await asyncio.wait(self._under_way.values(), timeout=LANDING_SECONDS)
            for task in still:
                task.cancel()
        self._database.shutdown(wait=False)

    # -- looking -----------------------------------------------------------------------------------

    def _is_time_to_tidy(self) -> bool:
        """Not for each message that lands while much is under way."""
        now = asyncio.get_running_loop().time()
        if self._under_way and now < self._tidy_at:
            return False
        self._tidy_at = now + LOOK_EVERY
        return True

    def _look(self, room: int, tidy: bool) -> List[_Due]:
        now = self._village.clock()
        if tidy:
            self._tidy()
        with self._village.reading() as session:
            first = deliveries.in_turn(
                session, channel=self._channel, now=now, most=room, busy=list(self._under_way)
            )
            return [
                _Due(
                    DeliveryId(delivery.id),
                    BindingId(binding.id),
                    self._push(session, delivery, binding),
                    deliveries.worth_preparing(session, delivery, now),
                )
                for delivery, binding in first
            ]

    def _tidy(self) -> None:
        with self._village.transaction() as session:
            taken_up = deliveries.tidy(
                session,
                channel=self._channel,
                now=self._village.clock(),
                restarted=self._restarted,
            )
        self._restarted = False
        for delivery in taken_up:
            logger.warning("nobody knows whether delivery %s arrived", delivery)

    def _push(
        self, session: Session, delivery: Delivery, binding: ChannelBinding
    ) -> Optional[Push]:
        question = deliveries.question_of(session, delivery)
        try:
            text, buttons = told(delivery.notice, self._phrases)
        except (KeyError, TypeError, ValueError, IndexError):
            logger.exception("there are no words for notice %s", delivery.notice_id)
            return None
        return Push(
            about=deliveries.about(NoticeId(delivery.notice_id)),
            binding_id=BindingId(binding.id),
            address=binding.address,
            member=MemberId(delivery.member_id),
            text=text,
            buttons=() if question else buttons,
            changes=question.message_id if question else None,
        )

    # -- telling -----------------------------------------------------------------------------------

    async def _tell(self, due: _Due) -> None:
        """One try, from preparing it to writing down how it ended."""
        push = due.push
        turn: AsyncContextManager[None] = nullcontext()
        if push is not None and due.is_wanted:
            await self._prepare(push)
            turn = self._messenger.turn(push)
        try:
            async with turn:
                if self._rest or self._times_away:
                    return  # The line broke while it waited: it is not sent to try it.
                tried = await self._begun(due)
                if tried is None:
                    return
                if push is None:
                    ending: Ending = partial(deliveries.give_up, code="no_words")
                else:
                    ending = await self._try(push, tried)
        except RateLimited as limit:
            # It never left, so nothing is to be written down.
            self._rest = max(self._rest, limit.seconds)
            return
        await self._write_down(ending, due.id, tried)

    async def _begun(self, due: _Due) -> Optional[int]:
        try:
            return await self._in_database(self._begin, due)
        except IntegrityError:
            return None  # Another notifier tells this person something right now.
        except SQLAlchemyError:
            logger.exception("delivery %s could not be begun; tried again soon", due.id)
            return None

    async def _prepare(self, push: Push) -> None:
        try:
            await self._messenger.prepare(push)
        except Exception:
            # Whatever broke there, the words still go out.
            logger.exception("%s goes out unprepared", push.about)

    def _begin(self, due: _Due) -> Optional[int]:
        with self._village.transaction() as session:
            return deliveries.begin(
                session,
                due.id,
                binding_id=due.binding_id,
                now=self._village.clock(),
            )

    async def _try(self, push: Push, tried: int) -> Ending:
        """Sends it; gives what is to be written down."""
        within = deliveries.SEND_WITHIN.total_seconds()
        try:
            message_id = await asyncio.wait_for(self._send(push), within)
            return partial(deliveries.sent, message_id=message_id)
        except Blocked:
            return deliveries.blocked
        except RateLimited as limit:
            self._rest = max(self._rest, limit.seconds)
            return partial(deliveries.not_sent, code="rate_limited", due_at=self._village.clock())
        except Unreachable as away:
            return self._away(tried, unsure=away.unsure)
        except asyncio.TimeoutError:
            return self._away(tried, unsure=True)
        except Refused as refusal:
            logger.warning("%s was refused: %s", push.about, refusal.code)
            if push.changes is not None:
                return partial(deliveries.send_anew, code=refusal.code)
            return partial(deliveries.give_up, code=refusal.code)
        except Exception:
            logger.exception("a bug in the messenger; %s is given up", push.about)
            return partial(deliveries.give_up, code="broken")

    async def _send(self, push: Push) -> str:
        if push.changes is None:
            return await self._messenger.post(push)
        await self._messenger.edit(push)
        return push.changes

    def _away(self, tried: int, *, unsure: bool) -> Ending:
        self._times_away = max(1, self._times_away)
        pause = timedelta(seconds=self._pause(tried) if unsure else 0)
        due_at = self._village.clock() + pause
        return partial(deliveries.not_sent, code="unreachable", due_at=due_at, unsure=unsure)

    async def _write_down(self, ending: Ending, delivery: DeliveryId, tried: int) -> None:
        """What the messenger has must be known here: a busy database is asked again."""

        def write() -> None:
            now = self._village.clock()
            with self._village.transaction() as session:
                ending(session, delivery, tried=tried, now=now)

        for attempt in range(WRITTEN_DOWN_WITHIN):
            try:
                await self._in_database(write)
                return
            except SQLAlchemyError:
                logger.exception("it was not written down how delivery %s ended", delivery)
                await self._sleep(FIRST_PAUSE * (attempt + 1))

    def _pause(self, times: int) -> float:
        """Seconds, twice as long each time, up to a limit; never quite the same."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(times - 1, 10))
        return longest * (0.5 + self._chance() / 2)

    async def _in_database(self, act: Callable[..., Done], *given: Any) -> Done:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, partial(act, *given))
