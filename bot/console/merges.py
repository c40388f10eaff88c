"""People who may be in the roll twice: finding them, comparing them, proposing to make them one."""

from __future__ import annotations

from typing import List, Optional, Sequence

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank import members
from actions.timebank.errors import Refusal, UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Member, Proposal
from actions.timebank.staff import doubles, proposals
from actions.timebank.staff.merging import DoubleStillOpen
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    ProposalKind,
    ProposalState,
    Viewed,
)
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.nlu.sounds import folded

MOST_SHOWN = 100
MOST_WAITING = 1_000


def front(desk: Desk) -> Response:
    with desk.reading() as session:
        return desk.page(
            "merges/front.html",
            pairs=doubles.likely(session, sounds=folded, most=MOST_SHOWN),
            most=MOST_SHOWN,
            waiting=_waiting(session),
        )


def pair(desk: Desk) -> Response:
    a, b = desk.number("a"), desk.number("b")
    if a is None or b is None or a == b:
        return desk.go("/merges", desk.say("请写两个不一样的编号。"))
    return _pair(desk, MemberId(a), MemberId(b))


def propose(desk: Desk) -> Response:
    double, kept = desk.number("double"), desk.number("kept")
    if double is None or kept is None:
        raise NotFound
    desk.about(MemberId(double))
    try:
        with desk.transaction() as session:
            proposals.propose_merge(
                session,
                by=desk.staff.member_id,
                double=MemberId(double),
                kept=MemberId(kept),
                reason=desk.form.get("reason", ""),
                now=desk.now,
            )
    except UnknownMember as gone:
        raise NotFound from gone
    except Refusal as refusal:
        return _pair(desk, MemberId(double), MemberId(kept), _why_not(desk, refusal), 409)
    return desk.go("/merges", desk.say("提出来了。要另一个人批准，两个人的时间才并到一起。"))


def _pair(desk: Desk, a: MemberId, b: MemberId, problem: str = "", status: int = 200) -> Response:
    with desk.reading() as session:
        one, other = _present(session, a), _present(session, b)
        for person in (one, other):
            desk.saw(Viewed.PERSON, MemberId(person.id), "/merges")
        return desk.page(
            "merges/pair.html",
            status=status,
            sides=[doubles.side(session, one, other), doubles.side(session, other, one)],
            alike=doubles.compared(one, other, folded),
            waiting=[row for row in _waiting(session) if {row.double_id, row.kept_id} & {a, b}],
            problem=problem,
            longest=proposals.LONGEST_REASON,
            reason=desk.form.get("reason", ""),
        )


def _present(session: Session, member: MemberId) -> Member:
    try:
        return members.present(session, member)
    except UnknownMember as gone:
        raise NotFound from gone


def _waiting(session: Session) -> List[Proposal]:
    """Merges that wait for a second person."""
    still_open = proposals.listed(session, state=ProposalState.PROPOSED, limit=MOST_WAITING)
    return [one for one in still_open if one.kind is ProposalKind.MERGE]


def _why_not(desk: Desk, refusal: Refusal) -> str:
    said = desk.words.refusal(refusal.code)
    what: Optional[object] = refusal.facts.get("what")
    if isinstance(refusal, DoubleStillOpen) and isinstance(what, list):
        said += "、".join(desk.words.label(one) for one in what) + "。"
    return said


ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/merges", front, Permission.EDIT_PEOPLE),
    ConsoleRoute("/merges/pair", pair, Permission.EDIT_PEOPLE),
    ConsoleRoute("/merges", propose, Permission.EDIT_PEOPLE, "POST"),
)
