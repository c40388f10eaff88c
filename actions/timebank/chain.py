"""The hash chain over transfers: what is hashed, and how the whole chain is checked.

A transfer's hash covers its own row, its legs and the hash of the transfer before it, so that
nobody can change, insert, remove or reorder the past unseen. Two things the chain alone cannot
show, because what remains is a sound chain: a tail that was cut off, and a tail that was
written anew with fresh hashes. The head printed for the village board shows both: give it to
`verify` as `expected`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select, type_coerce
from sqlalchemy.engine import Row
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select
from sqlalchemy.types import NullType

from actions.timebank.ids import TransferId
from actions.timebank.model import Posting, Transfer

# Over tables: rows of mapped classes would all be fetched before the first is seen.
_TRANSFER, _POSTING = Transfer.__table__, Posting.__table__

BEFORE_THE_FIRST = "0" * 64
"""Stands where the first transfer names the hash of its predecessor."""

HASHED = (
    "id",
    "sequence",
    "kind",
    "visit_id",
    "reverses_id",
    "turn_id",
    "reason",
    "idempotency_key",
    "occurred_at",
)
"""The columns of a transfer that its hash covers, in this order."""


class Head(NamedTuple):
    """The newest transfer's place in the chain and its hash; sequence 0 while there is none."""

    sequence: int
    hash: str


class Leg(NamedTuple):
    account_id: int
    minutes: int


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found."""

    intact: bool
    transfers: int
    """How many transfers are sound, counted from the first."""
    head: str
    """Hash of the last sound transfer."""
    first_bad: TransferId | None
    """The first transfer that is wrong or missing; None when intact."""
    problem: str
    """What is wrong with it, in English; empty when intact."""


def seal(fields: Mapping[str, Any], legs: Iterable[Leg], previous_hash: str) -> str:
    """The hash of a transfer, in hexadecimal. `fields` holds at least the `HASHED` columns, the
    moment as an aware datetime."""
    row = (*(fields[name] for name in HASHED[:-1]), stored_moment(fields["occurred_at"]))
    return _hash(row, sorted(legs), previous_hash)


def stored_moment(moment: datetime) -> str:
    """How a moment stands in the hash and in the table. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime was given where an aware one is needed")
    return _plain(moment.astimezone(timezone.utc).replace(tzinfo=None))


def canonical_bytes(row: Sequence[Any], legs: Sequence[Leg], previous_hash: str) -> bytes:
    """What is hashed: a JSON list, ASCII only, without spaces, of the `HASHED` columns (the moment
    in UTC as `2026-03-02 01:00:00.000000`), the legs as a list of [account, minutes] sorted by
    account, and the hash before. Anyone can make it from the tables without this program."""
    content = (*row, legs, previous_hash)
    return json.dumps(content, separators=(",", ":"), default=_plain).encode("ascii")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    # A tampered cell can hold what JSON does not know; it must still hash, to differ.
    return repr(value)


def _hash(row: Sequence[Any], legs: Sequence[Leg], previous_hash: str) -> str:
    return sha256(canonical_bytes(row, legs, previous_hash)).hexdigest()


def head(session: Session) -> Head:
    """The newest transfer's sequence and hash, to be printed for the village board."""
    newest = select(_TRANSFER.c.sequence, _TRANSFER.c.hash).order_by(_TRANSFER.c.sequence.desc())
    row = session.execute(newest.limit(1)).first()
    return Head(row.sequence, row.hash) if row else Head(0, BEFORE_THE_FIRST)


