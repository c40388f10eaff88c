"""The figures of a run: how many goals were reached, and what it cost the elders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median

from tests.bench.report import Report
from tests.bench.voices.goals import Goal
from tests.bench.voices.speech import DEGRADED, Condition
from tests.bench.voices.talk import End, Outcome, character_errors, syllable_errors

Of = Callable[[Sequence[float]], float]
Errors = Callable[[str, str], tuple[int, int]]
Plan = Sequence[tuple[Goal, Condition]]
MEANING = {
    "goals_reached": "share of the talks in which the village's database held what was wanted",
    "repair_turns": "how often in a talk she was asked to say it again, reached or not",
    "turns": "of the goals that were reached",
    "minutes_to_done": "of the goals that were reached: her recordings, waiting, and hearing the "
    "whole answer at her own pace",
    "believed_in_vain": "share of the talks after which she wrongly believed that it was done",
    "left_to_staff": "share of the talks that ended with a promise that a person will call back",
    "recognizer_cer": "characters that were misheard, over all turns with words",
    "recognizer_ser": "the same in syllables, whatever the character",
    "voices": "the project's own voice with another pace and pitch: easier than real elders",
}


def plan_of(goals: Sequence[Goal], conditions: Sequence[Condition]) -> Plan:
    """Every goal in each of the conditions; without any, once clean and once in a degraded one
    that changes from goal to goal. All goals in one before any in the next, so that a run that
    is cut short has tried as many goals as it could."""
    if conditions:
        return [(goal, condition) for condition in conditions for goal in goals]
    turning = [(goal, DEGRADED[at % len(DEGRADED)]) for at, goal in enumerate(goals)]
    return [(goal, Condition.CLEAN) for goal in goals] + turning


def add_figures(report: Report, outcomes: Sequence[Outcome]) -> None:
    """Adds what was measured; what nothing was measured for is left out, with the reason."""
    report.conditions.update(MEANING)
    groups: dict[str, Sequence[Outcome]] = {"goals_reached": outcomes}
    for condition in Condition:
        groups[f"goals_reached_{condition.value}"] = [
            one for one in outcomes if one.condition is condition
        ]
    groups["emergencies_reached"] = [one for one in outcomes if one.goal.emergency]
    for name, group in groups.items():
        _add(report, name, fmean, [one.reached for one in group])
    report.conditions["talks"] = {name: len(group) for name, group in groups.items() if group}
    reached = [one for one in outcomes if one.reached]
    repairs = [one.repairs for one in outcomes]
    _add(report, "repair_turns_median", median, repairs)
    _add(report, "repair_turns_mean", fmean, repairs)
    _add(report, "turns_median", median, [len(one.turns) for one in reached])
    _add(report, "minutes_to_done_median", median, [one.minutes for one in reached])
    _add(report, "believed_in_vain", fmean, [one.end is End.BELIEVED for one in outcomes])
    _add(report, "left_to_staff", fmean, [one.end is End.STAFF for one in outcomes])
    for name, count in (("cer", character_errors), ("ser", syllable_errors)):
        for sort, group in (("", outcomes), ("_clean", groups["goals_reached_clean"])):
            errors, said = _misheard(group, count)
            if said:
                report.add({f"recognizer_{name}{sort}": errors / said}, digits=4)


def add_not_run(report: Report, left: Plan, not_built: Mapping[str, str]) -> None:
    """`left` is what there was no time for, `not_built` why a goal cannot be reached yet."""
    report.add({"goals_not_run": len(left), "goals_not_built": len(not_built)}, digits=0)
    for goal, condition in left:
        report.skipped[f"{goal.name}, {condition.value}"] = "no time was left"
    report.skipped.update(not_built)


def _add(report: Report, name: str, of: Of, values: Sequence[float]) -> None:
    if values:
        report.add({name: of(values)}, digits=3)
    else:
        report.skipped[name] = "there was nothing to count"


def _misheard(outcomes: Iterable[Outcome], errors: Errors) -> tuple[int, int]:
    """How much was wrong, and how much was said."""
    turns = [turn for one in outcomes for turn in one.turns if turn.said]
    counted = [errors(turn.said, turn.heard) for turn in turns]
    return sum(wrong for wrong, _ in counted), sum(said for _, said in counted)
