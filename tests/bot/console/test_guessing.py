"""Who guesses passwords, at the door or at a desk that somebody left open, and what lies about."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import select

from actions.timebank.model import StaffAccount, StaffSession
from actions.timebank.staff import sessions
from actions.timebank.staff.roles import Role
from tests.bot.console.conftest import PASSWORD, ConsoleHouse

NEW = "another long password"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def enter(console: ConsoleHouse, login: str, password: str, code: str = "") -> str:
    """Where the door leads, or what it says."""
    fields = {"login": login, "password": password, "code": code}
    answer = console.nobody().http.post("/console/login", data=fields, follow_redirects=False)
    return answer.headers.get("location", "") or answer.text


def account_number(console: ConsoleHouse, login: str) -> int:
    with console.village.reading() as session:
        mine = select(StaffAccount.id).where(StaffAccount.login == login)
        return int(session.execute(mine).scalar_one())


def test_thirty_guesses_at_once_are_no_more_than_five(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    with ThreadPoolExecutor(10) as many:
        said = list(many.map(lambda n: enter(console, "staff1", f"guess {n}"), range(30)))
    tried = [words for words in said if "密码或动态码不对" in words]
    assert len(tried) == sessions.FREE_TRIES
    assert sum("试错的次数太多" in words for words in said) == 25


def test_many_logins_from_one_address_wait_too(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    for n in range(sessions.FREE_TRIES_OF_ADDRESS):
        enter(console, f"nobody{n}", "guess")
    assert "试错的次数太多" in enter(console, "staff1", PASSWORD)
    console.street.clock.pass_time(minutes=2)
    assert enter(console, "staff1", PASSWORD) == "/console/"


def test_the_wait_grows_and_survives_a_restart(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    for _ in range(5):
        enter(console, "staff1", "guess")
    console.street.clock.pass_time(minutes=1)
    enter(console, "staff1", "guess")
    console.street.village.engine.dispose()
    console.street.clock.pass_time(minutes=1)
    assert "试错的次数太多" in enter(console, "staff1", PASSWORD)
    console.street.clock.pass_time(minutes=1)
    assert enter(console, "staff1", PASSWORD) == "/console/"


def test_the_right_password_forgets_the_wrong_ones(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    for _ in range(3):
        for _ in range(4):
            enter(console, "staff1", "guess")
        assert enter(console, "staff1", PASSWORD) == "/console/"


@pytest.mark.parametrize("path", ["/me/password", "/me/codes/on", "/me/codes/off"])
def test_at_a_desk_left_open_nobody_guesses_faster_than_at_the_door(
    console: ConsoleHouse, path: str
) -> None:
    client = console.as_role(Role.VIEWER)

    def guess(password: str) -> int:
        code = pyotp.TOTP(SECRET).at(console.street.clock())
        fields = {"old": password, "new": NEW, "again": NEW, "secret": SECRET, "code": code}
        return int(client.post(path, fields).status_code)

    assert [guess("guess") for _ in range(5)] == [409] * 5
    assert guess(PASSWORD) == 409
    console.street.clock.pass_time(minutes=2)
    assert guess(PASSWORD) == 303


def test_a_desk_left_open_is_not_locked_to_a_strangers_phone(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    code = pyotp.TOTP(SECRET).at(console.street.clock())
    assert client.post("/me/codes/on", {"secret": SECRET, "code": code}).status_code == 409
    assert enter(console, "staff1", PASSWORD) == "/console/"


def test_a_page_that_refreshes_itself_keeps_no_session_alive(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    for _ in range(6):
        console.street.clock.pass_time(minutes=5)
        assert client.get("/me", headers={"hx-request": "true"}).status_code == 200
    console.street.clock.pass_time(minutes=1)
    assert client.get("/me", headers={"hx-request": "true"}).status_code == 401
    assert client.get("/me").status_code == 303


def test_a_given_password_is_shown_once_and_lies_nowhere(console: ConsoleHouse) -> None:
    administrator = console.as_role(Role.ADMINISTRATOR)
    console.as_role(Role.VIEWER)
    number = account_number(console, "staff2")
    shown = administrator.post(f"/staff/{number}/reset")
    [password] = re.findall(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}", shown.text)
    with console.village.reading() as session:
        assert all(password not in row for row in session.execute(select(StaffSession.said)))
        assert password not in session.get(StaffAccount, number).password_hash
    assert password not in administrator.get("/staff").text
    assert enter(console, "staff2", password) == "/console/"


def test_who_changed_the_password_is_told_so_at_the_door(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    client.post("/me/password", {"old": PASSWORD, "new": NEW, "again": NEW})
    assert "密码换好了" in client.follow("/login?changed=yes").text


@pytest.mark.parametrize(
    "body, kind, status",
    [
        (b"csrf=" + b"x" * 7_000_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"--x\r\nContent-Disposition: form-data; na", "multipart/form-data; boundary=x", 403),
        (b"garbage", "multipart/form-data", 400),
    ],
    ids=["seven megabytes", "another kind", "torn", "without a boundary"],
)
@pytest.mark.parametrize("path", ["/logout", "/me/password"])
def test_a_torn_form_is_refused_and_no_crash(
    console: ConsoleHouse, path: str, body: bytes, kind: str, status: int
) -> None:
    client = console.as_role(Role.VIEWER)
    answer = client.http.post(
        f"/console{path}",
        content=body,
        headers={"content-type": kind},
        follow_redirects=False,
    )
    assert answer.status_code in (status, 400)
    assert client.get("/me").status_code == 200


def test_another_site_logs_nobody_out(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    assert client.post("/logout", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get("/me").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["before=%00", "by=1%00", "%00=1", f"since={'9' * 30_000}"],
    ids=["zero", "zero after a number", "zero as a name", "endless"],
)
def test_an_address_that_no_database_takes_is_not_found(console: ConsoleHouse, query: str) -> None:
    client = console.as_role(Role.ADMINISTRATOR)
    assert client.get(f"/audit?{query}").status_code == 404
