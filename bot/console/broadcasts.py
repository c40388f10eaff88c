"""Broadcasts: write, listen, propose; a second person approves; how far it has come."""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, List, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from starlette.responses import Response

from actions.timebank import members
from actions.timebank.errors import (
    ChangedMeanwhile,
    NobodyThere,
    NotHeard,
    NothingOpen,
    NothingToSay,
    Refusal,
    TooLongToSay,
    UnknownMember,
)
from actions.timebank.ids import BroadcastId, MemberId
from actions.timebank.model import Broadcast, Group, Lane, Notice
from actions.timebank.staff import broadcasts as core
from actions.timebank.staff.broadcast_delivery import (
    HEARD,
    counted,
    listeners,
    told_in_person,
)
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Audience,
    BroadcastState,
    Reached,
)
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.notices import told
from voice.types import Delivery

A_PAGE = 50
LISTED = 200
"""Names shown at once of those who have not heard it; a lane has fewer."""
LONG_SENTENCE = 40
MOST_NAMED = 200
HAN = re.compile("[\u3400-\u9fff]")
BETWEEN_NAMES = re.compile("[\\s,，、;；]+")
SOON_WRONG = re.compile("[今明昨后前][天早晚儿日]|刚才|马上|现在")
"""Words that mean another day to whoever hears them a day later."""


def index(desk: Desk) -> Response:
    before = desk.number("before")
    newest = (
        select(Broadcast)
        .options(joinedload(Broadcast.written_by), joinedload(Broadcast.decided_by))
        .options(joinedload(Broadcast.lane), joinedload(Broadcast.group))
        .order_by(Broadcast.id.desc())
        .limit(A_PAGE + 1)
    )
    if before:
        newest = newest.where(Broadcast.id < before)
    with desk.reading() as session:
        rows = list(session.execute(newest).scalars())
        more = rows[A_PAGE - 1].id if len(rows) > A_PAGE else None
        return desk.page("broadcasts/index.html", rows=rows[:A_PAGE], more=more)


def new(desk: Desk) -> Response:
    return _form(desk, None, {"audience": Audience.EVERYBODY.value})


def create(desk: Desk) -> Response:
    def write(session: Session, given: Dict[str, Any]) -> Broadcast:
        return core.write(session, by=desk.staff.member_id, now=desk.now, **given)

    return _save(desk, None, write)


def edit(desk: Desk) -> Response:
    with desk.reading() as session:
        draft = _found(desk, session)
        if draft.state is not BroadcastState.DRAFT or draft.written_by_id != desk.staff.member_id:
            raise NotFound
        given = {
            "words": draft.words,
            "audience": draft.audience.value,
            "lane": str(draft.lane_id or ""),
            "group": str(draft.group_id or ""),
            "names": "、".join(str(one.member_id) for one in draft.listeners),
            "version": str(draft.version),
        }
        return _form(desk, draft.id, given)


def change(desk: Desk) -> Response:
    number = BroadcastId(int(desk.path["broadcast_id"]))

    def rewrite(session: Session, given: Dict[str, Any]) -> Broadcast:
        version = desk.number("version") or 0
        who: Dict[str, Any] = {"by": desk.staff.member_id, "now": desk.now}
        return core.rewrite(session, number, version=version, **who, **given)

    return _save(desk, number, rewrite)


def show(desk: Desk) -> Response:
    return _show(desk)


def sound(desk: Desk) -> Response:
    """The message as a member hears it, at the pace that everybody begins with."""
    with desk.reading() as session:
        text = _as_told(desk, _found(desk, session))
    mouth = desk.parts.mouth
    speech = mouth.speech(mouth.sentences(mouth.spoken(text)), Delivery())
    with desk.transaction() as session:
        number = BroadcastId(int(desk.path["broadcast_id"]))
        core.heard(session, number, by=desk.staff.member_id, now=desk.now)
    return Response(speech.data, media_type=speech.mime)


def propose(desk: Desk) -> Response:
    number, version = BroadcastId(int(desk.path["broadcast_id"])), desk.number("version") or 0
    try:
        with desk.transaction() as session:
            _found(desk, session)
            core.propose(session, number, by=desk.staff.member_id, version=version, now=desk.now)
    except (NotHeard, ChangedMeanwhile) as refusal:
        return _show(desk, problem=desk.words.refusal(refusal.code), status=409)
    return desk.go(f"/broadcasts/{number}", desk.say("交上去了，等另一个人批准。"))


