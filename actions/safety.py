"""Danger: people are told in the same turn, and the elder hears who."""

from __future__ import annotations

from typing import List

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction, leave_form
from actions.timebank import alarm_questions, alerts

CERTAIN_FROM = 0.5
"""Less sure of an emergency than this, one question comes before the alarm."""


class ActionEmergency(VillageAction):
    def name(self) -> str:
        return "action_emergency"

    def act(self, talk: Talk) -> List[EventType]:
        sure = (talk.tracker.latest_message.get("intent") or {}).get("confidence")
        if sure is None or sure >= CERTAIN_FROM or is_alarm_asked(talk):
            return call_people(talk)
        alarm_questions.ask(
            talk.session, member=talk.me, words=talk.words, turn_id=talk.turn, now=talk.now
        )
        talk.say("utter_ask_alarm")
        return leave_form()


def is_alarm_asked(talk: Talk) -> bool:
    """Whether this person was asked if something had happened, and has not answered yet."""
    return alarm_questions.waiting(talk.session, talk.me) is not None


def call_people(talk: Talk) -> List[EventType]:
    """Calls everybody near at once, and says who comes."""
    alarm_questions.call(
        talk.session, member=talk.me, words=talk.words, turn_id=talk.turn, now=talk.now
    )
    told = alerts.who_is_told(talk.session, talk.me)
    if told:
        people = talk.phrase("utter_and").join(person.name for person in told[:3])
        talk.say("utter_emergency", people=people)
    else:
        talk.say("utter_emergency_no_coordinator")
    return leave_form()


def answer_no(talk: Talk) -> List[EventType]:
    """It was nothing, unless the no itself tells of an ailment (没摔，就是心口疼)."""
    question = alarm_questions.waiting(talk.session, talk.me)
    if question is None or talk.heard("symptom"):
        return call_people(talk)
    alarm_questions.settle(talk.session, question, now=talk.now)
    talk.say("utter_alarm_not_needed")
    return []
