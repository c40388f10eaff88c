from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bot.nlu.school import heard, train, training_data

SAID = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 你好
    - 早上好
- intent: request_help
  examples: |
    - 我想吃饭
    - 水管漏了
"""


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train("SentenceVectors", training_data(SAID), tmp_path_factory.mktemp("meaning"))


def vector(component: Any, text: str, **known: Any) -> Any:
    dense = heard(component, text, **known).get_dense_features("text")[1]
    return None if dense is None else dense.features[0]


def alike(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_what_means_the_same_is_nearer_than_what_shares_words(vectors: Any) -> None:
    hungry, meal, pipe = (vector(vectors, said) for said in ("肚子饿了", "我想吃饭", "水管漏了"))

    assert alike(hungry, meal) > alike(hungry, pipe) + 0.05


def test_what_all_utterances_have_in_common_says_nothing(vectors: Any) -> None:
    said = ("你好", "早上好", "我想吃饭", "水管漏了")
    mean = np.mean([vector(vectors, one) for one in said], axis=0)

    assert np.linalg.norm(mean) < 0.3
    assert np.linalg.norm(vector(vectors, "你好")) > 1


def test_what_was_meant_is_read_and_silence_is_not(vectors: Any) -> None:
    meant = vector(vectors, "水管漏了")

    assert np.allclose(vector(vectors, "睡管楼了", spelled="水管漏了"), meant, atol=1e-3)
    assert vector(vectors, "") is None


def test_a_scale_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale"):
        train("SentenceVectors", training_data(SAID), tmp_path, scale=0)
