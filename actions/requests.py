"""Asking for help, changing it, calling it off, and asking how it stands."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions import family, wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.kinship import elders_meant, refuse_for_others
from actions.said import TAKES_BACK, Need, known_before, moment_meant, needs
from actions.timebank import deeds, exchange, on_behalf, queries
from actions.timebank.errors import InThePast, NotEnoughMinutes, NothingOpen, Refusal
from actions.timebank.ids import MemberId, RequestId, TurnId
from actions.timebank.model import Member, ServiceRequest
from actions.timebank.states import DelegateScope, RequestState, ServiceKind
from actions.whom import ANYBODY, wanted_member, whom

ENTITY_OF = {"service_kind": "service_kind", "when": "when", "help_minutes": "duration_minutes"}
"""What fills the slots of a request."""
CHANGES = re.compile("改|换|挪|推|提前")
MOST_NEEDS = 3
"""Of one sentence; more cannot be kept in mind by who hears them told."""


class ValidateRequestHelpForm(VillageForm):
    opened_by = ("request_help",)

    def name(self) -> str:
        return "validate_request_help_form"

    def other_side(self, talk: Talk) -> Optional[str]:
        is_new = not self.is_open(talk.tracker) and not talk.tracker.get_slot("more_needs")
        several = is_new and len(elders_meant(talk, DelegateScope.ASK_HELP)) > 1
        return "action_ask_whose" if several else None

    def check(self, talk: Talk) -> Dict[str, Any]:
        """Several needs of one sentence are made one after the other: the first fills the form,
        the others wait in `more_needs`."""
        waiting = talk.tracker.get_slot("more_needs")
        if waiting and deeds.done_before(talk.session, talk.turn, ActionRequestHelp().name()):
            return _next_late(talk, waiting)
        is_open = self.is_open(talk.tracker)
        before = known_before(talk.tracker, "when") if is_open else None
        meant = {**_as_meant(talk, before), **_first_of_several(talk)}
        if is_open:
            _say_back(talk, meant)
        for_whom = {} if is_open else family.for_whom(talk)
        return {**meant, **_future_when(talk, meant), **whom(talk), **for_whom}


class ValidateChangeRequestForm(VillageForm):
    opened_by = ("change_request",)

    def name(self) -> str:
        return "validate_change_request_form"

    def other_side(self, talk: Talk) -> Optional[str]:
        """替王桂兰叫人 sounds like a change of something; a delegate asks for something new."""
        is_new = not self.is_open(talk.tracker) and not CHANGES.search(talk.words)
        elders = elders_meant(talk, DelegateScope.ASK_HELP) if is_new else []
        if len(elders) > 1:
            return "action_ask_whose"
        return "request_help_form" if elders else None

    def check(self, talk: Talk) -> Dict[str, Any]:
        if not self.is_open(talk.tracker):
            refuse_for_others(talk)
        request = changeable_request(talk)
        meant = _as_meant(talk, before=wording.moment(request.starts_at))
        says_what_changes = talk.meant("duration_minutes") or talk.meant("service_kind")
        if says_what_changes and not meant.get("when", talk.tracker.get_slot("when")):
            meant["when"] = wording.moment(request.starts_at)
        return {"matter_id": request.id, **meant, **_future_when(talk, meant)}


class ActionRequestHelp(VillageAction):
    def name(self) -> str:
        return "action_request_help"

    def act(self, talk: Talk) -> List[EventType]:
        kind, when = talk.tracker.get_slot("service_kind"), talk.tracker.get_slot("when")
        if not kind or not when:
            return forget_matter()
        first = Need(kind, when, whole(talk.tracker.get_slot("help_minutes")))
        more = [Need(**need) for need in talk.tracker.get_slot("more_needs") or []]
        if more:
            return _make_each(talk, [first, *more])
        request = _make(talk, first, talk.turn)
        _say_who_is_asked(talk, request)
        return [*forget_matter(), *_just_made(talk, request)]

    def refused(self, refusal: Refusal, talk: Talk) -> List[EventType]:
        if isinstance(refusal, NotEnoughMinutes):
            _look_for_a_way(talk)
        return forget_matter()


def _make(talk: Talk, need: Need, turn: TurnId) -> ServiceRequest:
    elder = family.elder_of(talk)
    try:
        return exchange.request_help(
            talk.session,
            elder=MemberId(elder.id),
            requested_by=talk.me,
            service_kind=ServiceKind(need.kind),
            starts_at=datetime.fromisoformat(str(need.when)),
            minutes=need.minutes,
            place=elder.place,
            note=talk.tracker.get_slot("story") or "",
            wanted_helper=wanted_member(talk),
            turn_id=turn,
            now=talk.now,
        )
    except NotEnoughMinutes:
        if elder.id == talk.me:
            raise
        # How many there are is told to nobody who may not see it.
        raise NotEnoughMinutes(what="for_elder", elder=elder.name) from None


def _just_made(talk: Talk, request: ServiceRequest) -> List[EventType]:
    """What lets the next words correct it; another's request is hers to correct."""
    return [SlotSet("made_request", request.id)] if request.elder_id == talk.me else []


