"""What was changed of a member, in the words of the console."""

from __future__ import annotations

from enum import Enum
from typing import Dict, Type

from actions.timebank.states import (
    LeavingReason,
    PriorityClass,
    RelationKind,
    Rhythm,
    ServiceKind,
)
from bot.console.words import Words

FIELDS = {
    "name": "姓名",
    "nickname": "小名",
    "birth_year": "出生年份",
    "lane": "巷子",
    "place": "住处",
    "lives_alone": "一个人住",
    "pace": "语速",
    "gain": "音量",
    "patience_ms": "等多久算说完",
    "priority": "优先照顾",
    "takes_tasks": "帮忙的人",
    "skills": "能帮什么",
    "training": "培训记录",
    "photo": "照片",
    "kin": "亲人和邻居",
    "rhythm": "问安",
    "link": "说话的链接",
    "phone": "手机",
    "left": "离开",
    "joined": "加入",
    "is_coordinator": "村里干事",
}
STATES: Dict[str, Type[Enum]] = {
    "skills": ServiceKind,
    "training": ServiceKind,
    "priority": PriorityClass,
    "rhythm": Rhythm,
    "left": LeavingReason,
    "kin": RelationKind,
}


def name_of(words: Words, field: str) -> str:
    return words.say(FIELDS.get(field, field))


def value_of(words: Words, field: str, value: str) -> str:
    """做饭 打扫 for `meals cleaning`; 有 for yes; what was typed, as it was typed."""
    if not value:
        return "—"
    states = STATES.get(field)
    if states is not None:
        known = {str(one.value): one for one in states}
        parts = value.split(" ")
        return " ".join(words.label(known[part]) if part in known else part for part in parts)
    if field in ("name", "nickname", "place", "lane", "joined"):
        return value
    return words.say({"yes": "有", "no": "没有"}.get(value, value))
