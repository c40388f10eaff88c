"""Giving hours away: whom and how long, read back, and only a clear yes moves them."""

from __future__ import annotations

import pytest

from actions.account import ActionCheckBalance, ActionExplainHistory
from actions.giving import (
    ActionAskGiftMinutes,
    ActionAskGiftSure,
    ActionAskGiftTo,
    ActionTransferTime,
    ValidateTransferTimeForm,
)
from actions.timebank import members
from actions.timebank.model import Relation, Transfer
from actions.timebank.states import RelationKind, TransferKind
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street
from tests.timebank.builders import make_member

QUESTIONS = {
    "gift_to": ActionAskGiftTo,
    "gift_minutes": ActionAskGiftMinutes,
    "gift_sure": ActionAskGiftSure,
}


def gives(speaker: Speaker, text: str, **said: object) -> Answered:
    """She begins to speak of a gift; another form's question may still stand there."""
    speaker.form, speaker.slots["requested_slot"] = None, "service_kind"
    return hears(speaker, text, "transfer_time", form="transfer_time_form", **said)


def hears(speaker: Speaker, text: str, intent: str = "inform", **said: object) -> Answered:
    """She says something in the form; as Rasa, the next empty slot is then asked for."""
    speaker.says(text, intent, **said)
    for entity in speaker.message["entities"]:
        _place(entity, text)
    answered = speaker.runs(ValidateTransferTimeForm)
    if "requested_slot" not in answered.slots:
        empty = (slot for slot in QUESTIONS if speaker.slots.get(slot) is None)
        speaker.slots["requested_slot"] = next(empty, None)
    return answered


def _place(entity: dict[str, object], text: str) -> None:
    """Where the whole or the given name stands, as the name finder tells it."""
    name = str(entity["value"])
    for form in (name, name[1:]):
        if entity["entity"] == "person" and form in text:
            entity.update(start=text.index(form), end=text.index(form) + len(form))
            return


def is_asked(speaker: Speaker) -> Answered:
    return speaker.runs(QUESTIONS[speaker.slots["requested_slot"]])


def says_yes(speaker: Speaker, text: str = "对", **said: object) -> Answered:
    hears(speaker, text, "affirm", **said)
    return speaker.runs(ActionTransferTime)


def gifts_made(street: Street) -> int:
    return len(street.rows(Transfer, kind=TransferKind.GIFT))


def relate(street: Street, who: str, other: str, kind: RelationKind, label: str = "") -> None:
    with street.neighbourhood() as hood:
        one, two = (members.find_member(hood.session, name) for name in (who, other))
        hood.session.add(Relation(member_id=one.id, other_id=two.id, kind=kind, label=label))


def test_a_gift_waits_for_her_yes(street: Street, wang: Speaker) -> None:
    gives(wang, "给秀英两个小时", person="张秀英", duration_minutes=120)
    asked = is_asked(wang)
    assert asked.text == "您要把120分钟送给村东头的张秀英，对吗？"
    buttons = [(button["title"], button["payload"]) for button in asked.buttons]
    assert buttons == [("对", "/affirm"), ("不对", "/deny")]
    assert gifts_made(street) == 0
    answered = says_yes(wang)
    assert answered.text == "好，送给村东头的张秀英120分钟。您还有0分钟。"
    assert answered.drops_matter
    assert (street.balance("王奶奶").posted, street.balance("张秀英").posted) == (0, 120)
    assert street.told("张秀英", "gift_received")[0]["giver"] == "王奶奶"


@pytest.mark.parametrize(
    "words", ["捐一个钟头给村里", "给公家", "送给公益", "放进村里的基金", "捐了"]
)
def test_the_village_fund_receives_as_well(street: Street, wang: Speaker, words: str) -> None:
    gives(wang, words, amount_minutes=60)
    assert is_asked(wang).text == "您要把60分钟送给村里的公益时间，对吗？"
    says_yes(wang)
    with street.neighbourhood() as hood:
        assert hood.fund().posted == 60


def test_the_fund_is_known_by_its_sound_and_read_back(street: Street, wang: Speaker) -> None:
    gives(wang, "两个小时给策略", fund="village", duration_minutes=120)
    assert is_asked(wang).text == "您要把120分钟送给村里的公益时间，对吗？"
    assert gifts_made(street) == 0
    says_yes(wang)
    with street.neighbourhood() as hood:
        assert hood.fund().posted == 120


def test_a_name_goes_before_what_sounds_like_the_village(wang: Speaker) -> None:
    gives(wang, "给秀英", person="张秀英", fund="village", duration_minutes=60)
    assert "张秀英" in is_asked(wang).text


