from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.facts import FACTS
from tests.bot.nlu.school import SAID, Pupil, entities, heard, train, training_data


@pytest.fixture(scope="module")
def doctor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train("Ailments", training_data(SAID), tmp_path_factory.mktemp("doctor"))


def spans(message: Message) -> list[tuple[int, int]]:
    return [(one["start"], one["end"]) for one in message.get("entities")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("我腿疼", ["腿疼"]),
        ("我这两天腰疼", ["腰疼"]),
        ("我腿疼，想叫人做饭", ["腿疼"]),
        ("我腰疼，想叫人买菜", ["腰疼"]),
        ("小帮你好", []),
        ("想叫人来做饭", []),
        ("😀\ud83d", []),
    ],
)
def test_ailments_are_told_in_her_own_words(doctor: Any, said: str, told: list[str]) -> None:
    message = heard(doctor, said)

    assert entities(message, "symptom") == told
    assert [said[start:end] for start, end in spans(message)] == told
    assert {one["extractor"] for one in message.get("entities")} <= {"Ailments"}


def test_an_ailment_is_known_as_it_was_meant_and_told_as_it_was_heard(doctor: Any) -> None:
    message = heard(doctor, "我退腾得很", spelled="我腿疼得很")

    assert entities(message, "symptom") == ["退腾"]
    assert spans(message) == [(1, 3)]


def test_what_the_word_list_knows_counts_where_the_model_heard_nothing(doctor: Any) -> None:
    listed = {"entity": "symptom", "value": "心慌", "start": 3, "end": 5}
    alike = {"entity": "symptom", "value": "腿疼", "start": 1, "end": 3}
    message = heard(doctor, "我腿疼心慌", **{FACTS: [alike, listed]})

    assert entities(message, "symptom") == ["腿疼", "心慌"]


def test_commands_and_silence_tell_no_ailment(doctor: Any) -> None:
    for quiet in ("/inform", ""):
        assert heard(doctor, quiet).get("entities") is None


def test_the_tagger_keeps_what_it_needs(tmp_path: Path) -> None:
    # pycrfsuite once read memory that Python had given to somebody else.
    for number in range(20):
        doctor = train("Ailments", training_data(FEW), tmp_path / str(number))
        for file in tmp_path.rglob("*"):
            if file.is_file():
                file.unlink()
        rubble = [bytes([number]) * size for size in range(500, 9000, 100)]
        assert entities(heard(doctor, "腿疼"), "symptom") == ["腿疼"], len(rubble)


FEW = """
version: "3.1"
nlu:
- intent: inform
  examples: |
    - [腿疼]{"entity": "symptom"}
    - [腿疼]{"entity": "symptom"}了
    - 我[腿疼]{"entity": "symptom"}
    - 我来了
"""


def test_intents_without_ailments_teach_nothing(pupil: Pupil) -> None:
    assert entities(pupil.hear("我还有几个钟头"), "symptom") == []
    assert entities(pupil.hear("我腰疼，叫人来做饭"), "symptom") == ["腰疼"]
