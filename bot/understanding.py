"""Rasa's understanding alone, in this process: for `xiaobang understand` and the evaluation."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any, Callable, Dict, Mapping

import structlog

from bot.prepare import rasa_environment, train
from bot.settings import Settings


class Understanding:
    def __init__(self, settings: Settings, *, say: Callable[[str], None]) -> None:
        os.environ.update(rasa_environment(settings))
        # Rasa writes every utterance to standard output unless told otherwise.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        from rasa.core.agent import Agent

        self._agent = Agent.load(str(train(settings, say)))

    def parse(self, text: str) -> Mapping[str, Any]:
        """Rasa's whole reading, with the ranking of intents."""
        return asyncio.run(self._agent.parse_message(text))

    def of(self, text: str) -> Dict[str, Any]:
        """The reading in the shape of design.md."""
        parsed = self.parse(text)
        return {
            "text": text,
            "intent": parsed["intent"]["name"],
            "confidence": round(float(parsed["intent"]["confidence"]), 4),
            "entities": [
                {
                    "entity": entity["entity"],
                    "value": entity["value"],
                    "text": text[entity["start"] : entity["end"]],
                }
                for entity in parsed["entities"]
            ],
        }
