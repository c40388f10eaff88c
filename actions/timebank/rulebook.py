"""The village's rules, which rule a question means, and how that is found.

The rules stand in `rulebook.json`, for the village to change. A question is held against each
rule in two ways that can be done by hand: how many of its characters are covered by the rule's
keywords, and how many pairs of neighbouring characters it shares with the rule's own wording.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

RULEBOOK = Path(__file__).with_name("rulebook.json")

SURE_ENOUGH = 2.0
"""One keyword of two characters, or four shared pairs."""
PAIR = 0.5
"""What a shared pair counts against a character of a keyword."""
TOO_COMMON = 4
"""Pairs found in more rules than this tell nothing."""
AS_GOOD = 0.75
"""From this part of the best score on, another rule may have been meant as well."""


@dataclass(frozen=True)
class Rule:
    number: int
    """Counted from one, as the village prints them."""
    id: str
    title: str
    text: str
    asks: Sequence[str]
    """Words by which a question means this rule."""


@dataclass(frozen=True)
class Rulebook:
    version: str
    valid_from: str
    """ISO date."""
    rules: Sequence[Rule]

    def rule(self, number: int) -> Rule | None:
        return self.rules[number - 1] if 1 <= number <= len(self.rules) else None


@lru_cache(maxsize=1)
def village_rules() -> Rulebook:
    """The rulebook as it was when it was first needed; a change wants a restart."""
    return read_rulebook(RULEBOOK.read_text("utf-8"))


def read_rulebook(text: str) -> Rulebook:
    """Raises ValueError for what is no rulebook."""
    try:
        book: dict[str, Any] = json.loads(text)
        rules = [
            Rule(number, one["id"], one["title"], one["text"], tuple(one["asks"]))
            for number, one in enumerate(book["rules"], start=1)
        ]
        rulebook = Rulebook(book["version"], book["valid_from"], rules)
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"no rulebook: {wrong!r}") from wrong
    if len({rule.id for rule in rules}) < len(rules):
        raise ValueError("two rules have one id")
    if not all(word.strip() for rule in rules for word in (rule.title, rule.text, *rule.asks)):
        raise ValueError("a rule or one of its keywords is empty")
    return rulebook


def meant(question: str, book: Rulebook) -> list[Rule]:
    """The rule that the question means: none, one, or the two likeliest when it may be either."""
    scores = sorted(
        ((score(question, rule, _telling_pairs(book)), rule) for rule in book.rules),
        key=lambda scored: (-scored[0], scored[1].number),
    )
    best = scores[0][0] if scores else 0.0
    if best < SURE_ENOUGH:
        return []
    return [rule for points, rule in scores[:2] if points >= best * AS_GOOD]


def score(question: str, rule: Rule, telling: frozenset[str]) -> float:
    """Characters covered by keywords, and `PAIR` for each telling pair that is shared."""
    shared = _pairs(question) & _pairs(rule.title + rule.text) & telling
    return _covered(question, rule.asks) + PAIR * len(shared)


def _covered(question: str, words: Sequence[str]) -> int:
    places: set[int] = set()
    for word in words:
        start = question.find(word)
        while start >= 0:
            places.update(range(start, start + len(word)))
            start = question.find(word, start + 1)
    return len(places)


def _telling_pairs(book: Rulebook) -> frozenset[str]:
    counted = Counter(pair for rule in book.rules for pair in _pairs(rule.title + rule.text))
    return frozenset(pair for pair, count in counted.items() if count <= TOO_COMMON)


def _pairs(text: str) -> set[str]:
    letters = [one for one in text if one.isalnum()]
    return {first + second for first, second in pairwise(letters)}
