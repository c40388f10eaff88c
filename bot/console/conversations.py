"""Conversations: looked for, read as they went, listened to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Optional, Sequence
from urllib.parse import urlencode

from starlette.responses import FileResponse, Response

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import Refusal
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Turn
from actions.timebank.staff import corrections, failures, lexicon
from actions.timebank.staff.conversations import Mark, Wanted, conversation_of, search
from actions.timebank.staff.corrections import ENTITIES, INTENTS
from actions.timebank.staff.effects import EffectKind, effects_of
from actions.timebank.staff.recordings import RecordingState, recording_states
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    CallBackResult,
    Viewed,
    WordKind,
)
from actions.timebank.staff.writing import clean
from actions.timebank.states import ServiceKind, TurnOutcome
from bot.console.conversation_words import DeedDone, EntityName, Intent, described, known
from bot.console.desk import ConsoleRoute, Desk, NotFound

BELOW = (30, 50, 70, 90)
"""Percents of confidence that can be looked for."""
PART_ROWS = 3
"""How many parts of what was said can be marked at once."""
PACES = ("0.5", "0.75", "1", "1.25", "1.5")
PAGES_OF_EFFECTS = {
    EffectKind.REQUEST: ("/requests", Permission.SEE_TODAY),
    EffectKind.DISPUTE: ("/disputes", Permission.SEE_CONVERSATIONS),
    EffectKind.ALARM: ("/alarms", Permission.SEE_TODAY),
    EffectKind.ALARM_STEP: ("/alarms", Permission.SEE_TODAY),
    EffectKind.TRANSFER: ("/books/transfers", Permission.SEE_BOOKS),
}
"""Where what a turn set off has a page of its own, and who may see it."""
SOUNDS = (
    (b"OggS", "audio/ogg"),
    (b"RIFF", "audio/wav"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
)
"""How recordings begin; each channel brings its own kind."""


def looked_for(desk: Desk) -> Response:
    """The search, with everything lately said when nothing is looked for."""
    wanted = _wanted(desk)
    with desk.reading() as session:
        page = search(session, wanted, before=_mark(desk.query.get("before", "")))
        # Their last words stand in the list.
        found = [MemberId(one.conversation.member.id) for one in page.found]
        desk.saw_of_all(Viewed.CONVERSATION, found, "search")
        return desk.page(
            "conversations/search.html",
            page=page,
            older=_older(desk, page.older),
            asked=desk.query,
            intents=[Intent(one) for one in INTENTS],
            outcomes=[one for one in TurnOutcome if one is not TurnOutcome.BEGUN],
            below=BELOW,
        )


def one(desk: Desk) -> Response:
    """A conversation as it went. That it was opened is recorded."""
    turn_id = TurnId(clean(str(desk.path["turn_id"])))
    with desk.reading() as session:
        talk = conversation_of(session, turn_id)
        if talk is None:
            raise NotFound(turn_id)
        member, first = MemberId(talk.member.id), talk.id
    desk.saw(Viewed.CONVERSATION, member, first)
    return show(desk, turn_id)


def show(desk: Desk, turn_id: TurnId, *, refused: Optional[Refusal] = None) -> Response:
    """The page of one conversation; after a refusal with what was typed, and why not."""
    with desk.reading() as session:
        talk = conversation_of(session, turn_id)
        if talk is None:
            raise NotFound(turn_id)
        ids = [turn.id for turn in talk.turns]
        written = corrections.versions(session, ids)
        newest = {one.turn_id: one for one in reversed(written)}
        return desk.page(
            "conversations/one.html",
            status=200 if refused is None else 409,
            talk=talk,
            effects=effects_of(session, ids),
            recordings=recording_states(session, talk.turns),
            described={turn.id: described(turn) for turn in talk.turns},
            notes=_by_turn(failures.notes_of(session, ids)),
            words=_by_turn(lexicon.of_turns(session, ids)),
            corrections=newest,
            versions=_by_turn(written),
            drafts={
                turn.id: _draft(desk, turn, newest.get(turn.id), refused) for turn in talk.turns
            },
            care=failures.care_of(session, talk.id),
            calls=failures.calls_of(session, talk.id),
            refused=refused,
            typed=desk.form if refused is not None else {},
            intents=[Intent(one) for one in INTENTS],
            entity_names=[EntityName(one) for one in ENTITIES],
            kinds=list(ServiceKind),
            word_kinds=list(WordKind),
            results=list(CallBackResult),
            paces=PACES,
            may_hear=desk.staff.may(Permission.HEAR_RECORDINGS),
            may_correct=desk.staff.may(Permission.CORRECT_CONVERSATIONS),
            pages_of_effects={
                kind.value: page
                for kind, (page, permission) in PAGES_OF_EFFECTS.items()
                if desk.staff.may(permission)
            },
            intent_of=Intent,
            deed_of=DeedDone,
            entity_name=lambda name: desk.words.label(known(EntityName, name) or name),
            value_name=lambda value: desk.words.label(known(ServiceKind, str(value)) or value),
        )


def recording(desk: Desk) -> Response:
    """The sound of one turn, whole or in part. That it was listened to is recorded."""
    turn_id = TurnId(clean(str(desk.path["turn_id"])))
    with desk.reading() as session:
        turn = session.get(Turn, turn_id)
        if turn is None:
            raise NotFound(turn_id)
        state = recording_states(session, [turn])[turn.id]
        path, member = turn.recording_path, MemberId(turn.member_id)
    file = None
    if state is RecordingState.KEPT:
        file = recording_file(desk.parts.settings.recordings, path)
    if file is None:
        return desk.page("conversations/gone.html", status=404, turn_id=turn_id)
    desk.saw(Viewed.RECORDING, member, turn_id)
    kept_by_nobody = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(file, media_type=_kind_of(file), headers=kept_by_nobody)


def recording_file(folder: Path, path: str) -> Optional[Path]:
    """The file of a recording, or None when it is not there or lies outside the folder."""
    try:
        file = (folder / path).resolve()
        inside = file.is_relative_to(folder.resolve())
        return file if inside and file.is_file() else None
    except (OSError, ValueError):
        return None


def _kind_of(file: Path) -> str:
    with file.open("rb") as sound:
        begins = sound.read(12)
    if begins[4:8] == b"ftyp":
        return "audio/mp4"
    known = (mime for start, mime in SOUNDS if begins.startswith(start))
    return next(known, "application/octet-stream")


# -- what was asked for --------------------------------------------------------------------------


def _wanted(desk: Desk) -> Wanted:
    """What is wrong in an address is left out, as if it had not been asked for."""
    asked = desk.query
    until = _day(asked.get("until", ""))
    outcome = asked.get("outcome", "")
    below = desk.number("below")
    return Wanted(
        name=clean(asked.get("name", ""))[:40],
        since=_day(asked.get("since", "")),
        until=until and until + timedelta(days=1),
        intent=asked.get("intent", "") if asked.get("intent", "") in INTENTS else "",
        outcome=TurnOutcome(outcome) if outcome in {one.value for one in TurnOutcome} else None,
        confidence_below=below / 100 if below is not None and below in BELOW else None,
        words=clean(asked.get("words", ""))[:60],
    )


def _day(written: str) -> Optional[datetime]:
    """The midnight with which a day of the village begins."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    sensible = 2000 <= day.year <= 2100
    return datetime.combine(day, time.min, VILLAGE_ZONE) if sensible else None


