"""`make eval-voice`: simulated elders speak into the running 小帮, judged by its database.

Writes `build/eval-voice.json` and `build/eval-voice.html`, with the recordings in
`build/eval-voice/said`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from actions.timebank.model import Turn
from tests.bench.deadline import Deadline
from tests.bench.machine import commit, describe
from tests.bench.report import BUILD, Report
from tests.bench.startup import borrow_trained
from tests.bench.voices.goals import Goal, Persona, read_goals
from tests.bench.voices.page import write_page
from tests.bench.voices.speech import Condition, Recordings, Throat
from tests.bench.voices.summary import Plan, add_figures, add_not_run, plan_of
from tests.bench.voices.talk import Conversations, Outcome
from tests.bench.voices.village import Beginning
from tests.e2e.stack import Stack
from voice.synthesizer import make_synthesizer

FOLDER = BUILD / "eval-voice"
PASSERS_BY = (
    (170, 0.85, "今儿集上的白菜可便宜，你咋不多买两棵回来"),
    (190, 1.12, "妈，我作业写完了，能不能出去玩一会儿"),
    (150, 0.95, "昨晚那出戏唱得真好，下个月还来咱村里唱"),
    (180, 1.0, "收音机里说后半夜要变天，衣裳收了没有"),
)
"""Who is heard in the background: pace, pitch, and what they say."""


def main() -> int:
    given = _given()
    goals = [goal for goal in read_goals() if not given.goals or goal.name in given.goals]
    if not goals:
        print("there is no such goal", file=sys.stderr)
        return 1
    deadline = Deadline(given.minutes * 60)
    FOLDER.mkdir(parents=True, exist_ok=True)
    report = Report(describe(FOLDER), commit())
    stack = Stack(FOLDER / "home")
    borrow_trained(stack.settings)
    _say("Starting 小帮; the first time this trains the understanding…")
    stack.start()
    try:
        outcomes, not_built = _talk(report, stack, goals, given.conditions, deadline)
    finally:
        stack.stop()
    whole = not given.goals and not given.conditions
    name = "eval-voice" if whole else "eval-voice-part"
    report.write(BUILD / f"{name}.json")
    write_page(BUILD / f"{name}.html", report, outcomes, not_built)
    print(f"\n{report.table()}\n\nwritten to build/{name}.json and build/{name}.html")
    return 0


def _talk(
    report: Report,
    stack: Stack,
    goals: Sequence[Goal],
    conditions: Sequence[Condition],
    deadline: Deadline,
) -> tuple[list[Outcome], Mapping[str, str]]:
    """Adds all figures; gives the talks that were held, and why some goals cannot be reached."""
    voice = make_synthesizer(FOLDER / "spoken")
    crowd = [(Persona("路人", pace, pitch), words) for pace, pitch, words in PASSERS_BY]
    recordings = Recordings(FOLDER / "said", Throat(voice, crowd))
    talks = Conversations(stack, Beginning(stack), recordings)
    not_built = {goal.name: why for goal in goals if (why := talks.not_built(goal))}
    plan = plan_of([goal for goal in goals if goal.name not in not_built], conditions)
    outcomes: list[Outcome] = []
    engines: set[str] = set()
    for goal, condition in plan:
        if deadline.over:
            break
        outcomes.append(talks.run(goal, condition))
        _tell(outcomes, plan)
        engines |= _recognizers(stack)
    report.conditions |= {"voice": voice.name, "recognizer": ", ".join(sorted(engines))}
    add_figures(report, outcomes)
    add_not_run(report, plan[len(outcomes) :], not_built)
    return outcomes, not_built


def _recognizers(stack: Stack) -> set[str]:
    with stack.village.reading() as session:
        return set(session.scalars(select(Turn.engine).where(Turn.engine != "").distinct()))


def _tell(outcomes: Sequence[Outcome], plan: Plan) -> None:
    last = outcomes[-1]
    mark = "✓" if last.reached else "✗"
    how = f"{last.condition.value}: {last.end.value}, {len(last.turns)} turns"
    _say(f"{mark} {len(outcomes)}/{len(plan)} {last.goal.name}, {how}")


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.bench.voices", description=__doc__)
    parser.add_argument("--minutes", type=float, default=25, help="at most so long (25)")
    parser.add_argument(
        "--conditions",
        type=Condition,
        nargs="*",
        default=[],
        help="every goal in each of them: " + ", ".join(one.value for one in Condition),
    )
    parser.add_argument("--goals", nargs="*", default=[], help="only these, by name")
    return parser.parse_args()


_BEGAN = time.monotonic()


def _say(line: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:5.0f} s] {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
