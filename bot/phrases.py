"""The words of the house outside a conversation with Rasa: apologies, notices, refusals.

They live with Rasa's responses in `bot/domain`, so that every word said to people is in one place.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import yaml

from bot.settings import HOUSE
from bot.turn_types import Button

DOMAIN = HOUSE / "bot" / "domain"


class Phrases:
    """Rasa's responses, filled without Rasa."""

    def __init__(self, responses: Mapping[str, List[Dict[str, Any]]]) -> None:
        self._responses = responses

    def __contains__(self, response: str) -> bool:
        return response in self._responses

    def say(self, response: str, **facts: Any) -> Tuple[str, List[Button]]:
        """A variant's text and buttons, filled. Raises KeyError for an unknown response or a
        missing fact."""
        variant = random.choice(self._responses[response])
        buttons = [
            Button(button["title"], button["payload"].format(**facts))
            for button in variant.get("buttons", [])
        ]
        return variant["text"].format(**facts), buttons

    def text(self, response: str, **facts: Any) -> str:
        return self.say(response, **facts)[0]


def read_phrases(folder: Path = DOMAIN) -> Phrases:
    responses: Dict[str, List[Dict[str, Any]]] = {}
    for file in sorted(folder.glob("*.yml")):
        responses.update(yaml.safe_load(file.read_text("utf-8")).get("responses") or {})
    return Phrases(responses)