def _make_each(talk: Talk, wanted: List[Need]) -> List[EventType]:
    """Several requests of one sentence. What is refused of one leaves the others as they are; of
    those whose time is over the time is asked for when the others are made."""
    events, late = forget_matter(), []
    for number, need in enumerate(wanted[:MOST_NEEDS], start=1):
        need = replace(need, when=need.when or wanted[0].when)
        turn = talk.turn if number == 1 else TurnId(f"{talk.turn}#{number}")
        try:
            with talk.session.begin_nested():
                request = _make(talk, need, turn)
        except InThePast:
            late.append(replace(need, when=None))
        except Refusal as refusal:
            facts = wording.refusal_facts(refusal, coordinator=talk.coordinator())
            talk.say(wording.refusal_response(refusal), **facts)
            if isinstance(refusal, NotEnoughMinutes):
                _look_for_a_way(talk)
        else:
            _say_who_is_asked_also(talk, request)
            events += _just_made(talk, request)
    if len(wanted) > MOST_NEEDS:
        talk.say("utter_needs_more_than_three")
    return [*events, *_ask_when(talk, late)]


def _ask_when(talk: Talk, late: List[Need]) -> List[EventType]:
    """Opens the form again for needs whose time is over; nothing when there are none."""
    if not late:
        return []
    talk.say("utter_request_too_late", kind=wording.kind(talk.domain, ServiceKind(late[0].kind)))
    waiting = [asdict(need) for need in late]
    kept = [SlotSet("for_elder", talk.tracker.get_slot("for_elder"))]
    return [*kept, SlotSet("more_needs", waiting), FollowupAction("request_help_form")]


def _next_late(talk: Talk, waiting: List[Dict[str, Any]]) -> Dict[str, Any]:
    """The form's slots when it is opened again in the same turn, where Rasa fills them once more
    with what was said and is done already."""
    first, *more = waiting
    return {
        "service_kind": first["kind"],
        "when": None,
        "help_minutes": first["minutes"],
        "more_needs": more,
        "wanted_person": talk.tracker.get_slot("wanted_person") or ANYBODY,
    }


def _look_for_a_way(talk: Talk) -> None:
    """The spoken refusal promises that the coordinator looks for one."""
    talk.call_back(talk.tracker.get_slot("story"))


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
            minutes=whole(talk.tracker.get_slot("help_minutes")),
            service_kind=ServiceKind(kind) if kind else None,
            turn_id=talk.turn,
            now=talk.now,
        )
        helper = who_comes(talk, request)
        facts = {"when": wording.moment(request.starts_at), "kind": kind_of(talk, request)}
        if helper:
            talk.say("utter_request_changed", helper=helper, **facts)
        else:
            talk.say("utter_request_changed_no_helper", **facts)
        return [*forget_matter(), SlotSet("made_request", request.id)]


class ActionCheckRequestStatus(VillageAction):
    def name(self) -> str:
        return "action_check_request_status"

    def act(self, talk: Talk) -> List[EventType]:
        elders = elders_meant(talk, DelegateScope.SEE_REQUESTS)
        if elders:
            return _tell_delegate(talk, elders)
        requests = queries.open_requests(talk.session, talk.me)
        if not requests:
            talk.say("utter_status_none")
        for request in requests[:2]:
            say_status(talk, request)
        return []


def _tell_delegate(talk: Talk, elders: List[Member]) -> List[EventType]:
    if len(elders) > 1:
        return family.ask_whose(talk, elders)
    about: Dict[str, Any] = {"by": talk.me, "elder": MemberId(elders[0].id), "now": talk.now}
    requests = on_behalf.see_requests(talk.session, **about)
    if not requests:
        talk.say("utter_elder_status_none", elder=elders[0].name)
    for request in requests[:2]:
        say_status(talk, request, of="elder_status", elder=elders[0].name)
    return []


def say_status(talk: Talk, request: ServiceRequest, *, of: str = "status", **facts: str) -> None:
    facts |= {"when": wording.moment(request.starts_at), "kind": kind_of(talk, request)}
    helper = who_comes(talk, request)
    if request.state is RequestState.CLAIMED:
        claimed = queries.claimed_minutes(talk.session, RequestId(request.id))
        talk.say(
            f"utter_{of}_claimed", helper=helper, minutes=wording.minutes(claimed or 0), **facts
        )
    elif request.state is RequestState.IN_PROGRESS:
        talk.say(f"utter_{of}_under_way", helper=helper, **facts)
    elif request.state is RequestState.ASSIGNED:
        talk.say(f"utter_{of}_accepted", helper=helper, **facts)
    elif helper:
        talk.say(f"utter_{of}_asked", helper=helper, **facts)
    else:
        talk.say(f"utter_{of}_nobody", coordinator=talk.coordinator(), **facts)


