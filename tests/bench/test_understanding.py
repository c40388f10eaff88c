"""Judging understanding: its arithmetic, the stock pipeline beside it, and the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import StatisticsError
from typing import Any

import pytest
import yaml

from bot.settings import HOUSE, Settings
from tests.bench import scores, stock
from tests.bench.aims import standings
from tests.bench.confusion import THEMES, by_theme, heat_map, worst_confusions
from tests.bench.machine import describe
from tests.bench.page import write_page
from tests.bench.report import Report
from tests.bench.scores import Entity, Reading, Score
from tests.bench.spoken import Spoken, hearings, noise_name, read_all, read_spoken
from tests.bench.stock import model_path, progress, train_stock, what_is_taught
from tests.bench.svg import box, element
from tests.bench.temperature import best_temperature, configured_temperature
from tests.bench.understanding import (
    add_entity_kinds,
    add_figures,
    compare,
    measure,
    measure_stock,
    voice_accuracies,
)


def reading(
    meant: str = "greet",
    got: str = "greet",
    confidence: float = 1.0,
    entities: Sequence[Entity] = (),
    found: Sequence[Entity] = (),
) -> Reading:
    return Reading("小帮你好", meant, entities, got, confidence, found, 5.0, 4.0)


def entity(kind: str, value: object, words: str, start: int = 0) -> Entity:
    end = start + len(words)
    return {"entity": kind, "value": value, "text": words, "start": start, "end": end}


# -- scores ---------------------------------------------------------------------------------------


def test_calibration_error_is_the_distance_of_confidence_from_truth() -> None:
    sure_and_right = [reading(confidence=1.0)] * 4
    sure_and_half_right = [reading(confidence=0.9), reading(got="thank", confidence=0.9)]

    assert scores.calibration_error(sure_and_right) == 0.0
    assert scores.calibration_error(sure_and_half_right) == pytest.approx(0.4)
    # Two bins: four right at 1.0 are no error, two of which one is right at 0.65 are 0.15.
    unsure = [reading(confidence=0.65), reading(got="thank", confidence=0.65)]
    assert scores.calibration_error([*sure_and_right, *unsure]) == pytest.approx(0.15 * 2 / 6)


def test_bins_leave_out_the_empty_and_take_full_confidence_in() -> None:
    found = scores.bins([reading(confidence=1.0), reading(confidence=0.95), reading(confidence=0)])

    assert [(one.count, one.accuracy) for one in found] == [(1, 1.0), (2, 1.0)]


def test_macro_f1_counts_rare_intents_as_much_as_common_ones() -> None:
    read = [reading()] * 9 + [reading(meant="emergency", got="greet")]

    assert scores.accuracy(read) == 0.9
    assert scores.macro_f1(read) == pytest.approx((18 / 19 + 0) / 2)


def test_false_alarms_are_counted_among_what_was_not_meant() -> None:
    read = [
        reading(meant="emergency", got="emergency"),
        reading(meant="emergency", got="greet"),
        reading(got="emergency"),
        reading(),
        reading(got=scores.FALLBACK),
        reading(),
    ]

    assert scores.recall(read, "emergency") == 0.5
    assert scores.false_alarm_ratio(read, "emergency") == 0.25
    assert scores.fallback_ratio(read) == pytest.approx(1 / 6)
    with pytest.raises(StatisticsError):
        scores.recall(read, "out_of_scope")


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (("when", "2026-11-23T09:00+08:00", "明天九点"), ("when", "2026-11-23T01:00+00:00", ""), 1),
        (
            ("when", "2026-11-23T09:00", "明天九点"),
            ("when", "2026-11-23T09:00:00+08:00", "九点"),
            1,
        ),
        (("when", "2026-11-23T09:00+08:00", "明天"), ("when", "2026-11-23T10:00+08:00", "明天"), 0),
        (("duration_minutes", "90", "一个半钟头"), ("duration_minutes", 90, "一个半钟头"), 1),
        (("duration_minutes", "90", "一个半"), ("amount_minutes", 90, "一个半"), 0),
        (("service_kind", "meals", "做饭"), ("service_kind", "shopping", "做饭"), 0),
        (("symptom", "腿疼", "腿疼"), ("symptom", "脚疼", "腿腾"), 1),
        (("symptom", "腿疼", "腿疼"), ("symptom", "疼", "疼", 1), 0),
    ],
)
def test_entities_are_compared_by_what_they_mean(
    expected: tuple[str, object, str], got: tuple[Any, ...], same: int
) -> None:
    assert scores.same_entity(entity(*expected), entity(*got)) is bool(same)


def test_an_entity_found_twice_is_right_once() -> None:
    meals = entity("service_kind", "meals", "做饭")
    twice = reading(entities=[meals], found=[meals, meals])

    assert (twice.missed, twice.invented) == ([], [meals])
    assert scores.entity_f1([twice]) == pytest.approx(2 / 3)
    assert scores.entity_f1([reading()]) == 1.0


def test_scores_of_each_intent_and_entity_tell_what_is_invented_from_what_is_missed() -> None:
    meals, person = entity("service_kind", "meals", "做饭"), entity("person", "英子", "英子")
    read = [reading(entities=[meals], found=[meals, person]), reading(got="thank")]

    assert scores.by_intent(read) == [Score("greet", 2, 1, 1)]
    assert scores.by_entity(read) == [Score("person", 0, 1, 0), Score("service_kind", 1, 1, 1)]
    greet, stranger = Score("greet", 2, 1, 1), Score("person", 0, 1, 0)
    assert (greet.precision, greet.recall, greet.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (stranger.precision, stranger.recall, stranger.f1) == (0.0, 0.0, 0.0)


def test_entities_are_counted_of_chosen_kinds_only() -> None:
    meals, person = entity("service_kind", "meals", "做饭"), entity("person", "英子", "英子")
    read = [reading(entities=[meals], found=[meals, person])]

    assert scores.entity_f1(read) == pytest.approx(2 / 3)
    assert scores.entity_f1(read, {"service_kind"}) == 1.0
    assert scores.entity_f1(read, {"person"}) == 0.0


# -- the temperature ------------------------------------------------------------------------------


def ranked(got_first: bool, sure: float) -> Reading:
    ranking = {"greet": sure, "thank": 1 - sure}
    got = "greet" if got_first else "thank"
    return Reading("小帮你好", got, (), "greet", sure, (), 5.0, 4.0, ranking=ranking)


def test_who_is_too_sure_gets_a_higher_temperature_and_who_doubts_a_lower() -> None:
    # Nine of ten are right: that sure it ought to be.
    boastful = [ranked(at > 0, 0.99) for at in range(10)]
    timid = [ranked(at > 0, 0.6) for at in range(10)]
    honest = [ranked(at > 0, 0.9) for at in range(10)]

    assert best_temperature(boastful, 1.0) > 1.5
    assert best_temperature(timid, 1.0) < 0.5
    assert best_temperature(honest, 1.0) == pytest.approx(1.0, abs=0.01)


def test_the_best_temperature_is_the_one_to_write_down_not_a_factor() -> None:
    honest = [ranked(at > 0, 0.9) for at in range(10)]

    assert best_temperature(honest, 0.7) == pytest.approx(0.7, abs=0.01)


def test_what_a_rule_decided_tells_nothing_of_the_classifier() -> None:
    danger = Reading(
        "救命", "emergency", (), "emergency", 1.0, (), 5.0, 4.0,
        ranking={"emergency": 1.0, "greet": 0.7},
    )  # fmt: skip
    boastful = [ranked(at > 0, 0.99) for at in range(10)]

    assert best_temperature([*boastful, danger], 1.0) == best_temperature(boastful, 1.0)
    with pytest.raises(ValueError, match="own"):
        best_temperature([danger], 1.0)


def test_what_was_meant_and_not_ranked_is_a_surprise_and_no_error() -> None:
    elsewhere = Reading(
        "小帮你好", "stop", (), "greet", 0.9, (), 5.0, 4.0, ranking={"greet": 0.9, "thank": 0.1}
    )

    assert best_temperature([ranked(True, 0.9), elsewhere], 1.0) > 1.0


def test_the_temperature_of_a_config_without_one_is_1(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("pipeline:\n- name: one\n- name: two\n  temperature: 0.8\n", "utf-8")
    assert configured_temperature(config) == 0.8

    config.write_text("pipeline:\n- name: one\n", "utf-8")
    assert configured_temperature(config) == 1.0


# -- the stock pipeline ---------------------------------------------------------------------------

TINY = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 小帮你好
    - 你好啊小帮
- intent: request_help
  examples: |
    - 来个人[做饭]{"entity": "service_kind", "value": "meals"}
    - 我想找人[打扫卫]{"entity": "service_kind", "value": "cleaning"}生
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Training data of two intents."""
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "grandmother.yml").write_text(TINY, "utf-8")
    return tmp_path / "data"


