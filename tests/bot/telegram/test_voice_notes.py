"""王奶奶 speaks into her phone and hears an answer."""

from __future__ import annotations

import pytest

from actions.timebank import members, turns
from actions.timebank.ids import TurnId
from actions.timebank.states import TurnOutcome
from bot.turn_types import Button
from tests.bot.telegram.line import NOTE, Line, spoken_note
from tests.bot.turn_parts import HEARD
from tests.bot_api.refusals import refused
from voice import codec
from voice.types import Delivery, VoiceError


def test_a_voice_note_is_answered_by_one_with_its_words_and_two_big_buttons(
    open_line: Line,
) -> None:
    phone = open_line.phone("王奶奶")
    sent = phone.speaks(NOTE, 1)
    heard = phone.hears()
    assert heard.words == "好，买东西。大约一个半小时。"
    assert heard.voice is not None and codec.decode(heard.voice, shortest_seconds=0.1)
    assert heard.buttons == ["对", "不对"]
    assert [len(row) for row in heard.now["reply_markup"]["inline_keyboard"]] == [1, 1]
    [turn] = open_line.turns()
    assert turn.id == f"telegram:1001:{sent.message_id}"
    assert (turn.channel, turn.heard, turn.outcome) == ("telegram", HEARD, TurnOutcome.ANSWERED)
    assert (open_line.parlour.recordings / str(turn.recording_path)).read_bytes() == NOTE


def test_typed_words_are_answered_by_voice_too(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.says("买点菜")
    assert phone.hears().voice is not None
    assert open_line.parlour.dialogue.asked[0]["text"] == "买点菜"


def test_she_sees_that_her_answer_is_being_recorded(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.parlour.dialogue.seconds = 0.3
    phone.speaks(NOTE, 1)
    phone.hears()
    assert set(phone.actions) == {"record_voice"}


def test_it_speaks_at_her_pace_and_loudness(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    with open_line.street.village.transaction() as session:
        her = members.member(session, open_line.street.member("王奶奶"))
        her.pace, her.gain = 120, 150
    phone.says("买点菜")
    phone.hears()
    assert ("好，买东西。", Delivery(pace=120, gain=150)) in open_line.parlour.synthesizer.spoken


def test_a_long_answer_comes_in_several_notes_with_the_buttons_under_the_last(
    open_line: Line,
) -> None:
    story = [f"第{number}件事，是去村东头的小卖部给您买菜。" for number in range(1, 16)]
    open_line.parlour.dialogue.texts = story
    phone = open_line.phone("王奶奶")
    phone.says("都有啥事")
    notes = [phone.hears()]
    while not notes[-1].buttons:
        notes.append(phone.hears())
    assert len(notes) > 1 and all(note.voice for note in notes)
    assert all(len(note.words) <= 200 and note.words.endswith("。") for note in notes)
    assert "".join(note.words for note in notes) == open_line.turns()[0].reply


@pytest.mark.parametrize("problem", [VoiceError("no engine"), RuntimeError("a bug in the engine")])
def test_where_no_voice_can_be_made_the_words_go_out(
    open_line: Line, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def broken(*_: object) -> None:
        raise problem

    monkeypatch.setattr(open_line.parlour.synthesizer, "synthesize", broken)
    phone = open_line.phone("王奶奶")
    phone.says("买点菜")
    heard = phone.hears()
    assert heard.voice is None
    assert (heard.words, heard.buttons) == ("好，买东西。大约一个半小时。", ["对", "不对"])


def test_who_lets_in_no_voice_messages_gets_the_words(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    open_line.api.disturb("sendVoice", refused("VOICE_MESSAGES_FORBIDDEN"))
    phone.says("买点菜")
    heard = phone.hears()
    assert (heard.voice, heard.buttons) == (None, ["对", "不对"])


def test_nothing_of_zero_seconds_is_fetched(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(NOTE, 0)
    assert phone.hears().words == open_line.phrase("utter_refused_too_short")
    assert open_line.api.calls("getFile") == []


def test_what_is_too_long_is_not_fetched(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(NOTE, 181)
    assert phone.hears().words == open_line.phrase("utter_refused_too_long")
    assert open_line.api.calls("getFile") == []


def test_three_minutes_are_still_heard(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(spoken_note(179.5), 180)
    assert phone.hears().words == "好，买东西。大约一个半小时。"


def test_what_is_longer_than_it_says_is_refused_all_the_same(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(spoken_note(181), 10)
    assert phone.hears().words == open_line.phrase("utter_refused_too_long")


def test_fifty_megabytes_are_not_fetched(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(NOTE, 5, size=50 * 1024 * 1024)
    assert phone.hears().words == open_line.phrase("utter_refused_too_large")
    assert open_line.api.calls("getFile") == []


def test_what_is_no_sound_gets_a_kind_answer(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    phone.speaks(b"OggS but not really", 3)
    assert phone.hears().words == open_line.phrase("utter_refused_not_audio")


def test_a_turn_that_the_machine_broke_off_is_not_said_to_go_on(open_line: Line) -> None:
    phone = open_line.phone("王奶奶")
    with open_line.street.village.transaction() as session:
        turns.begin(
            session,
            turn_id=TurnId("telegram:1001:101"),
            member=open_line.street.member("王奶奶"),
            channel="telegram",
            now=open_line.street.clock(),
        )
    assert phone.says("买点菜").message_id == 101
    assert phone.hears().words == open_line.phrase("utter_telegram_cut_off")


def test_a_button_of_a_plain_answer_holds_nothing_but_a_token(open_line: Line) -> None:
    open_line.parlour.dialogue.buttons = [Button("行", '/accept_task{"offer_id": "3"}')]
    phone = open_line.phone("王奶奶")
    phone.says("有啥活")
    assert all(len(data) == 22 for data in phone.hears().keys.values())
