"""Her yes and no to a delegate, and what he asks and sees for her."""

from __future__ import annotations

from typing import Any

import pytest

from actions import account, cancelling, family, giving, requests, talk, visits
from actions.timebank import delegates, outbox
from actions.timebank.model import Delegation, ServiceRequest
from actions.timebank.states import DelegationState
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street
from tests.timebank.consenting import allow, calls, own_turn

WHEN = "2026-03-03T10:00:00+08:00"
D = DelegationState


@pytest.fixture
def son(street: Street, meet: Meet) -> Speaker:
    with street.neighbourhood() as hood:
        calls(hood.session, hood.wang, hood.li, "儿子")
    return meet("李建国")


def asked(street: Street, *, heard: bool = True) -> int:
    """The village asks 王奶奶 whether 李建国 may act for her."""
    with street.neighbourhood() as hood:
        pair = {"elder": hood.wang.id, "delegate": hood.li.id, "by": None}
        question = int(delegates.propose(hood.session, now=hood.now, **pair).id)
        for one in outbox.queued_for(hood.session, hood.wang.id) if heard else []:
            outbox.deliver(hood.session, notice_id=one.id, member=hood.wang.id, now=hood.now)
    street.clock.pass_time(seconds=20)
    return question


def allowed(street: Street) -> None:
    with street.neighbourhood() as hood:
        allow(hood.session, hood.wang, hood.li, hood.now)


def says(
    street: Street, wang: Speaker, words: str, intent: str, turn: str, **more: Any
) -> Answered:
    with street.neighbourhood() as hood:
        own_turn(hood.session, hood.wang, hood.now, turn)
    action = talk.ActionSayYes if intent == "affirm" else talk.ActionSayNo
    return wang.says(words, intent, turn=turn, recording="b" * 64, **more).runs(action)


@pytest.mark.parametrize("button", [True, False])
@pytest.mark.parametrize("intent, state", [("affirm", D.GIVEN), ("deny", D.REFUSED)])
def test_her_word_or_button_after_the_question_decides(
    street: Street, wang: Speaker, son: Speaker, button: bool, intent: str, state: D
) -> None:
    number = asked(street)
    more = {"delegation_id": str(number)} if button else {}
    answered = says(street, wang, "嗯", intent, "talk:1", **more)
    assert "您儿子李建国" in answered.text
    row = street.row(Delegation)
    assert row.state is state
    if state is D.GIVEN:
        assert (row.consent_turn_id, row.consent_recording_sha256) == ("talk:1", "b" * 64)


def test_a_yes_before_she_heard_it_is_asked_about(
    street: Street, wang: Speaker, son: Speaker
) -> None:
    asked(street, heard=False)
    assert says(street, wang, "行", "affirm", "talk:1").responses == ["utter_ask_delegation"]
    assert street.row(Delegation).state is D.PROPOSED
    assert says(street, wang, "行", "affirm", "talk:2").responses == ["utter_delegation_given"]


def test_a_yes_to_somebody_else_is_no_yes_to_him(
    street: Street, wang: Speaker, son: Speaker
) -> None:
    asked(street)
    answered = says(street, wang, "行，让秀英办", "affirm", "talk:1", person="张秀英")
    assert answered.responses == ["utter_ask_delegation"]
    assert street.row(Delegation).state is D.PROPOSED


def test_the_son_presses_her_button_and_nothing_happens(street: Street, son: Speaker) -> None:
    number = str(asked(street))
    answered = son.says("行", "affirm", delegation_id=number).runs(talk.ActionSayYes)
    assert answered.responses == ["utter_refused_not_yours"]
    assert street.row(Delegation).state is D.PROPOSED


@pytest.mark.parametrize(
    "words", ["不让李建国办了", "别让李建国替我叫人了", "不要俺儿子管了", "不让他办了"]
)
def test_she_sends_him_away_in_her_own_words(
    street: Street, wang: Speaker, son: Speaker, words: str
) -> None:
    allowed(street)
    who = {"person": "李建国"} if "李建国" in words else {}
    wang.says(words, "cancel_request", form="cancel_request_form", **who)
    answered = wang.runs(cancelling.ValidateCancelRequestForm)
    assert [e["name"] for e in answered.events if e["event"] == "followup"] == [
        "action_end_delegation"
    ]
    ended = wang.runs(family.ActionEndDelegation)
    assert ended.responses == ["utter_delegation_ended"]
    assert ended.events[-1]["name"] == "action_listen", "Rasa would repair what is done"
    assert street.row(Delegation).state is D.ENDED


@pytest.mark.parametrize("words", ["不让她来了", "别叫张秀英来了", "取消吧"])
def test_calling_off_a_visit_sends_nobody_away(
    street: Street, wang: Speaker, son: Speaker, words: str
) -> None:
    allowed(street)
    wang.says(words, "cancel_request", form="cancel_request_form")
    wang.runs(cancelling.ValidateCancelRequestForm)
    assert street.row(Delegation).state is D.GIVEN


