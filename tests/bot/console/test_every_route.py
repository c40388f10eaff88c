"""Every route of the console, by everybody who must not come in, and with every bad input."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.timebank.staff.roles import PERMISSIONS, Role
from bot.console.desk import ConsoleRoute
from bot.console.themes import all_routes
from bot.phrases import Phrases
from tests.bot.console.conftest import Client, ConsoleHouse, build_console
from tests.small_village import Street

ROUTES = all_routes()
FORGED = ("0", "1", "7", "2147483648", "99999999999999999999", "-1", "1%27%20OR%201=1", "%2e%2e")
MEGABYTE = "长" * 1_000_000
EVIL = "<script>alert(1)</script>{{7*7}}=HYPERLINK(1)"


@pytest.fixture(scope="module")
def console(
    original: Path, tmp_path_factory: pytest.TempPathFactory, phrases: Phrases
) -> Iterator[ConsoleHouse]:
    """One village for all of these: nothing that is tried here may get through."""
    folder = tmp_path_factory.mktemp("every-route")
    street = Street.copied(original, folder / "village.db")
    yield build_console(street, folder, phrases)
    street.village.engine.dispose()


def addresses(route: ConsoleRoute) -> Iterator[str]:
    """The path with forged ids in all its places."""
    if "{" not in route.path:
        yield route.path
        return
    pieces = route.path.split("{")
    for forged in FORGED:
        yield pieces[0] + "".join(forged + piece.split("}", 1)[1] for piece in pieces[1:])


def send(client: Client, route: ConsoleRoute, path: str, **about: object) -> int:
    if route.method == "GET":
        return int(client.get(path).status_code)
    return int(client.post(path, **about).status_code)  # type: ignore[arg-type]


def named(route: ConsoleRoute) -> str:
    return f"{route.method} {route.path}"


def test_no_two_routes_are_one() -> None:
    known = [named(route) for route in ROUTES]
    assert len(set(known)) == len(known)


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_nobody_comes_in(console: ConsoleHouse, route: ConsoleRoute) -> None:
    stranger = console.nobody()
    for path in addresses(route):
        answer = stranger.get(path) if route.method == "GET" else stranger.post(path, csrf="x" * 64)
        assert answer.status_code in (303, 404, 405), path
        if answer.status_code == 303:
            assert answer.headers["location"] == "/console/login"


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_each_role_opens_what_it_needs_and_nothing_else(console: ConsoleHouse, role: Role) -> None:
    client = console.as_role(role)
    for route, path in ((route, next(addresses(route))) for route in ROUTES):
        status = send(client, route, path)
        if route.permission in PERMISSIONS[role] or (route.path + "/").startswith("/me/"):
            assert status not in (403, 500) or route.method == "POST", (named(route), status)
            assert status != 500, named(route)
        else:
            assert status == 403, (named(route), status)


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_forged_ids_find_nothing_and_break_nothing(
    console: ConsoleHouse, route: ConsoleRoute
) -> None:
    client = console.as_role(*Role)
    for path in addresses(route):
        answer = client.get(path) if route.method == "GET" else client.post(path)
        assert answer.status_code < 500, (path, answer.text[-500:])


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=named)
def test_a_form_that_is_not_ours_is_refused(console: ConsoleHouse, route: ConsoleRoute) -> None:
    client = console.as_role(*Role)
    other = console.as_role(*Role)
    path = next(addresses(route))
    for csrf in ("", "x" * 64, other.csrf):
        assert client.post(path, csrf=csrf).status_code == 403
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert client.post(path, headers=elsewhere).status_code == 403
    assert client.post(path, headers={"origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=named)
def test_fields_of_a_megabyte_and_bodies_of_seven_are_refused(
    console: ConsoleHouse, route: ConsoleRoute
) -> None:
    client = console.as_role(*Role)
    path, csrf = next(addresses(route)), client.csrf
    assert client.post(path, {"words": MEGABYTE}, csrf=csrf).status_code == 413
    file = {"file": ("a.xlsx", b"x" * 7_000_000)}
    assert client.post(path, files=file, csrf=csrf).status_code == 413
    assert client.post(path, {"reason": "a\x00b"}, csrf=csrf).status_code == 400


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=named)
def test_what_is_searched_for_is_never_markup(console: ConsoleHouse, route: ConsoleRoute) -> None:
    client = console.as_role(*Role)
    names = ("q", "name", "words", "by", "about", "before", "since", "until", "page", "sort", "id")
    query = {name: EVIL for name in names}
    for path in itertools.islice(addresses(route), 2):
        answer = client.get(path, params=query)
        assert answer.status_code < 500, (path, answer.text[-500:])
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=named)
def test_every_page_is_strict_and_holds_nothing_that_runs(
    console: ConsoleHouse, route: ConsoleRoute
) -> None:
    client = console.as_role(*Role)
    answer = client.get(next(addresses(route)))
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    if answer.headers.get("content-type", "").startswith("text/html"):
        for wrong in (" style=", "<style", " onclick=", "javascript:", "hx-on", "http://", "//cdn"):
            assert wrong not in answer.text.replace("http://127.0.0.1", ""), wrong


def test_a_name_with_markup_is_only_a_name_on_every_page(console: ConsoleHouse) -> None:
    client = console.as_role(*Role)
    with console.street.neighbourhood() as hood:
        hood.wang.name = "<b>王</b><script>alert(1)"
        wang = hood.wang.id
    for route in ROUTES:
        if route.method == "GET":
            path = route.path
            while "{" in path:
                path = path[: path.index("{")] + str(wang) + path[path.index("}") + 1 :]
            assert "<script>alert" not in client.get(path).text, route.path


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=named)
def test_every_form_carries_the_token_of_its_session(
    console: ConsoleHouse, route: ConsoleRoute
) -> None:
    client = console.as_role(*Role)
    page = client.get(next(addresses(route))).text
    posted = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
    assert all(f'name="csrf" value="{client.csrf}"' in form for form in posted)
