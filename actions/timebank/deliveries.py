"""Notices on their way through a messenger: whose turn it is, and how each try ended.

Whoever sends (a notifier; there may be several) lives by these promises:

- `tidy` now and then lists new notices, and takes up tries that nobody ended.
- `in_turn` tells what may go out now: of each person's queue only the first.
- `begin` right before the network, in a transaction of its own. It compares and sets, so one
  sender has a delivery, and checks once more that it is still to be said.
- `sent`, `not_sent`, `blocked` or `give_up` right after, with the try's number.

A delivery that stays `sending` for `ABANDONED_AFTER` has lost its sender; nobody knows whether
it arrived. It is sent again, since a neighbour who is asked twice is better than an elder who
waits for nobody, but only `MOST_UNSURE` times in all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from actions.timebank import bindings, buttons, members, outbox
from actions.timebank.delivery_queue import ENDS, in_turn, list_new, take_back_in
from actions.timebank.ids import BindingId, DeliveryId, MemberId, NoticeId
from actions.timebank.model import ChannelBinding, Delivery, Member, Notice
from actions.timebank.notices import tell
from actions.timebank.quiet_hours import may_be_told, next_waking
from actions.timebank.states import (
    Channel,
    DeliveryState,
    NoticeState,
    Urgency,
)

__all__ = [
    "ABANDONED_AFTER",
    "MOST_UNSURE",
    "SEND_WITHIN",
    "about",
    "begin",
    "blocked",
    "give_up",
    "in_turn",
    "not_sent",
    "question_of",
    "send_anew",
    "sent",
    "tidy",
    "worth_preparing",
]

SEND_WITHIN = timedelta(seconds=60)
"""A sender that waits longer for the messenger ends the try."""
ABANDONED_AFTER = timedelta(seconds=90)
"""Longer than any try takes: its sender is gone."""
MOST_UNSURE = 3
"""After so many tries that may have arrived it is handed to the staff instead."""
OLD_NEWS = timedelta(days=7)
"""What could not be told for so long is news no more."""
LOOK_AGAIN = timedelta(seconds=5)

NEVER_HANDED_ON = "staff_not_told"


def about(notice_id: NoticeId) -> str:
    """What the buttons under a notice's message are about, see `buttons.make_buttons`."""
    return f"notice:{notice_id}"


def tidy(
    session: Session, *, channel: Channel, now: datetime, restarted: bool = False
) -> list[DeliveryId]:
    """Lists notices queued since, lets wait again what an unblocked chat can take, and takes up
    what was abandoned; gives the ids of the latter.

    A sender that has just started says `restarted`: it may be the one that crashed, and urgent
    messages do not wait until that is certain."""
    list_new(session, channel, now)
    take_back_in(session, channel, now)
    return _take_up_abandoned(session, channel, now, restarted)


def question_of(session: Session, delivery: Delivery) -> Delivery | None:
    """The delivery of the question that this notice ends, when it was sent to the chat that the
    person has now."""
    if delivery.urgency is not Urgency.SILENT:
        return None
    asked = _asked(session, delivery.notice)
    if asked is None:
        return None
    sent = (
        select(Delivery)
        .join(ChannelBinding, ChannelBinding.id == Delivery.binding_id)
        .where(
            Delivery.notice_id == asked.id,
            Delivery.channel == delivery.channel,
            Delivery.state == DeliveryState.SENT,
            ChannelBinding.unbound_at.is_(None),
        )
    )
    return cast("Delivery | None", session.execute(sent).scalar_one_or_none())


def worth_preparing(session: Session, delivery: Delivery, now: datetime) -> bool:
    """Whether `begin` would let it go out as things stand."""
    return _put_off(session, delivery, now) is None


