"""The measuring itself: its arithmetic, its mishearing, and the shape of what it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import StatisticsError
from typing import Any

import pytest

from actions.timebank.states import ServiceKind
from bot.nlu.sounds import folded
from tests.bench import scores
from tests.bench.deadline import Deadline
from tests.bench.ledger import measure_ledger
from tests.bench.machine import describe
from tests.bench.memory import memory_figures
from tests.bench.noise import SHARE, Mishearing, noised
from tests.bench.page import write_page
from tests.bench.recordings import read_said
from tests.bench.report import Report, percentile
from tests.bench.scores import Entity, Reading
from tests.bench.turns import Taken, report_crowd, report_turns
from tests.bench.understanding import Spoken, add_figures, read_all, read_spoken

LONG = "俺腿疼，想叫人明儿上午帮俺买点菜，儿子在城里上班要过年才回来。" * 40


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


# -- percentiles and the report -------------------------------------------------------------------


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = list(range(100, 0, -1))

    assert [percentile(hundred, share) for share in (0, 50, 95, 100)] == [1, 50, 95, 100]
    assert percentile([10.0, 20.0, 30.0], 50) == 20.0
    assert percentile([7.0], 95) == 7.0


@pytest.mark.parametrize(("values", "share"), [([], 50), ([1.0], 101), ([1.0], -1)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_report_has_the_shape_that_stays_put(tmp_path: Path) -> None:
    report = Report({"cores": 2}, "abc")
    report.add_times("text_turn", [100.04, 200.0])
    report.add_times("hear", [])
    report.write(tmp_path / "build" / "bench.json")

    written = json.loads((tmp_path / "build" / "bench.json").read_text("utf-8"))
    assert written["machine"] == {"cores": 2}
    assert written["commit"] == "abc"
    assert written["figures"] == {"text_turn_p50_ms": 100.0, "text_turn_p95_ms": 200.0}
    assert list(written["skipped"]) == ["hear_ms"]
    assert "text_turn_p95_ms  200.0" in report.table()
    assert "hear_ms" in report.table()


def test_machine_is_described_without_its_name_or_a_path(tmp_path: Path) -> None:
    machine = describe(tmp_path)

    assert set(machine) >= {"cpu", "cores", "memory_mb", "os", "python", "load_average"}
    assert machine["memory_mb"] > 0
    words = json.dumps(machine)
    assert os.uname().nodename not in words
    assert str(tmp_path) not in words


def test_memory_of_this_process_is_seen() -> None:
    figures, counted = memory_figures({"tests": os.getpid()})

    assert counted in ("PSS", "RSS")
    assert figures["memory_total_mb"] >= figures["memory_tests_mb"] > 1


# -- turns and the ledger -------------------------------------------------------------------------


def test_a_voice_turn_is_the_sum_of_its_stages() -> None:
    report = Report({}, "")
    turn = Taken("answered", 900.0, {"hear": 600.0, "dialogue": 200.0, "total": 820.0}, 400.0)
    report_turns(report, "voice", [turn], wanted=2)

    stages = ("hear", "dialogue", "other", "first_audio")
    assert report.figures["voice_turn_p95_ms"] == 1300.0
    assert sum(report.figures[f"{stage}_p95_ms"] for stage in stages) == 1300.0
    assert report.conditions["voice_turns"] == {"answered": 1}
    assert "1 of 2" in report.skipped["voice_turns"]


def test_quick_failures_do_not_hide_behind_good_times() -> None:
    report = Report({}, "")
    report_turns(report, "text", [Taken("failed", 3.0, {}), Taken("answered", 90.0, {})], wanted=2)

    assert report.conditions["text_turns"] == {"answered": 1, "failed": 1}
    assert not report.skipped


def test_a_crowd_that_had_no_time_left_gets_no_figure() -> None:
    report = Report({}, "")
    report_crowd(report, "text", [], 0.001, wanted=64)

    assert not report.figures
    assert "0 of 64" in report.skipped["text_turns_8_people"]


def test_fifty_turns_of_at_least_eight_people_are_there_to_be_said() -> None:
    sayings = read_said()

    assert len(sayings) == len({one.says for one in sayings}) == 50
    assert len({one.who for one in sayings}) >= 8


def test_ledger_is_measured_beside_raw_commits(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_ledger(report, tmp_path / "ledger", Deadline(60), rounds=2, seconds=0.02, full=False)

    assert report.figures["transfers_per_s"] > 0
    assert report.figures["raw_commits_per_s"] > 0
    assert report.figures["ledger_to_raw_ratio"] > 0
    assert "verify_50k_s" in report.skipped
    assert not (tmp_path / "ledger").exists()


def test_a_part_of_a_deadline_never_outlives_the_whole() -> None:
    assert Deadline(0).part(60).over
    assert not Deadline(60).part(60).over
    assert Deadline(60).part(0).over


# -- mishearing -----------------------------------------------------------------------------------


def changes(text: str, heard: str) -> list[tuple[str, str]]:
    return [pair for pair in zip(text, heard, strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize("kind", Mishearing)
def test_noise_keeps_the_length_and_changes_about_12_percent(kind: Mishearing) -> None:
    heard = noised(LONG, kind=kind)
    characters = sum("\u4e00" <= character <= "\u9fff" for character in LONG)

    assert len(heard) == len(LONG)
    assert len(changes(LONG, heard)) == pytest.approx(SHARE * characters, rel=0.25)
    assert heard.count("，") == LONG.count("，")


def test_noise_is_the_same_for_the_same_seed_only() -> None:
    assert noised(LONG) == noised(LONG)
    assert noised(LONG, seed=1) != noised(LONG, seed=2)
    assert noised(LONG, share=0) == LONG


def test_folded_noise_sounds_the_same_in_some_accent_and_near_noise_in_none() -> None:
    for word in ("腿", "菜", "娘", "城", "回"):
        for seed in range(20):
            alike = noised(word, share=1, seed=seed)
            near = noised(word, kind=Mishearing.NEAR, share=1, seed=seed)
            assert alike != word
            assert folded(alike) == folded(word)
            assert folded(near) != folded(word)


def test_what_is_not_chinese_is_heard_as_it_is() -> None:
    assert noised("OK 123, 好", share=1)[:-1] == "OK 123, "
    assert noised("") == ""


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


# -- the evaluation -------------------------------------------------------------------------------

WRITTEN = """
version: "3.1"
nlu:
- intent: request_help
  examples: |
    - [明天上午九点]{"entity": "when", "value": "2026-11-23T09:00:00+08:00"}来个人
