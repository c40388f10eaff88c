"""A neighbour offers help: with what, and on which days."""

from __future__ import annotations

import pytest

from actions.offering import ActionAskOfferedKinds, ActionOfferHelp, ValidateOfferHelpForm
from actions.timebank.model import Availability, Member, Skill
from actions.timebank.states import DayPart, ServiceKind
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def offers(speaker: Speaker, text: str, **said: object) -> Answered:
    form = None if speaker.form else "offer_help_form"
    speaker.says(text, "offer_help", form=form, slots={"offered_kinds": text}, **said)
    return speaker.runs(ValidateOfferHelpForm)


def answers(speaker: Speaker, text: str, intent: str = "inform", **said: object) -> Answered:
    speaker.slots["requested_slot"] = "offered_kinds"
    speaker.says(text, intent, slots={"offered_kinds": text}, **said)
    return speaker.runs(ValidateOfferHelpForm)


def skills(street: Street, name: str) -> list[ServiceKind]:
    return [row.service_kind for row in street.rows(Skill, member_id=street.member(name))]


def times(street: Street, name: str) -> set[tuple[int, DayPart]]:
    rows = street.rows(Availability, member_id=street.member(name))
    return {(row.weekday, row.part) for row in rows}


def test_kinds_and_days_are_kept_and_said_back(street: Street, wang: Speaker) -> None:
    offers(wang, "礼拜一、礼拜三上午能帮着做饭", service_kind=["meals", "meals"])
    answered = wang.runs(ActionOfferHelp)
    assert answered.text == "好，记下了：您礼拜一、礼拜三上午能帮着做饭。有活我先问您。"
    assert answered.drops_matter
    assert skills(street, "王奶奶") == [ServiceKind.MEALS]
    assert times(street, "王奶奶") == {(0, DayPart.MORNING), (2, DayPart.MORNING)}
    assert street.row(Member, name="王奶奶").takes_tasks


@pytest.mark.parametrize(
    "words, said_back",
    [
        ("天天有空", "您每天能帮着"),
        ("周末", "您礼拜六、礼拜天能帮着"),
        ("每天下午晚上", "您每天下午、晚上能帮着"),
        ("礼拜一上午、礼拜三下午", "您礼拜一上午，礼拜三下午能帮着"),
    ],
)
def test_days_are_said_back_as_they_were_understood(
    wang: Speaker, words: str, said_back: str
) -> None:
    offers(wang, words, service_kind="meals")
    assert said_back in wang.runs(ActionOfferHelp).text


def test_kinds_without_days_are_enough(street: Street, wang: Speaker) -> None:
    offers(wang, "俺会做饭，也能陪人说话", service_kind=["meals", "companionship"])
    answered = wang.runs(ActionOfferHelp)
    assert answered.responses == ["utter_help_offered"] and "做饭、陪着说说话" in answered.text
    assert times(street, "王奶奶") == set()


def test_missing_kinds_are_asked_and_the_days_are_not_forgotten(
    street: Street, wang: Speaker
) -> None:
    assert offers(wang, "我礼拜六有空，想帮人").slots["offered_kinds"] is None
    assert wang.runs(ActionAskOfferedKinds).responses == ["utter_ask_offered_kinds_first"]
    answers(wang, "买菜", service_kind="shopping")
    assert "礼拜六能帮着买东西" in wang.runs(ActionOfferHelp).text
    assert len(times(street, "王奶奶")) == 3


def test_a_helper_who_is_known_may_name_days_only(street: Street, zhang: Speaker) -> None:
    offers(zhang, "我礼拜天也有空")
    assert zhang.runs(ActionOfferHelp).text == "好，记下了：您礼拜天有空。有活我先问您。"
    assert len(times(street, "张秀英")) == 3 and len(skills(street, "张秀英")) == 4


def test_a_known_helper_without_kinds_and_days_is_asked_with_what(zhang: Speaker) -> None:
    assert offers(zhang, "我想多干点").slots["offered_kinds"] is None


def test_what_we_have_no_word_for_goes_to_the_staff(street: Street, wang: Speaker) -> None:
    offers(wang, "给我登记上，会编箩筐")
    answers(wang, "编箩筐嘛")
    assert wang.runs(ActionAskOfferedKinds).responses == ["utter_ask_offered_kinds_again"]
    assert "例如买菜" in answers(wang, "箩筐").text
    answered = answers(wang, "就是竹子的筐")
    assert answered.responses == ["utter_repair_staff"] and "陈干事" in answered.text
    assert answered.slots["requested_slot"] is None
    [facts] = street.told("陈干事", "staff_call_back")
    assert "竹子的筐" in facts["words"]
    assert wang.runs(ActionOfferHelp).text == "" and skills(street, "王奶奶") == []


def test_no_ends_it(street: Street, wang: Speaker) -> None:
    offers(wang, "我想帮人")
    answered = answers(wang, "算了", "deny")
    assert answered.responses == ["utter_help_not_offered"]
    assert wang.runs(ActionOfferHelp).drops_matter
    assert not street.row(Member, name="王奶奶").takes_tasks


def test_a_new_offer_knows_nothing_of_one_left_in_the_middle(street: Street, wang: Speaker) -> None:
    offers(wang, "礼拜六")
    wang.form, wang.slots["requested_slot"] = None, "gift_to"
    offers(wang, "做饭", service_kind="meals")
    wang.runs(ActionOfferHelp)
    assert times(street, "王奶奶") == set()


@pytest.mark.parametrize("kind", ["gardening", "", 7, "meals'; --"])
def test_kinds_from_outside_that_do_not_exist_are_no_kinds(
    street: Street, wang: Speaker, kind: object
) -> None:
    answered = offers(wang, "/offer_help", service_kind=kind)
    assert answered.slots["offered_kinds"] is None
    assert wang.runs(ActionOfferHelp).text == "" and skills(street, "王奶奶") == []