def changeable_request(talk: Talk) -> ServiceRequest:
    """The speaker's request that can still be changed: the one the open form asked about, the one
    just made when its words are corrected, of the kind just named, else the last one asked for.
    Raises NothingOpen."""
    waiting = changeable_requests(talk)
    matter = talk.matter if talk.matter is not None else _corrected(talk)
    if matter is not None:
        waiting = [request for request in waiting if request.id == matter]
    named = talk.heard("service_kind")
    of_kind = [request for request in waiting if request.service_kind.value == named]
    candidates = of_kind or waiting
    if not candidates:
        raise NothingOpen("no request that could be changed", what="request")
    return max(candidates, key=lambda request: request.id)


def corrects_request(talk: Talk) -> bool:
    """Whether what was just said changes the request that the last answer told of."""
    return _corrected(talk) is not None and any(map(talk.meant, ENTITY_OF.values()))


def _corrected(talk: Talk) -> Optional[int]:
    """The request made or changed by the answer before this correction of it."""
    corrects = talk.intent in ("deny", "inform") or TAKES_BACK.search(talk.words)
    return talk.before.slots.get("made_request") if corrects else None


def changeable_requests(talk: Talk) -> List[ServiceRequest]:
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
    facts = {"when": wording.moment(request.starts_at), "kind": kind_of(talk, request)}
    if request.elder_id != talk.me:
        family.say_made(talk, request, **facts)
        return
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


def _say_who_is_asked_also(talk: Talk, request: ServiceRequest) -> None:
    """One of several requests, in one sentence."""
    facts = {"when": wording.moment(request.starts_at), "kind": kind_of(talk, request)}
    if request.elder_id != talk.me:
        family.say_made(talk, request, **facts)
        return
    offer = queries.pending_offer_of(talk.session, RequestId(request.id))
    if offer is None:
        talk.say("utter_request_also_no_neighbour", coordinator=talk.coordinator(), **facts)
    else:
        helper = wording.neighbour(talk.domain, offer.helper)
        talk.say("utter_request_also_made", helper=helper, **facts)


def _first_of_several(talk: Talk) -> Dict[str, Any]:
    """The slots of the first of several needs just said, and those of the others for later."""
    said = needs(talk.tracker.latest_message) if talk.intent == "request_help" else []
    if len(said) < 2:
        return {}
    values = (said[0].kind, said[0].when, said[0].minutes)
    first = {
        slot: value
        for slot, value in zip(ENTITY_OF, values, strict=True)
        if talk.heard(ENTITY_OF[slot])
    }
    return {**first, "more_needs": [asdict(need) for need in said[1:]]}


def _as_meant(talk: Talk, before: Optional[str]) -> Dict[str, Any]:
    """Slots just filled that hold something else than was meant: what was taken back in the same
    breath, or half a time whose other half stays as it was `before`."""
    slots: Dict[str, Any] = {}
    for slot, entity in ENTITY_OF.items():
        slots.update(talk.set_right(slot, entity))
    whens = talk.heard_all("when")
    if whens and talk.tracker.get_slot("when") == whens[-1]:
        slots["when"] = moment_meant(talk.tracker.latest_message, before)
    return slots


def _say_back(talk: Talk, meant: Mapping[str, Any]) -> None:
    """Tells what this utterance changes of what the open form knew."""
    for slot in ("service_kind", "when"):
        before = known_before(talk.tracker, slot)
        now = meant.get(slot, talk.tracker.get_slot(slot))
        if before and now and before != now:
            said = now if slot == "when" else wording.kind(talk.domain, ServiceKind(now))
            talk.say("utter_corrected", what=said)
    minutes = meant.get("help_minutes", talk.tracker.get_slot("help_minutes"))
    is_only_length = talk.heard("duration_minutes") and not talk.tracker.slots_to_validate()
    if minutes and is_only_length:
        talk.say("utter_corrected", what=wording.minutes(int(minutes)))


def _future_when(talk: Talk, meant: Mapping[str, Any]) -> Dict[str, Any]:
    when = meant.get("when", talk.tracker.get_slot("when"))
    if when and datetime.fromisoformat(when) < talk.now - exchange.JUST_NOW:
        talk.say("utter_when_is_past")
        return {"when": None}
    return {}


def kind_of(talk: Talk, request: ServiceRequest) -> str:
    return wording.kind(talk.domain, request.service_kind)


def whole(minutes: Optional[float]) -> Optional[int]:
    return None if minutes is None else int(minutes)
