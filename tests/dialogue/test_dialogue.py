"""The conversations of `test_*.yml`, held against a model trained on the present data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.prepare import rasa_environment, train
from bot.settings import HOUSE, Settings

pytestmark = pytest.mark.rasa

STORIES = Path("tests", "dialogue")


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Its model is kept from run to run, and trained anew when what it is made of changes."""
    return Settings(home=HOUSE / "build" / "test-home")


def rasa(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rasa", *arguments],
        cwd=HOUSE,
        env={**rasa_environment(settings), "LOG_LEVEL": "WARNING"},
        capture_output=True,
        text=True,
    )


def test_rules_domain_and_examples_fit_together(settings: Settings) -> None:
    done = rasa(
        settings,
        *("data", "validate", "--config", "config.yml"),
        *("--data", "nlu_data", "--domain", "bot/domain"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " ERROR " not in done.stdout + done.stderr


@pytest.mark.timeout(3000)  # The first run trains the understanding.
def test_every_conversation_goes_as_written(settings: Settings, tmp_path: Path) -> None:
    model = train(settings, print)
    done = rasa(
        settings,
        *("test", "core", "--model", str(model), "--stories", str(STORIES)),
        *("--out", str(tmp_path), "--no-plot"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    failed = (tmp_path / "failed_test_stories.yml").read_text("utf-8")
    conversations = json.loads((tmp_path / "story_report.json").read_text("utf-8"))[
        "conversation_accuracy"
    ]
    assert conversations["correct"] == conversations["total"], failed
    assert conversations["total"] == _stories_written(), "a story was not read"


def _stories_written() -> int:
    files = (HOUSE / STORIES).glob("test_*.yml")
    return sum(file.read_text("utf-8").count("- story: ") for file in files)
