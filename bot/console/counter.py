"""Somebody came in person: who, what, when, read back, written down.

Before it is read back the deed is tried and undone, so that what is read back is what will be.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import Refusal, UnknownMember
from actions.timebank.exchange import DEFAULT_MINUTES
from actions.timebank.ids import MemberId, RequestId, TurnId
from actions.timebank.matching import candidates
from actions.timebank.members import present
from actions.timebank.model import Dispute, InPersonDeed, Member, ServiceRequest
from actions.timebank.queries import pending_offer_of
from actions.timebank.staff import counter, visitors
from actions.timebank.staff.counter import CHANNEL, CameIn
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    CounterDeed,
)
from actions.timebank.staff.story import story
from actions.timebank.staff.visitors import Saying
from actions.timebank.states import ServiceKind
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.explaining import explained
from bot.console.when import near

FORM = re.compile(r"[0-9a-f]{32}")
MOST_FOUND = 20
ABOUT_NOTHING = (CounterDeed.REQUEST, CounterDeed.COMPLAIN)
WITH_MINUTES = (CounterDeed.CONFIRM, CounterDeed.REPORT_DONE, CounterDeed.CHANGE)
WITH_TIME = (CounterDeed.REQUEST, CounterDeed.CHANGE)


class _Undone(Exception):
    """Ends a transaction that was only tried."""


@dataclass(frozen=True)
class Typed:
    """What the form holds, read once. None where it holds nothing that could be meant."""

    kind: Optional[ServiceKind]
    starts_at: Optional[datetime]
    minutes: Optional[int]
    helper: Optional[MemberId]
    place: str


class _Missing(Exception):
    """A field that the deed needs; its words are shown."""


def begin(desk: Desk) -> Response:
    """Who is it?"""
    words = desk.query.get("q", "")
    with desk.reading() as session:
        found = visitors.search(session, words, limit=MOST_FOUND)
        template = "counter/found.html" if desk.is_htmx else "counter/who.html"
        show = desk.part if desk.is_htmx else desk.page
        return show(template, people=found, q=words[: visitors.LONGEST_SEARCH])


def visitor(desk: Desk) -> Response:
    """What does she come for?"""
    with desk.reading() as session:
        person = _person(desk, session)
        said = visitors.sayings(session, MemberId(person.id), now=desk.now)
        return desk.page(
            "counter/what.html",
            person=person,
            sayings=said,
            when=near(desk),
            own=person.id == desk.staff.member_id,
        )


def form(desk: Desk) -> Response:
    """Her words, and what belongs to them."""
    deed, request_id = _deed(desk), desk.number("request")
    with desk.reading() as session:
        person = _person(desk, session)
        said = _saying(desk, session, person, deed, request_id)
        return desk.page(
            "counter/form.html",
            **_form_facts(desk, person, deed, said, _suggested(desk, said), form_id=_new_form()),
        )


def written(desk: Desk) -> Response:
    """Reads back first; with `sure` it is done."""
    deed, request_id = _deed(desk), desk.number("request")
    form_id = desk.form.get("form", "")
    if not FORM.fullmatch(form_id):
        raise NotFound
    is_sure = desk.form.get("sure") == "yes" and not desk.form.get("back")
    try:
        if desk.form.get("back"):
            raise _Missing("")
        typed = _read(desk, deed)
        came = CameIn(
            member=MemberId(desk.path["member_id"]),
            staff=desk.staff.member_id,
            turn_id=TurnId(f"{CHANNEL}:{form_id}"),
            words=desk.form.get("words", ""),
            now=desk.now,
            note=desk.form.get("note", ""),
        )
        act = _acts(deed, typed, came, RequestId(request_id or 0))
        if is_sure:
            return _do(desk, act, came)
        return _read_back(desk, act, came, deed, request_id, form_id)
    except UnknownMember as unknown:
        raise NotFound from unknown
    except (_Missing, Refusal) as wrong:
        problem = desk.words.refusal(wrong.code) if isinstance(wrong, Refusal) else str(wrong)
        status = 409 if isinstance(wrong, Refusal) else (422 if problem else 200)
    with desk.reading() as session:
        person = _person(desk, session)
        said = _saying(desk, session, person, deed, request_id, must_be_sayable=False)
        facts = _form_facts(desk, person, deed, said, desk.form, form_id=form_id)
        return desk.page("counter/form.html", status, problem=problem, **facts)


def _do(desk: Desk, act: Callable[[Session], InPersonDeed], came: CameIn) -> Response:
    with desk.transaction() as session:
        desk.about(came.member)
        done = act(session)
        path = f"/requests/{done.request_id}"
        if done.request_id is None:
            of_turn = session.query(Dispute.id).filter(Dispute.turn_id == done.turn_id)
            may_see = desk.staff.may(Permission.SEE_CONVERSATIONS)
            path = f"/disputes/{of_turn.scalar()}" if may_see else "/today"
        name = str(present(session, came.member).name)
    return desk.go(path, desk.say("记好了，也告诉{name}了。", name=name))


def _read_back(
    desk: Desk,
    act: Callable[[Session], InPersonDeed],
    came: CameIn,
    deed: CounterDeed,
    request_id: Optional[int],
    form_id: str,
) -> Response:
    """Tries it, tells what it would do, and undoes it."""
    answer: Optional[Response] = None
    try:
        with desk.parts.village.transaction() as session:
            before = _before(session, request_id)
            done = act(session)
            person = present(session, came.member)
            after = story(session, RequestId(done.request_id)) if done.request_id else None
            request = after.request if after is not None else None
            answer = desk.page(
                "counter/read_back.html",
                person=person,
                deed=deed,
                form=desk.form,
                form_id=form_id,
                before=before,
                when=near(desk),
                request=request,
                promise=after.promise if after is not None else None,
                visit=after.visit if after is not None else None,
                asked=pending_offer_of(session, RequestId(request.id)) if request else None,
                neighbours=_neighbours(desk, session, request, deed),
            )
            raise _Undone
    except _Undone:
        pass
    assert answer is not None
    return answer


def _before(session: Session, request_id: Optional[int]) -> Dict[str, Any]:
    request = session.get(ServiceRequest, request_id) if request_id else None
    if request is None:
        return {}
    return {"starts_at": request.starts_at, "minutes": request.minutes}


def _neighbours(
    desk: Desk, session: Session, request: Optional[ServiceRequest], deed: CounterDeed
) -> List[Tuple[int, str, str, str]]:
    if request is None or deed is not CounterDeed.REQUEST:
        return []
    able = candidates(session, request, now=desk.now, sparing=False, again=True)
    return explained(desk, able, str(request.elder.name))


def _acts(
    deed: CounterDeed, typed: Typed, came: CameIn, request_id: RequestId
) -> Callable[[Session], InPersonDeed]:
    def act(session: Session) -> InPersonDeed:
        if deed is CounterDeed.REQUEST:
            assert typed.kind is not None and typed.starts_at is not None
            return counter.request_help(
                session,
                came,
                service_kind=typed.kind,
                starts_at=typed.starts_at,
                minutes=typed.minutes,
                place=typed.place,
                wanted_helper=typed.helper,
            )
        if deed is CounterDeed.COMPLAIN:
            return counter.complain(session, came)
        if deed is CounterDeed.CHANGE:
            return counter.change_request(
                session, came, request_id, starts_at=typed.starts_at, minutes=typed.minutes
            )
        if deed is CounterDeed.CONFIRM:
            return counter.confirm(session, came, request_id, minutes=typed.minutes)
        if deed is CounterDeed.REPORT_DONE:
            return counter.report_done(session, came, request_id, minutes=typed.minutes or 0)
        return _BARE[deed](session, came, request_id)

    return act


_BARE: Mapping[CounterDeed, Callable[[Session, CameIn, RequestId], InPersonDeed]] = {
    CounterDeed.CANCEL: counter.cancel,
    CounterDeed.NO_SHOW: counter.report_no_show,
    CounterDeed.ACCEPT: counter.accept,
    CounterDeed.DECLINE: counter.decline,
}


def _read(desk: Desk, deed: CounterDeed) -> Typed:
    """Raises _Missing with the words that tell what is missing."""
    kind = next((k for k in ServiceKind if k.value == desk.form.get("kind")), None)
    starts_at = _moment(desk.form.get("day", ""), desk.form.get("clock", ""))
    minutes = _whole(desk.form.get("minutes", ""))
    if not desk.form.get("words", "").strip():
        raise _Missing(desk.say("请写下本人说的话。"))
    if deed is CounterDeed.REQUEST and kind is None:
        raise _Missing(desk.say("请选要帮什么忙。"))
    if deed in WITH_TIME and starts_at is None:
        raise _Missing(desk.say("请写清楚哪天几点。"))
    if deed in WITH_MINUTES and minutes is None:
        raise _Missing(desk.say("请写多少分钟。"))
    chosen = desk.number("helper")
    return Typed(
        kind=kind,
        starts_at=starts_at,
        minutes=minutes,
        helper=MemberId(chosen) if chosen is not None else None,
        place=desk.form.get("place", "").strip()[:120],
    )


def _whole(text: str) -> Optional[int]:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None


def _moment(day: str, clock: str) -> Optional[datetime]:
    try:
        read = datetime.strptime(f"{day.strip()} {clock.strip()[:5]}", "%Y-%m-%d %H:%M")
    except ValueError:
        return None
    # Years that no visit is in would overflow what the database takes.
    return read.replace(tzinfo=VILLAGE_ZONE) if 2000 <= read.year <= 2200 else None


def _person(desk: Desk, session: Session) -> Member:
    try:
        return present(session, MemberId(desk.path["member_id"]))
    except UnknownMember as unknown:
        raise NotFound from unknown


def _deed(desk: Desk) -> CounterDeed:
    try:
        return CounterDeed(desk.path["deed"])
    except ValueError as unknown:
        raise NotFound from unknown


def _saying(
    desk: Desk,
    session: Session,
    person: Member,
    deed: CounterDeed,
    request_id: Optional[int],
    *,
    must_be_sayable: bool = True,
) -> Optional[Saying]:
    if deed in ABOUT_NOTHING:
        return None
    found = visitors.saying(
        session, MemberId(person.id), deed, RequestId(request_id or 0), now=desk.now
    )
    if found is None and must_be_sayable:
        raise NotFound
    return found


def _suggested(desk: Desk, said: Optional[Saying]) -> Dict[str, Any]:
    """What the fields hold at first."""
    at = (desk.now + timedelta(days=1)).astimezone(VILLAGE_ZONE).replace(hour=9, minute=0)
    if said is None:
        return {"day": f"{at:%Y-%m-%d}", "clock": f"{at:%H:%M}", "kind": desk.query.get("kind", "")}
    at = said.request.starts_at.astimezone(VILLAGE_ZONE)
    minutes = said.claimed if said.claimed is not None else said.request.minutes
    return {"day": f"{at:%Y-%m-%d}", "clock": f"{at:%H:%M}", "minutes": minutes}


def _form_facts(
    desk: Desk,
    person: Member,
    deed: CounterDeed,
    said: Optional[Saying],
    values: Mapping[str, Any],
    *,
    form_id: str,
) -> Dict[str, Any]:
    return {
        "person": person,
        "deed": deed,
        "said_of": said,
        "when": near(desk),
        "request_id": said.request.id if said is not None else desk.number("request"),
        "values": values,
        "form_id": form_id,
        "kinds": list(ServiceKind),
        "usual": {kind.value: minutes for kind, minutes in DEFAULT_MINUTES.items()},
        "with_time": deed in WITH_TIME,
        "with_minutes": deed in WITH_MINUTES or deed is CounterDeed.REQUEST,
        "today": f"{desk.now.astimezone(VILLAGE_ZONE):%Y-%m-%d}",
    }


def _new_form() -> str:
    return uuid.uuid4().hex


_PATH = "/requests/new/{member_id:int}"
ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/requests/new", begin, Permission.HANDLE_VISITS),
    ConsoleRoute(_PATH, visitor, Permission.HANDLE_VISITS),
    ConsoleRoute(_PATH + "/{deed}", form, Permission.HANDLE_VISITS),
    ConsoleRoute(_PATH + "/{deed}", written, Permission.HANDLE_VISITS, "POST"),
)
