"""What must be there before anything starts: models, a trained Rasa, a migrated database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from actions.timebank.model import Member
from actions.timebank.session import open_village
from bot import prepare
from bot.prepare import CannotPrepare
from bot.settings import Settings
from voice import models
from voice.types import EngineMissing


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small house with all that a model is trained from."""
    house = tmp_path / "house"
    for file in ("config.yml", "nlu_data/nlu/a.yml", "bot/domain/base.yml", "bot/nlu/names.py"):
        (house / file).parent.mkdir(parents=True, exist_ok=True)
        (house / file).write_text(file)
    monkeypatch.setattr(prepare, "HOUSE", house)
    return house


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=None, clock="2026-11-22T12:00")


# Training


@pytest.mark.parametrize(
    "change",
    [
        lambda house: (house / "config.yml").write_text("other"),
        lambda house: (house / "nlu_data/nlu/a.yml").write_text("other"),
        lambda house: (house / "bot/domain/base.yml").unlink(),
        lambda house: (house / "bot/nlu/names.py").write_text("other"),
        lambda house: (house / "nlu_data/nlu/b.yml").write_text(""),
        lambda house: (house / "nlu_data/nlu/a.yml").rename(house / "nlu_data/nlu/c.yml"),
    ],
    ids=["config", "examples", "domain gone", "component", "new file", "renamed"],
)
def test_whatever_the_model_is_made_of_changes_its_name(
    house: Path, change: Callable[[Path], None]
) -> None:
    before = prepare.fingerprint()
    change(house)
    assert prepare.fingerprint() != before


@pytest.mark.parametrize("file", ["README.md", "bot/turn.py", "bot/nlu/__pycache__/names.pyc"])
def test_what_the_model_is_not_made_of_does_not(house: Path, file: str) -> None:
    before = prepare.fingerprint()
    (house / file).parent.mkdir(exist_ok=True)
    (house / file).write_text("new")
    os.utime(house / "config.yml", (1, 1))
    assert prepare.fingerprint() == before


class FakeRasa:
    """Stands for `rasa train`: writes a model, or ends as it is told."""

    def __init__(self, code: int = 0, writes: bool = True) -> None:
        self.code, self.writes, self.commands = code, writes, []

    def __call__(self, command: list[str], **_how: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if self.writes:
            folder = Path(command[command.index("--out") + 1])
            folder.mkdir(parents=True, exist_ok=True)
            name = command[command.index("--fixed-model-name") + 1]
            (folder / f"{name}.tar.gz").write_text("a model")
        lines = "\n".join(f"line {number}" for number in range(100))
        return subprocess.CompletedProcess(command, self.code, lines, "the reason")


@pytest.fixture
def rasa(house: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRasa:
    fake = FakeRasa()
    monkeypatch.setattr(prepare.subprocess, "run", fake)
    return fake


def test_training_happens_once_for_the_same_inputs(
    house: Path, settings: Settings, rasa: FakeRasa
) -> None:
    said: list[str] = []
    first = prepare.train(settings, said.append)
    assert prepare.train(settings, said.append) == first and first.exists()
    assert len(rasa.commands) == len(said) == 1
    (house / "config.yml").write_text("other")
    assert prepare.train(settings, said.append) != first
    assert len(rasa.commands) == 2


def test_what_staff_corrected_is_trained_on_too(
    house: Path, settings: Settings, rasa: FakeRasa
) -> None:
    without = prepare.train(settings, lambda _line: None)
    assert str(settings.training) not in str(rasa.commands[-1])
    settings.training.mkdir()
    (settings.training / "corrections.new").write_text("half written")
    assert prepare.train(settings, lambda _line: None) == without

    (settings.training / "corrections.yml").write_text("nlu")
    corrected = prepare.train(settings, lambda _line: None)
    command = rasa.commands[-1]
    assert corrected != without
    data = command[command.index("--data") + 1 : command.index("--out")]
    assert data == ["nlu_data", str(settings.training / "corrections.yml")]

    (settings.training / "corrections.yml").write_text("more")
    assert prepare.train(settings, lambda _line: None) != corrected
    (settings.training / "corrections.yml").unlink()
    assert prepare.train(settings, lambda _line: None) == without


@pytest.mark.parametrize("code, writes", [(1, False), (1, True), (0, False)])
def test_a_failed_training_shows_its_last_lines(
    settings: Settings, rasa: FakeRasa, code: int, writes: bool
) -> None:
    rasa.code, rasa.writes = code, writes
    with pytest.raises(CannotPrepare) as failed:
        prepare.train(settings, lambda _line: None)
    assert "the reason" in str(failed.value) and "line 3\n" not in str(failed.value)


def test_only_a_few_old_models_are_kept(house: Path, settings: Settings, rasa: FakeRasa) -> None:
    made = []
    for number in range(5):
        (house / "config.yml").write_text(f"{number}")
        made.append(prepare.train(settings, lambda _line: None))
        os.utime(made[-1], (number, number))
    left = set(settings.rasa_model.iterdir())
    assert len(left) == prepare.MODELS_KEPT and made[-1] in left and made[0] not in left


# The database


def people(settings: Settings) -> int:
    village = open_village(settings.database, settings.now)
    with village.reading() as session:
        return int(session.execute(select(func.count()).select_from(Member)).scalar_one())


def test_an_empty_database_gets_the_demo_village_once(settings: Settings) -> None:
    said: list[str] = []
    settings.home.mkdir()
    for _ in range(2):
        prepare.migrate(settings, said.append)
    assert people(settings) > 10 and len(said) == 1


def test_a_real_village_begins_empty(settings: Settings) -> None:
    settings.home.mkdir()
    prepare.migrate(settings.copy(update={"demo": False}), print)
    assert people(settings) == 0


# Voices


def test_without_any_recognizer_nothing_is_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_there(*_where: Any, **_how: Any) -> None:
        raise EngineMissing("no recognizer: copy a model to …")

    monkeypatch.setattr(models, "prepare", nothing_there)
    with pytest.raises(CannotPrepare, match="copy a model"):
        prepare.fetch_voices(settings, print)


def test_a_long_download_is_told_in_tenths(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_where: Any, progress: Callable[[int, int], None], **_how: Any) -> None:
        for there in range(0, 43_000_001, 100_000):
            progress(there, 43_000_000)
        progress(0, 0)

    monkeypatch.setattr(models, "prepare", download)
    said: list[str] = []
    prepare.fetch_voices(settings, said.append)
    assert 11 <= len(said) <= 12 and "43 of 43 MB" in said[10]


# What Rasa is told


def test_rasa_keeps_to_itself_and_to_its_own_database(settings: Settings) -> None:
    told = prepare.rasa_environment(settings)
    assert told["RASA_TELEMETRY_ENABLED"] == "false" and told["SANIC_HOST"] == "127.0.0.1"
    assert told["XIAOBANG_TRACKER_DB"] not in told["XIAOBANG_DATABASE_URL"]
    assert told["XIAOBANG_RASA_KEY"] == settings.key().hex()
    assert told["XIAOBANG_ACTIONS_URL"] == "http://127.0.0.1:5055/webhook"
    assert told["PATH"] == os.environ["PATH"]
