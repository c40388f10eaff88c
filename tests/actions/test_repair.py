"""Not understood: a guess or 再说一遍, two choices, then a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import talk
from actions.repair import ActionRepair
from actions.timebank import turns
from actions.timebank.ids import TurnId
from actions.timebank.states import TurnOutcome
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

WORDS = "那个啥，俺那点子工夫"
BALANCE = {"nlu_fallback": 0.6, "check_balance": 0.4, "thank": 0.2, "list_tasks": 0.1}
ENTITY = {"entity": "when", "value": "2026-03-03T09:00:00+08:00"}


def struggled(street: Street, times: int) -> None:
    with street.neighbourhood() as hood:
        for number in range(times):
            turn = TurnId(f"before:{number}")
            at = hood.now - timedelta(minutes=times - number)
            turns.begin(hood.session, turn_id=turn, member=hood.wang.id, channel="talk", now=at)
            turns.finish(hood.session, turn, now=at, outcome=TurnOutcome.REPAIRED)


def mumbles(speaker: Speaker, ranking: dict[str, float] = BALANCE, **said: Any) -> Answered:
    return speaker.says(WORDS, "nlu_fallback", ranking=ranking, **said).runs(ActionRepair)


def says_yes(speaker: Speaker, turn: str | None = None, **said: Any) -> Answered:
    return speaker.says("对", "affirm", turn=turn, **said).runs(talk.ActionSayYes)


def says_no(speaker: Speaker) -> Answered:
    return speaker.says("不是", "deny").runs(talk.ActionSayNo)


def replayed(answered: Answered) -> dict[str, Any]:
    """What is carried out after listening anew."""
    [listens, words] = [event for event in answered.events if event["event"] != "slot"]
    assert (listens["event"], listens["name"]) == ("action", "action_listen")
    assert words["event"] == "user"
    return words


def follows(answered: Answered) -> list[str]:
    return [event["name"] for event in answered.events if event["event"] == "followup"]


# A guess


def test_a_likely_guess_is_asked_at_once(street: Street, wang: Speaker) -> None:
    answered = mumbles(wang)
    assert answered.text == "您是想查时间，对吗？"
    assert [one["payload"] for one in answered.buttons] == ["/affirm", "/deny"]


@pytest.mark.parametrize(
    "ranking",
    [
        {},
        {"nlu_fallback": 0.9},
        {"nlu_fallback": 0.6, "check_balance": 0.34},
        {"nlu_fallback": 0.6, "chitchat": 0.5, "check_balance": 0.4},
        {"nlu_fallback": 0.6, "affirm": 0.5},
    ],
    ids=["no ranking", "only the fallback", "not likely", "idle talk before it", "a bare yes"],
)
def test_without_a_likely_guess_that_does_something_it_is_said_again(
    wang: Speaker, ranking: dict[str, float]
) -> None:
    answered = mumbles(wang, ranking)
    assert answered.responses == ["utter_repair_again"] and follows(answered) == ["action_listen"]


def test_a_yes_carries_out_her_own_words(wang: Speaker) -> None:
    mumbles(wang, when=ENTITY["value"])
    answered = says_yes(wang, turn="talk:yes", recording="ab" * 32)
    words = replayed(answered)
    assert words["text"] == words["parse_data"]["text"] == WORDS
    assert words["parse_data"]["intent"]["name"] == "check_balance"
    assert words["parse_data"]["entities"] == [ENTITY]
    metadata = {"turn_id": "talk:yes", "recording_sha256": "ab" * 32}
    assert words["metadata"] == words["parse_data"]["metadata"] == metadata
    assert answered.text == "" and answered.slots == {"guess": None}


def test_a_guess_is_carried_out_once(street: Street, wang: Speaker) -> None:
    mumbles(wang)
    says_yes(wang)
    assert says_yes(wang).responses == ["utter_nothing_to_affirm"]


def test_the_same_yes_again_is_answered_alike(wang: Speaker) -> None:
    mumbles(wang)
    first = says_yes(wang, turn="talk:yes").events
    wang.slots["guess"] = None
    assert says_yes(wang, turn="talk:yes").events == first


def test_a_guess_heard_again_is_still_open(wang: Speaker) -> None:
    first = mumbles(wang)
    for intent, action in [("repeat", talk.ActionRepeat), ("louder", talk.ActionLouder)]:
        assert first.text in wang.says("啥", intent).runs(action).text
    assert replayed(says_yes(wang))["text"] == WORDS


def test_other_words_drop_the_guess(wang: Speaker) -> None:
    mumbles(wang)
    wang.says("你好", "greet").runs(talk.ActionGreet)
    assert says_yes(wang).responses == ["utter_nothing_to_affirm"]


def test_a_guess_of_an_ended_conversation_is_no_question_any_more(wang: Speaker) -> None:
    mumbles(wang)
    wang.events.append({"event": "session_started"})
    assert says_yes(wang).responses == ["utter_nothing_to_affirm"]


def test_a_no_asks_again(street: Street, wang: Speaker) -> None:
    mumbles(wang)
    struggled(street, 1)
    answered = says_no(wang)
    assert (answered.text, follows(answered)) == ("", ["action_repair"])
    again = wang.runs(ActionRepair)
    assert again.responses == ["utter_repair_again"]
    assert follows(again) == ["action_listen"], "Rasa would repair again and again"


def test_a_no_to_a_guess_takes_back_no_alarm_and_no_offer(street: Street, zhang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.ask()
    mumbles(zhang)
    assert says_no(zhang).responses == []
    assert len(street.told("张秀英", "offer_made")) == 1
    assert says_no(zhang).responses == ["utter_task_declined"]


@pytest.mark.parametrize("ranking", [BALANCE, {}])
def test_inside_a_form_nothing_is_guessed(
    street: Street, wang: Speaker, ranking: dict[str, float]
) -> None:
    wang.form = "cancel_request_form"
    assert mumbles(wang, ranking).responses == ["utter_repair_again"]
    struggled(street, 1)
    answered = mumbles(wang, ranking)
    assert answered.responses == ["utter_repair_again"] and wang.form == "cancel_request_form"


# Two choices


def test_the_second_time_the_two_best_guesses_are_offered(street: Street, wang: Speaker) -> None:
    struggled(street, 1)
    answered = mumbles(wang)
    assert answered.text == "您是想查时间，还是问有啥活？"
    assert [one["title"] for one in answered.buttons] == ["查时间", "问有啥活"]


@pytest.mark.parametrize("choice, intent", [("1", "check_balance"), ("2", "list_tasks")])
def test_the_choice_she_touches_carries_out_her_words(
    street: Street, wang: Speaker, choice: str, intent: str
) -> None:
    struggled(street, 1)
    mumbles(wang)
    words = replayed(says_yes(wang, choice=choice))
    assert (words["text"], words["parse_data"]["intent"]["name"]) == (WORDS, intent)


def test_a_bare_yes_to_two_choices_is_no_answer(street: Street, wang: Speaker) -> None:
    struggled(street, 1)
    mumbles(wang)
    assert follows(says_yes(wang)) == ["action_repair"]


@pytest.mark.parametrize("ranking", [{}, {"check_balance": 0.2}, {"thank": 0.3, "greet": 0.2}])
def test_without_two_guesses_what_is_asked_most_is_offered(
    street: Street, wang: Speaker, ranking: dict[str, float]
) -> None:
    struggled(street, 1)
    answered = mumbles(wang, ranking)
    assert answered.responses == ["utter_repair_choices"] and len(answered.buttons) == 2


@pytest.mark.parametrize("choice", ["0", "3", "99999999", "x"])
def test_a_choice_that_was_not_offered_breaks_nothing(wang: Speaker, choice: str) -> None:
    mumbles(wang)
    assert replayed(says_yes(wang, choice=choice))["text"] == WORDS


# A person


@pytest.mark.parametrize("times", [2, 3])
def test_the_third_time_a_person_calls_back(street: Street, wang: Speaker, times: int) -> None:
    struggled(street, times)
    wang.form = "request_help_form"
    answered = mumbles(wang, turn="talk:9")
    assert answered.responses == ["utter_repair_staff"] and "陈干事" in answered.text
    told = {"member": "王奶奶", "words": WORDS, "turn_id": "talk:9"}
    assert street.told("陈干事", "staff_call_back") == [told]
    assert answered.leaves_form, "its question would be asked for ever"


def test_without_staff_it_never_ends_in_silence(street: Street, wang: Speaker) -> None:
    struggled(street, 2)
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    answered = mumbles(wang)
    assert answered.responses == ["utter_repair_no_staff"] and answered.leaves_form


def test_anothers_struggle_is_not_hers(street: Street, meet: Meet) -> None:
    struggled(street, 2)
    assert mumbles(meet("张秀英"), {}).responses == ["utter_repair_again"]


def test_what_is_guessed_can_be_said(domain: dict[str, Any]) -> None:
    guessed = [name for name in domain["responses"] if name.startswith("utter_guess_")]
    intents = {name.removeprefix("utter_guess_") for name in guessed}
    assert len(intents) > 10 and intents <= set(domain["intents"])
    assert not intents & {"emergency", "affirm", "deny", "inform", "repeat"}
