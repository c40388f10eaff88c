"""Delegates (代办人): family who act for an elder, by her own yes and no longer than half a year.

Nobody becomes one by saying so himself. What one then does and sees is in `on_behalf`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from actions.timebank import members, turns
from actions.timebank.errors import NothingOpen, NotYours, WrongState
from actions.timebank.ids import DelegationId, MemberId, TurnId
from actions.timebank.model import Delegation, DelegationGrant, Member, Relation
from actions.timebank.notices import tell
from actions.timebank.staff.accounts import staff_of
from actions.timebank.staff.roles import Permission, permissions_of
from actions.timebank.states import DelegateScope, DelegationState, RelationKind

LASTS = timedelta(days=182)
"""How long one yes counts."""
ANSWER_WITHIN = timedelta(days=14)
"""How long a question stands; whether to go on is asked so long before the end."""
EVERYTHING = frozenset(DelegateScope)


def propose(
    session: Session,
    *,
    elder: MemberId,
    delegate: MemberId,
    by: MemberId | None,
    now: datetime,
    scopes: Iterable[DelegateScope] = EVERYTHING,
) -> Delegation:
    """Asks the elder whether this member may act for her; nothing is allowed before her yes.

    `by` is the elder herself, who is asked in the answer to her own words, or a coordinator, but
    never the delegate; None is the command line.
    The same again returns the open question, or the delegation that stands already; another
    question about the same two takes the place of the open one. Raises NotYours, UnknownMember,
    and ValueError without scopes.
    """
    wanted = frozenset(scopes)
    if not wanted:
        raise ValueError("a delegation without scopes allows nothing")
    person, other = members.present(session, elder), members.present(session, delegate)
    if delegate in (elder, by):
        raise NotYours(f"member {delegate} cannot make himself a delegate")
    if by is not None and by != elder and not _is_staff(session, by):
        raise NotYours(f"member {by} may not propose a delegate for member {elder}")
    for state in (DelegationState.GIVEN, DelegationState.PROPOSED):
        there = _between(session, elder, delegate, state)
        if there is not None and there.scopes == wanted and still_counts(there, now):
            return there
    if there is not None:
        _end(session, there, DelegationState.ENDED, now)
    return _ask(session, person, other, wanted, by=by, now=now)


def give(
    session: Session,
    *,
    elder: MemberId,
    delegation_id: DelegationId,
    turn_id: TurnId,
    now: datetime,
    recording_sha256: str | None = None,
) -> Delegation:
    """The elder says yes in her own turn, which is the evidence together with its recording; an
    earlier delegation of the same two ends with it. Saying yes again changes nothing.

    Raises NothingOpen, NotYours when the question or the turn is not hers, WrongState when it
    was answered with no, taken back or is too old, UnknownMember when the delegate has left.
    """
    delegation = delegation_of(session, elder, delegation_id)
    said = turns.find(session, turn_id)
    if said is None or said.member_id != elder:
        raise NotYours(f"turn {turn_id} is no turn of member {elder}")
    if delegation.state is DelegationState.GIVEN and still_counts(delegation, now):
        return delegation
    if delegation.state is not DelegationState.PROPOSED or not still_counts(delegation, now):
        raise _wrong_state(delegation)
    members.present(session, MemberId(delegation.delegate_id))
    before = _between(session, elder, delegation.delegate_id, DelegationState.GIVEN)
    if before is not None:
        _end(session, before, DelegationState.ENDED, now)
    delegation.state = DelegationState.GIVEN
    delegation.consent_turn_id = turn_id
    delegation.consent_recording_sha256 = recording_sha256
    delegation.given_at = now
    delegation.ends_at = now + LASTS
    session.flush()
    tell(
        session,
        MemberId(delegation.delegate_id),
        "delegation_given",
        about=f"{delegation.id}",
        now=now,
        elder=delegation.elder.name,
        scopes=_in_order(delegation.scopes),
    )
    return delegation


def refuse(
    session: Session, *, elder: MemberId, delegation_id: DelegationId, now: datetime
) -> Delegation:
    """The elder says no: nothing is allowed, and when she was asked whether to go on, what she
    allowed before ends too. Saying no again changes nothing. Raises NothingOpen, NotYours, and
    WrongState after a yes (see `end`)."""
    delegation = delegation_of(session, elder, delegation_id)
    if delegation.state is DelegationState.GIVEN:
        raise _wrong_state(delegation)
    if delegation.state is DelegationState.PROPOSED:
        _end(session, delegation, DelegationState.REFUSED, now)
        before = _between(session, elder, delegation.delegate_id, DelegationState.GIVEN)
        if before is not None and delegation.renews_id == before.id:
            end(session, delegation_id=DelegationId(before.id), by=elder, now=now)
    return delegation


def end(
    session: Session, *, delegation_id: DelegationId, by: MemberId | None, now: datetime
) -> Delegation:
    """Elder, delegate or staff (None is the command line) end it at once, or take the question
    back; whoever of the two did not say it is told. Twice is fine. Raises NothingOpen, NotYours."""
    delegation = _row(session, delegation_id)
    both = (delegation.elder_id, delegation.delegate_id)
    if by is not None and by not in both and not _is_staff(session, by):
        raise NotYours(f"delegation {delegation_id} is not member {by}'s to end")
    if delegation.state not in (DelegationState.PROPOSED, DelegationState.GIVEN):
        return delegation
    was_given = delegation.state is DelegationState.GIVEN
    _end(session, delegation, DelegationState.ENDED, now)
    asked = _between(session, delegation.elder_id, delegation.delegate_id, DelegationState.PROPOSED)
    if asked is not None and asked.renews_id == delegation.id:
        _end(session, asked, DelegationState.ENDED, now)
    if was_given:
        _tell_over(session, delegation, now=now, but_not=by)
    return delegation


def send_away(
    session: Session, *, elder: MemberId, delegate: MemberId, by: MemberId | None, now: datetime
) -> bool:
    """Ends all that is asked or allowed between the two, see `end`; whether there was anything."""
    theirs = [one for one in of_elder(session, elder) if one.delegate_id == delegate]
    for one in theirs:
        end(session, delegation_id=DelegationId(one.id), by=by, now=now)
    return bool(theirs)


def may(
    session: Session,
    delegate: MemberId,
    elder: MemberId,
    scope: DelegateScope,
    now: datetime,
) -> bool:
    """Whether the elder's own yes allows this person that, at this moment."""
    return allowed_by(session, delegate, elder, scope, now) is not None


