"""Why a neighbour does not come: kept in his words, and what lasts is asked about, once.

不会修 and 这阵子不在家 are true tomorrow too: with his yes he is not asked for it again.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType, SlotSet

from actions import wording
from actions.base import Talk
from actions.timebank import sparing
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.states import ServiceKind

LONGEST_REASON = 120
CLAUSE = re.compile(r"[，。！？、,.!?\s]+")
BARE_NO = re.compile(
    "(?:[我俺这那真可实在就怕是恐怕]|这回|这次|今[天儿个]|明[天儿]|对不住|不好意思)*"
    "(?:(?:[去来接帮干]不(?:了|成|到)|不(?:去|来|接|行|成|干)?|没空)[了啊呀吧]*)*"
)
"""A part of a refusal that tells no reason."""
JUST_NOW = re.compile("今[天儿个日朝晚]|明[天儿个日]|后天|这回|这次|这会|现在|上午|下午|晚上")
AWAY = re.compile(
    "这阵|这段|这几天|这些天|这两天|近来|最近|不在[家村]|外地|出远门|打工|走亲戚|住院|养病|手术"
    "|[腿脚身腰]\\w?(?:不好|不行|不得劲|扭|摔|断)"
)
NOT_THIS_KIND = re.compile(
    "不会(?![去来有是误耽])|不敢|不懂|[做弄]不来|[干做弄修搬扛爬]不(?:了|动)"
    "|没[干做弄修学]过|不(?:想|愿|爱|愿意)[干做弄]"
)
GOES = re.compile("[去来接]")


def reason(talk: Talk) -> str:
    """Why he cannot come, in his own words without the no itself; a button gives none."""
    if talk.words.startswith("/"):
        return ""
    parts = [one for one in CLAUSE.split(talk.words) if one and not BARE_NO.fullmatch(one)]
    return str(talk.heard("reason") or "，".join(parts))[:LONGEST_REASON]


def ask_about_what_lasts(talk: Talk, kind: ServiceKind, why: str) -> List[EventType]:
    """Asks whether he wants to be left in peace when the reason will still be true later."""
    if AWAY.search(why):
        until = _back_on(talk)
        talk.say("utter_ask_away", until=until.isoformat())
        return [SlotSet("wish_asked", {"until": until.isoformat(), "words": why})]
    if NOT_THIS_KIND.search(why) and not JUST_NOW.search(why):
        talk.say("utter_ask_not_this_kind", kind=wording.kind(talk.domain, kind))
        return [SlotSet("wish_asked", {"kind": kind.value, "words": why})]
    return []


def wish_asked(talk: Talk) -> Optional[Dict[str, Any]]:
    """What the last answer asked: not to be asked for a kind, or for a time."""
    return talk.before.slots.get("wish_asked") if talk.before.turn != talk.turn else None


def agrees_to_wish(talk: Talk) -> bool:
    """Whether 行 answers that question, although it sounds like going to help."""
    by_button = talk.heard_id("offer_id") is not None
    return wish_asked(talk) is not None and not by_button and not GOES.search(talk.words)


def grant_wish(talk: Talk) -> List[EventType]:
    wish = wish_asked(talk) or {}
    if "kind" in wish:
        kind = ServiceKind(wish["kind"])
        sparing.not_this_kind(
            talk.session, helper=talk.me, kind=kind, words=wish["words"], now=talk.now
        )
        talk.say("utter_not_this_kind", kind=wording.kind(talk.domain, kind))
    elif wish:
        last_day = date.fromisoformat(wish["until"])
        back = datetime.combine(last_day + timedelta(days=1), time(0), VILLAGE_ZONE)
        sparing.away(talk.session, helper=talk.me, until=back, words=wish["words"], now=talk.now)
        talk.say("utter_away", until=wish["until"])
    return []


def _back_on(talk: Talk) -> date:
    """The last day of his absence: the day that he named, else a week from now."""
    today = talk.now.astimezone(VILLAGE_ZONE).date()
    named = talk.meant("when")
    if named is not None:
        day = datetime.fromisoformat(str(named)).astimezone(VILLAGE_ZONE).date()
        if today <= day <= today + sparing.LONGEST_AWAY:
            return day
    return today + sparing.AWAY
