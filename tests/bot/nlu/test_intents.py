from __future__ import annotations

from pathlib import Path

import pytest
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.intents import RANKED
from tests.bot.nlu.school import Pupil, train, training_data

STRANGE = ["😀", "\ud83d", "/\ud83d", "𠀀々〇", "，。", "/greet"]
FEW = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 早上好
    - 你好
    - 你好吗
    - 早上你好
- intent: affirm
  examples: |
    - 好
    - 好的
    - 行吗
    - 好的行
"""


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("小帮早上好", "greet"),
        ("我账上还剩多少", "check_balance"),
        ("明天叫人帮俺买菜", "request_help"),
        ("命天叫人帮俺卖菜", "request_help"),
        ("昨天头晕没睡好", "report_wellbeing"),
        ("我不行了快来人", "emergency"),
    ],
)
def test_what_was_learned_is_understood_in_other_words(
    pupil: Pupil, said: str, intent: str
) -> None:
    message = pupil.hear(said)

    assert message.get("intent")["name"] == intent
    assert message.get("intent") == message.get("intent_ranking")[0]


def test_chances_are_ranked_and_sum_to_one(pupil: Pupil) -> None:
    message = pupil.hear("明天天气不错")
    ranking = message.get("intent_ranking")
    confidences = [one["confidence"] for one in ranking]

    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) == pytest.approx(1)
    assert {one["name"] for one in ranking} == {
        "greet",
        "check_balance",
        "request_help",
        "report_wellbeing",
        "emergency",
    }


def test_what_is_strange_is_understood_with_less_confidence(pupil: Pupil) -> None:
    known, strange = (pupil.hear(said).get("intent") for said in ("小帮你好", "彩票中几号"))

    assert known["confidence"] > 0.9
    assert strange["confidence"] < known["confidence"]


def test_silence_has_no_intent(pupil: Pupil) -> None:
    assert pupil.hear("").get("intent") is None
    assert pupil.hear("").get("entities", []) == []


@pytest.mark.parametrize("strange", [*STRANGE, pytest.param("啊" * 500, id="long")])
def test_strange_talk_makes_no_trouble(pupil: Pupil, strange: str) -> None:
    assert 0 < pupil.hear(strange).get("intent")["confidence"] <= 1


def test_the_temperature_of_the_config_makes_surer(tmp_path: Path) -> None:
    tops = []
    for temperature in (0.5, 1.0, 2.0):
        data = training_data(FEW)
        characters = train("CharacterNgrams", data, tmp_path)
        few = train("CalibratedClassifier", data, tmp_path, temperature=temperature)
        [message] = characters.process([Message({"text": "早上好吗"})])
        tops.append(few.process([message])[0].get("intent")["confidence"])

    assert tops == sorted(tops, reverse=True)
    assert tops[0] - tops[2] > 0.05


def test_only_the_likeliest_are_ranked(tmp_path: Path) -> None:
    many = "".join(
        f"- intent: intent_{at}\n  examples: |\n    - 早上好{at}\n    - 早上{at}\n"
        for at in range(RANKED + 3)
    )
    data = training_data(f'version: "3.1"\nnlu:\n{many}')
    characters = train("CharacterNgrams", data, tmp_path)
    classifier = train("CalibratedClassifier", data, tmp_path)
    [message] = characters.process([Message({"text": "早上好3"})])
    classifier.process([message])

    assert len(message.get("intent_ranking")) == RANKED
    assert message.get("intent")["name"] == "intent_3"