def allowed_by(
    session: Session,
    delegate: MemberId,
    elder: MemberId,
    scope: DelegateScope,
    now: datetime,
) -> Delegation | None:
    """The delegation by which he may; None when he may not."""
    standing = _standing(scope, now).where(
        Delegation.delegate_id == delegate, Delegation.elder_id == elder
    )
    return cast("Delegation | None", session.execute(standing).scalar_one_or_none())


def elders_of(
    session: Session,
    delegate: MemberId,
    *,
    now: datetime,
    scope: DelegateScope | None = None,
) -> list[Member]:
    """Present members who allow this person anything, or that."""
    his = _standing(scope, now).where(Delegation.delegate_id == delegate)
    return [one.elder for one in session.execute(his.order_by(Delegation.id)).scalars()]


def delegates_of(
    session: Session, elder: MemberId, scope: DelegateScope, *, now: datetime | None = None
) -> list[Member]:
    """Present members whom the elder allows this. Without `now` the last `sweep` counts, which
    may be some seconds late: enough for an alarm."""
    hers = _standing(scope, now).where(Delegation.elder_id == elder)
    return [one.delegate for one in session.execute(hers.order_by(Delegation.id)).scalars()]


def of_elder(session: Session, elder: MemberId) -> list[Delegation]:
    """Her open questions and what she allows, the newest first."""
    alive = select(Delegation).where(
        Delegation.elder_id == elder,
        Delegation.state.in_((DelegationState.PROPOSED, DelegationState.GIVEN)),
    )
    return list(session.execute(alive.order_by(Delegation.id.desc())).scalars())


def delegation_of(session: Session, elder: MemberId, delegation_id: DelegationId) -> Delegation:
    """The elder's own delegation or question. Raises NothingOpen, NotYours."""
    delegation = _row(session, delegation_id)
    if delegation.elder_id != elder:
        raise NotYours(f"delegation {delegation_id} is not member {elder}'s")
    return delegation


# -- time ----------------------------------------------------------------------------------------


def sweep(session: Session, *, now: datetime) -> list[DelegationId]:
    """Ends what ran out without a new yes and asks whether what runs out soon shall go on. Twice
    in a row does nothing more. Returns whatever was acted on."""
    acted_on: list[DelegationId] = []
    states = (DelegationState.PROPOSED, DelegationState.GIVEN)
    alive = select(Delegation).where(Delegation.state.in_(states)).order_by(Delegation.id)
    for delegation in session.execute(alive.with_for_update()).scalars().all():
        if not still_counts(delegation, now):
            was_given = delegation.state is DelegationState.GIVEN
            _end(session, delegation, DelegationState.LAPSED, now)
            if was_given:
                _tell_over(session, delegation, now=now)
        elif not _should_renew(session, delegation, now):
            continue
        else:
            people, scopes = (delegation.elder, delegation.delegate), delegation.scopes
            _ask(session, *people, scopes, by=None, now=now, renews=delegation)
        acted_on.append(DelegationId(delegation.id))
    return acted_on


def _should_renew(session: Session, delegation: Delegation, now: datetime) -> bool:
    if delegation.state is not DelegationState.GIVEN or delegation.ends_at - ANSWER_WITHIN > now:
        return False
    if delegation.elder.left_at is not None or delegation.delegate.left_at is not None:
        return False
    asked = select(Delegation.id).where(Delegation.renews_id == delegation.id)
    pair = (delegation.elder_id, delegation.delegate_id)
    is_asked = session.execute(asked).first() is not None
    return not is_asked and _between(session, *pair, DelegationState.PROPOSED) is None


