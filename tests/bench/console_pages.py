"""Which addresses the console's pages have in a given village: other members, filters and pages
each time, so that no page is fast because it was just made."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import model
from bot.console.themes import all_routes

Choose = Callable[[random.Random], str]
PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
NO_PAGES = ("/sound", "/recording/", "/photo", "/logout")
"""What is heard or looked at inside a page."""
NEEDED = {
    "/merges/pair": ("double", "kept"),
    "/proposals/reversal": ("transfer",),
}
"""Pages that say nothing without these."""
MOST_IDS = 500
TABLES = {
    "member_id": model.Member,
    "account_id": model.Account,
    "transfer_id": model.Transfer,
    "request_id": model.ServiceRequest,
    "dispute_id": model.Dispute,
    "alert_id": model.Alert,
    "turn_id": model.Turn,
    "broadcast_id": model.Broadcast,
    "kept": model.Member,
    "double": model.Member,
    "transfer": model.Transfer,
}
INTENTS = ("request_help", "complete_task", "emergency", "check_balance")
OUTCOMES = ("answered", "repaired", "failed", "refused")


@dataclass(frozen=True)
class Page:
    name: str
    """Of its figures: `conversations_with_turn`."""
    path: str
    address: Choose


def pages(session: Session, now: datetime) -> tuple[list[Page], list[str]]:
    """Every GET page of the console, and those of which this village has no example."""
    ids = {name: _ids(session, table) for name, table in TABLES.items()}
    ids["period"] = [f"{now - timedelta(days=30 * back):%Y-%m}" for back in range(12)]
    found, left_out = [], []
    for route in all_routes():
        if route.method != "GET" or any(part in route.path for part in NO_PAGES):
            continue
        places = PLACE.findall(route.path)
        needed = NEEDED.get(route.path, ())
        if all(ids.get(place) for place in (*places, *needed)):
            found.append(Page(_name(route.path), route.path, _address(route.path, needed, ids)))
        else:
            left_out.append(route.path)
    return found, left_out


def searches(session: Session, now: datetime) -> list[Page]:
    """Searches as staff make them, of the themes that are there."""
    names = list(session.execute(select(model.Member.name).limit(MOST_IDS)).scalars())
    there = {route.path for route in all_routes()}

    def day(chance: random.Random) -> str:
        return f"{now - timedelta(days=chance.randrange(7, 500)):%Y-%m-%d}"

    asked: Sequence[tuple[str, str, Callable[[random.Random], dict[str, str]]]] = (
        ("talk_by_name", "/conversations", lambda chance: {"name": chance.choice(names)}),
        ("talk_by_words", "/conversations", lambda chance: {"words": chance.choice("菜摔钟邻送")}),
        ("talk_by_rare_words", "/conversations", lambda _: {"words": "没有人这样说过"}),
        ("talk_by_intent", "/conversations", lambda chance: {"intent": chance.choice(INTENTS)}),
        ("talk_by_outcome", "/conversations", lambda chance: {"outcome": chance.choice(OUTCOMES)}),
        (
            "talk_by_confidence",
            "/conversations",
            lambda chance: {"below": chance.choice(("40", "60", "80"))},
        ),
        (
            "talk_by_day",
            "/conversations",
            lambda chance: {"since": day(chance), "until": day(chance)},
        ),
        (
            "talk_by_all",
            "/conversations",
            lambda chance: {"name": chance.choice(names), "words": "菜", "outcome": "answered"},
        ),
        ("people_by_name", "/people", lambda chance: {"q": chance.choice(names)}),
        ("people_by_letter", "/people", lambda chance: {"q": chance.choice(names)[:1]}),
        ("accounts_by_name", "/books/accounts", lambda chance: {"q": chance.choice(names)}),
        (
            "transfers_by_kind",
            "/books/transfers",
            lambda chance: {"kind": chance.choice(("gift", "settlement")), "since": day(chance)},
        ),
        ("visitor_by_name", "/visits", lambda chance: {"q": chance.choice(names)}),
    )
    return [Page(name, path, _search(path, query)) for name, path, query in asked if path in there]


def _search(path: str, query: Callable[[random.Random], dict[str, str]]) -> Choose:
    return lambda chance: f"{path}?{urlencode(query(chance))}"


def _address(path: str, needed: Sequence[str], ids: dict[str, list[str]]) -> Choose:
    def address(chance: random.Random) -> str:
        filled = PLACE.sub(lambda place: chance.choice(ids[place[1]]), path)
        query = urlencode({name: chance.choice(ids[name]) for name in needed})
        return f"{filled}?{query}" if query else filled

    return address


def _ids(session: Session, table: type) -> list[str]:
    """Some of the table, from its whole length."""
    every = list(session.execute(select(table.id)).scalars())  # type: ignore[attr-defined]
    return [str(one) for one in random.Random(1).sample(every, min(MOST_IDS, len(every)))]


def _name(path: str) -> str:
    words = re.findall(r"\w+", PLACE.sub(lambda place: place[1].removesuffix("_id"), path))
    return "_".join(words) or "front"