def begin(
    session: Session, delivery_id: DeliveryId, *, binding_id: BindingId, now: datetime
) -> int | None:
    """From here on the message may arrive. Gives the number of the try; None when it must not go
    out now: somebody else has it, the chat is not hers any more, it was heard elsewhere, is not
    true any more, or comes at a quiet hour. Buttons of a question that it ends die.

    Another sender that begins with the same person's queue at the very same time makes the
    database raise IntegrityError; that is a None as well."""
    delivery = _locked(session, delivery_id)
    if delivery.state is not DeliveryState.WAITING or delivery.due_at > now:
        return None
    binding = bindings.binding_of(session, delivery.member_id, channel=delivery.channel)
    if binding is None or binding.id != binding_id or binding.unreachable_at is not None:
        return None
    reason = _put_off(session, delivery, now)
    if reason is not None:
        _act_on(delivery, reason, now)
        session.flush()
        return None
    question = question_of(session, delivery)
    if question is not None:
        key = about(NoticeId(question.notice_id))
        buttons.kill_buttons(session, binding_id=binding_id, about=key, now=now)
    delivery.state = DeliveryState.SENDING
    delivery.binding_id = binding_id
    delivery.began_at = now
    delivery.tries += 1
    session.flush()
    return cast(int, delivery.tries)


def sent(
    session: Session, delivery_id: DeliveryId, *, tried: int, message_id: str, now: datetime
) -> bool:
    """The messenger has it: the person was told. False when this try was taken up by another in
    the meantime, who goes on."""
    delivery = _being_sent(session, delivery_id, tried)
    if delivery is None:
        return False
    delivery.message_id = message_id
    delivery.code = ""
    _end(delivery, DeliveryState.SENT, now)
    notice, member = NoticeId(delivery.notice_id), MemberId(delivery.member_id)
    outbox.deliver(session, notice_id=notice, member=member, now=now)
    return True


def not_sent(
    session: Session,
    delivery_id: DeliveryId,
    *,
    tried: int,
    code: str,
    due_at: datetime,
    now: datetime,
    unsure: bool = False,
) -> None:
    """It waits until `due_at` for another try. `unsure` says that it may have arrived all the
    same; after `MOST_UNSURE` of these it is given up."""
    delivery = _being_sent(session, delivery_id, tried)
    if delivery is not None:
        _wait_again(session, delivery, code, due_at, now, unsure)


def blocked(session: Session, delivery_id: DeliveryId, *, tried: int, now: datetime) -> None:
    """She lets in nothing from us: her chat is marked, staff are told, and what she has not heard
    waits until she is back."""
    delivery = _being_sent(session, delivery_id, tried)
    if delivery is not None:
        delivery.state = DeliveryState.BLOCKED
        session.flush()
        bindings.mark_unreachable(session, BindingId(delivery.binding_id), now=now)


def give_up(
    session: Session, delivery_id: DeliveryId, *, tried: int, code: str, now: datetime
) -> None:
    """The messenger will never take it: the staff tell her instead."""
    delivery = _being_sent(session, delivery_id, tried)
    if delivery is not None:
        _hand_on(session, delivery, code, now)


def send_anew(
    session: Session, delivery_id: DeliveryId, *, tried: int, code: str, now: datetime
) -> None:
    """The older message could not be changed: what it should have said is said anew."""
    delivery = _being_sent(session, delivery_id, tried)
    if delivery is not None:
        delivery.urgency = Urgency.ORDINARY
        _wait_again(session, delivery, code, now, now, unsure=False)