@pytest.mark.parametrize("words", ["给村里的老王一个小时", "给村东头那家", "捐给老王"])
def test_somebody_of_the_village_is_not_the_village(wang: Speaker, words: str) -> None:
    gives(wang, words, duration_minutes=60)
    assert wang.slots["gift_to"] is None


def test_what_is_missing_is_asked_one_after_the_other(street: Street, wang: Speaker) -> None:
    gives(wang, "我想送时间")
    assert is_asked(wang).responses == ["utter_ask_gift_to_first"]
    hears(wang, "秀英", person="张秀英")
    asked = is_asked(wang)
    assert asked.responses == ["utter_ask_gift_minutes_first"] and "张秀英" in asked.text
    hears(wang, "一个小时", duration_minutes=60)
    assert is_asked(wang).responses == ["utter_ask_gift_sure_read_back"]
    says_yes(wang)
    assert street.balance("张秀英").posted == 60


# Corrections


def read_back(wang: Speaker) -> None:
    gives(wang, "给秀英一个小时", person="张秀英", duration_minutes=60)
    assert "60分钟" in is_asked(wang).text


def test_no_with_another_number_is_read_back_again(street: Street, wang: Speaker) -> None:
    read_back(wang)
    hears(wang, "不对，半个小时", "deny", duration_minutes=30)
    asked = is_asked(wang)
    assert "30分钟" in asked.text and "张秀英" in asked.text and gifts_made(street) == 0
    says_yes(wang)
    assert street.balance("张秀英").posted == 30


def test_no_with_another_name_is_read_back_again(street: Street, wang: Speaker) -> None:
    read_back(wang)
    hears(wang, "不是，给建国", "deny", person="李建国")
    asked = is_asked(wang)
    assert "李建国" in asked.text and "60分钟" in asked.text
    says_yes(wang)
    assert (street.balance("李建国").posted, street.balance("张秀英").posted) == (60, 0)


def test_a_bare_no_asks_again_and_a_second_one_gives_nothing(street: Street, wang: Speaker) -> None:
    read_back(wang)
    hears(wang, "不对", "deny")
    assert is_asked(wang).responses == ["utter_ask_gift_corrected"]
    hears(wang, "不送了", "deny")
    assert wang.runs(ActionTransferTime).responses == ["utter_gift_not_given"]
    assert gifts_made(street) == 0


@pytest.mark.parametrize(
    "said", [{"duration_minutes": 90}, {"person": "李建国"}, {"amount_minutes": "90"}]
)
def test_a_yes_that_says_something_else_is_no_clear_yes(
    street: Street, wang: Speaker, said: dict[str, object]
) -> None:
    read_back(wang)
    assert says_yes(wang, "对对，给他", **said).text == ""
    assert gifts_made(street) == 0


def test_a_yes_that_repeats_what_was_read_is_clear(street: Street, wang: Speaker) -> None:
    read_back(wang)
    says_yes(wang, "对，给秀英一个小时", person="张秀英", duration_minutes=60)
    assert street.balance("张秀英").posted == 60


def test_who_corrects_herself_in_one_breath_means_the_last(wang: Speaker) -> None:
    gives(wang, "转两个，哎不，半个小时给秀英", person="张秀英", duration_minutes=[120, 30])
    assert "30分钟" in is_asked(wang).text


@pytest.mark.parametrize("intent", ["inform", "unsure", "chitchat"])
def test_nothing_but_a_yes_moves_anything(street: Street, wang: Speaker, intent: str) -> None:
    read_back(wang)
    hears(wang, "嗯，我那个", intent)
    assert wang.slots["gift_sure"] is None
    assert wang.runs(ActionTransferTime).text == "" and gifts_made(street) == 0


def test_a_new_gift_knows_nothing_of_one_left_in_the_middle(street: Street, wang: Speaker) -> None:
    read_back(wang)
    gives(wang, "给建国", person="李建国")
    assert wang.slots["gift_minutes"] is None and wang.slots["requested_slot"] == "gift_minutes"


# Whom she means


@pytest.mark.parametrize("word", ["我老婆", "我老伴", "我那老婆子"])
def test_a_wife_is_found_whatever_he_calls_her(street: Street, wang: Speaker, word: str) -> None:
    relate(street, "王奶奶", "李建国", RelationKind.SPOUSE, "老伴")
    gives(wang, f"给{word}一个小时", duration_minutes=60)
    assert "李建国" in is_asked(wang).text


def test_a_marriage_said_by_the_other_one_counts(street: Street, wang: Speaker) -> None:
    relate(street, "李建国", "王奶奶", RelationKind.SPOUSE, "老伴")
    gives(wang, "给我老头子", duration_minutes=60)
    assert "李建国" in is_asked(wang).text


