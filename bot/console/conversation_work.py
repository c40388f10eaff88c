"""What staff do about conversations: the queue by need, calling back, notes, corrections, words."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Callable, Type, TypeVar
from urllib.parse import quote

import yaml
from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank.errors import BadCorrection, NothingOpen, Refusal
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.staff import corrections, failures, lexicon
from actions.timebank.staff.conversations import conversation_of
from actions.timebank.staff.error_rate import error_rate
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    CallBackResult,
    FailureState,
    Viewed,
    WordKind,
)
from actions.timebank.staff.writing import clean
from bot.console.conversations import show, typed_parts
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.settings import HOUSE

SHOWN = 30
"""Failures on one page of the queue."""
WEEKS = 26
DANGERS = HOUSE / "nlu_data" / "lookups" / "emergencies.yml"
GAP = "…"
Deed = Callable[[Session, TurnId], None]
Chosen = TypeVar("Chosen", bound=Enum)


@lru_cache(maxsize=1)
def _danger() -> re.Pattern[str]:
    """The words of danger that the understanding knows, as they are spelled."""
    tables = yaml.safe_load(DANGERS.read_text("utf-8"))["nlu"]
    phrases = {
        line.removeprefix("- ").strip()
        for table in tables
        for line in table.get("examples", "").splitlines()
    }
    return re.compile("|".join(re.escape(one) for one in sorted(phrases) if one and GAP not in one))


def is_danger(words: str) -> bool:
    return _danger().search(words) is not None


def queue(desk: Desk) -> Response:
    """What went wrong lately, those first who need somebody most."""
    with desk.reading() as session:
        lately = failures.queue(session, is_danger=is_danger, now=desk.now)
    settled = desk.query.get("state") == FailureState.SETTLED.value
    chosen = [one for one in lately if (one.state is FailureState.SETTLED) == settled]
    page = min(desk.number("page") or 1, max(1, -(-len(chosen) // SHOWN)))
    shown = chosen[(page - 1) * SHOWN : page * SHOWN]
    # What they said stands in the list.
    desk.saw_of_all(Viewed.CONVERSATION, [one.member for one in shown], "queue")
    return desk.page(
        "conversations/queue.html",
        failures=shown,
        total=len(chosen),
        waiting=sum(one.state is not FailureState.SETTLED for one in lately),
        settled=settled,
        page=page,
        pages=max(1, -(-len(chosen) // SHOWN)),
        days=failures.LOOKED_BACK.days,
    )


def progress(desk: Desk) -> Response:
    """Whether the error rate falls."""
    with desk.reading() as session:
        weeks = error_rate(session, weeks=WEEKS, now=desk.now)
    first = next((at for at, week in enumerate(weeks) if week.turns), len(weeks) - 1)
    spoken = weeks[first:]
    chart = {
        "labels": [week.monday.isoformat() for week in spoken],
        "percent": [week.percent for week in spoken],
        "name": desk.say("出错率（%）"),
    }
    return desk.page("conversations/progress.html", weeks=list(reversed(spoken)), chart=chart)


def take(desk: Desk) -> Response:
    return _do(
        desk,
        "接下了，这件事归您。",
        lambda session, turn: _step(desk, failures.take, session, turn),
    )


def give_back(desk: Desk) -> Response:
    return _do(
        desk,
        "放回去了，别人可以接。",
        lambda session, turn: _step(desk, failures.give_back, session, turn),
    )


def settle(desk: Desk) -> Response:
    return _do(desk, "了结了。", lambda session, turn: _step(desk, failures.settle, session, turn))


def call_back(desk: Desk) -> Response:
    def deed(session: Session, turn_id: TurnId) -> None:
        failures.called_back(
            session,
            conversation=turn_id,
            by=desk.staff.member_id,
            result=_choice(CallBackResult, desk.form.get("result", ""), "result"),
            words=desk.form.get("words", ""),
            now=desk.now,
        )

    return _do(desk, "回访记下了。", deed)


def note(desk: Desk) -> Response:
    def deed(session: Session, turn_id: TurnId) -> None:
        failures.note(
            session,
            turn_id=turn_id,
            by=desk.staff.member_id,
            words=desk.form.get("words", ""),
            now=desk.now,
        )

    return _do(desk, "备注写上了。", deed)


def correct(desk: Desk) -> Response:
    def deed(session: Session, turn_id: TurnId) -> None:
        version = desk.form.get("version", "")
        corrections.correct(
            session,
            turn_id=turn_id,
            by=desk.staff.member_id,
            said=desk.form.get("said", ""),
            intent=desk.form.get("intent", ""),
            entities=typed_parts(desk),
            seen_version=int(version) if version.isdecimal() and len(version) < 7 else 0,
            now=desk.now,
        )

    return _do(desk, "更正记下了，等另一位同事审核后用来训练。", deed)


def add_word(desk: Desk) -> Response:
    def deed(session: Session, turn_id: TurnId) -> None:
        lexicon.add(
            session,
            said=desk.form.get("word_said", ""),
            heard=desk.form.get("word_heard", ""),
            kind=_choice(WordKind, desk.form.get("kind", ""), "kind"),
            turn_id=turn_id,
            by=desk.staff.member_id,
            now=desk.now,
        )

    return _do(desk, "词记下了，等另一位同事审核。", deed)


def _do(desk: Desk, said: str, deed: Deed) -> Response:
    """Does it and goes back to the conversation; after a refusal its page shows what was typed.
    A form on one turn names it as `turn`; the others are about the whole conversation."""
    turn_id = TurnId(clean(str(desk.path["turn_id"])))
    try:
        with desk.transaction() as session:
            talk = conversation_of(session, turn_id)
            if talk is None:
                raise NotFound(turn_id)
            desk.about(MemberId(talk.member.id))
            deed(session, turn_id)
    except NothingOpen as gone:
        raise NotFound(turn_id) from gone
    except Refusal as refused:
        return show(desk, turn_id, refused=refused)
    return desk.go(address(turn_id), desk.say(said))


def address(turn_id: str) -> str:
    return f"/conversations/with/{quote(turn_id, safe=':')}"


def _step(desk: Desk, step: Callable[..., object], session: Session, turn_id: TurnId) -> None:
    step(session, conversation=turn_id, by=desk.staff.member_id, now=desk.now)


def _choice(choices: Type[Chosen], value: str, field: str) -> Chosen:
    try:
        return choices(value)
    except ValueError as unknown:
        raise BadCorrection(f"no {field} {value}", field=field) from unknown


def _deed(name: str, handler: Callable[[Desk], Response]) -> ConsoleRoute:
    path = f"/conversations/{name}/{{turn_id}}"
    return ConsoleRoute(path, handler, Permission.CORRECT_CONVERSATIONS, "POST")


ROUTES = (
    ConsoleRoute("/conversations/queue", queue, Permission.SEE_CONVERSATIONS),
    ConsoleRoute("/conversations/progress", progress, Permission.SEE_CONVERSATIONS),
    _deed("take", take),
    _deed("give-back", give_back),
    _deed("settle", settle),
    _deed("call-back", call_back),
    _deed("note", note),
    _deed("correct", correct),
    _deed("word", add_word),
)
