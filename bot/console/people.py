"""The list of people, one member's page, and how a name sounds."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, Optional
from urllib.parse import urlencode

from starlette.responses import Response

from actions.timebank import members
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.staff import people
from actions.timebank.staff.register import VOICE_RANGES
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.states import (
    DelegateScope,
    PriorityClass,
    RelationKind,
    Rhythm,
    ServiceKind,
)
from bot.console import people_changes
from bot.console.desk import ROOT, ConsoleRoute, Desk, NotFound
from voice.types import Delivery, VoiceError

MOST_PAGES = 1_000
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def the_member(desk: Desk) -> MemberId:
    """Whose page it is, also of somebody who has left. Raises NotFound."""
    number = desk.path["member_id"]
    with desk.reading() as session:
        try:
            members.member(session, MemberId(number))
        except UnknownMember as unknown:
            raise NotFound from unknown
    return MemberId(number)


def one_of(enum: Any, value: Optional[str]) -> Any:
    """The state with this value; None for anything else that a form may send."""
    try:
        return enum(value)
    except ValueError:
        return None


def in_words(desk: Desk) -> Dict[str, Any]:
    """For templates that show what was changed."""
    return {
        "change_name": partial(people_changes.name_of, desk.words),
        "change_value": partial(people_changes.value_of, desk.words),
    }


# -- the list --------------------------------------------------------------------------------------


def people_list(desk: Desk) -> Response:
    sees_private = desk.staff.may(Permission.EDIT_PEOPLE)
    wanted = people.Wanted(
        words=desk.query.get("q", ""),
        lane_id=desk.number("lane"),
        group_id=desk.number("group"),
        priority=one_of(PriorityClass, desk.query.get("priority")) if sees_private else None,
        have_left=desk.query.get("left") == "yes",
        helpers_only=desk.query.get("helpers") == "yes",
        page=min(desk.number("page") or 1, MOST_PAGES),
    )
    with desk.reading() as session:
        listed = people.search(session, wanted, sees_private=sees_private)
        facts: Dict[str, Any] = {
            "wanted": wanted,
            "listed": listed,
            "sees_private": sees_private,
            "earlier": _page(desk, wanted.page - 1) if wanted.page > 1 else None,
            "later": _page(desk, wanted.page + 1) if listed.has_more else None,
        }
        if desk.is_htmx:
            return desk.part("people/found.html", **facts)
        return desk.page(
            "people/list.html",
            lanes=people.lanes(session),
            groups=people.groups(session),
            priorities=list(PriorityClass),
            **facts,
        )


def _page(desk: Desk, number: int) -> str:
    kept = {
        name: desk.query[name]
        for name in ("q", "lane", "group", "priority", "left", "helpers")
        if desk.query.get(name)
    }
    return f"{ROOT}/people?{urlencode({**kept, 'page': number})}"


# -- one member ------------------------------------------------------------------------------------


def member_page(desk: Desk) -> Response:
    return show_member(desk)


def show_member(desk: Desk, problem: str = "", status: int = 200, **more: Any) -> Response:
    """The member's page, with what could not be done told at its top."""
    member = the_member(desk)
    desk.saw(Viewed.PERSON, member)
    with desk.reading() as session:
        known = people.about(session, member, permissions=desk.staff.permissions, now=desk.now)
        return desk.page(
            "people/member.html",
            status=status,
            known=known,
            person=known.person,
            private=known.private,
            open=known.open,
            may_edit=desk.staff.may(Permission.EDIT_PEOPLE) and known.person.left_at is None,
            is_self=member == desk.staff.member_id,
            has_cards=desk.parts.settings.telegram_bot is not None,
            problem=problem,
            kinds=list(ServiceKind),
            relations=list(RelationKind),
            scopes=list(DelegateScope),
            rhythms=list(Rhythm),
            weekdays=WEEKDAYS,
            **in_words(desk),
            **more,
        )


def photo(desk: Desk) -> Response:
    with desk.reading() as session:
        name = members.member(session, the_member(desk)).photo
    file = desk.parts.settings.home / "photos" / (name or "")
    if not name or not file.is_file():
        raise NotFound
    return Response(file.read_bytes(), media_type="image/jpeg")


# -- how it sounds ---------------------------------------------------------------------------------


def listen(desk: Desk) -> Response:
    """A player for what stands in the form, before anything is saved."""
    asked = {
        name: desk.form[name].strip()
        for name in ("name", "pace", "gain", "sample")
        if desk.form.get(name, "").strip()
    }
    member = the_member(desk)
    source = f"{ROOT}/people/{member}/sound?{urlencode(asked)}"
    with desk.reading() as session:
        person = members.member(session, member)
        text = _sample(desk, person, asked)
        facts: Dict[str, Any] = {
            "source": source,
            "text": desk.parts.mouth.spoken(text),
            "person": person,
        }
        if desk.is_htmx:
            return desk.part("people/sound.html", **facts)
        return desk.page("people/listen.html", **facts)


def sound(desk: Desk) -> Response:
    """The name, or a sentence, spoken at this pace and loudness."""
    with desk.reading() as session:
        person = members.member(session, the_member(desk))
        text = _sample(desk, person, desk.query)
        delivery = Delivery(
            pace=_within(desk.query.get("pace"), "pace", person.pace),
            gain=_within(desk.query.get("gain"), "gain", person.gain),
        )
    mouth = desk.parts.mouth
    try:
        speech = mouth.speech(mouth.sentences(mouth.spoken(text)), delivery)
    except VoiceError:
        return Response(status_code=503)
    return Response(speech.data, media_type=speech.mime)


def _sample(desk: Desk, person: Member, asked: Any) -> str:
    name = (asked.get("name") or person.name).strip()[: members.LONGEST_NAME] or person.name
    sample = "utter_sample_voice" if asked.get("sample") == "voice" else "utter_sample_name"
    return desk.parts.phrases.text(sample, name=name)


def _within(value: Optional[str], field: str, otherwise: int) -> int:
    least, most = VOICE_RANGES[field]
    text = (value or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return otherwise
    return max(least, min(most, int(text)))


ROUTES = (
    ConsoleRoute("/people", people_list, Permission.SEE_PEOPLE),
    ConsoleRoute("/people/{member_id:int}", member_page, Permission.SEE_PEOPLE),
    ConsoleRoute("/people/{member_id:int}/photo", photo, Permission.SEE_PEOPLE),
    ConsoleRoute("/people/{member_id:int}/listen", listen, Permission.EDIT_PEOPLE, "POST"),
    ConsoleRoute("/people/{member_id:int}/sound", sound, Permission.EDIT_PEOPLE),
)
