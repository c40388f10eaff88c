"""Who works in the console, in which roles, and what keeps two people two."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank.errors import (
    BadLogin,
    LastAdministrator,
    LoginTaken,
    NotForSelf,
    NothingOpen,
    NotYours,
    SamePerson,
    TooManyLogins,
    UnknownMember,
)
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import Member, StaffAccount
from actions.timebank.staff import accounts, sessions
from actions.timebank.staff.roles import PERMISSIONS, Permission, Role, permissions_of
from tests.timebank.builders import FakeClock
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def hood(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock())


def employ(
    hood: Neighbourhood,
    person: Member,
    login: str = "chen",
    roles: Collection[Role] = (Role.COORDINATOR,),
) -> StaffAccount:
    return accounts.make(
        hood.session,
        member=MemberId(person.id),
        login=login,
        roles=roles,
        password_hash="hash",
        now=hood.now,
    )


def may(hood: Neighbourhood, person: Member, permission: Permission) -> bool:
    try:
        accounts.require(hood.session, MemberId(person.id), permission, now=hood.now)
    except NotYours:
        return False
    return True


def test_roles_open_what_their_work_needs_and_nothing_else(hood: Neighbourhood) -> None:
    employ(hood, hood.staff, roles=(Role.BOOKKEEPER, Role.VIEWER))
    assert may(hood, hood.staff, Permission.SEE_BOOKS)
    assert may(hood, hood.staff, Permission.SEE_CONVERSATIONS)
    assert not may(hood, hood.staff, Permission.HEAR_RECORDINGS)
    assert not may(hood, hood.staff, Permission.MANAGE_STAFF)


def test_a_viewer_only_looks_and_no_role_opens_everything() -> None:
    assert PERMISSIONS[Role.VIEWER] == {
        Permission.SEE_TODAY,
        Permission.SEE_REPORTS,
        Permission.SEE_PEOPLE,
        Permission.SEE_CONVERSATIONS,
    }
    assert all(permissions_of([role]) != set(Permission) for role in Role)
    assert permissions_of(Role) == set(Permission)
    assert permissions_of([]) == frozenset()


def test_nobody_without_an_account_may_do_anything(hood: Neighbourhood) -> None:
    hood.wang.is_coordinator = True
    for nobody in (MemberId(hood.wang.id), MemberId(0), MemberId(-1), MemberId(2**63 - 1)):
        with pytest.raises(NotYours):
            accounts.require(hood.session, nobody, Permission.SEE_TODAY, now=hood.now)


def test_a_closed_account_and_one_who_left_may_nothing(hood: Neighbourhood) -> None:
    employ(hood, hood.zhao, "zhao", [Role.ADMINISTRATOR])
    closed, left = employ(hood, hood.staff), employ(hood, hood.li, "li")
    accounts.close(hood.session, account_id=StaffAccountId(closed.id), now=hood.now)
    hood.li.left_at = hood.now
    assert not may(hood, hood.staff, Permission.SEE_TODAY)
    assert not may(hood, hood.li, Permission.SEE_TODAY)
    accounts.reopen(hood.session, account_id=StaffAccountId(closed.id))
    assert may(hood, hood.staff, Permission.SEE_TODAY)
    with pytest.raises(UnknownMember):
        accounts.reopen(hood.session, account_id=StaffAccountId(left.id))


@pytest.mark.parametrize("login", ["", "c", "陈", "a b", "-a", "a" * 41, "a'--", "a\n", "<b>"])
def test_a_login_that_nobody_can_type_is_refused(hood: Neighbourhood, login: str) -> None:
    with pytest.raises(BadLogin):
        employ(hood, hood.staff, login)


def test_one_login_is_one_account_however_it_is_typed(hood: Neighbourhood) -> None:
    first = employ(hood, hood.staff, " Chen ")
    assert first.login == "chen"
    with pytest.raises(LoginTaken):
        employ(hood, hood.li, "CHEN")
    with pytest.raises(LoginTaken):
        employ(hood, hood.staff, "another")
    found = accounts.by_login(hood.session, "CHEN ")
    assert found is not None and found.id == first.id
    assert may(hood, hood.staff, Permission.SEE_TODAY), "what was refused undid nothing"


def test_an_account_of_nobody_is_refused(hood: Neighbourhood) -> None:
    hood.li.left_at = hood.now
    for nobody in (MemberId(hood.li.id), MemberId(999)):
        with pytest.raises(UnknownMember):
            accounts.make(
                hood.session,
                member=nobody,
                login="li",
                roles=[Role.VIEWER],
                password_hash="hash",
                now=hood.now,
            )
    with pytest.raises(ValueError, match="role"):
        employ(hood, hood.staff, roles=[])


def test_the_last_administrator_stays_until_there_is_another(hood: Neighbourhood) -> None:
    first = employ(hood, hood.staff, roles=[Role.ADMINISTRATOR])
    number = StaffAccountId(first.id)
    second = employ(hood, hood.li, "li", [Role.ADMINISTRATOR])
    hood.li.left_at = hood.now
    hood.session.flush()
    with pytest.raises(LastAdministrator):
        accounts.close(hood.session, account_id=number, now=hood.now)
    with pytest.raises(LastAdministrator):
        accounts.set_roles(hood.session, account_id=number, roles=[Role.VIEWER])
    hood.li.left_at = None
    hood.session.flush()
    accounts.set_roles(hood.session, account_id=number, roles=[Role.VIEWER])
    assert first.roles == {Role.VIEWER}
    with pytest.raises(LastAdministrator):
        accounts.close(hood.session, account_id=StaffAccountId(second.id), now=hood.now)


@pytest.mark.parametrize("forged", [0, -1, 999, 2**31, 2**63])
def test_an_account_that_is_not_there_cannot_be_changed(hood: Neighbourhood, forged: int) -> None:
    with pytest.raises(NothingOpen):
        accounts.close(hood.session, account_id=StaffAccountId(forged), now=hood.now)
    with pytest.raises(NothingOpen):
        accounts.use_totp_step(hood.session, account_id=StaffAccountId(forged), step=1)


def test_a_code_is_used_once_and_older_ones_no_more(hood: Neighbourhood) -> None:
    number = StaffAccountId(employ(hood, hood.staff).id)
    steps = (100, 100, 99, 101)
    used = [accounts.use_totp_step(hood.session, account_id=number, step=step) for step in steps]
    assert used == [True, False, False, True]


def test_who_proposes_does_not_approve_and_nobody_decides_for_himself() -> None:
    one, other = MemberId(1), MemberId(2)
    accounts.second_person(one, other)
    with pytest.raises(SamePerson):
        accounts.second_person(one, one)
    accounts.not_for_self(one, [other, None])
    with pytest.raises(NotForSelf):
        accounts.not_for_self(one, iter([other, one]))


def test_a_new_password_ends_every_session(hood: Neighbourhood) -> None:
    number = StaffAccountId(employ(hood, hood.staff).id)
    for token in ("a", "b"):
        sessions.begin(hood.session, account_id=number, token_sha256=token, now=hood.now)
    assert sessions.current(hood.session, "a", now=hood.now) is not None
    accounts.set_password(
        hood.session, account_id=number, password_hash="new", must_change=False, now=hood.now
    )
    assert all(sessions.current(hood.session, token, now=hood.now) is None for token in "ab")


def test_a_clock_set_back_prolongs_no_session(hood: Neighbourhood, clock: FakeClock) -> None:
    number = StaffAccountId(employ(hood, hood.staff).id)
    sessions.begin(hood.session, account_id=number, token_sha256="a", now=clock())
    assert sessions.current(hood.session, "a", now=clock.pass_time(hours=-1)) is None


def test_a_try_under_way_counts_as_wrong_until_it_was_right(hood: Neighbourhood) -> None:
    def begin() -> object:
        return sessions.begin_try(hood.session, login="chen", address="10.0.0.7", now=hood.now)

    begun = [begin() for _ in range(sessions.FREE_TRIES)]
    with pytest.raises(TooManyLogins):
        begin()
    sessions.try_succeeded(hood.session, begun[-1])  # type: ignore[arg-type]
    begin()


def test_waits_grow_to_a_quarter_of_an_hour_and_no_longer(
    hood: Neighbourhood, clock: FakeClock
) -> None:
    waits = []
    for _ in range(12):
        try:
            sessions.begin_try(hood.session, login="chen", address="10.0.0.7", now=clock())
        except TooManyLogins as many:
            until = many.facts["until"]
            waits.append((until - clock()).total_seconds() / 60)  # type: ignore[operator]
            clock.now = until  # type: ignore[assignment]
            sessions.begin_try(hood.session, login="chen", address="10.0.0.7", now=clock())
    assert waits[:4] == [1, 2, 4, 8] and max(waits) == 15


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_account SET login = 'Chen'",
        "UPDATE staff_account SET login = 'c'",
        "UPDATE staff_account SET member_id = 999",
        "UPDATE staff_role SET role = 'emperor'",
        "INSERT INTO staff_role (account_id, role) VALUES (999, 'viewer')",
    ],
)
def test_the_database_itself_refuses_what_no_account_can_be(
    hood: Neighbourhood, statement: str
) -> None:
    employ(hood, hood.staff)
    with pytest.raises(IntegrityError):
        hood.session.execute(text(statement))
