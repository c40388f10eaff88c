"""A furnished village that is built once and copied for each test that needs a database file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from actions.timebank import ledger, members, schema
from actions.timebank.ids import MemberId
from actions.timebank.session import Village, open_engine
from tests.timebank.builders import MORNING, FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


def build_village(file: Path) -> None:
    """The people of `tests.timebank.neighbourhood`, migrated, in a SQLite file."""
    engine = open_engine(f"sqlite:///{file}")
    schema.upgrade(engine)
    with Village(engine, lambda: MORNING).transaction() as session:
        settle_in(session, MORNING)
    engine.dispose()


@dataclass
class Street:
    """王奶奶's street as a test sees it: furnish it in transactions, look at it afterwards."""

    village: Village
    clock: FakeClock

    @classmethod
    def copied(cls, original: Path, file: Path) -> Street:
        shutil.copy(original, file)
        clock = FakeClock()
        return cls(Village(open_engine(f"sqlite:///{file}"), clock), clock)

    @contextmanager
    def neighbourhood(self) -> Iterator[Neighbourhood]:
        """The neighbourhood in a transaction of its own, to let things happen in it."""
        with self.village.transaction() as session:
            names = {"wang": "王奶奶", "zhang": "张秀英", "li": "李建国", "zhao": "赵铁柱"}
            people = {
                role: members.find_member(session, name)
                for role, name in {**names, "staff": "陈干事"}.items()
            }
            yield Neighbourhood(session=session, now=self.clock(), **people)

    def member(self, name: str) -> MemberId:
        with self.village.reading() as session:
            return MemberId(members.find_member(session, name).id)

    def rows(self, model: Any, **columns: Any) -> list[Any]:
        """Rows with these values, oldest first; detached, so only their columns can be read."""
        with self.village.reading() as session:
            found = session.execute(select(model).filter_by(**columns)).scalars().all()
            session.expunge_all()
        return list(found)

    def row(self, model: Any, **columns: Any) -> Any:
        [found] = self.rows(model, **columns)
        return found

    def told(self, name: str, kind: str) -> list[dict[str, Any]]:
        """The facts of what this person was told of this kind."""
        with self.neighbourhood() as hood:
            return hood.notices(members.find_member(hood.session, name), kind)

    def balance(self, name: str) -> ledger.BalanceOf:
        with self.neighbourhood() as hood:
            return hood.balance(members.find_member(hood.session, name))

    def count(self, model: Any) -> int:
        with self.village.reading() as session:
            return int(session.execute(select(func.count()).select_from(model)).scalar_one())
