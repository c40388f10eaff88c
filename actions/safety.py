"""Danger: people are told in the same turn, and the elder hears who."""

from __future__ import annotations

from typing import List

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction, leave_form
from actions.timebank import alerts


class ActionEmergency(VillageAction):
    def name(self) -> str:
        return "action_emergency"

    def act(self, talk: Talk) -> List[EventType]:
        alerts.raise_alert(
            talk.session, member=talk.me, words=talk.words, turn_id=talk.turn, now=talk.now
        )
        told = alerts.who_is_told(talk.session, talk.me)
        if told:
            people = talk.phrase("utter_and").join(person.name for person in told[:3])
            talk.say("utter_emergency", people=people)
        else:
            talk.say("utter_emergency_no_coordinator")
        return leave_form()
