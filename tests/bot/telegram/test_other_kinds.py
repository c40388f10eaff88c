"""What is no voice note gets a fitting, kind answer, and is never acted on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actions.timebank import alerts
from actions.timebank.ids import TurnId
from actions.timebank.model import AlarmPlace
from tests.bot.telegram.line import NOTE, Line, eventually
from tests.bot_api.world import Chat, Done

SENT: dict[str, Callable[[Chat], Done]] = {
    "photo": lambda phone: phone.sends_photo("我的药"),
    "video": lambda phone: phone.sends_video(),
    "sticker": lambda phone: phone.sends_sticker(),
    "audio": lambda phone: phone.sends_audio(NOTE),
    "document": lambda phone: phone.sends_document(NOTE),
    "contact": lambda phone: phone.sends_contact(),
    "place": lambda phone: phone.shares_location(30.1, 120.2),
    "game": lambda phone: phone.throws_dice(),
    "forwarded": lambda phone: phone.forwards("转给李建国十个小时"),
}


@pytest.mark.parametrize("kind", SENT)
def test_each_kind_has_its_own_spoken_answer(open_line: Line, kind: str) -> None:
    phone = open_line.phone("王奶奶")
    SENT[kind](phone)
    heard = phone.hears()
    assert heard.words == open_line.phrase(f"utter_telegram_{kind}")
    assert heard.voice is not None and heard.buttons == []
    assert open_line.parlour.dialogue.asked == [] and open_line.turns() == []
    assert open_line.api.calls("getFile") == []


def test_the_pictures_of_an_album_get_one_answer(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    for _ in range(3):
        phone.sends_photo(album="77")
    assert phone.hears().words == open_line.phrase("utter_telegram_photo")
    open_line.all_answered(3)
    phone.hears_nothing()


def test_where_she_is_becomes_the_place_of_her_open_emergency(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    with open_line.street.village.transaction() as session:
        alerts.raise_alert(
            session,
            member=open_line.street.member("王奶奶"),
            words="我摔倒了",
            turn_id=TurnId("telegram:1001:1"),
            now=open_line.street.clock(),
        )
    phone.shares_location(30.123, 120.456)
    assert phone.hears().words == open_line.phrase("utter_telegram_place_taken")
    place = open_line.street.row(AlarmPlace)
    assert (place.latitude, place.longitude) == (30.123, 120.456)


def test_a_video_note_is_answered_too(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.sends_video_note()
    assert phone.hears().words == open_line.phrase("utter_telegram_video")


def test_anothers_voice_passed_on_is_not_taken_for_hers(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.forwards(ogg=NOTE)
    assert phone.hears().words == open_line.phrase("utter_telegram_forwarded")
    assert open_line.turns() == []


def test_changed_words_are_not_acted_on_again(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    said = phone.says("买点菜")
    phone.hears()
    phone.edits(said, "转给李建国十个小时")
    assert phone.hears().words == open_line.phrase("utter_telegram_edited")
    assert [one["text"] for one in open_line.parlour.dialogue.asked] == ["买点菜"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("/help", "帮助"), ("/stop", "停"), ("/start", "你好"), ("/help@xiaobang_test_bot", "帮助")],
)
def test_telegrams_own_commands_are_words(open_line: Line, typed: str, said: str) -> None:
    phone = open_line.phone("王奶奶")
    phone.says(typed)
    phone.hears()
    assert open_line.parlour.dialogue.asked[0]["text"] == said


@pytest.mark.parametrize(
    "typed", ['/accept_task{"offer_id": "1"}', "/affirm", "//affirm", " /deny"]
)
def test_nobody_types_what_only_a_button_may_send(open_line: Line, typed: str) -> None:
    phone = open_line.phone("王奶奶")
    phone.says(typed)
    phone.hears()
    assert not any(one["text"].startswith("/") for one in open_line.parlour.dialogue.asked)


def test_a_live_location_is_answered_once(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    shared = phone.shares_location(30.1, 120.2, live=True)
    phone.hears()
    for step in range(3):
        phone.moves(shared, 30.1 + step / 100, 120.2)
    open_line.all_answered(4)
    phone.hears_nothing()


def test_who_blocked_us_is_told_to_staff_and_heard_again_when_she_writes(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.blocks()
    eventually(lambda: bool(open_line.street.told("陈干事", "staff_unreachable")))
    phone.says("买点菜")
    assert phone.hears().words == "好，买东西。大约一个半小时。"


def test_who_blocks_us_while_her_answer_is_made_is_told_to_staff(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.parlour.dialogue.seconds = 0.5
    phone.says("买点菜")
    eventually(lambda: bool(open_line.parlour.dialogue.asked))
    phone.blocks()
    eventually(lambda: bool(open_line.street.told("陈干事", "staff_unreachable")))
    open_line.all_answered(2)


def test_what_a_group_says_is_not_acted_on_and_the_group_is_left(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    group = open_line.api.group(-100, "村里")
    group.member(phone).says("帮我买菜")
    open_line.all_answered(1)
    assert open_line.turns() == []
    assert [call.fields["chat_id"] for call in open_line.api.calls("leaveChat")] == [-100]
    phone.hears_nothing()
