"""What a turn set off, read from the rows that carry its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.model import (
    AlarmQuestion,
    AlarmStep,
    Alert,
    Confirmation,
    Consent,
    Deed,
    Delegation,
    Dispute,
    Notice,
    Posting,
    Rating,
    Reminder,
    ServiceRequest,
    Transfer,
    Wellbeing,
)


class EffectKind(str, Enum):
    REQUEST = "request"
    CONFIRMATION = "confirmation"
    TRANSFER = "transfer"
    RATING = "rating"
    DISPUTE = "dispute"
    ALARM = "alarm"
    ALARM_STEP = "alarm_step"
    ALARM_QUESTION = "alarm_question"
    CALL_BACK_ASKED = "call_back_asked"
    REMINDER = "reminder"
    WELLBEING = "wellbeing"
    CONSENT = "consent"
    DELEGATION = "delegation"
    DEED = "deed"
    """Something else that was done, known by the name of its action; kept for a day."""


@dataclass(frozen=True)
class Effect:
    kind: EffectKind
    id: int | None = None
    """Of the request, alarm, dispute… where it has a page of its own."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Enums, minutes, aware datetimes, words."""


def effects_of(session: Session, turns: Sequence[str]) -> dict[str, list[Effect]]:
    """For each of these turns what it set off; those that set off nothing are left out."""
    found: dict[str, list[Effect]] = {}
    for kind, turn_column, id_column, facts in _SOURCES:
        columns = [turn_column, id_column, *facts]
        rows = session.execute(
            select(*columns).where(turn_column.in_(list(turns))).order_by(id_column)
        )
        for turn, its_id, *values in rows:
            told = dict(zip((fact.key for fact in facts), values, strict=True))
            found.setdefault(turn, []).append(Effect(kind, its_id, told))
    for look in (_transfers, _deeds, _calls_for_staff):
        for turn, effect in look(session, turns):
            found.setdefault(turn, []).append(effect)
    return found


_SOURCES: Sequence[tuple[EffectKind, Any, Any, Sequence[Any]]] = (
    (
        EffectKind.REQUEST,
        ServiceRequest.turn_id,
        ServiceRequest.id,
        (
            ServiceRequest.service_kind,
            ServiceRequest.starts_at,
            ServiceRequest.minutes,
            ServiceRequest.state,
        ),
    ),
    (
        EffectKind.CONFIRMATION,
        Confirmation.turn_id,
        Confirmation.id,
        (Confirmation.party, Confirmation.minutes),
    ),
    (EffectKind.RATING, Rating.turn_id, Rating.id, (Rating.stars, Rating.words)),
    (EffectKind.DISPUTE, Dispute.turn_id, Dispute.id, (Dispute.kind, Dispute.state)),
    (EffectKind.ALARM, Alert.turn_id, Alert.id, (Alert.kind, Alert.state)),
    (EffectKind.ALARM_STEP, AlarmStep.turn_id, AlarmStep.alert_id, (AlarmStep.why,)),
    (
        EffectKind.ALARM_QUESTION,
        AlarmQuestion.turn_id,
        AlarmQuestion.member_id,
        (AlarmQuestion.settled_at,),
    ),
    (
        EffectKind.REMINDER,
        Reminder.turn_id,
        Reminder.id,
        (Reminder.words, Reminder.due_at, Reminder.state),
    ),
    (EffectKind.WELLBEING, Wellbeing.turn_id, Wellbeing.id, (Wellbeing.symptoms,)),
    (EffectKind.CONSENT, Consent.turn_id, Consent.id, (Consent.step,)),
    (EffectKind.DELEGATION, Delegation.consent_turn_id, Delegation.id, (Delegation.state,)),
)
DEEDS = (
    *("action_accept_task", "action_decline_task", "action_start_task", "action_offer_help"),
    *("action_cancel_request", "action_change_request"),
    *("action_end_delegation", "action_delete_recordings"),
)
"""Actions that change something without a row that has the turn's id."""


def _transfers(session: Session, turns: Sequence[str]) -> list[tuple[str, Effect]]:
    moved = (
        select(Transfer.turn_id, Transfer.id, Transfer.kind, func.max(Posting.minutes))
        .join(Posting, Posting.transfer_id == Transfer.id)
        .where(Transfer.turn_id.in_(list(turns)))
        .group_by(Transfer.turn_id, Transfer.id, Transfer.kind)
        .order_by(Transfer.id)
    )
    return [
        (turn, Effect(EffectKind.TRANSFER, its_id, {"kind": kind, "minutes": minutes}))
        for turn, its_id, kind, minutes in session.execute(moved)
    ]


def _deeds(session: Session, turns: Sequence[str]) -> list[tuple[str, Effect]]:
    done = select(Deed.turn_id, Deed.action).where(
        Deed.turn_id.in_(list(turns)), Deed.action.in_(DEEDS)
    )
    return [
        (turn, Effect(EffectKind.DEED, None, {"action": action}))
        for turn, action in session.execute(done.order_by(Deed.done_at, Deed.action))
    ]


def _calls_for_staff(session: Session, turns: Sequence[str]) -> list[tuple[str, Effect]]:
    keys = {
        f"{coordinator.id}:staff_call_back:{turn}": turn
        for coordinator in members.coordinators(session)
        for turn in turns
    }
    told = select(Notice.dedupe_key).where(Notice.dedupe_key.in_(list(keys)))
    asked = {keys[key] for key in session.execute(told).scalars()}
    return [(turn, Effect(EffectKind.CALL_BACK_ASKED)) for turn in sorted(asked)]
