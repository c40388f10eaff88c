"""What staff wrote down for people who came to the counter themselves."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.talks import Turn
from actions.timebank.model.village import Member
from actions.timebank.staff.states import (
    CounterDeed,
)


class InPersonDeed(Base):
    """A turn in which somebody said something in person, and who wrote it down. Its words are the
    turn's. Rows never change: the database refuses it."""

    __tablename__ = "in_person_deed"
    turn_id = Column(String(120), primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    """Who came."""
    staff_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    deed = Column(Choice(CounterDeed), nullable=False)
    request_id = Column(ForeignKey("service_request.id"), index=True)
    """None for a complaint about nothing in particular."""
    note = Column(String(200), nullable=False, default="", server_default="")
    """What the staff add of their own; not her words."""
    done_at = Column(AwareDateTime, nullable=False)
    turn = relationship(Turn, viewonly=True)
    staff = relationship(Member, foreign_keys=[staff_id])
    __table_args__ = (
        one_of("deed", CounterDeed),
        # The turn is that member's own: the database takes no other.
        ForeignKeyConstraint(["turn_id", "member_id"], ["turn.id", "turn.member_id"]),
        CheckConstraint("member_id <> staff_id", name="two_people"),
        CheckConstraint("request_id IS NOT NULL OR deed = 'complain'", name="about_something"),
    )