def test_she_names_him_herself_and_is_asked(street: Street, wang: Speaker, son: Speaker) -> None:
    said = {"facts": [("person", "李建国", "李建国")]}
    answered = wang.says("让李建国替我叫人", "talk_to_human", **said).runs(talk.ActionTalkToHuman)
    assert answered.responses == ["utter_ask_delegation"]
    assert street.row(Delegation).state is D.PROPOSED


def asks_for_her(son: Speaker, words: str = "帮我妈叫人明天上午买菜", **said: Any) -> Answered:
    known = {"service_kind": "shopping", "when": WHEN}
    son.says(words, "request_help", slots=known, form="request_help_form", **said)
    checked = son.runs(requests.ValidateRequestHelpForm)
    return checked if checked.leaves_form else son.runs(requests.ActionRequestHelp)


def test_he_asks_for_her_and_both_hear_it(street: Street, son: Speaker) -> None:
    allowed(street)
    answered = asks_for_her(son)
    assert answered.responses == ["utter_made_for_elder"] and "替王奶奶叫人" in answered.text
    row = street.row(ServiceRequest)
    assert (row.elder_id, row.requested_by_id) == (street.member("王奶奶"), int(son.sender))
    assert len(street.told("王奶奶", "done_for_you_asked")) == 1


@pytest.mark.parametrize(
    "words, who",
    [("帮我妈叫人", {}), ("替王奶奶叫人", {"facts": [("person", "王奶奶", "王奶奶")]})],
)
@pytest.mark.parametrize("how", ["never", "ended", "lapsed"])
def test_without_her_living_yes_he_is_told_what_to_do(
    street: Street, son: Speaker, words: str, who: dict[str, Any], how: str
) -> None:
    if how != "never":
        allowed(street)
    if how == "lapsed":
        street.clock.pass_time(days=182)
    if how == "ended":
        with street.neighbourhood() as hood:
            pair = {"elder": hood.wang.id, "delegate": hood.li.id, "by": hood.wang.id}
            delegates.send_away(hood.session, now=hood.now, **pair)
    answered = asks_for_her(son, words, **who)
    assert answered.responses == ["utter_refused_not_delegate"] and "陈干事" in answered.text
    assert street.count(ServiceRequest) == 0


def test_hours_she_has_not_are_told_to_nobody_else(street: Street, son: Speaker) -> None:
    allowed(street)
    son.says("x", "request_help", slots={"help_minutes": 500})
    answered = asks_for_her(son)
    assert answered.responses == ["utter_refused_not_enough_minutes_for_elder"]
    assert "120" not in answered.text


def test_he_hears_her_hours_and_her_visits(street: Street, son: Speaker) -> None:
    allowed(street)
    told = son.says("我妈还有多少时间", "check_balance").runs(account.ActionCheckBalance)
    assert told.text == "王奶奶现在有120分钟。"
    told = son.says("我妈那事有人去了吗", "check_request_status").runs(
        requests.ActionCheckRequestStatus
    )
    assert told.responses == ["utter_elder_status_none"]
    assert len(street.told("王奶奶", "done_for_you_saw_balance")) == 1


def test_of_two_elders_he_is_asked_which(street: Street, son: Speaker) -> None:
    allowed(street)
    with street.neighbourhood() as hood:
        calls(hood.session, hood.zhao, hood.li, "儿子")
        allow(hood.session, hood.zhao, hood.li, hood.now)
    told = son.says("我爸还有多少时间", "check_balance").runs(account.ActionCheckBalance)
    assert [one["title"] for one in told.buttons] == ["王奶奶", "赵铁柱"]
    chosen = son.says("赵铁柱", "inform", member_id=str(street.member("赵铁柱")))
    again = chosen.runs(talk.ActionInform).events[-1]
    assert again["text"] == "我爸还有多少时间"
    assert again["parse_data"]["entities"] == [
        {"entity": "elder_id", "value": street.member("赵铁柱")}
    ]


def test_an_elder_id_said_by_a_stranger_opens_nothing(street: Street, zhang: Speaker) -> None:
    told = zhang.says("还有多少", "check_balance", elder_id=street.member("王奶奶"))
    assert "120" not in told.runs(account.ActionCheckBalance).text


@pytest.mark.parametrize(
    "form, intent, words",
    [
        (visits.ValidateConfirmVisitForm, "confirm_service", "替我妈说一声，做完了"),
        (giving.ValidateTransferTimeForm, "transfer_time", "把我妈的时间送给张秀英"),
        (cancelling.ValidateCancelRequestForm, "cancel_request", "取消我妈明天的买菜"),
    ],
)
def test_what_no_scope_allows_is_always_refused(
    street: Street, son: Speaker, form: type[Any], intent: str, words: str
) -> None:
    allowed(street)
    answered = son.says(words, intent, form=form().form_name()).runs(form)
    assert answered.responses == ["utter_refused_not_delegate"] and answered.leaves_form
