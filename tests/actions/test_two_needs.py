"""明天帮我买点菜，后天陪我去医院: two needs of one sentence are two requests."""

from __future__ import annotations

from typing import Any

import pytest

from actions.requests import ActionRequestHelp, ValidateRequestHelpForm
from actions.timebank.model import ServiceRequest
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

Fact = tuple[str, Any, str]
TOMORROW: Fact = ("when", "2026-03-03T09:00:00+08:00", "明天")
AFTER: Fact = ("when", "2026-03-04T09:00:00+08:00", "后天")
NOW_IS_PAST: Fact = ("when", "2026-03-01T09:00:00+08:00", "昨天")
SHOP: Fact = ("service_kind", "shopping", "买菜")
COOK: Fact = ("service_kind", "meals", "做饭")
CLEAN: Fact = ("service_kind", "cleaning", "扫地")
WALK: Fact = ("service_kind", "escort_walk", "遛弯")
BATHE: Fact = ("service_kind", "bathing", "洗澡")
SLOT_OF = {"when": "when", "service_kind": "service_kind", "duration_minutes": "help_minutes"}


def asks(speaker: Speaker, text: str, *facts: Fact, turn: str | None = None) -> Answered:
    """Rasa fills each slot with the last entity."""
    slots = {SLOT_OF[name]: value for name, value, _words in facts}
    said: dict[str, Any] = {"facts": facts, "slots": slots, "turn": turn}
    speaker.says(text, "request_help", form="request_help_form", **said)
    speaker.runs(ValidateRequestHelpForm)
    speaker.form = None
    return speaker.runs(ActionRequestHelp)


def made(street: Street) -> list[tuple[str, str, str]]:
    return [
        (one.service_kind.value, one.starts_at.date().isoformat(), one.turn_id)
        for one in street.rows(ServiceRequest)
    ]


def follows(answered: Answered) -> list[str]:
    return [event["name"] for event in answered.events if event["event"] == "followup"]


def test_two_needs_are_two_requests_told_in_two_short_sentences(
    street: Street, wang: Speaker
) -> None:
    answered = asks(wang, "明天买菜，后天做饭", TOMORROW, SHOP, AFTER, COOK, turn="talk:1")
    assert made(street) == [
        ("shopping", "2026-03-03", "talk:1"),
        ("meals", "2026-03-04", "talk:1#2"),
    ]
    assert answered.responses == ["utter_request_also_made"] * 2
    assert answered.text.count("。") == 2 and "买东西" in answered.text and "做饭" in answered.text
    assert wang.slots["more_needs"] is None


def test_the_same_sentence_again_makes_nothing_more(street: Street, wang: Speaker) -> None:
    said = ("明天买菜，后天做饭", TOMORROW, SHOP, AFTER, COOK)
    assert asks(wang, *said, turn="talk:1").text == asks(wang, *said, turn="talk:1").text
    assert len(made(street)) == 2


def test_without_a_time_both_wait_for_it_and_share_it(street: Street, wang: Speaker) -> None:
    wang.says(
        "做饭跟扫地都要人",
        "request_help",
        form="request_help_form",
        facts=[COOK, CLEAN],
        slots={"service_kind": "cleaning"},
    )
    wang.runs(ValidateRequestHelpForm)
    assert wang.slots["service_kind"] == "meals"
    wang.says("后天", "inform", facts=[AFTER], slots={"when": AFTER[1]})
    wang.runs(ValidateRequestHelpForm)
    wang.runs(ActionRequestHelp)
    assert [one[:2] for one in made(street)] == [
        ("meals", "2026-03-04"),
        ("cleaning", "2026-03-04"),
    ]


def test_a_length_belongs_to_its_own_need(street: Street, wang: Speaker) -> None:
    half = ("duration_minutes", 30, "半小时")
    asks(wang, "明天买菜，后天做饭半小时", TOMORROW, SHOP, AFTER, COOK, half)
    assert [one.minutes for one in street.rows(ServiceRequest)] == [60, 30]


def test_of_four_needs_three_are_made_and_that_is_said(street: Street, wang: Speaker) -> None:
    answered = asks(wang, "明天做饭，买菜，扫地，遛弯", TOMORROW, COOK, SHOP, CLEAN, WALK)
    assert answered.responses[-1] == "utter_needs_more_than_three"
    assert "escort_walk" not in {one[0] for one in made(street)}


def test_what_is_refused_of_one_leaves_the_other(street: Street, wang: Speaker) -> None:
    long = ("duration_minutes", 600, "十个钟头")
    answered = asks(wang, "明天买菜十个钟头，后天做饭", TOMORROW, SHOP, long, AFTER, COOK)
    assert answered.responses == ["utter_refused_not_enough_minutes", "utter_request_also_made"]
    assert [one[0] for one in made(street)] == ["meals"]
    assert len(street.told("陈干事", "staff_call_back")) == 1


def test_a_need_whose_time_is_over_is_asked_about_after_the_first(
    street: Street, wang: Speaker
) -> None:
    answered = asks(wang, "明天买菜，昨天做饭", TOMORROW, SHOP, NOW_IS_PAST, COOK)
    assert answered.responses == ["utter_request_also_made", "utter_request_too_late"]
    assert follows(answered) == ["request_help_form"]
    # Rasa fills the slots of a form that it opens once more with what was said.
    wang.opening, wang.slots["when"] = "request_help_form", NOW_IS_PAST[1]
    wang.runs(ValidateRequestHelpForm)
    assert (wang.slots["service_kind"], wang.slots["when"]) == ("meals", None)
    wang.says("后天", "inform", facts=[AFTER], slots={"when": AFTER[1]})
    wang.runs(ValidateRequestHelpForm)
    wang.runs(ActionRequestHelp)
    assert [one[:2] for one in made(street)] == [
        ("shopping", "2026-03-03"),
        ("meals", "2026-03-04"),
    ]


@pytest.mark.parametrize("text", ["明天买菜，不对，做饭", "明天不是买菜，是做饭"])
def test_a_correction_is_one_need(street: Street, wang: Speaker, text: str) -> None:
    asks(wang, text, TOMORROW, SHOP, COOK)
    assert [one[0] for one in made(street)] == ["meals"]


def test_with_nobody_to_ask_each_is_told_shortly(street: Street, wang: Speaker) -> None:
    answered = asks(wang, "明天买菜，洗澡", TOMORROW, SHOP, BATHE)
    assert answered.responses == ["utter_request_also_made", "utter_request_also_no_neighbour"]
