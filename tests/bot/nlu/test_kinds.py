from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from scipy import sparse

from bot.nlu.facts import FACTS
from tests.bot.nlu.school import Pupil, entities, train, training_data


def kinds(message: Message) -> list[tuple[str, str]]:
    text = message.get("text")
    return [
        (one["value"], text[one["start"] : one["end"]])
        for one in message.get("entities")
        if one["entity"] == "service_kind"
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("明天叫人帮俺买点菜", [("shopping", "买点菜")]),
        ("灯泡坏了，叫人来修", [("repair", "灯泡")]),
        ("命天叫人帮俺卖点菜", [("shopping", "卖点菜")]),
        ("想叫人来做饭也买点菜", [("meals", "做饭"), ("shopping", "买点菜")]),
        ("小帮你好", []),
        ("我还有多少时间", []),
        ("叫人来帮忙", []),
    ],
)
def test_kinds_of_help_are_heard_where_they_are_said(
    pupil: Pupil, said: str, told: list[tuple[str, str]]
) -> None:
    assert kinds(pupil.hear(said)) == told


def test_a_kind_that_is_only_hinted_at_is_told_by_the_whole_utterance(pupil: Pupil) -> None:
    said = "灶都没生火，叫个人来吧"
    message = pupil.hear(said)

    assert kinds(message) == [("meals", said)]
    [one] = [one for one in message.get("entities") if one["entity"] == "service_kind"]
    assert one["extractor"] == "ServiceKinds"


SAID = """
version: "3.1"
nlu:
- intent: request_help
  examples: |
    - [菜]{"entity": "service_kind", "value": "shopping"}
    - [米]{"entity": "service_kind", "value": "shopping"}
    - [饭]{"entity": "service_kind", "value": "meals"}
    - [汤]{"entity": "service_kind", "value": "meals"}
    - [灯]{"entity": "service_kind", "value": "repair"}
    - [锅]{"entity": "service_kind", "value": "repair"}
    - 来人
    - 来人啊
- intent: greet
  examples: |
    - 你好
    - 早
    - 好
    - 在吗
"""
FEATURES = ("菜米", "饭汤", "灯锅", "好早吗")


def featured(message: Message) -> Message:
    """Its features are how often characters of each kind are said."""
    row = [float(sum(message.get("text").count(one) for one in part)) * 4 for part in FEATURES]
    features = Features(sparse.csr_matrix(np.array([row])), "sentence", "text", "counted")
    message.add_features(features)
    return message


def judge(folder: Path, **config: Any) -> Any:
    data = training_data(SAID)
    for example in data.training_examples:
        featured(example)
    return train("ServiceKinds", data, folder, **config)


def told(judging: Any, said: str, *, request: float = 1.0) -> list[Any]:
    ranking = [{"name": "request_help", "confidence": request}]
    ranking += [{"name": "greet", "confidence": 1 - request}]
    message = featured(Message({"text": said, "intent_ranking": ranking, FACTS: []}))
    return entities(judging.process([message])[0], "service_kind")


def test_a_second_kind_is_told_when_it_is_likely_enough(tmp_path: Path) -> None:
    ready = judge(tmp_path / "ready", second_threshold=0.3)
    strict = judge(tmp_path / "strict", second_threshold=0.51)

    assert sorted(told(ready, "菜饭")) == ["meals", "shopping"]
    assert len(told(strict, "菜饭")) == 1
    assert told(ready, "菜菜") == ["shopping"]


def test_whether_a_kind_is_spoken_of_at_all_has_a_threshold(tmp_path: Path) -> None:
    never = judge(tmp_path / "never", any_threshold=1.0)
    always = judge(tmp_path / "always", any_threshold=0.0)

    assert told(never, "菜") == []
    assert len(told(always, "好早", request=0.0)) >= 1


def test_a_request_names_a_kind_more_often_than_a_greeting(tmp_path: Path) -> None:
    judging = judge(tmp_path, any_threshold=0.82)

    assert told(judging, "灯", request=1.0) == ["repair"]
    assert told(judging, "灯", request=0.0) == []
    assert told(judging, "早", request=1.0) == []


def test_commands_and_silence_tell_no_kind(tmp_path: Path) -> None:
    judging = judge(tmp_path, any_threshold=0.0)

    for quiet in ("/greet", ""):
        assert entities(judging.process([Message({"text": quiet})])[0], "service_kind") == []
