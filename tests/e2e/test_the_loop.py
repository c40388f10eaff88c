"""The loop of a time bank, spoken into the real thing, checked in the database."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest
from sqlalchemy import select

from actions.timebank import chain, ledger
from actions.timebank.model import (
    Alert,
    Confirmation,
    ServiceRequest,
    Transfer,
    Turn,
    Visit,
)
from actions.timebank.states import (
    AlertState,
    RequestState,
    ServiceKind,
    TransferKind,
    TurnOutcome,
)
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.rasa, pytest.mark.voice, pytest.mark.timeout(3000)]

Speak = Callable[[str], bytes]


def posted(stack: Stack, name: str) -> int:
    with stack.village.reading() as session:
        return ledger.balance(session, ledger.account_of(session, stack.member(name)).id).posted


def says_until(
    expected: str, say: Callable[[str], Dict[str, Any]], *phrasings: str
) -> Dict[str, Any]:
    """Whoever is misheard says it again in other words, as people do: whisper-base mishears
    differently on different machines."""
    replies = []
    for words in phrasings:
        answer = say(words)
        if expected in answer["reply"]:
            return answer
        replies.append((answer["heard"], answer["reply"]))
    raise AssertionError(f"never understood: {replies}")


def test_an_hour_is_asked_for_given_confirmed_and_explained_by_voice(
    stack: Stack, spoken: Speak
) -> None:
    elder_had, helper_had = posted(stack, "王桂兰"), posted(stack, "张秀英")

    asked = stack.turn("王桂兰", audio=spoken("俺腿疼，想叫人明儿上午帮俺买点菜"))
    assert asked["intent"] == "request_help"
    if "张秀英" not in asked["reply"]:
        # whisper-base may not hear 明儿上午; what was not heard is asked for.
        asked = stack.turn("王桂兰", audio=spoken("明天上午九点"))
    assert "张秀英" in asked["reply"] and "明天上午九点" in asked["reply"]

    offer = next(n for n in stack.notices("张秀英") if n["kind"] == "offer_made")
    assert "王桂兰" in offer["text"] and len(offer["buttons"]) == 2
    accepted = stack.turn("张秀英", audio=spoken("行，我去"))
    assert "王桂兰" in accepted["reply"]
    assert any("张秀英答应了" in notice["text"] for notice in stack.notices("王桂兰"))

    claimed = says_until(
        "记下您帮王桂兰做了一个小时",
        lambda words: stack.turn("张秀英", audio=spoken(words)),
        "干完了，一个钟头",
        "我做完了，做了一个小时",
        "活干完了，做了一个小时",
    )
    assert claimed["intent"] in ("complete_task", "confirm_service", "inform")
    assert posted(stack, "张秀英") == helper_had, "a claim alone moves nothing"

    confirmed = stack.turn("王桂兰", audio=spoken("来了，做了一个小时"))
    assert "记给张秀英一个小时" in confirmed["reply"]
    assert posted(stack, "王桂兰") == elder_had - 60
    assert posted(stack, "张秀英") == helper_had + 60

    balance = stack.turn("王桂兰", audio=spoken("我还有多少时间"))
    assert "张秀英帮您买东西，用了一个小时" in balance["reply"]
    with stack.village.reading() as session:
        request = (
            session.execute(select(ServiceRequest).order_by(ServiceRequest.id.desc()))
            .scalars()
            .first()
        )
        assert request.service_kind is ServiceKind.SHOPPING
        assert request.state is RequestState.CONFIRMED
        visit = session.execute(select(Visit).order_by(Visit.id.desc())).scalars().first()
        assert visit.settled_minutes == 60
        evidence = session.execute(
            select(Confirmation.evidence_sha256).where(Confirmation.visit_id == visit.id)
        ).scalars()
        turns = {turn.recording_sha256 for turn in session.execute(select(Turn)).scalars()}
        assert set(evidence) <= turns, "each confirmation names the recording it was said in"
        moved = session.execute(select(Transfer).where(Transfer.visit_id == visit.id)).scalar_one()
        assert moved.kind is TransferKind.SETTLEMENT
        assert sorted(leg.minutes for leg in moved.postings) == [-60, 60]
        assert chain.verify(session).intact


def test_every_turn_is_stored_with_what_was_heard_and_done(stack: Stack, spoken: Speak) -> None:
    answer = stack.turn("王桂兰", audio=spoken("我还有多少时间"), turn_id="stored1")
    with stack.village.reading() as session:
        turn = session.get(Turn, f"talk:{stack.member('王桂兰')}:stored1")
        assert turn.outcome is TurnOutcome.ANSWERED
        assert turn.channel == "talk" and turn.engine
        assert turn.heard == answer["heard"] and turn.intent == "check_balance"
        assert {"hear", "dialogue", "total"} <= set(turn.stage_ms)
        assert (stack.settings.recordings / turn.recording_path).stat().st_size > 0


def test_the_answer_is_sound_that_says_what_is_written(stack: Stack, spoken: Speak) -> None:
    from voice import codec

    answer = stack.turn("王桂兰", audio=spoken("我还有多少时间"))
    assert len(answer["audio_parts"]) >= 2
    bearer = {"Authorization": f"Bearer {stack.token('王桂兰')}"}
    whole = stack.web.get(answer["audio_url"], headers=bearer)
    first = stack.web.get(answer["audio_parts"][0], headers=bearer)
    assert whole.status_code == first.status_code == 200
    seconds = codec.decode(whole.content).seconds
    assert seconds > codec.decode(first.content).seconds > 0.5


def test_danger_raises_an_alert_in_one_turn_in_the_middle_of_a_request(
    stack: Stack, spoken: Speak
) -> None:
    asked = stack.turn("王桂兰", "想叫人帮个忙")
    assert "啥" in asked["reply"]
    cried = stack.turn("王桂兰", audio=spoken("哎哟，我摔倒了，爬不起来了"))
    assert cried["intent"] == "emergency" and "赵明" in cried["reply"]
    with stack.village.reading() as session:
        alert = session.execute(select(Alert)).scalars().one()
        assert alert.state is AlertState.RAISED
    assert any(notice["kind"] == "staff_alert" for notice in stack.notices("赵明"))
    stack.turn("王桂兰", "没事了，我好好的")
    stack.turn("王桂兰", "没事了")
    with stack.village.reading() as session:
        assert session.execute(select(Alert)).scalars().one().state is AlertState.CLOSED


def test_a_balance_asked_in_the_middle_of_a_request_does_not_lose_it(stack: Stack) -> None:
    assert "啥" in stack.turn("马德顺", "想叫人帮个忙")["reply"]
    interrupted = stack.turn("马德顺", "我还有多少时间")
    assert "小时" in interrupted["reply"] and "啥" in interrupted["reply"]
    assert stack.turn("马德顺", "买菜")["intent"] == "inform"
    placed = stack.turn("马德顺", "后天上午九点")
    assert "我去问" in placed["reply"] and "后天上午九点" in placed["reply"]
