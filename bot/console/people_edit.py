"""Forms by theme about one member. Who is second to save is told, and keeps what he typed."""

from __future__ import annotations

from typing import Any, Optional

from starlette.responses import Response

from actions.timebank import members
from actions.timebank.errors import BadDetails, ChangedMeanwhile, Refusal
from actions.timebank.ids import MemberId
from actions.timebank.staff import people, register
from actions.timebank.staff.register import VOICE_RANGES, Basics, Voice
from actions.timebank.staff.roles import Permission
from actions.timebank.states import TRAINED_ONLY, PriorityClass, ServiceKind
from bot.console import photos
from bot.console.desk import ConsoleRoute, Desk
from bot.console.people import in_words, one_of, show_member, the_member
from bot.console.when import midnight_of

WRONG = {
    "lane": "请选一条巷子。",
    "birth_year": "出生年份不对。",
    "nickname": "小名太长。",
    "place": "住处写得太长。",
    "pace": "语速不在能说的范围里。",
    "gain": "音量不在能听的范围里。",
    "patience_ms": "等待的时间不对。",
    "trained_at": "培训的日子不对。",
    "until": "到期的日子不对。",
    "other": "请选另一个人。",
    "label": "称呼太长。",
    "scope": "至少要选一样。",
}


def told(desk: Desk, refused: Refusal) -> str:
    """A refusal in the staff's words, with who was first and with what."""
    if isinstance(refused, BadDetails):
        return desk.say(WRONG[str(refused.facts["field"])])
    if isinstance(refused, ChangedMeanwhile) and "by" in refused.facts:
        who = refused.facts["by"]
        when = desk.words.moment(refused.facts.get("at"))  # type: ignore[arg-type]
        return desk.say(
            "{who}在{when}刚改过这个人的资料。您写的还在下面，核对一下再保存。",
            who=who,
            when=when,
        )
    return desk.words.refusal(refused.code)


def _seen(desk: Desk) -> int:
    """The version that the form was drawn from; 0 is none that there ever was."""
    return desk.number("version") or 0


def _flag(desk: Desk, name: str) -> bool:
    return desk.form.get(name) == "yes"


def _whole(text: str) -> Optional[int]:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


# -- new, and who it is ----------------------------------------------------------------------------


def new(desk: Desk) -> Response:
    return _basics_form(desk, None, dict(desk.query))


def make(desk: Desk) -> Response:
    try:
        with desk.transaction() as session:
            made = register.register(
                session, basics=_basics(desk), by=desk.staff.member_id, now=desk.now
            )
            member = MemberId(made.id)
            desk.about(member)
    except (BadDetails, members.BadName) as refused:
        return _basics_form(desk, None, desk.form, told(desk, refused))
    return desk.go(f"/people/{member}", desk.say("登记好了。可以接着打入门卡。"))


def edit(desk: Desk) -> Response:
    return _basics_form(desk, the_member(desk), {})


def save(desk: Desk) -> Response:
    member = the_member(desk)
    desk.about(member)
    try:
        with desk.transaction() as session:
            register.correct(
                session,
                member=member,
                seen=_seen(desk),
                basics=_basics(desk),
                by=desk.staff.member_id,
                now=desk.now,
            )
    except (BadDetails, members.BadName, ChangedMeanwhile) as refused:
        return _basics_form(desk, member, desk.form, told(desk, refused))
    return desk.go(f"/people/{member}", desk.say("改好了。"))


def _basics(desk: Desk) -> Basics:
    """Raises BadDetails for a year that is none."""
    year = desk.form.get("birth_year", "").strip()
    if year and _whole(year) is None:
        raise BadDetails("no year", field="birth_year")
    return Basics(
        name=desk.form.get("name", ""),
        nickname=desk.form.get("nickname", ""),
        birth_year=_whole(year),
        lane_id=desk.number("lane") or 0,
        place=desk.form.get("place", ""),
        lives_alone=_flag(desk, "lives_alone"),
    )


def _basics_form(desk: Desk, member: Optional[MemberId], typed: Any, problem: str = "") -> Response:
    with desk.reading() as session:
        person = None if member is None else members.present(session, member)
        same = [] if person is not None else _of_one_name(session, str(typed.get("name", "")))
        return desk.page(
            "people/basics.html",
            status=409 if problem else 200,
            person=person,
            typed=typed,
            lane_options=[(lane.id, lane.name) for lane in people.lanes(session)],
            changes=[] if not problem or member is None else _lately(session, member),
            same=same,
            problem=problem,
            **in_words(desk),
        )


def _of_one_name(session: Any, name: str) -> Any:
    """Who is called so already; two people of one name are both welcome."""
    name = name.strip()
    if not name:
        return []
    found = people.search(session, people.Wanted(words=name), sees_private=False).people
    return [one for one in found if one.name == name]


def _lately(session: Any, member: MemberId) -> Any:
    return register.changes_of(session, member, limit=4)


# -- voice, helping, priority ----------------------------------------------------------------------


def voice(desk: Desk) -> Response:
    return _form(desk, "people/voice.html", ranges=VOICE_RANGES)


def save_voice(desk: Desk) -> Response:
    def change(session: Any, member: MemberId) -> None:
        values = {name: _whole(desk.form.get(name, "")) for name in VOICE_RANGES}
        for name, value in values.items():
            if value is None:
                raise BadDetails("no number", field=name)
        register.set_voice(
            session,
            member=member,
            seen=_seen(desk),
            voice=Voice(**values),  # type: ignore[arg-type]
            by=desk.staff.member_id,
            now=desk.now,
        )

    return _save(desk, "people/voice.html", change, ranges=VOICE_RANGES)


