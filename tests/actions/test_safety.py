"""Danger: people are told in the same turn, whatever was going on."""

from __future__ import annotations

import pytest

from actions.disputes import ActionComplain
from actions.safety import ActionEmergency
from actions.timebank.model import Alert, Dispute
from actions.timebank.states import DisputeKind
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def cries(speaker: Speaker, words: str = "我摔了，起不来", turn: str | None = None) -> Answered:
    return speaker.says(words, "emergency", turn=turn).runs(ActionEmergency)


def test_people_are_told_and_named_in_one_answer(street: Street, wang: Speaker) -> None:
    answered = cries(wang)
    assert answered.responses == ["utter_emergency"]
    assert "陈干事、张秀英、李建国" in answered.text
    [told] = street.told("陈干事", "staff_alert")
    assert told["words"] == "我摔了，起不来" and "老槐树旁" in told["place"]
    assert len(street.told("张秀英", "neighbour_alert")) == 1


def test_it_comes_before_whatever_was_being_asked(wang: Speaker) -> None:
    wang.form = "request_help_form"
    wang.slots.update(service_kind="shopping", requested_slot="when")
    answered = cries(wang)
    assert answered.leaves_form and answered.drops_matter and wang.form is None


@pytest.mark.parametrize("words", ["", "救命" * 3_000, "👵🏽", "'; DROP TABLE alert; --"])
def test_whatever_the_words_help_is_called(street: Street, wang: Speaker, words: str) -> None:
    assert cries(wang, words).responses == ["utter_emergency"]
    assert street.row(Alert).words == words


def test_the_same_cry_twice_is_one_alert(street: Street, wang: Speaker) -> None:
    for _ in range(2):
        cries(wang, turn="talk:3")
    assert street.count(Alert) == 1 and len(street.told("陈干事", "staff_alert")) == 1


def test_a_coordinator_in_danger_is_not_told_of_herself(street: Street, meet: Meet) -> None:
    answered = cries(meet("陈干事"))
    assert answered.responses == ["utter_emergency"] and "陈干事" not in answered.text


def test_with_nobody_near_the_public_number_is_told(street: Street, meet: Meet) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    answered = cries(meet("赵铁柱"))
    assert answered.responses == ["utter_emergency_no_coordinator"] and "一二零" in answered.text
    assert street.count(Alert) == 1


def test_a_complaint_is_kept_in_her_words_with_a_promise(street: Street, wang: Speaker) -> None:
    words = "她骂我，俺心里难受"
    answered = wang.says(words, "complain").runs(ActionComplain)
    assert answered.responses == ["utter_complaint_heard"] and "陈干事" in answered.text
    dispute = street.row(Dispute)
    assert (dispute.kind, dispute.words) == (DisputeKind.COMPLAINT, words)
    assert len(street.told("陈干事", "staff_dispute")) == 1
