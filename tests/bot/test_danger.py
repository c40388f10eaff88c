"""Asked whether something has happened, she says something else, or nothing that can be heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from actions.timebank import alarm_questions
from actions.timebank.ids import TurnId
from actions.timebank.model import Alert
from bot.dialogue import DialogueAway
from bot.turn_types import Answer
from tests.bot.turn_parts import Parlour

SHOPPING = {"entity": "service_kind", "value": "shopping"}
ALARM = "我马上叫人"


def ask(parlour: Parlour, turn: str = "talk:1:before") -> None:
    with parlour.street.village.transaction() as session:
        now = parlour.street.clock()
        alarm_questions.ask(
            session, member=parlour.wang, words="不得劲", turn_id=TurnId(turn), now=now
        )


def is_open(parlour: Parlour) -> bool:
    with parlour.street.village.reading() as session:
        return alarm_questions.waiting(session, parlour.wang) is not None


def says(
    parlour: Parlour, intent: str, sure: float = 0.9, entities: Sequence[dict[str, Any]] = ()
) -> Answer:
    parlour.dialogue.intent, parlour.dialogue.confidence = intent, sure
    parlour.dialogue.entities = entities
    return parlour.types("那个啥")


@pytest.mark.parametrize("confidence, text", [(0.9, ""), (0.1, "嗯嗯"), (0.9, "hm")])
def test_nothing_heard_calls_people(parlour: Parlour, confidence: float, text: str) -> None:
    ask(parlour)
    parlour.recognizer.text, parlour.recognizer.confidence = text, confidence
    answer = parlour.speaks()
    assert ALARM in answer.reply and "陈干事" in answer.reply and not answer.buttons
    assert parlour.street.row(Alert).words == f"不得劲\n{text}".strip()
    assert parlour.stored().reply == answer.reply and not is_open(parlour)


@pytest.mark.parametrize("text", ["", "买" * 10_000])
def test_what_cannot_be_taken_calls_people(parlour: Parlour, text: str) -> None:
    ask(parlour)
    assert ALARM in parlour.types(text).reply


def test_a_dialogue_that_is_away_calls_people(parlour: Parlour) -> None:
    ask(parlour)
    parlour.dialogue.problem = DialogueAway("no answer")
    assert ALARM in parlour.types("对").reply


@pytest.mark.parametrize(
    "intent, sure, entities",
    [
        ("nlu_fallback", 0.9, []),
        ("report_wellbeing", 0.9, []),
        ("chitchat", 0.9, []),
        ("talk_to_human", 0.9, []),
        ("request_help", 0.9, []),
        ("request_help", 0.9, [{"entity": "service_kind", "value": "urgent_help"}]),
        ("request_help", 0.9, [SHOPPING, {"entity": "symptom", "value": "心口疼"}]),
        ("check_balance", 0.49, []),
    ],
)
def test_what_is_no_clear_answer_calls_people(
    parlour: Parlour, intent: str, sure: float, entities: list[dict[str, Any]]
) -> None:
    ask(parlour)
    assert says(parlour, intent, sure, entities).reply.startswith("别怕")
    assert parlour.street.count(Alert) == 1


@pytest.mark.parametrize(
    "intent, entities", [("check_balance", []), ("request_help", [SHOPPING]), ("stop", [])]
)
def test_clearly_other_things_settle_the_question(
    parlour: Parlour, intent: str, entities: list[dict[str, Any]]
) -> None:
    ask(parlour)
    assert ALARM not in says(parlour, intent, 0.5, entities).reply
    assert parlour.street.count(Alert) == 0 and not is_open(parlour)


@pytest.mark.parametrize("intent", ["repeat", "slow_down", "louder"])
def test_asking_to_hear_it_again_leaves_it_open(parlour: Parlour, intent: str) -> None:
    ask(parlour)
    assert ALARM not in says(parlour, intent).reply and is_open(parlour)


def test_the_turn_that_asked_is_no_answer_to_itself(parlour: Parlour) -> None:
    ask(parlour, turn="talk:1:a")
    assert ALARM not in says(parlour, "emergency", 0.4).reply and is_open(parlour)


def test_another_s_turn_answers_nothing_of_hers(parlour: Parlour) -> None:
    ask(parlour)
    parlour.types("", who="张秀英")
    assert is_open(parlour) and parlour.street.count(Alert) == 0


def test_with_nobody_near_the_public_number_is_told(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        for person in (hood.staff, hood.zhang, hood.li):
            person.left_at = hood.now
    ask(parlour)
    assert "一二零" in parlour.types("").reply
