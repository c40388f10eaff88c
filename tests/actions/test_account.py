"""The hours: how many there are, and where each came from or went."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import select

from actions.account import ActionCheckBalance, ActionExplainHistory
from actions.timebank import ledger
from actions.timebank.ids import AccountId
from actions.timebank.model import Transfer
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.bot.counter_stories import helped_in_person
from tests.small_village import Street
from tests.timebank.builders import make_member


def balance(speaker: Speaker) -> Answered:
    return speaker.says("我还有多少时间", "check_balance").runs(ActionCheckBalance)


def explanation(speaker: Speaker) -> Answered:
    return speaker.says("时间都用哪儿了", "explain_history").runs(ActionExplainHistory)


def grant(street: Street, minutes: int, key: str, at: datetime | None = None) -> None:
    with street.neighbourhood() as hood:
        account = ledger.account_of(hood.session, hood.wang.id)
        ledger.grant(
            hood.session,
            account_id=AccountId(account.id),
            minutes=minutes,
            reason="thanks",
            idempotency_key=key,
            now=at or hood.now,
        )


def test_an_account_without_any_movement_is_told_plainly(zhang: Speaker) -> None:
    answered = balance(zhang)
    assert (answered.responses, "0分钟" in answered.text) == (["utter_balance_plain"], True)


def test_the_first_minutes_are_told_as_given(wang: Speaker) -> None:
    answered = balance(wang)
    assert answered.responses == ["utter_balance_after_opening"]
    assert "2026-03-02" in answered.text and "120分钟" in answered.text


def test_after_a_visit_both_hear_the_sum_with_its_reason(
    street: Street, wang: Speaker, zhang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        hood.visited(45)
    spent, earned = balance(wang), balance(zhang)
    assert spent.responses == ["utter_balance_after_spending"]
    for part in ("120分钟", "张秀英", "买东西", "45分钟", "75分钟"):
        assert part in spent.text
    assert earned.responses == ["utter_balance_after_earning"]
    assert "王奶奶" in earned.text and "存了45分钟" in earned.text


def test_minutes_set_aside_are_told_beside_the_balance(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask())
    answered = balance(wang)
    assert answered.responses == ["utter_balance_after_opening", "utter_balance_held"]
    assert "60分钟" in answered.text


def test_minutes_that_came_otherwise_are_told_as_a_change(street: Street, wang: Speaker) -> None:
    grant(street, 30, "thanks")
    answered = balance(wang)
    assert answered.responses == ["utter_balance_after_other"] and "150分钟" in answered.text


def test_the_day_of_a_movement_is_the_villages_day(street: Street, wang: Speaker) -> None:
    early_morning = datetime(2026, 3, 4, 22, 30, tzinfo=timezone.utc)
    grant(street, 30, "thanks", early_morning)
    assert "2026-03-05" in balance(wang).text


def test_an_empty_account_has_no_story(zhang: Speaker) -> None:
    assert explanation(zhang).responses == ["utter_history_none"]


def test_only_the_newest_movements_are_told_and_who_can_check_them(
    street: Street, wang: Speaker, zhang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        for minutes in (10, 20, 30):
            hood.visited(minutes)
    answered = explanation(wang)
    assert answered.responses == ["utter_history_spent"] * 3 + ["utter_history_end"]
    newest_first = [answered.text.index(part) for part in ("30分钟", "20分钟", "10分钟")]
    assert newest_first == sorted(newest_first)
    assert "陈干事" in answered.text
    assert explanation(zhang).responses[0] == "utter_history_earned"


def test_gifts_corrections_and_first_minutes_each_have_their_words(
    street: Street, wang: Speaker, zhang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        gift = ledger.gift(
            hood.session,
            giver=hood.wang.id,
            receiver=hood.zhang.id,
            minutes=15,
            idempotency_key="gift",
            now=hood.now,
        )
        gift_id = gift.id
    assert explanation(wang).responses[:2] == ["utter_history_given", "utter_history_opening"]
    assert explanation(zhang).responses[0] == "utter_history_received"
    with street.neighbourhood() as hood:
        ledger.reverse(
            hood.session,
            transfer_id=gift_id,
            reason="mistake",
            idempotency_key="back",
            now=hood.now,
        )
    assert explanation(wang).responses[0] == "utter_history_reversed"


def test_two_accounts_that_became_one_are_explained(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        double = make_member(hood.session, "秀英", now=hood.now, opening_minutes=90)
        ledger.merge(
            hood.session,
            double=ledger.account_of(hood.session, double.id).id,
            kept=ledger.account_of(hood.session, hood.zhang.id).id,
            idempotency_key="merge",
            now=hood.now,
        )
    sum_told, story = balance(zhang), explanation(zhang)
    assert sum_told.responses == ["utter_balance_after_merging"]
    assert "加上90分钟。现在有90分钟" in sum_told.text
    assert story.responses[0] == "utter_history_merged"
    assert "秀英那个账户也是您的" in story.text and "90分钟" in story.text


def test_a_debt_of_the_other_account_is_told_as_taken_away(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        double = make_member(hood.session, "桂兰", now=hood.now, opening_minutes=30)
        opening = select(Transfer.id).where(Transfer.idempotency_key == f"opening:{double.id}")
        account = ledger.account_of(hood.session, double.id).id
        ledger.gift(
            hood.session,
            giver=double.id,
            receiver=hood.li.id,
            minutes=30,
            idempotency_key="gift",
            now=hood.now,
        )
        ledger.reverse(
            hood.session,
            transfer_id=hood.session.scalar(opening),
            reason="mistake",
            idempotency_key="back",
            now=hood.now,
        )
        ledger.merge(
            hood.session,
            double=account,
            kept=ledger.account_of(hood.session, hood.wang.id).id,
            idempotency_key="merge",
            now=hood.now,
        )
    assert balance(wang).responses == ["utter_balance_after_merging_a_debt"]
    assert "减去30分钟。现在有90分钟" in balance(wang).text
    assert explanation(wang).responses[0] == "utter_history_merged_a_debt"


def test_without_staff_the_village_is_named(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    assert "村里的人" in explanation(wang).text


def test_what_the_fund_bore_is_not_counted_as_hers(street: Street, meet: Meet) -> None:
    with street.neighbourhood() as hood:
        hood.visited(150)
    answered = balance(meet("王奶奶"))
    assert "用了120分钟" in answered.text and "现在还有0分钟" in answered.text


def test_what_was_said_in_person_is_told_with_who_wrote_it_down(
    street: Street, wang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        helped_in_person(hood)
    answered = explanation(wang)
    assert answered.responses[:2] == ["utter_history_spent", "utter_history_in_person"]
    assert "陈干事记下来" in answered.text
