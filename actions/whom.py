"""Which neighbour is meant, when two are called alike: asked by where they live, never guessed."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction
from actions.neighbours import chosen, named
from actions.timebank import members
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Member

ANYBODY = ""
"""The wish for nobody in particular; the village chooses."""


class ActionAskWantedPerson(VillageAction):
    def name(self) -> str:
        return "action_ask_wanted_person"

    def act(self, talk: Talk) -> List[EventType]:
        first, second = _people(talk, talk.tracker.get_slot("sound_alike"))
        talk.say(
            "utter_ask_which_neighbour",
            first=_by_place(talk, first),
            second=_by_place(talk, second),
            first_id=first.id,
            second_id=second.id,
        )
        return []


def whom(talk: Talk) -> Dict[str, Any]:
    """The slots of who is wanted: one person, nobody in particular, or two who sound alike, which
    the form then asks about; who does not know leaves it to the village."""
    alike: Optional[List[int]] = talk.tracker.get_slot("sound_alike")
    if alike:
        found = chosen(talk, alike)
        if found:
            return {"wanted_person": str(found[0]), "sound_alike": None}
        if talk.intent in ("unsure", "deny"):
            return {"wanted_person": ANYBODY, "sound_alike": None}
        return {"wanted_person": None, "sound_alike": alike}
    called_so = named(talk) if talk.intent == "request_help" else []
    if len(called_so) > 1:
        return {"wanted_person": None, "sound_alike": called_so[:2]}
    return {} if talk.tracker.get_slot("wanted_person") else {"wanted_person": ANYBODY}


def wanted_member(talk: Talk) -> Optional[MemberId]:
    """The neighbour whom the elder asked for; None when nobody certain was named."""
    name = talk.tracker.get_slot("wanted_person")
    if not name:
        return None
    try:
        return MemberId(members.find_member(talk.session, name).id)
    except UnknownMember:
        return None


def _people(talk: Talk, ids: List[int]) -> List[Member]:
    return [members.member(talk.session, MemberId(one)) for one in ids]


def _by_place(talk: Talk, person: Member) -> str:
    place = person.place or person.lane.name
    return talk.phrase("utter_neighbour", place=place, name=person.name)
