"""The helper's side: what there is to do, taking it or not, being there, being done."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions import alarms, wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.timebank import exchange, ledger, queries, visits
from actions.timebank.errors import NothingOpen
from actions.timebank.ids import AccountId, AssignmentId, OfferId
from actions.timebank.lookups import offer_to
from actions.timebank.model import Assignment, Offer, ServiceRequest


class ActionListTasks(VillageAction):
    def name(self) -> str:
        return "action_list_tasks"

    def act(self, talk: Talk) -> List[EventType]:
        offers = queries.pending_offers(talk.session, talk.me)
        tasks = queries.active_tasks(talk.session, talk.me)
        if alarms.say_waiting(talk):
            return []
        for task in tasks[:2]:
            talk.say("utter_task_ahead", **_facts(talk, task.request))
        if offers:
            offer = offers[0]
            talk.say("utter_task_offered", offer_id=offer.id, **_facts(talk, offer.request))
        if not offers and not tasks:
            talk.say("utter_tasks_none")
        return []


class ActionAcceptTask(VillageAction):
    """An alarm that waits for him goes before every offer."""

    def name(self) -> str:
        return "action_accept_task"

    def act(self, talk: Talk) -> List[EventType]:
        alarm = alarms.to_take(talk)
        if alarm is not None:
            alarms.take(talk, alarm)
        else:
            accept(talk, offer_meant(talk))
        return []


class ActionDeclineTask(VillageAction):
    """A reason given is kept; somebody who already accepted steps back."""

    def name(self) -> str:
        return "action_decline_task"

    def act(self, talk: Talk) -> List[EventType]:
        alarm = alarms.to_decline(talk)
        if alarm is not None:
            alarms.decline(talk, alarm, _reason(talk))
            return []
        tasks = queries.active_tasks(talk.session, talk.me)
        button = talk.heard_id("offer_id")
        if button is not None:
            # The same button may be pressed after he had said yes.
            offered = button not in {task.offer_id for task in tasks}
        else:
            offered = bool(queries.pending_offers(talk.session, talk.me))
        if offered or not tasks:
            decline(talk, offer_meant(talk))
            return []
        task = next((task for task in tasks if task.offer_id == button), None) or task_meant(talk)
        exchange.step_back(
            talk.session,
            helper=talk.me,
            assignment_id=AssignmentId(task.id),
            reason=_reason(talk),
            now=talk.now,
        )
        talk.say("utter_task_stepped_back", **_facts(talk, task.request))
        return []


class ActionStartTask(VillageAction):
    def name(self) -> str:
        return "action_start_task"

    def act(self, talk: Talk) -> List[EventType]:
        if alarms.goes_there(talk):
            return []
        task = task_meant(talk)
        visits.start_visit(
            talk.session, helper=talk.me, assignment_id=AssignmentId(task.id), now=talk.now
        )
        talk.say("utter_task_started")
        return []


class ValidateCompleteTaskForm(VillageForm):
    opened_by = ("complete_task", "confirm_service")

    def name(self) -> str:
        return "validate_complete_task_form"

    def other_side(self, talk: Talk) -> Optional[str]:
        if queries.active_tasks(talk.session, talk.me):
            return None
        waiting = queries.visits_to_confirm(talk.session, talk.me, now=talk.now)
        return "confirm_visit_form" if waiting else None

    def check(self, talk: Talk) -> Dict[str, Any]:
        meant = talk.set_right("worked_minutes", "duration_minutes")
        return {"matter_id": task_meant(talk).request_id, **meant}


class ActionAskWorkedMinutes(VillageAction):
    def name(self) -> str:
        return "action_ask_worked_minutes"

    def act(self, talk: Talk) -> List[EventType]:
        talk.say("utter_ask_worked_minutes", **_facts(talk, task_meant(talk).request))
        return []


class ActionCompleteTask(VillageAction):
    def name(self) -> str:
        return "action_complete_task"

    def act(self, talk: Talk) -> List[EventType]:
        minutes = talk.tracker.get_slot("worked_minutes")
        if minutes is None:
            return forget_matter()
        settlement = visits.claim_visit(
            talk.session,
            helper=talk.me,
            assignment_id=AssignmentId(task_meant(talk).id),
            minutes=int(minutes),
            evidence_sha256=talk.recording,
            turn_id=talk.turn,
            now=talk.now,
        )
        _say_claimed(talk, settlement)
        return forget_matter()


def accept(talk: Talk, offer: Offer) -> None:
    exchange.accept_offer(talk.session, helper=talk.me, offer_id=OfferId(offer.id), now=talk.now)
    talk.say("utter_task_accepted", **_facts(talk, offer.request))


def decline(talk: Talk, offer: Offer) -> None:
    exchange.decline_offer(
        talk.session,
        helper=talk.me,
        offer_id=OfferId(offer.id),
        reason=_reason(talk),
        now=talk.now,
    )
    talk.say("utter_task_declined")


def offer_meant(talk: Talk) -> Offer:
    """The offer that the helper answers: the button's, the named elder's, else the newest.

    Raises NothingOpen, NotYours."""
    button = talk.heard_id("offer_id")
    if button is not None:
        return offer_to(talk.session, talk.me, OfferId(button))
    offers = queries.pending_offers(talk.session, talk.me)
    if not offers:
        raise NothingOpen("no offer waits for an answer", what="offer")
    return _of_named_elder(talk, offers) or newest(offers)


def newest(offers: List[Offer]) -> Offer:
    return max(offers, key=lambda offer: offer.id)


def task_meant(talk: Talk) -> Assignment:
    """The accepted task spoken of: the named elder's, else what is going on or next.

    Raises NothingOpen."""
    tasks = queries.active_tasks(talk.session, talk.me)
    if talk.matter is not None:
        tasks = [task for task in tasks if task.request_id == talk.matter]
    if not tasks:
        raise NothingOpen("no accepted task", what="task")
    return _of_named_elder(talk, tasks) or tasks[0]


def _of_named_elder(talk: Talk, things: List[Any]) -> Optional[Any]:
    named = talk.heard("person")
    return next((thing for thing in things if thing.request.elder.name == named), None)


def _say_claimed(talk: Talk, settlement: visits.Settlement) -> None:
    elder = settlement.elder_name
    if settlement.state != "settled":
        minutes = wording.minutes(settlement.minutes_claimed or 0)
        talk.say("utter_task_completed", elder=elder, minutes=minutes)
    elif settlement.dispute_id is not None:
        talk.say(
            "utter_task_disputed",
            elder=elder,
            claimed=wording.minutes(settlement.minutes_claimed or 0),
            confirmed=wording.minutes(settlement.minutes_confirmed or 0),
            settled=wording.minutes(settlement.minutes_settled or 0),
            coordinator=talk.coordinator(),
        )
    else:
        balance = ledger.balance(
            talk.session, AccountId(ledger.account_of(talk.session, talk.me).id)
        ).posted
        talk.say(
            "utter_task_settled",
            elder=elder,
            minutes=wording.minutes(settlement.minutes_settled or 0),
            balance=wording.minutes(balance),
        )


def _facts(talk: Talk, request: ServiceRequest) -> Dict[str, Any]:
    return {
        "elder": request.elder.name,
        "when": wording.moment(request.starts_at),
        "kind": wording.kind(talk.domain, request.service_kind),
        "minutes": wording.minutes(request.minutes),
        "place": request.place or request.elder.place or request.elder.lane.name,
    }


def _reason(talk: Talk) -> str:
    """Why somebody cannot come, in his own words; a button gives none."""
    return "" if talk.words.startswith("/") else talk.words[:120]
