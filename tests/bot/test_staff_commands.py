"""Staff accounts on the command line: the first one is made there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from actions.timebank.model import StaffAccount, StaffDeed
from actions.timebank.session import Village, open_village
from actions.timebank.staff import accounts
from actions.timebank.staff.roles import Role
from bot import staff_commands
from bot.__main__ import main
from bot.console.passwords import Passwords
from bot.prepare import migrate
from bot.settings import Settings
from tests.bot.console.conftest import QUICK

GENERATED = re.compile(r"\b[a-z0-9]{4}(?:-[a-z0-9]{4}){3}\b")


@pytest.fixture
def village(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, original: Path) -> Village:
    """王奶奶's street, found by the commands through the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XIAOBANG_HOME", str(tmp_path))
    monkeypatch.delenv("XIAOBANG_DATABASE_URL", raising=False)
    monkeypatch.setattr(staff_commands, "Passwords", lambda: QUICK)
    (tmp_path / "village.db").write_bytes(original.read_bytes())
    settings = Settings()
    migrate(settings, lambda _line: None)
    return open_village(settings.database, settings.now)


def type_passwords(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    answers = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))


def of_chen(village: Village) -> Any:
    with village.reading() as session:
        found = accounts.by_login(session, "chen")
        if found is not None:
            assert found.roles is not None
            session.expunge_all()
        return found


def test_the_first_account_is_made_with_a_password_shown_once(
    village: Village, capsys: Any
) -> None:
    assert main(["staff", "add", "陈干事", "--login", "chen", "--role", "administrator",
                 "--role", "coordinator", "--generate"]) == 0  # fmt: skip
    told = capsys.readouterr().out
    [password] = GENERATED.findall(told)
    account = of_chen(village)
    assert QUICK.matches(password, account.password_hash) and account.must_change
    assert account.roles == {Role.ADMINISTRATOR, Role.COORDINATOR}
    assert password not in account.password_hash and "/console" in told


def test_a_typed_password_is_typed_twice_and_never_printed(
    village: Village, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_passwords(monkeypatch, "a long password", "a long password")
    assert main(["staff", "add", "陈干事", "--login", "chen", "--role", "viewer"]) == 0
    assert "a long password" not in "".join(capsys.readouterr())
    assert QUICK.matches("a long password", of_chen(village).password_hash)
    assert not of_chen(village).must_change


@pytest.mark.parametrize(
    "typed",
    [("short", "short"), ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa"), ("a long password", "other")],
)
def test_a_bad_password_makes_no_account(
    village: Village, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, str]
) -> None:
    type_passwords(monkeypatch, *typed)
    assert main(["staff", "add", "陈干事", "--login", "chen", "--role", "viewer"]) == 1
    assert of_chen(village) is None


@pytest.mark.parametrize(
    "member, login", [("没有这人", "chen"), ("陈干事", "陈"), ("陈干事", ""), ("999", "chen")]
)
def test_who_is_not_there_and_what_is_no_login_are_refused(
    village: Village, capsys: Any, member: str, login: str
) -> None:
    assert main(["staff", "add", member, "--login", login, "--role", "viewer", "--generate"]) == 1
    assert capsys.readouterr().err and of_chen(village) is None


def test_an_account_without_a_role_or_with_an_unknown_one_is_refused(village: Village) -> None:
    for roles in ([], ["--role", "emperor"]):
        with pytest.raises(SystemExit):
            main(["staff", "add", "陈干事", "--login", "chen", *roles])
    assert of_chen(village) is None


def test_a_taken_login_and_a_second_account_are_refused(village: Village, capsys: Any) -> None:
    add = ["staff", "add", "--role", "viewer", "--generate"]
    assert main([*add, "陈干事", "--login", "chen"]) == 0
    assert main([*add, "李建国", "--login", "chen"]) == 1
    assert main([*add, "陈干事", "--login", "chen2"]) == 1


def test_roles_reset_close_and_list(village: Village, capsys: Any) -> None:
    for name, login in (("陈干事", "chen"), ("李建国", "li")):
        main(["staff", "add", name, "--login", login, "--role", "administrator", "--generate"])
    assert main(["staff", "roles", "chen", "--role", "viewer"]) == 0
    assert of_chen(village).roles == {Role.VIEWER}
    before = of_chen(village).password_hash
    capsys.readouterr()
    assert main(["staff", "reset", "chen", "--generate"]) == 0
    [password] = GENERATED.findall(capsys.readouterr().out)
    assert of_chen(village).password_hash != before
    assert QUICK.matches(password, of_chen(village).password_hash)
    assert main(["staff", "close", "chen"]) == 0
    assert main(["staff", "close", "li"]) == 1, "the last administrator"
    assert main(["staff", "roles", "li", "--role", "viewer"]) == 1
    capsys.readouterr()
    assert main(["staff", "list"]) == 0
    told = capsys.readouterr().out
    assert "chen\t陈干事\tviewer\tclosed" in told and "$argon2" not in told


def test_each_command_is_written_down(village: Village) -> None:
    main(["staff", "add", "陈干事", "--login", "chen", "--role", "viewer", "--generate"])
    main(["staff", "reset", "chen", "--generate"])
    with village.reading() as session:
        deeds = [row.deed for row in session.query(StaffDeed).order_by(StaffDeed.id)]
    assert deeds == ["command line: staff add", "command line: staff reset"]


def test_an_unknown_login_is_told(village: Village, capsys: Any) -> None:
    for command in (["close", "nobody"], ["reset", "nobody", "--generate"]):
        assert main(["staff", *command]) == 1
    assert "no staff account nobody" in capsys.readouterr().err


def test_passwords_are_argon2id_of_a_cost() -> None:
    hashed = Passwords().hash("a long password")
    assert hashed.startswith("$argon2id$") and "m=65536" in hashed
    assert StaffAccount.__table__.c.password_hash.type.length >= len(hashed)
