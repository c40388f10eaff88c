"""One's own account, the staff's accounts, and the record of what they did and saw."""

from __future__ import annotations

from datetime import timedelta
from typing import List, Optional

import segno
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank import members
from actions.timebank.errors import BadLogin, LoginTaken, UnknownMember
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import Member
from actions.timebank.staff import accounts, audit, keys, sessions
from actions.timebank.staff.roles import PERMISSIONS, Permission, Role
from bot.console import passwords
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.when import midnight_of

A_PAGE = 100
NEW_PASSWORD = "临时密码（只显示这一次，请念给本人，第一次登录后要改）：{password}"


# -- one's own account -----------------------------------------------------------------------------


def me(desk: Desk) -> Response:
    return _me(desk)


def _me(desk: Desk, problem: str = "", status: int = 200, secret: str = "") -> Response:
    with desk.reading() as session:
        account = accounts.account(session, desk.staff.account_id)
        has_codes = account.totp_secret is not None
    square = ""
    if secret:
        square = Markup(
            segno.make_qr(passwords.totp_address(secret, desk.staff.login)).svg_inline(
                omitsize=True, border=4
            )
        )
    return desk.page(
        "staff/me.html",
        status=status,
        problem=problem,
        has_codes=has_codes,
        secret=secret,
        square=square,
    )


def change_password(desk: Desk) -> Response:
    old, new = desk.form.get("old", ""), desk.form.get("new", "")
    if not _is_own_password(desk, old):
        return _me(desk, desk.say("现在的密码不对。"), 409)
    if not passwords.is_good(new) or new == old:
        return _me(desk, desk.say("新密码至少十个字符，不能跟原来的一样，也别太简单。"), 409)
    if new != desk.form.get("again", ""):
        return _me(desk, desk.say("两次输入的新密码不一样。"), 409)
    hashed = desk.parts.passwords.hash(new)
    with desk.transaction() as session:
        accounts.set_password(
            session,
            account_id=desk.staff.account_id,
            password_hash=hashed,
            must_change=False,
            now=desk.now,
        )
    return desk.go("/login?changed=yes")


def begin_codes(desk: Desk) -> Response:
    return _me(desk, secret=passwords.new_totp_secret())


def switch_codes_on(desk: Desk) -> Response:
    """Only with a code that proves that the phone has the secret."""
    secret = desk.form.get("secret", "")
    if not passwords.is_totp_secret(secret):
        raise NotFound
    if not _is_own_password(desk, desk.form.get("old", "")):
        return _me(desk, desk.say("现在的密码不对。"), 409, secret=secret)
    step = passwords.totp_step(secret, desk.form.get("code", ""), desk.now)
    if step is None:
        return _me(desk, desk.say("动态码不对，请再试一次。"), 409, secret=secret)
    with desk.transaction() as session:
        accounts.set_totp(session, account_id=desk.staff.account_id, secret=secret)
        accounts.use_totp_step(session, account_id=desk.staff.account_id, step=step)
    return desk.go("/me", desk.say("动态码开好了，下次登录要用。"))


def switch_codes_off(desk: Desk) -> Response:
    if not _is_own_password(desk, desk.form.get("old", "")):
        return _me(desk, desk.say("现在的密码不对。"), 409)
    with desk.transaction() as session:
        accounts.set_totp(session, account_id=desk.staff.account_id, secret=None)
    return desk.go("/me", desk.say("动态码关掉了。"))


def _is_own_password(desk: Desk, password: str) -> bool:
    """Whoever found a desk left open guesses no faster than at the door. Raises TooManyLogins."""
    client = desk.request.client
    address = client.host if client else ""
    with desk.parts.village.transaction() as session:
        begun = sessions.begin_try(session, login=desk.staff.login, address=address, now=desk.now)
        stored = accounts.account(session, desk.staff.account_id).password_hash
    is_right = desk.parts.passwords.matches(password, stored)
    if is_right:
        with desk.parts.village.transaction() as session:
            sessions.try_succeeded(session, begun)
    return is_right


# -- everybody's accounts --------------------------------------------------------------------------


def staff_list(desk: Desk) -> Response:
    return _staff_list(desk)


def _staff_list(desk: Desk, problem: str = "", status: int = 200, *, told: str = "") -> Response:
    """`told` is shown on this page only: what waits for the next page is kept in the database,
    where no password may lie."""
    with desk.reading() as session:
        everybody = accounts.everybody(session)
        taken = {account.member_id for account in everybody}
        present = select(Member).where(Member.left_at.is_(None)).order_by(Member.name)
        free = [one for one in session.execute(present).scalars() if one.id not in taken]
        return desk.page(
            "staff/list.html",
            status=status,
            accounts=everybody,
            free=free,
            roles=list(Role),
            opens=PERMISSIONS,
            problem=problem,
            told=told,
        )


def make_account(desk: Desk) -> Response:
    member, roles = desk.number("member"), _roles(desk)
    if member is None or not roles:
        return _staff_list(desk, desk.say("请选一个人，至少给一个角色。"), 409)
    password = passwords.generated()
    hashed = desk.parts.passwords.hash(password)
    desk.about(MemberId(member))
    try:
        with desk.transaction() as session:
            keys.open_account(
                session,
                member=MemberId(member),
                login=desk.form.get("login", ""),
                roles=roles,
                password_hash=hashed,
                by=desk.staff.member_id,
                now=desk.now,
            )
    except (LoginTaken, BadLogin) as refused:
        return _staff_list(desk, desk.words.refusal(refused.code), 409)
    return _staff_list(desk, told=desk.say(NEW_PASSWORD, password=password))


