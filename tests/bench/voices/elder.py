"""The simulated elder: acts on what 小帮 answers and on nothing else.

She never words anything more cleverly than her goal's file lets her: what the machine does not
understand stays not understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.voices.goals import Goal, Interruption

ASKS_AGAIN = re.compile(
    r"没听清|没听见|没听明白|没听懂|听着不对|再说一遍[，。好]|再说一遍$|靠近一点|出了点毛病|短短地说"
)
"""Replies after which she says the same once more."""
GUESS = re.compile(r"您是想(?P<guess>[^，。？]+)，对吗")
CHOICE = re.compile(r"您(?:是想|问的是|说的是)(?P<first>[^，。？]+)，还是(?P<second>[^，。？]+)？")
ALARM = re.compile(r"您是不是出事了")
STAFF_WILL_CALL = re.compile(r"给您回话|会有人找您|找您办|请您到村里")
"""Replies after which she waits for a person of the village."""


@dataclass(frozen=True)
class Said:
    """What she says, or how long she is silent."""

    words: str = ""
    silence: float = 0.0
    again: int = 0
    """How often she has said the same words before: she says them slower each time."""


class Elder:
    """One person with one goal. `variant` chooses the wording that she begins with."""

    def __init__(self, goal: Goal, variant: int = 0) -> None:
        self._goal = goal
        self._uses: Counter[int] = Counter({_OPENING: variant})
        self._wish = goal.opens
        """What she wants by now: a correction stands in place of what it corrects."""
        self._left = list(goal.interruptions)
        self._turns = 0
        self._times: Counter[str] = Counter()
        self._said = ""
        self._meant = ""
        """What she wanted to say; not what she said while something came in between."""

    @property
    def has_more_to_say(self) -> bool:
        """Whether something that belongs to her goal is still to come."""
        return bool(self._left)

    def opens(self) -> Said:
        return self._say(self._next(_OPENING, self._wish))

    def answers(self, reply: str) -> Said | None:
        """What she says to a reply; None when she believes that all is done, or left to people."""
        for interruption in self._left:
            if self._comes_now(interruption, reply):
                self._left.remove(interruption)
                return self._interrupt(interruption, reply)
        if (not self._left and self.is_content(reply)) or STAFF_WILL_CALL.search(reply):
            return None
        return self._say(self._wanted(reply))

    def is_content(self, reply: str) -> bool:
        """Whether she takes a reply for the end of the matter."""
        return self._goal.content.search(reply) is not None

    def _comes_now(self, interruption: Interruption, reply: str) -> bool:
        if interruption.hears is not None:
            return interruption.hears.search(reply) is not None
        return self._turns >= interruption.after

    def _interrupt(self, interruption: Interruption, reply: str) -> Said:
        if interruption.corrects:
            self._wish = interruption.says
            self._uses[_OPENING] = 0
            return self._say(self._next(_OPENING, self._wish))
        # What she would have answered comes afterwards.
        self._meant = self._wanted(reply)
        self._said = "".join(interruption.says[:1])
        self._turns += 1
        return Said(self._said, interruption.silence)

    def _wanted(self, reply: str) -> str:
        """Her own answers first, then what anybody would answer, and else her wish once more."""
        for number, answer in enumerate(self._goal.answers):
            if answer.asks.search(reply):
                return self._next(number, answer.says)
        if ALARM.search(reply):
            return "要，快叫人" if self._goal.emergency else "不要，我没事"
        guess, choice = GUESS.search(reply), CHOICE.search(reply)
        if guess is not None:
            return "对" if self._goal.means.search(guess["guess"]) else "不是"
        options = [choice["first"], choice["second"]] if choice is not None else []
        for option in options:
            if self._goal.means.search(option):
                return option
        if self._said != self._meant:
            return self._meant
        if ASKS_AGAIN.search(reply):
            return self._in_other_words(self._meant)
        return self._next(_OPENING, self._wish)

    def _in_other_words(self, words: str) -> str:
        """The next wording of the same; the same words where there is no other."""
        for number, wordings in enumerate(
            [self._wish, *(one.says for one in self._goal.answers)], start=_OPENING
        ):
            if words in wordings:
                return self._next(number, wordings)
        return words

    def _next(self, rule: int, wordings: Sequence[str]) -> str:
        words = wordings[self._uses[rule] % len(wordings)]
        self._uses[rule] += 1
        return words

    def _say(self, words: str) -> Said:
        self._turns += 1
        self._said = self._meant = words
        self._times[words] += 1
        return Said(words, again=self._times[words] - 1)


_OPENING = -1
"""The number of the wish itself, where the answers are counted from 0."""
