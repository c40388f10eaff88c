"""The shared database. Time is integer minutes; every datetime is aware and stored as UTC.

Balances are derived and never stored. Rows of `transfer` and `posting` never change: the
database itself refuses updates and deletes (see the migrations).
"""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import declarative_base, relationship
from sqlalchemy.schema import Column

from actions.timebank.states import (
    AccountKind,
    AlertKind,
    AlertState,
    AssignmentState,
    DisputeKind,
    DisputeState,
    HoldState,
    NoticeState,
    OfferState,
    Party,
    RelationKind,
    RequestState,
    ServiceKind,
    TransferKind,
    TurnOutcome,
)

Base: Any = declarative_base(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)


class AwareDateTime(TypeDecorator):
    """Takes only aware datetimes, stores UTC, gives back aware UTC (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was given where an aware one is needed")
        return value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        return None if value is None else value.replace(tzinfo=timezone.utc)


class Choice(TypeDecorator):
    """A `str` enum stored as its value; `one_of` below makes the database refuse any other."""

    impl = String(32)
    cache_ok = True

    def __init__(self, options: type[Enum]) -> None:
        super().__init__()
        self.options = options

    def process_bind_param(self, value: Any, dialect: Any) -> Optional[str]:
        return None if value is None else str(self.options(value).value)

    def process_result_value(self, value: Optional[str], dialect: Any) -> Optional[Enum]:
        return None if value is None else self.options(value)


def one_of(column: str, options: type[Enum]) -> CheckConstraint:
    values = ", ".join(f"'{option.value}'" for option in options)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


class Group(Base):
    """A mutual-aid group (互助小组) of a few neighbouring lanes."""

    __tablename__ = "village_group"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False, unique=True)


class Lane(Base):
    __tablename__ = "lane"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False, unique=True)
    group_id = Column(ForeignKey("village_group.id"), nullable=False)
    group = relationship(Group)


class Member(Base):
    """Anyone with an account; elder and helper are roles in an exchange, not of a person."""

    __tablename__ = "member"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), nullable=False, index=True)
    nickname = Column(String(40))
    birth_year = Column(Integer)
    lane_id = Column(ForeignKey("lane.id"), nullable=False, index=True)
    place = Column(String(120), nullable=False, server_default="")
    """Where the house is, in the village's own words: 村东头, 老槐树旁."""
    is_coordinator = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    lives_alone = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    takes_tasks = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    pace = Column(Integer, nullable=False, default=160, server_default="160")
    """Speaking pace in 字 a minute."""
    gain = Column(Integer, nullable=False, default=100, server_default="100")
    """Loudness of answers in percent."""
    link_serial = Column(Integer, nullable=False, default=1, server_default="1")
    """Part of the personal talk-page link; one more revokes the old link."""
    joined_at = Column(AwareDateTime, nullable=False)
    left_at = Column(AwareDateTime)
    lane = relationship(Lane)
    __table_args__ = (
        CheckConstraint("length(trim(name)) > 0", name="name_not_empty"),
        CheckConstraint("pace BETWEEN 100 AND 240", name="pace_speakable"),
        CheckConstraint("gain BETWEEN 50 AND 300", name="gain_audible"),
    )


class Relation(Base):
    """`member` says of `other`: kin, spouse or neighbour; `label` in his words (儿媳)."""

    __tablename__ = "relation"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    other_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    kind = Column(Choice(RelationKind), nullable=False)
    label = Column(String(20), nullable=False, server_default="")
    __table_args__ = (
        UniqueConstraint("member_id", "other_id"),
        CheckConstraint("member_id <> other_id", name="two_people"),
        one_of("kind", RelationKind),
    )


