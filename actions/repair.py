"""Not understood: a guess, two choices, then a person; never a loop, never silence (rule 14)."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_sdk.events import ActionExecuted, EventType, FollowupAction, SlotSet, UserUttered

from actions.base import Talk, VillageAction, leave_form
from actions.safety import call_people, is_alarm_asked
from actions.timebank import turns
from actions.timebank.errors import Refusal

FALLBACK = "nlu_fallback"
"""The classifier was unsure; its ranking holds this first and the real intents after it."""
GUESS_FROM = 0.35
"""Below this a guess is wrong too often to be worth a question."""
LISTEN = FollowupAction("action_listen")
"""Ends the turn: where no rule tells Rasa what comes after a repair, it repairs again and again."""


class ActionRepair(VillageAction):
    def name(self) -> str:
        return "action_repair"

    def act(self, talk: Talk) -> List[EventType]:
        if is_alarm_asked(talk):
            return [*call_people(talk), LISTEN]
        tries = turns.repairs_in_a_row(talk.session, talk.me, now=talk.now)
        if tries >= 2:
            talk.call_back()
            talk.say("utter_repair_staff", coordinator=talk.coordinator())
            return [*leave_form(), LISTEN]
        # A yes to a guess would be a yes to an open form.
        is_free = not talk.tracker.active_loop.get("name") and talk.intent == FALLBACK
        if not is_free:
            talk.say("utter_repair_again")
            return [LISTEN]
        return [*(_choices(talk) if tries == 1 else _guess(talk)), LISTEN]

    def refused(self, refusal: Refusal, talk: Talk) -> List[EventType]:
        talk.dispatcher.messages.clear()
        talk.say("utter_repair_no_staff")
        return [*leave_form(), LISTEN]


def is_guess_open(talk: Talk) -> bool:
    """Whether the person was asked last what her words meant, and has said nothing else since."""
    return talk.before.slots.get("guess") is not None


def carry_out(talk: Talk) -> List[EventType]:
    """The person's own words again, as what they meant by her yes or by the choice she touched.

    They belong to the turn of the yes, so that the same yes again acts no second time. A bare
    yes to a choice of two is asked about again."""
    guess, choice = talk.before.slots["guess"], talk.heard_id("choice") or 1
    intents = guess["intents"]
    if len(intents) > 1 and talk.heard_id("choice") is None:
        return [FollowupAction("action_repair")]
    message = talk.tracker.latest_message
    metadata = dict(message.get("metadata") or {})
    parsed = {
        "text": guess["text"],
        "intent": {"name": intents[min(choice, len(intents)) - 1], "confidence": 1.0},
        "entities": guess["entities"],
        "message_id": message.get("message_id"),
        "metadata": metadata,
    }
    channel = talk.tracker.get_latest_input_channel()
    again = dict(UserUttered(guess["text"], parsed, input_channel=channel), metadata=metadata)
    return [SlotSet("guess", None), ActionExecuted("action_listen"), again]


def _guess(talk: Talk) -> List[EventType]:
    """The best guess is asked about, when it is likely and means to do something."""
    best = next(iter(_ranking(talk)), None)
    if best is None or best["confidence"] < GUESS_FROM or not _does_something(talk, best["name"]):
        talk.say("utter_repair_again")
        return []
    talk.say("utter_repair_guess", guess=_words_for(talk, best["name"]))
    return _remembered(talk, best["name"])


def _choices(talk: Talk) -> List[EventType]:
    """The two best guesses that mean to do something; without two, what is asked for most."""
    likely = [one["name"] for one in _ranking(talk) if _does_something(talk, one["name"])]
    if len(likely) < 2:
        talk.say("utter_repair_choices")
        return []
    first, second = likely[:2]
    talk.say("utter_repair_between", first=_words_for(talk, first), second=_words_for(talk, second))
    return _remembered(talk, first, second)


def _remembered(talk: Talk, *intents: str) -> List[EventType]:
    entities = list(talk.tracker.latest_message.get("entities") or [])
    return [SlotSet("guess", {"text": talk.words, "intents": list(intents), "entities": entities})]


def _ranking(talk: Talk) -> List[Dict[str, Any]]:
    """The real intents with their confidences, the likeliest first."""
    ranking = talk.tracker.latest_message.get("intent_ranking") or []
    return [one for one in ranking if one.get("name") != FALLBACK]


def _does_something(talk: Talk, intent: str) -> bool:
    """What can be guessed has its words in the domain (repair.yml)."""
    return f"utter_guess_{intent}" in talk.domain["responses"]


def _words_for(talk: Talk, intent: str) -> str:
    return talk.phrase(f"utter_guess_{intent}")
