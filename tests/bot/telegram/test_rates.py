"""Telegram's limits, kept on our side, against a Telegram that counts strictly."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from telegram.error import RetryAfter

from bot.channels.telegram import rates
from bot.channels.telegram.rates import Rates
from tests.virtual_time import run_virtually


@dataclass
class StrictTelegram:
    """Takes a call at a random moment between its coming and its answer, and remembers when."""

    rates: Rates
    latency: tuple[float, float] = (0.0, 0.0)
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    taken: list[tuple[float, str]] = field(default_factory=list)
    called: list[tuple[str, float]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    """RetryAfter for the next calls."""
    breaks: bool = False
    stands_still_until: float = 0.0

    async def call(self, chat: int, endpoint: str = "sendVoice") -> str:
        request = {"callback": self._take, "args": (chat,), "kwargs": {"endpoint": endpoint}}
        data = {"chat_id": chat} if chat else {}
        answer: str = await self.rates.process_request(
            **request, endpoint=endpoint, data=data, rate_limit_args=None
        )
        return answer

    async def call_all(self, chats: Iterable[int]) -> None:
        await asyncio.gather(*(self.call(chat) for chat in chats))

    async def _take(self, chat: int, *, endpoint: str) -> str:
        self.called.append((endpoint, now()))
        await asyncio.sleep(self.chance.uniform(*self.latency))
        await asyncio.sleep(max(0.0, self.stands_still_until - now()))
        if self.pauses:
            raise RetryAfter(self.pauses.pop(0))
        if self.breaks:
            raise ConnectionError
        self.taken.append((now(), str(chat)))
        await asyncio.sleep(self.chance.uniform(*self.latency))
        return "taken"

    @property
    def most_in_a_second(self) -> int:
        return busiest([at for at, _ in self.taken])

    @property
    def most_in_a_chat(self) -> int:
        chats = {chat for _, chat in self.taken}
        return max(busiest([at for at, to in self.taken if to == chat]) for chat in chats)


def busiest(moments: list[float]) -> int:
    """The most of these within any one second."""
    return max(sum(start <= at < start + 1 - 1e-6 for at in moments) for start in moments)


def now() -> float:
    return asyncio.get_running_loop().time()


def telegram(**fields: Any) -> StrictTelegram:
    return StrictTelegram(Rates(clock=now), **fields)


@pytest.mark.parametrize("latency", [(0.0, 0.0), (0.005, 0.02), (0.0, 3.0)])
def test_telegram_never_sees_more_than_thirty_in_a_second(latency: tuple[float, float]) -> None:
    async def village_is_told() -> StrictTelegram:
        there = telegram(latency=latency)
        await there.call_all(range(1, 201))
        return there

    there = run_virtually(village_is_told())
    assert len(there.taken) == 200
    assert there.most_in_a_second <= rates.MESSAGES_A_SECOND


def test_a_thousand_pushes_lose_little_of_what_is_allowed() -> None:
    async def village_is_told() -> float:
        there = telegram(latency=(0.005, 0.01))
        await there.call_all(range(1, 1001))
        return now()

    assert 1000 / rates.MESSAGES_A_SECOND / run_virtually(village_is_told()) >= 0.97


def test_a_long_line_costs_nothing_of_the_rate_once_it_is_known() -> None:
    async def village_is_told() -> StrictTelegram:
        there = telegram(latency=(0.4, 0.405))
        await there.call_all(range(1, 2001))
        return there

    there = run_virtually(village_is_told())
    assert there.most_in_a_second <= rates.MESSAGES_A_SECOND
    assert 2000 / rates.MESSAGES_A_SECOND / there.taken[-1][0] >= 0.95


def test_a_line_that_stood_still_does_not_bring_more_than_thirty_at_once() -> None:
    async def village_is_told() -> StrictTelegram:
        there = telegram(latency=(0.05, 0.05))
        crowd = asyncio.create_task(there.call_all(range(1, 301)))
        await asyncio.sleep(4)
        there.stands_still_until = now() + 3
        await crowd
        return there

    there = run_virtually(village_is_told())
    assert len(there.taken) == 300
    assert there.most_in_a_second <= rates.MESSAGES_A_SECOND


def test_whose_turn_it_is_sends_at_once_and_waits_for_it_outside() -> None:
    async def told() -> list[float]:
        there = telegram()
        await there.call(7)
        moments = []
        async with there.rates.turn("7"):
            moments.append(now())
            await asyncio.wait_for(there.call(7), 60)
            moments.append(now())
            await there.call(7)
            moments.append(now())
        return moments

    first, at_once, another = run_virtually(told())
    assert first == at_once == pytest.approx(rates.A_SECOND)
    assert another == pytest.approx(2 * rates.A_SECOND)


def test_a_turn_that_nobody_used_is_free_for_the_next() -> None:
    async def unused() -> float:
        there = telegram()
        for _ in range(10 * rates.LEAVING):
            async with there.rates.turn("7"):
                pass
        waiting = asyncio.create_task(there.rates.turn("7").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await there.call(8)
        return now()

    assert run_virtually(unused()) < 2


@pytest.mark.parametrize("latency", [(0.0, 0.0), (0.0, 2.0)])
def test_a_chat_gets_one_message_a_second_in_order(latency: tuple[float, float]) -> None:
    async def one_is_told() -> StrictTelegram:
        there = telegram(latency=latency)
        await there.call_all([7, 7, 8, 7, 7])
        return there

    there = run_virtually(one_is_told())
    assert Counter(chat for _, chat in there.taken) == {"7": 4, "8": 1}
    assert there.most_in_a_chat == 1


def test_one_chat_s_queue_holds_up_nobody_else() -> None:
    async def neighbour_s_turn() -> float:
        there = telegram()
        crowd = asyncio.gather(*(there.call(7) for _ in range(20)))
        await asyncio.sleep(0.01)
        await there.call(8)
        told_at = now()
        await crowd
        return told_at

    assert run_virtually(neighbour_s_turn()) < 0.1


@pytest.mark.parametrize("endpoint, chat", [("sendChatAction", 7), ("getFile", 0)])
def test_what_is_no_message_is_not_held_up(endpoint: str, chat: int) -> None:
    async def shown_while_told() -> float:
        there = telegram()
        await there.call(7)
        for _ in range(50):
            await there.call(chat, endpoint)
        return now()

    assert run_virtually(shown_while_told()) == 0


def test_an_edit_counts_as_a_message() -> None:
    async def edited() -> float:
        there = telegram()
        await there.call(7)
        await there.call(7, "editMessageCaption")
        return now()

    assert run_virtually(edited()) == pytest.approx(rates.A_SECOND)


def test_a_short_pause_is_kept_by_everybody_and_tried_again() -> None:
    async def paused() -> StrictTelegram:
        there = telegram(pauses=[3])
        await there.call_all([7, 8, 9])
        return there

    there = run_virtually(paused())
    assert sorted(chat for _, chat in there.taken) == ["7", "8", "9"]
    assert all(at >= 3 for at, _ in there.taken)


def test_a_long_pause_is_told_to_everybody_at_once() -> None:
    async def paused() -> StrictTelegram:
        there = telegram(pauses=[600])
        for chat in (7, 8):
            with pytest.raises(RetryAfter):
                await there.call(chat)
        assert now() < 1
        await asyncio.sleep(596)
        await there.call(8)
        return there

    there = run_virtually(paused())
    # Telegram was not asked a second time during the pause.
    assert [at for _, at in there.called] == [0, pytest.approx(600)]


def test_a_telegram_that_only_ever_refuses_is_not_asked_for_ever() -> None:
    async def refused() -> StrictTelegram:
        there = telegram(pauses=[1] * 10)
        with pytest.raises(RetryAfter):
            await there.call(7)
        return there

    assert len(run_virtually(refused()).called) == rates.MOST_TRIES


def test_what_broke_is_raised_and_gives_its_place_back() -> None:
    async def broken() -> int:
        there = telegram(breaks=True)
        for chat in range(1, 50):
            with pytest.raises(ConnectionError):
                await there.call(chat)
        return len(there.called)

    assert run_virtually(broken()) == 49


def test_who_is_called_off_while_waiting_leaves_no_gap() -> None:
    async def called_off() -> float:
        there = telegram()
        await there.call(7)
        waiting = asyncio.create_task(there.call(7))
        await asyncio.sleep(0.5)
        waiting.cancel()
        await there.call(7)
        return now()

    assert run_virtually(called_off()) == pytest.approx(rates.A_SECOND)


def test_old_chats_are_forgotten_and_busy_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "CHATS_REMEMBERED", 3)

    async def crowd() -> StrictTelegram:
        there = telegram()
        await there.call_all([1, 2, 3, 4, 5, 1, 2])
        await asyncio.sleep(5)
        await there.call_all(range(10, 20))
        assert list(there.rates._chats) == [str(chat) for chat in range(10, 20)]
        return there

    there = run_virtually(crowd())
    assert there.most_in_a_chat == 1
