"""What was not right goes to the staff with a clock, and never vanishes."""

from __future__ import annotations

from typing import List

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction
from actions.timebank import disputes


class ActionComplain(VillageAction):
    def name(self) -> str:
        return "action_complain"

    def act(self, talk: Talk) -> List[EventType]:
        disputes.complain(
            talk.session, member=talk.me, words=talk.words, turn_id=talk.turn, now=talk.now
        )
        talk.say("utter_complaint_heard", coordinator=talk.coordinator())
        return []
