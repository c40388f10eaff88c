"""The staff's accounts in the console, their sessions, and what they did and saw there."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import relationship
from sqlalchemy.schema import Column

from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.village import Member
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)


class StaffAccount(Base):
    """A member of the village who works in the console."""

    __tablename__ = "staff_account"
    id = Column(Integer, primary_key=True)
    member_id = Column(ForeignKey("member.id"), nullable=False, unique=True)
    login = Column(String(40), nullable=False, unique=True)
    password_hash = Column(String(200), nullable=False)
    must_change = Column(Boolean, nullable=False, default=True, server_default=text("true"))
    """Whether the password was given by somebody else and is good for one login only."""
    totp_secret = Column(String(64))
    totp_step = Column(Integer, nullable=False, default=0, server_default="0")
    """The newest half minute whose code was used: no code works twice."""
    opened_at = Column(AwareDateTime, nullable=False)
    closed_at = Column(AwareDateTime)
    member = relationship(Member)
    role_rows = relationship("StaffRole", cascade="all, delete-orphan", order_by="StaffRole.role")
    __table_args__ = (
        CheckConstraint("length(login) BETWEEN 2 AND 40", name="login_typeable"),
        CheckConstraint("login = lower(login)", name="login_lower"),
    )

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(row.role for row in self.role_rows)


class StaffRole(Base):
    __tablename__ = "staff_role"
    account_id = Column(ForeignKey("staff_account.id"), primary_key=True)
    role = Column(Choice(Role), primary_key=True)
    __table_args__ = (one_of("role", Role),)


class StaffSession(Base):
    """One login; only the hash of its cookie is kept."""

    __tablename__ = "staff_session"
    token_sha256 = Column(String(64), primary_key=True)
    account_id = Column(ForeignKey("staff_account.id"), nullable=False, index=True)
    began_at = Column(AwareDateTime, nullable=False)
    seen_at = Column(AwareDateTime, nullable=False)
    ended_at = Column(AwareDateTime)
    said = Column(String(400), nullable=False, default="", server_default="")
    """What the next page tells once."""
    account = relationship(StaffAccount)


class LoginTry(Base):
    """Kept to slow down whoever guesses passwords."""

    __tablename__ = "login_try"
    id = Column(Integer, primary_key=True)
    login = Column(String(40), nullable=False)
    address = Column(String(64), nullable=False)
    succeeded = Column(Boolean, nullable=False)
    tried_at = Column(AwareDateTime, nullable=False)
    __table_args__ = (
        Index("ix_login_try_login", "login", "tried_at"),
        Index("ix_login_try_address", "address", "tried_at"),
    )


class StaffDeed(Base):
    """What somebody of the staff did or looked at. Rows never change: the database refuses it."""

    __tablename__ = "staff_deed"
    id = Column(Integer, primary_key=True)
    by_id = Column(ForeignKey("member.id"), nullable=False, index=True)
    deed = Column(String(80), nullable=False)
    viewed = Column(Choice(Viewed))
    """What was looked at; None for a deed."""
    about_id = Column(ForeignKey("member.id"))
    subject = Column(String(200), nullable=False, default="", server_default="")
    done_at = Column(AwareDateTime, nullable=False, index=True)
    by = relationship(Member, foreign_keys=[by_id])
    about = relationship(Member, foreign_keys=[about_id])
    __table_args__ = (
        one_of("viewed", Viewed),
        Index("ix_staff_deed_about", "about_id", "done_at"),
    )
