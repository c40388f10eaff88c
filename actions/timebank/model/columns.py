"""What every table is made of: aware times, choices that the database checks."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from sqlalchemy import CheckConstraint, DateTime, MetaData, String, TypeDecorator
from sqlalchemy.orm import declarative_base

Base: Any = declarative_base(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)


class AwareDateTime(TypeDecorator):
    """Takes only aware datetimes, stores UTC, gives back aware UTC (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was given where an aware one is needed")
        return value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        return None if value is None else value.replace(tzinfo=timezone.utc)


class Choice(TypeDecorator):
    """A `str` enum stored as its value; `one_of` below makes the database refuse any other."""

    impl = String(32)
    cache_ok = True

    def __init__(self, options: type[Enum]) -> None:
        super().__init__()
        self.options = options

    def process_bind_param(self, value: Any, dialect: Any) -> Optional[str]:
        return None if value is None else str(self.options(value).value)

    def process_result_value(self, value: Optional[str], dialect: Any) -> Optional[Enum]:
        return None if value is None else self.options(value)


def one_of(column: str, options: type[Enum]) -> CheckConstraint:
    values = ", ".join(f"'{option.value}'" for option in options)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")
