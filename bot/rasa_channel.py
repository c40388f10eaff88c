"""The door into Rasa, loaded by Rasa itself (credentials.yml).

Unlike Rasa's REST channel it says what was understood and whether the turn was stored, does not
turn a failure into an empty success, and opens only to who knows the key.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any, Awaitable, Callable, Dict, List, Optional

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

logger = logging.getLogger(__name__)

LONGEST_SESSION = 40
"""Turns after which a session ends when no form is open: every action call posts all of it."""


class XiaobangChannel(InputChannel):
    @classmethod
    def name(cls) -> str:
        return "xiaobang"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> XiaobangChannel:
        return cls(str((credentials or {})["key"]))

    def __init__(self, key: str) -> None:
        self._key = key

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        door = Blueprint("xiaobang_channel", __name__)

        @door.route("/", methods=["GET"])
        async def health(_request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @door.route("/turn", methods=["POST"])
        async def turn(request: Request) -> HTTPResponse:
            if not hmac.compare_digest(request.headers.get("x-xiaobang-key", ""), self._key):
                return response.json({"code": "forbidden"}, status=403)
            said, collector = request.json, CollectingOutputChannel()
            agent = request.app.ctx.agent
            before = await agent.tracker_store.retrieve(said["sender"])
            answered = _answered_before(before, said["metadata"]["turn_id"])
            if answered:
                return response.json(_answer(before, answered, stored=True))
            await on_new_message(
                UserMessage(
                    said["text"],
                    collector,
                    said["sender"],
                    input_channel=self.name(),
                    metadata=said["metadata"],
                )
            )
            tracker = await agent.tracker_store.retrieve(said["sender"])
            heard = tracker.latest_message if tracker else None
            turn_id = said["metadata"]["turn_id"]
            stored = heard is not None and heard.metadata.get("turn_id") == turn_id
            await _end_long_session(on_new_message, tracker, said["sender"])
            return response.json(_answer(tracker, collector.messages, stored=stored))

        return door


def _answer(tracker: Any, messages: List[Dict[str, Any]], *, stored: bool) -> Dict[str, Any]:
    heard = tracker.latest_message if tracker else None
    return {
        "messages": messages,
        "intent": (heard.intent if heard else {}) or {},
        "entities": (heard.entities if heard else []) or [],
        "stored": stored,
    }


def _answered_before(tracker: Any, turn_id: str) -> List[Dict[str, Any]]:
    """What was answered to this turn when it came the first time; empty when it is new or got no
    answer then."""
    messages: List[Dict[str, Any]] = []
    for event in reversed(tracker.events if tracker else []):
        if event.type_name == "bot" and event.text:
            messages.append({"text": event.text, "buttons": event.data.get("buttons")})
        elif event.type_name == "user":
            same = (event.metadata or {}).get("turn_id") == turn_id
            return list(reversed(messages)) if same else []
    return []


async def _end_long_session(
    on_new_message: Callable[[UserMessage], Awaitable[Any]], tracker: Any, sender: str
) -> None:
    if tracker is None or tracker.active_loop:
        return
    turns = sum(1 for event in tracker.events if event.type_name == "user")
    if turns >= LONGEST_SESSION:
        await on_new_message(
            UserMessage(
                "/session_start", CollectingOutputChannel(), sender, input_channel="xiaobang"
            )
        )
