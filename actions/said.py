"""What was said without what was taken back in the same breath, and which need is for when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from rasa_sdk import Tracker

TAKES_BACK = re.compile(r"(?<!对)不对|(?<!是)不是|错了")
"""After this the later counts; 对不对 and 是不是 only ask."""
DENIED = re.compile(r"((?<!是)不是|不要|不用|别)$")
"""Right before a word it denies that word alone: 是做饭，不是买菜."""
DAY = re.compile(r"[今明后]|天|号|日|周|星期|礼拜|初|月|集")
HOUR = re.compile(r"点|时|半|刻|早|晨|晌|午|晚|夜|傍")
FROM_NOW = re.compile(r"过|等|现在|马上|立|会儿|这会|小时|钟头|分钟|以后|之后")
"""What a time word says of; one said from now on (过两个钟头) stands alone."""


def facts_meant(message: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """The entities of an utterance in the order said, without those that were taken back."""
    text, entities = str(message.get("text") or ""), list(message.get("entities") or [])
    kept = [one for one in entities if not DENIED.search(text[: one.get("start") or 0])]
    for correction in TAKES_BACK.finditer(text):
        corrected = {one["entity"] for one in kept if _starts(one) >= correction.end()}
        kept = [
            one
            for one in kept
            if one["entity"] not in corrected or _starts(one) >= correction.end()
        ]
    return kept


def value_meant(message: Mapping[str, Any], entity: str) -> Any:
    """The last value that still counts; None when there is none."""
    values = [one["value"] for one in facts_meant(message) if one["entity"] == entity]
    return values[-1] if values else None


def moment_meant(message: Mapping[str, Any], before: Optional[str]) -> Optional[str]:
    """The last time that still counts, put together with what was known before: 两点 alone keeps
    the day, 后天 alone keeps the hour. Takes and gives ISO times; None when no time was said."""
    times = [one for one in facts_meant(message) if one["entity"] == "when"]
    if not times:
        return None
    said, start, end = times[-1]["value"], times[-1].get("start"), times[-1].get("end")
    if before is None or start is None:
        return str(said)
    words = str(message.get("text") or "")[start:end]
    earlier, later = datetime.fromisoformat(before), datetime.fromisoformat(said)
    day, hour = DAY.search(words), HOUR.search(words)
    if FROM_NOW.search(words) or bool(day) is bool(hour):
        return str(said)
    kept = (
        later.replace(hour=earlier.hour, minute=earlier.minute)
        if day
        else later.replace(year=earlier.year, month=earlier.month, day=earlier.day)
    )
    return kept.isoformat()


def known_before(tracker: Tracker, slot: str) -> Any:
    """The slot's value when this utterance came."""
    heard = False
    for event in reversed(tracker.events):
        if event["event"] == "user":
            heard = True
        elif heard and event["event"] == "slot" and event["name"] == slot:
            return event["value"]
    return None


@dataclass(frozen=True)
class Need:
    kind: str
    when: Optional[str]
    """ISO time; None when no time at all was said."""
    minutes: Optional[int]


def needs(message: Mapping[str, Any]) -> List[Need]:
    """Each need of one sentence with its own time: 明天帮我买点菜，后天陪我去医院.

    A time stands before its need, or else behind it; a need without one shares its neighbour's.
    """
    facts = facts_meant(message)
    places = [place for place, one in enumerate(facts) if one["entity"] == "service_kind"]
    if len(places) == 1:
        whens = [one["value"] for one in facts if one["entity"] == "when"]
        minutes = [one["value"] for one in facts if one["entity"] == "duration_minutes"]
        kind = str(facts[places[0]]["value"])
        return [Need(kind, _last(whens), _last(minutes))]
    whens = _given("when", facts, places)
    lengths = _given("duration_minutes", facts, places)
    shared = next((when for when in whens if when is not None), None)
    found: List[Need] = []
    for place, when, minutes in zip(places, whens, lengths, strict=True):
        shared = when or shared
        need = Need(str(facts[place]["value"]), shared, minutes)
        if (need.kind, need.when) not in {(one.kind, one.when) for one in found}:
            found.append(need)
    return found


def _given(entity: str, facts: Sequence[Mapping[str, Any]], places: Sequence[int]) -> List[Any]:
    """For the need at each place the fact of its own: the last one between it and the need
    before, unless that one took it, else the first one before the next need."""
    taken: Set[int] = set()
    given: List[Any] = []
    for number, place in enumerate(places):
        after = places[number - 1] if number else -1
        until = places[number + 1] if number + 1 < len(places) else len(facts)
        candidates = [*range(place - 1, after, -1), *range(place + 1, until)]
        own = (at for at in candidates if facts[at]["entity"] == entity and at not in taken)
        found = next(own, None)
        given.append(None if found is None else facts[found]["value"])
        taken |= set() if found is None else {found}
    return given


def _last(values: Sequence[Any]) -> Any:
    return values[-1] if values else None


def _starts(entity: Mapping[str, Any]) -> int:
    """Where it stands; what a button carries stands nowhere and is never taken back."""
    start = entity.get("start")
    return 10**6 if start is None else int(start)
