"""Fills the responses of the domain with the village's facts.

Facts go out in one canonical shape, 90分钟 and 2026-11-23T09:00+08:00, and are made into easy
spoken Mandarin where they leave the house (`voice.speakable`).
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from rasa_sdk.types import DomainDict

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import Refusal
from actions.timebank.model import Member, Offer
from actions.timebank.states import ServiceKind


def phrase(domain: DomainDict, response: str, **facts: Any) -> str:
    """One variant of a response, filled. Raises KeyError when the domain has none."""
    variant = random.choice(domain["responses"][response])
    return str(variant["text"]).format(**facts)


def minutes(amount: int) -> str:
    return f"{amount}分钟"


def moment(at: datetime) -> str:
    return at.astimezone(VILLAGE_ZONE).isoformat(timespec="minutes")


def kind(domain: DomainDict, service_kind: ServiceKind) -> str:
    return phrase(domain, f"utter_kind_{service_kind.value}")


def neighbour(domain: DomainDict, member: Member) -> str:
    """Who it is, by house and name: 村东头的张秀英."""
    if not member.place:
        return str(member.name)
    return phrase(domain, "utter_neighbour", place=member.place, name=member.name)


def why(domain: DomainDict, offer: Offer, whom: str) -> str:
    """The strongest reason why this neighbour is asked; empty when there is none to tell."""
    for reason in offer.why:
        facts: Dict[str, Any] = {"whom": whom, "day": reason.get("day", "")}
        if "kind" in reason:
            facts["done"] = phrase(domain, f"utter_done_{reason['kind']}")
        if f"utter_why_{reason['code']}" in domain["responses"]:
            return phrase(domain, f"utter_why_{reason['code']}", **facts)
    return ""


def refusal_response(refusal: Refusal) -> str:
    """The response that tells a refusal; some say more precisely what is missing."""
    what: Optional[object] = refusal.facts.get("what")
    return f"utter_refused_{refusal.code}" + (f"_{what}" if what else "")


def refusal_facts(refusal: Refusal, **more: Any) -> Mapping[str, Any]:
    facts = dict(refusal.facts, **more)
    for name, fact in facts.items():
        if isinstance(fact, datetime):
            facts[name] = moment(fact)
    for name in ("needed", "available"):
        if isinstance(facts.get(name), int):
            facts[name] = minutes(facts[name])
    return facts
