"""Which neighbour is meant, when two are called alike: asked by where they live, never guessed."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, cast

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction
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
    the form then asks about."""
    alike: Optional[List[int]] = talk.tracker.get_slot("sound_alike")
    if alike:
        chosen = _chosen(talk, _people(talk, alike))
        return {"wanted_person": chosen, "sound_alike": alike if chosen is None else None}
    called_so = _called_so(talk)
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


def _called_so(talk: Talk) -> List[int]:
    """Everybody whom the name just said may mean: the same words in the sentence may stand for
    two names that sound alike, and one name for two people."""
    if talk.intent != "request_help":
        return []
    persons = [one for one in talk.tracker.latest_message["entities"] if one["entity"] == "person"]
    if not persons:
        return []
    place = persons[-1].get("start")
    names = [one["value"] for one in persons if one is persons[-1] or one.get("start") == place]
    found: List[int] = []
    for name in dict.fromkeys(names if place is not None else names[-1:]):
        try:
            found.append(int(members.find_member(talk.session, name).id))
        except UnknownMember as unknown:
            found += list(cast("List[int]", unknown.facts.get("same_name", [])))
    return [one for one in dict.fromkeys(found) if one != talk.me]


def _chosen(talk: Talk, alike: List[Member]) -> Optional[str]:
    """Who it is: the button's, or the one whose house, lane or name was said; nobody in particular
    after a no or 说不好; None when that is not clear yet."""
    button = talk.heard_id("member_id")
    said = [
        person
        for person in alike
        if person.id == button
        or any(word and word in talk.words for word in (person.place, person.lane.name))
    ]
    said = said or [person for person in alike if person.name in talk.words]
    if len(said) == 1:
        return str(said[0].id)
    return ANYBODY if talk.intent in ("unsure", "deny") else None


def _people(talk: Talk, ids: List[int]) -> List[Member]:
    return [members.member(talk.session, MemberId(one)) for one in ids]


def _by_place(talk: Talk, person: Member) -> str:
    place = person.place or person.lane.name
    return talk.phrase("utter_neighbour", place=place, name=person.name)
