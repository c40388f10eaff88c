"""Marks and words for a visit, as she gives them."""

from __future__ import annotations

import pytest

from actions.ratings import ActionAskRatingStars, ActionRateService, ValidateRateServiceForm
from actions.timebank.model import Rating
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def visited(street: Street, by: str = "张秀英") -> None:
    with street.neighbourhood() as hood:
        helper = {"张秀英": hood.zhang, "李建国": hood.li}[by]
        hood.visited(20, wanted_helper=helper.id)
    street.clock.pass_time(hours=1)


def rates(speaker: Speaker, text: str, **said: object) -> Answered:
    speaker.says(
        text, "rate_service", form="rate_service_form", slots={"rating_stars": text}, **said
    )
    return speaker.runs(ValidateRateServiceForm)


def answers(speaker: Speaker, text: str, intent: str = "inform", **said: object) -> Answered:
    speaker.slots["requested_slot"] = "rating_stars"
    speaker.says(text, intent, slots={"rating_stars": text}, **said)
    return speaker.runs(ValidateRateServiceForm)


def kept(street: Street) -> list[tuple[object, str]]:
    return [(row.stars, row.words) for row in street.rows(Rating)]


def test_a_mark_with_words_is_kept_and_the_neighbour_is_thanked(
    street: Street, wang: Speaker
) -> None:
    visited(street)
    rates(wang, "秀英手轻，五颗星", rating=5)
    answered = wang.runs(ActionRateService)
    assert answered.text == "好，5分，我记下了。我替您谢谢张秀英。" and answered.drops_matter
    assert kept(street) == [(5, "秀英手轻，五颗星")]
    assert len(street.told("张秀英", "visit_praised")) == 1


def test_without_a_mark_it_is_asked_once_with_two_answers(street: Street, wang: Speaker) -> None:
    visited(street)
    assert rates(wang, "饭煮得夹生").slots["rating_stars"] is None
    asked = wang.runs(ActionAskRatingStars)
    assert asked.text == "张秀英这回帮您买东西，您给几分？五分最好。"
    assert [button["title"] for button in asked.buttons] == ["五分", "不打分"]
    answers(wang, "三分吧", rating=3)
    assert wang.runs(ActionRateService).responses == ["utter_rating_middling"]
    assert kept(street) == [(3, "饭煮得夹生，三分吧")]


@pytest.mark.parametrize(
    "answer, intent, words",
    [
        ("不晓得", "unsure", "蛮好，不晓得"),
        ("/deny", "deny", "蛮好"),
        ("六分", "inform", "蛮好，六分"),
    ],
)
def test_words_alone_are_enough_after_one_question(
    street: Street, wang: Speaker, answer: str, intent: str, words: str
) -> None:
    visited(street)
    rates(wang, "蛮好")
    answers(wang, answer, intent)
    assert wang.runs(ActionRateService).responses == ["utter_rating_words"]
    assert kept(street) == [(None, words)]


def test_the_button_gives_five(street: Street, wang: Speaker) -> None:
    visited(street)
    rates(wang, "蛮好")
    answers(wang, "/inform", rating="5")
    wang.runs(ActionRateService)
    assert kept(street) == [(5, "蛮好")]


def test_a_poor_mark_names_who_will_ask_and_not_to_the_helper(
    street: Street, wang: Speaker
) -> None:
    visited(street)
    rates(wang, "地没扫干净，两颗星", rating=2)
    answered = wang.runs(ActionRateService)
    assert answered.responses == ["utter_rating_poor"] and "陈干事" in answered.text
    assert street.told("陈干事", "staff_low_rating")[0]["words"] == "地没扫干净，两颗星"
    assert street.told("张秀英", "visit_praised") == []


def test_nobody_is_promised_who_is_not_told(street: Street, wang: Speaker) -> None:
    visited(street)
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
        hood.zhang.is_coordinator = True
    rates(wang, "一颗星", rating=1)
    assert wang.runs(ActionRateService).responses == ["utter_rating_middling"]


def test_the_last_visit_is_meant_unless_a_neighbour_is_named(street: Street, wang: Speaker) -> None:
    visited(street, "张秀英")
    visited(street, "李建国")
    rates(wang, "四分", rating=4)
    assert "李建国" in wang.runs(ActionRateService).text
    rates(wang, "秀英四分", rating=4, person="张秀英")
    assert "张秀英" in wang.runs(ActionRateService).text


def test_the_visit_asked_about_stays_the_one_that_is_rated(street: Street, wang: Speaker) -> None:
    visited(street, "张秀英")
    rates(wang, "蛮好")
    visited(street, "李建国")
    answers(wang, "五分", rating=5, person="李建国")
    assert "张秀英" in wang.runs(ActionRateService).text


def test_who_never_helped_is_not_rated(street: Street, wang: Speaker) -> None:
    visited(street)
    answered = rates(wang, "铁柱五分", rating=5, person="赵铁柱")
    assert answered.responses == ["utter_refused_nothing_open_rating_of"]
    assert "赵铁柱" in answered.text and answered.leaves_form and kept(street) == []


def test_another_forms_matter_is_not_what_is_rated(street: Street, wang: Speaker) -> None:
    visited(street)
    wang.form, wang.slots["matter_id"] = "rate_service_form", 404
    rates(wang, "五分", rating=5)
    wang.runs(ActionRateService)
    assert kept(street) == [(5, "五分")]


def test_nothing_to_rate_is_kindly_said(wang: Speaker) -> None:
    answered = rates(wang, "五分", rating=5)
    assert answered.responses == ["utter_refused_nothing_open_rating"] and answered.leaves_form
    assert wang.runs(ActionRateService).text == ""


def test_the_helper_cannot_rate_himself(street: Street, zhang: Speaker, meet: Meet) -> None:
    visited(street)
    for speaker in (zhang, meet("陈干事")):
        answered = rates(speaker, "五分", rating=5)
        assert answered.responses == ["utter_refused_nothing_open_rating"]


@pytest.mark.parametrize("rating", ["99", "0", "-1", "five", "5; --", 2.5])
def test_marks_from_outside_that_do_not_exist_are_no_marks(
    street: Street, wang: Speaker, rating: object
) -> None:
    visited(street)
    assert rates(wang, "/rate_service", rating=rating).slots["rating_stars"] is None


def test_the_same_turn_again_rates_once(street: Street, wang: Speaker) -> None:
    visited(street)
    for _ in range(2):
        rates(wang, "一颗星", rating=1, turn="talk:1:again")
        wang.runs(ActionRateService)
    assert len(kept(street)) == 1
    assert len(street.told("陈干事", "staff_low_rating")) == 1
