"""Outbox notices as they are told: the stored facts put into the village's words."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from actions.timebank.model import Notice
from bot.phrases import Phrases
from bot.turn_types import Button

LONGEST_NOTE = 24
TIME_WORDS = re.compile(
    "[今明昨后前][天儿个日年晚早]|[0-9一二两三四五六七八九十半]点|号|现在|马上|[早晚]上|[上下]午|星期|礼拜|周[一二三四五六日]"
)
MINUTES = ("minutes", "balance", "claimed", "confirmed", "settled", "owed")


def told(notice: Notice, phrases: Phrases) -> Tuple[str, List[Button]]:
    """The text and buttons of a notice. Facts stay canonical (90分钟, ISO times) for `speakable`.

    Raises KeyError when there are no words for its kind."""
    facts: Dict[str, Any] = dict(notice.facts)
    response = f"utter_notice_{notice.kind}"
    if notice.kind == "visit_settled":
        response += "_earned" if facts.get("earned") else "_spent"
    if notice.kind == "staff_dispute":
        response += f"_{facts['dispute_kind']}"
    for name in MINUTES:
        if isinstance(facts.get(name), int):
            facts[name] = f"{facts[name]}分钟"
    if facts.get("by") == "":
        facts["by"] = phrases.text("utter_the_machine")
    if facts.get("kind"):
        facts["kind"] = _kind(facts["kind"], phrases)
    if "note" in facts:
        facts["note"] = _own_words(str(facts["note"] or ""), str(facts.get("elder", "")), phrases)
    if isinstance(facts.get("why"), list):
        facts["why"] = _why(facts["why"], str(facts.get("elder", "")), phrases)
    if "untold" in facts:
        facts["words"] = _untold(facts["untold"], phrases)
    if facts.get("delegate"):
        facts["who"] = _delegate(facts["delegate"], str(facts.get("label", "")), phrases)
    if isinstance(facts.get("scopes"), list):
        may = [phrases.text(f"utter_may_{scope}") for scope in facts["scopes"]]
        facts["may"] = phrases.text("utter_and").join(may)
    return phrases.say(response, **facts)


def _kind(kind: str, phrases: Phrases) -> str:
    word = f"utter_kind_{kind}"
    return phrases.text(word) if word in phrases else kind


def _delegate(name: str, label: str, phrases: Phrases) -> str:
    """您儿子王强; the name alone when she calls him nothing else."""
    return phrases.text("utter_your_kin", label=label, name=name) if label else name


def _own_words(note: str, elder: str, phrases: Phrases) -> str:
    """What she said when she asked, when it is short; not with a day or an hour in it, which is
    another one when it is heard."""
    words = note.strip("，。！？、,.!? \n")
    if not 3 <= len(words) <= LONGEST_NOTE or TIME_WORDS.search(words):
        return ""
    return phrases.text("utter_notice_in_own_words", elder=elder, note=words)


def _why(reasons: List[Mapping[str, Any]], elder: str, phrases: Phrases) -> str:
    """Why this neighbour was chosen, told to the neighbour."""
    for reason in reasons:
        code = f"utter_why_{reason['code']}"
        if code in phrases and reason["code"] != "fair_turn":
            done = phrases.text(f"utter_done_{reason['kind']}") if "kind" in reason else ""
            why = phrases.text(code, whom=elder, day=reason.get("day", ""), done=done)
            return phrases.text("utter_notice_because", why=why)
    return phrases.text("utter_notice_your_turn")


def _untold(notice: Mapping[str, Any], phrases: Phrases) -> str:
    """What somebody else was to be told; empty when there are no words for it."""
    try:
        return told(Notice(kind=notice["kind"], facts=notice["facts"]), phrases)[0]
    except KeyError:
        return ""
