"""What must be there before anything can start: models, a trained Rasa, a migrated database."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Mapping, Sequence

from actions.timebank.demo import fill_demo_village
from actions.timebank.schema import upgrade
from actions.timebank.session import open_village
from bot.settings import HOUSE, Settings
from voice import models
from voice.types import EngineMissing

Say = Callable[[str], None]
TRAINED_FROM = ("config.yml", "nlu_data", "bot/domain", "bot/nlu")
"""What the Rasa model is made of; when any of it changes the model is trained anew."""
MODELS_KEPT = 3


class CannotPrepare(Exception):
    """A step failed; the message says which and shows its last lines."""


def prepare(settings: Settings, say: Say) -> Path:
    """Makes everything ready, saying what it does, and returns the Rasa model's path.

    Steps already done take no time. Raises CannotPrepare."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.key()
    fetch_voices(settings, say)
    model = train(settings, say)
    migrate(settings, say)
    return model


def migrate(settings: Settings, say: Say) -> None:
    """Brings the database to the newest schema and fills an empty one with the demo village."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(settings.database)
    if settings.demo:
        village = open_village(settings.database, settings.now)
        with village.transaction() as session:
            if fill_demo_village(session, now=village.clock()):
                say("The demo village is filled.")


def fetch_voices(settings: Settings, say: Say) -> None:
    """Raises CannotPrepare when no recognizer at all can be had."""
    told = -1

    def progress(there: int, whole: int) -> None:
        nonlocal told
        tenth = there * 10 // max(whole, 1)
        if tenth != told:
            told = tenth
            say(f"  recognizer model: {there // 1_000_000} of {whole // 1_000_000} MB")

    try:
        models.prepare(
            settings.models,
            vosk_copy=settings.vosk_model,
            fetch=settings.model_download,
            progress=progress,
        )
    except EngineMissing as missing:
        raise CannotPrepare(str(missing)) from missing


def train(settings: Settings, say: Say) -> Path:
    """The path of a Rasa model trained on the present inputs, among them what the staff corrected,
    as `bot.training` wrote it."""
    name = fingerprint(settings.training)
    model = settings.rasa_model / f"{name}.tar.gz"
    if model.exists():
        return model
    say("Training the understanding; this takes about ten minutes…")
    command = [sys.executable, "-m", "rasa", "train", "--quiet"]
    command += ["--config", "config.yml", "--domain", "bot/domain", "--data", "nlu_data"]
    command += [str(file) for file in _written_by_staff(settings.training)]
    command += ["--out", str(settings.rasa_model), "--fixed-model-name", name]
    done = subprocess.run(
        command, cwd=HOUSE, env=rasa_environment(settings), capture_output=True, text=True
    )
    if done.returncode or not model.exists():
        raise CannotPrepare("rasa train failed:\n" + _last_lines(done.stdout + done.stderr))
    _remove_old(settings.rasa_model)
    return model


def fingerprint(training: Path | None = None) -> str:
    """A name for what the model is trained from; `training` holds what the staff add to it."""
    digest = hashlib.sha256()
    for part in TRAINED_FROM:
        path = HOUSE / part
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(HOUSE)).encode())
                digest.update(file.read_bytes())
    for file in _written_by_staff(training):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _written_by_staff(training: Path | None) -> Sequence[Path]:
    return sorted(training.glob("*.yml")) if training is not None else []


def rasa_environment(settings: Settings) -> Mapping[str, str]:
    """What Rasa and the action server are told, besides the environment we run in."""
    return {
        **os.environ,
        "XIAOBANG_DATABASE_URL": settings.database,
        "XIAOBANG_CLOCK": settings.clock or "",
        "XIAOBANG_ACTIONS_URL": f"{settings.actions_url}/webhook",
        "XIAOBANG_TRACKER_DB": str(settings.home / "conversations.db"),
        "XIAOBANG_RASA_KEY": settings.key().hex(),
        "SANIC_HOST": "127.0.0.1",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        # Threads that wait must not keep others from the two cores.
        "OMP_WAIT_POLICY": "passive",
        "PYTHONPATH": str(HOUSE),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _remove_old(folder: Path) -> None:
    trained = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for old in trained[:-MODELS_KEPT]:
        old.unlink()


def _last_lines(text: str, count: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
