"""From a printed card to a bound phone, and what strangers get."""

from __future__ import annotations

import pytest

from actions.timebank.model import ChannelBinding, Notice
from bot.channels.telegram.joining import says_yes
from bot.channels.telegram.strangers import ANSWERS
from tests.bot.telegram.line import NOTE, Line
from tests.bot_api.world import Chat


def asked(line: Line, name: str = "王奶奶", chat_id: int = 1001) -> Chat:
    """A phone that scanned the card of this member."""
    phone = line.api.chat(chat_id, "谁")
    phone.scans(line.card(name))
    heard = phone.hears()
    assert heard.words == line.phrase("utter_telegram_join_question", name=name)
    assert heard.voice is not None and heard.buttons == ["是我", "不是"]
    return phone


def bound(line: Line) -> dict[str, str]:
    """Names by chat."""
    names = {line.street.member(name): name for name in ("王奶奶", "张秀英", "李建国")}
    rows = line.street.rows(ChannelBinding, unbound_at=None)
    return {row.address: names[row.member_id] for row in rows}


def test_a_scanned_card_and_a_spoken_yes_bind_the_phone(open_line: Line) -> None:
    phone = asked(open_line)
    assert bound(open_line) == {}
    open_line.parlour.recognizer.text = "对我是王奶奶"
    phone.speaks(NOTE, 1)
    assert phone.hears().words == open_line.phrase("utter_telegram_joined")
    assert bound(open_line) == {"1001": "王奶奶"}
    assert open_line.parlour.dialogue.asked == [] and not open_line.parlour.recordings.exists()
    phone.says("买点菜")
    assert phone.hears().words == "好，买东西。大约一个半小时。"


def test_the_button_binds_too_and_goes_away(open_line: Line) -> None:
    phone = asked(open_line)
    phone.presses("是我")
    assert phone.hears().words == open_line.phrase("utter_telegram_joined")
    assert phone.sees_edit().buttons == []
    assert bound(open_line) == {"1001": "王奶奶"}


def test_a_no_binds_nobody_and_the_card_can_be_shown_again(open_line: Line) -> None:
    phone = asked(open_line)
    phone.says("我不是")
    assert phone.hears().words == open_line.phrase("utter_telegram_join_not_her")
    assert bound(open_line) == {}


def test_anything_else_is_asked_once_more_then_staff_are_named(open_line: Line) -> None:
    phone = asked(open_line)
    phone.says("今天天气好啊")
    again = phone.hears()
    assert again.words == open_line.phrase("utter_telegram_join_again", name="王奶奶")
    phone.sends_sticker()
    assert phone.hears().words == open_line.phrase("utter_telegram_join_staff")
    again_with_the_old_button = again
    phone.presses("是我", again_with_the_old_button)
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert bound(open_line) == {}


def test_a_badly_heard_yes_binds_nobody(open_line: Line) -> None:
    phone = asked(open_line)
    open_line.parlour.recognizer.text, open_line.parlour.recognizer.confidence = "对", 0.1
    phone.speaks(NOTE, 1)
    assert phone.hears().words == open_line.phrase("utter_telegram_join_again", name="王奶奶")
    assert bound(open_line) == {}


def test_a_passed_on_yes_binds_nobody(open_line: Line) -> None:
    phone = asked(open_line)
    phone.forwards("对，我是王奶奶")
    phone.hears()
    assert bound(open_line) == {}


def test_a_yes_after_a_quarter_of_an_hour_is_too_late(open_line: Line) -> None:
    phone = asked(open_line)
    open_line.street.clock.pass_time(minutes=16)
    phone.presses("是我")
    assert phone.hears().words == open_line.phrase("utter_refused_button_gone")
    assert bound(open_line) == {}


