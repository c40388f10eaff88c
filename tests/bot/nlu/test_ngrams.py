from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.nlu.facts import FACTS
from tests.bot.nlu.school import heard, train, training_data

SAID = """
version: "3.1"
nlu:
- intent: request_help
  examples: |
    - 明天叫人买菜
    - 明天叫人买菜，OK
    - 后天找人修灯
"""
WHEN = {"entity": "when", "value": "2026-03-03T09:00:00+08:00", "start": 0, "end": 2}
KIND = {"entity": "service_kind", "value": "shopping", "start": 4, "end": 6}


def sentence(message: Any) -> Any:
    sparse, _ = message.get_sparse_features("text")[1], None
    return None if sparse is None else sparse.features.toarray()[0]


def grams(component: Any) -> set[str]:
    return set(component._vectorizer.vocabulary_)


def test_what_was_said_once_is_not_learned(tmp_path: Path) -> None:
    learned = grams(train("CharacterNgrams", training_data(SAID), tmp_path))

    assert {"明 天", "买 菜", "人", "^", "^ 明 天"} <= learned
    assert not {"O", "修", "找 人", "后"} & learned
    assert "菜 ，" not in learned


def test_grams_are_as_long_as_the_config_says(tmp_path: Path) -> None:
    two = grams(train("CharacterNgrams", training_data(SAID), tmp_path / "two", longest=2))
    three = grams(train("CharacterNgrams", training_data(SAID), tmp_path / "three", longest=3))

    assert max(len(one.split()) for one in two) == 2
    assert max(len(one.split()) for one in three) == 3
    with pytest.raises(ValueError, match="1 to 6"):
        train("CharacterNgrams", training_data(SAID), tmp_path / "seven", longest=7)


def test_another_character_of_that_sound_counts_only_by_sound(tmp_path: Path) -> None:
    characters = train("CharacterNgrams", training_data(SAID), tmp_path)
    sounds = train("SoundNgrams", training_data(SAID), tmp_path)

    said, misheard = (sentence(heard(sounds, text)) for text in ("明天买菜", "命田卖菜"))
    assert np.array_equal(said, misheard) and said.any()
    said, misheard = (sentence(heard(characters, text)) for text in ("明天买菜", "命田卖菜"))
    assert not np.array_equal(said, misheard)


def test_what_was_meant_is_counted_not_what_was_heard(tmp_path: Path) -> None:
    characters = train("CharacterNgrams", training_data(SAID), tmp_path)

    respelled = heard(characters, "命天卖菜", spelled="明天买菜")
    assert np.array_equal(sentence(respelled), sentence(heard(characters, "明天买菜")))
    with_pauses = heard(characters, "明，天买 菜。")
    assert np.array_equal(sentence(respelled), sentence(with_pauses))


def test_length_is_what_the_scale_says_and_rare_grams_weigh_more(tmp_path: Path) -> None:
    characters = train("CharacterNgrams", training_data(SAID), tmp_path, scale=5.0)
    row = sentence(heard(characters, "明天叫人"))
    column = characters._vectorizer.vocabulary_

    assert np.linalg.norm(row) == pytest.approx(5.0)
    # 天 is in all three utterances, 明 in two.
    assert row[column["明"]] > row[column["天"]] > 0


def test_facts_are_one_pattern_whatever_they_say(tmp_path: Path) -> None:
    data = training_data(SAID)
    for example in data.training_examples:
        example.set(FACTS, [WHEN, KIND])
    masked = train("FactNgrams", data, tmp_path)

    assert {"<when> 叫 人", "<service_kind>", "has when", "kind shopping", "length 1"} <= grams(
        masked
    )
    assert not {"明 天", "买 菜", "天"} & grams(masked)
    one = heard(masked, "明天叫人买菜", **{FACTS: [WHEN, KIND]})
    other = heard(masked, "后天叫人洗被", **{FACTS: [WHEN, KIND]})
    plain = heard(masked, "明天叫人买菜", **{FACTS: []})
    assert np.array_equal(sentence(one), sentence(other)) and sentence(one).any()
    assert not np.array_equal(sentence(one), sentence(plain))


def test_facts_that_overlap_or_are_no_pattern_are_left_as_words(tmp_path: Path) -> None:
    data = training_data(SAID)
    inside = {"entity": "service_kind", "value": "shopping", "start": 1, "end": 3}
    rating = {"entity": "rating", "value": 5, "start": 0, "end": 6}
    for example in data.training_examples:
        example.set(FACTS, [rating, WHEN, inside])
    learned = grams(train("FactNgrams", data, tmp_path))

    assert {"<when> 叫 人", "has rating"} <= learned
    assert not {"<rating>", "<service_kind>"} & learned


def test_long_talk_is_long_and_nothing_more(tmp_path: Path) -> None:
    said = SAID.replace("明天叫人买菜，OK", "明天叫人买菜" * 20).replace(
        "后天找人修灯", "后天找人修灯" * 9
    )
    learned = grams(train("FactNgrams", training_data(said), tmp_path))

    assert "length 8" in learned
    assert not {"length 13", "length 30"} & learned


@pytest.mark.parametrize("name", ["CharacterNgrams", "SoundNgrams", "FactNgrams"])
def test_silence_and_strange_talk_make_no_trouble(name: str, tmp_path: Path) -> None:
    grams = train(name, training_data(SAID), tmp_path)

    assert sentence(heard(grams, "")) is None
    for strange in ("😀\ud83d", "𠀀々〇", "，", " "):
        assert sentence(heard(grams, strange)) is not None


def test_training_speech_gets_the_features_of_speech(tmp_path: Path) -> None:
    data = training_data(SAID)
    characters = train("CharacterNgrams", data, tmp_path)
    [bought] = [one for one in data.training_examples if one.get("text") == "明天叫人买菜"]

    assert np.array_equal(sentence(bought), sentence(heard(characters, "明天叫人买菜")))