class Skill(Base):
    """A kind of help that a member is willing to give; `trained` opens the gated kinds."""

    __tablename__ = "skill"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    service_kind = Column(Choice(ServiceKind), nullable=False, index=True)
    trained = Column(Boolean, nullable=False, default=False, server_default=text("false"))
    __table_args__ = (
        UniqueConstraint("member_id", "service_kind"),
        one_of("service_kind", ServiceKind),
    )


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
    turn_id = Column(String(120))
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
    account_id = Column(ForeignKey("account.id"), nullable=False, index=True)
    minutes = Column(Integer, nullable=False)
    transfer = relationship(Transfer, back_populates="postings")
    account = relationship(Account)
    __table_args__ = (
        UniqueConstraint("transfer_id", "account_id"),
        CheckConstraint("minutes <> 0", name="moves_something"),
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
    created_at = Column(AwareDateTime, nullable=False)
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
    offered_at = Column(AwareDateTime, nullable=False)
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
    turn_id = Column(String(120), nullable=False)
    evidence_sha256 = Column(String(64))
    """Hash of the recording in which it was said; None when it was typed."""
    made_at = Column(AwareDateTime, nullable=False)
    visit = relationship(Visit, back_populates="confirmations")
    __table_args__ = (
        UniqueConstraint("visit_id", "party"),
        one_of("party", Party),
        CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes_of_a_day"),
    )


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
    request = relationship(ServiceRequest)
    __table_args__ = (
        one_of("kind", DisputeKind),
        one_of("state", DisputeState),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved_at"),
    )


class Alert(Base):
    """An emergency or a missed check-in, with who took it."""

    __tablename__ = "alert"
    id = Column(Integer, primary_key=True)
    kind = Column(Choice(AlertKind), nullable=False)
    state = Column(Choice(AlertState), nullable=False, default=AlertState.RAISED, index=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    words = Column(Text, nullable=False, default="", server_default="")
    turn_id = Column(String(120), nullable=False, unique=True)
    raised_at = Column(AwareDateTime, nullable=False)
    taken_by_id = Column(ForeignKey("member.id"))
    taken_at = Column(AwareDateTime)
    closed_at = Column(AwareDateTime)
    member = relationship(Member, foreign_keys=[member_id])
    taken_by = relationship(Member, foreign_keys=[taken_by_id])
    __table_args__ = (one_of("kind", AlertKind), one_of("state", AlertState))


class Notice(Base):
    """An outbox message, queued in the same transaction as what it tells of.

    `kind` names the response `utter_notice_<kind>`; `facts` fill it (ISO datetimes, minutes,
    names, enum values).
    """

    __tablename__ = "notice"
    id = Column(Integer, primary_key=True)
    recipient_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    kind = Column(String(40), nullable=False)
    facts = Column(JSON, nullable=False, default=dict)
    state = Column(Choice(NoticeState), nullable=False, default=NoticeState.QUEUED, index=True)
    dedupe_key = Column(String(160), nullable=False, unique=True)
    created_at = Column(AwareDateTime, nullable=False)
    delivered_at = Column(AwareDateTime)
    recipient = relationship(Member)
    __table_args__ = (one_of("state", NoticeState),)


class Deed(Base):
    """What one action did in one turn and answered; see `deeds`."""

    __tablename__ = "deed"
    turn_id = Column(String(120), primary_key=True)
    action = Column(String(60), primary_key=True)
    messages = Column(JSON, nullable=False)
    events = Column(JSON, nullable=False)
    done_at = Column(AwareDateTime, nullable=False, index=True)


class Turn(Base):
    """One utterance and its answer, as staff review it. Personal data."""

    __tablename__ = "turn"
    id = Column(String(120), primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    channel = Column(String(20), nullable=False)
    outcome = Column(Choice(TurnOutcome), nullable=False, default=TurnOutcome.BEGUN, index=True)
    code = Column(String(40), nullable=False, default="", server_default="")
    """Which failure or refusal it was; empty when answered."""
    recording_path = Column(String(240))
    """Relative to the recordings folder; None for typed text."""
    recording_sha256 = Column(String(64))
    heard = Column(Text, nullable=False, default="", server_default="")
    heard_confidence = Column(Float)
    engine = Column(String(40), nullable=False, default="", server_default="")
    intent = Column(String(40), nullable=False, default="", server_default="")
    intent_confidence = Column(Float)
    entities = Column(JSON, nullable=False, default=list)
    reply = Column(Text, nullable=False, default="", server_default="")
    buttons = Column(JSON, nullable=False, default=list)
    stage_ms = Column(JSON, nullable=False, default=dict)
    began_at = Column(AwareDateTime, nullable=False, index=True)
    ended_at = Column(AwareDateTime)
    member = relationship(Member)
    __table_args__ = (one_of("outcome", TurnOutcome),)
