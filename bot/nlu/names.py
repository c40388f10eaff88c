"""Members' names in an utterance, from the live village, as spelled or as they sound."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby
from typing import List, Optional, Sequence, Tuple

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from actions.timebank.model import Member
from actions.timebank.session import open_engine
from bot.nlu.sounds import folded, little_words

FRESH_SECONDS = 30.0
"""How long the list of names is kept before it is read again."""


@dataclass(frozen=True)
class HeardName:
    member_name: str
    start: int
    end: int


@dataclass(frozen=True)
class _Form:
    """One way in which a member is called."""

    sounds: Tuple[str, ...]
    form: str
    member_name: str


class NameFinder:
    """Knows everybody's name, given name (秀英) and nickname (二丫她娘) without retraining."""

    def __init__(self, database_url: Optional[str]) -> None:
        self._engine = open_engine(database_url) if database_url else None
        self._read_at = float("-inf")
        self._names: List[_Form] = []

    def find(self, text: str) -> Sequence[HeardName]:
        """Names in the order said; of two that overlap the longer one. Where several members sound
        like what was said, each of them, unless just one is spelled so."""
        sounds = tuple(folded(text))
        taken: List[HeardName] = []
        for spoken, forms in groupby(self._known(), key=lambda known: known.sounds):
            alike = list(forms)
            for start in range(len(sounds) - len(spoken) + 1):
                end = start + len(spoken)
                free = all(end <= other.start or start >= other.end for other in taken)
                if sounds[start:end] == spoken and free:
                    heard = text[start:end]
                    meant = [known for known in alike if known.form == heard] or [
                        known for known in alike if _may_be_misheard(known.form, heard)
                    ]
                    names = {known.member_name for known in meant}
                    taken += [HeardName(name, start, end) for name in sorted(names)]
        return sorted(taken, key=lambda heard: heard.start)

    def _known(self) -> List[_Form]:
        if self._engine is not None and time.monotonic() - self._read_at > FRESH_SECONDS:
            self._read_at = time.monotonic()
            try:
                with self._engine.connect() as connection:
                    rows = connection.execute(
                        select(Member.name, Member.nickname).where(Member.left_at.is_(None))
                    ).all()
            except SQLAlchemyError:
                # Training happens before there is a database: no names are known yet. Later one
                # that is busy for a moment makes nobody a stranger.
                return self._names
            spoken = {(form, name) for name, nickname in rows for form in _forms(name, nickname)}
            self._names = sorted(
                (_Form(tuple(folded(form)), form, name) for form, name in spoken),
                key=lambda known: (-len(known.sounds), known.sounds),
            )
        return self._names


def _may_be_misheard(form: str, heard: str) -> bool:
    """Of 卖豆腐的顺路 no recognizer made 德顺: a little word stands for none but another."""
    return all(
        known == other or other not in little_words() or known in little_words()
        for known, other in zip(form, heard, strict=True)
    )


def _forms(name: str, nickname: Optional[str]) -> List[str]:
    forms = [name]
    if len(name) == 3:
        forms.append(name[1:])
    if nickname and len(nickname) > 1:
        forms.append(nickname)
    return forms
