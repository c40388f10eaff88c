"""Finding conversations and reading them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from actions.timebank import exchange
from actions.timebank.ids import TurnId
from actions.timebank.model import Member
from actions.timebank.staff.conversations import Page, Wanted, conversation_of, search
from actions.timebank.staff.effects import EffectKind, effects_of
from actions.timebank.states import RequestState, ServiceKind, TurnOutcome
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.talking import say

MINUTE = timedelta(minutes=1)


@pytest.fixture
def wang(session: Session) -> Member:
    return make_member(session, "王桂兰", now=MORNING, nickname="二丫她娘", opening_minutes=60)


@pytest.fixture
def zhang(session: Session) -> Member:
    return make_member(session, "张秀英", now=MORNING)


def sizes(page: Page) -> list[int]:
    return [len(one.conversation.turns) for one in page.found]


def test_a_pause_of_half_an_hour_ends_a_conversation(session: Session, wang: Member) -> None:
    first = say(session, wang, MORNING)
    second = say(session, wang, MORNING + 29 * MINUTE)
    later = say(session, wang, MORNING + 59 * MINUTE)

    talk = conversation_of(session, second.id)
    assert talk is not None and talk.turns == [first, second] and talk.id == first.id
    again = conversation_of(session, later.id)
    assert again is not None and again.turns == [later]


def test_a_conversation_is_one_person_s_on_one_channel(
    session: Session, wang: Member, zhang: Member
) -> None:
    hers = say(session, wang, MORNING)
    say(session, zhang, MORNING + MINUTE)
    say(session, wang, MORNING + 2 * MINUTE, channel="telegram")
    on = say(session, wang, MORNING + 3 * MINUTE)

    talk = conversation_of(session, on.id)
    assert talk is not None and talk.turns == [hers, on]
    assert sizes(search(session, Wanted())) == [2, 1, 1]


def test_turns_of_one_moment_stay_in_one_conversation(session: Session, wang: Member) -> None:
    turns = [say(session, wang, MORNING) for _ in range(3)]

    talk = conversation_of(session, turns[1].id)
    assert talk is not None and talk.turns == turns


def test_a_long_conversation_is_read_whole(session: Session, wang: Member) -> None:
    turns = [say(session, wang, MORNING + number * 20 * MINUTE) for number in range(50)]

    talk = conversation_of(session, turns[25].id)
    assert talk is not None and talk.turns == turns


def test_there_is_no_conversation_with_an_unknown_turn(session: Session) -> None:
    assert conversation_of(session, TurnId("talk:0:nothing")) is None


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(name="桂兰"),
        Wanted(name="二丫"),
        Wanted(intent="emergency"),
        Wanted(outcome=TurnOutcome.FAILED),
        Wanted(confidence_below=0.5),
        Wanted(words="摔"),
        Wanted(words="陈干事"),
        Wanted(since=MORNING + 10 * MINUTE, until=MORNING + 11 * MINUTE),
        Wanted(name="王", intent="emergency", words="100%"),
    ],
    ids=str,
)
def test_what_is_looked_for_is_found(
    session: Session, wang: Member, zhang: Member, wanted: Wanted
) -> None:
    say(session, zhang, MORNING)
    say(session, wang, MORNING + 9 * MINUTE)
    meant = say(
        session,
        wang,
        MORNING + 10 * MINUTE,
        intent="emergency",
        intent_confidence=0.4,
        outcome=TurnOutcome.FAILED,
        heard="俺摔了，100%疼",
        reply="陈干事马上来。",
    )
    say(session, zhang, MORNING + 11 * MINUTE)

    [found] = search(session, wanted).found
    assert len(found.conversation.turns) == 2
    assert meant.id in found.matching


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(name="%"),
        Wanted(words="_"),
        Wanted(words="' OR 1=1 --"),
        Wanted(name="赵"),
        Wanted(intent="emergency'"),
        Wanted(intent="request_help", outcome=TurnOutcome.FAILED),
        Wanted(since=MORNING + MINUTE),
        Wanted(until=MORNING),
    ],
    ids=str,
)
def test_what_nobody_said_is_not_found(session: Session, wang: Member, wanted: Wanted) -> None:
    say(session, wang, MORNING)

    assert search(session, wanted) == Page([])


def test_all_conditions_hold_for_one_turn(session: Session, wang: Member) -> None:
    say(session, wang, MORNING, intent="greet", heard="早上好")
    say(session, wang, MORNING + MINUTE, intent="emergency", heard="来人啊")

    assert not search(session, Wanted(intent="emergency", words="早上好")).found


def test_pages_show_every_conversation_once(session: Session, wang: Member, zhang: Member) -> None:
    # Both talk at the same time, so that each one's conversation reaches over the other's.
    for number in range(40):
        say(session, wang, MORNING + number * 31 * MINUTE)
        say(session, zhang, MORNING + number * 25 * MINUTE)
        say(session, wang, MORNING + number * 31 * MINUTE + 5 * MINUTE, channel="telegram")

    whole = search(session, Wanted(), limit=200)
    assert whole.older is None
    paged: list[str] = []
    page = search(session, Wanted(), limit=7)
    while True:
        paged += [one.conversation.id for one in page.found]
        if page.older is None:
            break
        page = search(session, Wanted(), before=page.older, limit=7)

    assert paged == [one.conversation.id for one in whole.found]
    assert len(paged) == len(set(paged)) == 81


def test_a_page_does_not_shift_when_somebody_speaks(session: Session, wang: Member) -> None:
    for number in range(6):
        say(session, wang, MORNING + number * 60 * MINUTE)
    first = search(session, Wanted(), limit=3)
    say(session, wang, MORNING + 6 * 60 * MINUTE)

    second = search(session, Wanted(), before=first.older, limit=3)
    shown = [one.conversation.began_at for one in [*first.found, *second.found]]
    assert shown == [MORNING + number * 60 * MINUTE for number in (5, 4, 3, 2, 1, 0)]


def test_words_are_looked_for_a_part_of_the_time_at_once(
    session: Session, wang: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actions.timebank.staff.conversations.READ_THROUGH", 4)
    spoken = [say(session, wang, MORNING + n * 20 * MINUTE, heard="面条") for n in range(3)]
    spoken += [say(session, wang, MORNING + timedelta(days=1, hours=n)) for n in range(9)]
    rare = Wanted(words="面条")

    pages = [search(session, rare)]
    while pages[-1].older is not None:
        pages.append(search(session, rare, before=pages[-1].older))

    assert [page.looked_back_to for page in pages[:2]] == [spoken[-5].began_at, spoken[-9].began_at]
    assert pages[-1].looked_back_to is None
    # One conversation of three turns, on one page only.
    assert [size for page in pages for size in sizes(page)] == [3]
    assert search(session, Wanted(words="面条", name="王")).looked_back_to is None
    assert search(session, Wanted(words="面条", until=MORNING + 50 * MINUTE)).older is None


def test_what_a_turn_set_off_is_told(session: Session, wang: Member, zhang: Member) -> None:
    asked, idle = say(session, wang, MORNING), say(session, wang, MORNING + MINUTE)
    request = exchange.request_help(
        session,
        elder=wang.id,
        service_kind=ServiceKind.MEALS,
        starts_at=MORNING + timedelta(days=1),
        turn_id=asked.id,
        now=MORNING,
    )

    told = effects_of(session, [asked.id, idle.id])
    [effect] = told.pop(asked.id)
    assert not told
    assert (effect.kind, effect.id) == (EffectKind.REQUEST, request.id)
    assert effect.facts["service_kind"] is ServiceKind.MEALS
    assert effect.facts["state"] in (RequestState.OPEN, RequestState.OFFERED)


@pytest.mark.parametrize(
    "wanted, index",
    [
        (Wanted(), "ix_turn_began_at"),
        (Wanted(name="王"), "ix_turn_member_id_began_at"),
        (Wanted(outcome=TurnOutcome.FAILED), "ix_turn_outcome_began_at"),
        (Wanted(intent="emergency"), "ix_turn_intent_began_at"),
        (Wanted(words="疼"), "ix_turn_began_at"),
    ],
    ids=str,
)
def test_no_search_sorts_the_whole_village(
    session: Session, wang: Member, wanted: Wanted, index: str
) -> None:
    say(session, wang, MORNING)
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        asked.append((statement, given))

    event.listen(session.connection(), "before_cursor_execute", listen)
    search(session, wanted)
    event.remove(session.connection(), "before_cursor_execute", listen)

    looks = [
        one for one in asked if "FROM turn" in one[0] and "ORDER BY turn.began_at DESC" in one[0]
    ]
    assert looks
    for statement, given in looks[:1]:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
        plan = " ".join(str(row) for row in rows)
        assert index in plan, plan
