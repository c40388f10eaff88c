"""The measuring itself: its arithmetic, its mishearing, and the shape of what it writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.nlu.sounds import folded
from tests.bench.deadline import Deadline
from tests.bench.kills import measure_kills
from tests.bench.ledger import measure_ledger
from tests.bench.machine import describe
from tests.bench.memory import memory_figures
from tests.bench.noise import SHARE, Mishearing, noised
from tests.bench.notifier import measure_pushes
from tests.bench.recordings import read_said
from tests.bench.report import Report, percentile
from tests.bench.telegram import Noted, measure_channel, report_voice_notes
from tests.bench.turns import Taken, report_crowd, report_turns

LONG = "俺腿疼，想叫人明儿上午帮俺买点菜，儿子在城里上班要过年才回来。" * 40


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


def test_voice_notes_by_telegram_are_told_with_their_outcomes() -> None:
    report = Report({}, "")
    report_voice_notes(report, [Noted(900.0, {}, "answered"), Noted(90.0, {}, "failed")], wanted=3)

    assert report.figures["telegram_voice_turn_p95_ms"] == 900.0
    assert report.conditions["telegram_voice_turns"] == {"answered": 1, "failed": 1}
    assert "2 of 3" in report.skipped["telegram_voice_turns"]


def test_what_the_telegram_channel_costs_is_measured(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_channel(report, tmp_path / "telegram", Deadline(60), turns=3)

    figures = report.figures
    assert (
        0
        < figures["telegram_channel_overhead_p50_ms"]
        <= (figures["telegram_channel_overhead_p95_ms"])
    )
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


def test_pushes_reach_what_telegram_allows_and_not_more(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_pushes(report, tmp_path / "pushes", Deadline(60), quick=True)

    # The first thirty leave before a second has passed, which lifts a short measuring.
    assert 0.5 < report.figures["push_within_limit_ratio"] < 2.1
    assert 0 < report.figures["push_few_chats_ratio"] <= 2
    assert report.figures["push_refused"] == 0
    assert not report.skipped
    assert not (tmp_path / "pushes").exists()


def test_kills_of_the_notifier_lose_and_double_nothing(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_kills(report, tmp_path / "kills", Deadline(60), quick=True)

    assert report.figures["notifier_kills"] == 33
    assert report.figures["notifier_lost"] == report.figures["notifier_doubled"] == 0
    assert not (tmp_path / "kills").exists()


def test_kills_that_no_time_was_left_for_are_told(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_kills(report, tmp_path / "kills", Deadline(0), quick=True)

    assert report.figures["notifier_kills"] == 0
    assert "0 of 33" in report.skipped["notifier_kills"]


def test_pushes_that_no_time_was_left_for_get_no_figure(tmp_path: Path) -> None:
    report = Report({}, "")
    measure_pushes(report, tmp_path / "pushes", Deadline(0), quick=True)

    assert not report.figures
    assert report.skipped["push_within_limit_ratio"]


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
