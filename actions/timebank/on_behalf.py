"""What is done and seen for an elder by others, and that she is told of it.

Whatever a delegate does or sees she is told in the same transaction. He confirms no visit and gives
no hours: no scope allows it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import delegates, ledger, members, queries
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NotYours
from actions.timebank.ids import AccountId, DelegationId, MemberId, TurnId
from actions.timebank.model import Delegation, Member, Notice, Relation, ServiceRequest, Turn
from actions.timebank.notices import tell
from actions.timebank.states import (
    DelegateScope,
    NoticeState,
    RelationKind,
    TurnOutcome,
)

BARE_ANSWER_WITHIN = timedelta(hours=1)
"""How long after she heard of a delegation a yes or no without any name still means it."""
QUESTIONS = ("delegation_proposed", "delegation_renewal")
DONE_FOR_HER = ("done_for_you_asked", "done_for_you_saw_balance", "done_for_you_saw_requests")


class NotDelegate(NotYours):
    """The elder has not allowed this person to do that; `facts["elder"]` names her."""

    code = "not_delegate"


def check_may_ask(
    session: Session, *, elder: MemberId, by: MemberId, now: datetime
) -> Delegation | None:
    """Who may ask for help for her: staff, the spouse whom she named and shares a house with, and
    a delegate, whose delegation is returned. Raises NotDelegate, UnknownMember."""
    person, asker = members.present(session, elder), members.present(session, by)
    delegation = delegates.allowed_by(session, by, elder, DelegateScope.ASK_HELP, now)
    if delegation is None and not asker.is_coordinator and not _at_home(session, person, asker):
        raise NotDelegate(f"member {by} may not ask for member {elder}", elder=person.name)
    return delegation


def tell_asked(session: Session, request: ServiceRequest, *, now: datetime) -> None:
    """Tells the elder who asked for help on her behalf; a delegate can be sent away with it."""
    by = MemberId(request.requested_by_id)
    delegation = check_may_ask(session, elder=MemberId(request.elder_id), by=by, now=now)
    what: dict[str, Any] = {"kind": request.service_kind, "starts_at": request.starts_at}
    if delegation is not None:
        _tell_done(session, delegation, "done_for_you_asked", f"{request.id}", now, **what)
        return
    name = members.member(session, by).name
    who = {"delegate": name, "label": delegates.label(session, request.elder_id, by)}
    elder = MemberId(request.elder_id)
    tell(session, elder, "asked_for_you", about=f"{request.id}", now=now, **who, **what)


def see_balance(
    session: Session, *, by: MemberId, elder: MemberId, now: datetime
) -> ledger.BalanceOf:
    """The elder's hours, for a delegate; she is told, once a day. Raises NotDelegate."""
    delegation = _allowed(session, by, elder, DelegateScope.SEE_BALANCE, now)
    _tell_done(session, delegation, "done_for_you_saw_balance", _day(now), now)
    account = AccountId(ledger.account_of(session, elder).id)
    return ledger.balance(session, account)


def see_requests(
    session: Session, *, by: MemberId, elder: MemberId, now: datetime
) -> list[ServiceRequest]:
    """What the elder asked for and is not over, for a delegate; she is told, once a day. Raises
    NotDelegate."""
    delegation = _allowed(session, by, elder, DelegateScope.SEE_REQUESTS, now)
    _tell_done(session, delegation, "done_for_you_saw_requests", _day(now), now)
    return queries.open_requests(session, elder)


def heard_last(
    session: Session, elder: MemberId, *, turn_id: TurnId, now: datetime
) -> tuple[Delegation, str] | None:
    """The delegation of which she was told last of all and just now, and the notice's kind: what
    a word without any name answers. None when she heard anything later or spoke since."""
    newest = (
        select(Notice)
        .where(Notice.recipient_id == elder, Notice.state == NoticeState.DELIVERED)
        .order_by(Notice.delivered_at.desc(), Notice.id.desc())
        .limit(1)
    )
    notice = session.execute(newest).scalar_one_or_none()
    if notice is None or notice.kind not in QUESTIONS + DONE_FOR_HER:
        return None
    if not now - BARE_ANSWER_WITHIN <= notice.delivered_at:
        return None
    spoke_since = select(Turn.id).where(
        Turn.member_id == elder,
        Turn.id != turn_id,
        Turn.began_at > notice.delivered_at,
        Turn.outcome != TurnOutcome.REPAIRED,
    )
    if session.execute(spoke_since.limit(1)).first() is not None:
        return None
    told_of = DelegationId(notice.facts["delegation_id"])
    delegation = delegates.delegation_of(session, elder, told_of)
    return (delegation, str(notice.kind)) if delegates.still_counts(delegation, now) else None


def _tell_done(
    session: Session,
    delegation: Delegation,
    deed: str,
    about: str,
    now: datetime,
    **what: object,
) -> None:
    elder = MemberId(delegation.elder_id)
    facts = {**delegates.who(session, delegation), **what}
    tell(session, elder, deed, about=f"{delegation.id}:{about}", now=now, **facts)


def _at_home(session: Session, elder: Member, asker: Member) -> bool:
    """Whether he is the spouse whom she named so, under the same roof."""
    named = select(Relation.id).where(
        Relation.member_id == elder.id,
        Relation.other_id == asker.id,
        Relation.kind == RelationKind.SPOUSE,
    )
    one_house = (elder.lane_id, elder.place) == (asker.lane_id, asker.place) and elder.place
    return bool(one_house) and session.execute(named).first() is not None


def _allowed(
    session: Session, by: MemberId, elder: MemberId, scope: DelegateScope, now: datetime
) -> Delegation:
    delegation = delegates.allowed_by(session, by, elder, scope, now)
    if delegation is None:
        name = members.member(session, elder).name
        raise NotDelegate(f"member {by} has no {scope.value} of member {elder}", elder=name)
    return delegation


def _day(now: datetime) -> str:
    return now.astimezone(VILLAGE_ZONE).date().isoformat()
