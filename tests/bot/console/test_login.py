"""Who comes into the console, and how long."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from actions.timebank.model import StaffSession
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Role
from tests.bot.console.conftest import PASSWORD, ConsoleHouse


def enter(console: ConsoleHouse, login: str, password: str, code: str = "") -> int:
    fields = {"login": login, "password": password, "code": code}
    http = console.nobody().http
    return int(http.post("/console/login", data=fields, follow_redirects=False).status_code)


def test_nobody_is_sent_to_the_login(console: ConsoleHouse) -> None:
    answer = console.nobody().get("/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
    assert "登录名" in console.nobody().follow("/").text


def test_the_right_password_opens_the_console(console: ConsoleHouse) -> None:
    client = console.as_role(Role.COORDINATOR, name="陈干事")
    page = client.get("/me")
    assert page.status_code == 200 and "陈干事" in page.text and "协调员" in page.text


def test_every_form_of_a_page_holds_the_sessions_own_token(console: ConsoleHouse) -> None:
    one, other = console.as_role(Role.VIEWER), console.as_role(Role.VIEWER)
    forms = one.get("/me").text.split("<form")[1:]
    assert forms and all(f'name="csrf" value="{one.csrf}"' in form for form in forms)
    assert one.csrf != other.csrf and len(one.csrf) == 64


@pytest.mark.parametrize("login, password", [("staff1", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_wrong_login_and_wrong_password_look_alike(
    console: ConsoleHouse, login: str, password: str
) -> None:
    console.as_role(Role.VIEWER)
    assert enter(console, login, password) == 401


def test_after_five_wrong_passwords_even_the_right_one_waits(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    for _ in range(5):
        assert enter(console, "staff1", "wrong") == 401
    assert enter(console, "staff1", PASSWORD) == 401
    console.street.clock.pass_time(minutes=2)
    assert enter(console, "staff1", PASSWORD) == 303


def test_a_session_ends_after_half_an_hour_of_silence(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    for _ in range(4):
        console.street.clock.pass_time(minutes=20)
        assert client.get("/me").status_code == 200
    console.street.clock.pass_time(minutes=31)
    assert client.get("/me").status_code == 303


def test_a_session_ends_after_ten_hours_however_busy(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    for _ in range(30):
        console.street.clock.pass_time(minutes=20)
        client.get("/me")
    console.street.clock.pass_time(minutes=10)
    assert client.get("/me").status_code == 303


def test_logged_out_is_out_also_with_the_old_cookie(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    cookie = client.http.cookies["xiaobang_staff"]
    assert client.post("/logout").status_code == 303
    thief = console.nobody()
    thief.http.cookies.set("xiaobang_staff", cookie, path="/console")
    assert thief.get("/me").status_code == 303


def test_a_closed_account_and_one_who_left_are_out_at_once(console: ConsoleHouse) -> None:
    client = console.as_role(Role.ADMINISTRATOR)
    other = console.as_role(Role.VIEWER)
    with console.village.reading() as session:
        account = accounts.staff_of(session, other.member)
        assert account is not None
        number = account.id
    assert client.post(f"/staff/{number}/close").status_code == 303
    assert other.get("/me").status_code == 303


def test_a_new_password_ends_every_session(console: ConsoleHouse) -> None:
    client = console.as_role(Role.VIEWER)
    fields = {"old": PASSWORD, "new": "another long password", "again": "another long password"}
    assert client.post("/me/password", fields).status_code == 303
    assert client.get("/me").status_code == 303
    assert enter(console, "staff1", "another long password") == 303


@pytest.mark.parametrize(
    "fields",
    [
        {"old": "wrong", "new": "another long password", "again": "another long password"},
        {"old": PASSWORD, "new": "short", "again": "short"},
        {"old": PASSWORD, "new": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"},
        {"old": PASSWORD, "new": "another long password", "again": "another"},
        {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD},
    ],
)
def test_a_bad_new_password_changes_nothing(console: ConsoleHouse, fields: dict[str, str]) -> None:
    client = console.as_role(Role.VIEWER)
    assert client.post("/me/password", fields).status_code == 409
    assert enter(console, "staff1", PASSWORD) == 303


def test_with_codes_the_password_alone_is_not_enough_and_no_code_works_twice(
    console: ConsoleHouse,
) -> None:
    client = console.as_role(Role.VIEWER)
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    totp = pyotp.TOTP(secret)

    def code() -> str:
        return totp.at(console.street.clock())

    assert (
        client.post("/me/codes/on", {"secret": secret, "code": code(), "old": PASSWORD}).status_code
        == 303
    )
    assert enter(console, "staff1", PASSWORD) == 401
    assert enter(console, "staff1", PASSWORD, code()) == 401, "the code that switched it on"
    console.street.clock.now += timedelta(minutes=1)
    assert enter(console, "staff1", PASSWORD, code()) == 303
    assert enter(console, "staff1", PASSWORD, code()) == 401


def test_a_temporary_password_opens_nothing_but_its_change(console: ConsoleHouse) -> None:
    client = console.as_role(Role.ADMINISTRATOR)
    with console.village.reading() as session:
        account = accounts.staff_of(session, client.member)
        assert account is not None
        number = account.id
    page = client.post(f"/staff/{number}/reset", follow=True)
    assert page.status_code == 200
    other = console.as_role(Role.ADMINISTRATOR)
    said = other.post(f"/staff/{number}/reset", follow=True).text
    [password] = re.findall(r"：([a-z0-9]{4}(?:-[a-z0-9]{4}){3})", said)
    fresh = console.nobody()
    fresh.http.post("/console/login", data={"login": "staff1", "password": password})
    assert fresh.get("/staff").headers["location"] == "/console/me"
    assert fresh.get("/me").status_code == 200


def test_the_last_administrator_stays(console: ConsoleHouse) -> None:
    client = console.as_role(Role.ADMINISTRATOR)
    with console.village.reading() as session:
        account = accounts.staff_of(session, client.member)
        assert account is not None
        number = account.id
    assert client.post(f"/staff/{number}/close").status_code == 409
    assert client.post(f"/staff/{number}/roles", {"role": "viewer"}).status_code == 409


def test_another_site_logs_nobody_in(console: ConsoleHouse) -> None:
    console.as_role(Role.VIEWER)
    answer = console.nobody().http.post(
        "/console/login",
        data={"login": "staff1", "password": PASSWORD},
        headers={"sec-fetch-site": "cross-site"},
        follow_redirects=False,
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080", "https://village.example"])
def test_the_cookie_is_for_the_browser_alone(console: ConsoleHouse, address: str) -> None:
    console.as_role(Role.VIEWER)
    console.parts.settings.public_url = address
    answer = console.nobody().http.post(
        "/console/login",
        data={"login": "staff1", "password": PASSWORD},
        follow_redirects=False,
    )
    cookie = answer.headers["set-cookie"].lower()
    for wanted in ("httponly", "samesite=strict", "path=/console", "max-age=36000"):
        assert wanted in cookie
    assert ("secure" in cookie) == address.startswith("https")
    token = answer.cookies["xiaobang_staff"] if "secure" not in cookie else ""
    with console.village.reading() as session:
        kept = [row.token_sha256 for row in session.query(StaffSession)]
    assert len(kept) == 2 and token not in kept


def test_whoever_leaves_the_village_is_out_at_once(console: ConsoleHouse) -> None:
    client = console.as_role(Role.COORDINATOR, name="陈干事")
    assert client.get("/me").status_code == 200
    with console.street.neighbourhood() as hood:
        hood.staff.left_at = console.street.clock()
    assert client.get("/me").status_code == 303
    answer = console.nobody().http.post(
        "/console/login",
        data={"login": "staff1", "password": PASSWORD},
        follow_redirects=False,
    )
    assert answer.status_code == 401
