"""How a visit was: a mark from one to five if she likes, and her own words."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.timebank import ratings
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import VisitId
from actions.timebank.model import Member, Visit

WORDS_ONLY = 0
"""Stands in the form for a rating without a mark."""


class ValidateRateServiceForm(VillageForm):
    """A mark is asked for once; whatever is answered then, her words are kept."""

    opened_by = ("rate_service",)

    def name(self) -> str:
        return "validate_rate_service_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        is_open = self.is_open(talk.tracker)
        visit = visit_meant(talk)
        words = [talk.tracker.get_slot("rating_words")] if is_open else []
        if not talk.words.startswith("/"):
            words.append(talk.words)
        stars = _stars_said(talk)
        if stars is None and is_open and talk.intent != "nlu_fallback":
            stars = WORDS_ONLY
        return {
            "matter_id": visit.assignment.request_id,
            "rating_words": "，".join(said for said in words if said),
            "rating_stars": stars,
        }


class ActionAskRatingStars(VillageAction):
    def name(self) -> str:
        return "action_ask_rating_stars"

    def act(self, talk: Talk) -> List[EventType]:
        assignment = visit_meant(talk).assignment
        kind = wording.kind(talk.domain, assignment.request.service_kind)
        talk.say("utter_ask_rating_stars_of", helper=assignment.helper.name, kind=kind)
        return []


class ActionRateService(VillageAction):
    def name(self) -> str:
        return "action_rate_service"

    def act(self, talk: Talk) -> List[EventType]:
        said = talk.tracker.get_slot("rating_stars")
        if said is None:
            return forget_matter()
        visit = visit_meant(talk)
        stars = int(said) or None
        ratings.rate(
            talk.session,
            rater=talk.me,
            visit_id=VisitId(visit.id),
            stars=stars,
            words=talk.tracker.get_slot("rating_words") or "",
            turn_id=talk.turn,
            now=talk.now,
        )
        _say_kept(talk, visit.assignment.helper, stars)
        return forget_matter()


def visit_meant(talk: Talk) -> Visit:
    """The settled visit spoken of: the one the open form asked about, the last of a named
    neighbour's, else the last one. Raises NothingOpen."""
    visits = ratings.settled_visits(talk.session, talk.me)
    if talk.matter is not None:
        visits = [visit for visit in visits if visit.assignment.request_id == talk.matter]
    if not visits:
        raise NothingOpen("no settled visit", what="rating")
    named = talk.heard_all("person")
    if talk.matter is not None or not named:
        return visits[0]
    theirs = [visit for visit in visits if visit.assignment.helper.name in named]
    if not theirs:
        raise NothingOpen("no settled visit of theirs", what="rating_of", helper=named[0])
    return theirs[0]


def _stars_said(talk: Talk) -> Optional[int]:
    value = str(talk.heard("rating") or "")
    return int(value) if value in ("1", "2", "3", "4", "5") else None


def _say_kept(talk: Talk, helper: Member, stars: Optional[int]) -> None:
    mender = ratings.who_mends(talk.session, helper)
    if stars is None:
        talk.say("utter_rating_words", helper=helper.name)
    elif stars >= ratings.GOOD:
        talk.say("utter_rating_good", helper=helper.name, stars=stars)
    elif stars <= ratings.POOR and mender:
        name = mender[0].name
        talk.say("utter_rating_poor", helper=helper.name, stars=stars, coordinator=name)
    else:
        talk.say("utter_rating_middling", stars=stars)