- intent: greet
  examples: |
    - 小帮你好
"""


def understood(text: str) -> dict[str, object]:
    """Takes everything for a greeting."""
    return {"intent": {"name": "greet", "confidence": 0.8}, "entities": []}


def test_utterances_are_read_with_what_their_author_meant(tmp_path: Path) -> None:
    (tmp_path / "henan.yml").write_text(WRITTEN, "utf-8")
    greeting, request = read_spoken(tmp_path)

    assert greeting == Spoken("小帮你好", "greet", [])
    assert request.entities == [entity("when", "2026-11-23T09:00:00+08:00", "明天上午九点")]
    assert read_spoken(tmp_path / "nothing") == []


def test_page_shows_every_mistake_and_runs_no_script_of_its_speakers(tmp_path: Path) -> None:
    spoken = [
        Spoken("小帮你好", "greet", []),
        Spoken("<script>alert(1)</script>", "out_of_scope", []),
        Spoken("来个人做饭", "request_help", [entity("service_kind", "meals", "做饭")]),
    ]
    read = read_all(understood, spoken, lambda text: text)
    report = Report(describe(tmp_path), "abc", conditions={"utterances": {"test": 3}})
    add_figures(report, {"clean": read, "noised": read, "noised_near": read})
    write_page(tmp_path / "eval.html", report, {"clean": read, "noised": read})

    page = (tmp_path / "eval.html").read_text("utf-8")
    assert report.figures["intent_accuracy_clean"] == pytest.approx(1 / 3, abs=0.001)
    assert report.figures["out_of_scope_recall"] == 0.0
    assert report.skipped["emergency_recall"]
    assert "来个人做饭" in page
    assert "service_kind = meals" in page
    assert "<script" not in page
    assert page.count("<svg") == 4
    assert ServiceKind.MEALS.value in page
