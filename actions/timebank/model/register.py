"""What staff keep of people besides what people said themselves, and who changed what of it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.states import PriorityClass, ServiceKind


class MemberPriority(Base):
    """A reason for which the village looks after this member first; several may hold."""

    __tablename__ = "member_priority"
    member_id = Column(ForeignKey("member.id"), primary_key=True)
    priority = Column(Choice(PriorityClass), primary_key=True, index=True)
    set_by_id = Column(ForeignKey("member.id"), nullable=False)
    set_at = Column(AwareDateTime, nullable=False)
    __table_args__ = (one_of("priority", PriorityClass),)


class Training(Base):
    """Somebody learned a kind of help. While one counts, `Skill.trained` of that kind is set."""

    __tablename__ = "training"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    service_kind = Column(Choice(ServiceKind), nullable=False)
    trained_at = Column(AwareDateTime, nullable=False)
    until = Column(AwareDateTime)
    """None when it does not run out."""
    recorded_by_id = Column(ForeignKey("member.id"), nullable=False)
    recorded_at = Column(AwareDateTime, nullable=False)
    ended_at = Column(AwareDateTime)
    """Since when staff no longer let it count."""
    recorded_by = relationship(Member, foreign_keys=[recorded_by_id])
    __table_args__ = (
        one_of("service_kind", ServiceKind),
        CheckConstraint("until IS NULL OR until > trained_at", name="until_after_it"),
    )


class MemberChange(Base):
    """One thing of a member that staff changed. Rows never change: the database refuses it."""

    __tablename__ = "member_change"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    field = Column(String(40), nullable=False)
    before = Column(String(400), nullable=False)
    after = Column(String(400), nullable=False)
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    by = relationship(Member, foreign_keys=[by_id])
    __table_args__ = (Index("ix_member_change_member_id", "member_id", "id"),)
