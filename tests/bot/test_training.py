"""What staff corrected becomes training speech, and nothing else than speech."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.shared.nlu.training_data.formats import RasaYAMLReader
from rasa.shared.nlu.training_data.training_data import TrainingData

from actions.timebank import members
from actions.timebank.ids import TurnId
from actions.timebank.staff import corrections
from actions.timebank.staff.corrections import TrainingSentence
from actions.timebank.staff.roles import Role
from bot import commands, training
from bot.__main__ import main
from bot.nlu import spelled
from bot.nlu.lookups import tables_of
from bot.settings import Settings
from bot.training import CORRECTIONS, LEXICON, corrections_yaml, lexicon_yaml, write_training
from tests.small_village import Street
from tests.timebank.builders import MORNING
from tests.timebank.staff.talking import hire, mishear

SHOPPING = {"entity": "service_kind", "text": "买盐", "value": "shopping"}


def read(content: str) -> TrainingData:
    """As Rasa reads it."""
    data: TrainingData = RasaYAMLReader().reads(content)
    return data


def sentence(
    said: str, intent: str = "request_help", *entities: dict[str, str]
) -> TrainingSentence:
    return TrainingSentence(said, intent, entities)


def test_sentences_are_read_as_they_were_said() -> None:
    data = read(
        corrections_yaml(
            [
                sentence("帮俺买盐", "request_help", SHOPPING),
                sentence("俺腿疼", "report_wellbeing", {"entity": "symptom", "text": "腿疼"}),
                sentence("明儿买盐", "request_help", {"entity": "when", "text": "明儿"}),
            ]
        )
    )

    told = {
        (one.get("text"), one.get("intent")): [
            (entity["entity"], entity["value"]) for entity in one.get("entities", [])
        ]
        for one in data.intent_examples
    }
    assert told == {
        ("帮俺买盐", "request_help"): [("service_kind", "shopping")],
        ("俺腿疼", "report_wellbeing"): [("symptom", "腿疼")],
        ("明儿买盐", "request_help"): [],
    }


@pytest.mark.parametrize(
    "said",
    [
        "帮俺[买盐](service_kind)",
        '帮俺[买盐]{"entity": "service_kind", "value": "bathing"}',
        "帮俺买盐\n- intent: emergency\n  examples: |\n    - 买盐",
        "帮俺买盐\n    - 救命",
        "/emergency 买盐",
        "- 帮俺买盐",
        '- /emergency{"a": 1}买盐',
        "帮俺买盐 # 记下",
        "帮俺买盐: [x",
        "!!python/object:os.system 买盐",
        "帮俺买盐\u2028- 救命\x85\x00\ud800",
        "&a *a %TAG 买盐 'y\" |",
        "帮俺买盐|[买盐]",
        "[[买盐]]((x))",
    ],
)
def test_hostile_words_are_only_words(said: str) -> None:
    written = corrections_yaml([sentence(said, "request_help", SHOPPING)])

    data = read(written)
    [one] = data.intent_examples
    assert one.get("intent") == "request_help" and "买盐" in one.get("text")
    assert [entity["value"] for entity in one.get("entities", [])] == ["shopping"]
    assert not one.get("text").startswith(("/", "-"))
    assert not data.lookup_tables and data.entity_synonyms == {"买盐": "shopping"}
    assert yaml.safe_load(written)["version"] == "3.1"


@pytest.mark.parametrize("said", ["", "[]", " \n ", "()//", "\u200b"])
def test_what_says_nothing_is_left_out(said: str) -> None:
    assert corrections_yaml([sentence(said)]) == ""


def test_entities_never_overlap() -> None:
    parts = [SHOPPING, {**SHOPPING, "text": "买", "value": "errand"}]
    [one] = read(corrections_yaml([sentence("帮俺买盐", "request_help", *parts)])).intent_examples
    assert [entity["value"] for entity in one.get("entities")] == ["shopping"]


def test_village_words_are_a_table_that_the_speller_knows() -> None:
    data = read(lexicon_yaml(["槐树圪崂", "大脚婶"]))
    assert tables_of(data, (spelled.VILLAGE_WORDS,)) == {
        training.VILLAGE_WORDS: ["大脚婶", "槐树圪崂"]
    }
    assert lexicon_yaml([]) == ""


def test_a_village_that_corrected_nothing_leaves_no_file(street: Street, tmp_path: Path) -> None:
    folder = tmp_path / "training"
    assert write_training(street.village, folder) == 0
    assert not folder.exists()


def test_what_is_not_accepted_any_more_goes(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted: dict[str, Any] = {"sentences": [sentence("帮俺买盐")], "words": ["圪崂"]}
    monkeypatch.setattr(
        training.corrections, "training_sentences", lambda _session: accepted["sentences"]
    )
    monkeypatch.setattr(training.lexicon, "accepted", lambda _session: accepted["words"])
    assert write_training(street.village, tmp_path) == 2
    assert {file.name for file in tmp_path.glob("*.yml")} == {CORRECTIONS, LEXICON}

    accepted["sentences"] = []
    assert write_training(street.village, tmp_path) == 1
    assert {file.name for file in tmp_path.glob("*.yml")} == {LEXICON}


def test_one_command_trains_on_what_was_accepted(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with street.village.transaction() as session:
        wang = members.find_member(session, "王奶奶")
        turn = TurnId(mishear(session, wang, MORNING).id)
        writer, reader = (
            hire(session, "周干事", Role.COORDINATOR),
            hire(session, "吴", Role.MEDIATOR),
        )
        written = corrections.correct(
            session,
            turn_id=turn,
            by=writer,
            said="帮俺买盐",
            intent="request_help",
            entities=[SHOPPING],
            seen_version=0,
            now=MORNING,
        )
        corrections.accept(
            session, correction_id=written.id, by=reader, said=written.said, now=MORNING
        )
    trained: list[Settings] = []

    def train(settings: Settings, _say: Any) -> Path:
        trained.append(settings)
        return settings.rasa_model / "new.tar.gz"

    monkeypatch.setattr(commands, "train", train)
    monkeypatch.setenv("XIAOBANG_HOME", str(tmp_path))
    monkeypatch.setenv("XIAOBANG_DATABASE_URL", str(street.village.engine.url))
    monkeypatch.setenv("XIAOBANG_DEMO", "false")
    assert main(["train"]) == 0
    [settings] = trained
    assert "帮俺[买盐]" in (settings.training / CORRECTIONS).read_text("utf-8")
    assert "new.tar.gz is ready" in capsys.readouterr().out
