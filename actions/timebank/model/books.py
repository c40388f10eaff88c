"""The ledger's rows. Those of `transfer` and `posting` never change: the database itself refuses
updates and deletes (see the migrations)."""

from __future__ import annotations

from sqlalchemy import (
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

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.states import AccountKind, HoldState, TransferKind


class Account(Base):
    """A time account; what it holds is the sum of its postings."""

    __tablename__ = "account"
    id = Column(Integer, primary_key=True)
    kind = Column(Choice(AccountKind), nullable=False)
    member_id = Column(ForeignKey("member.id"), unique=True)
    __table_args__ = (
        one_of("kind", AccountKind),
        CheckConstraint("(kind = 'member') = (member_id IS NOT NULL)", name="member_has_owner"),
        Index(
            "uq_account_village",
            "kind",
            unique=True,
            sqlite_where=text("kind <> 'member'"),
            postgresql_where=text("kind <> 'member'"),
        ),
    )


class Transfer(Base):
    """An immutable movement of minutes; `hash` covers it, its legs and `previous_hash`."""

    __tablename__ = "transfer"
    id = Column(Integer, primary_key=True)
    sequence = Column(Integer, nullable=False, unique=True)
    kind = Column(Choice(TransferKind), nullable=False)
    visit_id = Column(ForeignKey("visit.id"), unique=True)
    reverses_id = Column(ForeignKey("transfer.id"), unique=True)
    turn_id = Column(String(120), index=True)
    reason = Column(Text, nullable=False, server_default="")
    idempotency_key = Column(String(160), nullable=False, unique=True)
    occurred_at = Column(AwareDateTime, nullable=False)
    previous_hash = Column(String(64), nullable=False)
    hash = Column(String(64), nullable=False, unique=True)
    postings = relationship("Posting", back_populates="transfer", order_by="Posting.account_id")
    visit = relationship("Visit")
    __table_args__ = (
        one_of("kind", TransferKind),
        CheckConstraint("(kind = 'settlement') = (visit_id IS NOT NULL)", name="settles_a_visit"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="names_the_wrong"),
    )


class Posting(Base):
    """One signed leg of a transfer: minus gives minutes, plus receives them."""

    __tablename__ = "posting"
    id = Column(Integer, primary_key=True)
    transfer_id = Column(ForeignKey("transfer.id"), nullable=False)
    account_id = Column(ForeignKey("account.id"), nullable=False)
    minutes = Column(Integer, nullable=False)
    transfer = relationship(Transfer, back_populates="postings")
    account = relationship(Account)
    __table_args__ = (
        UniqueConstraint("transfer_id", "account_id"),
        CheckConstraint("minutes <> 0", name="moves_something"),
        # Sums and passbooks are read from the index alone.
        Index("ix_posting_account", "account_id", "transfer_id", "minutes"),
    )


class Hold(Base):
    """Minutes set aside for an assignment until its visit is settled."""

    __tablename__ = "hold"
    id = Column(Integer, primary_key=True)
    account_id = Column(ForeignKey("account.id"), nullable=False, index=True)
    assignment_id = Column(ForeignKey("assignment.id"), nullable=False, index=True)
    minutes = Column(Integer, nullable=False)
    state = Column(Choice(HoldState), nullable=False, default=HoldState.PENDING)
    created_at = Column(AwareDateTime, nullable=False)
    ended_at = Column(AwareDateTime)
    __table_args__ = (
        CheckConstraint("minutes > 0", name="holds_something"),
        CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ends_once"),
        one_of("state", HoldState),
        Index(
            "uq_hold_one_pending",
            "assignment_id",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )


class ChainCheck(Base):
    """One check of the whole chain by somebody of the staff, and what it found."""

    __tablename__ = "chain_check"
    id = Column(Integer, primary_key=True)
    by_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    at = Column(AwareDateTime, nullable=False)
    transfers = Column(Integer, nullable=False)
    """How many were sound, counted from the first."""
    head = Column(String(64), nullable=False)
    first_bad = Column(Integer)
    """None when all were; it may be missing, so no row is pointed to."""
    by = relationship("Member")
