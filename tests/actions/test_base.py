"""What all actions share: one utterance, one transaction, one kind answer."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
from rasa_sdk import Action
from rasa_sdk.events import EventType

import actions
from actions import base
from actions.account import ActionCheckBalance
from actions.base import Talk, VillageAction
from actions.cancelling import ActionCancelRequest
from actions.requests import ActionRequestHelp
from actions.tasks import ActionAcceptTask, ActionCompleteTask, ActionDeclineTask
from actions.timebank import members
from actions.timebank.errors import NotYours, OfferGone, UnknownMember
from actions.timebank.model import Confirmation, Member, Offer, ServiceRequest
from actions.timebank.states import OfferState, RequestState, ServiceKind
from actions.visits import ValidateConfirmVisitForm
from tests.actions.conftest import Meet
from tests.actions.speaker import Speaker
from tests.small_village import Street


class Slower(VillageAction):
    """Changes something, says so, and then ends as it is told."""

    ending: Exception | None = None

    def name(self) -> str:
        return "action_slower_for_a_test"

    def act(self, talk: Talk) -> list[EventType]:
        members.set_pace(talk.session, member=talk.me, by=-20)
        talk.say("utter_slower")
        if self.ending:
            raise self.ending
        return []


class SlowerRefused(Slower):
    ending = OfferGone("too late")


class SlowerNotYours(Slower):
    ending = NotYours("somebody else's")


class SlowerForNobody(Slower):
    ending = UnknownMember("nobody")


class SlowerBroken(Slower):
    ending = RuntimeError("a bug")


def pace(street: Street) -> int:
    return int(street.row(Member, name="王奶奶").pace)


def test_what_was_done_is_kept(street: Street, wang: Speaker) -> None:
    assert wang.says("慢点").runs(Slower).responses == ["utter_slower"]
    assert pace(street) == 140


@pytest.mark.parametrize(
    "action, response",
    [
        (SlowerRefused, "utter_refused_offer_gone"),
        (SlowerNotYours, "utter_refused_not_yours"),
        (SlowerForNobody, "utter_refused_unknown_member"),
    ],
)
def test_a_refusal_undoes_everything_and_only_it_is_said(
    street: Street, wang: Speaker, action: type, response: str
) -> None:
    answered = wang.says("慢点").runs(action)
    assert answered.responses == [response] and answered.drops_matter
    assert pace(street) == 160


def test_a_bug_is_raised_undone_and_says_nothing(street: Street, wang: Speaker) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        wang.says("慢点").runs(SlowerBroken)
    assert pace(street) == 160 and not [e for e in wang.events if e["event"] == "bot"]


@pytest.mark.parametrize(
    "sender", ["default", "", "999999", "0", "-1", "1.0", "1; --", "9" * 40, "²", "王奶奶"]
)
@pytest.mark.parametrize("action", [ActionCheckBalance, ValidateConfirmVisitForm])
def test_a_stranger_is_told_where_to_register(
    street: Street, domain: dict[str, Any], sender: str, action: type
) -> None:
    answered = Speaker(sender, domain).says("我还有多少时间").runs(action)
    assert answered.responses == ["utter_refused_unknown_member"]


def test_who_speaks_is_the_sender_whatever_the_words_say(street: Street, meet: Meet) -> None:
    stranger = meet("赵铁柱")
    stranger.says("我是王奶奶，我还有多少时间", "check_balance", person="王奶奶")
    assert "0分钟" in stranger.runs(ActionCheckBalance).text


def test_without_a_channel_rasas_own_message_names_the_turn(street: Street, wang: Speaker) -> None:
    wang.says("买菜", slots={"service_kind": "shopping", "when": "2026-03-03T09:00:00+08:00"})
    wang.message["metadata"] = {}
    wang.runs(ActionRequestHelp)
    assert street.row(ServiceRequest).turn_id == f"rasa:{wang.message['message_id']}"


def test_the_village_is_opened_once_from_the_environment(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.act_for(None)
    monkeypatch.setenv("XIAOBANG_DATABASE_URL", str(street.village.engine.url))
    monkeypatch.setenv("XIAOBANG_CLOCK", "2026-03-02T09:00")
    village = base.village_of_this_process()
    assert village is base.village_of_this_process()
    assert village.clock() == street.clock()
    village.engine.dispose()


# The same message twice


def twice(speaker: Speaker, action: type, intent: str, **slots: object) -> None:
    for _ in range(2):
        speaker.says("对", intent, slots=slots, turn="talk:1:again").runs(action)


def test_one_yes_calls_off_one_request(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask(minutes=30)
        hood.ask(minutes=30, service_kind=ServiceKind.CLEANING)
    twice(wang, ActionCancelRequest, "affirm", cancel_sure=True)
    assert len(street.rows(ServiceRequest, state=RequestState.CANCELLED)) == 1


@pytest.mark.parametrize(
    "action, state",
    [(ActionAcceptTask, OfferState.ACCEPTED), (ActionDeclineTask, OfferState.DECLINED)],
)
def test_one_word_answers_one_offer(
    street: Street, zhang: Speaker, action: type, state: OfferState
) -> None:
    with street.neighbourhood() as hood:
        hood.ask(minutes=30)
        hood.ask(minutes=30, service_kind=ServiceKind.MEALS, wanted_helper=hood.zhang.id)
    twice(zhang, action, "accept_task")
    assert len(street.rows(Offer, state=state)) == 1


def test_one_done_claims_one_visit(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=30))
        later = {"starts_at": hood.now.replace(hour=9), "wanted_helper": hood.zhang.id}
        hood.accepted(hood.ask(minutes=30, service_kind=ServiceKind.MEALS, **later))
    twice(zhang, ActionCompleteTask, "complete_task", worked_minutes=30.0)
    assert street.count(Confirmation) == 1


# The domain and the actions know each other


def all_actions() -> list[type[Action]]:
    found: dict[str, type[Action]] = {}
    for module in pkgutil.iter_modules(actions.__path__, "actions."):
        for _, one in inspect.getmembers(importlib.import_module(module.name), _is_action):
            found[one().name()] = one
    return list(found.values())


def _is_action(thing: Any) -> bool:
    ours = inspect.isclass(thing) and issubclass(thing, Action)
    return ours and thing.__module__.startswith("actions.") and not inspect.isabstract(thing)


def test_the_domain_lists_every_action_and_no_other(domain: dict[str, Any]) -> None:
    assert sorted(action().name() for action in all_actions()) == sorted(domain["actions"])


def test_every_slot_belongs_to_a_matter_or_to_one_answer(
    domain: dict[str, Any],
) -> None:
    assert set(domain["slots"]) == {*base.FORM_SLOTS, *base.ANSWER_SLOTS}


def test_every_form_is_validated(domain: dict[str, Any]) -> None:
    assert {f"validate_{form}" for form in domain["forms"]} <= set(domain["actions"])


def test_every_question_of_a_form_has_its_words(domain: dict[str, Any]) -> None:
    can_be_asked: Callable[[str], bool] = lambda name: (  # noqa: E731
        name in domain["actions"] or name in domain["responses"]
    )
    for form, shape in domain["forms"].items():
        for slot in shape["required_slots"]:
            ways = (f"action_ask_{slot}", f"utter_ask_{slot}", f"utter_ask_{form}_{slot}")
            assert any(map(can_be_asked, ways)), (form, slot)
