"""Asking for help, changing it, calling it off, and asking how it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, VillageForm, forget_matter
from actions.reminders import ask_call_off, call_off, to_call_off
from actions.timebank import alerts, exchange, members, queries
from actions.timebank.errors import NotEnoughMinutes, NothingOpen, Refusal, UnknownMember
from actions.timebank.ids import MemberId, RequestId
from actions.timebank.model import ServiceRequest
from actions.timebank.states import RequestState, ServiceKind


class ValidateRequestHelpForm(VillageForm):
    def name(self) -> str:
        return "validate_request_help_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        return _future_when(talk)


class ValidateChangeRequestForm(VillageForm):
    def name(self) -> str:
        return "validate_change_request_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        request = changeable_request(talk)
        says_what_changes = talk.heard("duration_minutes") or talk.heard("service_kind")
        if says_what_changes and not talk.tracker.get_slot("when"):
            return {"matter_id": request.id, "when": wording.moment(request.starts_at)}
        return {"matter_id": request.id, **_future_when(talk)}


class ActionRequestHelp(VillageAction):
    def name(self) -> str:
        return "action_request_help"

    def act(self, talk: Talk) -> List[EventType]:
        kind, when = talk.tracker.get_slot("service_kind"), talk.tracker.get_slot("when")
        if not kind or not when:
            return forget_matter()
        request = exchange.request_help(
            talk.session,
            elder=talk.me,
            service_kind=ServiceKind(kind),
            starts_at=datetime.fromisoformat(when),
            minutes=_whole(talk.tracker.get_slot("help_minutes")),
            place=talk.speaker.place,
            note=talk.tracker.get_slot("story") or "",
            wanted_helper=_named(talk),
            turn_id=talk.turn,
            now=talk.now,
        )
        _say_who_is_asked(talk, request)
        return forget_matter()

    def refused(self, refusal: Refusal, talk: Talk) -> List[EventType]:
        if isinstance(refusal, NotEnoughMinutes):
            # The spoken refusal promises that the coordinator looks for a way.
            words = talk.tracker.get_slot("story") or talk.words
            alerts.call_back(
                talk.session, member=talk.me, words=words, turn_id=talk.turn, now=talk.now
            )
        return forget_matter()


class ActionChangeRequest(VillageAction):
    def name(self) -> str:
        return "action_change_request"

    def act(self, talk: Talk) -> List[EventType]:
        when = talk.tracker.get_slot("when")
        if not when:
            return forget_matter()
        kind = talk.tracker.get_slot("service_kind")
        request = exchange.change_request(
            talk.session,
            elder=talk.me,
            request_id=RequestId(changeable_request(talk).id),
            starts_at=datetime.fromisoformat(when),
            minutes=_whole(talk.tracker.get_slot("help_minutes")),
            service_kind=ServiceKind(kind) if kind else None,
            turn_id=talk.turn,
            now=talk.now,
        )
        helper = who_comes(talk, request)
        facts = {"when": wording.moment(request.starts_at), "kind": _kind(talk, request)}
        if helper:
            talk.say("utter_request_changed", helper=helper, **facts)
        else:
            talk.say("utter_request_changed_no_helper", **facts)
        return forget_matter()


class ValidateCancelRequestForm(VillageForm):
    def name(self) -> str:
        return "validate_cancel_request_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        is_open = talk.tracker.active_loop.get("name") == self.form_name()
        if is_open and talk.tracker.get_slot("reminder_matter") is not None:
            return {}
        if not is_open:
            reminder = to_call_off(talk, open_requests=bool(_changeable_requests(talk)))
            if reminder is not None:
                return {"matter_id": None, "reminder_matter": reminder.id}
        return {"matter_id": changeable_request(talk).id, "reminder_matter": None}


class ActionAskCancelSure(VillageAction):
    def name(self) -> str:
        return "action_ask_cancel_sure"

    def act(self, talk: Talk) -> List[EventType]:
        reminder_id = talk.tracker.get_slot("reminder_matter")
        if reminder_id is not None:
            ask_call_off(talk, reminder_id)
            return []
        request = changeable_request(talk)
        when = wording.moment(request.starts_at)
        talk.say("utter_ask_cancel_sure", when=when, kind=_kind(talk, request))
        return []


class ActionCancelRequest(VillageAction):
    def name(self) -> str:
        return "action_cancel_request"

    def act(self, talk: Talk) -> List[EventType]:
        sure = talk.tracker.get_slot("cancel_sure")
        reminder_id = talk.tracker.get_slot("reminder_matter")
        if sure is False:
            talk.say("utter_request_kept")
        elif sure and reminder_id is not None:
            call_off(talk, reminder_id)
        elif sure:
            request = exchange.cancel_request(
                talk.session,
                by=talk.me,
                request_id=RequestId(changeable_request(talk).id),
                now=talk.now,
            )
            when = wording.moment(request.starts_at)
            talk.say("utter_request_cancelled", when=when, kind=_kind(talk, request))
        return forget_matter()


class ActionCheckRequestStatus(VillageAction):
    def name(self) -> str:
        return "action_check_request_status"

    def act(self, talk: Talk) -> List[EventType]:
        requests = queries.open_requests(talk.session, talk.me)
        if not requests:
            talk.say("utter_status_none")
        for request in requests[:2]:
            say_status(talk, request)
        return []


def say_status(talk: Talk, request: ServiceRequest) -> None:
    facts = {"when": wording.moment(request.starts_at), "kind": _kind(talk, request)}
    helper = who_comes(talk, request)
    if request.state is RequestState.CLAIMED:
        claimed = queries.claimed_minutes(talk.session, RequestId(request.id))
        talk.say(
            "utter_status_claimed", helper=helper, minutes=wording.minutes(claimed or 0), **facts
        )
    elif request.state is RequestState.IN_PROGRESS:
        talk.say("utter_status_under_way", helper=helper, **facts)
    elif request.state is RequestState.ASSIGNED:
        talk.say("utter_status_accepted", helper=helper, **facts)
    elif helper:
        talk.say("utter_status_asked", helper=helper, **facts)
    else:
        talk.say("utter_status_nobody", coordinator=talk.coordinator(), **facts)


def changeable_request(talk: Talk) -> ServiceRequest:
    """The speaker's request that can still be changed: the one the open form asked about, of the
    kind just named, else the last one asked for. Raises NothingOpen."""
    waiting = _changeable_requests(talk)
    if talk.matter is not None:
        waiting = [request for request in waiting if request.id == talk.matter]
    named = talk.heard("service_kind")
    of_kind = [request for request in waiting if request.service_kind.value == named]
    candidates = of_kind or waiting
    if not candidates:
        raise NothingOpen("no request that could be changed", what="request")
    return max(candidates, key=lambda request: request.id)


def _changeable_requests(talk: Talk) -> List[ServiceRequest]:
    return [
        request
        for request in queries.open_requests(talk.session, talk.me)
        if request.state in (RequestState.OPEN, RequestState.OFFERED, RequestState.ASSIGNED)
    ]


def who_comes(talk: Talk, request: ServiceRequest) -> Optional[str]:
    """Who accepted, or else who is being asked; None when nobody is."""
    helper = queries.helper_of(talk.session, RequestId(request.id))
    return wording.neighbour(talk.domain, helper) if helper else None


def _say_who_is_asked(talk: Talk, request: ServiceRequest) -> None:
    facts = {"when": wording.moment(request.starts_at), "kind": _kind(talk, request)}
    offer = queries.pending_offer_of(talk.session, RequestId(request.id))
    if offer is None:
        talk.say("utter_request_no_neighbour", coordinator=talk.coordinator(), **facts)
        return
    helper = wording.neighbour(talk.domain, offer.helper)
    why = wording.why(talk.domain, offer, talk.phrase("utter_whom_you"))
    if why:
        talk.say("utter_request_made", helper=helper, why=why, **facts)
    else:
        talk.say("utter_request_made_no_reason", helper=helper, **facts)


def _future_when(talk: Talk) -> Dict[str, Any]:
    when = talk.tracker.get_slot("when")
    if when and datetime.fromisoformat(when) < talk.now - exchange.JUST_NOW:
        talk.say("utter_when_is_past")
        return {"when": None}
    return {}


def _kind(talk: Talk, request: ServiceRequest) -> str:
    return wording.kind(talk.domain, request.service_kind)


def _named(talk: Talk) -> Optional[MemberId]:
    """The neighbour whom the elder asked for by name; None when nobody certain was named."""
    name = talk.tracker.get_slot("wanted_person")
    if not name:
        return None
    try:
        return MemberId(members.find_member(talk.session, name).id)
    except UnknownMember:
        return None


def _whole(minutes: Optional[float]) -> Optional[int]:
    return None if minutes is None else int(minutes)
