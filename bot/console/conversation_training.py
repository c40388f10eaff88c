"""What of the staff's corrections is trained on: a second person reads it first."""

from __future__ import annotations

from typing import Optional

from starlette.responses import Response

from actions.timebank.errors import NothingOpen, Refusal
from actions.timebank.staff import corrections, lexicon
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    TrainingState,
)
from bot.console.conversation_words import EntityName, Intent
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.training import corrections_yaml, lexicon_yaml

HERE = "/training"
YAML = "application/yaml"


def review(desk: Desk) -> Response:
    return _page(desk)


def decide(desk: Desk) -> Response:
    """Accepts a sentence as edited, refuses it, or takes an accepted one out again."""
    number, answer = desk.number("correction"), desk.form.get("answer", "")
    if number is None:
        raise NotFound("correction")
    try:
        with desk.transaction() as session:
            by, now = desk.staff.member_id, desk.now
            if answer == TrainingState.ACCEPTED.value:
                said = desk.form.get("said", "")
                corrections.accept(session, correction_id=number, by=by, said=said, now=now)
            elif answer == TrainingState.REFUSED.value:
                corrections.refuse(session, correction_id=number, by=by, now=now)
            elif answer == TrainingState.WITHDRAWN.value:
                corrections.withdraw(session, correction_id=number, by=by, now=now)
            else:
                raise NotFound(answer)
    except NothingOpen as gone:
        raise NotFound(str(number)) from gone
    except Refusal as refused:
        return _page(desk, refused=refused)
    return desk.go(HERE, desk.say("记下了。"))


def decide_word(desk: Desk) -> Response:
    number, answer = desk.number("word"), desk.form.get("answer", "")
    if number is None or answer not in {one.value for one in TrainingState}:
        raise NotFound("word")
    try:
        with desk.transaction() as session:
            lexicon.decide(
                session,
                word_id=number,
                by=desk.staff.member_id,
                state=TrainingState(answer),
                now=desk.now,
            )
    except NothingOpen as gone:
        raise NotFound(str(number)) from gone
    except Refusal as refused:
        return _page(desk, refused=refused)
    return desk.go(HERE, desk.say("记下了。"))


def export_sentences(desk: Desk) -> Response:
    with desk.reading() as session:
        content = corrections_yaml(corrections.training_sentences(session))
    return desk.download("corrections.yml", content.encode(), YAML)


def export_words(desk: Desk) -> Response:
    with desk.reading() as session:
        content = lexicon_yaml(lexicon.accepted(session))
    return desk.download("lexicon.yml", content.encode(), YAML)


def _page(desk: Desk, refused: Optional[Refusal] = None) -> Response:
    with desk.reading() as session:
        waiting = corrections.waiting(session)
        personal = corrections.personal_details(session, [one.said for one in waiting])
        return desk.page(
            "conversations/training.html",
            status=200 if refused is None else 409,
            waiting=list(zip(waiting, personal, strict=True)),
            accepted=corrections.accepted(session),
            words=lexicon.live(session),
            refused=refused,
            typed=desk.form if refused is not None else {},
            intent_of=Intent,
            entity_of=EntityName,
            states=TrainingState,
        )


ROUTES = (
    ConsoleRoute(HERE, review, Permission.REVIEW_TRAINING),
    ConsoleRoute(f"{HERE}/corrections.yml", export_sentences, Permission.REVIEW_TRAINING),
    ConsoleRoute(f"{HERE}/lexicon.yml", export_words, Permission.REVIEW_TRAINING),
    ConsoleRoute(f"{HERE}/decide", decide, Permission.REVIEW_TRAINING, "POST"),
    ConsoleRoute(f"{HERE}/words", decide_word, Permission.REVIEW_TRAINING, "POST"),
)
