"""The elder's side of a visit: she came, how long it took, or nobody came."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.kinship import refuse_for_others
from actions.said import known_before
from actions.timebank import disputes, queries, visits
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import RequestId
from actions.timebank.model import ServiceRequest

MINUTES = ("visit_minutes", "duration_minutes")
"""The slot and the entity that fills it."""


class ValidateConfirmVisitForm(VillageForm):
    """Two statements that agree need no question: the helper's claim, which was read to her,
    and her own number. Anything else is read back (rule 19), also a number that comes with the
    yes: it was never read to her."""

    opened_by = ("confirm_service", "complete_task")

    def name(self) -> str:
        return "validate_confirm_visit_form"

    def other_side(self, talk: Talk) -> Optional[str]:
        if queries.visits_to_confirm(talk.session, talk.me, now=talk.now):
            return None
        return "complete_task_form" if queries.active_tasks(talk.session, talk.me) else None

    def check(self, talk: Talk) -> Dict[str, Any]:
        refuse_for_others(talk)
        request = visit_meant(talk)
        return {"matter_id": request.id, **self._what_is_certain(talk, request)}

    def _what_is_certain(self, talk: Talk, request: ServiceRequest) -> Dict[str, Any]:
        asked, said = self.asked(talk), "visit_minutes" in talk.tracker.slots_to_validate()
        right = talk.set_right(*MINUTES)
        minutes = right.get("visit_minutes", talk.tracker.get_slot("visit_minutes"))
        if asked == "visit_sure":
            if said and minutes != known_before(talk.tracker, "visit_minutes"):
                return {"visit_minutes": minutes, "visit_sure": None}
            if talk.intent == "deny":
                return {"visit_minutes": minutes if said else None, "visit_sure": None}
            return {"visit_minutes": minutes, "visit_sure": self.yes(talk)}
        claimed = queries.claimed_minutes(talk.session, RequestId(request.id))
        is_told_again = not asked or talk.intent in self.opened_by
        if minutes is None and claimed is not None and is_told_again:
            # The button says which number was read to her: the claim may be another by now.
            answered_the_question = talk.heard("choice") == wording.minutes(claimed)
            return {"visit_minutes": claimed, "visit_sure": answered_the_question or None}
        agreed = minutes is not None and minutes == claimed
        return {"visit_minutes": minutes, "visit_sure": agreed or None}


class ActionAskVisitMinutes(VillageAction):
    def name(self) -> str:
        return "action_ask_visit_minutes"

    def act(self, talk: Talk) -> List[EventType]:
        request = visit_meant(talk)
        again = "_again" if talk.intent == "deny" else ""
        kind = wording.kind(talk.domain, request.service_kind)
        talk.say(f"utter_ask_visit_minutes{again}", helper=helper_name(talk, request), kind=kind)
        return []


class ActionAskVisitSure(VillageAction):
    def name(self) -> str:
        return "action_ask_visit_sure"

    def act(self, talk: Talk) -> List[EventType]:
        request = visit_meant(talk)
        minutes = int(talk.tracker.get_slot("visit_minutes"))
        claimed = queries.claimed_minutes(talk.session, RequestId(request.id))
        facts = {"helper": helper_name(talk, request), "minutes": wording.minutes(minutes)}
        if minutes == claimed:
            kind = wording.kind(talk.domain, request.service_kind)
            talk.say("utter_ask_visit_sure_claimed", kind=kind, **facts)
        else:
            talk.say("utter_ask_visit_sure_said", **facts)
        return []


class ActionConfirmVisit(VillageAction):
    def name(self) -> str:
        return "action_confirm_visit"

    def act(self, talk: Talk) -> List[EventType]:
        minutes = talk.tracker.get_slot("visit_minutes")
        if minutes is None or not talk.tracker.get_slot("visit_sure"):
            return forget_matter()
        settlement = visits.confirm_visit(
            talk.session,
            elder=talk.me,
            request_id=RequestId(visit_meant(talk).id),
            minutes=int(minutes),
            evidence_sha256=talk.recording,
            turn_id=talk.turn,
            now=talk.now,
        )
        say_settlement(talk, settlement)
        return forget_matter()


class ValidateNoShowForm(VillageForm):
    opened_by = ("report_no_show",)
    yes_again = re.compile("^(?!.*(?<![没不])(?:来[了过]|到了))")

    def name(self) -> str:
        return "validate_no_show_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        sure = self.yes(talk) if self.asked(talk) else None
        return {"matter_id": promised_visit(talk).id, "no_show_sure": sure}


class ActionAskNoShowSure(VillageAction):
    def name(self) -> str:
        return "action_ask_no_show_sure"

    def act(self, talk: Talk) -> List[EventType]:
        request = promised_visit(talk)
        talk.say(
            "utter_ask_no_show_sure",
            when=wording.moment(request.starts_at),
            helper=helper_name(talk, request),
            kind=wording.kind(talk.domain, request.service_kind),
        )
        return []


class ActionReportNoShow(VillageAction):
    def name(self) -> str:
        return "action_report_no_show"

    def act(self, talk: Talk) -> List[EventType]:
        sure = talk.tracker.get_slot("no_show_sure")
        if sure is False:
            talk.say("utter_no_show_withdrawn")
        elif sure:
            disputes.report_no_show(
                talk.session,
                elder=talk.me,
                request_id=RequestId(promised_visit(talk).id),
                words=talk.words,
                turn_id=talk.turn,
                now=talk.now,
            )
            talk.say("utter_no_show_told", coordinator=talk.coordinator())
        return forget_matter()


def visit_meant(talk: Talk) -> ServiceRequest:
    """The visit that the elder speaks of: the one the open form asked about, the button's, the
    named neighbour's, else the first of `queries.visits_to_confirm`. Raises NothingOpen."""
    waiting = queries.visits_to_confirm(talk.session, talk.me, now=talk.now)
    if talk.matter is not None:
        waiting = [request for request in waiting if request.id == talk.matter]
        if waiting:
            return waiting[0]
    button, named = talk.heard_id("request_id"), talk.heard("person")
    for request in waiting:
        if request.id == button:
            return request
    for request in waiting:
        if named and named == helper_name(talk, request):
            return request
    if not waiting or button is not None:
        raise NothingOpen("no visit waits for a confirmation", what="visit")
    return waiting[0]