def change_roles(desk: Desk) -> Response:
    roles = _roles(desk)
    if not roles:
        return _staff_list(desk, desk.say("至少要留一个角色；不用了就停用账号。"), 409)
    account_id = _account_id(desk)
    with desk.transaction() as session:
        changed = keys.change_roles(
            session, account_id=account_id, roles=roles, by=desk.staff.member_id, now=desk.now
        )
        desk.about(MemberId(changed.member_id))
    return desk.go("/staff", desk.say("角色改好了。"))


def reset_password(desk: Desk) -> Response:
    password = passwords.generated()
    hashed, account_id = desk.parts.passwords.hash(password), _account_id(desk)
    with desk.transaction() as session:
        changed = keys.reset_password(
            session,
            account_id=account_id,
            password_hash=hashed,
            by=desk.staff.member_id,
            now=desk.now,
        )
        desk.about(MemberId(changed.member_id))
    return _staff_list(desk, told=desk.say(NEW_PASSWORD, password=password))


def close_account(desk: Desk) -> Response:
    account_id = _account_id(desk)
    with desk.transaction() as session:
        closed = keys.close_account(
            session, account_id=account_id, by=desk.staff.member_id, now=desk.now
        )
        desk.about(MemberId(closed.member_id))
    return desk.go("/staff", desk.say("账号停用了。"))


def reopen_account(desk: Desk) -> Response:
    account_id = _account_id(desk)
    with desk.transaction() as session:
        opened = keys.reopen_account(
            session, account_id=account_id, by=desk.staff.member_id, now=desk.now
        )
        desk.about(MemberId(opened.member_id))
    return desk.go("/staff", desk.say("账号又能用了。"))


def _account_id(desk: Desk) -> StaffAccountId:
    return StaffAccountId(desk.path["account_id"])


def _roles(desk: Desk) -> List[Role]:
    known = {role.value for role in Role}
    return [Role(value) for value in desk.forms("role") if value in known]


# -- the record ------------------------------------------------------------------------------------


def audit_page(desk: Desk) -> Response:
    by, before, about = (
        desk.number("by"),
        desk.number("before"),
        desk.query.get("about", "").strip(),
    )
    since, until = (
        midnight_of(desk.query.get("since", "")),
        midnight_of(desk.query.get("until", "")),
    )
    with desk.reading() as session:
        try:
            whom = _whom(session, about)
        except UnknownMember as unknown:
            same = unknown.facts.get("same_name", ())
            numbers = "、".join(str(number) for number in same)  # type: ignore[attr-defined]
            several = desk.say("叫这个名字的不止一个，请写编号：{numbers}", numbers=numbers)
            return desk.page(
                "staff/audit.html",
                rows=(),
                people=accounts.everybody(session),
                by=by,
                about=about,
                query=desk.query,
                problem=several if same else desk.say("没有叫这个名字的人。"),
            )
        rows = audit.deeds(
            session,
            limit=A_PAGE + 1,
            by=MemberId(by) if by else None,
            about=whom,
            since=since,
            until=until + timedelta(days=1) if until else None,
            before_id=before,
        )
        return desk.page(
            "staff/audit.html",
            rows=rows[:A_PAGE],
            which_of=_which_of,
            more=rows[A_PAGE - 1].id if len(rows) > A_PAGE else None,
            people=accounts.everybody(session),
            by=by,
            about=about,
            query=desk.query,
        )


def _which_of(subject: str) -> str:
    """Which one it was: of an address, the numbers; its own words tell staff nothing."""
    if not subject.startswith("/"):
        return subject
    return " ".join(part for part in subject.split("/") if any(map(str.isdigit, part)))


def _whom(session: Session, name_or_number: str) -> Optional[MemberId]:
    """Also who has left, by number. Raises UnknownMember, which tells `same_name`."""
    if not name_or_number:
        return None
    if name_or_number.isdecimal() and session.get(Member, int(name_or_number[:9])) is not None:
        return MemberId(int(name_or_number[:9]))
    return MemberId(members.find_member(session, name_or_number).id)


ROUTES = (
    ConsoleRoute("/me", me, Permission.SEE_TODAY),
    ConsoleRoute("/me/password", change_password, Permission.SEE_TODAY, "POST"),
    ConsoleRoute("/me/codes", begin_codes, Permission.SEE_TODAY, "POST"),
    ConsoleRoute("/me/codes/on", switch_codes_on, Permission.SEE_TODAY, "POST"),
    ConsoleRoute("/me/codes/off", switch_codes_off, Permission.SEE_TODAY, "POST"),
    ConsoleRoute("/staff", staff_list, Permission.MANAGE_STAFF),
    ConsoleRoute("/staff", make_account, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute("/staff/{account_id:int}/roles", change_roles, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute("/staff/{account_id:int}/reset", reset_password, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute("/staff/{account_id:int}/close", close_account, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute("/staff/{account_id:int}/reopen", reopen_account, Permission.MANAGE_STAFF, "POST"),
    ConsoleRoute("/audit", audit_page, Permission.SEE_AUDIT),
)
