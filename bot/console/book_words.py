"""How the books are put into words: to a member as 小帮 tells it, to staff in one line."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import List

from actions.timebank.errors import Refusal
from actions.timebank.history import LedgerLine
from actions.timebank.staff.states import (
    ProposalState,
)
from actions.timebank.staff.transfers import Entry, Side
from actions.timebank.states import AccountKind, TransferKind
from bot.console.desk import Desk
from bot.console.words import CHINESE

SHORT_GROUPS = 4
"""Of the sixteen groups of a hash, what is read out or compared at a glance."""


def explained(desk: Desk, line: LedgerLine) -> str:
    """The very sentence a member hears when she asks where her hours went, with days and hours
    as they are written on paper. Always Chinese: it is hers."""
    phrases = desk.parts.phrases
    kind = phrases.text(f"utter_kind_{line.service_kind.value}") if line.service_kind else ""
    return phrases.text(
        f"utter_history_{line.told_as}",
        day=f"{line.day.month}月{line.day.day}日",
        other=line.other_name or phrases.text("utter_the_fund"),
        kind=kind,
        minutes=replace(desk.words, language=CHINESE).minutes(abs(line.minutes)),
    )


def told(desk: Desk, entry: Entry) -> str:
    """A transfer in one line for staff: 张秀英帮王奶奶买东西."""
    givers, receivers = _names(desk, entry.givers), _names(desk, entry.receivers)
    if entry.kind is TransferKind.SETTLEMENT:
        kind = desk.words.label(entry.service_kind)
        return desk.say(
            "{helper}帮{elder}：{kind}", helper=entry.helper, elder=entry.elder, kind=kind
        )
    if entry.kind is TransferKind.GIFT:
        return desk.say("{giver}送给{receiver}", giver=givers, receiver=receivers)
    if entry.kind is TransferKind.REISSUE:
        return desk.say("村里发给{receiver}", receiver=receivers)
    if entry.kind is TransferKind.MERGE:
        return desk.say("{giver}的账户并进{receiver}的", giver=givers, receiver=receivers)
    return desk.say("冲正第{number}笔", number=entry.reverses_id)


def side_name(desk: Desk, side: Side) -> str:
    return side.name or desk.words.label(side.kind)


def borne_by_fund(entry: Entry) -> int:
    """Minutes of a visit that the fund gave for the elder."""
    given = [side.minutes for side in entry.givers if side.kind is AccountKind.FUND]
    return -sum(given) if entry.kind is TransferKind.SETTLEMENT else 0


def in_fours(hash: str) -> List[str]:
    """A hash as it is printed and typed: groups of four."""
    return [hash[start : start + 4] for start in range(0, len(hash), 4)]


def short(hash: str) -> str:
    return " ".join(in_fours(hash)[:SHORT_GROUPS])


def typed_hash(text: str) -> str:
    """What somebody typed from paper: full width letters, spaces and capitals do not matter."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(one for one in plain if not one.isspace() and one not in "-·.")[:64]


def why_not(desk: Desk, refusal: Refusal) -> str:
    """Why a movement cannot be, as precisely as is known."""
    facts = refusal.facts
    state = facts.get("state")
    if refusal.code == "reason_needed":
        return desk.say("请写原因，最多{longest}个字：本人会听到。", longest=facts["longest"])
    if refusal.code == "bad_minutes" and "most" in facts:
        most = desk.words.minutes(int(str(facts["most"])))
        return desk.say("时间要写对，一次最多{most}。", most=most)
    if refusal.code == "not_enough_minutes" and "available" in facts:
        available = desk.words.minutes(int(str(facts["available"])))
        return desk.say("公益时间只剩{available}，不够。", available=available)
    if state == "reversed":
        return desk.say("这一笔已经冲正过了，不能再冲。")
    if state == "reversal":
        return desk.say("这一笔本身就是冲正，不能再冲。要改，请另发一笔，写明原因。")
    if state == "merge":
        return desk.say("并账户的一笔不能冲正。")
    if state is ProposalState.PROPOSED:
        return desk.say("这一笔已经有人提出冲正，正等人批准。")
    if isinstance(state, ProposalState) and "by" in facts:
        done = desk.words.label(state)
        return desk.say("晚了一步：{by}刚处理过，现在是“{state}”。", by=facts["by"], state=done)
    if refusal.code == "changed_meanwhile":
        return desk.say("刚才又有时间进出，数目变了。请看清新的数目再批。")
    return desk.words.refusal(refusal.code)


def _names(desk: Desk, sides: List[Side]) -> str:
    return desk.say("和").join(side_name(desk, side) for side in sides)