def approve(desk: Desk) -> Response:
    return _decide(desk, core.approve, desk.say("批准了，正在一个一个告诉。"))


def reject(desk: Desk) -> Response:
    return _decide(desk, core.reject, desk.say("没批准，谁也不会听到。"))


def withdraw(desk: Desk) -> Response:
    return _decide(desk, core.withdraw, desk.say("撤回了。"))


def stop(desk: Desk) -> Response:
    return _decide(desk, core.stop, desk.say("停了，没听到的人不会再听到。"))


def delivery(desk: Desk) -> Response:
    """The figures alone, which htmx asks for again and again."""
    with desk.reading() as session:
        broadcast = _found(desk, session)
        people = listeners(session, BroadcastId(broadcast.id))
        return desk.part("broadcasts/figures.html", **_figures(broadcast, people))


def tell(desk: Desk) -> Response:
    number, member = BroadcastId(int(desk.path["broadcast_id"])), desk.number("member")
    if member is None:
        raise NotFound
    desk.about(MemberId(member))
    with desk.transaction() as session:
        _found(desk, session)
        is_news = told_in_person(
            session, number, member=MemberId(member), by=desk.staff.member_id, now=desk.now
        )
    said = desk.say("记下了：当面说过了。") if is_news else desk.say("本人已经听到了。")
    return desk.go(f"/broadcasts/{number}", said)


def _decide(desk: Desk, verb: Callable[..., Broadcast], said: str) -> Response:
    number = BroadcastId(int(desk.path["broadcast_id"]))
    with desk.transaction() as session:
        _found(desk, session)
        verb(session, number, by=desk.staff.member_id, now=desk.now)
    return desk.go(f"/broadcasts/{number}", said)


def _found(desk: Desk, session: Session) -> Broadcast:
    try:
        return core.broadcast(session, BroadcastId(int(desk.path["broadcast_id"])))
    except NothingOpen as nothing:
        raise NotFound from nothing


def _show(desk: Desk, problem: str = "", status: int = 200) -> Response:
    with desk.reading() as session:
        broadcast = _found(desk, session)
        mouth = desk.parts.mouth
        sentences = mouth.sentences(mouth.spoken(broadcast.words))
        is_out = broadcast.decided_at is not None and broadcast.state is not BroadcastState.REJECTED
        people = listeners(session, BroadcastId(broadcast.id)) if is_out else []
        lane = desk.query.get("lane", "")
        unheard = [one for one in people if not one.has_heard]
        facts: Dict[str, Any] = {
            **_figures(broadcast, people),
            "broadcast": broadcast,
            "as_told": _as_told(desk, broadcast),
            "long": [one for one in sentences if _syllables(one) > LONG_SENTENCE],
            "soon_wrong": SOON_WRONG.search(broadcast.words),
            "count": len(people) or len(core.audience_of(session, broadcast)),
            "named": [one.member.name for one in broadcast.listeners[:MOST_NAMED]]
            if broadcast.audience is Audience.MEMBERS
            else [],
            "is_out": is_out,
            "is_mine": broadcast.written_by_id == desk.staff.member_id,
            "lanes": sorted({one.lane for one in unheard}),
            "lane": lane,
            "unheard": [one for one in unheard if lane in ("", one.lane)],
            "listed": LISTED,
            "problem": problem,
            "State": BroadcastState,
        }
        return desk.page("broadcasts/show.html", status=status, **facts)


def _figures(broadcast: Broadcast, people: Sequence[Any]) -> Dict[str, Any]:
    ways = counted(list(people))
    return {
        "broadcast": broadcast,
        "total": len(people),
        "heard": sum(ways[one] for one in HEARD),
        "ways": [(one, ways[one]) for one in Reached if ways[one]],
        "HEARD": HEARD,
        "is_going": broadcast.state is BroadcastState.SENDING,
    }


def _as_told(desk: Desk, broadcast: Broadcast) -> str:
    """The very words that a member is told."""
    notice = Notice(kind=core.KIND, facts=core.notice_facts(broadcast))
    return told(notice, desk.parts.phrases)[0]


# -- writing -------------------------------------------------------------------------------------


