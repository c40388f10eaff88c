"""Settings from the environment: refused at the start when they are wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from actions.timebank.alarm_chain import CHECK_IN_CHAIN, read_chain
from actions.timebank.states import AlertKind
from bot import __main__ as command_line
from bot.settings import Settings


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("XIAOBANG_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_everything_stays_on_this_machine() -> None:
    settings = Settings()
    assert (settings.host, settings.address) == ("127.0.0.1", "http://127.0.0.1:8080")
    assert settings.database == f"sqlite:///{settings.home}/village.db"
    assert settings.demo and settings.clock is None


@pytest.mark.parametrize(
    "name, value",
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "eighty"),
        ("RASA_PORT", "-1"),
        ("ACTIONS_PORT", ""),
        ("CLOCK", "tomorrow"),
        ("CLOCK", "2026-13-01"),
        ("RECOGNIZER_CONFIDENCE", "1.5"),
        ("RECOGNIZER_CONFIDENCE", "-0.1"),
        ("DEMO", "perhaps"),
        ("ALARM_CHAIN", ""),
        ("ALARM_CHAIN", "3 group; every 5 coordinators"),
        ("CHECK_IN_CHAIN", "0 coordinators neighbours family; 60 police; every 60 group"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str, value: str
) -> None:
    monkeypatch.setenv(f"XIAOBANG_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
    assert command_line.main(["ledger", "head"]) == 2
    assert name.lower() in capsys.readouterr().err


def test_a_chain_of_one_s_own_is_told_where_alarms_climb(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = "0 coordinators neighbours family; 2 everyone; every 1 everyone"
    monkeypatch.setenv("XIAOBANG_ALARM_CHAIN", chain)
    chains = Settings().chains
    assert chains[AlertKind.EMERGENCY] == read_chain(chain)
    assert chains[AlertKind.MISSED_CHECK_IN] == read_chain(CHECK_IN_CHAIN)


def test_settings_come_from_a_file_and_the_environment_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("XIAOBANG_PORT=9001\nXIAOBANG_HOST=0.0.0.0\n")
    monkeypatch.setenv("XIAOBANG_PORT", "9002")
    settings = Settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 9002)


def test_the_home_is_absolute_also_when_the_folder_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XIAOBANG_HOME", "state")
    settings = Settings()
    monkeypatch.chdir("/")
    assert settings.home == tmp_path / "state"
    assert settings.recordings.parent == settings.models.parent == settings.home


@pytest.mark.parametrize(
    "given, moment",
    [
        ("2026-11-22T12:00:00+08:00", "2026-11-22T12:00:00+08:00"),
        ("2026-11-22T12:00", "2026-11-22T12:00:00+08:00"),
        ("2026-11-22T04:00:00Z", "2026-11-22T04:00:00+00:00"),
    ],
)
def test_a_clock_can_stand_still(given: str, moment: str) -> None:
    clock = Settings(clock=given).now
    assert clock().isoformat() == clock().isoformat() == moment


def test_an_empty_clock_is_the_real_one() -> None:
    settings = Settings(clock="")
    assert settings.clock is None and settings.now().tzinfo is not None


def test_a_public_address_begins_links_without_a_double_slash() -> None:
    assert Settings(public_url="https://village.example/").address == "https://village.example"


def test_another_database_can_be_named() -> None:
    assert Settings(database_url="postgresql://county/village").database.startswith("postgresql")


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    key = Settings(home=home).key()
    assert len(key) == 32 and Settings(home=home).key() == key
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o077 == 0


def test_two_villages_have_two_keys(tmp_path: Path) -> None:
    assert Settings(home=tmp_path / "a").key() != Settings(home=tmp_path / "b").key()


def test_a_key_that_was_cut_short_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch(mode=0o600)
    try:
        key = Settings(home=tmp_path).key()
    except ValueError as refused:
        assert "secret.key" in str(refused)
    else:
        assert len(key) == 32
