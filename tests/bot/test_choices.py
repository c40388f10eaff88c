"""A choice by voice presses the button; a bare 对 heard badly is believed when that is safe."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from actions.timebank import alarm_questions, alerts
from actions.timebank.ids import TurnId
from actions.timebank.states import TurnOutcome
from bot.turn_types import Answer, Button
from tests.bot.turn_parts import LEAST_CONFIDENCE, Parlour

RULES = (
    Button("时间过期吗", '/ask_policy{"rule_number": "3"}'),
    Button("时间送人", '/ask_policy{"rule_number": "5"}'),
)
GUESSES = (
    Button("查时间", '/affirm{"choice": "1"}'),
    Button("问有啥活", '/affirm{"choice": "2"}'),
)
PEOPLE = (
    Button("村东头的张秀英", '/inform{"member_id": "2"}'),
    Button("桥头的李秀英", '/inform{"member_id": "6"}'),
)
YES_NO = (Button("对", "/affirm"), Button("不对", "/deny"))
UNCLEAR = LEAST_CONFIDENCE - 0.1


def is_asked(parlour: Parlour, *buttons: Button, text: str = "您是想查时间，对吗？") -> None:
    parlour.dialogue.texts, parlour.dialogue.buttons = (text,), buttons
    parlour.types("问一下", turn="talk:0")
    parlour.street.clock.pass_time(minutes=1)


def told(parlour: Parlour) -> str:
    return str(parlour.dialogue.asked[-1]["text"])


def mumbles(parlour: Parlour, words: str, turn: str) -> Answer:
    parlour.recognizer.text, parlour.recognizer.confidence = words, UNCLEAR
    answer = parlour.speaks(turn=turn)
    parlour.street.clock.pass_time(minutes=1)
    return answer


@pytest.mark.parametrize("buttons", [RULES, GUESSES, PEOPLE])
@pytest.mark.parametrize(
    "words, which",
    [
        ("头一个", 0),
        ("第一个", 0),
        ("前头那个吧", 0),
        ("我说的是前面那个", 0),
        ("就第一条。", 0),
        ("第二个", 1),
        ("后一个", 1),
        ("后头那个", 1),
        ("是后面的", 1),
    ],
)
def test_its_place_chooses(
    parlour: Parlour, buttons: tuple[Button, ...], words: str, which: int
) -> None:
    is_asked(parlour, *buttons)
    parlour.types(words)
    assert told(parlour) == buttons[which].payload
    assert parlour.stored().heard == words


@pytest.mark.parametrize("buttons", [RULES, GUESSES, PEOPLE, YES_NO])
def test_the_words_on_the_button_choose(parlour: Parlour, buttons: tuple[Button, ...]) -> None:
    is_asked(parlour, *buttons)
    parlour.types(f"{buttons[1].title}。")
    assert told(parlour) == buttons[1].payload


@pytest.mark.parametrize(
    "words", ["不是头一个", "第一次来", "前头那家人", "第二天上午", "时间", "头一个和第二个"]
)
def test_other_words_are_words(parlour: Parlour, words: str) -> None:
    is_asked(parlour, *RULES)
    parlour.types(words)
    assert told(parlour) == words


def test_the_first_of_yes_and_no_is_no_choice(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO)
    parlour.types("头一个")
    assert told(parlour) == "头一个"


def test_an_old_question_is_closed(parlour: Parlour) -> None:
    is_asked(parlour, *RULES)
    parlour.street.clock.pass_time(minutes=20)
    parlour.types("头一个")
    assert told(parlour) == "头一个"


def test_an_answer_without_buttons_closes_it(parlour: Parlour) -> None:
    is_asked(parlour, *RULES)
    parlour.dialogue.buttons = ()
    parlour.types("我想想", turn="talk:1")
    parlour.street.clock.pass_time(minutes=1)
    parlour.types("头一个")
    assert told(parlour) == "头一个"


def test_anothers_question_is_not_hers(parlour: Parlour) -> None:
    is_asked(parlour, *RULES)
    parlour.types("头一个", who="张秀英")
    assert told(parlour) == "头一个"


# A yes or no that was heard badly


@pytest.mark.parametrize("words", ["对", "是的", "嗯", "不对", "不是"])
def test_it_is_believed_where_nothing_moves(parlour: Parlour, words: str) -> None:
    is_asked(parlour, *YES_NO)
    assert mumbles(parlour, words, "talk:2").outcome is TurnOutcome.ANSWERED


@pytest.mark.parametrize("words", ["对了那个", "买菜", "好远", "对不对"])
def test_other_words_heard_badly_are_asked_again(parlour: Parlour, words: str) -> None:
    is_asked(parlour, *YES_NO)
    assert mumbles(parlour, words, "talk:2").code == "not_heard_clearly"


def test_without_a_question_it_is_asked_again(parlour: Parlour) -> None:
    assert mumbles(parlour, "对", "talk:2").code == "not_heard_clearly"
    is_asked(parlour, *RULES)
    assert mumbles(parlour, "对", "talk:3").code == "not_heard_clearly"


@pytest.mark.parametrize(
    "question",
    [
        "您要取消明天的做饭，对吗？",
        "您是说，王奶奶没事了，对吗？",
        "您是说，王奶奶送医院了，对吗？",
        "说好张秀英来做饭，人没来，对吗？",
        "明天不用叫您了，对吗？",
        "您要我把以前录的也删掉，对吗？",
    ],
)
def test_it_undoes_nothing_by_being_heard_badly_once(parlour: Parlour, question: str) -> None:
    is_asked(parlour, *YES_NO, text=question)
    assert mumbles(parlour, "对", "talk:2").code == "not_heard_clearly"


def test_it_sends_nobody_home_who_was_called(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO)
    with parlour.street.village.transaction() as session:
        about = {"words": "救命", "turn_id": TurnId("talk:cry"), "now": parlour.street.clock()}
        alerts.raise_alert(session, member=parlour.wang, **about)
    for turn in ("talk:2", "talk:3"):
        assert mumbles(parlour, "对", turn).code == "not_heard_clearly"


HOURS = "您要把60分钟送给张秀英，对吗？"


def test_where_hours_move_it_is_read_back_and_believed_when_heard_twice(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO, text=HOURS)
    first = mumbles(parlour, "对", "talk:2")
    assert (first.outcome, first.code) == (TurnOutcome.REPAIRED, "not_heard_clearly")
    assert "一个小时送给张秀英，对吗？" in first.reply
    assert [one.payload for one in first.buttons] == ["/affirm", "/deny"]
    assert len(parlour.dialogue.asked) == 1
    assert mumbles(parlour, "对对", "talk:3").outcome is TurnOutcome.ANSWERED


def test_first_no_then_yes_is_not_the_same_heard_twice(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO, text=HOURS)
    mumbles(parlour, "不对", "talk:2")
    assert mumbles(parlour, "对", "talk:3").code == "not_heard_clearly"
    assert len(parlour.dialogue.asked) == 1


def test_where_danger_is_asked_about_nothing_badly_heard_is_believed(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO, text="您是不是出事了？")
    with parlour.street.village.transaction() as session:
        now = parlour.street.clock() - timedelta(seconds=5)
        turn = TurnId("talk:alarm")
        alarm_questions.ask(session, member=parlour.wang, words="", turn_id=turn, now=now)
    assert "我马上叫人" in mumbles(parlour, "不", "talk:2").reply


# -- long on its way ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["对", "对，对。", "不是", "行，我去", "好的", "去不了", "中", "没空"]
)
def test_a_bare_answer_that_comes_hours_late_answers_nothing(parlour: Parlour, words: str) -> None:
    is_asked(parlour, *YES_NO, text="买菜取消，对吗？")
    answer = asyncio.run(
        parlour.turns.take(parlour.utterance("talk:late", text=words, is_late=True))
    )
    assert told(parlour) == "问一下"
    assert (answer.outcome, answer.code) == (TurnOutcome.REPAIRED, "late_answer")
    assert answer.reply.endswith("买菜取消，对吗？") and answer.buttons == list(YES_NO)


@pytest.mark.parametrize(
    "words", ["腿疼，想叫人买点菜", "秀英来了，做了一个小时", "去不了医院咋办"]
)
def test_late_words_that_tell_what_they_are_about_are_acted_on(
    parlour: Parlour, words: str
) -> None:
    asyncio.run(parlour.turns.take(parlour.utterance("talk:late", text=words, is_late=True)))
    assert told(parlour) == words


def test_a_bare_answer_in_time_is_passed_on(parlour: Parlour) -> None:
    is_asked(parlour, *YES_NO)
    parlour.types("对", turn="talk:now")
    assert told(parlour) != "问一下"
