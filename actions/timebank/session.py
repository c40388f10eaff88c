"""Opening the shared database: SQLite in WAL by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import CursorResult, Engine, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool, StaticPool

Clock = Callable[[], datetime]
"""Tells the present moment as an aware datetime."""


_SQLITE_PRAGMAS = (
    "busy_timeout=10000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    # Without it INSERT OR REPLACE takes rows out past the triggers that guard the ledger.
    "recursive_triggers=ON",
)


def open_engine(url: str) -> Engine:
    """An engine whose SQLite connections keep foreign keys, wait for each other and never
    lose a committed hour to a power cut (WAL with full synchronisation). What a statement that
    fails was to write, such as words or a password's hash, is not told to any log."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, future=True, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, future=True, hide_parameters=True, **_sqlite_pool(url))
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite_pool(url: str) -> dict[str, Any]:
    if make_url(url).database in (None, "", ":memory:"):
        # A database in memory lives and dies with its one connection.
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    # Opening a file anew for each transaction, as SQLAlchemy 1.4 would, costs more than the
    # transaction, and closing it makes SQLite fold its log in each time.
    return {"poolclass": QueuePool, "connect_args": {"check_same_thread": False}}


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # pysqlite's own transaction handling starts none before a SELECT; ours is in _begin_sqlite.
    connection.isolation_level = None
    # A row whose text somebody spoilt must still be read to be found out.
    connection.text_factory = _text_as_it_is
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _text_as_it_is(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _begin_sqlite(connection: Any) -> None:
    # Two writers that both read first would deadlock; a writer takes its turn at once instead.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def run_as_written(session: Session, statement: str, parameters: Any) -> CursorResult:
    """Plain SQL with `?` for values, given to the driver as it stands, in the session's
    transaction; the session does not flush first. For the few statements that bound how many
    transfers a second the ledger takes: composed by SQLAlchemy they cost twice as much."""
    connection = session.connection()
    sql = statement if connection.dialect.positional else statement.replace("?", "%s")
    return connection.exec_driver_sql(sql, parameters)


@dataclass(frozen=True)
class Village:
    """The database and the clock, passed to whatever acts for the village."""

    engine: Engine
    clock: Clock

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A unit of work: committed whole when the block ends, undone whole when it raises."""
        with Session(self.engine, future=True) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking only; what it changes is thrown away."""
        bind = self.engine.execution_options(reading=True)
        with Session(bind, future=True) as session:
            yield session


def open_village(url: str, clock: Clock) -> Village:
    return Village(open_engine(url), clock)
