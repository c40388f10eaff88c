"""What the village tells many at once."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Group, Lane, Member
from actions.timebank.staff.states import (
    Audience,
    BroadcastState,
)


class Broadcast(Base):
    """One message by word of mouth, for many. Its words stand still once it was proposed."""

    __tablename__ = "broadcast"
    id = Column(Integer, primary_key=True)
    state = Column(Choice(BroadcastState), nullable=False, default=BroadcastState.DRAFT, index=True)
    words = Column(String(160), nullable=False)
    spoken_seconds = Column(Integer, nullable=False)
    audience = Column(Choice(Audience), nullable=False)
    group_id = Column(ForeignKey("village_group.id"))
    lane_id = Column(ForeignKey("lane.id"))
    version = Column(Integer, nullable=False, default=1, server_default="1")
    """One more with each change, so that the second of two who change it at once is told."""
    written_by_id = Column(ForeignKey("member.id"), nullable=False)
    written_at = Column(AwareDateTime, nullable=False)
    heard_at = Column(AwareDateTime)
    """When whoever wrote it listened to these very words."""
    proposed_at = Column(AwareDateTime)
    decided_by_id = Column(ForeignKey("member.id"))
    decided_at = Column(AwareDateTime)
    ended_at = Column(AwareDateTime)
    group = relationship(Group)
    lane = relationship(Lane)
    written_by = relationship(Member, foreign_keys=[written_by_id])
    decided_by = relationship(Member, foreign_keys=[decided_by_id])
    listeners = relationship("BroadcastListener", cascade="all, delete-orphan")
    __table_args__ = (
        one_of("state", BroadcastState),
        one_of("audience", Audience),
        CheckConstraint("length(trim(words)) BETWEEN 1 AND 160", name="words_of_a_minute"),
        CheckConstraint("spoken_seconds BETWEEN 1 AND 60", name="a_minute_at_most"),
        CheckConstraint("(audience = 'group') = (group_id IS NOT NULL)", name="group_for_a_group"),
        CheckConstraint("(audience = 'lane') = (lane_id IS NOT NULL)", name="lane_for_a_lane"),
        CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (heard_at IS NOT NULL AND proposed_at IS NOT NULL)",
            name="heard_before_proposed",
        ),
        CheckConstraint(
            "state NOT IN ('sending', 'sent', 'rejected', 'stopped')"
            " OR (decided_by_id IS NOT NULL AND decided_at IS NOT NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint("decided_by_id <> written_by_id", name="decided_by_another"),
        CheckConstraint(
            "(state IN ('sent', 'rejected', 'withdrawn', 'stopped')) = (ended_at IS NOT NULL)",
            name="ended_once",
        ),
    )


class BroadcastListener(Base):
    """Whom a broadcast is for: in a draft those who were named one by one, once it was approved
    everybody it goes to."""

    __tablename__ = "broadcast_listener"
    broadcast_id = Column(ForeignKey("broadcast.id"), primary_key=True)
    member_id = Column(ForeignKey("member.id"), primary_key=True)
    member = relationship(Member)


class BroadcastVisit(Base):
    """Somebody of the staff went there and said it."""

    __tablename__ = "broadcast_visit"
    broadcast_id = Column(ForeignKey("broadcast.id"), primary_key=True)
    member_id = Column(ForeignKey("member.id"), primary_key=True)
    told_by_id = Column(ForeignKey("member.id"), nullable=False)
    told_at = Column(AwareDateTime, nullable=False)
    told_by = relationship(Member, foreign_keys=[told_by_id])
