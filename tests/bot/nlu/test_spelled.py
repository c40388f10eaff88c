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


WORDS = """
version: "3.1"
nlu:
- lookup: village_words
  examples: |
    - 槐树圪崂
    - 王庄
"""


def test_the_village_s_own_words_are_spelled_as_staff_wrote_them(
    respelling: Any, tmp_path: Path
) -> None:
    taught = train("Respelling", training_data(SAID, WORDS), tmp_path)

    assert spelled(heard(taught, "俺在怀树咯劳等你")) == "俺在槐树圪崂等你"
    assert spelled(heard(taught, "晌午去汪庄")) == "晌午去王庄"
    assert spelled(heard(respelling, "俺在怀树咯劳等你")) != "俺在槐树圪崂等你"
    # What people say every day stays as it is.
    assert spelled(heard(taught, "晌午帮俺买点菜")) == "晌午帮俺买点菜"


def test_other_tables_teach_no_spelling(respelling: Any, tmp_path: Path) -> None:
    other = training_data(SAID, WORDS.replace("village_words", "service_meals"))
    taught = train("Respelling", other, tmp_path)

    [file] = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert "圪崂$" not in json.loads(file.read_text("utf-8"))["threes"]
    assert spelled(heard(taught, "怀树")) == spelled(heard(respelling, "怀树"))
