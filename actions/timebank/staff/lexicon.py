"""The village's own words: places, nicknames, dialect. What a second person has accepted teaches
the speller (see `bot.nlu.spelled`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import members
from actions.timebank.errors import BadCorrection, NothingOpen, WrongState
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Turn, VillageWord
from actions.timebank.staff.accounts import require, second_person
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    TrainingState,
    WordKind,
)
from actions.timebank.staff.writing import clean, written

CHINESE = re.compile(r"[\u4e00-\u9fff]{2,12}")
"""What the speller can learn: single characters stand for too much."""

LIVE = (TrainingState.WAITING, TrainingState.ACCEPTED)


def add(
    session: Session,
    *,
    said: str,
    heard: str,
    kind: WordKind,
    turn_id: TurnId | None,
    by: MemberId,
    now: datetime,
) -> VillageWord:
    """Proposes a word for the lexicon; `heard` is what the machine wrote for it, or empty. The
    same word again is the same row.

    Raises NotYours, NothingOpen for a turn that is not there, NothingWritten, and BadCorrection
    (field `said` or `heard`) for what is no Chinese word or what was heard rightly."""
    require(session, by, Permission.CORRECT_CONVERSATIONS, now=now)
    if turn_id is not None and session.get(Turn, turn_id) is None:
        raise NothingOpen(f"no turn {turn_id}")
    said, heard = written(said), clean(heard)
    for field, word in (("said", said), ("heard", heard or said)):
        if not CHINESE.fullmatch(word):
            raise BadCorrection(f"{word} is no Chinese word", field=field)
    if said == heard:
        raise BadCorrection(f"{heard} was heard rightly", field="heard")
    same = select(VillageWord).where(
        VillageWord.said == said, VillageWord.heard == heard, VillageWord.state.in_(LIVE)
    )
    known = session.execute(same).scalar_one_or_none()
    if known is not None:
        return cast(VillageWord, known)
    word = VillageWord(said=said, heard=heard, kind=kind, turn_id=turn_id, by_id=by, at=now)
    session.add(word)
    session.flush()
    return word


def decide(
    session: Session, *, word_id: int, by: MemberId, state: TrainingState, now: datetime
) -> VillageWord:
    """`by`, who did not write it, accepts or refuses a word, or takes an accepted one out again.

    Raises NotYours, SamePerson, NothingOpen, and WrongState (`state`) for a step that it cannot
    take."""
    require(session, by, Permission.REVIEW_TRAINING, now=now)
    known = 0 < word_id <= members.LARGEST_ID
    word = session.get(VillageWord, word_id, with_for_update=True) if known else None
    if word is None:
        raise NothingOpen(f"no word {word_id}")
    second_person(word.by_id, by)
    withdraws = state is TrainingState.WITHDRAWN
    before = TrainingState.ACCEPTED if withdraws else TrainingState.WAITING
    if word.state is not before or state is TrainingState.WAITING:
        raise WrongState("decided on", state=word.state.value)
    word.state, word.decided_by_id, word.decided_at = state, by, now
    session.flush()
    return cast(VillageWord, word)


def live(session: Session) -> Sequence[VillageWord]:
    """What waits or is trained on, the newest first."""
    words = select(VillageWord).where(VillageWord.state.in_(LIVE))
    return list(
        session.execute(
            words.options(joinedload(VillageWord.by)).order_by(VillageWord.id.desc())
        ).scalars()
    )


def of_turns(session: Session, turns: Sequence[str]) -> Sequence[VillageWord]:
    """The words that were noted at these turns."""
    words = select(VillageWord).where(VillageWord.turn_id.in_(list(turns)))
    return list(session.execute(words.order_by(VillageWord.id)).scalars())


def accepted(session: Session) -> Sequence[str]:
    """The words to train on, each once, in a fixed order."""
    words = select(VillageWord.said).where(VillageWord.state == TrainingState.ACCEPTED)
    return sorted(set(session.execute(words).scalars()))
