"""Keys that pass through the hands of staff: whose they are hears who had them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import members
from actions.timebank.errors import NotYours
from actions.timebank.ids import MemberId, StaffAccountId
from actions.timebank.model import Notice
from actions.timebank.staff import accounts, keys, leaving
from actions.timebank.staff.roles import Role
from actions.timebank.states import LeavingReason
from tests.timebank.neighbourhood import Neighbourhood
from tests.timebank.staff.desk import hired


def told(session: Session, member: int) -> list[str]:
    return list(session.execute(select(Notice.kind).where(Notice.recipient_id == member)).scalars())


@pytest.fixture
def admin(hood: Neighbourhood) -> MemberId:
    return hired(hood.session, "陈主任", Role.ADMINISTRATOR)


@pytest.fixture
def other_admin(hood: Neighbourhood) -> MemberId:
    return hired(hood.session, "孙主任", Role.ADMINISTRATOR)


KEYS = [
    (keys.show_link, "link_shown"),
    (keys.renew_link, "link_renewed"),
    (keys.issue_card, "card_issued"),
]


@pytest.mark.parametrize("deed, kind", KEYS)
def test_wang_hears_who_held_the_key_to_her_voice(
    hood: Neighbourhood, admin: MemberId, deed: Callable[..., Any], kind: str
) -> None:
    deed(hood.session, member=MemberId(hood.wang.id), by=admin, now=hood.now)
    assert kind in told(hood.session, hood.wang.id)
    facts = hood.session.execute(select(Notice.facts).where(Notice.kind == kind)).scalar_one()
    assert facts["by"] == "陈主任"


@pytest.mark.parametrize("deed, kind", KEYS)
def test_who_only_looks_gets_no_key(
    hood: Neighbourhood, deed: Callable[..., Any], kind: str
) -> None:
    viewer, before = hired(hood.session, "看客", Role.VIEWER), hood.wang.link_serial
    with pytest.raises(NotYours):
        deed(hood.session, member=MemberId(hood.wang.id), by=viewer, now=hood.now)
    assert kind not in told(hood.session, hood.wang.id)
    assert hood.wang.link_serial == before


def test_a_colleagues_new_password_is_told_to_him_and_to_the_other_administrators(
    hood: Neighbourhood, admin: MemberId, other_admin: MemberId
) -> None:
    zhou = hired(hood.session, "周会计", Role.BOOKKEEPER)
    number = StaffAccountId(accounts.staff_of(hood.session, zhou).id)  # type: ignore[union-attr]
    keys.reset_password(
        hood.session, account_id=number, password_hash="new", by=admin, now=hood.now
    )
    assert told(hood.session, zhou) == ["account_reset"]
    assert told(hood.session, other_admin) == ["colleague_account_reset"]
    assert told(hood.session, admin) == []
    reset = accounts.account(hood.session, number)
    assert (reset.password_hash, reset.must_change) == ("new", True)


def test_who_gives_himself_a_second_role_is_seen_doing_it(
    hood: Neighbourhood, admin: MemberId, other_admin: MemberId
) -> None:
    number = StaffAccountId(accounts.staff_of(hood.session, admin).id)  # type: ignore[union-attr]
    both = {"account_id": number, "roles": [Role.ADMINISTRATOR, Role.BOOKKEEPER]}
    for _ in range(2):  # Twice is one change.
        keys.change_roles(hood.session, by=admin, now=hood.now, **both)
    assert told(hood.session, other_admin) == ["colleague_account_roles"]


def test_an_account_opened_at_the_machine_is_told_to_every_administrator(
    hood: Neighbourhood, admin: MemberId, other_admin: MemberId
) -> None:
    keys.open_account(
        hood.session,
        member=MemberId(hood.zhang.id),
        login="zhang",
        roles=[Role.BOOKKEEPER],
        password_hash="x",
        by=None,
        now=hood.now,
    )
    for one in (admin, other_admin):
        assert told(hood.session, one) == ["colleague_account_opened"]
    assert "account_opened" in told(hood.session, hood.zhang.id)


def test_only_an_administrator_has_keys_to_accounts(hood: Neighbourhood, admin: MemberId) -> None:
    clerk = hired(hood.session, "李干事", Role.COORDINATOR)
    number = StaffAccountId(accounts.staff_of(hood.session, admin).id)  # type: ignore[union-attr]
    his: dict[str, Any] = {"account_id": number, "by": clerk, "now": hood.now}
    for deed, more in (
        (keys.reset_password, {"password_hash": "mine"}),
        (keys.change_roles, {"roles": [Role.VIEWER]}),
        (keys.close_account, {}),
        (keys.reopen_account, {}),
    ):
        with pytest.raises(NotYours):
            deed(hood.session, **his, **more)
    assert accounts.account(hood.session, number).password_hash == "x"


def test_who_shuts_out_the_other_administrator_is_seen_doing_it(
    hood: Neighbourhood, admin: MemberId, other_admin: MemberId
) -> None:
    third = hired(hood.session, "吴主任", Role.ADMINISTRATOR)
    number = StaffAccountId(
        accounts.staff_of(hood.session, other_admin).id  # type: ignore[union-attr]
    )
    for _ in range(2):  # Twice is one closing.
        keys.close_account(hood.session, account_id=number, by=admin, now=hood.now)
    assert told(hood.session, other_admin) == ["account_roles"]
    assert told(hood.session, third) == ["colleague_account_roles"]


def test_the_coordinators_hear_what_a_lone_administrator_does(
    hood: Neighbourhood, admin: MemberId
) -> None:
    zhou = hired(hood.session, "周会计", Role.BOOKKEEPER)
    number = StaffAccountId(accounts.staff_of(hood.session, zhou).id)  # type: ignore[union-attr]
    keys.reset_password(hood.session, account_id=number, password_hash="n", by=admin, now=hood.now)
    assert told(hood.session, hood.staff.id) == ["colleague_account_reset"]


def test_an_administrator_sent_away_is_missed_by_the_others(
    hood: Neighbourhood, admin: MemberId, other_admin: MemberId
) -> None:
    third = hired(hood.session, "吴主任", Role.ADMINISTRATOR)
    leaving.leave(
        hood.session,
        member=other_admin,
        seen=members.member(hood.session, other_admin).version,
        why=LeavingReason.MOVED,
        by=admin,
        now=hood.now,
    )
    assert told(hood.session, third) == ["colleague_account_roles"]
    assert told(hood.session, other_admin) == []