def helping(desk: Desk) -> Response:
    return _form(desk, "people/helping.html", kinds=list(ServiceKind), gated=TRAINED_ONLY)


def save_helping(desk: Desk) -> Response:
    def change(session: Any, member: MemberId) -> None:
        register.set_helping(
            session,
            member=member,
            seen=_seen(desk),
            takes_tasks=_flag(desk, "takes_tasks"),
            kinds={kind for kind in ServiceKind if kind.value in desk.forms("kind")},
            by=desk.staff.member_id,
            now=desk.now,
        )

    return _save(desk, "people/helping.html", change, kinds=list(ServiceKind), gated=TRAINED_ONLY)


def priority(desk: Desk) -> Response:
    return _form(desk, "people/priority.html", priorities=list(PriorityClass))


def save_priority(desk: Desk) -> Response:
    def change(session: Any, member: MemberId) -> None:
        register.set_priorities(
            session,
            member=member,
            seen=_seen(desk),
            priorities={one for one in PriorityClass if one.value in desk.forms("priority")},
            by=desk.staff.member_id,
            now=desk.now,
        )

    return _save(desk, "people/priority.html", change, priorities=list(PriorityClass))


def _form(desk: Desk, template: str, **facts: Any) -> Response:
    return _drawn(desk, template, typed=None, problem="", **facts)


def _save(desk: Desk, template: str, change: Any, **facts: Any) -> Response:
    member = the_member(desk)
    desk.about(member)
    try:
        with desk.transaction() as session:
            change(session, member)
    except (BadDetails, ChangedMeanwhile) as refused:
        return _drawn(desk, template, typed=desk.form, problem=told(desk, refused), **facts)
    return desk.go(f"/people/{member}", desk.say("改好了。"))


def _drawn(desk: Desk, template: str, typed: Any, problem: str, **facts: Any) -> Response:
    member = the_member(desk)
    with desk.reading() as session:
        person = members.present(session, member)
        return desk.page(
            template,
            status=409 if problem else 200,
            person=person,
            typed=typed,
            ticked=desk.forms("kind") + desk.forms("priority"),
            skills={skill.service_kind for skill in members.skills_of(session, member)},
            has={row.priority for row in register.priorities_of(session, member)},
            changes=_lately(session, member) if problem else [],
            problem=problem,
            **in_words(desk),
            **facts,
        )


# -- what was learned, and the photo ---------------------------------------------------------------


def add_training(desk: Desk) -> Response:
    member, kind = the_member(desk), one_of(ServiceKind, desk.form.get("kind"))
    trained_at = midnight_of(desk.form.get("trained_at", ""))
    ends, until = desk.form.get("until", ""), midnight_of(desk.form.get("until", ""))
    if kind is None or trained_at is None:
        return show_member(desk, desk.say(WRONG["trained_at"]), 409)
    if ends.strip() and until is None:
        return show_member(desk, desk.say(WRONG["until"]), 409)
    desk.about(member)
    try:
        with desk.transaction() as session:
            register.record_training(
                session,
                member=member,
                seen=_seen(desk),
                kind=kind,
                trained_at=trained_at,
                until=until,
                by=desk.staff.member_id,
                now=desk.now,
            )
    except (BadDetails, ChangedMeanwhile) as refused:
        return show_member(desk, told(desk, refused), 409, typed=desk.form)
    return desk.go(f"/people/{member}", desk.say("培训记下了。"))


def end_training(desk: Desk) -> Response:
    member = the_member(desk)
    desk.about(member)
    with desk.transaction() as session:
        register.end_training(
            session,
            member=member,
            training_id=desk.path["training_id"],
            by=desk.staff.member_id,
            now=desk.now,
        )
    return desk.go(f"/people/{member}", desk.say("这次培训不再算数了。"))


def save_photo(desk: Desk) -> Response:
    member, data = the_member(desk), desk.upload("photo")
    if data is None:
        return show_member(desk, desk.say("请先选一张照片。"), 409)
    try:
        jpeg = photos.small_jpeg(data)
    except photos.NoPhoto:
        return show_member(desk, desk.say("这不是能用的照片。请用 JPEG、PNG 或 WebP。"), 409)
    folder = desk.parts.settings.home / "photos"
    name = photos.keep(folder, jpeg)
    try:
        before = _set_photo(desk, member, name)
    except Exception:
        photos.forget(folder, name)
        raise
    photos.forget(folder, before)
    return desk.go(f"/people/{member}", desk.say("照片换好了。"))


def remove_photo(desk: Desk) -> Response:
    member = the_member(desk)
    before = _set_photo(desk, member, None)
    photos.forget(desk.parts.settings.home / "photos", before)
    return desk.go(f"/people/{member}", desk.say("照片删掉了。"))


def _set_photo(desk: Desk, member: MemberId, name: Optional[str]) -> Optional[str]:
    desk.about(member)
    with desk.transaction() as session:
        return register.set_photo(
            session, member=member, photo=name, by=desk.staff.member_id, now=desk.now
        )


ONE = "/people/{member_id:int}"
EDIT = Permission.EDIT_PEOPLE

ROUTES = (
    ConsoleRoute("/people/new", new, EDIT),
    ConsoleRoute("/people/new", make, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/edit", edit, EDIT),
    ConsoleRoute(f"{ONE}/edit", save, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/voice", voice, EDIT),
    ConsoleRoute(f"{ONE}/voice", save_voice, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/helping", helping, EDIT),
    ConsoleRoute(f"{ONE}/helping", save_helping, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/priority", priority, EDIT),
    ConsoleRoute(f"{ONE}/priority", save_priority, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/training", add_training, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/training/{{training_id:int}}/end", end_training, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/photo", save_photo, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/photo/remove", remove_photo, EDIT, "POST"),
)
