"""Which neighbours a name may mean, and which of two who were asked about is chosen."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import List, Optional, Sequence

from actions.base import Talk
from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import Member

_FIRST = re.compile("第一|头一|前[一头面]")
_SECOND = re.compile("第二|后[一头面]")
_DENIED = re.compile("(?<!是)不是(?P<whom>[^，。、不是]+)|(?P<before>[^，。、]+)不对")


def named(talk: Talk) -> List[MemberId]:
    """Everybody whom the name just said may mean, nearest first; empty when none was said. One
    name may be several people's, and the same words may stand for names that sound alike."""
    said = talk.tracker.latest_message.get("entities") or []
    names = [entity for entity in said if entity.get("entity") == "person"]
    if not names:
        return []
    # Who corrects himself says the right one last.
    last = names[-1]
    place = last.get("start")
    heard = [last] if place is None else [one for one in names if one.get("start") == place]
    spoken = talk.words[last.get("start", 0) : last.get("end", 0)]
    people = {
        person.id: person
        for name in (str(one["value"]) for one in heard)
        for person in members.namesakes(talk.session, name, said=spoken or name)
    }
    return nearest_first(talk, list(people.values()))


def chosen(talk: Talk, between: Sequence[int]) -> List[MemberId]:
    """Which of the people she was asked about she means: the button's, the first or second, or
    the one whose house or name she says. Empty when it is not clear."""
    button = talk.heard_id("member_id")
    if button is not None:
        return [MemberId(button)] if button in between else []
    people = [members.member(talk.session, MemberId(one)) for one in between]
    at = _meant(_DENIED.sub("", talk.words), people)
    if at is None and len(people) == 2:
        # 不是村东头的 means the other one of the two.
        denied = _DENIED.search(talk.words)
        not_at = _meant(denied["whom"] or denied["before"], people) if denied else None
        at = None if not_at is None else 1 - not_at
    return [] if at is None else [MemberId(between[at])]


def _meant(words: str, people: Sequence[Member]) -> Optional[int]:
    """Where in the list the one stands whom these words name; None when it is not clear."""
    if _FIRST.search(words):
        return 0
    if _SECOND.search(words):
        return len(people) - 1
    houses = [f"{person.lane.name} {person.place}" for person in people]
    names = [f"{person.name} {person.nickname or ''}" for person in people]
    for known_by in (houses, names):
        at = _only_best([_in_common(words, one) for one in known_by])
        if at is not None:
            return at
    return None


def nearest_first(talk: Talk, people: Sequence[Member]) -> List[MemberId]:
    """These people without the speaker herself: first her lane, then her group."""

    def distance(person: Member) -> tuple[bool, bool, int]:
        home, hers = person.lane, talk.speaker.lane
        return (home.id != hers.id, home.group_id != hers.group_id, person.id)

    others = [person for person in people if person.id != talk.me]
    return [MemberId(person.id) for person in sorted(others, key=distance)]


def _only_best(fits: List[int]) -> Optional[int]:
    """Where the best of these stands, when no other is as good and it is no single character."""
    best = max(fits, default=0)
    return fits.index(best) if best > 1 and fits.count(best) == 1 else None


def _in_common(one: str, other: str) -> int:
    """Length of the longest run of characters that both have."""
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
