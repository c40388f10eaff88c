"""A migrated village on a SQLite file, with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from actions.timebank import schema
from actions.timebank.session import Village, open_engine
from tests.timebank.builders import FakeClock


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