def test_stock_is_told_what_is_annotated_and_what_jieba_cuts_elsewhere(tiny: Path) -> None:
    taught = what_is_taught(tiny)

    assert (taught.utterances, taught.annotations) == (4, {"service_kind": 2})
    assert taught.on_words == 0.5
    assert "service_kind 2" in str(taught)


def test_a_stock_model_is_named_by_its_data_and_its_pipeline(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = model_path(tmp_path, tiny)
    (tiny / "rules.yml").write_text("rules: []", "utf-8")
    assert model_path(tmp_path, tiny) == first

    (tiny / "nlu" / "grandmother.yml").write_text(TINY + "    - 在不在\n", "utf-8")
    more = model_path(tmp_path, tiny)
    monkeypatch.setattr(stock, "CONFIG", tiny / "rules.yml")
    assert len({first, more, model_path(tmp_path, tiny)}) == 3


def test_a_stock_model_that_is_kept_is_not_trained_again(tiny: Path, tmp_path: Path) -> None:
    kept = model_path(tmp_path, tiny)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a model")

    assert train_stock(Settings(home=tmp_path, database_url=None), tiny) == kept
    assert kept.read_bytes() == b"a model"


@pytest.mark.rasa
def test_stock_that_cannot_be_trained_says_where_the_reason_stands(tmp_path: Path) -> None:
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "broken.yml").write_text('version: "3.1"\nnlu: [', "utf-8")

    with pytest.raises(stock.CannotTrain, match=r"\.log"):
        train_stock(Settings(home=tmp_path, database_url=None), tmp_path / "data")


