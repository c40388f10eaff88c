"""What staff do in their console and members hear of."""

from __future__ import annotations

from actions.timebank import gifts, ledger
from actions.timebank.ids import AccountId, MemberId
from actions.timebank.staff import accounts, broadcasts, keys, leaving, proposals
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import Audience
from actions.timebank.states import LeavingReason
from tests.timebank.builders import make_member
from tests.timebank.neighbourhood import Neighbourhood, new_turn
from tests.timebank.staff.desk import hired


def helper_died(hood: Neighbourhood) -> None:
    promise = hood.accepted(hood.ask())
    staff = {"by": MemberId(hood.staff.id), "now": hood.now}
    accounts.make(
        hood.session,
        member=MemberId(hood.staff.id),
        login="chen",
        roles=[Role.COORDINATOR],
        password_hash="x",
        now=hood.now,
    )
    leaving.leave(
        hood.session,
        member=MemberId(promise.helper_id),
        seen=promise.helper.version,
        why=LeavingReason.DIED,
        **staff,
    )


def put_right(hood: Neighbourhood) -> None:
    """An hour is given to her by two of the staff, and taken back by them."""
    who = [hired(hood.session, name, Role.BOOKKEEPER) for name in ("李会计", "周会计")]
    hers = AccountId(ledger.account_of(hood.session, hood.wang.id).id)
    about = {"by": who[0], "reason": "记重了", "now": hood.now}
    for _ in range(2):
        given = proposals.propose_grant(hood.session, account_id=hers, minutes=60, **about)
        proposals.approve(hood.session, proposal_id=given.id, by=who[1], now=hood.now)
    # And what she gave away comes back.
    away = gifts.give(
        hood.session,
        giver=hood.wang.id,
        receiver=hood.li.id,
        minutes=30,
        turn_id=new_turn(),
        now=hood.now,
    )
    for wrong in (given.transfer_id, away.id):
        undone = proposals.propose_reversal(hood.session, transfer_id=wrong, **about)
        proposals.approve(hood.session, proposal_id=undone.id, by=who[1], now=hood.now)


def keys_in_other_hands(hood: Neighbourhood) -> None:
    admin = hired(hood.session, "陈主任", Role.ADMINISTRATOR)
    hired(hood.session, "孙主任", Role.ADMINISTRATOR)
    hers = {"member": hood.wang.id, "by": admin, "now": hood.now}
    keys.show_link(hood.session, **hers)
    keys.renew_link(hood.session, **hers)
    keys.issue_card(hood.session, **hers)
    made = keys.open_account(
        hood.session,
        member=MemberId(hood.zhang.id),
        login="zhang",
        roles=[Role.VIEWER],
        password_hash="x",
        by=admin,
        now=hood.now,
    )
    his = {"account_id": made.id, "by": None, "now": hood.now}
    keys.change_roles(hood.session, roles=[Role.MEDIATOR], **his)
    keys.reset_password(hood.session, password_hash="y", **his)


def one_person_twice(hood: Neighbourhood) -> None:
    chen = hired(hood.session, "陈会计", Role.COORDINATOR)
    zhou = hired(hood.session, "周调解", Role.MEDIATOR)
    double = make_member(hood.session, "秀英", now=hood.now)
    made = proposals.propose_merge(
        hood.session,
        by=chen,
        double=MemberId(double.id),
        kept=MemberId(hood.zhang.id),
        reason="登记了两次",
        now=hood.now,
    )
    proposals.approve(hood.session, proposal_id=made.id, by=zhou, now=hood.now)


def told_to_many(hood: Neighbourhood) -> None:
    chen = hired(hood.session, "陈干事", Role.COORDINATOR)
    zhou = hired(hood.session, "周调解", Role.MEDIATOR)
    words = {"words": "村口的路修好了。", "spoken_seconds": 3, "audience": Audience.EVERYBODY}
    draft = broadcasts.write(hood.session, by=chen, now=hood.now, **words)
    broadcasts.heard(hood.session, draft.id, by=chen, now=hood.now)
    broadcasts.propose(hood.session, draft.id, by=chen, version=draft.version, now=hood.now)
    broadcasts.approve(hood.session, draft.id, by=zhou, now=hood.now)


STAFF_STORIES = (helper_died, put_right, keys_in_other_hands, one_person_twice, told_to_many)
