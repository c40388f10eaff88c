"""Who learned a kind of help. Nothing else opens the kinds that only trained helpers do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from actions.timebank.ids import MemberId
from actions.timebank.model import Skill, Training
from actions.timebank.states import ServiceKind


def of_member(session: Session, member: MemberId) -> list[Training]:
    """All that was ever recorded, newest first."""
    recorded = select(Training).where(Training.member_id == member).order_by(Training.id.desc())
    rows = session.execute(recorded.options(joinedload(Training.recorded_by))).scalars()
    return list(rows)


def counts(training: Training, now: datetime) -> bool:
    """Whether it opens its kind at this moment."""
    return training.ended_at is None and (training.until is None or now < training.until)


def refresh(session: Session, member: MemberId, kind: ServiceKind, *, now: datetime) -> None:
    """Sets `Skill.trained` as the records say; a member without the skill is given it."""
    session.flush()
    is_trained = any(
        one.service_kind is kind and counts(one, now) for one in of_member(session, member)
    )
    own = select(Skill).where(Skill.member_id == member, Skill.service_kind == kind)
    skill = session.execute(own).scalar_one_or_none()
    if skill is None and is_trained:
        session.add(Skill(member_id=member, service_kind=kind, trained=True))
    elif skill is not None:
        skill.trained = is_trained
    session.flush()


def lapse(session: Session, *, now: datetime) -> None:
    """Closes the kinds whose training ran out. Twice in a row does nothing more."""
    ran_out = (
        select(Training.member_id, Training.service_kind)
        .join(
            Skill,
            (Skill.member_id == Training.member_id)
            & (Skill.service_kind == Training.service_kind)
            & Skill.trained.is_(True),
        )
        .where(Training.until <= now)
        .distinct()
    )
    for member, kind in session.execute(ran_out).all():
        still = select(Training.id).where(
            Training.member_id == member,
            Training.service_kind == kind,
            Training.ended_at.is_(None),
            or_(Training.until.is_(None), Training.until > now),
        )
        if session.execute(still).first() is None:
            closed = update(Skill).where(Skill.member_id == member, Skill.service_kind == kind)
            session.execute(closed.values(trained=False))
