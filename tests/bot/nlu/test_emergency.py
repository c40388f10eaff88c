from __future__ import annotations

from typing import Any

import pytest
import yaml
from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier
from rasa.shared.nlu.training_data.message import Message

from bot.settings import HOUSE
from tests.bot.nlu.school import heard, lookups, train, training_data


@pytest.fixture(scope="module")
def alarm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Knows the house's words of danger."""
    data = training_data(lookups("emergencies"), lookups("service_kinds"))
    return train("EmergencyBySound", data, tmp_path_factory.mktemp("alarm"))


def ranking(**chances: float) -> dict[str, Any]:
    """What the classifier thought, the likeliest first."""
    ranked = [{"name": name, "confidence": chance} for name, chance in chances.items()]
    return {"intent": ranked[0], "intent_ranking": ranked}


@pytest.mark.parametrize(
    "said",
    [
        "救命",
        "我摔倒了",
        "老头子胸口疼得厉害",
        "凶口腾得很",  # an accent and two misheard characters
        "俺喘布上气",
        "儿子没在家我摔倒了",
        "去年的事不说了，现在喘不上气",
        "去年摔过，今又摔倒",
        "上个月儿子给我买了新电视机，着火了",
        "厨房着火了😀",
    ],
)
def test_words_of_danger_are_an_emergency_for_certain(alarm: Any, said: str) -> None:
    message = heard(alarm, said, **ranking(greet=0.97, emergency=0.01, thank=0.02))

    assert message.get("intent") == {"name": "emergency", "confidence": 1.0}
    names = [one["name"] for one in message.get("intent_ranking")]
    assert names == ["emergency", "greet", "thank"]


def test_danger_is_listened_for_in_what_was_heard_and_in_what_was_meant(alarm: Any) -> None:
    thought = ranking(greet=1.0)
    respelled = heard(alarm, "我衰倒了", spelled="我摔倒了", **thought)
    # The speller took the need away: what was heard still counts.
    as_heard = heard(alarm, "妈摔倒了", spelled="没摔倒了", **thought)

    assert respelled.get("intent")["name"] == as_heard.get("intent")["name"] == "emergency"


@pytest.mark.parametrize(
    "said",
    [
        "我没摔倒",
        "路滑差点摔倒",
        "差点儿滑倒了",
        "我又不是着火了",
        "小心摔倒",
        "我就怕摔倒",
        "上个月摔倒过一回",
        "我年轻时掉河里过",
        "那年冬天着火了",
        "想叫人帮我买菜",
        "",
    ],
)
def test_what_did_not_happen_or_long_ago_is_none(alarm: Any, said: str) -> None:
    message = heard(alarm, said, **ranking(report_wellbeing=0.9, emergency=0.05))

    assert message.get("intent")["name"] == "report_wellbeing"
    assert message.get("intent_ranking")[0]["name"] == "report_wellbeing"


def test_one_denied_danger_does_not_hide_another(alarm: Any) -> None:
    message = heard(alarm, "没摔倒，可是喘不上气", **ranking(greet=1.0))

    assert message.get("intent") == {"name": "emergency", "confidence": 1.0}


def test_a_doubt_of_the_classifier_stays_a_doubt(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    alarm = train(
        "EmergencyBySound",
        training_data(lookups("emergencies")),
        tmp_path_factory.mktemp("doubt"),
        classifier_threshold=0.2,
    )
    for chance, name in ((0.19, "greet"), (0.2, "emergency"), (0.4, "emergency")):
        message = heard(alarm, "难受", **ranking(greet=1 - chance, emergency=chance))
        assert message.get("intent") == {
            "name": name,
            "confidence": chance if name == "emergency" else 1 - chance,
        }
    sure = heard(alarm, "我摔倒了", **ranking(greet=0.7, emergency=0.3))
    assert sure.get("intent")["confidence"] == 1.0


def test_a_doubt_is_not_taken_for_something_not_understood(alarm: Any) -> None:
    pipeline = yaml.safe_load((HOUSE / "config.yml").read_text("utf-8"))["pipeline"]
    names = [one["name"].rpartition(".")[2] for one in pipeline]
    [fallback] = [one for one in pipeline if one["name"] == "FallbackClassifier"]
    parts = {"FallbackClassifier": FallbackClassifier(fallback), "EmergencyBySound": alarm}
    # Just enough to ask, and less than what is understood.
    chance = alarm._config["classifier_threshold"]
    assert chance < fallback["threshold"]
    message = Message({"text": "难受", **ranking(report_wellbeing=0.6, emergency=chance)})
    for name in sorted(parts, key=names.index):
        parts[name].process([message])

    assert message.get("intent") == {"name": "emergency", "confidence": chance}


def test_without_words_of_danger_only_the_classifier_speaks(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = training_data(lookups("service_kinds"))
    alarm = train("EmergencyBySound", data, tmp_path_factory.mktemp("deaf"))

    assert heard(alarm, "做饭，我摔倒了", **ranking(greet=1.0)).get("intent")["name"] == "greet"
    assert heard(alarm, "我摔倒了").get("intent") is None
