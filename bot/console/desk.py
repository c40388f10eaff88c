"""The desk: one request of one member of staff, with what a page needs to answer it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence
from urllib.parse import quote

from jinja2 import Environment
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.members import LARGEST_ID
from actions.timebank.session import Village
from actions.timebank.staff import audit, sessions
from actions.timebank.staff.roles import Permission, Role, permissions_of
from actions.timebank.staff.states import (
    Viewed,
)
from bot.console.health import Watch
from bot.console.passwords import Passwords
from bot.console.words import Words
from bot.links import TalkLinks
from bot.mouth import Mouth
from bot.phrases import Phrases
from bot.settings import Settings

ROOT = "/console"


class NotFound(Exception):
    """There is no such page or thing, or it is none of this person's business."""


@dataclass(frozen=True)
class ConsoleParts:
    """What the console is made of; put together in `bot/app.py`."""

    village: Village
    settings: Settings
    mouth: Mouth
    links: TalkLinks
    phrases: Phrases
    passwords: Passwords = field(default_factory=Passwords)

    @cached_property
    def watch(self) -> Watch:
        """How the machine is."""
        return Watch(self.village, self.settings, self.mouth.voice)


@dataclass(frozen=True)
class Staff:
    """Who sits at the desk."""

    account_id: StaffAccountId
    member_id: MemberId
    name: str
    login: str
    roles: frozenset[Role]
    must_change: bool
    is_to_be_told: bool
    """Whether the next page has something to tell once."""
    token_sha256: str
    csrf: str

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.roles)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


@dataclass(frozen=True)
class ConsoleRoute:
    """A page or deed of the console. `handler` runs in a thread: it may block."""

    path: str
    """Under /console, such as `/people/{member_id:int}`."""
    handler: Callable[[Desk], Response]
    permission: Permission
    method: str = "GET"


@dataclass(frozen=True)
class NavEntry:
    path: str
    title: str
    permission: Permission
    about: str
    """What is done there, in one line."""


@dataclass(frozen=True)
class NavGroup:
    title: str
    entries: Sequence[NavEntry]


def open_to(staff: Staff, menu: Sequence[NavGroup]) -> List[NavGroup]:
    """The part of the menu that this person may open."""
    may = [
        NavGroup(group.title, [one for one in group.entries if staff.may(one.permission)])
        for group in menu
    ]
    return [group for group in may if group.entries]


class Desk:
    def __init__(
        self,
        request: Request,
        *,
        staff: Staff,
        parts: ConsoleParts,
        templates: Environment,
        words: Words,
        nav: Sequence[NavGroup],
        deed: str,
        form: Optional[FormData] = None,
    ) -> None:
        self.request = request
        self.staff = staff
        self.parts = parts
        self.words = words
        self.now: datetime = parts.village.clock()
        self._templates = templates
        self._nav = open_to(staff, nav)
        self._deed = deed
        self._form = form or FormData()
        self._about: Optional[MemberId] = None

    # -- what was asked ------------------------------------------------------------------------

    @property
    def path(self) -> Mapping[str, Any]:
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def form(self) -> Mapping[str, str]:
        """The text fields of a POST; the last of each name."""
        return {name: value for name, value in self._form.multi_items() if isinstance(value, str)}

    def forms(self, name: str) -> List[str]:
        """All values of a field that may be there several times."""
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def number(self, name: str) -> Optional[int]:
        """An id from the form or the address; None when there is none that the database takes."""
        text = (self.form.get(name) or self.query.get(name) or "").strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 10:
            return None
        return int(text) if 0 < int(text) <= LARGEST_ID else None

    def upload(self, name: str) -> Optional[bytes]:
        """The bytes of an uploaded file; None when none was chosen."""
        file = self._form.get(name)
        if not isinstance(file, UploadFile):
            return None
        return file.file.read() or None

    @property
    def is_htmx(self) -> bool:
        return self.request.headers.get("hx-request") == "true"

    # -- the village ---------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.parts.village.reading() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A unit of work in which this deed is written down, see `about`."""
        with self.parts.village.transaction() as session:
            yield session
            subject = self.request.url.path.removeprefix(ROOT)
            audit.record(
                session,
                by=self.staff.member_id,
                deed=self._deed,
                about=self._about,
                subject=subject,
                now=self.now,
            )

    def about(self, member: MemberId) -> None:
        """Whom the deed concerns; to be told before its transaction ends."""
        self._about = member

    def saw(self, what: Viewed, about: MemberId, subject: str = "") -> None:
        """Writes down what of a member is being shown, before it is shown."""
        self.saw_of_all(what, [about], subject)

    def saw_of_all(self, what: Viewed, about: Iterable[MemberId], subject: str = "") -> None:
        """The same of several on one page, once of each."""
        with self.parts.village.transaction() as session:
            for one in sorted(set(about)):
                audit.saw(
                    session,
                    by=self.staff.member_id,
                    what=what,
                    about=one,
                    subject=subject,
                    now=self.now,
                )

    # -- answers -------------------------------------------------------------------------------

    def page(self, template: str, /, status: int = 200, **facts: Any) -> Response:
        """A whole page, with whatever was to be told once."""
        said = ""
        if self.staff.is_to_be_told:
            with self.parts.village.transaction() as session:
                said = sessions.take_said(session, self.staff.token_sha256)
        return self._html(template, status, said=said, **facts)

    def part(self, template: str, /, status: int = 200, **facts: Any) -> Response:
        """A piece of a page, for htmx."""
        return self._html(template, status, said="", **facts)

    def go(self, path: str, said: str = "") -> Response:
        """To another page of the console, which tells `said` once."""
        if said:
            with self.parts.village.transaction() as session:
                sessions.say_next(session, self.staff.token_sha256, said)
        return RedirectResponse(ROOT + path, status_code=303)

    def download(self, name: str, data: bytes, mime: str) -> Response:
        """A file to take home, which is a deed and no look: who took it is written down."""
        with self.transaction():
            pass
        kept = f"attachment; filename*=UTF-8''{quote(name)}"
        return Response(data, media_type=mime, headers={"Content-Disposition": kept})

    def say(self, chinese: str, **facts: object) -> str:
        """In the console's language."""
        return self.words.say(chinese, **facts)

    def _html(self, template: str, status: int, **facts: Any) -> Response:
        here = self.request.url.path.removeprefix(ROOT)
        given: Dict[str, Any] = {
            "desk": self,
            "staff": self.staff,
            "csrf_token": self.staff.csrf,
            "here": here,
            "nav": self._nav,
            "Permission": Permission,
            "now": self.now,
            **facts,
        }
        return HTMLResponse(self._templates.get_template(template).render(given), status)
