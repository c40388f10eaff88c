"""What staff do among themselves, and for many, of which somebody is told."""

from __future__ import annotations

from actions.timebank.ids import MemberId
from actions.timebank.staff import broadcasts, keys, proposals
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import Audience
from tests.timebank.builders import make_member
from tests.timebank.neighbourhood import Neighbourhood
from tests.timebank.staff.desk import hired


def _keys_in_other_hands(hood: Neighbourhood) -> None:
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


def _one_person_twice(hood: Neighbourhood) -> None:
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


def _told_to_many(hood: Neighbourhood) -> None:
    chen = hired(hood.session, "陈干事", Role.COORDINATOR)
    zhou = hired(hood.session, "周调解", Role.MEDIATOR)
    words = {"words": "村口的路修好了。", "spoken_seconds": 3, "audience": Audience.EVERYBODY}
    draft = broadcasts.write(hood.session, by=chen, now=hood.now, **words)
    broadcasts.heard(hood.session, draft.id, by=chen, now=hood.now)
    broadcasts.propose(hood.session, draft.id, by=chen, version=draft.version, now=hood.now)
    broadcasts.approve(hood.session, draft.id, by=zhou, now=hood.now)


STAFF_STORIES = [_keys_in_other_hands, _one_person_twice, _told_to_many]
