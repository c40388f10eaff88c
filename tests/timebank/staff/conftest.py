"""Somebody who is in the roll twice, and two of the staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.model import Member, Merge
from actions.timebank.staff import merging
from actions.timebank.staff.roles import Role
from tests.timebank.builders import MORNING, make_member
from tests.timebank.neighbourhood import Neighbourhood, settle_in
from tests.timebank.staff.desk import hired


@pytest.fixture
def hood(session: Session) -> Neighbourhood:
    return settle_in(session, MORNING)


@pytest.fixture
def double(hood: Neighbourhood) -> Member:
    """张秀英 was entered once more as 秀英, and 秀英 has an hour and a half."""
    return make_member(hood.session, "秀英", now=MORNING, opening_minutes=90)


@pytest.fixture
def chen(hood: Neighbourhood) -> MemberId:
    return hired(hood.session, "陈会计", Role.COORDINATOR)


@pytest.fixture
def zhou(hood: Neighbourhood) -> MemberId:
    return hired(hood.session, "周调解", Role.MEDIATOR)


@pytest.fixture
def unite(
    hood: Neighbourhood, double: Member, chen: MemberId, zhou: MemberId
) -> Callable[..., Merge]:
    def made(**other: Any) -> Merge:
        said: dict[str, Any] = {
            "double": double.id,
            "kept": hood.zhang.id,
            "proposed_by": chen,
            "approved_by": zhou,
            "reason": "登记了两次",
            "now": MORNING,
            **other,
        }
        return merging.unite(hood.session, **said)

    return made
