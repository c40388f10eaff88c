"""Why a neighbour could be asked, in one sentence."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Tuple

from actions.timebank.matching import Candidate
from bot.console.desk import Desk

MOST = 8


def why(desk: Desk, reasons: Sequence[Mapping[str, Any]], whom: str) -> str:
    """The strongest reasons, as 小帮 would tell them: 上个月帮王奶奶买过东西，跟王奶奶一条巷子."""
    phrases, told = desk.parts.phrases, []
    for reason in reasons:
        code = f"utter_why_{reason['code']}"
        if code in phrases and reason["code"] != "fair_turn":
            done = phrases.text(f"utter_done_{reason['kind']}") if "kind" in reason else ""
            told.append(phrases.text(code, whom=whom, day=reason.get("day", ""), done=done))
    return desk.parts.mouth.spoken("，".join(told[:2])) if told else ""


def explained(
    desk: Desk, candidates: Sequence[Candidate], whom: str
) -> List[Tuple[int, str, str, str]]:
    """Id, name, where the house is, and why, of the best of them."""
    return [
        (
            int(one.helper.id),
            str(one.helper.name),
            str(one.helper.place or one.helper.lane.name),
            why(desk, one.why, whom),
        )
        for one in candidates[:MOST]
    ]
