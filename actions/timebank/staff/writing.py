"""What staff write, made fit to be kept."""

from __future__ import annotations

import unicodedata

from actions.timebank.errors import NothingWritten

LONGEST = 2000


def clean(words: str) -> str:
    """One line without control characters, at most `LONGEST` characters. What nobody sees would
    only hide something from the next reader."""
    visible = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in words)
    return " ".join(visible.split())[:LONGEST].strip()


def written(words: str, *, longest: int = LONGEST) -> str:
    """The same, and it says something. Raises NothingWritten."""
    kept = clean(words)[:longest].strip()
    if not kept:
        raise NothingWritten("no words")
    return kept
