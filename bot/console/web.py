"""The console's routes: every page behind the role check, every answer with strict headers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Callable, List, Optional, Union

from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from actions.timebank.errors import NotYours, Refusal
from actions.timebank.staff import sessions
from actions.timebank.staff.roles import Permission
from bot.console.desk import ROOT, ConsoleParts, ConsoleRoute, Desk, NotFound, Staff, open_to
from bot.console.doors import is_csrf, is_from_here, let_out, staff_at
from bot.console.headers import STRICT
from bot.console.intake import BadForm, is_plain, read_form
from bot.console.login import Login
from bot.console.themes import NAV, all_routes
from bot.console.words import Words, read_words
from bot.strict_headers import StrictHeaders

HERE = Path(__file__).parent
log = logging.getLogger(__name__)

TOO_LARGE = "交上来的东西太大，或者不完整。"
OLD_PAGE = "这一页放久了，请回去刷新再试。"
NOWHERE = "没有这一页，或者它已经不在了。"


def console_routes(parts: ConsoleParts) -> List[BaseRoute]:
    """The console, to be added to the web program's routes."""
    console = Console(parts)
    login = Login(parts, console.templates, console.words)
    private = [Middleware(StrictHeaders, headers=STRICT, cache="no-store")]
    public = [Middleware(StrictHeaders, headers=STRICT, cache="no-cache")]

    def route(path: str, handler: Callable[..., Any], method: str) -> Route:
        return Route(path, handler, methods=[method], middleware=private)

    pages = [route(one.path, console.behind_the_door(one), one.method) for one in all_routes()]
    return [
        Mount(
            ROOT,
            routes=[
                route("/login", login.page, "GET"),
                route("/login", login.enter, "POST"),
                route("/logout", console.leave, "POST"),
                Mount("/static", StaticFiles(directory=HERE / "static"), middleware=public),
                *pages,
                route("/{anything:path}", console.nothing_here, "GET"),
            ],
        ),
        # Without the slash, for who types the address.
        route(ROOT, _to_the_front, "GET"),
    ]


def _is_ones_own(route: ConsoleRoute) -> bool:
    """One's own account is open to everybody; /merges and /members are not /me."""
    return route.path == "/me" or route.path.startswith("/me/")


async def _to_the_front(_request: Request) -> Response:
    return RedirectResponse(ROOT + "/", status_code=303)


class Console:
    """Checks who asks and what for, then lets a page's handler answer in a thread."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts
        self.words = read_words(parts.settings.console_language)
        self.templates = make_templates(self.words)

    def behind_the_door(self, route: ConsoleRoute) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            staff = await run_in_threadpool(staff_at, self._parts.village, request)
            if staff is None:
                return self._to_login(request)
            if staff.must_change and not _is_ones_own(route):
                return RedirectResponse(f"{ROOT}/me", status_code=303)
            if not staff.may(route.permission) and not _is_ones_own(route):
                return self._problem(request, staff, 403, "您的角色看不到这一页。")
            form = None
            if request.method not in ("GET", "HEAD"):
                sent = await self._form_of(request, staff)
                if isinstance(sent, Response):
                    return sent
                form = sent
            if not is_plain(request):
                return self._problem(request, staff, 404, NOWHERE)
            desk = Desk(
                request,
                staff=staff,
                parts=self._parts,
                templates=self.templates,
                words=self.words,
                nav=NAV,
                deed=f"{route.method} {route.path}",
                form=form,
            )
            return await run_in_threadpool(self._handle, route, desk)

        return answer

    async def _form_of(self, request: Request, staff: Staff) -> Union[FormData, Response]:
        """What one of our own pages sends, or the page that says why it is not taken."""
        try:
            form = await read_form(request)
        except BadForm as bad:
            return self._problem(request, staff, bad.status, TOO_LARGE)
        if not is_from_here(request) or not is_csrf(str(form.get("csrf", "")), staff):
            return self._problem(request, staff, 403, OLD_PAGE)
        return form

    def _handle(self, route: ConsoleRoute, desk: Desk) -> Response:
        try:
            return route.handler(desk)
        except NotFound:
            return self._problem(desk.request, desk.staff, 404, NOWHERE)
        except Refusal as refusal:
            # Without its facts, which may be words that somebody said or typed.
            log.info("console refused %s: %s", route.path, refusal.code)
            status = 403 if isinstance(refusal, NotYours) else 409
            words = self.words.refusal(refusal.code)
            return self._problem(desk.request, desk.staff, status, words)
        except Exception:
            # The one place where a bug of the console ends.
            log.exception("the console failed at %s", route.path)
            return self._problem(desk.request, desk.staff, 500, "小帮这里出了毛病，已经记下了。")

    async def leave(self, request: Request) -> Response:
        staff = await run_in_threadpool(staff_at, self._parts.village, request)
        response = RedirectResponse(f"{ROOT}/login", status_code=303)
        if staff is not None:
            form = await self._form_of(request, staff)
            if isinstance(form, Response):
                return form

            def end() -> None:
                with self._parts.village.transaction() as session:
                    now = self._parts.village.clock()
                    sessions.end(session, staff.token_sha256, now=now)

            await run_in_threadpool(end)
        let_out(response)
        return response

    async def nothing_here(self, request: Request) -> Response:
        staff = await run_in_threadpool(staff_at, self._parts.village, request)
        if staff is None:
            return self._to_login(request)
        return self._problem(request, staff, 404, NOWHERE)

    def _to_login(self, request: Request) -> Response:
        if request.headers.get("hx-request") == "true":
            # A piece of a page cannot become the login page: the whole page goes there.
            return Response(status_code=401, headers={"HX-Redirect": f"{ROOT}/login"})
        return RedirectResponse(f"{ROOT}/login", status_code=303)

    def _problem(
        self, request: Request, staff: Optional[Staff], status: int, words: str
    ) -> Response:
        page = self.templates.get_template("problem.html")
        return HTMLResponse(
            page.render(
                words=self.words.say(words),
                staff=staff,
                csrf_token=staff.csrf if staff else "",
                nav=open_to(staff, NAV) if staff is not None else [],
                here=request.url.path.removeprefix(ROOT),
                Permission=Permission,
                said="",
            ),
            status,
        )


def make_templates(words: Words) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(_=words.say, root=ROOT, language=words.language)
    templates.filters.update(
        label=words.label,
        deed=words.deed,
        moment=words.moment,
        day=words.day,
        clock=words.clock,
        minutes=words.minutes,
        number=lambda value: "—" if value is None else f"{value:,}",
    )
    return templates
