"""What was really said and meant, as staff know it, and what of it may be trained on.

Whoever corrects writes a version; a second person lets it into the training, without what would
tell who somebody is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import and_, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, joinedload

from actions.timebank import members
from actions.timebank.errors import BadCorrection, ChangedMeanwhile, NothingOpen, WrongState
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Correction, Member, TrainingDecision, Turn
from actions.timebank.staff.accounts import require, second_person
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    TrainingState,
)
from actions.timebank.staff.writing import written
from actions.timebank.states import ServiceKind

INTENTS = (
    *("request_help", "cancel_request", "change_request", "check_request_status"),
    *("confirm_service", "report_no_show", "complain", "rate_service"),
    *("check_balance", "explain_history", "transfer_time"),
    *("emergency", "report_wellbeing", "ask_policy", "set_reminder"),
    *("offer_help", "list_tasks", "accept_task", "decline_task", "start_task", "complete_task"),
    *("affirm", "deny", "unsure", "inform"),
    *("repeat", "slow_down", "louder", "stop", "go_back", "talk_to_human"),
    *("consent_recording", "revoke_recording"),
    *("greet", "goodbye", "thank", "chitchat", "out_of_scope"),
)
"""All that can be meant, as in the domain; what belongs together stands together."""
SERVICE_KIND = "service_kind"
ENTITIES = (
    *(SERVICE_KIND, "symptom", "when", "duration_minutes", "amount_minutes"),
    *("person", "place", "rating", "reason"),
)
LONGEST_SAID = 300
MOST_ENTITIES = 8
NUMBER = re.compile(r"\d[\d\s-]{3,}\d|[零〇一二两三四五六七八九幺]{5,}")
"""So many digits in a row are somebody's: a telephone, an identity card, a door."""


Entity = Mapping[str, str]
"""`entity`, the `text` in what was said, and its `value`."""


@dataclass(frozen=True)
class TrainingSentence:
    said: str
    intent: str
    entities: Sequence[Entity]


def correct(
    session: Session,
    *,
    turn_id: TurnId,
    by: MemberId,
    said: str,
    intent: str,
    entities: Sequence[Entity],
    seen_version: int,
    now: datetime,
) -> Correction:
    """Writes the next version of what was said in a turn. `seen_version` is the one that `by` had
    before him, 0 when there was none. The same again changes nothing.

    Raises NotYours, NothingOpen, NothingWritten, BadCorrection, and ChangedMeanwhile when another
    has written a version since."""
    require(session, by, Permission.CORRECT_CONVERSATIONS, now=now)
    if session.get(Turn, turn_id) is None:
        raise NothingOpen(f"no turn {turn_id}")
    said = written(said, longest=LONGEST_SAID)
    if intent not in INTENTS:
        raise BadCorrection(f"no intent {intent}", field="intent")
    meant = _checked(entities, said)
    last = newest(session, turn_id)
    if last is not None and last.version != seen_version:
        raise ChangedMeanwhile("another version", by=last.by.name, at=last.at)
    if last is not None and (last.said, last.intent, last.entities) == (said, intent, meant):
        return last
    version = Correction(
        turn_id=turn_id,
        version=seen_version + 1 if last is not None else 1,
        said=said,
        intent=intent,
        entities=meant,
        by_id=by,
        at=now,
    )
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as late:
        raise ChangedMeanwhile("another version at the same moment") from late
    return version


def newest(session: Session, turn_id: TurnId) -> Correction | None:
    """The version that counts."""
    return next(iter(versions(session, [turn_id])), None)


def versions(session: Session, turns: Sequence[str]) -> Sequence[Correction]:
    """Everything that was ever written about these turns, the newest first."""
    written_before = (
        select(Correction)
        .where(Correction.turn_id.in_(list(turns)))
        .options(joinedload(Correction.by), joinedload(Correction.decision))
        .order_by(Correction.version.desc(), Correction.id.desc())
    )
    return list(session.execute(written_before).scalars())


# -- training ------------------------------------------------------------------------------------


def waiting(session: Session, *, limit: int = 50) -> Sequence[Correction]:
    """What nobody has decided on yet, the oldest first; only the newest version of each turn."""
    later = aliased(Correction)
    undecided = (
        select(Correction)
        .outerjoin(TrainingDecision, TrainingDecision.correction_id == Correction.id)
        .outerjoin(
            later, and_(later.turn_id == Correction.turn_id, later.version > Correction.version)
        )
        .where(TrainingDecision.correction_id.is_(None), later.id.is_(None))
        .options(joinedload(Correction.by), joinedload(Correction.turn))
        .order_by(Correction.id)
    )
    return list(session.execute(undecided.limit(limit)).scalars())


def accept(
    session: Session, *, correction_id: int, by: MemberId, said: str, now: datetime
) -> TrainingDecision:
    """`by`, who did not write it, lets the sentence into the training as `said`: he may have taken
    names out.

    Raises NotYours, SamePerson, NothingOpen, NothingWritten, WrongState when it is decided on,
    ChangedMeanwhile when there is a newer version; so does `refuse`."""
    correction = _undecided(session, correction_id, by, now)
    said = written(said, longest=LONGEST_SAID)
    return _decided(session, correction, TrainingState.ACCEPTED, by, said, now)


