"""The Rasa client: a sentence in, what was understood and what to answer out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence

import httpx

from actions.timebank.ids import MemberId, TurnId
from bot.turn_types import Button

ATTEMPTS = 2
"""An action server that was just started again answers the second time."""
PAUSE_SECONDS = 1.0


class DialogueAway(Exception):
    """Rasa or its actions did not answer."""

    code = "dialogue_away"


@dataclass(frozen=True)
class Understood:
    """What Rasa made of a sentence and what it answers."""

    intent: str
    confidence: Optional[float]
    entities: Sequence[Mapping[str, Any]]
    texts: Sequence[str]
    buttons: Sequence[Button]


class Dialogue:
    """Talks to one Rasa server. Safe for many turns at once."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._key = key

    async def say(
        self,
        text: str,
        *,
        member: MemberId,
        turn: TurnId,
        recording_sha256: Optional[str] = None,
    ) -> Understood:
        """One turn. Tried again when nothing came back: an empty answer is what Rasa gives when
        its actions are away, and the time bank acts once however often a turn arrives.

        Raises DialogueAway."""
        metadata = {"turn_id": turn, "recording_sha256": recording_sha256}
        body = {"sender": str(member), "text": text, "metadata": metadata}
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                answer = await self._post("/webhooks/xiaobang/turn", body)
            except (httpx.HTTPError, ValueError) as error:
                problem = repr(error)
                continue
            if answer["messages"] and answer["stored"]:
                return _understood(answer)
            problem = "no answer" if answer["stored"] else "the turn was not stored"
        raise DialogueAway(problem)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self._client.post(path, json=body, headers={"x-xiaobang-key": self._key})
        answer.raise_for_status()
        return answer.json()


def _understood(answer: Mapping[str, Any]) -> Understood:
    messages: List[Mapping[str, Any]] = answer["messages"]
    buttons = [
        Button(button["title"], button["payload"])
        for message in messages
        for button in message.get("buttons") or []
    ]
    intent = answer["intent"]
    return Understood(
        intent=intent.get("name") or "",
        confidence=intent.get("confidence"),
        entities=answer["entities"],
        texts=[message["text"] for message in messages if message.get("text")],
        # Two choices are all a listener can hold (rule 5); the last question asked counts.
        buttons=buttons[-2:],
    )
