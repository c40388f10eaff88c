"""Who struggles twice is spoken to slower and waited for longer, for good."""

from __future__ import annotations

import pytest

from actions.timebank import members
from actions.timebank.model import Member
from bot.turn_types import Answer
from tests.bot.turn_parts import HEARD, LEAST_CONFIDENCE, Parlour

TOLD = "我以后说慢点，等您久一点。"


def how(parlour: Parlour, who: str = "王奶奶") -> tuple[int, int]:
    row = parlour.street.row(Member, name=who)
    return row.pace, row.patience_ms


def asks_again(parlour: Parlour, number: int, intent: str = "repeat") -> Answer:
    parlour.dialogue.intent, parlour.dialogue.texts = intent, ("明天上午。",)
    answer = parlour.types("啥？", f"talk:1:{number}")
    parlour.street.clock.pass_time(seconds=30)
    return answer


@pytest.mark.parametrize("intents", [("repeat", "repeat"), ("slow_down", "repeat")])
def test_the_second_struggle_makes_it_slower_and_more_patient(
    parlour: Parlour, intents: tuple[str, str]
) -> None:
    first, second = (asks_again(parlour, n, intent) for n, intent in enumerate(intents))
    assert TOLD not in first.reply and first.patience_ms == 2_500
    assert second.reply == f"{TOLD}明天上午。" and second.patience_ms == 3_500
    assert how(parlour) == (160 - members.PACE_STEP, 3_500)
    assert parlour.stored("talk:1:1").reply == second.reply
    assert parlour.synthesizer.spoken[-1][1].pace == 140, "this answer is slower already"


@pytest.mark.parametrize(
    "heard, confidence", [("", 0.0), (HEARD, LEAST_CONFIDENCE - 0.01)], ids=["nothing", "unclear"]
)
def test_not_being_heard_is_a_struggle_too(parlour: Parlour, heard: str, confidence: float) -> None:
    parlour.recognizer.text, parlour.recognizer.confidence = heard, confidence
    for number in range(2):
        answer = parlour.speaks(turn=f"talk:1:{number}")
        parlour.street.clock.pass_time(seconds=30)
    assert answer.reply.startswith(TOLD) and how(parlour) == (140, 3_500)


def test_it_is_told_once_and_grows_to_its_end(parlour: Parlour) -> None:
    replies = [asks_again(parlour, number).reply for number in range(12)]
    assert sum(TOLD in reply for reply in replies) == 1
    assert how(parlour) == (members.SLOWEST, members.LONGEST_PATIENCE)


def test_two_struggles_far_apart_are_none(parlour: Parlour) -> None:
    asks_again(parlour, 1)
    parlour.street.clock.pass_time(minutes=11)
    assert TOLD not in asks_again(parlour, 2).reply
    assert how(parlour) == (160, 2_500)


def test_louder_and_what_was_only_not_understood_are_no_struggle_with_the_pace(
    parlour: Parlour,
) -> None:
    for number, intent in enumerate(["louder", "nlu_fallback", "nlu_fallback", "unsure"]):
        asks_again(parlour, number, intent)
    assert how(parlour) == (160, 2_500)


def test_the_same_message_again_counts_once(parlour: Parlour) -> None:
    for _ in range(3):
        asks_again(parlour, 1)
    assert how(parlour) == (160, 2_500)


def test_one_person_s_struggle_is_not_another_s(parlour: Parlour) -> None:
    asks_again(parlour, 1)
    parlour.types("啥？", "talk:2:1", who="张秀英")
    assert how(parlour) == how(parlour, "张秀英") == (160, 2_500)
