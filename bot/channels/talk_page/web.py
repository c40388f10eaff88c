"""The talk page's routes: the page itself, the turns it sends, the notices it fetches."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from actions.timebank.session import Village
from actions.timebank.states import TurnOutcome
from bot.channels.talk_page.door import Door, Guest, LinkRevoked
from bot.channels.talk_page.headers import STRICT
from bot.channels.talk_page.intake import (
    Refused,
    known_turn_id,
    read_turn_form,
    whole_turn_id,
)
from bot.links import BadLink, TalkLinks
from bot.strict_headers import StrictHeaders
from bot.turn_types import Answer, Speech, Turns, Utterance

CHANNEL = "talk"
HERE = Path(__file__).parent
PAGE_CODES = ("no_network", "no_microphone", "thinking")
"""What the page itself says when the village computer cannot say it."""
REFUSED_CODES = (
    "bad_link",
    "link_revoked",
    "bad_turn_id",
    "empty",
    "too_large",
    "too_long",
    "not_found",
)
RESPONSES = {code: f"utter_page_{code}" for code in PAGE_CODES} | {
    code: f"utter_refused_{code}" for code in REFUSED_CODES
}
"""The response that is said for each code; `phrases` must know all of them."""

Phrases = Callable[[str], str]
"""The words of a response."""
SayPhrase = Callable[[str], Awaitable[Speech]]
"""The same as sound."""
Handler = Callable[[Request], Awaitable[Response]]

Found = TypeVar("Found")

log = logging.getLogger(__name__)


def talk_page_routes(
    turns: Turns,
    village: Village,
    links: TalkLinks,
    *,
    demo: bool,
    phrases: Phrases,
    say_phrase: SayPhrase | None = None,
) -> list[BaseRoute]:
    """The routes of the talk page. `demo` lists everybody's link on the front page.

    Without `say_phrase` the page reads refusals with the phone's own Chinese voice, if it has
    one."""
    page = TalkPage(turns, village, links, demo=demo, phrases=phrases, say_phrase=say_phrase)
    personal = [Middleware(StrictHeaders, headers=STRICT, cache="no-store")]
    for_everybody = [Middleware(StrictHeaders, headers=STRICT, cache="no-cache")]

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, page.guarded(handler), methods=[method], middleware=personal)

    return [
        route("/", page.front),
        route("/t/{token}", page.talk),
        route("/t/{token}/manifest.webmanifest", page.manifest),
        route("/sw.js", page.service_worker),
        route("/api/turn", page.take_turn, "POST"),
        route("/api/turn/{turn_id}/audio", page.turn_audio),
        route("/api/turn/{turn_id}/audio/{part:int}", page.turn_audio),
        route("/api/notices", page.notices),
        route("/api/notices/{notice_id:int}/audio", page.notice_audio),
        route("/api/notices/{notice_id:int}/heard", page.notice_heard, "POST"),
        route("/api/phrases/{code}/audio", page.phrase_audio),
        route("/health", page.health),
        Mount("/static", StaticFiles(directory=HERE / "static"), middleware=for_everybody),
    ]


class TalkPage:
    """Answers requests; who asks is read from the link alone, never from the words."""

    def __init__(
        self,
        turns: Turns,
        village: Village,
        links: TalkLinks,
        *,
        demo: bool,
        phrases: Phrases,
        say_phrase: SayPhrase | None,
    ) -> None:
        self._turns = turns
        self._village = village
        self._door = Door(village, links)
        self._demo = demo
        self._phrases = phrases
        self._say_phrase = say_phrase
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, auto_reload=False
        )

    def guarded(self, handler: Handler) -> Handler:
        """The handler with its expected refusals turned into answers that can be spoken."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refused:
                return self._refusal(request, refused.code, refused.status)
            except BadLink as bad:
                return self._refusal(request, bad.code, 401)
            except LinkRevoked as revoked:
                return self._refusal(request, revoked.code, 403)

        return answer

    async def front(self, request: Request) -> Response:
        people = await self._door.everybody() if self._demo else []
        return self._html("front.html", people=people, demo=self._demo)

    async def talk(self, request: Request) -> Response:
        guest = await self._door.admit(request.path_params["token"])
        said_by_page = {code: self._phrases(RESPONSES[code]) for code in (*PAGE_CODES, "too_large")}
        return self._html(
            "talk.html", guest=guest, phrases=said_by_page, voiced=self._say_phrase is not None
        )

    async def manifest(self, request: Request) -> Response:
        guest = await self._door.admit(request.path_params["token"])
        words = self._templates.get_template("manifest.webmanifest").render(guest=guest)
        return Response(words, media_type="application/manifest+json")

    async def service_worker(self, request: Request) -> Response:
        # It must sit at the root to serve the pages under /t/.
        return FileResponse(HERE / "static" / "service-worker.js", media_type="text/javascript")

    async def take_turn(self, request: Request) -> Response:
        guest = await self._bearer(request)
        form = await read_turn_form(request)
        answer = await self._turns.take(
            Utterance(
                turn=whole_turn_id(guest.member, form.turn_id),
                member=guest.member,
                channel=CHANNEL,
                audio=form.audio,
                text=None if form.audio else form.text,
            )
        )
        return JSONResponse(_answer_json(form.turn_id, answer))

    async def turn_audio(self, request: Request) -> Response:
        guest = await self._bearer(request)
        turn_id = known_turn_id(request.path_params["turn_id"])
        part = request.path_params.get("part")
        turn = whole_turn_id(guest.member, turn_id)
        return _sound(await _found(self._turns.speak(turn, part, guest.member)))

    async def notices(self, request: Request) -> Response:
        guest = await self._bearer(request)
        waiting = await self._turns.notices(guest.member)
        shown = [
            {key: notice[key] for key in ("id", "kind", "text", "buttons")} for notice in waiting
        ]
        return JSONResponse({"notices": shown})

    async def notice_audio(self, request: Request) -> Response:
        guest = await self._bearer(request)
        notice_id = request.path_params["notice_id"]
        return _sound(await _found(self._turns.speak_notice(notice_id, guest.member)))

    async def notice_heard(self, request: Request) -> Response:
        guest = await self._bearer(request)
        notice_id = request.path_params["notice_id"]
        await _found(self._turns.notice_heard(notice_id, guest.member))
        return JSONResponse({"heard": True})

    async def phrase_audio(self, request: Request) -> Response:
        """Open to all: the sentences are fixed and a refused person has no link to show."""
        code = request.path_params["code"]
        if self._say_phrase is None or code not in RESPONSES:
            raise Refused("not_found", 404)
        return _sound(await self._say_phrase(RESPONSES[code]))

    async def health(self, request: Request) -> Response:
        try:
            await run_in_threadpool(self._touch_database)
        except SQLAlchemyError:
            log.exception("the database cannot be read")
            return JSONResponse({"status": "down", "code": "database"}, status_code=503)
        return JSONResponse({"status": "ok"})

    def _touch_database(self) -> None:
        with self._village.reading() as session:
            session.execute(text("SELECT 1"))

    async def _bearer(self, request: Request) -> Guest:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise BadLink("no bearer token")
        return await self._door.admit(token.strip())

    def _html(self, template: str, status: int = 200, **facts: object) -> Response:
        words = self._templates.get_template(template).render(**facts)
        return HTMLResponse(words, status_code=status)

    def _refusal(self, request: Request, code: str, status: int) -> Response:
        log.info("refused %s %s: %s", request.method, request.scope["route"].path, code)
        words = self._phrases(RESPONSES[code])
        voiced = self._say_phrase is not None
        if request.url.path.startswith("/t/"):
            return self._html("refused.html", status, code=code, words=words, voiced=voiced)
        return JSONResponse(
            {
                "turn_id": None,
                "heard": "",
                "confidence": None,
                "intent": "",
                "reply": words,
                "audio_url": f"/api/phrases/{code}/audio" if voiced else None,
                "audio_parts": [],
                "stage_ms": {},
                "outcome": TurnOutcome.REFUSED.value,
                "code": code,
                "buttons": [],
                "patience_ms": None,
            },
            status_code=status,
        )


async def _found(asked: Awaitable[Found]) -> Found:
    """What was asked for; somebody else's is as unknown as what never was."""
    try:
        return await asked
    except LookupError as missing:
        raise Refused("not_found", 404) from missing


def _answer_json(turn_id: str, answer: Answer) -> dict[str, Any]:
    audio_url = f"/api/turn/{turn_id}/audio"
    return {
        "turn_id": turn_id,
        "heard": answer.heard,
        "confidence": answer.confidence,
        "intent": answer.intent,
        "reply": answer.reply,
        "audio_url": audio_url,
        "audio_parts": [f"{audio_url}/{part}" for part in range(len(answer.sentences))],
        "stage_ms": dict(answer.stage_ms),
        "outcome": answer.outcome.value,
        "code": answer.code,
        "buttons": [asdict(button) for button in answer.buttons],
        "patience_ms": answer.patience_ms,
    }


def _sound(speech: Speech) -> Response:
    return Response(speech.data, media_type=speech.mime)