@pytest.mark.parametrize("code", ["nonsense", "x" * 64, "AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_card_that_was_never_printed_is_refused(open_line: Line, code: str) -> None:
    phone = open_line.api.chat(1001, "王奶奶")
    phone.scans(code)
    assert phone.hears().words == open_line.phrase("utter_refused_card_unknown")


def test_a_used_card_is_refused(open_line: Line) -> None:
    card = open_line.card("王奶奶")
    phone = open_line.api.chat(1001, "王奶奶")
    phone.scans(card)
    phone.hears()
    phone.says("对")
    phone.hears()
    thief = open_line.api.chat(1002, "王奶奶")
    thief.scans(card)
    assert thief.hears().words == open_line.phrase("utter_refused_card_used")
    assert bound(open_line) == {"1001": "王奶奶"}


def test_who_guesses_at_cards_is_soon_not_answered_any_more(open_line: Line) -> None:
    phone = open_line.api.chat(1001, "王奶奶")
    for guess in range(ANSWERS + 3):
        phone.scans(f"guess{guess}")
    for _ in range(ANSWERS):
        assert phone.hears().words == open_line.phrase("utter_refused_card_unknown")
    open_line.all_answered(ANSWERS + 3)
    phone.hears_nothing()


def test_a_bound_phone_that_scans_anothers_card_talks_on_as_before(open_line: Line) -> None:
    phone = open_line.phone("张秀英")
    phone.scans(open_line.card("王奶奶"))
    phone.hears()
    phone.says("我还有多少时间")
    assert phone.hears().words == "好，买东西。大约一个半小时。"
    assert open_line.turns()[0].member_id == open_line.street.member("张秀英")
    assert bound(open_line) == {"1001": "张秀英"}


def test_a_stranger_is_sent_to_staff_and_nothing_is_done(open_line: Line) -> None:
    stranger = open_line.api.chat(6666, "王奶奶")
    stranger.says("我是王奶奶，转给李建国十个小时")
    heard = stranger.hears()
    assert heard.words == open_line.phrase("utter_telegram_stranger")
    assert heard.voice is not None and "王奶奶" not in heard.words
    assert open_line.turns() == [] and open_line.parlour.dialogue.asked == []
    assert open_line.street.told("陈干事", "staff_stranger") == [{}]


def test_nothing_that_a_stranger_sends_is_fetched_or_kept(open_line: Line) -> None:
    stranger = open_line.api.chat(6666, "谁")
    stranger.speaks(NOTE, 1)
    stranger.hears()
    assert open_line.api.calls("getFile") == [] and not open_line.parlour.recordings.exists()


def test_a_stranger_who_goes_on_is_not_answered_for_ever_and_staff_hear_of_him_once(
    open_line: Line,
) -> None:
    stranger = open_line.api.chat(6666, "谁")
    for number in range(ANSWERS + 5):
        stranger.says(f"喂{number}")
    for _ in range(ANSWERS):
        stranger.hears()
    open_line.all_answered(ANSWERS + 5)
    stranger.hears_nothing()
    assert len(open_line.street.rows(Notice, kind="staff_stranger")) == 1


def test_a_stranger_whom_nobody_hears_any_more_still_joins_with_a_card(open_line: Line) -> None:
    phone = open_line.api.chat(6666, "王奶奶")
    for _ in range(ANSWERS + 1):
        phone.says("喂")
    for _ in range(ANSWERS):
        phone.hears()
    phone.scans(open_line.card("王奶奶"))
    phone.hears()
    phone.says("对")
    assert phone.hears().words == open_line.phrase("utter_telegram_joined")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("对", True),
        ("对，我是", True),
        ("嗯嗯，是的", True),
        ("没错", True),
        ("没错，我是王桂兰", True),
        ("我是王桂兰", True),
        ("俺就是王桂兰", True),
        ("桂兰", True),
        ("王贵兰", True),
        ("不是", False),
        ("我不是王桂兰", False),
        ("错了", False),
        ("我是王桂兰的儿子", None),
        ("我是李建国", None),
        ("我是张桂兰", None),
        ("张桂兰", None),
        ("我", None),
        ("", None),
        ("今天天气好", None),
    ],
)
def test_what_says_that_it_is_she(words: str, meant: bool | None) -> None:
    assert says_yes(words, "王桂兰") is meant
