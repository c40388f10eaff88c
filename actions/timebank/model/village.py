"""Who lives here and what they can do."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.states import (
    DayPart,
    LeavingReason,
    RelationKind,
    ServiceKind,
)


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
    patience_ms = Column(Integer, nullable=False, default=2500, server_default="2500")
    """How long a silence may last before it counts as the end of what is said."""
    version = Column(Integer, nullable=False, default=1, server_default="1")
    """One more with every edit by staff, so that two who edit at once notice each other."""
    photo = Column(String(40))
    """The file's name in the photos folder; None without one."""
    left_why = Column(Choice(LeavingReason))
    """Why this member left, when staff wrote it down."""
    lane = relationship(Lane)
    __table_args__ = (
        CheckConstraint("length(trim(name)) > 0", name="name_not_empty"),
        CheckConstraint("pace BETWEEN 100 AND 240", name="pace_speakable"),
        CheckConstraint("gain BETWEEN 50 AND 300", name="gain_audible"),
        CheckConstraint("patience_ms BETWEEN 2500 AND 6000", name="patience_bearable"),
        CheckConstraint("left_why IS NULL OR left_at IS NOT NULL", name="left_for_a_reason"),
        one_of("left_why", LeavingReason),
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


class Availability(Base):
    """A weekly time at which a member said to have time for others; see `availability`."""

    __tablename__ = "availability"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False)
    weekday = Column(Integer, nullable=False)
    """0 is Monday."""
    part = Column(Choice(DayPart), nullable=False)
    __table_args__ = (
        UniqueConstraint("member_id", "weekday", "part"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_of_a_week"),
        one_of("part", DayPart),
    )


class DoNotAsk(Base):
    """What a helper wished not to be asked for: a kind of help, a time, or a kind for a time."""

    __tablename__ = "do_not_ask"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    service_kind = Column(Choice(ServiceKind))
    """None for every kind."""
    until = Column(AwareDateTime)
    """No request that begins before this; None for good."""
    words = Column(String(120), nullable=False, server_default="")
    """The reason, as it was told."""
    said_at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        one_of("service_kind", ServiceKind),
        # Who wants no tasks at all, for good, takes none: see `Member.takes_tasks`.
        CheckConstraint("service_kind IS NOT NULL OR until IS NOT NULL", name="kind_or_time"),
    )