def _save(
    desk: Desk, number: BroadcastId | None, store: Callable[[Session, Dict[str, Any]], Broadcast]
) -> Response:
    try:
        with desk.transaction() as session:
            stored = store(session, _given(desk, session))
            saved = BroadcastId(stored.id)
    except (
        ChangedMeanwhile,
        NobodyThere,
        NothingToSay,
        TooLongToSay,
        UnknownMember,
    ) as refusal:
        return _form(desk, number, dict(desk.form), problem=_why(desk, refusal), status=409)
    return desk.go(f"/broadcasts/{saved}", desk.say("存好了。现在从头听一遍。"))


def _given(desk: Desk, session: Session) -> Dict[str, Any]:
    """What was typed, as the core takes it. Raises Refusal."""
    words = core.tidy(desk.form.get("words", "")[: core.LONGEST_WORDS * 10])
    try:
        audience = Audience(desk.form.get("audience", ""))
    except ValueError as unknown:
        raise NobodyThere("no such audience") from unknown
    named: List[MemberId] = []
    if audience is Audience.MEMBERS:
        names = [one for one in BETWEEN_NAMES.split(desk.form.get("names", "")) if one]
        named = [_member(session, one) for one in names[:MOST_NAMED]]
    return {
        "words": words,
        "spoken_seconds": _seconds(desk, words),
        "audience": audience,
        "of": desk.number(audience.value) if audience in (Audience.LANE, Audience.GROUP) else None,
        "listeners": named,
    }


def _member(session: Session, name: str) -> MemberId:
    try:
        return MemberId(members.find_member(session, name).id)
    except UnknownMember as unknown:
        raise UnknownMember(str(unknown), who=name, **unknown.facts) from unknown


def _seconds(desk: Desk, words: str) -> int:
    """How long the words take at the pace that everybody begins with; 0 when none can be said."""
    return math.ceil(_syllables(desk.parts.mouth.spoken(words)) * 60 / Delivery().pace)


def _syllables(spoken: str) -> int:
    return len(HAN.findall(spoken))


def _why(desk: Desk, refusal: Refusal) -> str:
    name, same = str(refusal.facts.get("who", ""))[:40], refusal.facts.get("same_name")
    if isinstance(same, list):
        numbers = "、".join(str(one) for one in same[:10])
        return desk.say("有几个人叫{name}，请写编号：{numbers}。", name=name, numbers=numbers)
    if name:
        return desk.say("找不到{name}。", name=name)
    return desk.words.refusal(refusal.code)


def _form(
    desk: Desk,
    number: int | None,
    given: Dict[str, str],
    problem: str = "",
    status: int = 200,
) -> Response:
    with desk.reading() as session:
        lanes = [(one.id, one.name) for one in session.execute(select(Lane)).scalars()]
        groups = [(one.id, one.name) for one in session.execute(select(Group)).scalars()]
        return desk.page(
            "broadcasts/form.html",
            status=status,
            number=number,
            given=given,
            lanes=lanes,
            groups=groups,
            audiences=list(Audience),
            longest=core.LONGEST_WORDS,
            problem=problem,
        )


READ, DECIDE = Permission.PROPOSE_BROADCAST, Permission.APPROVE_BROADCAST
ONE = "/broadcasts/{broadcast_id:int}"
ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/broadcasts", index, READ),
    ConsoleRoute("/broadcasts/new", new, READ),
    ConsoleRoute("/broadcasts", create, READ, "POST"),
    ConsoleRoute(ONE, show, READ),
    ConsoleRoute(f"{ONE}/edit", edit, READ),
    ConsoleRoute(f"{ONE}/edit", change, READ, "POST"),
    ConsoleRoute(f"{ONE}/sound", sound, READ),
    ConsoleRoute(f"{ONE}/delivery", delivery, READ),
    ConsoleRoute(f"{ONE}/propose", propose, READ, "POST"),
    ConsoleRoute(f"{ONE}/withdraw", withdraw, READ, "POST"),
    ConsoleRoute(f"{ONE}/told", tell, READ, "POST"),
    ConsoleRoute(f"{ONE}/approve", approve, DECIDE, "POST"),
    ConsoleRoute(f"{ONE}/reject", reject, DECIDE, "POST"),
    ConsoleRoute(f"{ONE}/stop", stop, DECIDE, "POST"),
)