@pytest.mark.rasa
def test_stock_learns_intents_and_annotated_entities(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few utterances need to be seen more often than thirty thousand.
    often = re.sub(r"epochs: \d+", "epochs: 100", stock.CONFIG.read_text("utf-8"))
    (tmp_path / "often.yml").write_text(often, "utf-8")
    monkeypatch.setattr(stock, "CONFIG", tmp_path / "often.yml")
    parse = stock.of_model(train_stock(Settings(home=tmp_path, database_url=None), tiny))
    (heard,) = read_all(
        parse,
        [Spoken("来个人做饭", "request_help", [entity("service_kind", "meals", "做饭", 3)])],
        lambda text: text,
    )

    assert heard.right
    assert (heard.missed, heard.invented) == ([], [])
    assert set(heard.ranking) == {"greet", "request_help"}


def test_the_last_epoch_is_read_from_the_log() -> None:
    log = "Epochs:  6%|▌ | 6/100 [04:10<1:05:11, 41s/it]\rEpochs:  7%|▋ | 7/100 [1:05:10<1:08:31, 4"

    assert progress(log) == "7/100 [1:05:10<1:08:31"
    assert progress("Epochs:   0%|   | 0/100 [00:00<?, ?it/s]") == "0/100 [00:00<?"
    assert progress("INFO loading data") == ""


# -- the evaluation -------------------------------------------------------------------------------

WRITTEN = TINY.replace(
    "来个人[做饭]",
    '[明天上午九点]{"entity": "when", "value": "2026-11-23T09:00:00+08:00"}来个人[做饭]',
)
SPOKEN = [
    Spoken("小帮你好", "greet", [], "henan"),
    Spoken("<script>alert(1)</script>", "out_of_scope", [], "gansu"),
    Spoken("来个人做饭", "request_help", [entity("service_kind", "meals", "做饭", 3)], "gansu"),
]
THIRD = pytest.approx(1 / 3, abs=0.001)


def understood(text: str) -> dict[str, Any]:
    """Takes everything for a greeting."""
    return {"intent": {"name": "greet", "confidence": 0.8}, "entities": []}


def taken_for_help(text: str) -> dict[str, Any]:
    return {"intent": {"name": "request_help", "confidence": 0.6}, "entities": []}


def always_right(text: str) -> dict[str, Any]:
    meant = {"小": "greet", "<": "out_of_scope"}.get(text[0], "request_help")
    return {"intent": {"name": meant, "confidence": 0.9}, "entities": []}


def read_in_all_ways(parse: Any) -> Mapping[str, Sequence[Reading]]:
    return {sort: read_all(parse, SPOKEN, hear) for sort, hear in hearings().items()}


def test_utterances_are_read_with_what_their_author_meant_and_who_says_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "henan.yml").write_text(WRITTEN, "utf-8")
    (tmp_path / "gansu.yml").write_text(TINY, "utf-8")
    spoken = read_spoken(tmp_path)

    assert spoken[0] == Spoken("你好啊小帮", "greet", [], "gansu")
    request = next(one for one in spoken if one.text.startswith("明天"))
    assert request.entities[0] == entity("when", "2026-11-23T09:00:00+08:00", "明天上午九点")
    assert sorted(one.voice for one in spoken) == ["gansu"] * 4 + ["henan"] * 4
    assert read_spoken(tmp_path / "nothing") == []


