"""Asking those who live alone how they are."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.talks import Alert
from actions.timebank.model.village import Member
from actions.timebank.states import CheckInState, Rhythm

OPEN = text("state IN ('waiting', 'asked')")


class CheckInWish(Base):
    """How often a member wishes to be asked; without a row it follows from living alone."""

    __tablename__ = "check_in_wish"
    member_id = Column(ForeignKey("member.id"), primary_key=True)
    rhythm = Column(Choice(Rhythm), nullable=False)
    set_at = Column(AwareDateTime, nullable=False)
    __table_args__ = (one_of("rhythm", Rhythm),)


class CheckIn(Base):
    """One time of asking how she is, from waiting for its hour to its end."""

    __tablename__ = "check_in"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    state = Column(Choice(CheckInState), nullable=False, default=CheckInState.WAITING, index=True)
    due_at = Column(AwareDateTime, nullable=False)
    asked_at = Column(AwareDateTime)
    asked_again_at = Column(AwareDateTime)
    ended_at = Column(AwareDateTime)
    alert_id = Column(ForeignKey("alert.id"), unique=True)
    """The alarm that was raised because she did not answer."""
    member = relationship(Member)
    alert = relationship(Alert)
    __table_args__ = (
        one_of("state", CheckInState),
        CheckConstraint("state <> 'asked' OR asked_at IS NOT NULL", name="asked_at_a_time"),
        CheckConstraint("(state IN ('waiting', 'asked')) = (ended_at IS NULL)", name="ended_once"),
        CheckConstraint("(state = 'missed') = (alert_id IS NOT NULL)", name="missed_is_alarmed"),
        CheckConstraint(
            "asked_again_at IS NULL OR asked_at IS NOT NULL", name="asked_before_again"
        ),
        Index(
            "uq_check_in_one_open",
            "member_id",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
    )
