"""Who may be named on the village's roll of honour."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base


class HonourWish(Base):
    """What a member told the staff: whether her name and her hours may stand on the roll. Rows
    never change: the database refuses it; the newest counts."""

    __tablename__ = "honour_wish"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    may_be_named = Column(Boolean, nullable=False)
    heard_by_id = Column(ForeignKey("member.id"), nullable=False)
    """The member of staff who was told."""
    at = Column(AwareDateTime, nullable=False)
