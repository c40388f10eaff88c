"""The loop of a time bank by Telegram, spoken into the real thing: joining without reading, a need
and its answer as voice notes, a task pushed and taken with one finger."""

from __future__ import annotations

from typing import Callable

import pytest
from sqlalchemy import select

from actions.timebank import ledger
from actions.timebank.model import Offer, ServiceRequest, Turn
from actions.timebank.states import RequestState, TurnOutcome
from tests.bot_api import BotApi, Chat, Posted
from tests.e2e.phones import PATIENCE, card_of, hears_all, joined_phone
from tests.e2e.stack import Stack
from voice import codec

pytestmark = [pytest.mark.rasa, pytest.mark.voice, pytest.mark.timeout(3000)]

Speak = Callable[[str], bytes]


def speaks(stack: Stack, phone: Chat, sound: bytes) -> str:
    """Sends a voice note; gives all that is heard in answer."""
    return hears_all(stack, phone, phone.speaks(sound, round(codec.decode(sound).seconds)))


def speaks_until(expected: str, stack: Stack, phone: Chat, *sounds: bytes) -> str:
    """Whoever is misheard says it again in other words, as people do."""
    heard = []
    for sound in sounds:
        heard.append(speaks(stack, phone, sound))
        if expected in heard[-1]:
            return heard[-1]
    raise AssertionError(f"never understood: {heard}")


def test_she_scans_her_card_says_yes_and_asks_what_she_has(
    stack: Stack, telegram: BotApi, spoken: Speak
) -> None:
    phone = telegram.chat(2001, "手机用户")
    assert "还不认识您" in speaks(stack, phone, spoken("我还有多少时间"))
    asked = hears_all(stack, phone, phone.scans(card_of(stack, "孙玉珍")))
    assert "您是孙玉珍吗" in asked
    speaks_until("我认得您了", stack, phone, spoken("对，我是孙玉珍"), spoken("是我"))

    done = phone.speaks(spoken("我还有多少时间"), 2)
    heard = phone.hears(PATIENCE)
    assert heard.voice is not None and codec.decode(heard.voice).seconds > 1
    assert "小时" in heard.words + hears_all(stack, phone, done)
    assert "record_voice" in phone.actions
    with stack.village.reading() as session:
        turn = session.get(Turn, f"telegram:2001:{done.message_id}")
        assert turn.member_id == stack.member("孙玉珍")
        assert (turn.intent, turn.outcome) == ("check_balance", TurnOutcome.ANSWERED)


def test_a_need_goes_out_as_a_task_and_comes_back_as_hours(
    stack: Stack, telegram: BotApi, spoken: Speak
) -> None:
    elder = joined_phone(stack, telegram, "李福来", 2002)
    placed = hears_all(stack, elder, elder.says("想叫人后天下午三点帮俺买点菜"))
    with stack.village.reading() as session:
        newest = select(Offer).order_by(Offer.id.desc())
        offer = session.execute(newest).scalars().first()
        name, request_id = str(offer.helper.name), offer.request_id
    assert name in placed
    had = balance(stack, name)

    helper = joined_phone(stack, telegram, name, 2003)
    task = until_heard(helper, "李福来")
    assert task.voice is not None and len(task.buttons) == 2
    helper.presses(task.buttons[0], task)
    until_heard(elder, f"{name}答应了")

    speaks_until(
        "记下您帮李福来做了一个小时",
        stack,
        helper,
        spoken("干完了，一个钟头"),
        spoken("我做完了，做了一个小时"),
    )
    speaks_until(
        f"记给{name}一个小时",
        stack,
        elder,
        spoken("来了，做了一个小时"),
        spoken("做完了，一个小时"),
    )
    with stack.village.reading() as session:
        assert session.get(ServiceRequest, request_id).state is RequestState.CONFIRMED
    assert balance(stack, name) == had + 60
    until_heard(helper, "一个小时")


def until_heard(phone: Chat, words: str) -> Posted:
    """The next message with these words; others are heard out."""
    while True:
        posted = phone.hears(PATIENCE)
        if words in posted.words:
            return posted


def balance(stack: Stack, name: str) -> int:
    with stack.village.reading() as session:
        return ledger.balance(session, ledger.account_of(session, stack.member(name)).id).posted
