"""The login page: password, one-time code where it is switched on, patience that runs out."""

from __future__ import annotations

from typing import Optional, Tuple

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from actions.timebank.errors import TooManyLogins
from actions.timebank.ids import StaffAccountId
from actions.timebank.staff import accounts, sessions
from bot.console.desk import ROOT, ConsoleParts
from bot.console.doors import is_from_here, let_in, staff_at
from bot.console.intake import BadForm, read_form
from bot.console.passwords import totp_step
from bot.console.words import Words

WRONG = "登录名、密码或动态码不对。"
TOO_MANY = "试错的次数太多了，请到{until}以后再试。"
CHANGED = "密码换好了，请用新密码登录。"
ELSEWHERE = "请在本页登录。"


class Login:
    def __init__(self, parts: ConsoleParts, templates: Environment, words: Words) -> None:
        self._parts = parts
        self._templates = templates
        self._words = words

    async def page(self, request: Request) -> Response:
        if await run_in_threadpool(staff_at, self._parts.village, request) is not None:
            return RedirectResponse(f"{ROOT}/", status_code=303)
        return self._page(said=CHANGED if "changed" in request.query_params else "")

    async def enter(self, request: Request) -> Response:
        # Another site must not log anybody in as somebody of its choice.
        if not is_from_here(request):
            return self._page(self._words.say(ELSEWHERE), status=403)
        try:
            form = await read_form(request)
        except BadForm as bad:
            return self._page(self._words.say(WRONG), status=bad.status)
        given = {name: str(form.get(name, "")) for name in ("login", "password", "code")}
        address = request.client.host if request.client else ""
        account_id, problem = await run_in_threadpool(self._check, address=address, **given)
        if account_id is None:
            return self._page(problem, given["login"][:40], status=401)
        response = RedirectResponse(f"{ROOT}/", status_code=303)
        secure = self._parts.settings.address.startswith("https:")
        now = self._parts.village.clock()
        await run_in_threadpool(
            let_in, self._parts.village, response, account_id, now=now, secure=secure
        )
        return response

    def _check(
        self, *, login: str, password: str, code: str, address: str
    ) -> Tuple[Optional[StaffAccountId], str]:
        """The account, or why not. A wrong login, password or code looks and lasts alike."""
        village, now = self._parts.village, self._parts.village.clock()
        try:
            with village.transaction() as session:
                begun = sessions.begin_try(session, login=login, address=address, now=now)
        except TooManyLogins as many:
            until = self._words.clock(many.facts["until"])  # type: ignore[arg-type]
            return None, self._words.say(TOO_MANY, until=until)
        with village.reading() as session:
            found = accounts.by_login(session, login)
            is_open = found is not None and found.closed_at is None and found.member.left_at is None
            stored = found.password_hash if found is not None and is_open else None
            secret = found.totp_secret if found is not None else None
            account_id = StaffAccountId(found.id) if found is not None else None
        is_right = self._parts.passwords.matches(password, stored)
        step = totp_step(secret, code, now) if secret else None
        with village.transaction() as session:
            if is_right and secret:
                assert account_id is not None
                is_right = step is not None and accounts.use_totp_step(
                    session, account_id=account_id, step=step
                )
            if is_right:
                sessions.try_succeeded(session, begun)
        return (account_id, "") if is_right else (None, self._words.say(WRONG))

    def _page(
        self, problem: str = "", login: str = "", status: int = 200, *, said: str = ""
    ) -> Response:
        page = self._templates.get_template("login.html")
        return HTMLResponse(
            page.render(problem=problem, login=login, said=self._words.say(said)), status
        )
