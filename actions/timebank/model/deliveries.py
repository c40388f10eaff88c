"""How far each notice has come on its way through a messenger."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.channels import ChannelBinding
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.talks import Notice
from actions.timebank.model.village import Member
from actions.timebank.states import Channel, DeliveryState, Urgency


class Delivery(Base):
    """One notice on its way to one person through one messenger."""

    __tablename__ = "delivery"
    id = Column(Integer, primary_key=True)
    notice_id = Column(ForeignKey("notice.id"), nullable=False)
    channel = Column(Choice(Channel), nullable=False)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    """The notice's recipient."""
    urgency = Column(Choice(Urgency), nullable=False)
    state = Column(Choice(DeliveryState), nullable=False, default=DeliveryState.WAITING)
    due_at = Column(AwareDateTime, nullable=False)
    """Not sent before: quiet hours, or the pause before another try."""
    tries = Column(Integer, nullable=False, default=0, server_default="0")
    """How often it began to be sent. Whoever ends a try names its number: a late one is refused."""
    unsure = Column(Integer, nullable=False, default=0, server_default="0")
    """Of how many tries nobody knows whether the messenger has the message."""
    began_at = Column(AwareDateTime)
    """When the newest try began."""
    binding_id = Column(ForeignKey("channel_binding.id"))
    """The chat of the newest try."""
    message_id = Column(String(64))
    """The messenger's own name for what was sent, or for the older message that was changed."""
    code = Column(String(40), nullable=False, default="", server_default="")
    """Why it was not sent; empty when nothing is wrong."""
    ended_at = Column(AwareDateTime)
    notice = relationship(Notice)
    member = relationship(Member)
    binding = relationship(ChannelBinding)
    __table_args__ = (
        one_of("channel", Channel),
        one_of("urgency", Urgency),
        one_of("state", DeliveryState),
        UniqueConstraint("notice_id", "channel"),
        CheckConstraint("tries >= 0 AND unsure BETWEEN 0 AND tries", name="tries_counted"),
        CheckConstraint(
            "state NOT IN ('sending', 'sent', 'blocked')"
            " OR (began_at IS NOT NULL AND binding_id IS NOT NULL)",
            name="sent_to_a_chat",
        ),
        CheckConstraint("state <> 'sent' OR message_id IS NOT NULL", name="sent_as_a_message"),
        CheckConstraint(
            "(state IN ('sent', 'given_up', 'dropped')) = (ended_at IS NOT NULL)",
            name="ended_once",
        ),
        # However many notifiers run: one message at a time from each queue of each person.
        Index(
            "uq_delivery_one_at_a_time",
            "channel",
            "member_id",
            "urgency",
            unique=True,
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_delivery_in_turn", "state", "urgency", "notice_id"),
        Index("ix_delivery_queue", "member_id", "channel", "urgency", "state", "notice_id"),
    )
