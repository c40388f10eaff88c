"""The commands that look at the village and its books."""

from __future__ import annotations

import argparse
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.session import open_village
from bot import commands
from bot.__main__ import main
from bot.links import TalkLinks
from bot.prepare import migrate
from bot.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, original: Path) -> Settings:
    """A home with the demo village, found by the commands through the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XIAOBANG_HOME", str(tmp_path))
    monkeypatch.setenv("XIAOBANG_CLOCK", "2026-11-22T12:00")
    for name in ("DATABASE_URL", "PUBLIC_URL", "PORT", "DEMO"):
        monkeypatch.delenv(f"XIAOBANG_{name}", raising=False)
    settings = Settings()
    migrate(settings, lambda _line: None)
    return settings


def tamper(settings: Settings, statement: str) -> None:
    """What somebody does who opens the file behind the village's back."""
    with sqlite3.connect(settings.home / "village.db") as books:
        guards = books.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in guards:
            books.execute(f'DROP TRIGGER "{name}"')
        assert books.execute(statement).rowcount > 0


# The books


def test_untouched_books_are_intact(settings: Settings, capsys: Any) -> None:
    assert main(["ledger", "verify"]) == 0
    told = capsys.readouterr().out
    assert main(["ledger", "head"]) == 0
    sequence, head = capsys.readouterr().out.split()
    assert f"{sequence} transfers" in told and head in told and len(head) == 64


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET minutes = minutes + 1 WHERE transfer_id = 3",
        "UPDATE transfer SET reason = 'thanks' WHERE id = 3",
        "DELETE FROM posting WHERE transfer_id = 3",
    ],
)
def test_tampered_books_are_found_out(settings: Settings, capsys: Any, statement: str) -> None:
    tamper(settings, statement)
    assert main(["ledger", "verify"]) == 1
    assert "Transfer 3 is bad" in capsys.readouterr().out


def test_a_transfer_taken_out_is_found_out(settings: Settings, capsys: Any) -> None:
    tamper(settings, "DELETE FROM posting WHERE transfer_id = 3")
    tamper(settings, "DELETE FROM transfer WHERE id = 3")
    assert main(["ledger", "verify"]) == 1
    assert "is bad" in capsys.readouterr().out


# Links


def token_of(printed: str, settings: Settings) -> tuple[MemberId, int]:
    address, _, token = printed.strip().splitlines()[-1].rpartition("/t/")
    assert address == "http://127.0.0.1:8080"
    return TalkLinks(settings.key()).read(token)


def one_member(settings: Settings, name: str) -> Member:
    village = open_village(settings.database, settings.now)
    with village.reading() as session:
        found = members.find_member(session, name)
        session.expunge(found)
        return found


@pytest.mark.parametrize("how", ["name", "number", "nickname"])
def test_a_members_link_opens_her_page(settings: Settings, capsys: Any, how: str) -> None:
    wang = one_member(settings, "王桂兰")
    called = {"name": wang.name, "number": str(wang.id), "nickname": wang.nickname}[how]
    assert main(["member", "link", called]) == 0
    assert token_of(capsys.readouterr().out, settings) == (wang.id, wang.link_serial)


def test_a_renewed_link_ends_the_old_one(settings: Settings, capsys: Any) -> None:
    main(["member", "link", "王桂兰"])
    old = token_of(capsys.readouterr().out, settings)
    assert main(["member", "link", "王桂兰", "--renew"]) == 0
    assert token_of(capsys.readouterr().out, settings) == (old[0], old[1] + 1)
    assert one_member(settings, "王桂兰").link_serial == old[1] + 1


def test_a_member_is_asked_as_often_as_she_wishes(settings: Settings, capsys: Any) -> None:
    for rhythm, said in (
        ("daily", "王桂兰 is asked daily, next 2026-11-23 09:00+08:00\n"),
        ("never", "王桂兰 is asked never\n"),
    ):
        assert main(["member", "check-in", "王桂兰", rhythm]) == 0
        assert capsys.readouterr().out == said
    assert main(["member", "check-in", "没这个人", "daily"]) == 1
    with pytest.raises(SystemExit):
        main(["member", "check-in", "王桂兰", "hourly"])


@pytest.mark.parametrize("command", ["link", "talk"])
@pytest.mark.parametrize("nobody", ["周不识", "999", "0", "", "'; DROP TABLE member; --"])
def test_an_unknown_member_is_named(
    settings: Settings, capsys: Any, command: str, nobody: str
) -> None:
    asked = {"link": ["member", "link", nobody], "talk": ["talk", "--as", nobody]}[command]
    assert main(asked) == 1
    assert f"There is no member {nobody}." in capsys.readouterr().err


def test_of_two_people_with_one_name_the_numbers_are_told(settings: Settings, capsys: Any) -> None:
    village = open_village(settings.database, settings.now)
    with village.transaction() as session:
        first = members.find_member(session, "王桂兰")
        second = members.join(session, name="王桂兰", lane=first.lane, now=village.clock())
        numbers = [first.id, second.id]
    assert main(["member", "link", "王桂兰"]) == 1
    assert str(numbers) in capsys.readouterr().err


# The command line itself


@pytest.mark.parametrize("words", [[], ["member"], ["ledger"], ["dance"], ["say", "好"], ["hear"]])
def test_half_a_command_shows_how_it_goes(words: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and "usage: xiaobang" in capsys.readouterr().err


def test_talking_to_a_house_that_is_not_running_says_so(
    settings: Settings, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XIAOBANG_PORT", "9")
    assert main(["talk", "--as", "王桂兰"]) == 1
    assert "make run" in capsys.readouterr().err


def test_what_cannot_be_prepared_ends_with_its_reason(
    settings: Settings, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: Any) -> Path:
        raise commands.CannotPrepare("rasa train failed: no examples")

    monkeypatch.setattr(commands, "prepare", refuse)
    for command in (commands.run, commands.prepare_only):
        assert command(settings, argparse.Namespace()) == 1
        assert "no examples" in capsys.readouterr().err
