"""Buttons by voice: 头一个, the words on a button, and a bare 对 that was heard badly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Sequence

from sqlalchemy.orm import Session

from actions.timebank import alarm_questions, alerts, turns
from actions.timebank.ids import MemberId
from actions.timebank.states import TurnOutcome
from bot.turn_types import Button

NOISE = re.compile(r"[\s，。、！？!?.,]|[吧呢嘛啊呀哦]$")
IT_IS = re.compile("^(?:我)?(?:说|要|选|想要)?(?:的)?(?:是|就是|就)?(?=[头第前后上下])")
WHICH = re.compile(
    "(?:(?P<first>头一|第一|前头那|前头|前面那|前面|前边那|前一)"
    "|第二|后头那|后头|后面那|后面|后边那|后一)(?:[个条样]|的)?(?:的)?"
)
YES = re.compile("对+|对的|是|是的|是啊|嗯+|没错")
NO = re.compile("不+|不对|不是|不是的|错了")
AGREES = re.compile("(?:好|行|中|成|可以|要得|得行|没问题|我?这?就?去)+(?:的|了|嘞)?")
REFUSES = re.compile("(?:我)?(?:不行|不去|不要|不用|去不了|去不成|来不了|没空|没得空)+了?")
NOT_CLEAR = "not_heard_clearly"
MOVES = re.compile("分钟|钟头|小时|刻钟|取消|删|没来|不用叫|不用来|没事了|医院")
"""What a yes to a question with such words would move or undo."""
LOOKED_BACK = 4
"""Turns that were not heard do not close the question before them; so many are looked over."""


@dataclass(frozen=True)
class Question:
    """The last answer that still waits with its buttons."""

    reply: str
    buttons: Sequence[Button]
    is_about_danger: bool = False
    heard_badly: str = ""
    """What the turn right before this one was taken for when it was not heard clearly."""


def open_question(session: Session, member: MemberId, *, now: datetime) -> Optional[Question]:
    """What this member was asked and may answer with the present turn; None when nothing waits."""
    before = [
        turn
        for turn in turns.recent(session, member, LOOKED_BACK)
        if turn.outcome is not TurnOutcome.BEGUN and now - turn.began_at <= turns.STRUGGLE_WINDOW
    ]
    for turn in before:
        if turn.buttons:
            return Question(
                turn.reply,
                [Button(one["title"], one["payload"]) for one in turn.buttons],
                is_about_danger=_is_in_danger(session, member, now),
                heard_badly=before[0].heard if before[0].code == NOT_CLEAR else "",
            )
        if turn.outcome is not TurnOutcome.REPAIRED:
            return None
    return None


def _is_in_danger(session: Session, member: MemberId, now: datetime) -> bool:
    """Whether people are on their way to her, or it was asked if they should be."""
    on_the_way = alerts.alert_lately_raised(session, member, now=now)
    return on_the_way is not None or alarm_questions.waiting(session, member) is not None


def pressed(words: str, question: Optional[Question]) -> Optional[str]:
    """What the button sends that these words name, by what stands on it or, between two things,
    by its place; None when they name none."""
    if question is None:
        return None
    said = _bare(words)
    for button in question.buttons:
        if _bare(button.title) == said:
            return button.payload
    which = WHICH.fullmatch(IT_IS.sub("", said))
    if which is None or len(question.buttons) != 2 or _is_yes_or_no(question):
        return None
    return question.buttons[0 if which["first"] else 1].payload


def is_bare_answer(words: str, question: Optional[Question]) -> bool:
    """Whether these are nothing but a yes or a no, and such a one is asked for."""
    return question is not None and _is_yes_or_no(question) and _says_yes(words) is not None


def is_answer_alone(words: str) -> bool:
    """Whether these words tell by themselves nothing but yes or no: what they agree to, or refuse,
    is only known by what was asked."""
    said = _bare(words)
    return any(form.fullmatch(said) for form in (YES, NO, AGREES, REFUSES))


def ask_again(question: Optional[Question], why: str) -> tuple[str, list[Button]]:
    """Words and buttons that say why it is asked again, and ask it when it still waits."""
    if question is None:
        return why, []
    return why + question.reply, list(question.buttons)


def may_be_taken(words: str, question: Optional[Question]) -> bool:
    """Whether words that were heard badly are good enough all the same: a bare yes or no to a
    question that moves nothing, or heard so twice. Never in danger."""
    if question is None or question.is_about_danger or not is_bare_answer(words, question):
        return False
    return not MOVES.search(question.reply) or _says_yes(words) is _says_yes(question.heard_badly)


def _says_yes(words: str) -> Optional[bool]:
    said = _bare(words)
    if YES.fullmatch(said):
        return True
    return False if NO.fullmatch(said) else None


def _is_yes_or_no(question: Question) -> bool:
    return {button.payload for button in question.buttons} == {"/affirm", "/deny"}


def _bare(words: str) -> str:
    return NOISE.sub("", NOISE.sub("", words))
