"""The Rasa client against a Rasa that only pretends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from actions.timebank.ids import MemberId, TurnId
from bot import dialogue
from bot.dialogue import Dialogue, DialogueAway, Understood
from bot.turn_types import Button

SAID = {"text": "好，买东西。", "recipient_id": "7"}
EMPTY: dict[str, Any] = {"messages": [], "stored": True, "intent": {}, "entities": []}
GOOD = {
    "messages": [SAID, {"text": "大约一小时。"}],
    "stored": True,
    "intent": {"name": "request_help", "confidence": 0.8},
    "entities": [{"entity": "service_kind", "value": "shopping"}],
}
NOT_STORED = {**GOOD, "stored": False}


class FakeRasa:
    """Gives one answer after the other: JSON, a status, or an error; the last one for ever."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        return httpx.Response(200, json=answer)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "PAUSE_SECONDS", 0)


def ask(rasa: FakeRasa) -> Understood:
    async def once() -> Understood:
        transport = httpx.MockTransport(rasa)
        async with httpx.AsyncClient(base_url="http://rasa", transport=transport) as client:
            return await Dialogue(client, "the key").say(
                "买菜", member=MemberId(7), turn=TurnId("talk:7:a"), recording_sha256="ab"
            )

    return asyncio.run(once())


def test_what_rasa_understood_and_answers_comes_back() -> None:
    understood = ask(FakeRasa([GOOD]))
    assert (understood.intent, understood.confidence) == ("request_help", 0.8)
    assert list(understood.texts) == ["好，买东西。", "大约一小时。"]
    assert understood.entities == GOOD["entities"] and list(understood.buttons) == []


def test_rasa_is_told_who_speaks_with_the_key_and_the_turn() -> None:
    rasa = FakeRasa([GOOD])
    ask(rasa)
    [request] = rasa.asked
    assert request.url.path == "/webhooks/xiaobang/turn"
    assert request.headers["x-xiaobang-key"] == "the key"
    assert json.loads(request.content) == {
        "sender": "7",
        "text": "买菜",
        "metadata": {"turn_id": "talk:7:a", "recording_sha256": "ab"},
    }


@pytest.mark.parametrize(
    "first", [EMPTY, NOT_STORED, 500, 503, httpx.ConnectError("away"), httpx.ReadTimeout("slow")]
)
def test_a_second_try_is_made_with_the_same_turn(first: Any) -> None:
    rasa = FakeRasa([first, GOOD])
    assert ask(rasa).intent == "request_help"
    assert len(rasa.asked) == 2 and rasa.asked[0].content == rasa.asked[1].content


@pytest.mark.parametrize(
    "always, told",
    [
        (EMPTY, "no answer"),
        (NOT_STORED, "not stored"),
        (500, "500"),
        (403, "403"),
        (httpx.ConnectError("away"), "ConnectError"),
    ],
)
def test_after_two_tries_the_dialogue_is_away(always: Any, told: str) -> None:
    rasa = FakeRasa([always])
    with pytest.raises(DialogueAway, match=told):
        ask(rasa)
    assert len(rasa.asked) == dialogue.ATTEMPTS == 2


def test_an_answer_that_is_no_json_is_a_dialogue_that_is_away() -> None:
    def garbled(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>proxy</html>")

    with pytest.raises(DialogueAway):
        ask(garbled)  # type: ignore[arg-type]


def test_of_many_buttons_only_the_last_two_are_offered() -> None:
    def choice(title: str) -> dict[str, str]:
        return {"title": title, "payload": f"/{title}"}

    first = {"text": "要吗？", "buttons": [choice("a"), choice("b")]}
    second = {"text": "对吗？", "buttons": [choice("c"), choice("d")]}
    understood = ask(FakeRasa([{**GOOD, "messages": [first, second]}]))
    assert list(understood.buttons) == [Button("c", "/c"), Button("d", "/d")]


def test_a_message_without_text_is_not_spoken() -> None:
    picture = {"text": None, "image": "x.png", "buttons": None}
    assert list(ask(FakeRasa([{**GOOD, "messages": [picture, SAID]}])).texts) == ["好，买东西。"]


def test_an_intent_that_rasa_does_not_name_is_empty() -> None:
    understood = ask(FakeRasa([{**GOOD, "intent": {}}]))
    assert (understood.intent, understood.confidence) == ("", None)
