"""What was said, what it set off, and what is still to be told."""

from __future__ import annotations

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.states import (
    AlertKind,
    AlertState,
    NoticeState,
    TurnOutcome,
)


class Alert(Base):
    """An emergency or a missed check-in, with who took it."""

    __tablename__ = "alert"
    id = Column(Integer, primary_key=True)
    kind = Column(Choice(AlertKind), nullable=False)
    state = Column(Choice(AlertState), nullable=False, default=AlertState.RAISED, index=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    words = Column(Text, nullable=False, default="", server_default="")
    turn_id = Column(String(120), nullable=False, unique=True)
    raised_at = Column(AwareDateTime, nullable=False)
    taken_by_id = Column(ForeignKey("member.id"))
    taken_at = Column(AwareDateTime)
    closed_at = Column(AwareDateTime)
    member = relationship(Member, foreign_keys=[member_id])
    taken_by = relationship(Member, foreign_keys=[taken_by_id])
    __table_args__ = (one_of("kind", AlertKind), one_of("state", AlertState))


class AlarmQuestion(Base):
    """Words that may have been a cry for help, about which the member was asked once."""

    __tablename__ = "alarm_question"
    turn_id = Column(String(120), primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    words = Column(Text, nullable=False)
    asked_at = Column(AwareDateTime, nullable=False)
    settled_at = Column(AwareDateTime)
    """When it was answered, or people were called because it was not."""
    __table_args__ = (
        Index(
            "uq_alarm_question_one_open",
            "member_id",
            unique=True,
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )


class Notice(Base):
    """An outbox message, queued in the same transaction as what it tells of.

    `kind` names the response `utter_notice_<kind>`; `facts` fill it (ISO datetimes, minutes,
    names, enum values).
    """

    __tablename__ = "notice"
    id = Column(Integer, primary_key=True)
    recipient_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    kind = Column(String(40), nullable=False)
    facts = Column(JSON, nullable=False, default=dict)
    state = Column(Choice(NoticeState), nullable=False, default=NoticeState.QUEUED, index=True)
    dedupe_key = Column(String(160), nullable=False, unique=True)
    created_at = Column(AwareDateTime, nullable=False)
    delivered_at = Column(AwareDateTime)
    recipient = relationship(Member)
    __table_args__ = (
        one_of("state", NoticeState),
        # What the staff were told of lately, among all that anybody was told.
        Index("ix_notice_kind", "kind", "created_at"),
    )


class Deed(Base):
    """What one action did in one turn and answered; see `deeds`."""

    __tablename__ = "deed"
    turn_id = Column(String(120), primary_key=True)
    action = Column(String(60), primary_key=True)
    messages = Column(JSON, nullable=False)
    events = Column(JSON, nullable=False)
    done_at = Column(AwareDateTime, nullable=False, index=True)


class Turn(Base):
    """One utterance and its answer, as staff review it. Personal data."""

    __tablename__ = "turn"
    id = Column(String(120), primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    channel = Column(String(20), nullable=False)
    outcome = Column(Choice(TurnOutcome), nullable=False, default=TurnOutcome.BEGUN)
    code = Column(String(40), nullable=False, default="", server_default="")
    """Which failure or refusal it was; empty when answered."""
    recording_path = Column(String(240))
    """Relative to the recordings folder; None for typed text."""
    recording_sha256 = Column(String(64))
    heard = Column(Text, nullable=False, default="", server_default="")
    heard_confidence = Column(Float)
    engine = Column(String(40), nullable=False, default="", server_default="")
    intent = Column(String(40), nullable=False, default="", server_default="")
    intent_confidence = Column(Float)
    entities = Column(JSON, nullable=False, default=list)
    reply = Column(Text, nullable=False, default="", server_default="")
    buttons = Column(JSON, nullable=False, default=list)
    stage_ms = Column(JSON, nullable=False, default=dict)
    began_at = Column(AwareDateTime, nullable=False, index=True)
    ended_at = Column(AwareDateTime)
    member = relationship(Member)
    __table_args__ = (
        one_of("outcome", TurnOutcome),
        # What cites a turn as somebody's word cites it with the member, see `Delegation`.
        Index("uq_turn_of_member", "id", "member_id", unique=True),
        # What staff look for, newest first.
        Index("ix_turn_member_id_began_at", "member_id", "began_at"),
        Index("ix_turn_outcome_began_at", "outcome", "began_at"),
        Index("ix_turn_intent_began_at", "intent", "began_at"),
    )
