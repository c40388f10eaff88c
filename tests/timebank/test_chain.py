"""Whoever changes the past of the ledger is found, and the database refuses it to begin with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from actions.timebank import ledger
from actions.timebank.chain import BEFORE_THE_FIRST, Head, Leg, Verification, seal
from actions.timebank.model import Posting, Transfer
from actions.timebank.session import Village
from actions.timebank.states import TransferKind
from tests.timebank.builders import MORNING, FakeClock, make_member

TRANSFERS = 8


@pytest.fixture
def busy_village(village: Village) -> Village:
    """Two opening balances (transfers 1 and 2), then gifts 3 to 8 to and fro."""
    with village.transaction() as session:
        people = [make_member(session, n, now=MORNING, opening_minutes=100).id for n in "甲乙"]
        for number in range(3, TRANSFERS + 1):
            ledger.gift(
                session,
                giver=people[number % 2],
                receiver=people[1 - number % 2],
                minutes=number,
                reason="谢谢",
                idempotency_key=f"gift:{number}",
                now=MORNING,
            )
    return village


@contextmanager
def unguarded(village: Village) -> Iterator[sqlite3.Connection]:
    """The file opened by somebody who took the guards away first."""
    with closing(sqlite3.connect(village.engine.url.database)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        yield connection


def tamper(village: Village, *statements: str) -> None:
    with unguarded(village) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, "nothing was tampered with"


def verify(village: Village, expected: Head | None = None) -> Verification:
    with village.reading() as session:
        return ledger.verify(session, expected=expected)


def head(village: Village) -> Head:
    with village.reading() as session:
        return ledger.head(session)


# -- sound chains -----------------------------------------------------------------------------


def test_an_empty_ledger_is_intact(village: Village) -> None:
    assert verify(village) == Verification(True, 0, BEFORE_THE_FIRST, None, "")
    assert head(village) == Head(0, BEFORE_THE_FIRST)


def test_an_untouched_ledger_is_intact(busy_village: Village) -> None:
    newest = head(busy_village)
    assert newest.sequence == TRANSFERS
    assert verify(busy_village) == Verification(True, TRANSFERS, newest.hash, None, "")


def test_a_head_printed_earlier_still_fits(busy_village: Village) -> None:
    with busy_village.reading() as session:
        printed = session.scalar(select(Transfer.hash).where(Transfer.sequence == 5))
    assert verify(busy_village, expected=Head(5, printed)).intact
    assert verify(busy_village, expected=Head(0, BEFORE_THE_FIRST)).intact


def test_the_hash_can_be_made_by_anyone_from_the_tables(busy_village: Village) -> None:
    with closing(sqlite3.connect(busy_village.engine.url.database)) as connection:
        *row, before, sealed = connection.execute(
            "SELECT id, sequence, kind, visit_id, reverses_id, turn_id, reason, idempotency_key,"
            " occurred_at, previous_hash, hash FROM transfer WHERE id = 4"
        ).fetchone()
        legs = connection.execute(
            "SELECT account_id, minutes FROM posting WHERE transfer_id = 4 ORDER BY account_id"
        ).fetchall()
    content = json.dumps([*row, legs, before], separators=(",", ":"))
    assert sha256(content.encode()).hexdigest() == sealed


# -- tampering --------------------------------------------------------------------------------

CHANGED_ROWS = {
    "kind": "UPDATE transfer SET kind = 'reissue' WHERE id = 5",
    "unknown kind": "UPDATE transfer SET kind = 'theft' WHERE id = 5",
    "reason": "UPDATE transfer SET reason = 'no thanks' WHERE id = 5",
    "reason of bytes": "UPDATE transfer SET reason = x'c3' WHERE id = 5",
    "reason that is no text": "UPDATE transfer SET reason = CAST(x'ff' AS TEXT) WHERE id = 5",
    "key": "UPDATE transfer SET idempotency_key = 'other' WHERE id = 5",
    "turn": "UPDATE transfer SET turn_id = 'talk:1' WHERE id = 5",
    "moment": "UPDATE transfer SET occurred_at = '2025-01-01 00:00:00.000000' WHERE id = 5",
    "no moment at all": "UPDATE transfer SET occurred_at = 'yesterday' WHERE id = 5",
    "visit": "UPDATE transfer SET visit_id = 1 WHERE id = 5",
    "reversal": "UPDATE transfer SET reverses_id = 1 WHERE id = 5",
    "hash": "UPDATE transfer SET hash = replace(hash, substr(hash, 1, 4), 'beef') WHERE id = 5",
    "link": f"UPDATE transfer SET previous_hash = '{BEFORE_THE_FIRST}' WHERE id = 5",
    "id": "UPDATE transfer SET id = 55 WHERE id = 5",
    "more minutes": "UPDATE posting SET minutes = minutes * 2 WHERE transfer_id = 5",
    "minutes of one leg": "UPDATE posting SET minutes = 50 WHERE transfer_id = 5 AND minutes > 0",
    "minutes in words": "UPDATE posting SET minutes = 'many' WHERE transfer_id = 5 AND minutes > 0",
    "other account": "UPDATE posting SET account_id = 2 WHERE transfer_id = 5 AND minutes > 0",
    "one posting out": "DELETE FROM posting WHERE transfer_id = 5 AND minutes > 0",
    "all postings out": "DELETE FROM posting WHERE transfer_id = 5",
    "posting in": "INSERT INTO posting (transfer_id, account_id, minutes) VALUES (5, 2, 9)",
    "posting moved": "UPDATE posting SET transfer_id = 5, account_id = 2 WHERE id = 1",
    "transfer out": "DELETE FROM transfer WHERE id = 5",
}


@pytest.mark.parametrize("statement", CHANGED_ROWS.values(), ids=CHANGED_ROWS)
def test_every_change_of_the_past_is_found(busy_village: Village, statement: str) -> None:
    before = 0 if "WHERE id = 1" in statement else 4
    tamper(busy_village, statement)
    found = verify(busy_village)
    assert not found.intact
    assert found.first_bad == before + 1
    assert found.transfers == before
    assert found.problem


@pytest.mark.parametrize(
    "statement, words",
    [
        (CHANGED_ROWS["reason"], "changed after it was sealed"),
        (CHANGED_ROWS["all postings out"], "its postings are missing"),
        (CHANGED_ROWS["link"], "broken link"),
        (CHANGED_ROWS["transfer out"], "missing: transfer 6 stands in its place"),
    ],
)
def test_the_problem_is_told_in_words(busy_village: Village, statement: str, words: str) -> None:
    tamper(busy_village, statement)
    assert words in verify(busy_village).problem


def test_a_spoilt_page_of_the_file_is_told_as_unreadable(busy_village: Village) -> None:
    busy_village.engine.dispose()
    path = Path(busy_village.engine.url.database)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page, size = connection.execute(
            "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'posting'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    found = verify(busy_village)
    assert (found.intact, found.first_bad) == (False, 1)
    assert "cannot be read" in found.problem


def test_a_transfer_taken_out_with_its_postings_is_missed(busy_village: Village) -> None:
    tamper(
        busy_village,
        "DELETE FROM posting WHERE transfer_id = 1",
        "DELETE FROM transfer WHERE id = 1",
    )
    assert verify(busy_village).first_bad == 1


def test_two_transfers_in_swapped_order_are_found(busy_village: Village) -> None:
    tamper(
        busy_village,
        *(
            f"UPDATE {table} SET {column} = {now} WHERE {column} = {was}"
            for was, now in ((4, 99), (5, 4), (99, 5))
            for table, column in (
                ("transfer", "sequence"),
                ("transfer", "id"),
                ("posting", "transfer_id"),
            )
        ),
    )
    found = verify(busy_village)
    assert (found.first_bad, found.intact) == (4, False)


def test_a_transfer_written_in_before_the_first_is_found(busy_village: Village) -> None:
    tamper(
        busy_village,
        "INSERT INTO transfer SELECT 0, 0, kind, NULL, NULL, turn_id, reason, 'forged',"
        " occurred_at, previous_hash, 'forged' FROM transfer WHERE id = 1",
    )
    assert verify(busy_village).first_bad == 1


def forge(village: Village, number: int, change: str) -> None:
    """Changes the postings of a transfer and gives it a fitting hash."""
    tamper(village, f"UPDATE posting SET minutes = {change} WHERE transfer_id = {number}")
    with village.transaction() as session:
        forged = session.get(Transfer, number)
        columns = {c.name: getattr(forged, c.name) for c in Transfer.__table__.columns}
        legs = [Leg(leg.account_id, leg.minutes) for leg in forged.postings]
        forged.hash = seal(columns, legs, forged.previous_hash)


def test_a_forger_who_sums_wrongly_is_found_at_the_forgery(busy_village: Village) -> None:
    forge(busy_village, 5, "minutes + 7")
    found = verify(busy_village)
    assert found.first_bad == 5
    assert "do not sum to zero" in found.problem


def test_a_forger_who_makes_a_new_hash_breaks_the_next_link(busy_village: Village) -> None:
    forge(busy_village, 5, "minutes * 3")
    found = verify(busy_village)
    assert found.first_bad == 6
    assert "broken link" in found.problem


def test_a_cut_tail_is_found_by_the_printed_head_only(busy_village: Village) -> None:
    printed = head(busy_village)
    tamper(
        busy_village,
        "DELETE FROM posting WHERE transfer_id > 6",
        "DELETE FROM transfer WHERE id > 6",
    )
    assert verify(busy_village).intact
    found = verify(busy_village, expected=printed)
    assert (found.intact, found.first_bad) == (False, 7)
    assert f"transfer {TRANSFERS} was printed" in found.problem


def test_a_tail_written_anew_is_found_by_the_printed_head(busy_village: Village) -> None:
    printed = head(busy_village)
    forge(busy_village, TRANSFERS, "minutes * 3")
    assert verify(busy_village).intact
    found = verify(busy_village, expected=printed)
    assert (found.intact, found.first_bad) == (False, TRANSFERS)
    assert "not the printed hash" in found.problem


def test_postings_left_behind_by_a_cut_tail_are_found(busy_village: Village) -> None:
    tamper(busy_village, "DELETE FROM transfer WHERE id > 6")
    assert verify(busy_village).first_bad == 7


def test_a_check_made_while_others_write_sees_a_sound_chain(busy_village: Village) -> None:
    with busy_village.reading() as reader:
        assert ledger.head(reader).sequence == TRANSFERS
        with busy_village.transaction() as session:
            make_member(session, "丙", now=FakeClock()(), opening_minutes=5)
        assert ledger.verify(reader).transfers == TRANSFERS
    assert verify(busy_village).transfers == TRANSFERS + 1


# -- the guards -------------------------------------------------------------------------------

REFUSED = {
    "transfer changed": "UPDATE transfer SET reason = 'x' WHERE id = 5",
    "transfer out": "DELETE FROM transfer WHERE id = 8",
    "posting changed": "UPDATE posting SET minutes = 1 WHERE transfer_id = 5",
    "posting out": "DELETE FROM posting WHERE transfer_id = 8",
    "posting to a sealed transfer": (
        "INSERT INTO posting (transfer_id, account_id, minutes) VALUES (5, 2, 9)"
    ),
    "gap": (
        "INSERT INTO transfer SELECT 10, 10, kind, NULL, NULL, turn_id, reason, 'x', occurred_at,"
        " hash, 'x' FROM transfer WHERE id = 8"
    ),
    "id beside the sequence": (
        "INSERT INTO transfer SELECT 10, 9, kind, NULL, NULL, turn_id, reason, 'x', occurred_at,"
        " hash, 'x' FROM transfer WHERE id = 8"
    ),
}
REPLACED = {
    "by number": (
        "INSERT OR REPLACE INTO transfer SELECT 8, 8, kind, NULL, NULL, turn_id, 'x', 'x',"
        " occurred_at, previous_hash, 'x' FROM transfer WHERE id = 8"
    ),
    "by key": (
        "INSERT OR REPLACE INTO transfer SELECT 9, 9, kind, NULL, NULL, turn_id, 'x',"
        " idempotency_key, occurred_at, hash, 'x' FROM transfer WHERE id = 8"
    ),
    "posting": (
        "INSERT OR REPLACE INTO posting (transfer_id, account_id, minutes)"
        " SELECT transfer_id, account_id, 99 FROM posting WHERE transfer_id = 8"
    ),
}


@pytest.mark.parametrize(
    "statement", [*REFUSED.values(), *REPLACED.values()], ids=[*REFUSED, *REPLACED]
)
def test_the_database_refuses(busy_village: Village, statement: str) -> None:
    with pytest.raises(IntegrityError), busy_village.transaction() as session:
        session.execute(text(statement))
    assert verify(busy_village).intact


def test_the_newest_transfer_takes_postings_only_while_it_is_made(busy_village: Village) -> None:
    """SQLite cannot refuse one more leg to the very newest transfer; the check finds it."""
    with busy_village.transaction() as session:
        leg = {"transfer_id": TRANSFERS, "account_id": 2, "minutes": 9}
        session.execute(insert(Posting.__table__), leg)
    assert verify(busy_village).first_bad == TRANSFERS


def test_a_gift_s_row_is_what_was_sealed(busy_village: Village) -> None:
    with busy_village.reading() as session:
        newest = session.get(Transfer, TRANSFERS)
        assert newest.kind is TransferKind.GIFT
        assert newest.occurred_at == MORNING
