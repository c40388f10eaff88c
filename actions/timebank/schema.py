"""Bringing a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Engine

from actions.timebank.session import open_engine

MIGRATIONS = Path(__file__).parent / "migrations"

_UPGRADE_LOCK = 7_305_115
"""PostgreSQL's advisory lock: two programs started together upgrade one after the other."""


def upgrade(database: str | Engine) -> None:
    """Runs the migrations that are missing, all or none, in one transaction. A second run changes
    nothing. Takes a URL or an engine; touches neither logging nor any file of settings."""
    if isinstance(database, Engine):
        _upgrade(database)
        return
    engine = open_engine(database)
    try:
        _upgrade(engine)
    finally:
        engine.dispose()


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
