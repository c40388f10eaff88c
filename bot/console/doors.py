"""Who comes in: cookies, sessions, and the proof that a form is ours."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Optional
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.session import Village
from actions.timebank.staff import sessions
from bot.console.desk import ROOT, Staff

COOKIE = "xiaobang_staff"


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """Only who knows the session's secret can know it, and it does not tell the secret."""
    return hmac.new(token.encode(), b"a form of the console", hashlib.sha256).hexdigest()


def staff_at(village: Village, request: Request) -> Optional[Staff]:
    """Who of the staff sends this request; None for everybody else."""
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > 200:
        return None
    hashed, now = token_hash(token), village.clock()
    with village.reading() as session:
        found = sessions.current(session, hashed, now=now)
        if found is None:
            return None
        account = found.account
        staff = Staff(
            account_id=StaffAccountId(account.id),
            member_id=MemberId(account.member_id),
            name=account.member.name,
            login=account.login,
            roles=account.roles,
            must_change=account.must_change,
            is_to_be_told=bool(found.said),
            token_sha256=hashed,
            csrf=csrf_of(token),
        )
        is_old = abs(now - found.seen_at) > sessions.SEEN_EVERY
    # A page that refreshes itself is nobody sitting there: it keeps no session alive.
    is_old = is_old and request.headers.get("hx-request") != "true"
    if is_old:
        with village.transaction() as session:
            sessions.touch(session, hashed, now=now)
    return staff


def let_in(
    village: Village,
    response: Response,
    account_id: StaffAccountId,
    *,
    now: datetime,
    secure: bool,
) -> None:
    """Begins a session; its cookie goes to this browser and nowhere else."""
    token = secrets.token_urlsafe(32)
    with village.transaction() as session:
        sessions.begin(session, account_id=account_id, token_sha256=token_hash(token), now=now)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sessions.LONGEST.total_seconds()),
        path=ROOT,
        httponly=True,
        samesite="strict",
        secure=secure,
    )


def let_out(response: Response) -> None:
    response.delete_cookie(COOKIE, path=ROOT, httponly=True, samesite="strict")


def is_from_here(request: Request) -> bool:
    """Whether a browser says that a page of ours sends this; who says nothing is no browser of
    another site, and the form's own token decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def is_csrf(given: str, staff: Staff) -> bool:
    return hmac.compare_digest(given.encode(), staff.csrf.encode())
