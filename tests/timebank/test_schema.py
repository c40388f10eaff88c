"""The migrations make the database that the model describes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from actions.timebank import ledger, schema
from actions.timebank.model import Base
from actions.timebank.session import Village
from tests.timebank.builders import MORNING, FakeClock, make_member


def downgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def where(index: dict[str, Any]) -> list[str]:
    return [str(condition) for condition in index.get("dialect_options", {}).values()]


def described(engine: Engine) -> dict[str, Any]:
    """What `compare_metadata` does not look at: checks, partial indexes and defaults."""
    look = inspect(engine)
    return {
        table: {
            "checks": sorted((c["name"], c["sqltext"]) for c in look.get_check_constraints(table)),
            "unique": sorted(str(u) for u in look.get_unique_constraints(table)),
            "indexes": sorted(
                (i["name"], i["column_names"], i["unique"], where(i))
                for i in look.get_indexes(table)
            ),
            "foreign": sorted(str(f) for f in look.get_foreign_keys(table)),
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in look.get_columns(table)
            ],
        }
        for table in look.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrated_schema_is_the_model(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_defaults_and_partial_indexes_are_the_model_s_too(
    engine: Engine,
) -> None:
    Base.metadata.create_all(engine)
    of_the_model = described(engine)
    Base.metadata.drop_all(engine)
    schema.upgrade(engine)
    assert described(engine) == of_the_model
    assert "pending" in str(of_the_model["hold"]["indexes"])


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    village = Village(engine, FakeClock())
    with village.transaction() as session:
        make_member(session, "王桂兰", now=MORNING, opening_minutes=60)
    schema.upgrade(engine)
    with village.reading() as session:
        assert ledger.verify(session).transfers == 1


def test_migrations_go_back_to_an_empty_database(engine: Engine) -> None:
    schema.upgrade(engine)
    downgrade(engine)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    schema.upgrade(engine)


def test_upgrade_takes_a_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'village.db'}"
    schema.upgrade(url)
    assert inspect(create_engine(url)).has_table("transfer")


def test_upgrade_leaves_logging_and_the_standard_streams_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    schema.upgrade(f"sqlite:///{tmp_path / 'village.db'}")
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before
    assert capfd.readouterr() == ("", "")


def test_a_migration_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE posting (id INTEGER)"))
    with pytest.raises(DBAPIError):
        schema.upgrade(engine)
    assert inspect(engine).get_table_names() == ["posting"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET reason = 'x'",
        "DELETE FROM transfer",
        "UPDATE posting SET minutes = minutes + 1",
        "DELETE FROM posting",
        "INSERT INTO posting (transfer_id, account_id, minutes) VALUES (1, 3, 5)",
        "INSERT INTO transfer (id, sequence, kind, idempotency_key, occurred_at, previous_hash,"
        " hash) VALUES (4, 4, 'gift', 'x', '2026-03-02 01:00:00', 'x', 'x')",
    ],
)
def test_the_migrated_database_guards_the_ledger(engine: Engine, statement: str) -> None:
    schema.upgrade(engine)
    village = Village(engine, FakeClock())
    with village.transaction() as session:
        for name in "甲乙":
            make_member(session, name, now=MORNING, opening_minutes=60)
    with pytest.raises(IntegrityError), village.transaction() as session:
        session.execute(text(statement))
    with village.reading() as session:
        assert ledger.verify(session).transfers == 2


def test_postgresql_refuses_legs_that_do_not_sum_to_zero(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no trigger that waits for the commit")
    schema.upgrade(engine)
    village = Village(engine, FakeClock())
    with village.transaction() as session:
        make_member(session, "甲", now=MORNING, opening_minutes=60)
    with pytest.raises(IntegrityError, match="sum to zero"), village.transaction() as session:
        session.execute(
            text(
                "INSERT INTO transfer (id, sequence, kind, idempotency_key, occurred_at,"
                " previous_hash, hash) VALUES (2, 2, 'gift', 'x', '2026-03-02', 'x', 'x')"
            )
        )
        session.execute(
            text("INSERT INTO posting (transfer_id, account_id, minutes) VALUES (2, 3, 5)")
        )
    with pytest.raises(IntegrityError, match="emptied"), village.transaction() as session:
        session.execute(text("TRUNCATE posting"))