def refuse(session: Session, *, correction_id: int, by: MemberId, now: datetime) -> None:
    """It is not trained on; the correction itself stays."""
    correction = _undecided(session, correction_id, by, now)
    _decided(session, correction, TrainingState.REFUSED, by, "", now)


def withdraw(session: Session, *, correction_id: int, by: MemberId, now: datetime) -> None:
    """Takes an accepted sentence out of the next training; whoever reviews training may, also who
    wrote it. Raises NotYours, NothingOpen."""
    require(session, by, Permission.REVIEW_TRAINING, now=now)
    decision = None
    if 0 < correction_id <= members.LARGEST_ID:
        decision = session.get(TrainingDecision, correction_id, with_for_update=True)
    if decision is None or decision.state is not TrainingState.ACCEPTED:
        raise NothingOpen(f"correction {correction_id} is not trained on")
    decision.state = TrainingState.WITHDRAWN
    session.flush()


def accepted(session: Session) -> Sequence[Correction]:
    """What is trained on, with its decision: the newest accepted version of each turn, unless a
    newer one was withdrawn."""
    decided = (
        select(Correction.turn_id, func.max(Correction.version).label("version"))
        .join(TrainingDecision, TrainingDecision.correction_id == Correction.id)
        .where(TrainingDecision.state.in_((TrainingState.ACCEPTED, TrainingState.WITHDRAWN)))
        .group_by(Correction.turn_id)
        .subquery()
    )
    counting = (
        select(Correction)
        .join(
            decided,
            and_(decided.c.turn_id == Correction.turn_id, decided.c.version == Correction.version),
        )
        .join(TrainingDecision, TrainingDecision.correction_id == Correction.id)
        .where(TrainingDecision.state == TrainingState.ACCEPTED)
        .options(joinedload(Correction.decision), joinedload(Correction.by))
        .order_by(Correction.id)
    )
    return list(session.execute(counting).scalars())


def training_sentences(session: Session) -> Sequence[TrainingSentence]:
    """The accepted sentences, each once, in a fixed order."""
    sentences = {
        (one.intent, one.decision.said): TrainingSentence(
            said=one.decision.said,
            intent=one.intent,
            entities=[part for part in one.entities if part["text"] in one.decision.said],
        )
        for one in accepted(session)
    }
    return [sentences[key] for key in sorted(sentences)]


def personal_details(session: Session, texts: Sequence[str]) -> list[list[str]]:
    """For each text what may tell who somebody is: members' names and nicknames, long numbers."""
    names = {
        form
        for name, nickname in session.execute(select(Member.name, Member.nickname))
        for form in (name, name[1:], nickname or "")
        if len(form) > 1
    }
    longest_first = sorted(names, key=lambda form: (-len(form), form))
    found = []
    for text in texts:
        told = [form for form in longest_first if form in text]
        # 张秀英 is enough, without 秀英.
        apart = [one for one in told if not any(one != other and one in other for other in told)]
        found.append([*apart, *NUMBER.findall(text)])
    return found


def _checked(entities: Sequence[Entity], said: str) -> list[dict[str, str]]:
    """Each is a part of what was said, of a kind that exists."""
    checked = []
    for one in entities[:MOST_ENTITIES]:
        entity, text, value = one["entity"], written(one["text"]), one.get("value", "")
        if entity not in ENTITIES:
            raise BadCorrection(f"no entity {entity}", field="entity")
        if text not in said:
            raise BadCorrection(f"{text} was not said", field="entity_text", text=text)
        if entity == SERVICE_KIND and value not in {kind.value for kind in ServiceKind}:
            raise BadCorrection(f"no kind of help {value}", field="entity_value", text=text)
        kept = value if entity == SERVICE_KIND else text
        checked.append({"entity": entity, "text": text, "value": kept})
    return checked


def _undecided(session: Session, correction_id: int, by: MemberId, now: datetime) -> Correction:
    require(session, by, Permission.REVIEW_TRAINING, now=now)
    known = 0 < correction_id <= members.LARGEST_ID
    correction = session.get(Correction, correction_id) if known else None
    if correction is None:
        raise NothingOpen(f"no correction {correction_id}")
    second_person(correction.by_id, by)
    last = newest(session, TurnId(correction.turn_id))
    if last is not None and last.id != correction.id:
        raise ChangedMeanwhile("a newer version", by=last.by.name, at=last.at)
    decision = session.get(TrainingDecision, correction_id)
    if decision is not None:
        raise WrongState("decided on", state=decision.state.value)
    return cast(Correction, correction)


def _decided(
    session: Session,
    correction: Correction,
    state: TrainingState,
    by: MemberId,
    said: str,
    now: datetime,
) -> TrainingDecision:
    decision = TrainingDecision(
        correction_id=correction.id,
        written_by_id=correction.by_id,
        state=state,
        said=said,
        by_id=by,
        at=now,
    )
    try:
        with session.begin_nested():
            session.add(decision)
    except IntegrityError as late:
        raise WrongState("decided on at the same moment", state=state.value) from late
    session.expire(correction, ["decision"])
    return decision
