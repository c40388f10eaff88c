"""Family who act for an elder: her yes and no, and what they ask and see for her."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from rasa_sdk.events import ActionExecuted, EventType, FollowupAction, SlotSet, UserUttered

from actions import neighbours, receivers, wording
from actions.base import Talk, VillageAction
from actions.kinship import elders_meant
from actions.timebank import alerts, delegates, members, on_behalf
from actions.timebank.errors import WrongState
from actions.timebank.ids import DelegationId, MemberId
from actions.timebank.model import Delegation, Member, ServiceRequest
from actions.timebank.queries import pending_offer_of
from actions.timebank.states import DelegateScope, DelegationState
from actions.whom import ANYBODY

LISTEN = FollowupAction("action_listen")
"""Ends the turn: these actions stand in no rule, and Rasa would repair after them."""
AWAY = re.compile(
    "(?:不|别|甭|莫|不用|不要|不想|不再)(?:再)?(?:让|叫|用|要)?(?P<whom>\\w{1,8}?)"
    "(?:(?:再)?[替代][我俺]\\w{0,4}|办|管)了?"
)
"""不让建国替我办了. 别让她来了 is about a visit."""
HE = re.compile("^(?:[他她]|人家)$")
INSTEAD_OF_ME = re.compile("(?:让|叫|要|由)\\w{1,8}?[替代][我俺咱]")
"""让建国替我叫人: she names a delegate."""


class ActionAskWhose(VillageAction):
    """Two elders may be meant; the words are kept and carried out for the one who is chosen."""

    def name(self) -> str:
        return "action_ask_whose"

    def act(self, talk: Talk) -> List[EventType]:
        scope = DelegateScope.ASK_HELP
        return [*ask_whose(talk, elders_meant(talk, scope)), LISTEN]


class ActionEndDelegation(VillageAction):
    """The elder sends a delegate away in her own words."""

    def name(self) -> str:
        return "action_end_delegation"

    def act(self, talk: Talk) -> List[EventType]:
        delegation = sent_away(talk)
        if delegation is not None:
            _send_away(talk, delegation)
        return [LISTEN]


# -- the elder -----------------------------------------------------------------------------------


def answer_by_button(talk: Talk, *, yes: bool) -> bool:
    """Whether a button about a delegate was pressed; then what it says is done."""
    button = talk.heard_id("delegation_id")
    if button is None:
        return False
    delegation = delegates.delegation_of(talk.session, talk.me, DelegationId(button))
    if delegation.state is DelegationState.PROPOSED:
        _decide(talk, delegation, yes=yes)
    elif not yes:
        _send_away(talk, delegation)
    elif delegation.given_at is None:
        raise WrongState("it was not answered in time", state=delegation.state.value)
    else:
        talk.say("utter_delegation_goes_on", **_who(talk, delegation))
    return True


def answer_by_word(talk: Talk, *, yes: bool) -> Optional[List[EventType]]:
    """What a bare yes or no does when the last thing she heard was about a delegate; None when it
    was about anything else."""
    if alerts.alert_lately_raised(talk.session, talk.me, now=talk.now) is not None:
        return None
    asked = talk.before.slots.get("delegation_asked")
    if asked is not None:
        delegation = delegates.delegation_of(talk.session, talk.me, DelegationId(asked))
        return _answer_question(talk, delegation, yes=yes)
    heard = on_behalf.heard_last(talk.session, talk.me, turn_id=talk.turn, now=talk.now)
    if heard is not None:
        delegation, notice = heard
        if notice in on_behalf.QUESTIONS and delegation.state is DelegationState.PROPOSED:
            return _answer_question(talk, delegation, yes=yes)
        if not yes and sent_away(talk) is None:
            # It may mean the visit as well: it is asked which.
            talk.say("utter_ask_delegation_end", **_who(talk, delegation))
            return [SlotSet("delegation_asked", delegation.id)]
    away = None if yes else sent_away(talk)
    if away is None:
        return None
    _send_away(talk, away)
    return []


def ask_again(talk: Talk) -> Optional[List[EventType]]:
    """A question about a delegate that she has not answered, asked once more; None when there is
    none."""
    for delegation in delegates.of_elder(talk.session, talk.me):
        if delegation.state is DelegationState.PROPOSED:
            return _ask(talk, delegation)
    return None


def named_by_her(talk: Talk) -> Optional[List[EventType]]:
    """让建国替我叫人: she names a delegate herself and is asked whether she means it; None when
    she names nobody certain."""
    if not INSTEAD_OF_ME.search(talk.words):
        return None
    people = [one for one in receivers.who_is_meant(talk) if one != receivers.FUND]
    if len(people) != 1:
        return None
    delegation = delegates.propose(
        talk.session, elder=talk.me, delegate=MemberId(int(people[0])), by=talk.me, now=talk.now
    )
    if delegation.state is DelegationState.GIVEN:
        talk.say("utter_delegation_goes_on", **_who(talk, delegation))
        return []
    return _ask(talk, delegation)


def sent_away(talk: Talk) -> Optional[Delegation]:
    """The delegate whom she does not want any more; None when her words are about anything else."""
    words = AWAY.search(talk.words)
    hers = delegates.of_elder(talk.session, talk.me)
    if words is None or not hers:
        return None
    persons = talk.heard_all("person")
    for delegation in hers:
        facts = delegates.who(talk.session, delegation)
        is_kin = bool(facts["label"]) and facts["label"] in words["whom"]
        if delegation.delegate.name in persons or is_kin:
            return delegation
    return hers[0] if len(hers) == 1 and HE.search(words["whom"]) and not persons else None


def _answer_question(talk: Talk, delegation: Delegation, *, yes: bool) -> List[EventType]:
    persons = talk.heard_all("person")
    if persons and delegation.delegate.name not in persons:
        return _ask(talk, delegation)
    if delegation.state is DelegationState.PROPOSED:
        _decide(talk, delegation, yes=yes)
    elif yes:
        _send_away(talk, delegation)
    else:
        talk.say("utter_delegation_goes_on", **_who(talk, delegation))
    return []


def _decide(talk: Talk, delegation: Delegation, *, yes: bool) -> None:
    about: Dict[str, Any] = {
        "elder": talk.me,
        "delegation_id": DelegationId(delegation.id),
        "now": talk.now,
    }
    if yes:
        said: Dict[str, Any] = {"turn_id": talk.turn, "recording_sha256": talk.recording}
        delegates.give(talk.session, **about, **said)
        talk.say("utter_delegation_given", **_who(talk, delegation))
    else:
        delegates.refuse(talk.session, **about)
        talk.say("utter_delegation_refused", **_who(talk, delegation))


def _send_away(talk: Talk, delegation: Delegation) -> None:
    delegate = MemberId(delegation.delegate_id)
    delegates.send_away(talk.session, elder=talk.me, delegate=delegate, by=talk.me, now=talk.now)
    talk.say("utter_delegation_ended", **_who(talk, delegation))


def _ask(talk: Talk, delegation: Delegation) -> List[EventType]:
    may = [
        talk.phrase(f"utter_may_{scope.value}")
        for scope in DelegateScope
        if scope in delegation.scopes
    ]
    talk.say(
        "utter_ask_delegation",
        delegation_id=delegation.id,
        may=talk.phrase("utter_and").join(may),
        **_who(talk, delegation),
    )
    return [SlotSet("delegation_asked", delegation.id)]


def _who(talk: Talk, delegation: Delegation) -> Dict[str, str]:
    facts = delegates.who(talk.session, delegation)
    name, label = str(facts["delegate"]), str(facts["label"])
    return {"who": talk.phrase("utter_your_kin", label=label, name=name) if label else name}


# -- the delegate --------------------------------------------------------------------------------


def ask_whose(talk: Talk, elders: List[Member]) -> List[EventType]:
    """Asks which of two is meant; her answer carries out these words."""
    first, second = elders[:2]
    talk.say(
        "utter_ask_whose",
        first=first.name,
        second=second.name,
        first_id=first.id,
        second_id=second.id,
    )
    kept = {
        "text": talk.words,
        "intent": talk.intent,
        "entities": list(talk.tracker.latest_message.get("entities") or []),
        "elders": [first.id, second.id],
    }
    return [SlotSet("whose", kept)]


def answer_whose(talk: Talk) -> Optional[List[EventType]]:
    """The words that were kept, carried out for the elder just chosen; None when it was not asked
    for whom, or this is no answer."""
    kept = talk.before.slots.get("whose")
    chosen = neighbours.chosen(talk, kept["elders"]) if kept else []
    if not kept or not chosen:
        return None
    message = talk.tracker.latest_message
    metadata = dict(message.get("metadata") or {})
    parsed = {
        "text": kept["text"],
        "intent": {"name": kept["intent"], "confidence": 1.0},
        "entities": [*kept["entities"], {"entity": "elder_id", "value": int(chosen[0])}],
        "message_id": message.get("message_id"),
        "metadata": metadata,
    }
    channel = talk.tracker.get_latest_input_channel()
    again = dict(UserUttered(kept["text"], parsed, input_channel=channel), metadata=metadata)
    return [SlotSet("whose", None), ActionExecuted("action_listen"), again]


def seen_balance(talk: Talk) -> Optional[List[EventType]]:
    """An elder's hours, told to her delegate; None when he asks for his own."""
    elders = elders_meant(talk, DelegateScope.SEE_BALANCE)
    if len(elders) != 1:
        return ask_whose(talk, elders) if elders else None
    about: Dict[str, Any] = {"by": talk.me, "elder": MemberId(elders[0].id), "now": talk.now}
    balance = on_behalf.see_balance(talk.session, **about)
    talk.say("utter_elder_balance", elder=elders[0].name, now=wording.minutes(balance.posted))
    if balance.held:
        talk.say("utter_balance_held", held=wording.minutes(balance.held))
    return []