def test_more_noise_is_heard_as_more_noise() -> None:
    said = "俺腿疼，想叫人明儿上午帮俺买点菜，儿子在城里上班要过年才回来。" * 40
    ways = hearings()
    wrong = [
        sum(one != other for one, other in zip(said, ways[noise_name(percent)](said), strict=True))
        for percent in (0, 6, 12, 18)
    ]

    assert wrong[0] == 0
    assert wrong == sorted(set(wrong))


def test_ours_and_stock_get_the_same_figures_and_are_compared() -> None:
    report = Report({}, "")
    add_figures(report, read_in_all_ways(always_right))
    ours = set(report.figures)
    report.figures["intent_accuracy_noised"] = 0.8
    measure_stock(report, understood, SPOKEN)

    assert {f"stock_{name}" for name in ours} <= set(report.figures)
    assert report.figures["stock_intent_accuracy_clean"] == THIRD
    assert report.figures["stock_intent_accuracy_noised_18_percent"] == THIRD
    assert report.figures["errors_to_stock_ratio_clean"] == 0.0
    assert report.figures["errors_to_stock_ratio_noised"] == pytest.approx(0.3, abs=0.001)
    assert report.conditions["stock_voices"]["henan"]["intent_accuracy_clean"] == 1.0


def test_a_stock_pipeline_without_errors_leaves_nothing_to_compare_with() -> None:
    report = Report({}, "")
    read = read_in_all_ways(always_right)
    add_figures(report, read)
    add_figures(report, read, "stock_")
    compare(report)

    assert "errors_to_stock_ratio_clean" not in report.figures
    assert report.skipped["errors_to_stock_ratio_clean"]


def test_entities_that_stock_was_taught_are_counted_apart() -> None:
    report = Report({}, "", conditions={"taught_kinds": ["person"]})
    add_entity_kinds(report, read_in_all_ways(understood), "stock_")

    assert report.figures["stock_entity_f1_service_kind"] == 0.0
    assert report.figures["stock_entity_f1_taught"] == 1.0


def test_each_voice_has_its_own_accuracy() -> None:
    voices = voice_accuracies(read_in_all_ways(understood))

    assert voices["henan"]["utterances"] == 1
    assert voices["henan"]["intent_accuracy_clean"] == 1.0
    assert voices["gansu"]["intent_accuracy_noised_near"] == 0.0


def test_development_voices_tell_the_best_temperature() -> None:
    report = Report({}, "")
    measure(report, ranking_greetings, {"test": SPOKEN, "dev": SPOKEN[:1]})

    assert 0 < report.figures["best_temperature_dev"] < report.conditions["temperature"]
    without = Report({}, "")
    measure(without, understood, {"test": SPOKEN, "dev": []})
    assert without.skipped["dev_intent_accuracy"]


