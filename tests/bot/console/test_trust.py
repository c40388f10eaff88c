"""What staff who bend rules, curious viewers and outsiders must not get away with."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.exc import IntegrityError

from actions.timebank import disputes, ledger, members, turns
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Notice, Relation, StaffAccount, StaffDeed
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import Viewed
from actions.timebank.states import RelationKind
from bot.console.passwords import AT_ONCE, Passwords
from bot.console.words import read_words
from tests.bot.console.conftest import PASSWORD, ConsoleHouse
from tests.timebank.builders import MORNING
from tests.timebank.staff.talking import mishear

EARLY = MORNING - timedelta(hours=2)


def wang(console: ConsoleHouse) -> int:
    return next(one.id for one in console.street.rows(Member) if one.name == "王奶奶")


@pytest.mark.parametrize("key, kind", [("link", "link_shown"), ("link/renew", "link_renewed")])
def test_her_link_is_not_shown_behind_her_back(console: ConsoleHouse, key: str, kind: str) -> None:
    clerk = console.as_role(Role.COORDINATOR)
    shown = clerk.post(f"/people/{wang(console)}/{key}")
    assert shown.status_code == 200 and "/t/" in shown.text
    [told] = [one for one in console.street.rows(Notice) if one.kind == kind]
    assert (told.recipient_id, told.facts["by"]) == (wang(console), clerk.name)
    [deed] = [one for one in console.street.rows(StaffDeed) if key in one.deed]
    assert (deed.by_id, deed.about_id) == (clerk.member, wang(console))


def test_an_administrator_cannot_quietly_become_his_colleague(console: ConsoleHouse) -> None:
    admin, other = console.as_role(Role.ADMINISTRATOR), console.as_role(Role.ADMINISTRATOR)
    clerk = console.as_role(Role.BOOKKEEPER)
    [his] = [one.id for one in console.street.rows(StaffAccount) if one.member_id == clerk.member]
    assert admin.post(f"/staff/{his}/reset").status_code == 200
    told = {(one.recipient_id, one.kind) for one in console.street.rows(Notice)}
    assert {(clerk.member, "account_reset"), (other.member, "colleague_account_reset")} <= told
    assert [one.about_id for one in console.street.rows(StaffDeed) if "reset" in one.deed] == [
        clerk.member
    ]


def said(console: ConsoleHouse, who: str, words: str) -> str:
    with console.village.transaction() as session:
        turn = mishear(session, members.find_member(session, who), EARLY, heard=words)
        return str(turn.id)


@pytest.mark.parametrize("page", ["/conversations?words=腿", "/conversations/queue"])
def test_who_reads_words_in_a_list_has_looked(console: ConsoleHouse, page: str) -> None:
    said(console, "王奶奶", "俺腿疼")
    viewer = console.as_role(Role.VIEWER)
    assert "俺腿疼" in viewer.get(page).text
    [look] = console.street.rows(StaffDeed, by_id=viewer.member)
    assert (look.viewed, look.about_id) == (Viewed.CONVERSATION, wang(console))


@pytest.mark.parametrize(
    "role, path",
    [
        (Role.ADMINISTRATOR, "/import/export"),
        (Role.BOOKKEEPER, "/books/transfers.xlsx"),
        (Role.MEDIATOR, "/training/corrections.yml"),
        (Role.MEDIATOR, "/training/lexicon.yml"),
        (Role.VIEWER, "/reports/2026-03/pdf"),
        (Role.VIEWER, "/reports/2026-03/xlsx"),
        (Role.VIEWER, "/reports/2026-03/honour/pdf"),
    ],
)
def test_whoever_takes_a_file_home_is_written_down_once(
    console: ConsoleHouse, role: Role, path: str
) -> None:
    clerk = console.as_role(role)
    assert clerk.get(path).status_code == 200
    [deed] = console.street.rows(StaffDeed, by_id=clerk.member)
    assert (deed.subject, deed.viewed) == (path, None)
    assert deed.deed in read_words("zh").deeds


def test_a_cadre_who_decides_about_his_cousin_is_shown_it(console: ConsoleHouse) -> None:
    proposer, second = console.as_role(Role.BOOKKEEPER), console.as_role(Role.MEDIATOR)
    with console.village.transaction() as session:
        hers = wang(console)
        for one in (proposer, second):
            session.add(Relation(member_id=one.member, other_id=hers, kind=RelationKind.KIN))
        account = ledger.account_of(session, MemberId(hers)).id
    form = {"account_id": account, "hours": "1", "reason": "记漏了"}
    made = proposer.post("/proposals/grant", form).headers["location"]
    shown = second.get(made).text
    assert f"{proposer.name}跟王奶奶是亲戚。" in shown
    assert "王奶奶是您的亲戚" in shown
    assert "是亲戚" not in console.as_role(Role.COORDINATOR).get("/proposals").text


def test_a_refusal_in_the_log_tells_no_facts(
    console: ConsoleHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.console")
    form = {"member": wang(console), "may_be_named": "yes"}
    admin = console.as_role(Role.ADMINISTRATOR)
    assert admin.post("/reports/1999-01/honour/wish", form).status_code == 409
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("bot.console")]
    assert ours == ["console refused /reports/{period}/honour/wish: no_such_period"]


def test_a_statement_that_fails_tells_no_log_what_it_was_to_write(console: ConsoleHouse) -> None:
    with pytest.raises(IntegrityError) as failed, console.village.transaction() as session:
        session.add(StaffDeed(by_id=10_000, deed="悄悄话", done_at=console.street.clock()))
    assert "悄悄话" not in str(failed.value)


@pytest.mark.parametrize("secret", ["0" * 32, "1" * 32, "九" * 32, "a" * 32])
def test_a_forged_secret_of_codes_is_no_fault_of_ours(console: ConsoleHouse, secret: str) -> None:
    clerk = console.as_role(Role.VIEWER)
    form = {"secret": secret, "old": PASSWORD, "code": "123456"}
    assert clerk.post("/me/codes/on", form).status_code == 404


def test_many_logins_at_once_do_not_take_all_memory() -> None:
    working, most = 0, 0

    class Slow(PasswordHasher):
        def verify(self, *_given: object) -> bool:  # type: ignore[override]
            nonlocal working, most
            working += 1
            most = max(most, working)
            time.sleep(0.01)
            working -= 1
            return True

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))
    with ThreadPoolExecutor(12) as outsiders:
        list(outsiders.map(lambda _: passwords.matches("guess", None), range(12)))
    assert most <= AT_ONCE


def test_a_mediator_is_shown_that_one_side_is_his_cousin(console: ConsoleHouse) -> None:
    mediator = console.as_role(Role.MEDIATOR)
    with console.village.transaction() as session:
        hers, turn = MemberId(wang(console)), TurnId("talk:1:complaint")
        tie = Relation(member_id=hers, other_id=mediator.member, kind=RelationKind.KIN)
        session.add(tie)
        now = console.street.clock()
        turns.begin(session, turn_id=turn, member=hers, channel="talk", now=now)
        made = disputes.complain(session, member=hers, words="不公道", turn_id=turn, now=now).id
    warning = "王奶奶是您的亲戚"
    assert warning in mediator.get(f"/disputes/{made}").text
    assert warning not in console.as_role(Role.MEDIATOR).get(f"/disputes/{made}").text
