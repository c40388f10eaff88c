"""Parts killed in the middle: an answer is spoken, the part comes back, the ledger is intact."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Dict

import httpx
import pytest
from sqlalchemy import func, select

from actions.timebank import chain
from actions.timebank.model import ServiceRequest, Turn
from actions.timebank.states import TurnOutcome
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.rasa, pytest.mark.voice, pytest.mark.timeout(3000)]

BACK_WITHIN = 120.0
"""Seconds a killed part may take to be back; generous, for no test depends on speed."""


def kill(stack: Stack, part: str) -> None:
    os.kill(stack.children()[part], signal.SIGKILL)


def until_answered(stack: Stack, name: str, text: str) -> Dict[str, Any]:
    deadline = time.monotonic() + BACK_WITHIN
    while time.monotonic() < deadline:
        try:
            answer = stack.turn(name, text)
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        if answer["outcome"] == "answered":
            return answer
        assert answer["reply"], "nobody is left in silence"
        time.sleep(0.5)
    raise AssertionError("the part did not come back")


@pytest.mark.parametrize("part", ["actions", "rasa", "web"])
def test_a_killed_part_comes_back_and_nothing_is_lost(stack: Stack, part: str) -> None:
    before = stack.children()[part]
    kill(stack, part)
    answer = until_answered(stack, "何翠花", "我还有多少时间")
    assert "小时" in answer["reply"]
    assert stack.children()[part] != before
    with stack.village.reading() as session:
        assert chain.verify(session).intact


def test_a_turn_that_met_a_dead_dialogue_is_apologised_for_and_stored(stack: Stack) -> None:
    kill(stack, "actions")
    answer = stack.turn("何翠花", "我还有多少时间", turn_id="intothedark")
    assert answer["reply"]
    with stack.village.reading() as session:
        turn = session.get(Turn, f"talk:{stack.member('何翠花')}:intothedark")
        assert turn.outcome in (TurnOutcome.ANSWERED, TurnOutcome.FAILED)
    until_answered(stack, "何翠花", "我还有多少时间")


def test_a_request_sent_again_after_a_crash_is_one_request(stack: Stack) -> None:
    def requests() -> int:
        with stack.village.reading() as session:
            return int(session.execute(select(func.count(ServiceRequest.id))).scalar_one())

    before = requests()
    for _ in range(3):
        answer = stack.turn("何翠花", "想叫人后天上午九点来修灯泡", turn_id="sentagain")
        assert answer["outcome"] == "answered"
    assert requests() == before + 1
