"""Whether a goal is reached: rows that must be in the village's database.

A check names a table, what its rows hold, and how many such rows there are:

    - rows: posting
      where: {account_id: {member_id: 王桂兰}, minutes: -120, transfer_id: {kind: gift}}
      times: 1

A name stands for that member, a mapping under a foreign key for the row it points to, a list for
any of its values, `below`, `above` and `like` for what they say; times are the village's own.
Tables are read from the database itself, so a goal about what is not built yet can be told apart
from a goal that was missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import DateTime, MetaData, Table, and_, func, inspect, select
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.members import find_member

Check = Mapping[str, Any]


class NotBuilt(Exception):
    """The check needs a table or a column that this database does not have."""


def missing(session: Session, checks: Sequence[Check]) -> str:
    """Which table or column the checks need in vain; empty when all are there."""
    try:
        for check in checks:
            _Rows(session).query(check)
    except NotBuilt as what:
        return str(what)
    return ""


def unmet(session: Session, checks: Sequence[Check]) -> list[str]:
    """Every check that does not hold, in words; empty when the goal is reached.

    Raises NotBuilt."""
    failed = []
    for check in checks:
        found = session.execute(_Rows(session).query(check)).scalar_one()
        wanted = check.get("times", 1)
        if found != wanted:
            failed.append(f"{found} instead of {wanted} of {check['rows']} {check['where']}")
    return failed


class _Rows:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._tables = MetaData()

    def query(self, check: Check) -> Any:
        table = self._table(check["rows"])
        return select(func.count()).select_from(table).where(self._all(table, check["where"]))

    def _table(self, name: str) -> Table:
        connection = self._session.connection()
        if not inspect(connection).has_table(name):
            raise NotBuilt(f"there is no table {name} yet")
        try:
            return Table(name, self._tables, autoload_with=connection)
        except NoSuchTableError as error:
            raise NotBuilt(f"there is no table {error} yet") from error

    def _all(self, table: Table, where: Mapping[str, Any]) -> ColumnElement[bool]:
        return and_(True, *(self._one(table, name, value) for name, value in where.items()))

    def _one(self, table: Table, name: str, value: Any) -> ColumnElement[bool]:
        if name not in table.c:
            raise NotBuilt(f"{table.name} has no column {name} yet")
        column = table.c[name]
        if isinstance(value, list):
            return column.in_([self._value(column, one) for one in value])
        if not isinstance(value, Mapping):
            value = self._value(column, value)
            return column.is_(None) if value is None else column == value
        if column.foreign_keys:
            target = next(iter(column.foreign_keys)).target_fullname.split(".")[0]
            other = self._table(target)
            return column.in_(select(other.c.id).where(self._all(other, value)))
        bounds = {sort: self._value(column, bound) for sort, bound in value.items()}
        told = {"below": column.__lt__, "above": column.__gt__, "like": column.contains}
        return and_(*(told[sort](bound) for sort, bound in bounds.items()))

    def _value(self, column: Any, value: Any) -> Any:
        """As the database keeps it: members as ids, moments in UTC without a zone."""
        points_to = {key.target_fullname for key in column.foreign_keys}
        if "member.id" in points_to and isinstance(value, str):
            return find_member(self._session, value).id
        if isinstance(column.type, DateTime) and isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=VILLAGE_ZONE)
            return moment.astimezone(timezone.utc).replace(tzinfo=None)
        return value
