"""The village in which a goal begins: always the same, then what has happened before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from actions.timebank import chain, visits
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import AssignmentId, MemberId
from actions.timebank.members import find_member
from actions.timebank.model import Member, ServiceRequest
from actions.timebank.states import ServiceKind
from tests.bench.voices.goals import Goal
from tests.e2e.stack import Stack
from tests.timebank.neighbourhood import Neighbourhood

STAGES = ("asked", "accepted", "started", "claimed", "settled")
"""How far a request has come."""
ASKED_BEFORE = timedelta(hours=20)
JUST_ASKED = timedelta(minutes=5)


class Beginning:
    """Takes the running village back to how it was when this was made.

    Only for a stack's own SQLite village: the database is put back as a whole, which no ledger
    that counts must ever see, and the conversations are forgotten.
    """

    def __init__(self, stack: Stack) -> None:
        self._village = Path(make_url(stack.settings.database).database)
        self._talks = stack.settings.home / "conversations.db"
        self._kept = self._village.with_suffix(".beginning")
        _copy(self._village, self._kept)

    def again(self) -> None:
        _copy(self._kept, self._village)
        if self._talks.exists():
            with closing(sqlite3.connect(self._talks, timeout=30)) as talks, talks:
                talks.execute("DELETE FROM events")


def prepare(session: Session, goal: Goal, now: datetime) -> None:
    """Lets happen what the goal says has happened. Raises what the time bank's verbs raise."""
    for happened in goal.before:
        for stage, facts in happened.items():
            bring_about(session, stage, facts, now)


def bring_about(
    session: Session, stage: str, facts: Mapping[str, Any], now: datetime
) -> ServiceRequest:
    """A request that has come to this stage, through the verbs of the time bank and with all the
    notices that these queue. `facts`: elder, helper, kind, at, minutes, and claimed."""
    steps = STAGES[: STAGES.index(stage) + 1]
    starts_at = datetime.fromisoformat(facts["at"]).replace(tzinfo=VILLAGE_ZONE)
    elder, helper = (find_member(session, facts[role]) for role in ("elder", "helper"))
    asked_at = now - JUST_ASKED if starts_at > now else starts_at - ASKED_BEFORE
    hood = neighbourhood(session, elder, helper, asked_at)
    request = hood.ask(
        elder=elder.id,
        service_kind=ServiceKind(facts["kind"]),
        starts_at=starts_at,
        minutes=facts["minutes"],
        wanted_helper=helper.id,
    )
    if hood.offer_of(request).helper_id != helper.id:
        raise LookupError(f"somebody else than {helper.name} is asked")
    if "accepted" in steps:
        assignment = hood.accepted(request)
    if "started" in steps:
        visits.start_visit(
            session,
            helper=MemberId(helper.id),
            assignment_id=AssignmentId(assignment.id),
            now=starts_at,
        )
    hood.now = starts_at + timedelta(minutes=facts["minutes"])
    if "claimed" in steps:
        hood.claim(assignment, facts.get("claimed", facts["minutes"]))
    if "settled" in steps:
        hood.confirm(request)
    return request


def neighbourhood(session: Session, elder: Member, helper: Member, now: datetime) -> Neighbourhood:
    """The verbs that the tests of the time bank use, with people of this village in the roles."""
    staff = session.execute(select(Member).where(Member.is_coordinator)).scalars().first()
    return Neighbourhood(
        session=session, now=now, wang=elder, zhang=helper, li=helper, zhao=helper, staff=staff
    )


def broken_promises(session: Session) -> list[str]:
    """What no conversation may ever break; empty when all is well."""
    found = chain.verify(session)
    return [] if found.intact else [f"the ledger: {found.problem}"]


def _copy(source: Path, target: Path) -> None:
    """One transaction for whoever has the target open."""
    with (
        closing(sqlite3.connect(source, timeout=30)) as original,
        closing(sqlite3.connect(target, timeout=30)) as copy,
    ):
        original.backup(copy)
