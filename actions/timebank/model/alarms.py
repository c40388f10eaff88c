"""What became of an alarm: whom each step called, who cannot go, where it is."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Float,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.states import AlarmWhy


class AlarmStep(Base):
    """People were called, or asked, about one alert. Rows never change: the database refuses it."""

    __tablename__ = "alarm_step"
    alert_id = Column(ForeignKey("alert.id"), primary_key=True)
    step = Column(Integer, primary_key=True, autoincrement=False)
    """Counted from 0."""
    why = Column(Choice(AlarmWhy), nullable=False)
    people = Column(JSON, nullable=False)
    """The ids of the members who were called; empty when nobody was left."""
    turn_id = Column(String(120))
    """What was said that set it off; None when only time had passed."""
    at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        one_of("why", AlarmWhy),
        CheckConstraint("step >= 0", name="step_counted"),
        UniqueConstraint("alert_id", "turn_id"),
    )


class AlarmRefusal(Base):
    """Somebody cannot go; in this alarm he is not asked again."""

    __tablename__ = "alarm_refusal"
    alert_id = Column(ForeignKey("alert.id"), primary_key=True)
    member_id = Column(ForeignKey("member.id"), primary_key=True)
    reason = Column(String(120), nullable=False, server_default="")
    at = Column(AwareDateTime, nullable=False)


class AlarmPlace(Base):
    """Where she is, as her phone says; the newest counts. Personal data."""

    __tablename__ = "alarm_place"
    id = Column(Integer, primary_key=True)
    alert_id = Column(ForeignKey("alert.id"), nullable=False, index=True)
    latitude = Column(Float, nullable=False)
    longitude = Column(Float, nullable=False)
    at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_on_earth"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_on_earth"),
    )
