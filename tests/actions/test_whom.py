"""张秀英 and 张秀莺 sound alike: who is meant is asked by place."""

from __future__ import annotations

from typing import Any

import pytest

from actions.requests import ActionRequestHelp, ValidateRequestHelpForm
from actions.timebank import members
from actions.timebank.model import Offer
from actions.whom import ActionAskWantedPerson
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

WHEN = "2026-03-03T09:00:00+08:00"
ASKED = {"service_kind": "shopping", "when": WHEN}
ALIKE = [("person", "张秀英", "秀英"), ("person", "张秀莺", "秀英")]


@pytest.fixture
def village(street: Street) -> Street:
    """李建国 is called 张秀莺 now, and lives by the well."""
    with street.neighbourhood() as hood:
        hood.li.name, hood.li.place = "张秀莺", "井台边"
    return street


def rename(village: Street, name: str, new: str) -> None:
    with village.village.transaction() as session:
        members.find_member(session, name).name = new


def asks_for(speaker: Speaker, *persons: tuple[str, str, str], text: str = "叫秀英来") -> Answered:
    slots = {**ASKED, **({"wanted_person": persons[-1][1]} if persons else {})}
    said: dict[str, Any] = {"facts": persons, "slots": slots, "form": "request_help_form"}
    return speaker.says(text, "request_help", **said).runs(ValidateRequestHelpForm)


def answers(speaker: Speaker, text: str, intent: str = "inform", **said: Any) -> Answered:
    speaker.slots["requested_slot"] = "wanted_person"
    filled = {"wanted_person": said.get("member_id", text)}
    return speaker.says(text, intent, slots=filled, **said).runs(ValidateRequestHelpForm)


def asked_helper(street: Street, speaker: Speaker) -> int:
    speaker.runs(ActionRequestHelp)
    return int(street.row(Offer).helper_id)


def test_of_two_who_sound_alike_it_is_asked_which_by_place(village: Street, wang: Speaker) -> None:
    asks_for(wang, *ALIKE)
    assert wang.slots["wanted_person"] is None
    answered = wang.runs(ActionAskWantedPerson)
    assert answered.text == "您是说村东头的张秀英，还是井台边的张秀莺？"
    assert [one["title"] for one in answered.buttons] == ["村东头的张秀英", "井台边的张秀莺"]
    ids = [village.member("张秀英"), village.member("张秀莺")]
    assert [one["payload"] for one in answered.buttons] == [
        f'/inform{{"member_id": "{number}"}}' for number in ids
    ]


@pytest.mark.parametrize(
    "words, name",
    [("村东头那个", "张秀英"), ("井台边的", "张秀莺"), ("张秀莺", "张秀莺")],
)
def test_the_place_or_the_name_tells_who(
    village: Street, wang: Speaker, words: str, name: str
) -> None:
    asks_for(wang, *ALIKE)
    answers(wang, words)
    assert wang.slots["sound_alike"] is None
    assert asked_helper(village, wang) == village.member(name)


def test_the_button_tells_who(village: Street, wang: Speaker) -> None:
    asks_for(wang, *ALIKE)
    answers(wang, "", member_id=str(village.member("张秀莺")))
    assert asked_helper(village, wang) == village.member("张秀莺")


@pytest.mark.parametrize("number", ["999", "0", "x", "1"])
def test_a_button_that_was_not_offered_chooses_nobody(
    village: Street, wang: Speaker, number: str
) -> None:
    asks_for(wang, *ALIKE)
    answers(wang, "", member_id=number)
    assert wang.slots["wanted_person"] is None and wang.slots["sound_alike"]


def test_an_unclear_answer_is_asked_again(village: Street, wang: Speaker) -> None:
    asks_for(wang, *ALIKE)
    answers(wang, "就是她嘛")
    assert wang.slots["wanted_person"] is None
    assert wang.runs(ActionAskWantedPerson).responses == ["utter_ask_which_neighbour"]


@pytest.mark.parametrize("intent", ["unsure", "deny"])
def test_whoever_does_not_know_leaves_it_to_the_village(
    village: Street, wang: Speaker, intent: str
) -> None:
    asks_for(wang, *ALIKE)
    answers(wang, "说不好", intent)
    assert (wang.slots["wanted_person"], wang.slots["sound_alike"]) == ("", None)
    assert asked_helper(village, wang) == village.member("张秀英")


def test_two_of_one_name_are_asked_about_too(village: Street, wang: Speaker) -> None:
    rename(village, "张秀莺", "张秀英")
    asks_for(wang, ("person", "张秀英", "秀英"))
    answered = wang.runs(ActionAskWantedPerson)
    assert answered.text == "您是说村东头的张秀英，还是井台边的张秀英？"


def test_a_given_name_of_two_is_asked_about_too(village: Street, wang: Speaker) -> None:
    rename(village, "张秀莺", "李秀英")
    asks_for(wang, ("person", "张秀英", "秀英"))
    answered = wang.runs(ActionAskWantedPerson)
    assert answered.text == "您是说村东头的张秀英，还是井台边的李秀英？"


def test_one_name_is_no_question(village: Street, wang: Speaker) -> None:
    asks_for(wang, ALIKE[1])
    assert wang.slots["wanted_person"] == "张秀莺" and not wang.slots.get("sound_alike")


def test_two_different_names_in_a_sentence_are_no_question(village: Street, wang: Speaker) -> None:
    persons = [("person", "赵铁柱", "铁柱"), ("person", "张秀英", "秀英")]
    asks_for(wang, *persons, text="铁柱说叫秀英来")
    assert wang.slots["wanted_person"] == "张秀英"


def test_nobody_named_is_nobody_in_particular(village: Street, wang: Speaker) -> None:
    asks_for(wang)
    assert wang.slots["wanted_person"] == ""


def test_she_herself_is_never_one_of_the_two(village: Street, wang: Speaker) -> None:
    rename(village, "王奶奶", "张秀婴")
    persons = [("person", "张秀英", "秀英"), ("person", "张秀婴", "秀英")]
    asks_for(wang, *persons)
    assert not wang.slots.get("sound_alike")


def test_a_stranger_among_the_names_is_left_out(village: Street, wang: Speaker) -> None:
    asks_for(wang, ("person", "张秀英", "秀英"), ("person", "张绣影", "秀英"))
    assert not wang.slots.get("sound_alike")
