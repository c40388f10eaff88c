"""What 小帮 keeps for the sake of one person: reminders, her consent, how she has been."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.states import ConsentKind, ConsentStep, ReminderState


class Reminder(Base):
    """Something a member wants to be told at a time. A daily one is a row a day, all of them
    with the turn that asked for it."""

    __tablename__ = "reminder"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    state = Column(Choice(ReminderState), nullable=False, default=ReminderState.WAITING, index=True)
    words = Column(Text, nullable=False)
    due_at = Column(AwareDateTime, nullable=False)
    repeats_daily = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    is_medicine = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    """Whether staff are told when it was never answered."""
    turn_id = Column(String(120), nullable=False)
    created_at = Column(AwareDateTime, nullable=False)
    told_at = Column(AwareDateTime)
    """When it was last told."""
    ended_at = Column(AwareDateTime)
    member = relationship(Member)
    __table_args__ = (
        one_of("state", ReminderState),
        UniqueConstraint("turn_id", "due_at"),
        CheckConstraint("length(trim(words)) > 0", name="words_not_empty"),
        CheckConstraint("state <> 'told' OR told_at IS NOT NULL", name="told_at_a_time"),
        CheckConstraint("(state IN ('waiting', 'told')) = (ended_at IS NULL)", name="ended_once"),
    )


class Consent(Base):
    """One step of a member's consent. Rows never change: the database refuses it."""

    __tablename__ = "consent"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    kind = Column(Choice(ConsentKind), nullable=False)
    step = Column(Choice(ConsentStep), nullable=False)
    delete_before = Column(AwareDateTime)
    """With `revoked`: what was kept until then is to be deleted, too."""
    turn_id = Column(String(120), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        one_of("kind", ConsentKind),
        one_of("step", ConsentStep),
        UniqueConstraint("turn_id", "kind", "step"),
        CheckConstraint("delete_before IS NULL OR step = 'revoked'", name="deleted_when_revoked"),
    )


class Wellbeing(Base):
    """What a member said of how she is. Personal data."""

    __tablename__ = "wellbeing"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    words = Column(Text, nullable=False)
    symptoms = Column(JSON, nullable=False, default=list)
    """The ailments in her words; empty when there are none or they are over."""
    turn_id = Column(String(120), nullable=False, unique=True)
    at = Column(AwareDateTime, nullable=False, index=True)
    member = relationship(Member)