def _mark(written: str) -> Optional[Mark]:
    at, _, turn = written.partition("~")
    try:
        began = datetime.fromisoformat(at)
    except ValueError:
        return None
    known = began.tzinfo is not None and 2000 <= began.year <= 2100
    return Mark(began, clean(turn)) if known else None


def _older(desk: Desk, mark: Optional[Mark]) -> str:
    """The address of the next page, or nothing at the end."""
    if mark is None:
        return ""
    asked = {name: value for name, value in desk.query.items() if value and name != "before"}
    asked["before"] = f"{mark.began_at.isoformat()}~{mark.turn}"
    return "?" + urlencode(asked)


def _by_turn(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.turn_id, []).append(row)
    return found


def _draft(desk: Desk, turn: Turn, newest: Any, refused: Optional[Refusal]) -> dict[str, Any]:
    """What the form of a correction begins with: what was typed before a refusal, else the
    newest version, else what was heard."""
    draft: dict[str, Any] = {
        "said": newest.said if newest else turn.heard,
        "intent": newest.intent if newest else turn.intent,
        "parts": list(newest.entities) if newest else _heard_parts(turn),
        "version": newest.version if newest else 0,
        "open": False,
    }
    if refused is not None and desk.form.get("turn") == turn.id and "said" in desk.form:
        draft |= {"said": desk.form["said"], "intent": desk.form.get("intent", ""), "open": True}
        draft["parts"] = typed_parts(desk)
    draft["parts"] = (draft["parts"] + [{}] * PART_ROWS)[: max(PART_ROWS, len(draft["parts"]))]
    return draft


def typed_parts(desk: Desk) -> list[dict[str, str]]:
    """The parts of what was said that are marked in a form; rows without words are left out."""
    rows = zip(
        desk.forms("entity"), desk.forms("entity_text"), desk.forms("entity_value"), strict=False
    )
    return [
        {"entity": entity, "text": text, "value": value}
        for entity, text, value in rows
        if text.strip()
    ]


def _heard_parts(turn: Turn) -> list[dict[str, str]]:
    """What the machine found, as far as it stands in what it heard."""
    parts = []
    for found in turn.entities:
        text = turn.heard[found.get("start", 0) : found.get("end", 0)] or str(found.get("value"))
        if found.get("entity") in ENTITIES and text in turn.heard:
            value = str(found.get("value", ""))
            parts.append({"entity": found["entity"], "text": text, "value": value})
    return parts


ROUTES = (
    ConsoleRoute("/conversations", looked_for, Permission.SEE_CONVERSATIONS),
    ConsoleRoute("/conversations/with/{turn_id}", one, Permission.SEE_CONVERSATIONS),
    ConsoleRoute("/conversations/recording/{turn_id}", recording, Permission.HEAR_RECORDINGS),
)
