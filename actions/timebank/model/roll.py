"""The roll of members as staff keep it: who was in it twice, and spreadsheets on their way in."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base


class Merge(Base):
    """Two members turned out to be one person: `double` has left and `kept` goes on. Rows never
    change: the database refuses it."""

    __tablename__ = "member_merge"
    double_id = Column(ForeignKey("member.id"), primary_key=True)
    kept_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    transfer_id = Column(ForeignKey("transfer.id"), unique=True)
    """By which the double's hours moved; None when there were none."""
    proposed_by_id = Column(ForeignKey("member.id"), nullable=False)
    approved_by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        CheckConstraint("double_id <> kept_id", name="two_rows"),
        CheckConstraint("proposed_by_id <> approved_by_id", name="two_of_the_staff"),
    )


class RollImport(Base):
    """A spreadsheet that was uploaded and read; nothing of it is written before it is confirmed.
    Personal data, deleted when it expires."""

    __tablename__ = "roll_import"
    id = Column(Integer, primary_key=True)
    uploaded_by_id = Column(ForeignKey("member.id"), nullable=False)
    """Nobody else sees or confirms it."""
    rows = Column(JSON, nullable=False)
    """What the file says, as `roll.Entry`."""
    choices = Column(JSON, nullable=False, default=dict)
    """What its uploader decided where the file left it open, as `roll.Choices`."""
    seen = Column(String(64), nullable=False)
    """Digest of the roll when it was previewed."""
    uploaded_at = Column(AwareDateTime, nullable=False)
    expires_at = Column(AwareDateTime, nullable=False, index=True)
    confirmed_at = Column(AwareDateTime)
