"""How a member is reached and by whom: cards, links, phones, kin, delegates; leaving and return."""

from __future__ import annotations

from typing import Any, Callable, Optional

import segno
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from actions.timebank import channels, members
from actions.timebank.errors import ChangedMeanwhile, Refusal, StillOpen, UnknownMember
from actions.timebank.ids import DelegationId, MemberId
from actions.timebank.model import Member
from actions.timebank.staff import keys, kin, leaving, register
from actions.timebank.staff.roles import Permission
from actions.timebank.states import (
    Channel,
    DelegateScope,
    LeavingReason,
    RelationKind,
    Rhythm,
)
from bot.console.desk import ROOT, ConsoleRoute, Desk, NotFound
from bot.console.people import in_words, one_of, show_member, the_member
from bot.console.people_edit import EDIT, ONE, told
from bot.join_card import card_page, deep_link

# -- card, link, phone -----------------------------------------------------------------------------


def card(desk: Desk) -> Response:
    """A new card, whose code is told only on this page; the one before is void."""
    member, bot = the_member(desk), desk.parts.settings.telegram_bot
    if bot is None:
        return show_member(desk, desk.say("还没有设 Telegram，打不了入门卡。"), 409)
    desk.about(member)
    with desk.transaction() as session:
        issued, code = keys.issue_card(
            session, member=member, by=desk.staff.member_id, now=desk.now
        )
        page = card_page(
            name=issued.member.name,
            link=deep_link(bot, code),
            expires_at=issued.expires_at,
            staff=desk.staff.name,
            sheet=f"{ROOT}/static/join_card.css",
            script=f"{ROOT}/static/console.js",
            icon=f"{ROOT}/static/icon.svg",
            back=f"{ROOT}/people/{member}",
            words={name: desk.say(said) for name, said in CARD_WORDS.items()},
        )
    return HTMLResponse(page)


CARD_WORDS = {"print": "打印", "back": "回到这个人"}


def link(desk: Desk) -> Response:
    """The personal link, shown once to be scanned; whoever has it speaks as this member."""
    return _show_link(desk, keys.show_link)


def renew_link(desk: Desk) -> Response:
    return _show_link(desk, keys.renew_link)


def _show_link(desk: Desk, deed: Callable[..., Member]) -> Response:
    member = the_member(desk)
    desk.about(member)
    with desk.transaction() as session:
        person = deed(session, member=member, by=desk.staff.member_id, now=desk.now)
        name, serial = person.name, person.link_serial
    address = f"{desk.parts.settings.address}/t/{desk.parts.links.token_for(member, serial)}"
    square = segno.make_qr(address, error="m").svg_inline(omitsize=True, border=4)
    return desk.part(
        "people/link.html", member=member, name=name, address=address, square=Markup(square)
    )


def unbind(desk: Desk) -> Response:
    member = the_member(desk)
    desk.about(member)
    with desk.transaction() as session:
        person = register.editable(
            session, member, seen=None, by=desk.staff.member_id, now=desk.now
        )
        channels.unbind(session, member=member, channel=Channel.TELEGRAM, now=desk.now)
        register.note(session, person, "phone", "yes", "", by=desk.staff.member_id, now=desk.now)
    return desk.go(f"/people/{member}", desk.say("手机解开了，丢了的那个再也用不了。"))


# -- kin and delegates -----------------------------------------------------------------------------


def add_tie(desk: Desk) -> Response:
    kind = one_of(RelationKind, desk.form.get("kind"))
    other = _other(desk)
    if kind is None or other is None:
        return show_member(desk, desk.say("没找到这个人。有同名的，请写编号。"), 409)
    return _do(
        desk,
        "记下了。",
        kin.add_tie,
        member=the_member(desk),
        other=other,
        kind=kind,
        label=desk.form.get("label", ""),
    )


def remove_tie(desk: Desk) -> Response:
    other = MemberId(desk.path["other_id"])
    return _do(desk, "去掉了。", kin.remove_tie, member=the_member(desk), other=other)