@pytest.mark.parametrize(
    "label, words",
    [
        ("儿媳", "给我儿媳妇"),
        ("女儿", "给我闺女"),
        ("闺女", "我闺女"),
        ("秀英妹子", "给秀英妹子"),
    ],
)
def test_kin_are_found_by_the_word_of_either(
    street: Street, wang: Speaker, label: str, words: str
) -> None:
    relate(street, "王奶奶", "张秀英", RelationKind.KIN, label)
    gives(wang, words, duration_minutes=60)
    assert "张秀英" in is_asked(wang).text


@pytest.mark.parametrize("words", ["给我闺女她婆婆", "给我孙子媳妇", "给我女婿"])
def test_other_kin_are_not_taken_for_her_daughter(
    street: Street, wang: Speaker, words: str
) -> None:
    relate(street, "王奶奶", "张秀英", RelationKind.KIN, "闺女")
    gives(wang, words, duration_minutes=60)
    assert wang.slots["gift_to"] is None


def test_nobody_becomes_her_daughter_by_saying_so(street: Street, wang: Speaker) -> None:
    relate(street, "张秀英", "王奶奶", RelationKind.KIN, "闺女")
    gives(wang, "给我闺女", duration_minutes=60)
    assert wang.slots["gift_to"] is None


@pytest.fixture
def two(street: Street, wang: Speaker) -> Speaker:
    """Two 秀英 live here, and she has said 给秀英."""
    with street.neighbourhood() as hood:
        make_member(hood.session, "李秀英", now=hood.now, place="桥头")
    gives(wang, "给秀英一个小时", person="张秀英", duration_minutes=60)
    return wang


def test_two_of_one_name_are_told_apart_by_their_house(street: Street, two: Speaker) -> None:
    asked = is_asked(two)
    assert asked.text == "您说的是村东头的张秀英，还是桥头的李秀英？"
    assert [button["title"] for button in asked.buttons] == ["村东头的张秀英", "桥头的李秀英"]
    assert str(street.member("李秀英")) in asked.buttons[1]["payload"]


@pytest.mark.parametrize(
    "words, name",
    [
        ("桥头的", "李秀英"),
        ("住村东头那个", "张秀英"),
        ("头一个", "张秀英"),
        ("后一个", "李秀英"),
        ("李秀英", "李秀英"),
    ],
)
def test_she_says_which_of_the_two(street: Street, two: Speaker, words: str, name: str) -> None:
    hears(two, words)
    assert two.slots["gift_to"] == street.member(name)
    assert name in is_asked(two).text and "60分钟" in is_asked(two).text


@pytest.mark.parametrize(
    "words, name",
    [
        ("不是村东头的", "李秀英"),
        ("不是头一个", "李秀英"),
        ("不是桥头的", "张秀英"),
        ("不是村东头的，是桥头的", "李秀英"),
    ],
)
@pytest.mark.parametrize("intent", ["deny", "inform"])
def test_a_house_that_is_denied_is_not_chosen(
    street: Street, two: Speaker, words: str, name: str, intent: str
) -> None:
    hears(two, words, intent)
    assert two.slots["gift_to"] == street.member(name)


def test_or_presses_the_button(street: Street, two: Speaker) -> None:
    hears(two, "/inform", member_id=str(street.member("李秀英")))
    assert two.slots["gift_to"] == street.member("李秀英")


def test_a_button_for_somebody_else_is_not_taken(street: Street, two: Speaker) -> None:
    hears(two, "/inform", member_id=str(street.member("陈干事")))
    assert two.slots["gift_to"] is None


def test_neither_of_the_two_is_asked_for_by_name(two: Speaker) -> None:
    hears(two, "都不是", "deny")
    assert is_asked(two).responses == ["utter_ask_gift_to_again"]


def test_no_after_the_first_of_two_means_the_other(street: Street, two: Speaker) -> None:
    hears(two, "村东头的")
    hears(two, "不对，秀英", "deny", person="张秀英")
    assert two.slots["gift_to"] == street.member("李秀英")


def test_an_unknown_name_is_kindly_asked_again_then_goes_to_the_staff(
    street: Street, wang: Speaker
) -> None:
    gives(wang, "送隔壁桂嗲一个小时", duration_minutes=60)
    assert is_asked(wang).responses == ["utter_ask_gift_to_first"]
    assert hears(wang, "桂嗲").responses == ["utter_answer_not_understood"]
    assert is_asked(wang).responses == ["utter_ask_gift_to_again"]
    assert "例如" in hears(wang, "就是桂嗲嘛").text
    answered = hears(wang, "桂嗲啊")
    assert answered.responses == ["utter_repair_staff"] and "陈干事" in answered.text
    assert "桂嗲" in street.told("陈干事", "staff_call_back")[0]["words"]
    assert wang.runs(ActionTransferTime).text == "" and gifts_made(street) == 0


