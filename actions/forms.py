"""What all forms share: what counts as an answer, what is a yes, and what follows an answer that
tells nothing (rule 14)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Mapping, Optional, Pattern, Tuple

from rasa_sdk import Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.types import DomainDict

from actions import alarms
from actions.base import FORM_SLOTS, Talk, in_village, leave_form
from actions.safety import take_alarm_back, takes_alarm_back
from actions.said import known_before
from actions.timebank import deeds, turns
from actions.timebank.alerts import NoCoordinator

ANSWERS = ("inform", "affirm", "deny", "unsure", "nlu_fallback")
"""Said while a question is open, these answer it, usable or not."""
WORDS = ("story", "reminder_words", "rating_words", "form_tries")
"""Slots that are filled by whatever is said, understood or not."""
EXAMPLE_AT, PERSON_AT = 2, 3
"""The unusable answer that is helped by an example, and the one after which a person calls."""
ASKED_AGAIN = "action_repair"
"""The deed by which the channel knows that a turn was not understood."""
YES_FIRST = re.compile(r"^[，。\s]*(?:对|是|嗯|好|行|没错|可以|中|成)(?!.*[不没别])")


class VillageForm(FormValidationAction, ABC):
    """A form's validation that looks into the village.

    `check` may raise a Refusal: it is spoken and the form is left, for there is nothing to fill
    in about a visit that does not exist."""

    opened_by: Tuple[str, ...] = ()
    """Intents that open this form; said again inside it they answer its question."""
    yes_again: Pattern[str] = YES_FIRST
    """Which words of such an intent are a yes to what was read back. Where hours move, only
    those that begin with a yes and deny nothing."""

    @abstractmethod
    def check(self, talk: Talk) -> Dict[str, Any]:
        """Slots to set, after what was just said is known. Empty when all may stay as it is."""

    def is_open(self, tracker: Tracker) -> bool:
        """Whether this form was open when the last words were said. Rasa shows it as active, and
        with the question of the form before it, already while they open it."""
        for event in reversed(tracker.events):
            if event["event"] == "user":
                break
            if event["event"] == "active_loop" and event["name"]:
                return False
        return bool(tracker.active_loop.get("name") == self.form_name())

    def asked(self, talk: Talk) -> Optional[str]:
        """Which of this form's questions is open; None while the form begins."""
        return talk.tracker.get_slot("requested_slot") if self.is_open(talk.tracker) else None

    def yes(self, talk: Talk) -> Optional[bool]:
        """Yes or no to what was read back; None when it was neither."""
        if talk.intent in ("affirm", "deny"):
            return talk.intent == "affirm"
        again = talk.intent in self.opened_by and self.yes_again.search(talk.words)
        return True if again else None

    def other_side(self, talk: Talk) -> Optional[str]:
        """Another form that the same words must mean from this person; None for this one.

        做完了 sounds alike from the elder and from the neighbour: who they are decides."""
        return None

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> List[EventType]:
        is_open = self.is_open(tracker)
        if is_open and not self._is_answered(tracker):
            # Rasa takes this as an interruption, answers it and comes back to the form.
            return []

        if not is_open:
            # Another form may have been left in the middle of its own matter.
            tracker.slots["matter_id"] = None

        def checked(talk: Talk) -> List[EventType]:
            if takes_alarm_back(talk):
                return take_alarm_back(talk)
            if alarms.tells_the_end(talk):
                return alarms.ask_end(talk)
            other = self.other_side(talk)
            if other is not None:
                return [ActiveLoop(None), SlotSet("requested_slot", None), FollowupAction(other)]
            asked = self.asked(talk)
            slots = self.check(talk)
            if asked and "requested_slot" not in slots and not _changes(talk, slots):
                return _ask_again(talk, self.form_name(), asked, slots)
            if talk.tracker.get_slot("form_tries"):
                slots = {**slots, "form_tries": None}
            return [SlotSet(slot, value) for slot, value in slots.items()]

        return in_village(dispatcher, tracker, domain, checked, lambda _r, _t: leave_form())

    def _is_answered(self, tracker: Tracker) -> bool:
        if next(tracker.get_latest_entity_values("reminder_id"), None) is not None:
            # The button of a reminder.
            return False
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        return bool(tracker.slots_to_validate()) or intent in (*ANSWERS, *self.opened_by)


def _changes(talk: Talk, slots: Mapping[str, Any]) -> bool:
    """Whether the words told anything new of the matter."""
    return any(
        slots.get(slot, talk.tracker.get_slot(slot)) != known_before(talk.tracker, slot)
        for slot in FORM_SLOTS
        if slot not in WORDS
    )


def _ask_again(talk: Talk, form: str, asked: str, slots: Mapping[str, Any]) -> List[EventType]:
    """The question comes again, then with an example; then a person calls and the form is left.
    What was said before it could not be heard at all counts too."""
    heard_badly = turns.repairs_in_a_row(talk.session, talk.me, now=talk.now)
    tries = 1 + max(int(talk.tracker.get_slot("form_tries") or 0), heard_badly)
    if deeds.done_before(talk.session, talk.turn, ASKED_AGAIN) is None:
        deeds.remember(
            talk.session,
            turn_id=talk.turn,
            action=ASKED_AGAIN,
            messages=[],
            events=[],
            now=talk.now,
        )
    if tries >= PERSON_AT:
        return _call_person(talk, form)
    example = f"utter_example_{asked}"
    if tries >= EXAMPLE_AT and example in talk.domain["responses"]:
        talk.say(example)
    elif not talk.dispatcher.messages:
        # What was said already tells why it is asked again.
        talk.say("utter_unsure" if talk.intent == "unsure" else "utter_answer_not_understood")
    return [SlotSet(slot, value) for slot, value in {**slots, "form_tries": tries}.items()]


def _call_person(talk: Talk, form: str) -> List[EventType]:
    about = f"utter_for_staff_{form}"
    known = about in talk.domain["responses"]
    talk.dispatcher.messages.clear()
    try:
        talk.call_back(talk.phrase(about, words=talk.words) if known else None)
    except NoCoordinator:
        talk.say("utter_repair_no_staff")
    else:
        talk.say("utter_repair_staff", coordinator=talk.coordinator())
    return leave_form()