def no_history(talk: Talk) -> Optional[List[EventType]]:
    """An elder's single movements she asks for herself; None when the speaker asks for his own."""
    elders = elders_meant(talk, DelegateScope.SEE_BALANCE)
    if not elders:
        return None
    talk.say("utter_elder_history", elder=elders[0].name)
    return []


def for_whom(talk: Talk) -> Dict[str, Any]:
    """The slots of a request that is made for an elder; empty for one of the speaker's own."""
    elders = elders_meant(talk, DelegateScope.ASK_HELP)
    if not elders:
        # A form that was left in the middle may have been about an elder.
        return {} if talk.tracker.get_slot("for_elder") is None else {"for_elder": None}
    slots: Dict[str, Any] = {"for_elder": elders[0].id, "sound_alike": None}
    helpers = [one for one in talk.heard_all("person") if one != elders[0].name]
    return {**slots, "wanted_person": helpers[-1] if helpers else ANYBODY}


def elder_of(talk: Talk) -> Member:
    """Whose request the form is about: the speaker's own, or the elder's."""
    elder = talk.tracker.get_slot("for_elder")
    return talk.speaker if elder is None else members.member(talk.session, MemberId(int(elder)))


def say_made(talk: Talk, request: ServiceRequest, **facts: str) -> None:
    """Reads back what was asked for on behalf of an elder, with her name."""
    offer = pending_offer_of(talk.session, request.id)
    if offer is None:
        coordinator = talk.coordinator()
        facts = {**facts, "elder": request.elder.name, "coordinator": coordinator}
        talk.say("utter_made_for_elder_no_neighbour", **facts)
    else:
        helper = wording.neighbour(talk.domain, offer.helper)
        talk.say("utter_made_for_elder", elder=request.elder.name, helper=helper, **facts)
