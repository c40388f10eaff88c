"""One member talking to the actions as Rasa would call them, one utterance after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import base
from bot.settings import HOUSE

_turns = count(1)


def merged_domain(folder: Path = HOUSE / "bot" / "domain") -> dict[str, Any]:
    """The domain's files as Rasa merges them, without Rasa, which takes seconds to load."""
    merged: dict[str, Any] = {}
    for file in sorted(folder.glob("*.yml")):
        for key, value in yaml.safe_load(file.read_text("utf-8")).items():
            if isinstance(value, dict):
                merged.setdefault(key, {}).update(value)
            elif isinstance(value, list):
                merged.setdefault(key, []).extend(value)
    return merged


@dataclass(frozen=True)
class Answered:
    """What one action said and did to the conversation."""

    responses: list[str]
    """Names of the responses; empty for a text of its own."""
    text: str
    buttons: list[dict[str, str]]
    events: list[dict[str, Any]]

    @property
    def slots(self) -> dict[str, Any]:
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    @property
    def leaves_form(self) -> bool:
        return {"event": "active_loop", "timestamp": None, "name": None} in self.events

    @property
    def drops_matter(self) -> bool:
        """Whether everything that belonged to the matter is forgotten."""
        return all(self.slots.get(slot, "kept") is None for slot in base.FORM_SLOTS)


@dataclass
class Speaker:
    """A member's conversation: what is heard, what is known, which form is open."""

    sender: str
    domain: Mapping[str, Any]
    slots: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    form: str | None = None
    opening: str | None = None
    """The form that this utterance opens: Rasa validates it before it is active."""
    fresh: dict[str, Any] = field(default_factory=dict)
    """Slots filled from the last utterance."""
    message: dict[str, Any] = field(default_factory=dict)

    def says(
        self,
        text: str = "",
        intent: str = "",
        *,
        turn: str | None = None,
        recording: str | None = None,
        slots: Mapping[str, Any] | None = None,
        form: str | None = None,
        ranking: Mapping[str, float] | None = None,
        confidence: float = 0.9,
        facts: Sequence[tuple[str, Any, str]] = (),
        **entities: Any,
    ) -> Speaker:
        """A new utterance. `slots` are those that Rasa fills from it, `form` the one it opens;
        an entity may have a list of values, each of which counts. `ranking` is what the
        classifier thinks of each intent, `facts` are entities with the words that name them."""
        spread = [
            {"entity": name, "value": value}
            for name, values in entities.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        for name, value, words in facts:
            start = text.index(words)
            where = {"start": start, "end": start + len(words)}
            spread.append({"entity": name, "value": value, **where})
        self.message = {
            "text": text,
            "intent": {"name": intent, "confidence": confidence},
            "intent_ranking": [
                {"name": name, "confidence": sure} for name, sure in (ranking or {}).items()
            ],
            "entities": spread,
            "message_id": f"rasa{next(_turns)}",
            "metadata": {
                "turn_id": turn or f"test:{next(_turns)}",
                "recording_sha256": recording,
            },
        }
        self.opening, self.fresh = form, dict(slots or {})
        parsed = {"intent": {"name": intent}}
        metadata = self.message["metadata"]
        heard = {"event": "user", "text": text, "parse_data": parsed, "metadata": metadata}
        self.events.append(heard)
        self._apply(_filled_slots(self.fresh))
        return self

    def runs(self, action: type[Any]) -> Answered:
        """Lets one action answer what was said last."""
        dispatcher = CollectingDispatcher()
        if self.opening:
            # Rasa shows a form as active already while it is being opened.
            self._apply([{"event": "active_loop", "name": self.opening}])
            filled = {slot: self.slots[slot] for slot in self.slots if self.slots[slot] is not None}
            self.fresh, self.opening = {**filled, **self.fresh}, None
        tracker = Tracker(
            sender_id=self.sender,
            slots=dict(self.slots),
            latest_message=self.message,
            events=self.events + self._to_validate(),
            paused=False,
            followup_action=None,
            active_loop={"name": self.form} if self.form else {},
            latest_action_name=None,
        )
        events = asyncio.run(action().run(dispatcher, tracker, self.domain))
        answered = self._answered(dispatcher.messages, [dict(event) for event in events])
        if answered.text:
            spoken = {"text": answered.text, "data": {"buttons": answered.buttons}}
            self.events.append({"event": "bot", **spoken})
        self._apply(answered.events)
        if self.form and action().name() == f"validate_{self.form}":
            self._ask_next(answered)
        return answered

    def _ask_next(self, answered: Answered) -> None:
        """The form asks for the first of its slots that is empty."""
        required = self.domain["forms"][self.form]["required_slots"]
        if answered.events and "requested_slot" not in answered.slots:
            empty = (slot for slot in required if self.slots.get(slot) is None)
            self.slots["requested_slot"] = next(empty, None)

    def _to_validate(self) -> list[dict[str, Any]]:
        """Of the fresh slots Rasa shows a form its own, behind everything else."""
        required = self.domain["forms"][self.form]["required_slots"] if self.form else []
        own = {name: value for name, value in self.fresh.items() if name in required}
        return [{"event": "action", "name": self.form}, *_filled_slots(own)]

    def _apply(self, events: Any) -> None:
        for event in events:
            self.events.append(event)
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "active_loop":
                self.form = event["name"]

    def _answered(self, messages: list[dict[str, Any]], events: list[dict[str, Any]]) -> Answered:
        texts, buttons = [], []
        for message in messages:
            said = self._filled(message)
            texts.append(said["text"])
            buttons += said.get("buttons", [])
        responses = [message["response"] for message in messages if message["response"]]
        return Answered(responses, "".join(texts), buttons, events)

    def _filled(self, message: dict[str, Any]) -> dict[str, Any]:
        """The first variant; all of them are filled, so that no fact is missing in any."""
        if not message["response"]:
            return {"text": message["text"], "buttons": message["buttons"]}
        assert not message["text"], "Rasa would say this text instead of the response"
        variants = [
            {
                "text": variant["text"].format(**message),
                "buttons": [
                    {part: words.format(**message) for part, words in one.items()}
                    for one in variant.get("buttons", [])
                ],
            }
            for variant in self.domain["responses"][message["response"]]
        ]
        assert not any("None" in variant["text"] for variant in variants), "a fact is missing"
        return variants[0]


def _filled_slots(slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"event": "slot", "name": name, "value": value} for name, value in slots.items()]
