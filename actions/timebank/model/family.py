"""Who may act for an elder, and by which word of hers."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.states import DelegateScope, DelegationState


class Delegation(Base):
    """One question to the elder whether `delegate` may act for her, and her answer. A renewal is
    a row of its own, so each yes stays with its evidence."""

    __tablename__ = "delegation"
    id = Column(Integer, primary_key=True)
    elder_id = Column(ForeignKey("member.id"), nullable=False)
    delegate_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    state = Column(
        Choice(DelegationState), nullable=False, default=DelegationState.PROPOSED, index=True
    )
    proposed_by_id = Column(ForeignKey("member.id"))
    """None for the command line and for renewals."""
    proposed_at = Column(AwareDateTime, nullable=False)
    renews_id = Column(ForeignKey("delegation.id"), unique=True)
    """The delegation that runs out soon, when this is the question whether to go on."""
    consent_turn_id = Column(String(120))
    """The elder's own turn in which she said yes."""
    consent_recording_sha256 = Column(String(64))
    """None when she typed or touched a button."""
    given_at = Column(AwareDateTime)
    ends_at = Column(AwareDateTime)
    """Until then her yes counts."""
    ended_at = Column(AwareDateTime)
    elder = relationship(Member, foreign_keys=[elder_id])
    delegate = relationship(Member, foreign_keys=[delegate_id])
    grants = relationship("DelegationGrant", order_by="DelegationGrant.scope", lazy="selectin")
    __table_args__ = (
        one_of("state", DelegationState),
        # The turn is the elder's own: the database takes no other for her yes.
        ForeignKeyConstraint(["consent_turn_id", "elder_id"], ["turn.id", "turn.member_id"]),
        CheckConstraint("elder_id <> delegate_id", name="two_people"),
        CheckConstraint(
            "state NOT IN ('proposed', 'refused') OR given_at IS NULL", name="not_given_yet"
        ),
        CheckConstraint("state <> 'given' OR given_at IS NOT NULL", name="given_at_a_time"),
        CheckConstraint(
            "(given_at IS NULL) = (consent_turn_id IS NULL)", name="given_by_her_own_turn"
        ),
        CheckConstraint("(given_at IS NULL) = (ends_at IS NULL)", name="given_for_a_time"),
        CheckConstraint("given_at IS NULL OR ends_at > given_at", name="ends_after_it_began"),
        CheckConstraint("(state IN ('proposed', 'given')) = (ended_at IS NULL)", name="ended_once"),
        *(
            Index(
                f"uq_delegation_one_{state}",
                "elder_id",
                "delegate_id",
                unique=True,
                sqlite_where=text(f"state = '{state}'"),
                postgresql_where=text(f"state = '{state}'"),
            )
            for state in ("proposed", "given")
        ),
    )

    @property
    def scopes(self) -> frozenset[DelegateScope]:
        return frozenset(grant.scope for grant in self.grants)


class DelegationGrant(Base):
    """One thing that the elder was asked to allow in this delegation."""

    __tablename__ = "delegation_grant"
    delegation_id = Column(ForeignKey("delegation.id"), primary_key=True)
    scope = Column(Choice(DelegateScope), primary_key=True)
    __table_args__ = (one_of("scope", DelegateScope),)