def propose_delegate(desk: Desk) -> Response:
    other = _other(desk)
    if other is None:
        return show_member(desk, desk.say("没找到这个人。有同名的，请写编号。"), 409)
    return _do(
        desk,
        "会去问本人，点头了才算。",
        kin.propose_delegate,
        elder=the_member(desk),
        delegate=other,
        scopes=[scope for scope in DelegateScope if scope.value in desk.forms("scope")],
    )


def end_delegate(desk: Desk) -> Response:
    return _do(
        desk,
        "不再代办了，两边都会告诉。",
        kin.end_delegate,
        elder=the_member(desk),
        delegation_id=DelegationId(desk.path["delegation_id"]),
    )


def set_rhythm(desk: Desk) -> Response:
    rhythm = one_of(Rhythm, desk.form.get("rhythm"))
    if rhythm is None:
        raise NotFound
    return _do(desk, "改好了。", kin.set_rhythm, member=the_member(desk), rhythm=rhythm)


def set_coordinator(desk: Desk) -> Response:
    return _do(
        desk,
        "改好了。",
        register.set_coordinator,
        member=the_member(desk),
        is_coordinator=desk.form.get("is_coordinator") == "yes",
    )


def _do(desk: Desk, said: str, deed: Any, **about: Any) -> Response:
    """One deed of the core, then the member's page again, whatever came of it."""
    member = the_member(desk)
    desk.about(member)
    try:
        with desk.transaction() as session:
            deed(session, **about, by=desk.staff.member_id, now=desk.now)
    except Refusal as refused:
        return show_member(desk, told(desk, refused), 409, typed=desk.form)
    return desk.go(f"/people/{member}", desk.say(said))


def _other(desk: Desk) -> Optional[MemberId]:
    """Who was meant by a name or number in the form."""
    with desk.reading() as session:
        try:
            return MemberId(members.find_member(session, desk.form.get("other", "")[:40]).id)
        except UnknownMember:
            return None


# -- leaving and coming back -----------------------------------------------------------------------


def leaving_page(desk: Desk) -> Response:
    return _leaving(desk)


def _leaving(desk: Desk, problem: str = "") -> Response:
    member = the_member(desk)
    with desk.reading() as session:
        return desk.page(
            "people/leaving.html",
            status=409 if problem else 200,
            person=members.present(session, member),
            open=leaving.still_open(session, member),
            reasons=list(LeavingReason),
            chosen=one_of(LeavingReason, desk.form.get("why")),
            problem=problem,
            **in_words(desk),
        )


def leave(desk: Desk) -> Response:
    member, why = the_member(desk), one_of(LeavingReason, desk.form.get("why"))
    if why is None:
        return _leaving(desk, desk.say("请选一个原因。"))
    desk.about(member)
    try:
        with desk.transaction() as session:
            leaving.leave(
                session,
                member=member,
                seen=desk.number("version") or 0,
                why=why,
                by=desk.staff.member_id,
                now=desk.now,
            )
    except StillOpen:
        return _leaving(desk, desk.say("还有没了结的事，先处理好再说。"))
    except ChangedMeanwhile as refused:
        return _leaving(desk, told(desk, refused))
    return desk.go(f"/people/{member}", desk.say("记下了。账上的时间还在。"))


def come_back(desk: Desk) -> Response:
    return _do(desk, "欢迎回来。手机和链接要重新办。", leaving.come_back, member=the_member(desk))


ROUTES = (
    ConsoleRoute(f"{ONE}/card", card, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/link", link, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/link/renew", renew_link, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/unbind", unbind, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/kin", add_tie, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/kin/{{other_id:int}}/remove", remove_tie, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/delegates", propose_delegate, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/delegates/{{delegation_id:int}}/end", end_delegate, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/rhythm", set_rhythm, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/coordinator", set_coordinator, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute(f"{ONE}/leave", leaving_page, EDIT),
    ConsoleRoute(f"{ONE}/leave", leave, EDIT, "POST"),
    ConsoleRoute(f"{ONE}/back", come_back, EDIT, "POST"),
)
