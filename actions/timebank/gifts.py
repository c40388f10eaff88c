"""Hours given away: to spouse, kin, a neighbour, or the village fund."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.errors import NotEnoughMinutes, UnknownMember
from actions.timebank.funding import spare_minutes
from actions.timebank.ids import AccountId, MemberId, TurnId
from actions.timebank.model import Transfer
from actions.timebank.notices import tell, tell_staff


def spare(session: Session, giver: MemberId) -> int:
    """Minutes that the giver has to give; those promised for visits are not among them."""
    return max(0, spare_minutes(session, giver))


def check_spare(session: Session, giver: MemberId, minutes: int) -> None:
    """Raises NotEnoughMinutes when so many minutes are not the giver's to give: those promised
    for visits are not, nor those that she asked for help with.

    Facts: `needed`, `available`, and `what`, "gift" or, when nothing at all is there, "gift_none".
    """
    available = spare(session, giver)
    if minutes > available:
        what = "gift" if available else "gift_none"
        raise NotEnoughMinutes(what=what, needed=minutes, available=available)


def give(
    session: Session,
    *,
    giver: MemberId,
    receiver: MemberId | None,
    minutes: int,
    turn_id: TurnId,
    now: datetime,
) -> Transfer:
    """Moves minutes from the giver's own account and tells who receives them; for the fund
    (`receiver` None) the staff. The same turn again gives nothing more.

    Raises BadMinutes, NotEnoughMinutes as `check_spare`, and UnknownMember (`what` "receiver")
    when the receiver is not here or is the giver.
    """
    key = f"gift:{turn_id}"
    if not ledger.made_before(session, key):
        check_spare(session, giver, minutes)
    if receiver is not None:
        _check_here(session, giver, receiver)
    given = ledger.gift(
        session,
        giver=giver,
        receiver=receiver,
        minutes=minutes,
        idempotency_key=key,
        now=now,
        turn_id=turn_id,
    )
    name = members.member(session, giver).name
    if receiver is None:
        tell_staff(
            session, "staff_gift_to_fund", about=turn_id, now=now, giver=name, minutes=minutes
        )
    else:
        account = AccountId(ledger.account_of(session, receiver).id)
        balance = ledger.balance(session, account).posted
        facts = {"giver": name, "minutes": minutes, "balance": balance}
        tell(session, receiver, "gift_received", about=turn_id, now=now, **facts)
    return given


def _check_here(session: Session, giver: MemberId, receiver: MemberId) -> None:
    if receiver == giver or members.member(session, receiver).left_at is not None:
        raise UnknownMember(f"member {receiver} cannot receive this", what="receiver")
