"""Which phone belongs to whom, and what was sent there to be pressed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
from actions.timebank.model.village import Member
from actions.timebank.states import CardState, Channel

ADDRESS_LENGTH = 64


def _one_where(name: str, *columns: str, where: str) -> Index:
    return Index(
        name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where)
    )


def _of_this_member() -> ForeignKeyConstraint:
    """`binding_id` is a chat of `member_id`, never somebody else's."""
    return ForeignKeyConstraint(
        ["binding_id", "member_id"], ["channel_binding.id", "channel_binding.member_id"]
    )


class ChannelBinding(Base):
    """A chat that speaks for one member, until it is unbound."""

    __tablename__ = "channel_binding"
    id = Column(Integer, primary_key=True)
    channel = Column(Choice(Channel), nullable=False)
    address = Column(String(ADDRESS_LENGTH), nullable=False)
    """The messenger's own name for the chat, as it proved it; never what somebody typed."""
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    bound_at = Column(AwareDateTime, nullable=False)
    unbound_at = Column(AwareDateTime)
    unreachable_at = Column(AwareDateTime)
    """Since when what is sent there does not arrive, because she blocked us."""
    member = relationship(Member)
    __table_args__ = (
        one_of("channel", Channel),
        CheckConstraint("length(trim(address)) > 0", name="address_not_empty"),
        UniqueConstraint("id", "member_id"),  # What belongs to a chat names its member, too.
        _one_where(
            "uq_channel_binding_one_member", "channel", "address", where="unbound_at IS NULL"
        ),
        _one_where(
            "uq_channel_binding_one_chat", "channel", "member_id", where="unbound_at IS NULL"
        ),
    )


class JoinCard(Base):
    """A printed card that lets one chat join as one member. Its code is stored as a hash only."""

    __tablename__ = "join_card"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    issued_by_id = Column(ForeignKey("member.id"))
    """The coordinator who printed it; None for the command line."""
    code_hash = Column(String(64), nullable=False, unique=True)
    state = Column(Choice(CardState), nullable=False, default=CardState.UNUSED)
    issued_at = Column(AwareDateTime, nullable=False)
    expires_at = Column(AwareDateTime, nullable=False)
    channel = Column(Choice(Channel))
    address = Column(String(ADDRESS_LENGTH))
    """The chat that is being asked for the name, or was."""
    asked_at = Column(AwareDateTime)
    binding_id = Column(Integer)
    """The chat that joined with it."""
    member = relationship(Member, foreign_keys=[member_id])
    binding = relationship(ChannelBinding, viewonly=True)
    __table_args__ = (
        one_of("state", CardState),
        one_of("channel", Channel),
        _of_this_member(),
        CheckConstraint("(channel IS NULL) = (address IS NULL)", name="whole_address"),
        CheckConstraint("(channel IS NULL) = (asked_at IS NULL)", name="asked_at_a_time"),
        CheckConstraint("(state = 'used') = (binding_id IS NOT NULL)", name="used_for_a_chat"),
        CheckConstraint("state <> 'asked' OR channel IS NOT NULL", name="asked_in_a_chat"),
        _one_where("uq_join_card_one_live", "member_id", where="state IN ('unused', 'asked')"),
        _one_where("uq_join_card_one_asked", "channel", "address", where="state = 'asked'"),
    )


class CardTry(Base):
    """A chat showed a card, good or bad; kept for an hour, to notice who is guessing."""

    __tablename__ = "card_try"
    id = Column(Integer, primary_key=True)
    channel = Column(Choice(Channel), nullable=False)
    address = Column(String(ADDRESS_LENGTH), nullable=False)
    at = Column(AwareDateTime, nullable=False, index=True)
    __table_args__ = (one_of("channel", Channel),)


class SentButton(Base):
    """A button under one message. At most one of those with the same `about` is ever pressed."""

    __tablename__ = "sent_button"
    token = Column(String(22), primary_key=True)
    binding_id = Column(Integer, nullable=False)
    member_id = Column(Integer, nullable=False)
    about = Column(String(160), nullable=False)
    """The message: of the buttons made for it at first, all or none exist."""
    place = Column(Integer, nullable=False)
    """0 is the first of the message's buttons."""
    title = Column(String(80), nullable=False)
    payload = Column(Text, nullable=False)
    made_at = Column(AwareDateTime, nullable=False)
    expires_at = Column(AwareDateTime, nullable=False)
    pressed_at = Column(AwareDateTime)
    died_at = Column(AwareDateTime)
    """Since when it can no longer be pressed, because the matter ended or the other one was."""
    binding = relationship(ChannelBinding)
    __table_args__ = (
        _of_this_member(),
        UniqueConstraint("binding_id", "about", "place"),
        CheckConstraint("place IN (0, 1)", name="two_at_most"),
        CheckConstraint("pressed_at IS NULL OR died_at IS NULL", name="pressed_or_dead"),
        _one_where(
            "uq_sent_button_one_pressed", "binding_id", "about", where="pressed_at IS NOT NULL"
        ),
    )


class ChannelUpdate(Base):
    """Something a messenger handed over; it hands over again what it does not see finished."""

    __tablename__ = "channel_update"
    channel = Column(Choice(Channel), primary_key=True)
    update_id = Column(BigInteger, primary_key=True, autoincrement=False)
    begun_at = Column(AwareDateTime, nullable=False, index=True)
    finished_at = Column(AwareDateTime)
    __table_args__ = (one_of("channel", Channel),)
