"""How the rows of the ledger come into the database: one writer at a time, each after the last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached

from actions.timebank.chain import BEFORE_THE_FIRST, Head, stored_moment
from actions.timebank.errors import LedgerBroken
from actions.timebank.ids import AccountId, TransferId
from actions.timebank.model import Transfer
from actions.timebank.session import run_as_written

LEDGER_LOCK = 7_305_114
"""PostgreSQL's advisory lock under which minutes move; any number nobody else uses."""

_TAIL_AND_EARLIER = """
SELECT sequence, hash, (SELECT id FROM transfer WHERE idempotency_key = ?)
FROM transfer ORDER BY sequence DESC LIMIT 1
"""
_ADD_TRANSFER = """
INSERT INTO transfer (id, sequence, kind, visit_id, reverses_id, turn_id, reason, idempotency_key,
    occurred_at, previous_hash, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ADD_POSTING = "INSERT INTO posting (transfer_id, account_id, minutes) VALUES (?, ?, ?)"


def lock(session: Session) -> None:
    """Makes ledger writers take turns: one chain has one tail. SQLite did it at BEGIN IMMEDIATE."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LEDGER_LOCK)))


def tail_and_earlier(session: Session, idempotency_key: str) -> tuple[Head, TransferId | None]:
    """The chain's tail, and the transfer that already used this key, in one question."""
    row = run_as_written(session, _TAIL_AND_EARLIER, (idempotency_key,)).first()
    sequence, sealed, earlier = row or (0, BEFORE_THE_FIRST, None)
    return Head(sequence, sealed), earlier


def write(session: Session, row: dict[str, Any], legs: Mapping[AccountId, int]) -> Transfer:
    """Adds a sealed transfer with its postings. Raises LedgerBroken when the database refuses."""
    stored = {**row, "kind": row["kind"].value, "occurred_at": stored_moment(row["occurred_at"])}
    postings = [(row["id"], account_id, minutes) for account_id, minutes in sorted(legs.items())]
    try:
        run_as_written(session, _ADD_TRANSFER, tuple(stored.values()))
        run_as_written(session, _ADD_POSTING, postings)
    except IntegrityError as error:
        # An unknown account, or a visit that is settled already under another key.
        raise LedgerBroken(f"the database refuses this transfer: {error.orig}") from error
    # Known to be in the database: the session reads it back only for whoever looks.
    written = Transfer(id=row["id"])
    make_transient_to_detached(written)
    session.add(written)
    return written
