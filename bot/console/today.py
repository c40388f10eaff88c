"""The first page: what stands open now. It asks for itself anew every few seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Sequence, Tuple

from starlette.responses import Response

from actions.timebank.model import Notice
from actions.timebank.staff import standing, today
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.standing import Need
from actions.timebank.staff.today import Note
from bot.console.desk import ConsoleRoute, Desk
from bot.console.health import Mark, Sign
from bot.console.when import near
from bot.notices import told

PRESSING = (
    (Need.LATE, "说好了还没到", "urgent"),
    (Need.UNCONFIRMED, "一天多了还没点头", "urgent"),
    (Need.NOBODY, "没人接的求助", "urgent"),
)
GOING_ON = (
    (Need.ASKED, "正在问邻居", "soon"),
    (Need.UNDER_WAY, "正在帮忙", "calm"),
    (Need.CLAIMED, "等点头", "calm"),
    (Need.COMING, "说好了要来", "calm"),
)
MARKS = {Mark.GOOD: "好", Mark.WARN: "留意", Mark.BAD: "坏了", Mark.UNKNOWN: "没开"}
SHOWN = 12
"""So many of one sort; the rest is one click away."""


def page(desk: Desk) -> Response:
    return desk.page("today/page.html", **_facts(desk))


def piece(desk: Desk) -> Response:
    """What the page asks for again and again."""
    return desk.part("today/now.html", **_facts(desk))


def _facts(desk: Desk) -> Dict[str, Any]:
    health = desk.parts.watch.last_known()
    with desk.reading() as session:
        seen = today.look(session, now=desk.now)
    sections = [
        (need, title, tone, seen.standing(need)) for need, title, tone in (*PRESSING, *GOING_ON)
    ]
    return {
        "seen": seen,
        "when": near(desk),
        "sections": sections,
        "pressing": len(PRESSING),
        "shown": SHOWN,
        "notes": [(note, _words(desk, note)) for note in seen.notes],
        "may_read": desk.staff.may(Permission.SEE_CONVERSATIONS),
        "may_handle": desk.staff.may(Permission.HANDLE_VISITS),
        "health": health,
        "signs": [_sign(desk, sign) for sign in health.signs],
    }


def _words(desk: Desk, note: Note) -> str:
    """As 小帮 told it to the coordinators."""
    try:
        words, _ = told(Notice(kind=note.kind, facts=note.facts), desk.parts.phrases)
    except KeyError:
        return ""
    return desk.parts.mouth.spoken(words)


def _sign(desk: Desk, sign: Sign) -> Tuple[str, str, str, str]:
    """Its name, how grave it is, that in a word, and what was seen."""
    facts = {
        name: desk.words.moment(fact) if isinstance(fact, datetime) else fact
        for name, fact in sign.facts
    }
    mark = desk.say(MARKS[sign.mark])
    return desk.say(sign.name), sign.mark.value, mark, desk.say(sign.words, **facts)


def _visit_order() -> List[Tuple[Need, str, str]]:
    wanted = (Need.LATE, Need.UNCONFIRMED, Need.UNDER_WAY, Need.CLAIMED, Need.COMING)
    return [one for one in (*PRESSING, *GOING_ON) if one[0] in wanted]


def visits(desk: Desk) -> Response:
    """Everything promised, going on, or to be confirmed."""
    return _listed(desk, "visits", _visit_order())


def requests(desk: Desk) -> Response:
    """Everything that is not over."""
    return _listed(desk, "requests", [*PRESSING, *GOING_ON])


def _listed(desk: Desk, which: str, order: Sequence[Tuple[Need, str, str]]) -> Response:
    with desk.reading() as session:
        everything = standing.open_requests(session, now=desk.now)
    sections = [
        (need, title, tone, [one for one in everything if one.need is need])
        for need, title, tone in order
    ]
    return desk.page(
        "requests/list.html",
        which=which,
        when=near(desk),
        sections=sections,
        may_handle=desk.staff.may(Permission.HANDLE_VISITS),
    )


ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/today", page, Permission.SEE_TODAY),
    ConsoleRoute("/today/now", piece, Permission.SEE_TODAY),
    ConsoleRoute("/requests", requests, Permission.SEE_TODAY),
    ConsoleRoute("/visits", visits, Permission.SEE_TODAY),
)
