"""Danger: people are told in the same turn, and the elder hears who."""

from __future__ import annotations

import re
from typing import List

from rasa_sdk.events import EventType, SlotSet

from actions.base import Talk, VillageAction, leave_form
from actions.timebank import alarm_questions, alerts

CERTAIN_FROM = 0.5
"""Less sure of an emergency than this, one question comes before the alarm."""
ALL_WELL = re.compile(
    "(?<!不是)没(?:啥|什么|甚|得|有)*事|(?:不用|不要|不必|用不着|甭|别|莫)(?:再)?(?:[叫喊]人|来)"
    "|我(?:现在|已经)?(?:好了|没摔|起来了)|[按说弄喊]错了"
)
"""没事了，不用来人: whatever it is classed as, after an alarm it speaks of the alarm."""
MAY_TAKE_BACK = ("affirm", "cancel_request", "deny", "report_wellbeing")


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


def takes_alarm_back(talk: Talk) -> bool:
    """Whether these words, while an alarm of hers or the question before one is open, say that
    all is well and tell of no ailment."""
    if talk.intent not in MAY_TAKE_BACK or talk.heard("symptom"):
        return False
    is_open = bool(alerts.open_alerts(talk.session, talk.me))
    return bool(ALL_WELL.search(talk.words)) and (is_open or is_alarm_asked(talk))


def is_all_well_asked(talk: Talk) -> bool:
    """Whether she was asked last if really nobody need come."""
    return talk.before.turn != talk.turn and bool(talk.before.slots.get("all_well_asked"))


def take_alarm_back(talk: Talk) -> List[EventType]:
    """A plain no, or the same said twice, takes the alarm back; anything else is read back first.
    A question before the alarm stays open meanwhile: silence still calls people."""
    if talk.intent == "deny" or is_all_well_asked(talk):
        return all_is_well(talk)
    question = alarm_questions.waiting(talk.session, talk.me)
    if question is not None and question.turn_id != talk.turn:
        words = f"{question.words}\n{talk.words}".strip()
        alarm_questions.settle(talk.session, question, now=talk.now)
        alarm_questions.ask(
            talk.session, member=talk.me, words=words, turn_id=talk.turn, now=talk.now
        )
    talk.say("utter_ask_all_well")
    return [*leave_form(), SlotSet("all_well_asked", True)]


def all_is_well(talk: Talk) -> List[EventType]:
    """Nobody need come: whoever was called is told so."""
    question = alarm_questions.waiting(talk.session, talk.me)
    if question is not None:
        alarm_questions.settle(talk.session, question, now=talk.now)
    if not alerts.open_alerts(talk.session, talk.me):
        talk.say("utter_alarm_not_needed")
    else:
        alerts.withdraw_alert(talk.session, member=talk.me, turn_id=talk.turn, now=talk.now)
        talk.say("utter_emergency_closed")
    return leave_form()
