"""What staff do with conversations: care for failures, call back, note, correct, teach."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.talks import Turn
from actions.timebank.model.village import Member
from actions.timebank.staff.states import (
    CallBackResult,
    FailureState,
    TrainingState,
    WordKind,
)


class FailureCare(Base):
    """Who looks after a conversation that went wrong. One that nobody took has no row."""

    __tablename__ = "failure_care"
    conversation_id = Column(ForeignKey("turn.id"), primary_key=True)
    """The conversation's first turn."""
    state = Column(Choice(FailureState), nullable=False)
    by_id = Column(ForeignKey("member.id"), nullable=False)
    """Who took it last; whoever settled it, once it is settled."""
    changed_at = Column(AwareDateTime, nullable=False)
    by = relationship(Member)
    __table_args__ = (one_of("state", FailureState),)


class CallBack(Base):
    """Staff called a member back, or went to see her, about a conversation."""

    __tablename__ = "call_back"
    id = Column(Integer, primary_key=True)
    conversation_id = Column(ForeignKey("turn.id"), nullable=False, index=True)
    result = Column(Choice(CallBackResult), nullable=False)
    words = Column(Text, nullable=False, server_default="")
    """What came of it."""
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    by = relationship(Member)
    __table_args__ = (one_of("result", CallBackResult),)


class TurnNote(Base):
    """A note of the staff on one turn."""

    __tablename__ = "turn_note"
    id = Column(Integer, primary_key=True)
    turn_id = Column(ForeignKey("turn.id"), nullable=False, index=True)
    words = Column(Text, nullable=False)
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    by = relationship(Member)
    __table_args__ = (CheckConstraint("length(trim(words)) > 0", name="words_not_empty"),)


class Correction(Base):
    """What was really said in a turn and meant by it. An edit is a new version; rows never
    change: the database refuses it."""

    __tablename__ = "correction"
    id = Column(Integer, primary_key=True)
    turn_id = Column(ForeignKey("turn.id"), nullable=False)
    version = Column(Integer, nullable=False)
    """Counted from 1; the last one counts."""
    said = Column(Text, nullable=False)
    intent = Column(String(40), nullable=False)
    entities = Column(JSON, nullable=False, default=list)
    """Dicts of `entity`, `text` (a part of `said`) and `value`."""
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    by = relationship(Member)
    turn = relationship(Turn)
    decision = relationship("TrainingDecision", uselist=False, back_populates="correction")
    __table_args__ = (
        UniqueConstraint("turn_id", "version"),
        # What a decision cites, so that the database knows who wrote what is decided on.
        UniqueConstraint("id", "by_id"),
        CheckConstraint("version >= 1", name="version_counted"),
        CheckConstraint("length(trim(said)) > 0", name="said_not_empty"),
    )


class TrainingDecision(Base):
    """What a second person decided on a correction as training speech."""

    __tablename__ = "training_decision"
    correction_id = Column(Integer, primary_key=True, autoincrement=False)
    written_by_id = Column(Integer, nullable=False)
    state = Column(Choice(TrainingState), nullable=False)
    said = Column(Text, nullable=False, server_default="")
    """The sentence as it may be trained on: without names and numbers of people."""
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    by = relationship(Member)
    correction = relationship(Correction, back_populates="decision")
    __table_args__ = (
        one_of("state", TrainingState),
        ForeignKeyConstraint(
            ["correction_id", "written_by_id"], ["correction.id", "correction.by_id"]
        ),
        CheckConstraint("by_id <> written_by_id", name="second_person"),
        CheckConstraint("state <> 'waiting'", name="decided"),
        CheckConstraint("state <> 'accepted' OR length(trim(said)) > 0", name="said_not_empty"),
    )


class VillageWord(Base):
    """A word of this village, which the speller learns once a second person has accepted it."""

    __tablename__ = "village_word"
    id = Column(Integer, primary_key=True)
    said = Column(String(20), nullable=False)
    heard = Column(String(20), nullable=False, server_default="")
    """What the machine wrote for it; empty when nobody noted that."""
    kind = Column(Choice(WordKind), nullable=False)
    state = Column(Choice(TrainingState), nullable=False, default=TrainingState.WAITING)
    turn_id = Column(ForeignKey("turn.id"))
    """Where it was misheard."""
    by_id = Column(ForeignKey("member.id"), nullable=False)
    at = Column(AwareDateTime, nullable=False)
    decided_by_id = Column(ForeignKey("member.id"))
    decided_at = Column(AwareDateTime)
    by = relationship(Member, foreign_keys=[by_id])
    decided_by = relationship(Member, foreign_keys=[decided_by_id])
    __table_args__ = (
        one_of("kind", WordKind),
        one_of("state", TrainingState),
        CheckConstraint("length(trim(said)) > 0", name="said_not_empty"),
        CheckConstraint("said <> heard", name="misheard"),
        CheckConstraint("decided_by_id <> by_id", name="second_person"),
        CheckConstraint("(state = 'waiting') = (decided_by_id IS NULL)", name="decided_by_someone"),
        CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="decided_at_a_time"),
        Index(
            "uq_village_word_one_live",
            "said",
            "heard",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'accepted')"),
            postgresql_where=text("state IN ('waiting', 'accepted')"),
        ),
    )