def test_a_length_that_is_none_is_asked_again_with_an_example(wang: Speaker) -> None:
    gives(wang, "给秀英", person="张秀英")
    hears(wang, "老多了")
    assert "例如60分钟" in hears(wang, "好多好多").text
    assert is_asked(wang).responses == ["utter_ask_gift_minutes_first"]


def test_she_herself_is_nobody_else(wang: Speaker) -> None:
    gives(wang, "给王奶奶", person="王奶奶", duration_minutes=60)
    assert wang.slots["gift_to"] is None


# What there is to give


def test_too_much_is_told_with_what_there_is_and_asked_again(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=60))
    answered = gives(wang, "给建国两个小时", person="李建国", duration_minutes=120)
    assert answered.responses == ["utter_refused_not_enough_minutes_gift"]
    assert "60分钟" in answered.text and "120分钟" in answered.text
    assert is_asked(wang).responses == ["utter_ask_gift_minutes_first"]
    hears(wang, "那就一个小时", duration_minutes=60)
    says_yes(wang)
    assert street.balance("李建国").posted == 60 and street.balance("王奶奶").held == 60


def test_who_has_nothing_to_give_is_told_at_once(zhang: Speaker) -> None:
    answered = gives(zhang, "给王奶奶一个小时", person="王奶奶", duration_minutes=60)
    assert answered.responses == ["utter_refused_not_enough_minutes_gift_none"]
    assert answered.leaves_form and zhang.runs(ActionTransferTime).text == ""


def test_minutes_that_went_away_before_the_yes_are_not_given(street: Street, wang: Speaker) -> None:
    gives(wang, "给秀英两个小时", person="张秀英", duration_minutes=120)
    hears(wang, "对", "affirm")
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask(minutes=60))
    answered = wang.runs(ActionTransferTime)
    assert answered.responses == ["utter_refused_not_enough_minutes_gift"]
    assert answered.drops_matter and gifts_made(street) == 0


@pytest.mark.parametrize("words", ["把王奶奶的时间转到我这来", "老头子剩的都划到我名下"])
def test_nobody_fetches_hours_from_anothers_account(street: Street, meet: Meet, words: str) -> None:
    with street.neighbourhood() as hood:
        hood.visited(30)
    thief = meet("张秀英")
    answered = gives(thief, words, person="王奶奶", duration_minutes=30)
    assert answered.responses == ["utter_refused_not_yours"] and answered.leaves_form
    assert thief.runs(ActionTransferTime).text == "" and gifts_made(street) == 0


def test_who_says_he_is_somebody_else_gives_only_his_own(street: Street, meet: Meet) -> None:
    with street.neighbourhood() as hood:
        hood.visited(30)
    speaker = meet("张秀英")
    gives(speaker, "我是王奶奶，给建国半个小时", person="李建国", duration_minutes=30)
    says_yes(speaker)
    assert (street.balance("张秀英").posted, street.balance("王奶奶").posted) == (0, 90)


@pytest.mark.parametrize("minutes", [0, -30, "abc", "1" * 20, 1.5, None])
def test_lengths_from_outside_that_are_none_are_asked_for(wang: Speaker, minutes: object) -> None:
    gives(wang, "/transfer_time", person="张秀英", duration_minutes=minutes)
    assert wang.slots["gift_minutes"] is None


def test_the_same_yes_twice_gives_once(street: Street, wang: Speaker) -> None:
    for _ in range(2):
        read_back(wang)
        says_yes(wang, turn="talk:1:again")
    assert gifts_made(street) == 1


def test_a_gift_is_explained_to_both_with_the_others_name(
    street: Street, wang: Speaker, zhang: Speaker
) -> None:
    read_back(wang)
    says_yes(wang)
    assert "送给张秀英60分钟" in wang.says("").runs(ActionExplainHistory).text
    assert "王奶奶送给您60分钟" in zhang.says("").runs(ActionExplainHistory).text
    assert "送给张秀英60分钟。现在还有60分钟" in wang.says("").runs(ActionCheckBalance).text
    assert "王奶奶送给您60分钟。现在有60分钟" in zhang.says("").runs(ActionCheckBalance).text
    gives(wang, "捐给村里", duration_minutes=10)
    says_yes(wang)
    assert "送给村里的公益时间10分钟" in wang.says("").runs(ActionExplainHistory).text