def _ask(
    session: Session,
    elder: Member,
    delegate: Member,
    scopes: frozenset[DelegateScope],
    *,
    by: MemberId | None,
    now: datetime,
    renews: Delegation | None = None,
) -> Delegation:
    question = Delegation(
        elder=elder,
        delegate=delegate,
        proposed_by_id=by,
        proposed_at=now,
        renews_id=None if renews is None else renews.id,
        grants=[DelegationGrant(scope=scope) for scope in _in_order(scopes)],
    )
    session.add(question)
    session.flush()
    if by == elder.id:
        return question
    tell(
        session,
        MemberId(elder.id),
        "delegation_proposed" if renews is None else "delegation_renewal",
        about=f"{question.id}",
        now=now,
        scopes=_in_order(scopes),
        **who(session, question),
    )
    return question


def _end(session: Session, delegation: Delegation, state: DelegationState, now: datetime) -> None:
    delegation.state = state
    delegation.ended_at = now
    session.flush()


def _tell_over(
    session: Session, delegation: Delegation, *, now: datetime, but_not: MemberId | None = None
) -> None:
    """That it is over, to both, but not to whoever said so himself."""
    about = f"{delegation.id}"
    elder, delegate = MemberId(delegation.elder_id), MemberId(delegation.delegate_id)
    if delegate != but_not:
        name = delegation.elder.name
        tell(session, delegate, "delegation_over", about=about, now=now, elder=name)
    if elder != but_not:
        lapsed = delegation.state is DelegationState.LAPSED
        kind = "delegation_lapsed" if lapsed else "delegation_ended"
        tell(session, elder, kind, about=about, now=now, **who(session, delegation))


def who(session: Session, delegation: Delegation) -> dict[str, Any]:
    """Facts of a notice to the elder: which delegation, who he is, what she calls him."""
    return {
        "delegation_id": delegation.id,
        "delegate": delegation.delegate.name,
        "label": label(session, delegation.elder_id, delegation.delegate_id),
    }


def label(session: Session, elder: MemberId, other: MemberId) -> str:
    """What she calls him (儿子); empty when she has not said so."""
    named = select(Relation.label).where(
        Relation.member_id == elder,
        Relation.other_id == other,
        Relation.kind.in_((RelationKind.KIN, RelationKind.SPOUSE)),
    )
    return str(session.execute(named).scalar_one_or_none() or "")


def _is_staff(session: Session, by: MemberId) -> bool:
    """A coordinator, or whoever edits people in the console."""
    if members.present(session, by).is_coordinator:
        return True
    account = staff_of(session, by)
    return account is not None and Permission.EDIT_PEOPLE in permissions_of(account.roles)


def _standing(scope: DelegateScope | None, now: datetime | None) -> Any:
    """Delegations that count: given, not run out, both people here."""
    elder, delegate = aliased(Member), aliased(Member)
    standing = (
        select(Delegation)
        .join(elder, elder.id == Delegation.elder_id)
        .join(delegate, delegate.id == Delegation.delegate_id)
        .where(
            Delegation.state == DelegationState.GIVEN,
            elder.left_at.is_(None),
            delegate.left_at.is_(None),
        )
    )
    if now is not None:
        standing = standing.where(Delegation.ends_at > now)
    if scope is not None:
        standing = standing.join(Delegation.grants).where(DelegationGrant.scope == scope)
    return standing


def still_counts(delegation: Delegation, now: datetime) -> bool:
    """Whether it is allowed, or still asked, at this moment."""
    if delegation.state is DelegationState.GIVEN:
        return bool(now < delegation.ends_at)
    is_open = delegation.state is DelegationState.PROPOSED
    return is_open and bool(now < delegation.proposed_at + ANSWER_WITHIN)


def _between(
    session: Session, elder: MemberId, delegate: MemberId, state: DelegationState
) -> Delegation | None:
    of_these = select(Delegation).where(
        Delegation.elder_id == elder,
        Delegation.delegate_id == delegate,
        Delegation.state == state,
    )
    return cast("Delegation | None", session.execute(of_these).scalar_one_or_none())


def _row(session: Session, delegation_id: DelegationId) -> Delegation:
    if 0 < delegation_id <= members.LARGEST_ID:
        row = session.get(Delegation, delegation_id, populate_existing=True, with_for_update=True)
        if row is not None:
            return cast(Delegation, row)
    raise NothingOpen(f"no delegation {delegation_id}")


def _wrong_state(delegation: Delegation) -> WrongState:
    state = delegation.state.value
    return WrongState(f"delegation {delegation.id} is {state}", state=state)


def _in_order(scopes: Iterable[DelegateScope]) -> list[DelegateScope]:
    wanted = set(scopes)
    return [scope for scope in DelegateScope if scope in wanted]
