"""What staff write of what was really said, and what of it may be trained on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank.errors import (
    BadCorrection,
    ChangedMeanwhile,
    NothingOpen,
    NothingWritten,
    NotYours,
    SamePerson,
    WrongState,
)
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Correction, Member, TrainingDecision
from actions.timebank.session import Village
from actions.timebank.staff import corrections, lexicon
from actions.timebank.staff.corrections import INTENTS, TrainingSentence
from actions.timebank.staff.error_rate import error_rate
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    TrainingState,
    WordKind,
)
from actions.timebank.states import TurnOutcome
from bot.settings import HOUSE
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.talking import hire, mishear, say

SHOPPING = {"entity": "service_kind", "text": "买盐", "value": "shopping"}


@pytest.fixture
def wang(session: Session) -> Member:
    return make_member(session, "王桂兰", now=MORNING)


@pytest.fixture
def turn(session: Session, wang: Member) -> TurnId:
    return TurnId(mishear(session, wang, MORNING, heard="嗯帮俺卖烟").id)


@pytest.fixture
def chen(session: Session) -> MemberId:
    return hire(session, "陈干事", Role.COORDINATOR)


@pytest.fixture
def zhou(session: Session) -> MemberId:
    return hire(session, "周调解", Role.MEDIATOR)


def correct(session: Session, turn: TurnId, by: MemberId, **changed: Any) -> Correction:
    written: dict[str, Any] = {
        "said": "帮俺买盐",
        "intent": "request_help",
        "entities": [SHOPPING],
        "seen_version": 0,
    }
    return corrections.correct(session, turn_id=turn, by=by, now=MORNING, **{**written, **changed})


def accept(session: Session, correction: Correction, by: MemberId, said: str = "") -> None:
    corrections.accept(
        session,
        correction_id=correction.id,
        by=by,
        said=said or correction.said,
        now=MORNING + timedelta(hours=1),
    )


# Versions


def test_every_version_is_kept(session: Session, turn: TurnId, chen: MemberId) -> None:
    correct(session, turn, chen)
    correct(session, turn, chen, said="帮俺买袋盐", entities=[], seen_version=1)

    kept = corrections.versions(session, [turn])
    assert [(one.version, one.said) for one in kept] == [(2, "帮俺买袋盐"), (1, "帮俺买盐")]


def test_the_same_once_more_is_no_new_version(
    session: Session, turn: TurnId, chen: MemberId
) -> None:
    first = correct(session, turn, chen)
    assert correct(session, turn, chen, seen_version=1) is first


def test_who_writes_second_is_told_who_wrote_first(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    correct(session, turn, chen)
    with pytest.raises(ChangedMeanwhile) as refused:
        correct(session, turn, zhou, said="帮俺买烟", entities=[])
    assert refused.value.facts == {"by": "陈干事", "at": MORNING}
    assert len(corrections.versions(session, [turn])) == 1


@pytest.mark.parametrize(
    "change", [update(Correction).values(said="别的"), text("DELETE FROM correction")], ids=str
)
def test_the_database_lets_no_version_be_changed(
    session: Session, turn: TurnId, chen: MemberId, change: Any
) -> None:
    correct(session, turn, chen)
    with pytest.raises(IntegrityError, match="a correction"), session.begin_nested():
        session.execute(change)


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"intent": "drop_tables"}, "intent"),
        ({"intent": ""}, "intent"),
        ({"entities": [{**SHOPPING, "entity": "request_id"}]}, "entity"),
        ({"entities": [{**SHOPPING, "text": "买米"}]}, "entity_text"),
        ({"entities": [{**SHOPPING, "value": "robbery"}]}, "entity_value"),
    ],
)
def test_what_does_not_exist_cannot_be_meant(
    session: Session, turn: TurnId, chen: MemberId, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadCorrection) as refused:
        correct(session, turn, chen, **changed)
    assert refused.value.facts["field"] == field


def test_a_correction_says_something(session: Session, turn: TurnId, chen: MemberId) -> None:
    with pytest.raises(NothingWritten):
        correct(session, turn, chen, said=" \n\u200f")
    long = correct(session, turn, chen, said="盐" * 20_000, entities=[])
    assert len(long.said) == corrections.LONGEST_SAID


def test_only_who_may_correct_corrects(session: Session, turn: TurnId, wang: Member) -> None:
    for by in (MemberId(wang.id), hire(session, "看客", Role.VIEWER), MemberId(10**6)):
        with pytest.raises(NotYours):
            correct(session, turn, by)


def test_what_can_be_meant_is_what_the_domain_knows() -> None:
    domain = yaml.safe_load((HOUSE / "bot/domain/base.yml").read_text("utf-8"))
    assert sorted(INTENTS) == sorted(domain["intents"])
    assert set(corrections.ENTITIES) <= set(domain["entities"])


def test_of_two_who_write_at_once_one_is_told(any_village: Village) -> None:
    with any_village.transaction() as session:
        wang = make_member(session, "王桂兰", now=MORNING)
        turn = TurnId(mishear(session, wang, MORNING).id)
        staff = [hire(session, name, Role.COORDINATOR) for name in ("甲", "乙")]

    def write(by: MemberId) -> str:
        try:
            with any_village.transaction() as session:
                correct(session, turn, by, said=f"第{by}个说的", entities=[])
        except ChangedMeanwhile as refused:
            return refused.code
        return "kept"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(write, staff)) == ["changed_meanwhile", "kept"]
    with any_village.reading() as session:
        assert len(corrections.versions(session, [turn])) == 1


# Training


def test_a_second_person_lets_it_into_the_training(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    written = correct(session, turn, chen)
    assert corrections.waiting(session) == [written]
    assert corrections.training_sentences(session) == []

    accept(session, written, zhou)
    assert corrections.waiting(session) == []
    assert corrections.training_sentences(session) == [
        TrainingSentence("帮俺买盐", "request_help", [SHOPPING])
    ]


def test_nobody_accepts_what_he_wrote_himself(
    session: Session, turn: TurnId, chen: MemberId
) -> None:
    written = correct(session, turn, chen)
    with pytest.raises(SamePerson):
        accept(session, written, chen)
    # The database refuses it, too, whatever the code says.
    for author in (chen, chen + 1):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(
                TrainingDecision(
                    correction_id=written.id,
                    written_by_id=author,
                    state=TrainingState.ACCEPTED,
                    said="帮俺买盐",
                    by_id=chen,
                    at=MORNING,
                )
            )


def test_names_are_taken_out_before_it_is_trained_on(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    make_member(session, "张秀英", now=MORNING, nickname="大脚")
    said = "叫秀英帮俺买盐，电话13812345678"
    written = correct(session, turn, chen, said=said)
    assert corrections.personal_details(session, [said, "帮俺买盐", "大脚家，二零一九八"]) == [
        ["秀英", "13812345678"],
        [],
        ["大脚", "二零一九八"],
    ]

    accept(session, written, zhou, said="叫她帮俺买盐")
    [sentence] = corrections.training_sentences(session)
    assert sentence.said == "叫她帮俺买盐" and sentence.entities == [SHOPPING]
    assert written.said == said


def test_a_whole_name_is_told_once(session: Session) -> None:
    make_member(session, "张秀英", now=MORNING)
    assert corrections.personal_details(session, ["张秀英来"]) == [["张秀英"]]


def test_a_part_that_was_taken_out_is_not_annotated(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    accept(session, correct(session, turn, chen), zhou, said="帮俺买点东西")
    assert corrections.training_sentences(session)[0].entities == []


def test_what_is_decided_is_not_decided_again(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    written = correct(session, turn, chen)
    corrections.refuse(session, correction_id=written.id, by=zhou, now=MORNING)
    with pytest.raises(WrongState):
        accept(session, written, zhou)
    assert corrections.training_sentences(session) == []


def test_who_decides_sees_the_newest_version(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    first = correct(session, turn, chen)
    second = correct(session, turn, chen, said="帮俺买烟", entities=[], seen_version=1)
    with pytest.raises(ChangedMeanwhile):
        accept(session, first, zhou)
    assert corrections.waiting(session) == [second]


def test_a_newer_sentence_takes_the_older_one_s_place(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    accept(session, correct(session, turn, chen), zhou)
    newer = correct(session, turn, chen, said="帮俺买烟", entities=[], seen_version=1)
    assert [one.said for one in corrections.training_sentences(session)] == ["帮俺买盐"]

    accept(session, newer, zhou)
    assert [one.said for one in corrections.training_sentences(session)] == ["帮俺买烟"]
    corrections.withdraw(session, correction_id=newer.id, by=zhou, now=MORNING)
    assert corrections.training_sentences(session) == []
    with pytest.raises(NothingOpen):
        corrections.withdraw(session, correction_id=newer.id, by=zhou, now=MORNING)


@pytest.mark.parametrize("number", [0, -1, 7, 10**30])
def test_what_nobody_wrote_is_not_accepted(session: Session, zhou: MemberId, number: int) -> None:
    for decide in (corrections.refuse, corrections.withdraw):
        with pytest.raises(NothingOpen):
            decide(session, correction_id=number, by=zhou, now=MORNING)
    with pytest.raises(NothingOpen):
        lexicon.decide(session, word_id=number, by=zhou, state=TrainingState.ACCEPTED, now=MORNING)


# The village's own words


def test_a_word_is_learned_once_a_second_person_knows_it_too(
    session: Session, turn: TurnId, chen: MemberId, zhou: MemberId
) -> None:
    def add() -> Any:
        return lexicon.add(
            session,
            said="槐树圪崂",
            heard="坏树搁老",
            kind=WordKind.PLACE,
            turn_id=turn,
            by=chen,
            now=MORNING,
        )

    word = add()
    assert add() is word and lexicon.accepted(session) == []
    with pytest.raises(SamePerson):
        lexicon.decide(session, word_id=word.id, by=chen, state=TrainingState.ACCEPTED, now=MORNING)
    lexicon.decide(session, word_id=word.id, by=zhou, state=TrainingState.ACCEPTED, now=MORNING)
    assert lexicon.accepted(session) == ["槐树圪崂"]
    assert lexicon.of_turns(session, [turn]) == [word]

    lexicon.decide(session, word_id=word.id, by=zhou, state=TrainingState.WITHDRAWN, now=MORNING)
    assert lexicon.accepted(session) == [] and lexicon.live(session) == []
    assert add() is not word


@pytest.mark.parametrize(
    "said, heard, field",
    [
        ("<b>", "", "said"),
        ("崂", "", "said"),
        ("槐" * 13, "", "said"),
        ("槐树\n- intent: x", "", "said"),
        ("圪崂", "gelao", "heard"),
        ("圪崂", "圪崂", "heard"),
    ],
)
def test_only_chinese_words_are_learned(
    session: Session, chen: MemberId, said: str, heard: str, field: str
) -> None:
    with pytest.raises(BadCorrection) as refused:
        lexicon.add(
            session,
            said=said,
            heard=heard,
            kind=WordKind.DIALECT,
            turn_id=None,
            by=chen,
            now=MORNING,
        )
    assert refused.value.facts["field"] == field


# Whether it gets better


def test_the_error_rate_counts_each_turn_once(
    session: Session, turn: TurnId, wang: Member, chen: MemberId
) -> None:
    well, wrongly = say(session, wang, MORNING), say(session, wang, MORNING)
    say(session, wang, MORNING, outcome=TurnOutcome.FAILED)
    say(session, wang, MORNING - timedelta(days=7))
    # A repaired turn that is corrected as well is one error.
    correct(session, turn, chen)
    correct(session, TurnId(wrongly.id), chen)
    correct(session, TurnId(wrongly.id), chen, said="帮俺买盐吧", seen_version=1)

    empty, before, now = error_rate(session, weeks=3, now=MORNING)
    assert (now.turns, now.failed, now.repaired, now.corrected) == (4, 1, 1, 1)
    assert (now.percent, before.percent, empty.percent) == (75.0, 0.0, None)
    assert now.monday.isoformat() == "2026-03-02" and well.outcome is TurnOutcome.ANSWERED


def test_a_week_begins_at_midnight_in_the_village(session: Session, wang: Member) -> None:
    midnight = MORNING - timedelta(hours=9)
    say(session, wang, midnight)
    say(session, wang, midnight - timedelta(seconds=1))

    assert [week.turns for week in error_rate(session, weeks=2, now=MORNING)] == [1, 1]
