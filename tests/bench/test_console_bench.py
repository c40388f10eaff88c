"""The console's bench itself, in a village of few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import console
from tests.bench.big_village import Size
from tests.bench.deadline import Deadline
from tests.bench.report import Report


def test_every_figure_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "SMALL", Size(members=40, turns=400, transfers=60, days=60))
    monkeypatch.setattr(console, "FEW_VIEWS", 30)
    report = Report({}, "abc")
    console.measure_console(report, tmp_path / "console", Deadline(120), quick=True)
    assert report.figures["page_p95_ms"] == max(
        value
        for name, value in report.figures.items()
        if name.startswith("page_") and name.endswith("_p95_ms")
    )
    assert report.figures["page_broadcasts_broadcast_p95_ms"] > 0
    assert report.figures["chain_verify_s"] >= 0
    assert "console_memory_growth_mb" in report.figures
    assert report.conditions["console page views"] == 30


def test_when_the_time_is_up_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SMALL", Size(members=40, turns=400, transfers=60, days=60))
    report = Report({}, "abc")
    console.measure_console(report, tmp_path / "console", Deadline(0), quick=True)
    assert "page_p95_ms" not in report.figures
    assert {"page_p95_ms", "console_memory_growth_mb"} <= set(report.skipped)
