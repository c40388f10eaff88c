from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.nlu.facts import FACTS
from tests.bot.nlu.school import SAID, Pupil, entities, heard, lookups, teach, training_data


@pytest.fixture(scope="module")
def extractor(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Knows the neighbourhood and the house's words of kinds; it is Monday, nine o'clock."""
    folder = tmp_path_factory.mktemp("facts")
    data = training_data(SYMPTOMS, lookups("service_kinds"), lookups("swindles"))
    database = f"sqlite:///{original}"
    return teach(["FactExtractor"], data, folder, database=database).components["FactExtractor"]


SYMPTOMS = """
version: "3.1"
nlu:
- lookup: symptom
  examples: |
    - 腿疼
    - 喘得厉害
"""


def facts(message: Any) -> list[tuple[str, Any, str]]:
    text = message.get("text")
    return [
        (one["entity"], one["value"], text[one["start"] : one["end"]]) for one in message.get(FACTS)
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("明天上午九点", [("when", "2026-03-03T09:00:00+08:00", "明天上午九点")]),
        ("做了一个半钟头", [("duration_minutes", 90, "一个半钟头")]),
        ("给五颗星", [("rating", 5, "给五颗星")]),
        ("叫秀英来", [("person", "张秀英", "秀英")]),
        (
            "后天下午让李建国来两个小时",
            [
                ("when", "2026-03-04T15:00:00+08:00", "后天下午"),
                ("person", "李建国", "李建国"),
                ("duration_minutes", 120, "两个小时"),
            ],
        ),
        ("小帮你好", []),
    ],
)
def test_what_is_said_for_certain_is_told(
    extractor: Any, said: str, told: list[tuple[str, Any, str]]
) -> None:
    message = heard(extractor, said)

    assert facts(message) == told
    assert [(one["entity"], one["value"]) for one in message.get("entities")] == [
        (entity, value) for entity, value, _ in told
    ]
    assert {one["extractor"] for one in message.get("entities")} <= {"FactExtractor"}


def test_words_of_a_kind_or_an_ailment_are_only_hints(extractor: Any) -> None:
    message = heard(extractor, "腿疼，明天帮俺买点菜")

    assert facts(message) == [
        ("symptom", "腿疼", "腿疼"),
        ("when", "2026-03-03T09:00:00+08:00", "明天"),
        ("service_kind", "shopping", "买点菜"),
    ]
    assert [one["entity"] for one in message.get("entities")] == ["when"]


def test_words_are_read_as_meant_and_names_as_heard(extractor: Any) -> None:
    message = heard(extractor, "命天叫秀英卖点菜", spelled="明天叫阿婆买点菜")

    assert facts(message) == [
        ("when", "2026-03-03T09:00:00+08:00", "命天"),
        ("person", "张秀英", "秀英"),
        ("service_kind", "shopping", "卖点菜"),
    ]


def test_what_others_found_is_kept(extractor: Any) -> None:
    place = {"entity": "place", "value": "村口", "start": 2, "end": 4}

    assert entities(heard(extractor, "明天村口", entities=[place]), "place") == ["村口"]


@pytest.mark.parametrize("said", ['/inform{"when": "明天"}', ""])
def test_commands_and_silence_tell_no_facts(extractor: Any, said: str) -> None:
    message = heard(extractor, said)

    assert message.get(FACTS) is None
    assert message.get("entities") is None


def test_in_training_facts_are_no_annotations(extractor: Any) -> None:
    data = training_data(SAID)
    before = [one.get("entities") for one in data.training_examples]
    extractor.process_training_data(data)

    assert [one.get("entities") for one in data.training_examples] == before
    [bought] = [one for one in data.training_examples if one.get("text") == "想叫人帮我买点菜"]
    assert facts(bought) == [("service_kind", "shopping", "买点菜")]


def test_the_zone_of_the_village_can_be_told(original: Path, tmp_path: Path) -> None:
    data = training_data(SYMPTOMS)
    pupil: Pupil = teach(["FactExtractor"], data, tmp_path)
    assert entities(pupil.hear("明天上午九点叫秀英来"), "when") == ["2026-03-03T09:00:00+08:00"]
    # No database, no names.
    assert entities(pupil.hear("叫秀英来"), "person") == []
