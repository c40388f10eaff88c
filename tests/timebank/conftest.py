"""A migrated village on a SQLite file, with a clock that only the test moves; and, for what
differs between databases, an empty one of each kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from actions.timebank import schema
from actions.timebank.session import Village, open_engine
from tests.timebank.builders import FakeClock

POSTGRESQL = os.environ.get("XIAOBANG_TEST_POSTGRESQL_URL", "")
"""An empty PostgreSQL database that the tests may fill and empty again."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def village(tmp_path: Path, clock: FakeClock) -> Iterator[Village]:
    """Migrated and empty; `village.clock` is the `clock` fixture."""
    engine = open_engine(f"sqlite:///{tmp_path / 'village.db'}")
    schema.upgrade(engine)
    yield Village(engine, clock)
    engine.dispose()


@pytest.fixture
def session(village: Village) -> Iterator[Session]:
    """One transaction for the whole test. It holds SQLite's write lock: a test that opens
    further transactions takes `village` instead."""
    with village.transaction() as session:
        yield session


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("XIAOBANG_TEST_POSTGRESQL_URL names no PostgreSQL database to try")
    sqlite = f"sqlite:///{tmp_path / 'a % village.db'}"
    engine = open_engine(POSTGRESQL if request.param == "postgresql" else sqlite)
    empty(engine)
    yield engine
    empty(engine)
    engine.dispose()


def empty(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))


@pytest.fixture
def any_village(engine: Engine, clock: FakeClock) -> Village:
    """Migrated and empty, on SQLite and on PostgreSQL, where writers run at the same time."""
    schema.upgrade(engine)
    return Village(engine, clock)