def ranking_greetings(text: str) -> dict[str, Any]:
    ranking = [{"name": "greet", "confidence": 0.8}, {"name": "thank", "confidence": 0.2}]
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": []}


# -- the page -------------------------------------------------------------------------------------


def test_aims_are_reached_missed_or_not_measured() -> None:
    figures = {"intent_accuracy_clean": 0.95, "calibration_error": 0.051}
    reached = {one.aim.figure: (one.reached, one.words) for one in standings(figures)}

    assert reached["intent_accuracy_clean"] == (True, "95%")
    assert reached["calibration_error"] == (False, "5.1%")
    assert reached["emergency_recall"] == (False, "not measured")


def test_errors_beside_stock_are_drawn_as_errors_with_the_mark_at_half_of_stocks() -> None:
    figures = {
        "errors_to_stock_ratio_clean": 0.4,
        "intent_accuracy_clean": 0.96,
        "stock_intent_accuracy_clean": 0.9,
    }
    (errors,) = [one for one in standings(figures) if one.aim.figure.endswith("ratio_clean")]

    assert errors.words == "0.4 ×"
    assert (errors.ours, errors.stock) == (pytest.approx(0.04), pytest.approx(0.1))
    assert errors.mark == pytest.approx(0.05)


def test_every_intent_of_the_house_has_one_theme() -> None:
    domain = yaml.safe_load((HOUSE / "bot" / "domain" / "base.yml").read_text("utf-8"))
    named = [name for names in THEMES.values() for name in names]

    assert sorted(named) == sorted(domain["intents"])
    assert by_theme({"thank", "greet", "nlu_fallback"}) == {
        "manners": ["greet", "thank"],
        "not known": ["nlu_fallback"],
    }


def test_worst_confusions_are_the_frequent_ones_with_their_utterances() -> None:
    often, seldom = reading("thank", "greet"), reading("stop", "repeat")
    worst, other = worst_confusions([seldom, often, often, reading("thank", "thank"), reading()])

    assert (worst.meant, worst.got, worst.of) == ("thank", "greet", 3)
    assert worst.readings == [often, often]
    assert other.readings == [seldom]
    assert worst_confusions([reading()]) == []


def test_the_map_tells_counts_and_an_example_under_the_pointer() -> None:
    drawn = heat_map([reading("thank", "greet"), reading("thank", "thank"), reading()])

    assert "<title>thank taken for greet: 1 of 2 (50%)\n「小帮你好」</title>" in drawn
    assert drawn.count('class="right"') == 2
    assert drawn.count('class="wrong"') == 1


def test_a_picture_takes_words_for_words() -> None:
    assert "<b>" not in box(0, 0, 1, 1, title="<b>", class_='"><b>')
    assert element("text", "<b>&") == "<text>&lt;b&gt;&amp;</text>"
    assert 'width="0"' in box(0, 0, -1.0, 1)


@pytest.mark.parametrize("with_stock", [True, False])
def test_page_shows_every_mistake_and_needs_nothing_but_itself(
    tmp_path: Path, with_stock: bool
) -> None:
    report = Report(describe(tmp_path), "abc", conditions={"utterances": {"test": 3}})
    ours = measure(report, understood, {"test": SPOKEN, "dev": []})
    report.conditions["taught_kinds"] = ["service_kind"] if with_stock else []
    theirs = measure_stock(report, taken_for_help, SPOKEN) if with_stock else {}
    write_page(tmp_path / "eval.html", report, ours, theirs)

    page = (tmp_path / "eval.html").read_text("utf-8")
    assert report.figures["intent_accuracy_clean"] == THIRD
    assert report.figures["out_of_scope_recall"] == 0.0
    assert report.skipped["emergency_recall"]
    assert "来个人做饭" in page
    assert "service_kind = meals" in page
    assert ("F1, stock" in page) is with_stock
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#)|url\(|@import", page)
    assert page.count("<svg") == page.count("</svg>") > 12
