"""The front of the console: it opens on the first page that one's role may see."""

from __future__ import annotations

from starlette.responses import Response

from actions.timebank.staff.roles import Permission
from bot.console.desk import ConsoleRoute, Desk


def front(desk: Desk) -> Response:
    if desk.first_page is None:
        return desk.page("front.html")
    return desk.go(desk.first_page)


ROUTES = (ConsoleRoute("/", front, Permission.SEE_TODAY),)
