"""How what was said and what was heard are laid side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.mishearing import misheard

SYLLABLES = st.lists(st.sampled_from(["ma", "mai", "cai", "lai"]), max_size=8)


@pytest.mark.parametrize(
    ("said", "heard", "pairs"),
    [
        ("bang an mai cai", "bang an mai cai", []),
        ("bang an mai cai", "bang an lai cai", [("mai", "lai")]),
        ("bang an mai cai", "bang mai cai", [("an", "")]),
        ("bang mai cai", "bang an mai cai", [("", "an")]),
        ("an mai cai", "mai cai", [("an", "")]),
        ("mai", "mai cai", [("", "cai")]),
        ("mai cai le", "lai cai", [("mai", "lai"), ("le", "")]),
        ("", "hao", [("", "hao")]),
        ("hao", "", [("hao", "")]),
        ("", "", []),
    ],
)
def test_what_differs_is_told_and_what_is_missing_shifts_nothing(
    said: str, heard: str, pairs: list[tuple[str, str]]
) -> None:
    assert sorted(misheard(said.split(), heard.split())) == sorted(pairs)


def edits(said: list[str], heard: list[str]) -> int:
    """Levenshtein's distance, by his definition."""
    if not said or not heard:
        return len(said) + len(heard)
    if said[-1] == heard[-1]:
        return edits(said[:-1], heard[:-1])
    return 1 + min(edits(said[:-1], heard[:-1]), edits(said[:-1], heard), edits(said, heard[:-1]))


@given(SYLLABLES, SYLLABLES)
def test_no_cheaper_alignment_exists(said: list[str], heard: list[str]) -> None:
    pairs = list(misheard(said, heard))

    assert len(pairs) == edits(said, heard)
    assert all(one != other for one, other in pairs)
    # What is missing and what is too many is the difference in length.
    missing = sum(not other for _, other in pairs)
    too_many = sum(not one for one, _ in pairs)
    assert missing - too_many == len(said) - len(heard)
