"""One turn over a real village: whatever is said and whatever breaks, there is an answer."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from actions.timebank import deeds, reminders
from actions.timebank import turns as turn_rows
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member, Turn
from actions.timebank.states import TurnOutcome
from bot.dialogue import DialogueAway
from bot.phrases import Phrases
from tests.bot.fakes import tone_wav
from tests.bot.turn_parts import HEARD, LEAST_CONFIDENCE, Parlour, furnish, silent_wav
from tests.small_village import Street
from voice.types import Delivery, EngineMissing, VoiceError

APOLOGY = "对不住，我这会儿出了点毛病"


# A good turn


def test_a_spoken_turn_is_answered_and_stored_whole(parlour: Parlour) -> None:
    sound = tone_wav(1.0)
    answer = parlour.speaks(sound)
    assert (answer.outcome, answer.code, answer.heard) == (TurnOutcome.ANSWERED, "", HEARD)
    assert answer.reply == "好，买东西。大约一个半小时。"
    assert list(answer.sentences) == ["好，买东西。", "大约一个半小时。"]
    assert [button.payload for button in answer.buttons] == ["/affirm", "/deny"]
    row, sha = parlour.stored(), hashlib.sha256(sound).hexdigest()
    assert (row.member_id, row.channel, row.outcome) == (parlour.wang, "talk", answer.outcome)
    assert (row.heard, row.heard_confidence, row.engine) == (HEARD, 0.9, "fake-ears")
    assert (row.intent, row.intent_confidence) == ("request_help", 0.9)
    assert row.entities == [{"entity": "service_kind", "value": "shopping"}]
    assert row.reply == answer.reply and row.buttons[0] == {"title": "对", "payload": "/affirm"}
    assert set(row.stage_ms) == {"hear", "dialogue", "total"}
    assert min(row.stage_ms.values()) >= 0
    assert row.recording_sha256 == sha
    kept = parlour.recordings / str(row.recording_path)
    assert kept.read_bytes() == sound and kept.stat().st_mode & 0o077 == 0
    assert parlour.dialogue.asked == [
        {"text": HEARD, "member": parlour.wang, "turn": "talk:1:a", "recording_sha256": sha}
    ]


def test_a_typed_turn_has_no_recording(parlour: Parlour) -> None:
    answer = parlour.types("  买点菜 ")
    assert (answer.heard, answer.confidence) == ("买点菜", None)
    row = parlour.stored()
    assert (row.recording_path, row.recording_sha256, row.engine) == (None, None, "")
    assert not parlour.recordings.exists()


def test_what_rasa_did_not_understand_is_kept_as_a_repair(parlour: Parlour) -> None:
    parlour.dialogue.intent = "nlu_fallback"
    answer = parlour.types("那个啥啥")
    assert (answer.outcome, answer.code) == (TurnOutcome.REPAIRED, "not_understood")
    assert parlour.stored().outcome is TurnOutcome.REPAIRED


def test_a_no_to_our_guess_is_a_repair_too(parlour: Parlour) -> None:
    with parlour.street.village.transaction() as session:
        turn, now = TurnId("talk:1:a"), parlour.street.clock()
        deeds.remember(
            session, turn_id=turn, action="action_repair", messages=[], events=[], now=now
        )
    parlour.dialogue.intent = "deny"
    assert parlour.types("不是").outcome is TurnOutcome.REPAIRED


# The same message again


def test_the_same_message_again_gets_the_same_answer_and_acts_once(parlour: Parlour) -> None:
    first = parlour.speaks()
    parlour.dialogue.texts = ("别的话。",)
    second = parlour.speaks()
    assert second == first and len(parlour.dialogue.asked) == 1


def test_the_same_message_twice_at_once_acts_once(parlour: Parlour) -> None:
    parlour.dialogue.seconds = 0.05

    async def both() -> list[object]:
        takes = [parlour.turns.take(parlour.utterance("talk:1:a", text="买菜")) for _ in range(2)]
        return list(await asyncio.gather(*takes))

    first, second = asyncio.run(both())
    assert first == second and len(parlour.dialogue.asked) == 1


def test_two_messages_at_once_from_one_person_are_answered_in_order(parlour: Parlour) -> None:
    parlour.dialogue.seconds = 0.05

    async def both() -> None:
        takes = [
            parlour.turns.take(parlour.utterance(f"talk:1:{words}", text=words))
            for words in ("买菜", "明天", "上午")
        ]
        await asyncio.gather(*takes)

    asyncio.run(both())
    assert [one["text"] for one in parlour.dialogue.asked] == ["买菜", "明天", "上午"]
    assert parlour.dialogue.most_at_once == 1


def test_one_person_does_not_wait_for_another(parlour: Parlour) -> None:
    parlour.dialogue.seconds = 0.3

    async def both() -> None:
        people = enumerate(("王奶奶", "张秀英"))
        takes = [
            parlour.turns.take(parlour.utterance(f"talk:{n}", who, text="买菜"))
            for n, who in people
        ]
        await asyncio.gather(*takes)

    asyncio.run(both())
    assert parlour.dialogue.most_at_once == 2


def test_a_turn_still_under_way_elsewhere_is_not_begun_again(parlour: Parlour) -> None:
    begin(parlour)
    answer = parlour.types("买菜")
    assert (answer.outcome, answer.code) == (TurnOutcome.FAILED, "still_working")
    assert answer.reply == "您别急，我还在办刚才那件事。" and parlour.dialogue.asked == []


def test_a_turn_lost_in_a_crash_is_answered_when_it_comes_again(parlour: Parlour) -> None:
    begin(parlour)
    parlour.street.clock.pass_time(minutes=3)
    assert parlour.types("买菜").outcome is TurnOutcome.ANSWERED


def begin(parlour: Parlour) -> None:
    with parlour.street.village.transaction() as session:
        turn_rows.begin(
            session,
            turn_id=TurnId("talk:1:a"),
            member=parlour.wang,
            channel="talk",
            now=parlour.street.clock(),
        )


# Nothing certain was heard


@pytest.mark.parametrize(
    "heard, confidence, code, first",
    [
        ("", 0.0, "not_heard", "我没听见声音"),
        (HEARD, LEAST_CONFIDENCE - 0.01, "not_heard_clearly", "我没听清"),
    ],
)
def test_what_was_not_heard_climbs_from_again_to_a_person(
    parlour: Parlour, heard: str, confidence: float, code: str, first: str
) -> None:
    parlour.recognizer.text, parlour.recognizer.confidence = heard, confidence
    answers = []
    for number in range(3):
        answers.append(parlour.speaks(turn=f"talk:1:{number}"))
        parlour.street.clock.pass_time(seconds=20)
    again, choices, person = answers
    assert first in again.reply and "叫人帮忙，还是查时间" in choices.reply
    assert len(choices.buttons) == 2 and "陈干事" in person.reply
    assert {(one.outcome, one.code) for one in answers} == {(TurnOutcome.REPAIRED, code)}
    [told] = parlour.street.told("陈干事", "staff_call_back")
    assert told["turn_id"] == "talk:1:2", "with it the staff find the recording"
    assert parlour.stored("talk:1:2").recording_path
    assert parlour.dialogue.asked == []


def test_without_staff_the_ladder_still_ends_in_words(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    parlour.recognizer.text = ""
    for number in range(3):
        answer = parlour.speaks(turn=f"talk:1:{number}")
        parlour.street.clock.pass_time(seconds=20)
    assert "到村里办事的地方" in answer.reply


def test_a_good_turn_between_begins_the_ladder_anew(parlour: Parlour) -> None:
    replies = []
    for number, text in enumerate(["", HEARD, ""]):
        parlour.recognizer.text = text
        replies.append(parlour.speaks(turn=f"talk:1:{number}").reply)
        parlour.street.clock.pass_time(seconds=20)
    assert replies[2].endswith(replies[0]), "not the choices of a second time"


def test_just_certain_enough_is_taken(parlour: Parlour) -> None:
    parlour.recognizer.confidence = LEAST_CONFIDENCE
    assert parlour.speaks().outcome is TurnOutcome.ANSWERED


# What cannot be taken


@pytest.mark.parametrize(
    "audio, code",
    [
        (b"", "too_short"),
        (silent_wav(0.01), "too_short"),
        (silent_wav(181), "too_long"),
        (b"not a sound at all" * 100, "not_audio"),
        (b"<html>" + b"\x00" * 5_000, "not_audio"),
        (tone_wav(1.0)[:30], "not_audio"),
    ],
    ids=["no bytes", "a click", "three minutes", "text", "html", "torn header"],
)
def test_a_recording_that_cannot_be_taken_is_told_kindly_and_stored(
    parlour: Parlour, phrases: Phrases, audio: bytes, code: str
) -> None:
    answer = parlour.speaks(audio)
    assert (answer.outcome, answer.code) == (TurnOutcome.REFUSED, code)
    assert answer.reply == phrases.text(f"utter_refused_{code}")
    assert parlour.stored().code == code and parlour.dialogue.asked == []


def test_a_torn_recording_is_answered_all_the_same(parlour: Parlour) -> None:
    assert parlour.speaks(tone_wav(1.0)[:8_000]).reply


@pytest.mark.parametrize("text", ["", "   ", None, "\n\t", "/", "// /"])
def test_nothing_typed_is_told(parlour: Parlour, text: str | None) -> None:
    answer = parlour.types(text)
    assert (answer.outcome, answer.code) == (TurnOutcome.REFUSED, "empty")
    assert answer.reply and parlour.dialogue.asked == []


def test_ten_thousand_characters_are_too_many(parlour: Parlour) -> None:
    answer = parlour.types("买" * 10_000)
    assert (answer.outcome, answer.code) == (TurnOutcome.REFUSED, "too_long")
    assert parlour.dialogue.asked == [] and parlour.stored().outcome is TurnOutcome.REFUSED


def test_a_long_story_is_listened_to(parlour: Parlour) -> None:
    assert parlour.types("买" * 500).outcome is TurnOutcome.ANSWERED


@pytest.mark.parametrize("text", ["买菜👵🏽🥬", "买菜'; DROP TABLE turn", "<b>买菜</b>", "{0}"])
def test_any_words_are_passed_on_and_stored_as_they_are(parlour: Parlour, text: str) -> None:
    assert parlour.types(text).heard == text
    assert parlour.dialogue.asked[0]["text"] == parlour.stored().heard == text
    assert parlour.street.count(Turn) == 1


@pytest.mark.parametrize(
    "text", ["👵🏽🥬", "Здравствуйте", "مساعدة", "; DROP TABLE turn; --", "<script>alert</script>"]
)
def test_what_holds_no_word_is_asked_for_again_and_answers_nothing(
    parlour: Parlour, text: str
) -> None:
    answer = parlour.types(text)
    assert answer.outcome is TurnOutcome.REPAIRED
    assert parlour.dialogue.asked == [], "a classifier would make a yes of it"
    assert parlour.stored().heard == text


@pytest.mark.parametrize(
    "text", ["hello", "Здравствуйте", "مساعدة", "call 13812345678", "こんにちは"]
)
def test_another_language_is_answered_kindly_and_never_guessed(parlour: Parlour, text: str) -> None:
    answer = parlour.types(text)
    assert answer.code == "not_chinese" and "中国话" in answer.reply
    assert parlour.dialogue.asked == []


@pytest.mark.parametrize("text", ["10", "10:30", "OK吧", "90分钟", "买2斤 tofu"])
def test_numbers_and_chinese_with_a_few_letters_are_words(parlour: Parlour, text: str) -> None:
    assert parlour.types(text).outcome is TurnOutcome.ANSWERED


def test_somebody_who_whispers_is_asked_to_come_nearer(parlour: Parlour) -> None:
    parlour.recognizer.confidence = 0.1
    answer = parlour.speaks()
    assert answer.outcome is TurnOutcome.REPAIRED and "靠近一点" in answer.reply
    assert parlour.stored().heard == HEARD, "the staff can see what was guessed"


def test_three_minutes_of_talk_are_asked_for_in_short(parlour: Parlour) -> None:
    answer = parlour.speaks(silent_wav(181))
    assert "短短地说" in answer.reply and parlour.stored().recording_path
    assert parlour.speaks(silent_wav(179), turn="talk:1:b").outcome is TurnOutcome.ANSWERED


@pytest.mark.parametrize("text", ["{0}", "{name}", "{", "%s", "<b>好</b>", ""])
def test_whatever_is_to_be_answered_breaks_nothing(parlour: Parlour, text: str) -> None:
    parlour.dialogue.texts = (text,)
    assert parlour.types("买菜").outcome is TurnOutcome.ANSWERED


# Rasa's commands


@pytest.mark.parametrize(
    "text, passed_on",
    [
        ("/restart 买菜", "restart 买菜"),
        ("/session_start 买菜", "session_start 买菜"),
        ('/request_help{"service_kind": "买菜"}', 'request_help{"service_kind": "买菜"}'),
        (
            '/accept_task{"offer_id": "1", "when": "今天"}',
            'accept_task{"offer_id": "1", "when": "今天"}',
        ),
        ("/affirm ; /restart 买菜", "affirm ; /restart 买菜"),
        ("///restart 买菜", "restart 买菜"),
        ("/ /restart 买菜", "restart 买菜"),
        ("／restart 买菜", "／restart 买菜"),
    ],
)
def test_commands_of_rasa_are_only_words(parlour: Parlour, text: str, passed_on: str) -> None:
    parlour.types(text)
    assert [one["text"] for one in parlour.dialogue.asked] == [passed_on]


@pytest.mark.parametrize(
    "text", ["/restart", "/session_start", "/back", "/emergency", '/accept_task{"offer_id": 1}']
)
def test_a_bare_command_of_rasa_is_no_word_at_all(parlour: Parlour, text: str) -> None:
    assert parlour.types(text).outcome is TurnOutcome.REPAIRED
    assert parlour.dialogue.asked == []


def test_our_own_buttons_are_passed_on(parlour: Parlour, phrases: Phrases) -> None:
    payloads = {
        button["payload"].format(
            alert_id=90,
            delegation_id=78,
            offer_id=12,
            assignment_id=11,
            minutes="60分钟",
            request_id=34,
            reminder_id=56,
            first_id=5,
            second_id=6,
            first_number=7,
            second_number=8,
        )
        for variants in phrases._responses.values()
        for variant in variants
        for button in variant.get("buttons", [])
    }
    assert {"/affirm", '/accept_task{"offer_id": "12"}'} <= payloads
    for number, payload in enumerate(sorted(payloads)):
        parlour.types(payload, f"talk:1:{number}")
    assert [one["text"] for one in parlour.dialogue.asked] == sorted(payloads)


# Parts that are away or broken


def test_a_dialogue_that_is_away_is_apologised_for_and_stored(parlour: Parlour) -> None:
    parlour.dialogue.problem = DialogueAway("no answer")
    answer = parlour.types("买菜")
    assert (answer.outcome, answer.code) == (TurnOutcome.FAILED, "dialogue_away")
    assert APOLOGY in answer.reply
    assert (parlour.stored().code, parlour.stored().heard) == ("dialogue_away", "买菜")


@pytest.mark.parametrize("bug", [RuntimeError("bug"), KeyError("x"), MemoryError()])
def test_a_bug_in_the_recognizer_is_apologised_for(parlour: Parlour, bug: Exception) -> None:
    parlour.recognizer.problem = bug
    answer = parlour.speaks()
    assert (answer.outcome, answer.code) == (TurnOutcome.FAILED, "bug")
    assert APOLOGY in answer.reply and parlour.stored().outcome is TurnOutcome.FAILED


@pytest.mark.parametrize("problem", [RuntimeError("bug"), VoiceError("engine")])
def test_the_recording_of_a_failed_turn_is_found_from_it(
    parlour: Parlour, problem: Exception
) -> None:
    parlour.recognizer.problem = problem
    parlour.speaks()
    row = parlour.stored()
    assert row.recording_path and (parlour.recordings / row.recording_path).exists()
    assert row.recording_sha256


@pytest.mark.parametrize("problem", [VoiceError("the engine died"), EngineMissing("none")])
def test_a_broken_engine_is_a_failure_not_a_refusal(parlour: Parlour, problem: VoiceError) -> None:
    parlour.recognizer.problem = problem
    answer = parlour.speaks()
    assert APOLOGY in answer.reply
    assert (answer.outcome, answer.code) == (TurnOutcome.FAILED, problem.code)


def test_a_broken_engine_is_apologised_for(parlour: Parlour) -> None:
    parlour.recognizer.problem = VoiceError("the engine died")
    assert APOLOGY in parlour.speaks().reply


def test_a_full_disk_keeps_nobody_from_being_heard(parlour: Parlour) -> None:
    parlour.recordings.write_text("a file where the folder should be")
    answer = parlour.speaks()
    assert (answer.outcome, answer.heard) == (TurnOutcome.ANSWERED, HEARD)
    assert parlour.stored().recording_path is None and parlour.stored().recording_sha256


@pytest.mark.parametrize("transaction", [1, 2], ids=["at the beginning", "at the end"])
def test_a_locked_database_is_apologised_for(
    street: Street, tmp_path: Path, phrases: Phrases, transaction: int
) -> None:
    parlour = furnish(street, tmp_path, phrases, away_at=[transaction])
    answer = parlour.types("买菜")
    assert (answer.outcome, answer.code) == (TurnOutcome.FAILED, "storage")
    assert APOLOGY in answer.reply
    assert len(parlour.dialogue.asked) == transaction - 1


def test_after_a_locked_database_the_next_turn_is_answered(
    street: Street, tmp_path: Path, phrases: Phrases
) -> None:
    parlour = furnish(street, tmp_path, phrases, away_at=[1])
    parlour.types("买菜")
    assert parlour.types("买菜").outcome is TurnOutcome.ANSWERED


def test_a_database_locked_after_the_answer_does_not_take_it_back(
    street: Street, tmp_path: Path, phrases: Phrases
) -> None:
    parlour = furnish(street, tmp_path, phrases, away_at=[3])
    assert parlour.types("买菜").outcome is TurnOutcome.ANSWERED


def test_a_locked_database_inside_the_ladder_is_apologised_for(
    street: Street, tmp_path: Path, phrases: Phrases
) -> None:
    parlour = furnish(street, tmp_path, phrases, away_at=[2])
    parlour.recognizer.text = ""
    answer = parlour.speaks()
    assert answer.outcome is TurnOutcome.FAILED and APOLOGY in answer.reply


def test_a_clock_set_back_changes_nothing(parlour: Parlour) -> None:
    parlour.types("买菜", "talk:1:a")
    parlour.street.clock.pass_time(days=-400)
    assert parlour.types("明天", "talk:1:b").outcome is TurnOutcome.ANSWERED
    assert parlour.types("买菜", "talk:1:a").heard == "买菜"


# Speaking


def test_the_answer_is_spoken_at_this_persons_pace(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        hood.session.get(Member, hood.wang.id).pace = 120
    parlour.types("买菜")
    whole = speak(parlour, None)
    assert whole.mime == "audio/wav" and whole.data[:4] == b"RIFF"
    said = parlour.synthesizer.spoken
    assert [sentence for sentence, _ in said] == ["好，买东西。", "大约一个半小时。"]
    assert {delivery for _, delivery in said} == {Delivery(pace=120)}
    assert len(speak(parlour, 0).data) < len(whole.data)


@pytest.mark.parametrize("part", [2, -1, 99])
def test_a_sentence_that_was_not_said_is_not_found(parlour: Parlour, part: int) -> None:
    parlour.types("买菜")
    with pytest.raises(LookupError):
        speak(parlour, part)


@pytest.mark.parametrize("who, turn", [("张秀英", "talk:1:a"), ("王奶奶", "talk:1:never")])
def test_nobody_hears_anothers_turn(parlour: Parlour, who: str, turn: str) -> None:
    parlour.types("买菜")
    with pytest.raises(LookupError):
        asyncio.run(parlour.turns.speak(TurnId(turn), None, parlour.street.member(who)))


def speak(parlour: Parlour, part: int | None):  # type: ignore[no-untyped-def]
    return asyncio.run(parlour.turns.speak(TurnId("talk:1:a"), part, parlour.wang))


# Notices


def notices(parlour: Parlour, who: MemberId) -> list[dict]:  # type: ignore[type-arg]
    return [dict(one) for one in asyncio.run(parlour.turns.notices(who))]


def test_an_offer_is_told_in_words_with_its_buttons(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        offer_id, zhang = hood.offer_of(hood.ask()).id, MemberId(hood.zhang.id)
    [notice] = notices(parlour, zhang)
    assert notice["kind"] == "offer_made" and "王奶奶想请您明天上午九点帮着买东西" in notice["text"]
    payloads = [button["payload"] for button in notice["buttons"]]
    assert payloads[0] == f'/accept_task{{"offer_id": "{offer_id}"}}'
    sound = asyncio.run(parlour.turns.speak_notice(notice["id"], zhang))
    assert sound.data[:4] == b"RIFF"


def test_an_offer_that_went_to_another_is_no_question_any_more(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        request = hood.ask()
        zhang = MemberId(hood.zhang.id)
    assert len(notices(parlour, zhang)) == 1
    with parlour.street.neighbourhood() as hood:
        hood.decline(hood.session.merge(request))
    assert notices(parlour, zhang) == []


def test_a_notice_once_heard_is_not_told_again(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        hood.ask()
        zhang = MemberId(hood.zhang.id)
    [notice] = notices(parlour, zhang)
    asyncio.run(parlour.turns.notice_heard(notice["id"], zhang))
    assert notices(parlour, zhang) == []
    with pytest.raises(LookupError):
        asyncio.run(parlour.turns.notice_heard(notice["id"], zhang))


def test_nobody_hears_or_ends_anothers_notice(parlour: Parlour) -> None:
    with parlour.street.neighbourhood() as hood:
        hood.ask()
        zhang = MemberId(hood.zhang.id)
    [notice] = notices(parlour, zhang)
    for asked in (parlour.turns.speak_notice, parlour.turns.notice_heard):
        with pytest.raises(LookupError):
            asyncio.run(asked(notice["id"], parlour.wang))
    assert len(notices(parlour, zhang)) == 1


def test_a_reminder_is_told_until_its_time_is_over(parlour: Parlour) -> None:
    village, clock = parlour.street.village, parlour.street.clock
    with village.transaction() as session:
        reminders.set_reminder(
            session,
            member=parlour.wang,
            words="吃药",
            due_at=clock(),
            turn_id=TurnId("talk:0"),
            now=clock(),
        )
        reminders.tell_due(session, now=clock())
    [notice] = notices(parlour, parlour.wang)
    assert notice["text"] == "到点了。您让我说一声：吃药。"
    [button] = notice["buttons"]
    assert button["title"] == "知道了"
    parlour.types(button["payload"])
    assert parlour.dialogue.asked[0]["text"] == button["payload"]
    with village.transaction() as session:
        reminders.tell_due(session, now=clock.pass_time(minutes=30))
    assert notices(parlour, parlour.wang) == [], "a pill is not announced half an hour late"
