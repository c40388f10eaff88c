"""Whom a gift is meant for: a name, 我老伴 or 儿媳 as she calls them, or the village fund."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Union

from actions import wording
from actions.base import Talk
from actions.neighbours import named, nearest_first
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


def is_to_herself(talk: Talk) -> bool:
    """Whether she wants hours moved to herself, from somebody else's account."""
    return bool(_TO_HERSELF.search(talk.words))


def who_is_meant(talk: Talk) -> List[Receiver]:
    """Everybody whom the words may mean, nearest first; empty when nobody is named.

    A name goes before the fund, the fund before a word for a relative."""
    by_name = named(talk)
    if by_name:
        return list(by_name)
    if _FUND_WORDS.search(talk.words) or talk.heard("fund"):
        return [FUND]
    return _related(talk)


def spoken(talk: Talk, receiver: Receiver) -> str:
    """Who it is, by house and name; the fund by its name."""
    if receiver == FUND:
        return talk.phrase("utter_the_fund")
    return wording.neighbour(talk.domain, _member(talk, receiver))


def _member(talk: Talk, receiver: Receiver) -> Member:
    return members.member(talk.session, MemberId(int(receiver)))


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
    return list(nearest_first(talk, people))


def _last_word_for_kin(words: str, labels: Sequence[str]) -> Optional[str]:
    """The last word for a relative, the longest there: in 我闺女她婆婆 it is 婆婆."""
    known = {word for group in _KIN for word in group} | set(labels)
    pattern = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    found = re.findall(pattern, words)
    return found[-1] if found else None
