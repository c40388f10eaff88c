"""The console over 王奶奶's street, and staff who sit at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.testclient import TestClient

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import Lane
from actions.timebank.session import Village
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Role
from bot.console import console_routes
from bot.console.desk import ConsoleParts
from bot.console.doors import COOKIE, csrf_of
from bot.console.passwords import Passwords
from bot.links import TalkLinks
from bot.mouth import Mouth
from bot.phrases import Phrases
from bot.settings import Settings
from tests.bot.turn_parts import FakeSynthesizer
from tests.small_village import Street

PASSWORD = "correct horse battery"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class Client:
    """A browser in which somebody of the staff, or nobody, is logged in."""

    http: TestClient
    member: MemberId | None = None
    name: str = ""

    def get(self, path: str, **about: Any) -> Any:
        return self.http.get(_whole(path), follow_redirects=False, **about)

    def follow(self, path: str) -> Any:
        return self.http.get(_whole(path), follow_redirects=True)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        files: Any = None,
        csrf: str | None = None,
        follow: bool = False,
        **about: Any,
    ) -> Any:
        """Sends a form as a page of ours would, with the session's own token."""
        fields = {"csrf": self.csrf if csrf is None else csrf, **(data or {})}
        return self.http.post(
            _whole(path), data=fields, files=files, follow_redirects=follow, **about
        )

    @property
    def csrf(self) -> str:
        """What the forms of this session's pages hold."""
        token = self.http.cookies.get(COOKIE)
        return csrf_of(token) if token else ""


def _whole(path: str) -> str:
    return path if path.startswith("/console") else f"/console{path}"


@dataclass
class ConsoleHouse:
    """The console, its village, and who works there."""

    app: Starlette
    street: Street
    parts: ConsoleParts
    count: int = field(default=0)

    @property
    def village(self) -> Village:
        return self.street.village

    @property
    def synthesizer(self) -> Any:
        return self.parts.mouth._synthesizer

    def nobody(self) -> Client:
        return Client(TestClient(self.app, base_url="http://console.test"))

    def as_role(self, *roles: Role, name: str | None = None) -> Client:
        """Somebody new of the staff with these roles; `name` is a member who is there already."""
        self.count += 1
        login = f"staff{self.count}"
        with self.village.transaction() as session:
            if name is None:
                lane = session.query(Lane).first()
                person = members.join(
                    session, name=f"干事{self.count}", lane=lane, now=self.street.clock()
                )
            else:
                person = members.find_member(session, name)
            accounts.make(
                session,
                member=MemberId(person.id),
                login=login,
                roles=roles,
                password_hash=self.parts.passwords.hash(PASSWORD),
                must_change=False,
                now=self.street.clock(),
            )
            member, called = MemberId(person.id), person.name
        client = self.nobody()
        answer = client.http.post(
            "/console/login",
            data={"login": login, "password": PASSWORD},
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        client.member, client.name = member, called
        return client


def build_console(
    street: Street, folder: Path, phrases: Phrases, *, language: str = "zh"
) -> ConsoleHouse:
    settings = Settings(home=folder / "home", console_language=language, _env_file=None)
    mouth = Mouth(FakeSynthesizer(), street.clock, container="wav")
    parts = ConsoleParts(
        village=street.village,
        settings=settings,
        mouth=mouth,
        links=TalkLinks(b"a secret only for the tests"),
        phrases=phrases,
        passwords=QUICK,
    )
    return ConsoleHouse(Starlette(routes=console_routes(parts)), street, parts)


@pytest.fixture
def console(street: Street, tmp_path: Path, phrases: Phrases) -> Iterator[ConsoleHouse]:
    yield build_console(street, tmp_path, phrases)
    street.village.engine.dispose()
