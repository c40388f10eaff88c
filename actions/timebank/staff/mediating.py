"""What a mediator reads of a contested matter, and the decision.

By then the smaller of two statements has moved: that much both sides said. A decision is words and,
where minutes are contested, how long the visit was. It moves nothing by itself: what is more or
less than what moved is a proposal in the books, which a second person approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from actions.timebank import disputes
from actions.timebank.errors import BadMinutes, NothingOpen
from actions.timebank.ids import DisputeId, MemberId, TransferId
from actions.timebank.members import LARGEST_ID
from actions.timebank.model import (
    Assignment,
    Confirmation,
    Dispute,
    InPersonDeed,
    Member,
    ServiceRequest,
    Transfer,
    Turn,
    Visit,
)
from actions.timebank.notices import tell
from actions.timebank.staff.accounts import not_for_self, require
from actions.timebank.staff.counter import NoWords
from actions.timebank.staff.roles import Permission
from actions.timebank.states import DisputeKind, DisputeState

LONGEST_RESOLUTION = 1_000


@dataclass(frozen=True)
class Side:
    """One side of it, with what that person said."""

    person: Member
    is_elder: bool
    confirmation: Confirmation | None
    """The statement about the visit, if there was one."""
    turn: Turn | None
    """The turn of the statement, or of the complaint: words, and a recording unless typed."""
    written_by: Member | None
    """Who of the staff wrote it down when it was said in person."""


@dataclass(frozen=True)
class Matter:
    dispute: Dispute
    elder: Side
    """Or whoever complains, when it is about no visit."""
    helper: Side | None
    visit: Visit | None
    settlement: TransferId | None
    """The transfer that moved the agreed part."""

    @property
    def moved(self) -> int:
        """Minutes that moved for the visit."""
        return (self.visit.settled_minutes or 0) if self.visit is not None else 0

    @property
    def not_yet_moved(self) -> int:
        """Decided minutes that are not in the books, less than zero when too many are."""
        decided = self.dispute.decided_minutes
        return 0 if decided is None else decided - self.moved


def matter(session: Session, dispute_id: DisputeId) -> Matter:
    """Both sides of it. Raises NothingOpen when there is no such dispute."""
    dispute = session.get(Dispute, dispute_id) if 0 < dispute_id <= LARGEST_ID else None
    if dispute is None:
        raise NothingOpen(f"no dispute {dispute_id}")
    return _matter(session, dispute)


def decide(
    session: Session,
    *,
    by: MemberId,
    dispute_id: DisputeId,
    words: str,
    now: datetime,
    minutes: int | None = None,
) -> Dispute:
    """The mediator's decision; both sides are told. The same decision again changes nothing.

    `minutes` lie between what the two said and are needed when those differ, and only then. Raises
    NotYours without the permission, NotForSelf for a side, NothingOpen, NoWords, BadMinutes (facts
    `least`, `most`), WrongState (`by` whom) when somebody decided otherwise before."""
    require(session, by, Permission.MEDIATE, now=now)
    found = matter(session, dispute_id)
    sides = [found.elder, *([found.helper] if found.helper is not None else [])]
    not_for_self(by, [MemberId(side.person.id) for side in sides])
    words = words.strip()
    if not 0 < len(words) <= LONGEST_RESOLUTION:
        raise NoWords(f"{len(words)} characters")
    if found.dispute.state is DisputeState.OPEN:
        minutes = _contested(found.dispute, minutes)
    was_open = found.dispute.state is DisputeState.OPEN
    decided = disputes.resolve(
        session, dispute_id=dispute_id, mediator=by, resolution=words, minutes=minutes, now=now
    )
    if was_open:
        for side in sides:
            tell(
                session,
                MemberId(side.person.id),
                "dispute_decided",
                about=f"{dispute_id}",
                now=now,
                by=decided.resolved_by.name,
                words=words,
            )
    return decided


def _contested(dispute: Dispute, minutes: int | None) -> int | None:
    if dispute.kind is not DisputeKind.MINUTES_DIFFER:
        if minutes is not None:
            raise BadMinutes("no minutes are contested", minutes=minutes, least=0, most=0)
        return None
    least = min(dispute.claimed_minutes, dispute.confirmed_minutes)
    most = max(dispute.claimed_minutes, dispute.confirmed_minutes)
    if minutes is None or not least <= minutes <= most:
        raise BadMinutes(f"{minutes} minutes", minutes=minutes, least=least, most=most)
    return minutes


def _matter(session: Session, dispute: Dispute) -> Matter:
    request: ServiceRequest | None = dispute.request
    own_words = _turn(session, dispute.turn_id)
    if request is None:
        complains = _side(session, dispute.opened_by, None, own_words, is_elder=True)
        return Matter(dispute, complains, None, None, None)
    assignment = _contested_promise(session, dispute, request)
    visit = assignment.visit if assignment is not None else None
    said = {one.member_id: one for one in visit.confirmations} if visit is not None else {}
    hers = own_words if dispute.opened_by_id == request.elder_id else None
    elder = _side(session, request.elder, said.get(request.elder_id), hers, is_elder=True)
    helper = None
    if assignment is not None:
        his = said.get(assignment.helper_id)
        helper = _side(session, assignment.helper, his, None, is_elder=False)
    settled = None
    if visit is not None:
        moved = select(Transfer.id).where(Transfer.visit_id == visit.id)
        settled = session.execute(moved).scalar_one_or_none()
    return Matter(dispute, elder, helper, visit, settled)


def _contested_promise(
    session: Session, dispute: Dispute, request: ServiceRequest
) -> Assignment | None:
    """Whose visit it is about: the last promise that was made before."""
    promised = (
        select(Assignment)
        .where(Assignment.request_id == request.id, Assignment.accepted_at <= dispute.opened_at)
        .order_by(Assignment.id.desc())
        .options(joinedload(Assignment.helper))
        .limit(1)
    )
    return cast("Assignment | None", session.execute(promised).scalar_one_or_none())


def _side(
    session: Session,
    person: Member,
    confirmation: Confirmation | None,
    turn: Turn | None,
    *,
    is_elder: bool,
) -> Side:
    if confirmation is not None:
        turn = _turn(session, confirmation.turn_id)
    written = session.get(InPersonDeed, turn.id) if turn is not None else None
    return Side(
        person=person,
        is_elder=is_elder,
        confirmation=confirmation,
        turn=turn,
        written_by=written.staff if written is not None else None,
    )


def _turn(session: Session, turn_id: str) -> Turn | None:
    """None for what only the passing of time opened."""
    return cast("Turn | None", session.get(Turn, turn_id))


def decided(session: Session, *, limit: int) -> list[Dispute]:
    """The last decisions, newest first."""
    last = (
        select(Dispute)
        .where(Dispute.state == DisputeState.RESOLVED)
        .options(joinedload(Dispute.opened_by), joinedload(Dispute.resolved_by))
        .order_by(Dispute.resolved_at.desc(), Dispute.id.desc())
        .limit(limit)
    )
    return list(session.execute(last).scalars())
