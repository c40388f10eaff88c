"""Turns through `POST /api/turn`, one person after another and eight people at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.deadline import Deadline
from tests.bench.recordings import Said
from tests.bench.report import Report
from tests.e2e.stack import Stack

PEOPLE_AT_ONCE = 8
Say = Callable[["Phone", Said], "Taken"]


@dataclass(frozen=True)
class Taken:
    """One turn as the person with the phone lived it."""

    outcome: str
    answer_ms: float
    """From sending to the written answer."""
    stage_ms: Mapping[str, float]
    """As the turn handler measured them."""
    first_audio_ms: float | None = None
    """From the written answer to the first spoken sentence; None when it was not asked for."""
    turn_id: str = ""
    reply: str = ""

    @property
    def whole_ms(self) -> float:
        return self.answer_ms + (self.first_audio_ms or 0.0)

    @property
    def other_ms(self) -> float:
        """What is neither hearing nor dialogue: the network, the form, storing the turn."""
        return self.answer_ms - self.stage_ms.get("hear", 0.0) - self.stage_ms.get("dialogue", 0.0)


class Phone:
    """One member's talk page: sends what is said and fetches what is answered."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._web = httpx.Client(
            base_url=stack.settings.address,
            headers={"Authorization": f"Bearer {stack.token(name)}"},
            timeout=90,
            trust_env=False,
        )
        self._unheard: list[str] = []

    def type(self, words: str) -> Taken:
        """Until the written answer is there. Raises httpx.HTTPError."""
        return self._send(data={"text": words})

    def speak(self, recording: bytes) -> Taken:
        """Until the first spoken sentence of the answer is there. Raises httpx.HTTPError."""
        taken = self._send(files={"audio": ("said.ogg", recording, "audio/ogg")})
        if not self._unheard:
            return taken
        began = time.perf_counter()
        self._fetch(self._unheard.pop(0))
        return replace(taken, first_audio_ms=_milliseconds_since(began))

    def listen(self) -> None:
        """Fetches what is still to be heard, as a person listens before speaking again."""
        while self._unheard:
            self._fetch(self._unheard.pop(0))

    def _send(self, data: Mapping[str, str] | None = None, **body: Any) -> Taken:
        began = time.perf_counter()
        fields = {"turn_id": uuid4().hex, **(data or {})}
        reply = self._web.post("/api/turn", data=fields, **body)
        answer_ms = _milliseconds_since(began)
        reply.raise_for_status()
        answer = reply.json()
        self._unheard = list(answer["audio_parts"])
        return Taken(
            answer["outcome"],
            answer_ms,
            answer["stage_ms"],
            turn_id=answer["turn_id"],
            reply=answer["reply"],
        )

    def _fetch(self, part: str) -> None:
        self._web.get(part).raise_for_status()


def phones_of(stack: Stack, sayings: Iterable[Said]) -> dict[str, Phone]:
    """A phone for everybody who says something, in the order of speaking."""
    return {name: Phone(stack, name) for name in dict.fromkeys(one.who for one in sayings)}


def one_after_another(
    phones: Mapping[str, Phone], sayings: Sequence[Said], say: Say, deadline: Deadline
) -> list[Taken]:
    """Every answer is heard to its end before the next turn, so that each finds a quiet house."""
    taken = []
    for one in sayings:
        if deadline.over:
            break
        phone = phones[one.who]
        taken.append(say(phone, one))
        phone.listen()
    return taken


def all_at_once(
    phones: Mapping[str, Phone], sayings: Sequence[Said], say: Say, each: int, deadline: Deadline
) -> tuple[list[Taken], float]:
    """The first eight people speak at once, `each` so many turns without a pause. Gives the turns
    and the seconds until the last answer."""
    people = list(phones)[:PEOPLE_AT_ONCE]
    start = Barrier(len(people))

    def talk(name: str) -> tuple[list[Taken], float, float]:
        own = [one for one in sayings if one.who == name]
        start.wait()
        began, taken = time.monotonic(), []
        for turn in range(each):
            if deadline.over:
                break
            taken.append(say(phones[name], own[turn % len(own)]))
        return taken, began, time.monotonic()

    with ThreadPoolExecutor(len(people)) as crowd:
        talks = list(crowd.map(talk, people))
    for name in people:
        phones[name].listen()
    seconds = max(ended for _, _, ended in talks) - min(began for _, began, _ in talks)
    return [turn for taken, _, _ in talks for turn in taken], seconds


def report_turns(report: Report, kind: str, taken: Sequence[Taken], wanted: int) -> None:
    """Adds the times of turns taken one after another. `kind` is text or voice."""
    report.add_times(f"{kind}_turn", [turn.whole_ms for turn in taken])
    _report_outcomes(report, f"{kind}_turns", taken, wanted)
    if kind == "voice":
        for stage in ("hear", "dialogue"):
            report.add_times(stage, [t.stage_ms[stage] for t in taken if stage in t.stage_ms])
        report.add_times("other", [turn.other_ms for turn in taken])
        spoken = [turn.first_audio_ms for turn in taken if turn.first_audio_ms is not None]
        report.add_times("first_audio", spoken)


def report_crowd(
    report: Report, kind: str, taken: Sequence[Taken], seconds: float, wanted: int
) -> None:
    """Adds how many turns a second eight people got, and how long each of them waited."""
    if taken:
        report.add({f"{kind}_turns_per_second": len(taken) / seconds}, digits=2)
    report.add_times(f"{kind}_turn_8_people", [turn.whole_ms for turn in taken])
    _report_outcomes(report, f"{kind}_turns_8_people", taken, wanted)


def _report_outcomes(report: Report, name: str, taken: Sequence[Taken], wanted: int) -> None:
    outcomes = [turn.outcome for turn in taken]
    # A failed or repaired turn is quick: without this the times would flatter.
    report.conditions[name] = {one: outcomes.count(one) for one in sorted(set(outcomes))}
    if len(taken) < wanted:
        report.skipped[name] = f"{len(taken)} of {wanted} turns: the time was up"


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
