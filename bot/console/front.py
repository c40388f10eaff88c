"""The front of the console: it opens on today."""

from __future__ import annotations

from starlette.responses import Response

from actions.timebank.staff.roles import Permission
from bot.console.desk import ConsoleRoute, Desk


def front(desk: Desk) -> Response:
    return desk.go("/today")


ROUTES = (ConsoleRoute("/", front, Permission.SEE_TODAY),)
