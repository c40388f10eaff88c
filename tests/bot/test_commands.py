"""The commands that look at the village and its books."""

from __future__ import annotations

import argparse
import re
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import segno

from actions.timebank import members
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.session import open_village
from bot import commands
from bot.__main__ import main
from bot.join_card import until
from bot.links import TalkLinks
from bot.prepare import migrate
from bot.settings import Settings
from tests.timebank.builders import FakeClock
from tests.timebank.phones import Phone


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, original: Path) -> Settings:
    """A home with the demo village, found by the commands through the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XIAOBANG_HOME", str(tmp_path))
    monkeypatch.setenv("XIAOBANG_CLOCK", "2026-11-22T12:00")
    monkeypatch.setenv("XIAOBANG_TELEGRAM_BOT", "XiaobangVillageBot")
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


@pytest.mark.parametrize("command", ["link", "talk", "card", "unbind"])
@pytest.mark.parametrize("nobody", ["周不识", "999", "0", "", "'; DROP TABLE member; --"])
def test_an_unknown_member_is_named(
    settings: Settings, capsys: Any, command: str, nobody: str
) -> None:
    asked = ["talk", "--as", nobody] if command == "talk" else ["member", command, nobody]
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


# Join cards and lost phones


def link_on(card: Path) -> str:
    [link] = re.findall(
        r"https://t\.me/[A-Za-z0-9_]+\?start=[A-Za-z0-9_-]+", card.read_text("utf-8")
    )
    return str(link)


def scan(settings: Settings, card: Path, address: str = "1001") -> str:
    """Whom somebody is asked for who scans this card with this phone."""
    village = open_village(settings.database, settings.now)
    with village.transaction() as session:
        return Phone(session, FakeClock(settings.now()), address).scan(link_on(card)[-22:]).name


def join(settings: Settings, card: Path, address: str = "1001") -> None:
    scan(settings, card, address)
    with open_village(settings.database, settings.now).transaction() as session:
        Phone(session, FakeClock(settings.now()), address).yes()


def speaks_for(settings: Settings, address: str) -> MemberId | None:
    with open_village(settings.database, settings.now).reading() as session:
        return Phone(session, FakeClock(settings.now()), address).speaks_for()


def test_a_printed_card_leads_to_its_member(settings: Settings, tmp_path: Path) -> None:
    card = tmp_path / "card.html"
    assert main(["member", "card", "王桂兰", "-o", str(card)]) == 0
    assert link_on(card).startswith("https://t.me/XiaobangVillageBot?start=")
    assert scan(settings, card) == "王桂兰"
    join(settings, card)
    assert speaks_for(settings, "1001") == one_member(settings, "王桂兰").id


def test_a_card_tells_all_that_is_needed(settings: Settings, tmp_path: Path, capsys: Any) -> None:
    card = tmp_path / "card.html"
    main(["member", "card", "王桂兰", "-o", str(card)])
    page = card.read_text("utf-8")
    for needed in ("王桂兰", "相机", "11月29日（星期日）中午12点", "只能用一次", "赵明", "是我"):
        assert needed in page
    assert segno.make_qr(link_on(card), error="q").svg_inline(omitsize=True, border=4) in page
    assert "2026-11-29 12:00" in capsys.readouterr().out


def test_a_card_needs_nothing_from_outside(settings: Settings, tmp_path: Path) -> None:
    card = tmp_path / "card.html"
    main(["member", "card", "王桂兰", "-o", str(card)])
    page = card.read_text("utf-8")
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", page)


def test_a_card_is_for_the_eyes_of_who_prints_it(settings: Settings, tmp_path: Path) -> None:
    card = tmp_path / "card.html"
    card.write_text("an older one")
    card.chmod(0o644)
    main(["member", "card", "王桂兰", "-o", str(card)])
    assert card.stat().st_mode & 0o777 == 0o600


def test_a_card_without_a_given_place_is_named_after_its_number(
    settings: Settings, tmp_path: Path, capsys: Any
) -> None:
    assert main(["member", "card", "王桂兰"]) == 0
    number = one_member(settings, "王桂兰").id
    assert (tmp_path / f"join-card-{number}.html").exists()
    assert f"join-card-{number}.html" in capsys.readouterr().out


def test_a_name_is_printed_as_it_is_written(settings: Settings, tmp_path: Path) -> None:
    village = open_village(settings.database, settings.now)
    with village.transaction() as session:
        lane = members.find_member(session, "王桂兰").lane
        members.join(session, name="<b>王</b>&{{7*7}}", lane=lane, now=village.clock())
    card = tmp_path / "card.html"
    assert main(["member", "card", "<b>王</b>&{{7*7}}", "-o", str(card)]) == 0
    assert "&lt;b&gt;王&lt;/b&gt;&amp;{{7*7}}" in card.read_text("utf-8")
    assert "<b>王" not in card.read_text("utf-8")


def test_a_card_that_cannot_be_written_leaves_the_older_one_valid(
    settings: Settings, tmp_path: Path, capsys: Any
) -> None:
    card = tmp_path / "card.html"
    main(["member", "card", "王桂兰", "-o", str(card)])
    assert main(["member", "card", "王桂兰", "-o", str(tmp_path / "nowhere" / "card.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert scan(settings, card) == "王桂兰"


def test_without_a_bot_there_is_no_card(
    settings: Settings, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XIAOBANG_TELEGRAM_BOT")
    card = tmp_path / "card.html"
    assert main(["member", "card", "王桂兰", "-o", str(card)]) == 1
    assert "XIAOBANG_TELEGRAM_BOT" in capsys.readouterr().err
    assert not card.exists()


def test_a_lost_phone_is_unbound_by_one_command(
    settings: Settings, tmp_path: Path, capsys: Any
) -> None:
    card = tmp_path / "card.html"
    main(["member", "card", "王桂兰", "-o", str(card)])
    join(settings, card)

    assert main(["member", "unbind", "王桂兰"]) == 0
    assert "unbound" in capsys.readouterr().out
    assert speaks_for(settings, "1001") is None

    assert main(["member", "unbind", "王桂兰"]) == 1
    assert "no phone" in capsys.readouterr().err


@pytest.mark.parametrize(
    "moment, words",
    [
        ("2026-11-29T12:00+08:00", "11月29日（星期日）中午12点"),
        ("2026-11-29T12:59+08:00", "11月29日（星期日）中午12点"),
        ("2026-12-01T22:03+08:00", "12月1日（星期二）晚上10点"),
        ("2026-12-01T16:30+00:00", "12月2日（星期三）凌晨0点"),
        ("2026-03-02T09:15+08:00", "3月2日（星期一）上午9点"),
        ("2026-03-02T13:00+08:00", "3月2日（星期一）下午1点"),
    ],
)
def test_a_card_never_promises_longer_than_it_holds(moment: str, words: str) -> None:
    assert until(datetime.fromisoformat(moment)) == words


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
