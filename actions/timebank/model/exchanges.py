"""From a need to a confirmed visit, and what is contested about it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.books import Hold
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.states import (
    AssignmentState,
    DisputeKind,
    DisputeState,
    OfferState,
    Party,
    RequestState,
    ServiceKind,
)


class ServiceRequest(Base):
    """What an elder needs, when, for about how long, and where it stands."""

    __tablename__ = "service_request"
    id = Column(Integer, primary_key=True)
    elder_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    requested_by_id = Column(ForeignKey("member.id"), nullable=False)
    service_kind = Column(Choice(ServiceKind), nullable=False)
    starts_at = Column(AwareDateTime, nullable=False)
    minutes = Column(Integer, nullable=False)
    place = Column(String(120), nullable=False, default="", server_default="")
    note = Column(Text, nullable=False, default="", server_default="")
    """What the elder said, in her words, for the neighbour to read."""
    state = Column(Choice(RequestState), nullable=False, default=RequestState.OPEN, index=True)
    turn_id = Column(String(120), nullable=False, unique=True)
    created_at = Column(AwareDateTime, nullable=False, index=True)
    ended_at = Column(AwareDateTime)
    end_reason = Column(String(80), nullable=False, default="", server_default="")
    elder = relationship(Member, foreign_keys=[elder_id])
    offers = relationship("Offer", back_populates="request", order_by="Offer.id")
    assignments = relationship("Assignment", back_populates="request", order_by="Assignment.id")
    __table_args__ = (
        one_of("service_kind", ServiceKind),
        one_of("state", RequestState),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes_of_a_day"),
    )


class Offer(Base):
    """A task pushed to one helper; `why` holds the reasons that chose this neighbour."""

    __tablename__ = "offer"
    id = Column(Integer, primary_key=True)
    request_id = Column(ForeignKey("service_request.id"), nullable=False, index=True)
    helper_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    state = Column(Choice(OfferState), nullable=False, default=OfferState.PENDING)
    why = Column(JSON, nullable=False, default=list)
    """Reasons, strongest first: dicts with `code` (see `matching.Reason`) and its facts."""
    offered_at = Column(AwareDateTime, nullable=False, index=True)
    expires_at = Column(AwareDateTime, nullable=False)
    answered_at = Column(AwareDateTime)
    decline_reason = Column(String(120), nullable=False, default="", server_default="")
    request = relationship(ServiceRequest, back_populates="offers")
    helper = relationship(Member)
    __table_args__ = (
        one_of("state", OfferState),
        Index(
            "uq_offer_one_pending",
            "request_id",
            unique=True,
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )


class Assignment(Base):
    """A helper's accepted commitment to one request."""

    __tablename__ = "assignment"
    id = Column(Integer, primary_key=True)
    request_id = Column(ForeignKey("service_request.id"), nullable=False, index=True)
    offer_id = Column(ForeignKey("offer.id"), nullable=False, unique=True)
    helper_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    state = Column(Choice(AssignmentState), nullable=False, default=AssignmentState.ACTIVE)
    accepted_at = Column(AwareDateTime, nullable=False)
    ended_at = Column(AwareDateTime)
    request = relationship(ServiceRequest, back_populates="assignments")
    offer = relationship(Offer)
    helper = relationship(Member)
    visit = relationship("Visit", back_populates="assignment", uselist=False)
    holds = relationship(Hold)
    __table_args__ = (
        one_of("state", AssignmentState),
        Index(
            "uq_assignment_one_active",
            "request_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )


class Visit(Base):
    """What happened at the elder's home."""

    __tablename__ = "visit"
    id = Column(Integer, primary_key=True)
    assignment_id = Column(ForeignKey("assignment.id"), nullable=False, unique=True)
    checked_in_at = Column(AwareDateTime)
    checked_out_at = Column(AwareDateTime)
    settled_minutes = Column(Integer)
    settled_at = Column(AwareDateTime)
    assignment = relationship(Assignment, back_populates="visit")
    confirmations = relationship("Confirmation", back_populates="visit", order_by="Confirmation.id")
    __table_args__ = (
        CheckConstraint("settled_minutes BETWEEN 0 AND 1440", name="minutes_of_a_day"),
        CheckConstraint(
            "(settled_minutes IS NULL) = (settled_at IS NULL)", name="settled_with_a_time"
        ),
    )


class Confirmation(Base):
    """One party's statement of what was done, with its evidence."""

    __tablename__ = "confirmation"
    id = Column(Integer, primary_key=True)
    visit_id = Column(ForeignKey("visit.id"), nullable=False)
    party = Column(Choice(Party), nullable=False)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    minutes = Column(Integer, nullable=False)
    turn_id = Column(String(120), nullable=False, index=True)
    evidence_sha256 = Column(String(64))
    """Hash of the recording in which it was said; None when it was typed."""
    made_at = Column(AwareDateTime, nullable=False)
    visit = relationship(Visit, back_populates="confirmations")
    __table_args__ = (
        UniqueConstraint("visit_id", "party"),
        one_of("party", Party),
        CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes_of_a_day"),
    )


class Rating(Base):
    """How a visit was, in the words of who was helped. A correction is a new row: the newest of
    a visit counts."""

    __tablename__ = "rating"
    id = Column(Integer, primary_key=True)
    visit_id = Column(ForeignKey("visit.id"), nullable=False, index=True)
    rater_id = Column(ForeignKey("member.id"), nullable=False)
    stars = Column(Integer)
    """None when it was told in words only."""
    words = Column(Text, nullable=False, default="", server_default="")
    turn_id = Column(String(120), nullable=False, unique=True)
    made_at = Column(AwareDateTime, nullable=False)
    visit = relationship(Visit)
    rater = relationship(Member)
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars_one_to_five"),)


class Dispute(Base):
    """A contested matter with a clock of 24 hours and the mediator's decision."""

    __tablename__ = "dispute"
    id = Column(Integer, primary_key=True)
    kind = Column(Choice(DisputeKind), nullable=False)
    state = Column(Choice(DisputeState), nullable=False, default=DisputeState.OPEN, index=True)
    request_id = Column(ForeignKey("service_request.id"), index=True)
    opened_by_id = Column(ForeignKey("member.id"), nullable=False)
    words = Column(Text, nullable=False, default="", server_default="")
    turn_id = Column(String(120), nullable=False, unique=True)
    claimed_minutes = Column(Integer)
    confirmed_minutes = Column(Integer)
    opened_at = Column(AwareDateTime, nullable=False)
    due_at = Column(AwareDateTime, nullable=False)
    resolved_by_id = Column(ForeignKey("member.id"))
    resolved_at = Column(AwareDateTime)
    resolution = Column(Text, nullable=False, default="", server_default="")
    decided_minutes = Column(Integer)
    """How long the visit was in the mediator's eyes; it moves nothing by itself."""
    request = relationship(ServiceRequest)
    opened_by = relationship(Member, foreign_keys=[opened_by_id])
    resolved_by = relationship(Member, foreign_keys=[resolved_by_id])
    __table_args__ = (
        CheckConstraint("decided_minutes BETWEEN 0 AND 1440", name="decided_minutes_of_a_day"),
        one_of("kind", DisputeKind),
        one_of("state", DisputeState),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
    )