def promised_visit(talk: Talk) -> ServiceRequest:
    """A visit that was promised and whose time has come. Raises NothingOpen."""
    promised = queries.overdue_visits(talk.session, talk.me, now=talk.now)
    if talk.matter is not None:
        promised = [request for request in promised if request.id == talk.matter]
    if not promised:
        raise NothingOpen("nobody was promised for now", what="request")
    return promised[0]


def helper_name(talk: Talk, request: ServiceRequest) -> Optional[str]:
    helper = queries.helper_of(talk.session, RequestId(request.id))
    return helper.name if helper else None


def say_settlement(talk: Talk, settlement: visits.Settlement) -> None:
    """Tells the elder what her confirmation did to her hours."""
    facts = {
        "helper": settlement.helper_name,
        "minutes": wording.minutes(settlement.minutes_settled or settlement.minutes_confirmed or 0),
        "balance": wording.minutes(settlement.elder_balance.available),
        "coordinator": talk.coordinator(),
    }
    if settlement.state == "waiting_for_helper":
        talk.say("utter_visit_waits_for_helper", **facts)
    elif settlement.dispute_id is not None:
        talk.say(
            "utter_visit_disputed",
            claimed=wording.minutes(settlement.minutes_claimed or 0),
            confirmed=wording.minutes(settlement.minutes_confirmed or 0),
            settled=wording.minutes(settlement.minutes_settled or 0),
            **facts,
        )
    elif not settlement.minutes_settled:
        talk.say("utter_visit_nothing_moved", **facts)
    elif settlement.from_fund:
        talk.say("utter_visit_settled_by_fund", **facts)
    else:
        talk.say("utter_visit_settled", **facts)
