"""Whom a gift is meant for: a name, 我老伴 or 儿媳 as she calls them, or the village fund."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import List, Optional, Sequence, Union

from actions import wording
from actions.base import Talk
from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.states import RelationKind

FUND = "fund"
Receiver = Union[MemberId, str]
"""A member, or `FUND`."""

_FUND_WORDS = re.compile(
    "公家|公益|基金|公账|公中|公用|公共|集体|大伙|大家用|捐(?!给)"
    "|[给归到]村[里上](?![的东西南北头])"
)
_TO_HERSELF = re.compile("[到归]我(?:这|名下|账|自己)")

_SPOUSE = ("老婆子", "老婆", "老伴", "老头子", "老头", "老汉", "爱人", "堂客", "当家的", "媳妇")
_KIN = (
    _SPOUSE,
    ("儿媳妇", "儿媳", "媳妇"),
    ("孙子媳妇", "孙媳妇", "孙媳"),
    ("侄儿媳妇", "侄媳妇"),
    ("兄弟媳妇", "弟媳妇", "弟媳"),
    ("闺女", "女儿", "姑娘", "丫头", "女娃"),
    ("儿子", "小子", "我娃", "我儿", "我崽"),
    ("孙女",),
    ("孙子", "孙儿"),
    ("女婿", "姑爷"),
    ("侄女",),
    ("侄子", "侄儿", "侄娃"),
    ("外甥",),
    ("妹妹", "妹子", "老妹"),
    ("姐姐", "大姐", "老姐"),
    ("弟弟", "兄弟", "老弟"),
    ("哥哥", "大哥", "老哥"),
    ("嫂子", "大嫂"),
    ("亲家母", "亲家"),
    ("婆婆",),
    ("公公",),
    ("我妈", "我娘"),
    ("我爹", "我爸"),
)
"""Words for the same tie; she and the village's books may use different ones."""

_FIRST = re.compile("第一|头一|前[一头面]")
_SECOND = re.compile("第二|后[一头面]")


def is_to_herself(talk: Talk) -> bool:
    """Whether she wants hours moved to herself, from somebody else's account."""
    return bool(_TO_HERSELF.search(talk.words))


def who_is_meant(talk: Talk) -> List[Receiver]:
    """Everybody whom the words may mean, nearest first; empty when nobody is named.

    A name goes before the fund, the fund before a word for a relative."""
    named = _named(talk)
    if named:
        return named
    if _FUND_WORDS.search(talk.words):
        return [FUND]
    return _related(talk)


def chosen(talk: Talk, between: Sequence[int]) -> List[Receiver]:
    """Which of the people she was asked about she means: the button's, the first or second, or
    the one whose house or name she says. Empty when it is not clear."""
    button = talk.heard_id("member_id")
    if button is not None:
        return [MemberId(button)] if button in between else []
    if _FIRST.search(talk.words):
        return [MemberId(between[0])]
    if _SECOND.search(talk.words):
        return [MemberId(between[-1])]
    people = [members.member(talk.session, MemberId(one)) for one in between]
    houses = [f"{person.lane.name} {person.place}" for person in people]
    names = [f"{person.name} {person.nickname or ''}" for person in people]
    for known_by in (houses, names):
        at = _only_best([_in_common(talk.words, one) for one in known_by])
        if at is not None:
            return [MemberId(between[at])]
    return []


def spoken(talk: Talk, receiver: Receiver) -> str:
    """Who it is, by house and name; the fund by its name."""
    if receiver == FUND:
        return talk.phrase("utter_the_fund")
    return wording.neighbour(talk.domain, _member(talk, receiver))


def _member(talk: Talk, receiver: Receiver) -> Member:
    return members.member(talk.session, MemberId(int(receiver)))


def _named(talk: Talk) -> List[Receiver]:
    said = talk.tracker.latest_message.get("entities") or []
    names = [entity for entity in said if entity.get("entity") == "person"]
    if not names:
        return []
    # Who corrects himself says the right one last.
    entity = names[-1]
    name = str(entity["value"])
    said = talk.words[entity.get("start", 0) : entity.get("end", 0)] or name
    return _nearest_first(talk, members.namesakes(talk.session, name, said=said))


def _related(talk: Talk) -> List[Receiver]:
    ties = members.relations_of(talk.session, talk.me)
    word = _last_word_for_kin(talk.words, [label for _, _, label in ties if label])
    if word is None:
        return []
    same = {synonym for group in _KIN if word in group for synonym in group}
    people = [
        person
        for person, kind, label in ties
        if label == word
        or (kind is not RelationKind.NEIGHBOUR and label in same)
        or (kind is RelationKind.SPOUSE and word in _SPOUSE)
    ]
    return _nearest_first(talk, people)


def _last_word_for_kin(words: str, labels: Sequence[str]) -> Optional[str]:
    """The last word for a relative, the longest there: in 我闺女她婆婆 it is 婆婆."""
    known = {word for group in _KIN for word in group} | set(labels)
    pattern = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    found = re.findall(pattern, words)
    return found[-1] if found else None


def _nearest_first(talk: Talk, people: Sequence[Member]) -> List[Receiver]:
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
