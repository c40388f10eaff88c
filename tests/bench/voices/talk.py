"""One elder with one goal talks to the running 小帮 until it is done or she gives up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from actions.timebank import members
from actions.timebank.ids import TurnId
from actions.timebank.model import Turn
from actions.timebank.states import TurnOutcome
from bot.nlu.sounds import syllables
from tests.bench.turns import Phone, Taken
from tests.bench.voices import checks
from tests.bench.voices.elder import ASKS_AGAIN, Elder, Said
from tests.bench.voices.goals import TURNS, Goal
from tests.bench.voices.speech import Condition, Recordings, seed_of
from tests.bench.voices.village import Beginning, broken_promises, prepare
from tests.e2e.stack import Stack
from voice import codec
from voice.numerals import spoken_numbers

_CHARACTER = re.compile(r"\w")


@dataclass(frozen=True)
class Spoken:
    """One turn: what she said, what was heard, what was answered."""

    said: str
    """Empty when she was silent."""
    recording: Path
    heard: str
    intent: str
    reply: str
    outcome: str
    seconds: float
    """From her first word to the end of the answer, spoken at her own pace."""

    @property
    def repairs(self) -> bool:
        """Whether she was asked to say it again."""
        return self.outcome == TurnOutcome.REPAIRED.value or bool(ASKS_AGAIN.search(self.reply))


class End(Enum):
    """How a talk ended."""

    REACHED = "reached"
    BELIEVED = "wrongly believed done"
    STAFF = "left to the staff"
    GAVE_UP = "given up"


@dataclass(frozen=True)
class Outcome:
    """What came of one goal in one condition."""

    goal: Goal
    condition: Condition
    end: End
    why: str = ""
    """What was missing, in words; empty when it was reached."""
    notices: Sequence[str] = ()
    """What she was told before she spoke."""
    turns: Sequence[Spoken] = ()

    @property
    def reached(self) -> bool:
        return self.end is End.REACHED

    @property
    def minutes(self) -> float:
        return sum(turn.seconds for turn in self.turns) / 60

    @property
    def repairs(self) -> int:
        return sum(turn.repairs for turn in self.turns)


Judge = Callable[[], Sequence[str]]
"""What is still missing."""
Speak = Callable[[Said], Spoken]


def hold_talk(elder: Elder, speak: Speak, judge: Judge) -> tuple[list[Spoken], End, Sequence[str]]:
    """All turns, how it ended, and what is missing of the goal: nothing when it is reached."""
    turns: list[Spoken] = []
    said: Said | None = elder.opens()
    missing: Sequence[str] = []
    while said is not None and len(turns) < TURNS:
        turns.append(speak(said))
        missing = judge() or (["she had more to say"] if elder.has_more_to_say else [])
        if not missing:
            return turns, End.REACHED, []
        said = elder.answers(turns[-1].reply)
    if said is not None:
        return turns, End.GAVE_UP, missing
    return turns, End.BELIEVED if elder.is_content(turns[-1].reply) else End.STAFF, missing


class Conversations:
    """Runs goals one after the other, each in the village as it was at first."""

    def __init__(self, stack: Stack, beginning: Beginning, recordings: Recordings) -> None:
        self._stack = stack
        self._beginning = beginning
        self._recordings = recordings

    def not_built(self, goal: Goal) -> str:
        """What the goal needs and the village's database does not have; empty when all is there."""
        with self._stack.village.reading() as session:
            return checks.missing(session, goal.done)

    def run(self, goal: Goal, condition: Condition) -> Outcome:
        """Raises httpx.HTTPError when the stack is away, VoiceError when nothing can be said."""
        self._beginning.again()
        with self._stack.village.transaction() as session:
            prepare(session, goal, self._stack.village.clock())
        name = goal.persona.name
        notices = [notice["text"] for notice in self._stack.notices(name)]
        phone = Phone(self._stack, name)
        variant = 0 if condition is Condition.CLEAN else seed_of(goal.name, condition.value)
        turns, end, missing = hold_talk(
            Elder(goal, variant),
            lambda said: self._speak(phone, goal, said, condition),
            lambda: self._missing(goal),
        )
        return Outcome(goal, condition, end, "; ".join(missing), notices, turns)

    def _speak(self, phone: Phone, goal: Goal, said: Said, condition: Condition) -> Spoken:
        # By now she has heard the last answer; it is not made while she is heard.
        phone.listen()
        if said.words:
            recording = self._recordings.said(goal.persona, said.words, condition, said.again)
        else:
            recording = self._recordings.silence(goal.persona, said.silence, condition)
        sound = recording.read_bytes()
        taken = phone.speak(sound)
        lasted = codec.decode(sound, shortest_seconds=0).seconds
        return self._recorded(goal, said, recording, taken, lasted)

    def _recorded(
        self, goal: Goal, said: Said, recording: Path, taken: Taken, lasted: float
    ) -> Spoken:
        """The turn as the database knows it, with the time it took of her life."""
        member_id = self._stack.member(goal.persona.name)
        with self._stack.village.reading() as session:
            row = session.get(Turn, TurnId(f"talk:{member_id}:{taken.turn_id}"))
            pace = members.member(session, member_id).pace
            heard, intent = (row.heard, row.intent) if row else ("", "")
        return Spoken(
            said=said.words,
            recording=recording,
            heard=heard,
            intent=intent,
            reply=taken.reply,
            outcome=taken.outcome,
            seconds=lasted + taken.whole_ms / 1000 + listening_seconds(taken.reply, pace),
        )

    def _missing(self, goal: Goal) -> Sequence[str]:
        with self._stack.village.reading() as session:
            return checks.unmet(session, goal.done) + broken_promises(session)


def listening_seconds(reply: str, pace: int) -> float:
    """How long it takes to hear a reply at so many 字 a minute."""
    return len(_characters(reply)) * 60 / pace


def character_errors(said: str, heard: str) -> tuple[int, int]:
    """How many characters must change to make of what was heard what was said, and how many were
    said. Marks do not count, and 9点 is 九点."""
    return _edits(_characters(said), _characters(heard))


def syllable_errors(said: str, heard: str) -> tuple[int, int]:
    """The same in syllables without tones: what an understanding by sound has to bear."""
    return _edits(*(syllables("".join(_characters(words))) for words in (said, heard)))


def _characters(words: str) -> list[str]:
    return _CHARACTER.findall(spoken_numbers(words))


def _edits(wanted: Sequence[str], got: Sequence[str]) -> tuple[int, int]:
    row = list(range(len(got) + 1))
    for at, character in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], at
        for column, other in enumerate(got, start=1):
            best = min(diagonal + (character != other), row[column] + 1, row[column - 1] + 1)
            diagonal, row[column] = row[column], best
    return row[-1], len(wanted)
