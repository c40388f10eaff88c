from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.nlu.kept import SPELLED, spelled
from tests.bot.nlu.school import heard, train, training_data

SAID = """
version: "3.1"
nlu:
- intent: request_help
  examples: |
    - 明天叫人帮俺[买点菜]{"entity": "service_kind", "value": "shopping"}
    - 晌午帮俺买点菜
"""


@pytest.fixture(scope="module")
def respelling(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train("Respelling", training_data(SAID), tmp_path_factory.mktemp("respelling"))


def test_what_was_meant_is_kept_beside_what_was_heard(respelling: Any) -> None:
    message = heard(respelling, "晌午帮俺卖点菜")

    assert message.get(SPELLED) == spelled(message) == "晌午帮俺买点菜"
    assert message.get("text") == "晌午帮俺卖点菜"


@pytest.mark.parametrize("command", ['/inform{"place": "卖点菜"}', ""])
def test_commands_and_silence_are_not_spelled(respelling: Any, command: str) -> None:
    message = heard(respelling, command)

    assert message.get(SPELLED) is None
    assert spelled(heard(respelling, "/greet")) == "/greet"


def test_training_speech_is_taken_as_written(respelling: Any) -> None:
    data = training_data(SAID)
    respelling.process_training_data(data)

    assert {one.get(SPELLED) for one in data.training_examples} == {None}


def test_what_was_learned_is_readable_text(tmp_path: Path) -> None:
    train("Respelling", training_data(SAID), tmp_path)

    [file] = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert "买点菜" in json.loads(file.read_text("utf-8"))["threes"]
