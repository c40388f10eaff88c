"""`make bench`: measures the whole of 小帮 on this machine and writes `build/bench.json`."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Mapping

from sqlalchemy import select

from actions.timebank.model import Turn
from bot.prepare import fingerprint
from tests.bench.console import measure_console
from tests.bench.deadline import Deadline
from tests.bench.kills import measure_kills
from tests.bench.ledger import measure_ledger
from tests.bench.machine import commit, describe
from tests.bench.memory import memory_figures
from tests.bench.notifier import measure_pushes
from tests.bench.recordings import Said, read_said, record, recording_of
from tests.bench.report import BUILD, Report
from tests.bench.startup import cold_start, new_stack, warm_start
from tests.bench.telegram import TURNS, measure_channel, measure_voice_notes
from tests.bench.turns import (
    PEOPLE_AT_ONCE,
    Phone,
    Taken,
    all_at_once,
    one_after_another,
    phones_of,
    report_crowd,
    report_turns,
)
from tests.bot_api import BotApi
from tests.e2e.phones import telegram_environment
from tests.e2e.stack import Stack

FOLDER = BUILD / "bench"
MOST_SECONDS = 780.0


def main() -> None:
    quick = _given().quick
    FOLDER.mkdir(parents=True, exist_ok=True)
    report = Report(describe(FOLDER), commit())
    report.conditions["quick"] = quick
    deadline = Deadline(MOST_SECONDS)

    _say("Speaking the recordings…")
    report.conditions["voice"] = record(FOLDER / "said")
    _say("Measuring the ledger…")
    rounds, seconds = (3, 0.3) if quick else (10, 1.0)
    measure_ledger(
        report,
        FOLDER / "ledger",
        deadline.part(120),
        rounds=rounds,
        seconds=seconds,
        full=not quick,
    )
    _say("Measuring the Telegram channel…")
    measure_channel(report, FOLDER / "telegram", deadline.part(40), turns=5 if quick else TURNS)
    _say("Pushing to a thousand chats, and killing the notifier a thousand times…")
    measure_pushes(report, FOLDER / "pushes", deadline.part(90), quick=quick)
    measure_kills(report, FOLDER / "kills", deadline.part(120), quick=quick)
    with BotApi() as telegram:
        stack = _start(report, quick, telegram_environment(telegram))
        try:
            _measure_turns(report, stack, deadline, quick)
            _measure_telegram(report, stack, telegram, deadline, quick)
        finally:
            stack.stop()
    _say("Looking at every page of the console in a village of two thousand…")
    measure_console(report, FOLDER / "console", deadline.part(240), quick=quick)

    file = BUILD / ("bench-quick.json" if quick else "bench.json")
    report.write(file)
    print(f"\n{report.table()}\n\nwritten to {file.parent.name}/{file.name}")


def _start(report: Report, quick: bool, more: Mapping[str, str]) -> Stack:
    """A running stack with no sentence spoken yet."""
    home = FOLDER / "home"
    if quick and (home / "rasa").exists():
        report.skipped["cold_start_s"] = "left out when quick"
        shutil.rmtree(home / "spoken", ignore_errors=True)
        _say("Starting with everything in place…")
        stack = new_stack(home, **more)
        report.add({"warm_start_s": stack.start()})
        return stack
    _say("Starting from an empty folder; this trains the understanding…")
    inputs = fingerprint()
    stack, seconds = cold_start(home, **more)
    try:
        report.add({"cold_start_s": seconds})
        _say("Starting with everything in place…")
        seconds = warm_start(stack)
        if fingerprint() == inputs:
            report.add({"warm_start_s": seconds})
        else:
            report.skipped["warm_start_s"] = "the training data changed in between"
    except BaseException:
        stack.stop()
        raise
    return stack


def _measure_turns(report: Report, stack: Stack, deadline: Deadline, quick: bool) -> None:
    sayings = read_said()[: 8 if quick else None]
    phones = phones_of(stack, sayings)

    # Voice goes first: it is measured with no sentence spoken before.
    _say(f"{len(sayings)} turns by voice…")
    taken = one_after_another(phones, sayings, _by_voice, deadline.part(260))
    report_turns(report, "voice", taken, len(sayings))
    _say(f"{len(sayings)} turns by text…")
    taken = one_after_another(phones, sayings, _by_text, deadline.part(120))
    report_turns(report, "text", taken, len(sayings))

    for kind, say, each in (("text", _by_text, 8), ("voice", _by_voice, 4)):
        each = 1 if quick else each
        _say(f"{PEOPLE_AT_ONCE} people at once, by {kind}…")
        crowd, seconds = all_at_once(phones, sayings, say, each, deadline.part(80))
        report_crowd(report, kind, crowd, seconds, each * min(PEOPLE_AT_ONCE, len(phones)))

    figures, counted = memory_figures(stack.children())
    report.add(figures)
    report.conditions["memory"] = f"{counted} with children, after all turns"
    report.conditions["recognizer"] = _recognizer(stack)


def _measure_telegram(
    report: Report, stack: Stack, telegram: BotApi, deadline: Deadline, quick: bool
) -> None:
    sayings = read_said()[: 4 if quick else 24]
    # Anew, for no sentence may be spoken before.
    warm_start(stack)
    _say(f"{len(sayings)} voice notes by Telegram…")
    measure_voice_notes(report, stack, telegram, sayings, FOLDER / "said", deadline.part(120))


def _by_text(phone: Phone, said: Said) -> Taken:
    return phone.type(said.says)


def _by_voice(phone: Phone, said: Said) -> Taken:
    return phone.speak(recording_of(FOLDER / "said", said.says).read_bytes())


def _recognizer(stack: Stack) -> str:
    """Which ears heard the turns."""
    with stack.village.reading() as session:
        engines = session.scalars(select(Turn.engine).where(Turn.engine != "").distinct())
        return ", ".join(sorted(engines))


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few turns, to try the bench itself")
    return parser.parse_args()


_BEGAN = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:5.0f} s] {line}", flush=True)


if __name__ == "__main__":
    main()
