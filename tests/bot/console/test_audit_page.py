"""The record of what staff did and saw, as the administrator reads it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import StaffDeed
from actions.timebank.staff import accounts, audit
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)
from tests.bot.console.conftest import Client, ConsoleHouse


def look_at(console: ConsoleHouse, client: Client, name: str) -> None:
    with console.village.transaction() as session:
        audit.saw(
            session,
            by=client.member,
            what=Viewed.CONVERSATION,
            about=MemberId(members.find_member(session, name).id),
            subject="talk:1:abc",
            now=console.street.clock(),
        )


def rows(client: Client, **query: str) -> str:
    return client.get("/audit", params=query).text.partition("<tbody>")[2]


def test_deeds_are_told_in_words_and_by_name(console: ConsoleHouse) -> None:
    administrator = console.as_role(Role.ADMINISTRATOR)
    chen = console.street.member("陈干事")
    fields = {"member": str(chen), "login": "chen", "role": "coordinator"}
    assert administrator.post("/staff", fields).status_code == 200
    told = rows(administrator)
    assert "建了账号" in told and "陈干事" in told and administrator.name in told
    assert "POST" not in told and "/staff" not in told


def test_who_looked_is_found_by_name_number_staff_and_day(console: ConsoleHouse) -> None:
    administrator = console.as_role(Role.ADMINISTRATOR)
    first, second = console.as_role(Role.MEDIATOR), console.as_role(Role.COORDINATOR)
    look_at(console, first, "王奶奶")
    console.street.clock.pass_time(days=2)
    administrator = console.as_role(Role.ADMINISTRATOR)
    look_at(console, second, "李建国")
    wang = console.street.member("王奶奶")
    for query in ({"about": "王奶奶"}, {"about": str(wang)}, {"by": str(first.member)}):
        assert "王奶奶" in rows(administrator, **query), query
        assert "李建国" not in rows(administrator, **query), query
    day = f"{console.street.clock():%Y-%m-%d}"
    assert "李建国" in rows(administrator, since=day)
    assert "王奶奶" not in rows(administrator, since=day)
    assert "李建国" not in rows(administrator, until="2026-03-03")


@pytest.mark.parametrize("name", ["没有这人", "9" * 40, "0", "<b>", "' OR 1=1", "²"])
def test_a_name_that_nobody_has_finds_nothing_and_says_so(console: ConsoleHouse, name: str) -> None:
    administrator = console.as_role(Role.ADMINISTRATOR)
    answer = administrator.get("/audit", params={"about": name})
    assert answer.status_code == 200 and "没有" in answer.text and "<b>" not in answer.text


def test_what_was_written_down_stays(console: ConsoleHouse) -> None:
    client = console.as_role(Role.MEDIATOR)
    look_at(console, client, "王奶奶")

    def spoil(statement: str) -> Callable[[], None]:
        def act() -> None:
            with console.village.transaction() as session:
                session.execute(text(statement))

        return act

    for statement in ("DELETE FROM staff_deed", "UPDATE staff_deed SET by_id = 1"):
        with pytest.raises(IntegrityError, match="stays written down"):
            spoil(statement)()
    assert console.street.count(StaffDeed) == 1


def test_a_deed_that_fails_is_not_written_down_as_done(console: ConsoleHouse) -> None:
    administrator = console.as_role(Role.ADMINISTRATOR)
    with console.village.reading() as session:
        own = accounts.staff_of(session, administrator.member)
        assert own is not None
        number = own.id
    assert administrator.post(f"/staff/{number}/close").status_code == 409
    assert console.street.count(StaffDeed) == 0