def verify(session: Session, *, expected: Head | None = None) -> Verification:
    """Checks every transfer in order and stops at the first that is wrong: a changed row, a
    changed, missing or added posting, a missing or swapped transfer, minutes that do not sum to
    zero, a broken link. `expected` is a head printed earlier; with it a cut or rewritten tail is
    found too. Changes nothing and keeps only a few rows in memory."""
    # Others may write meanwhile: what comes after this moment is left to the next check.
    until = head(session).sequence
    last = Head(0, BEFORE_THE_FIRST)
    try:
        legs = _LegReader(session, until)
        for stored in _stream(session, _transfers(until)):
            number = last.sequence + 1
            row, link, sealed = stored[:-2], stored.previous_hash, stored.hash
            problem = _problem(number, row, legs.of(number), link, sealed, last.hash)
            if expected is not None and number == expected.sequence and sealed != expected.hash:
                problem = problem or "this or an earlier one was written anew: not the printed hash"
            if problem:
                return _broken(last, problem)
            last = Head(number, sealed)
        if expected is not None and expected.sequence > last.sequence:
            return _broken(last, f"missing: transfer {expected.sequence} was printed as the head")
        if _ownerless_posting(session):
            return _broken(last, "missing, while postings of it or of a later one are there")
    except DatabaseError as error:
        return _broken(last, f"its row or its postings cannot be read: {error.orig}")
    return Verification(True, last.sequence, last.hash, None, "")


def _broken(last_sound: Head, problem: str) -> Verification:
    first_bad = TransferId(last_sound.sequence + 1)
    return Verification(False, last_sound.sequence, last_sound.hash, first_bad, problem)


def _problem(
    number: int, row: Sequence[Any], legs: Sequence[Leg], link: str, sealed: str, before: str
) -> str:
    """What is wrong with the transfer that should be the `number`th; empty when nothing is."""
    identity, sequence = row[0], row[1]
    if sequence != number:
        return f"missing: transfer {sequence} stands in its place"
    if identity != number:
        return f"its row was changed: it is numbered {identity}"
    if link != before:
        return "broken link: it does not name the hash of the transfer before it"
    if not legs:
        return "its postings are missing"
    if _hash(row, legs, link) != sealed:
        return f"changed after it was sealed: its row or its postings {list(map(tuple, legs))}"
    if not all(isinstance(leg.minutes, int) for leg in legs) or sum(m for _, m in legs) != 0:
        return f"its postings do not sum to zero: {list(map(tuple, legs))}"
    return ""


def _transfers(until: int) -> Select:
    # As stored: a tampered kind or moment must reach the hash and not fail on the way.
    as_stored = (type_coerce(_TRANSFER.c[name], NullType).label(name) for name in HASHED)
    return (
        select(*as_stored, _TRANSFER.c.previous_hash, _TRANSFER.c.hash)
        .where(_TRANSFER.c.sequence <= until)
        .order_by(_TRANSFER.c.sequence)
    )


def _ownerless_posting(session: Session) -> bool:
    owner = select(_TRANSFER.c.id).where(_TRANSFER.c.id == _POSTING.c.transfer_id)
    return (
        session.execute(select(_POSTING.c.id).where(~owner.exists()).limit(1)).first() is not None
    )


def _stream(session: Session, query: Select) -> Iterator[Row]:
    return iter(session.execute(query.execution_options(stream_results=True)))


_NO_MORE: tuple[int, Iterator[Row]] = (0, iter(()))


class _LegReader:
    """Hands out postings transfer by transfer, from one pass over the table."""

    def __init__(self, session: Session, until: int) -> None:
        query = (
            select(_POSTING.c.transfer_id, _POSTING.c.account_id, _POSTING.c.minutes)
            .where(_POSTING.c.transfer_id.between(1, until))
            .order_by(_POSTING.c.transfer_id, _POSTING.c.account_id)
        )
        self._groups: Iterator[tuple[int, Iterator[Row]]] = groupby(
            _stream(session, query), key=itemgetter(0)
        )
        self._number, self._rows = next(self._groups, _NO_MORE)

    def of(self, number: int) -> list[Leg]:
        """The legs of this transfer. To be asked for in rising order."""
        if self._number != number:
            return []
        legs = [Leg(account_id, minutes) for _, account_id, minutes in self._rows]
        self._number, self._rows = next(self._groups, _NO_MORE)
        return legs
