"""What two people of the staff do together, on their pages."""

from __future__ import annotations

import re

import pytest

from actions.timebank import ledger
from actions.timebank.ids import AccountId
from actions.timebank.model import Proposal, StaffDeed, Transfer
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    ProposalState,
)
from actions.timebank.states import TransferKind
from tests.bot.console.conftest import Client, ConsoleHouse

WHY = "那天张秀英没来"


@pytest.fixture
def wrong(console: ConsoleHouse) -> int:
    """The transfer of an hour that never was."""
    with console.street.neighbourhood() as hood:
        hood.visited(60)
        return ledger.head(hood.session).sequence


@pytest.fixture
def bookkeeper(console: ConsoleHouse) -> Client:
    return console.as_role(Role.BOOKKEEPER)


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found, "there is nothing to approve"
    return found[1]


def propose(client: Client, wrong: int) -> str:
    answer = client.post("/proposals/reversal", {"transfer_id": wrong, "reason": WHY})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_one_proposes_and_another_approves(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    assert "提出，等另一个人批准" in bookkeeper.get(f"/proposals/reversal?transfer_id={wrong}").text
    path = propose(bookkeeper, wrong)
    mine = bookkeeper.get(path).text
    assert "要另一个人来批准" in mine and "/approve" not in mine
    coordinator = console.as_role(Role.COORDINATOR)
    page = coordinator.get(path).text
    for words in (WHY, "王奶奶", "张秀英", "1小时", "2小时", bookkeeper.name):
        assert words in page, words
    assert console.street.balance("王奶奶").posted == 60
    answer = coordinator.post(f"{path}/approve", {"seen": seen(page)}, follow=True)
    assert "批准了，时间已经记好" in answer.text
    assert console.street.balance("王奶奶").posted == 120
    assert console.street.rows(Transfer, kind=TransferKind.REVERSAL)[0].reason == WHY
    assert console.street.told("王奶奶", "hours_corrected_up")[0]["reason"] == WHY
    assert console.street.rows(StaffDeed, by_id=coordinator.member)
    books = bookkeeper.get(f"/books/transfers/{wrong}").text
    assert "已冲正" in books and "提出冲正" not in books


def test_of_two_who_approve_the_second_is_told(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    path = propose(bookkeeper, wrong)
    first, second = console.as_role(Role.MEDIATOR), console.as_role(Role.COORDINATOR)
    agreed = seen(second.get(path).text)
    first.post(f"{path}/approve", {"seen": seen(first.get(path).text)})
    answer = second.post(f"{path}/approve", {"seen": agreed})
    assert answer.status_code == 409 and f"晚了一步：{first.name}" in answer.text
    assert len(console.street.rows(Transfer, kind=TransferKind.REVERSAL)) == 1


@pytest.mark.parametrize("forged", ["", "1:2", "x", "1:2:3", "9" * 5000])
def test_nobody_approves_what_he_did_not_see(
    console: ConsoleHouse, bookkeeper: Client, wrong: int, forged: str
) -> None:
    path, mediator = propose(bookkeeper, wrong), console.as_role(Role.MEDIATOR)
    answer = mediator.post(f"{path}/approve", {"seen": forged})
    assert answer.status_code == 409 and "数目变了" in answer.text
    assert console.street.row(Proposal).state is ProposalState.PROPOSED


def test_it_is_rejected_with_a_reason_and_withdrawn_by_its_own(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    path, mediator = propose(bookkeeper, wrong), console.as_role(Role.MEDIATOR)
    answer = mediator.post(f"{path}/reject", {"answer": " "})
    assert answer.status_code == 409 and "请写原因" in answer.text
    assert mediator.post(f"{path}/withdraw").status_code == 403
    assert mediator.post(f"{path}/reject", {"answer": "来过的"}).status_code == 303
    assert "来过的" in bookkeeper.get(path).text
    again = propose(bookkeeper, wrong)
    assert "收回了" in bookkeeper.post(f"{again}/withdraw", follow=True).text


def test_what_was_typed_is_shown_again_with_what_is_wrong(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    long = "很长的原因" * 20
    answer = bookkeeper.post("/proposals/reversal", {"transfer_id": wrong, "reason": long})
    assert answer.status_code == 409 and long in answer.text and "最多36个字" in answer.text
    propose(bookkeeper, wrong)
    answer = bookkeeper.post("/proposals/reversal", {"transfer_id": wrong, "reason": WHY})
    assert answer.status_code == 409 and "已经有人提出" in answer.text


def test_who_is_concerned_decides_nothing(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    zhang = console.as_role(Role.MEDIATOR, name="张秀英")
    path = propose(bookkeeper, wrong)
    page = zhang.get(path).text
    assert "要别人来办" in page and "/approve" not in page
    answer = zhang.post(f"{path}/approve", {"seen": "1:1"})
    assert answer.status_code == 409 and "要别人来办" in answer.text


def test_hours_are_granted_and_a_debt_is_explained(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    with console.street.neighbourhood() as hood:
        ledger.gift(
            hood.session,
            giver=hood.zhang.id,
            receiver=None,
            minutes=60,
            idempotency_key="spent",
            now=hood.now,
        )
        wang = AccountId(ledger.account_of(hood.session, hood.wang.id).id)
    assert "先欠着1小时" in bookkeeper.get(propose(bookkeeper, wrong)).text
    form = {"account_id": wang, "hours": "1", "minutes": "30", "reason": "干不动了"}
    path = bookkeeper.post("/proposals/grant", form).headers["location"]
    mediator = console.as_role(Role.MEDIATOR)
    mediator.post(f"{path}/approve", {"seen": seen(mediator.get(path).text)})
    assert console.street.balance("王奶奶").posted == 150
    from_fund = {**form, "source": "fund", "hours": "2"}
    answer = bookkeeper.post("/proposals/grant", from_fund)
    assert answer.status_code == 409 and "公益时间只剩1小时" in answer.text
    for hours in ("-1", "1e3", "一", "9999", ""):
        answer = bookkeeper.post("/proposals/grant", {**form, "hours": hours, "minutes": ""})
        assert answer.status_code == 409 and "一次最多100小时" in answer.text


def test_a_reason_with_markup_is_only_a_reason(
    console: ConsoleHouse, bookkeeper: Client, wrong: int
) -> None:
    evil = "<script>alert(1)</script>"
    bookkeeper.post("/proposals/reversal", {"transfer_id": wrong, "reason": evil})
    for path in ("/proposals", "/proposals/1", f"/books/transfers/{wrong}"):
        assert evil not in bookkeeper.get(path).text
