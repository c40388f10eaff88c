"""What one of the staff proposed and a second one decided. A decided row never changes: the
database refuses it (see the migrations)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.books import Account, Transfer
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.staff.states import (
    ProposalKind,
    ProposalState,
)
from actions.timebank.states import AccountKind

_OPEN = text("state = 'proposed'")


class Proposal(Base):
    """A movement that waits for a second person, or waited once."""

    __tablename__ = "proposal"
    id = Column(Integer, primary_key=True)
    kind = Column(Choice(ProposalKind), nullable=False)
    reverses_id = Column(ForeignKey("transfer.id"), index=True)
    """The wrong transfer, of a reversal."""
    account_id = Column(ForeignKey("account.id"), index=True)
    """Who receives a grant: a member's account or the fund."""
    source = Column(Choice(AccountKind))
    """Where a grant comes from: newly issued (system), or the fund."""
    minutes = Column(Integer)
    double_id = Column(ForeignKey("member.id"), index=True)
    """Of a merge: who leaves, and who goes on."""
    kept_id = Column(ForeignKey("member.id"), index=True)
    reason = Column(Text, nullable=False)
    proposed_by_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    proposed_at = Column(AwareDateTime, nullable=False)
    state = Column(Choice(ProposalState), nullable=False, default=ProposalState.PROPOSED)
    decided_by_id = Column(ForeignKey("member.id"), index=True)
    decided_at = Column(AwareDateTime)
    answer = Column(String(200), nullable=False, default="", server_default="")
    """Why it was rejected."""
    transfer_id = Column(ForeignKey("transfer.id"), unique=True)
    """What was moved; an approved merge of an empty account moves nothing."""

    reverses = relationship(Transfer, foreign_keys=[reverses_id])
    transfer = relationship(Transfer, foreign_keys=[transfer_id])
    account = relationship(Account)
    proposed_by = relationship(Member, foreign_keys=[proposed_by_id])
    decided_by = relationship(Member, foreign_keys=[decided_by_id])
    double = relationship(Member, foreign_keys=[double_id])
    kept = relationship(Member, foreign_keys=[kept_id])

    __table_args__ = (
        one_of("kind", ProposalKind),
        one_of("state", ProposalState),
        CheckConstraint("length(trim(reason)) > 0", name="reason_given"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="names_the_wrong"),
        CheckConstraint(
            "(kind = 'grant') = (account_id IS NOT NULL) AND "
            "(kind = 'grant') = (minutes IS NOT NULL) AND "
            "(kind = 'grant') = (source IS NOT NULL)",
            name="grants_something",
        ),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("source IN ('system', 'fund')", name="source_known"),
        CheckConstraint(
            "(kind = 'merge') = (double_id IS NOT NULL) AND "
            "(kind = 'merge') = (kept_id IS NOT NULL)",
            name="merges_two",
        ),
        CheckConstraint("double_id <> kept_id", name="nobody_is_his_double"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by_id IS NULL) AND "
            "(state = 'proposed') = (decided_at IS NULL)",
            name="decided_once",
        ),
        # Null while nobody decided, and a check lets null pass.
        CheckConstraint(
            "(state = 'withdrawn') = (decided_by_id = proposed_by_id)", name="second_person"
        ),
        CheckConstraint("transfer_id IS NULL OR state = 'approved'", name="moves_when_approved"),
        CheckConstraint(
            "state <> 'approved' OR kind = 'merge' OR transfer_id IS NOT NULL",
            name="approved_moves",
        ),
        Index(
            "uq_proposal_open_reversal",
            "reverses_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "uq_proposal_open_merge",
            "double_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_proposal_state", "state", "id"),
    )
