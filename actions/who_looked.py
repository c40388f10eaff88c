"""谁看过我的话: a member hears who of the staff looked at what is hers."""

from __future__ import annotations

import re

from actions import wording
from actions.base import Talk
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.staff.audit import who_looked
from actions.timebank.staff.states import (
    Viewed,
)

TOLD = 2
"""Looks that one answer names; a list by ear is no help."""
LOOKED_THROUGH = 50
"""The newest looks among which different ones are found: one evening's reading is many rows."""

RECORDING = "[录陆路][音英因]|录下?来?的(?:音|声音|东西)?|声音"
BOOKS = "账本?|帐本?|存折|折子|本子|存的时间"
TALK = "(?<![说讲])话|画(?=.{0,6}$)|(?<=[说讲摆])(?:过|了|些|点|的)*(?:啥|什么|么子|啥子|哪样)"
ANYTHING = "[记纪][录陆]|资料|档案|底子|东西"

WHO = (
    "谁|哪个|哪些|哪一个|哪位|啥人|什么人|么人|边个|有(?:没有|没得)?(?:旁|外|别)?人|没有?人|别人|别个|"
    "[叫被让给]人"
)
LOOK = "偷?看|偷?听|翻|查|瞧|瞅|瞄|睇|调|动"
LOOKED = f"(?:{LOOK})(?:到|去|见|出来)?(?:过|了|咧|嘞|哒|咯)|偷看|偷听|听了?去|翻了?去"
# Between 我 and what is hers stands nobody else: 我妈的记录 is her mother's.
MINE = (
    "(?:我|俺|吾|偶|额)(?!们)"
    "(?:自己|自个儿?|个人|以前|前头|昨天|那天|平时|跟[你您它]|和[你您]|对[你您]|这|那|些|段|点|个|"
    "存|记|攒|说|讲|摆|唠|聊|扯|的|嘅|嘞|哩|咯|之|下|过|了|在|里|头|上|来)*?"
    f"(?:{RECORDING}|{BOOKS}|{TALK}|{ANYTHING})"
)
ASKED = re.compile(
    f"(?:{WHO}).{{0,6}}?(?:{LOOKED}).{{0,3}}?{MINE}|{MINE}.{{0,6}}?(?:{WHO}).{{0,6}}?(?:{LOOKED})"
    f"|(?:{WHO})(?:{LOOK}){MINE}(?:了|过)"
)
FAMILY = re.compile(
    f"(?:儿子|闺女|女儿|孩子|娃|孙子|孙女|儿媳妇?|媳妇|老伴|女婿)(?:们|里|都|头|面|个)*(?:{WHO})"
)
"""孩子们谁听过我的话 is no question about recordings."""

KINDS = (
    (re.compile(RECORDING), "recording", frozenset({Viewed.RECORDING})),
    (re.compile(BOOKS), "passbook", frozenset({Viewed.PASSBOOK})),
    (re.compile(TALK), "conversation", frozenset({Viewed.CONVERSATION, Viewed.RECORDING})),
)


def is_asked(words: str) -> bool:
    """Whether the speaker wants to know who has looked at what is hers."""
    return bool(ASKED.search(words)) and not FAMILY.search(words)


def answer(talk: Talk) -> None:
    """The last two who looked, with the day; or that nobody did."""
    asked, kinds = _asked_about(talk.words)
    told = set()
    for look in who_looked(talk.session, talk.me, kinds=kinds, limit=LOOKED_THROUGH):
        day = look.done_at.astimezone(VILLAGE_ZONE).date()
        once = (look.by_id, look.viewed, day)
        if once not in told:
            told.add(once)
            who = wording.neighbour(talk.domain, look.by)
            talk.say(f"utter_looked_{look.viewed.value}", day=day.isoformat(), who=who)
        if len(told) == TOLD:
            return
    if not told:
        talk.say(f"utter_nobody_looked_{asked}")


def _asked_about(words: str) -> tuple[str, frozenset[Viewed]]:
    for pattern, asked, kinds in KINDS:
        if pattern.search(words):
            return asked, kinds
    return "anything", frozenset(Viewed)
