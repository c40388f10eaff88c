"""A neighbour offers help: with what, and on which days of the week."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.timebank import members
from actions.timebank.availability import WeeklyTime
from actions.timebank.states import DayPart, ServiceKind
from actions.weekdays import grouped, weekly_times

NOTHING_OFFERED = {"offered_kinds": None, "offered_times": None, "requested_slot": None}
"""Ends the form."""


class ValidateOfferHelpForm(VillageForm):
    """Asks for kinds when none are named, unless a helper whose kinds are known names days."""

    opened_by = ("offer_help",)

    def name(self) -> str:
        return "validate_offer_help_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        is_open = self.is_open(talk.tracker)
        before = (talk.tracker.get_slot("offered_times") or []) if is_open else []
        times = before + [list(time) for time in sorted(weekly_times(talk.words))]
        kinds = _kinds_said(talk)
        only_times = not is_open and times and members.skills_of(talk.session, talk.me)
        if kinds or only_times:
            return {"offered_kinds": kinds, "offered_times": times}
        if is_open and talk.intent == "deny":
            talk.say("utter_help_not_offered")
            return NOTHING_OFFERED
        return {"offered_kinds": None, "offered_times": times}


class ActionAskOfferedKinds(VillageAction):
    def name(self) -> str:
        return "action_ask_offered_kinds"

    def act(self, talk: Talk) -> List[EventType]:
        again = "again" if talk.tracker.get_slot("form_tries") else "first"
        talk.say(f"utter_ask_offered_kinds_{again}")
        return []


class ActionOfferHelp(VillageAction):
    def name(self) -> str:
        return "action_offer_help"

    def act(self, talk: Talk) -> List[EventType]:
        kinds = [ServiceKind(kind) for kind in talk.tracker.get_slot("offered_kinds") or []]
        times = [(day, DayPart(part)) for day, part in talk.tracker.get_slot("offered_times") or []]
        if not kinds and not times:
            return forget_matter()
        members.offer_help(talk.session, member=talk.me, kinds=kinds, times=times)
        spoken = talk.phrase("utter_and").join(wording.kind(talk.domain, kind) for kind in kinds)
        if kinds and times:
            talk.say("utter_help_offered_times", kinds=spoken, times=_spoken_times(talk, times))
        elif kinds:
            talk.say("utter_help_offered", kinds=spoken)
        else:
            talk.say("utter_help_times_noted", times=_spoken_times(talk, times))
        return forget_matter()


def _kinds_said(talk: Talk) -> List[str]:
    known = {kind.value for kind in ServiceKind}
    return [kind for kind in dict.fromkeys(talk.heard_all("service_kind")) if kind in known]


def _spoken_times(talk: Talk, times: Iterable[WeeklyTime]) -> str:
    """礼拜一、礼拜三上午，礼拜六."""
    comma = talk.phrase("utter_and")
    spoken = []
    for days, parts in grouped(set(times)):
        named = comma.join(talk.phrase(f"utter_weekday_{day}") for day in days)
        named_parts = comma.join(talk.phrase(f"utter_part_{part.value}") for part in parts)
        spoken.append(
            (talk.phrase("utter_every_day") if len(days) == 7 else named)
            + (named_parts if len(parts) < len(DayPart) else "")
        )
    return "，".join(spoken)