def _take_up_abandoned(
    session: Session, channel: Channel, now: datetime, restarted: bool
) -> list[DeliveryId]:
    gone = Delivery.began_at <= now - ABANDONED_AFTER
    if restarted:
        gone = or_(gone, Delivery.urgency == Urgency.URGENT)
    abandoned = (
        select(Delivery)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.channel == channel, gone)
        .order_by(Delivery.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    taken_up = []
    for delivery in session.execute(abandoned).scalars().all():
        _wait_again(session, delivery, "abandoned", now, now, unsure=True)
        taken_up.append(DeliveryId(delivery.id))
    return taken_up


# -- why something is not said now -----------------------------------------------------------------


def _put_off(session: Session, delivery: Delivery, now: datetime) -> str | datetime | None:
    """Why it is not to be said at all, until when it is not to be said, or None: say it."""
    notice = delivery.notice
    if notice.state is not NoticeState.QUEUED:
        return "heard"
    if now - notice.created_at >= OLD_NEWS:
        return "old"
    if not outbox.still_true(session, notice):
        return "past"
    if delivery.urgency is Urgency.SILENT and question_of(session, delivery) is None:
        return _without_question(session, delivery, now)
    if delivery.urgency is not Urgency.SILENT and not may_be_told(notice.kind, notice.facts, now):
        return next_waking(now)
    return None


def _without_question(session: Session, delivery: Delivery, now: datetime) -> str | datetime:
    """There is no message of ours to change."""
    asked = _asked(session, delivery.notice)
    if asked is not None and asked.state is NoticeState.QUEUED:
        on_its_way = select(Delivery.id).where(
            Delivery.notice_id == asked.id,
            Delivery.channel == delivery.channel,
            Delivery.state == DeliveryState.SENDING,
        )
        # Nobody needs to hear that a question is over that was never put.
        return now + LOOK_AGAIN if session.execute(on_its_way).first() else "past"
    return "said_anew"


def _act_on(delivery: Delivery, reason: str | datetime, now: datetime) -> None:
    if isinstance(reason, datetime):
        delivery.due_at = reason
    elif reason == "said_anew":
        delivery.urgency = Urgency.ORDINARY
    else:
        _drop(delivery, reason, now)


def _asked(session: Session, notice: Notice) -> Notice | None:
    kind, fact = ENDS.get(notice.kind, ("", ""))
    if fact not in notice.facts:
        return None
    key = f"{notice.recipient_id}:{kind}:{notice.facts[fact]}"
    question = select(Notice).where(Notice.dedupe_key == key)
    return cast("Notice | None", session.execute(question).scalar_one_or_none())


# -- how it ends -----------------------------------------------------------------------------------


def _locked(session: Session, delivery_id: DeliveryId) -> Delivery:
    delivery = session.get(Delivery, delivery_id, populate_existing=True, with_for_update=True)
    if delivery is None:
        raise LookupError(f"no delivery {delivery_id}")
    return cast(Delivery, delivery)


def _being_sent(session: Session, delivery_id: DeliveryId, tried: int) -> Delivery | None:
    """None when somebody took the try for abandoned and went on."""
    delivery = _locked(session, delivery_id)
    mine = delivery.state is DeliveryState.SENDING and delivery.tries == tried
    return delivery if mine else None


def _wait_again(
    session: Session, delivery: Delivery, code: str, due_at: datetime, now: datetime, unsure: bool
) -> None:
    delivery.unsure += unsure
    if delivery.unsure >= MOST_UNSURE:
        _hand_on(session, delivery, code, now)
        return
    delivery.state = DeliveryState.WAITING
    delivery.code = code
    delivery.due_at = due_at
    session.flush()


def _hand_on(session: Session, delivery: Delivery, code: str, now: datetime) -> None:
    delivery.code = code
    _end(delivery, DeliveryState.GIVEN_UP, now)
    session.flush()
    notice = delivery.notice
    if notice.kind == NEVER_HANDED_ON:
        return
    person = delivery.member
    for coordinator in members.coordinators(session):
        if coordinator.id != person.id:
            _tell_to_tell(session, coordinator, person, notice, now)


def _tell_to_tell(
    session: Session, coordinator: Member, person: Member, notice: Notice, now: datetime
) -> None:
    tell(
        session,
        MemberId(coordinator.id),
        NEVER_HANDED_ON,
        about=f"{notice.id}",
        now=now,
        member=person.name,
        place=person.place,
        untold={"kind": notice.kind, "facts": notice.facts},
    )


def _drop(delivery: Delivery, code: str, now: datetime) -> None:
    delivery.code = code
    _end(delivery, DeliveryState.DROPPED, now)


def _end(delivery: Delivery, state: DeliveryState, now: datetime) -> None:
    delivery.state = state
    delivery.ended_at = now
