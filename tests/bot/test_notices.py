"""The outbox's facts put into words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from actions.timebank import (
    alarm_questions,
    alerts,
    deadlines,
    delegates,
    disputes,
    exchange,
    gifts,
    on_behalf,
    ratings,
    reminders,
    visits,
    wellbeing,
)
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import TurnId
from actions.timebank.model import Member, Notice
from actions.timebank.states import NoticeState, ServiceKind
from bot.notices import told
from bot.phrases import Phrases
from tests.small_village import Street
from tests.timebank.builders import MORNING
from tests.timebank.consenting import allow, calls
from tests.timebank.neighbourhood import Neighbourhood, new_turn
from voice.speakable import speakable


def notice(of: str, **facts: Any) -> Notice:
    return Notice(id=1, kind=of, facts=facts, state=NoticeState.QUEUED)


OFFER = {
    "offer_id": 3,
    "elder": "王奶奶",
    "kind": "shopping",
    "starts_at": "2026-03-03T01:00:00+00:00",
    "minutes": 90,
    "place": "老槐树旁",
    "why": [],
    "note": "",
}


@pytest.mark.parametrize(
    "why, because",
    [
        ([], ""),
        ([{"code": "fair_turn", "asked": 0}], ""),
        ([{"code": "same_lane", "lane": "桂花巷"}], "您跟王奶奶一条巷子。"),
        (
            [{"code": "helped_before", "kind": "meals", "day": "2026-02-20"}],
            "您2026-02-20帮王奶奶做过饭。",
        ),
        ([{"code": "made_up"}, {"code": "neighbour"}], "您是王奶奶邻居。"),
    ],
)
def test_an_offer_tells_its_strongest_reason(
    phrases: Phrases, why: list[dict[str, Any]], because: str
) -> None:
    text, buttons = told(notice("offer_made", **{**OFFER, "why": why}), phrases)
    assert text.endswith(f"老槐树旁。{because}您去吗？")
    assert "帮着买东西，大约90分钟" in text
    assert [button.payload for button in buttons] == [
        '/accept_task{"offer_id": "3"}',
        '/decline_task{"offer_id": "3"}',
    ]


def test_zero_minutes_are_minutes(phrases: Phrases) -> None:
    facts = {"other": "王奶奶", "claimed": 30, "confirmed": 0, "settled": 0}
    assert "0分钟" in told(notice("minutes_differ", **facts), phrases)[0]


def test_words_of_people_are_not_filled_again(phrases: Phrases) -> None:
    facts = {"member": "{member}", "words": "{0} {} %s <b>", "turn_id": "talk:1"}
    text, _ = told(notice("staff_call_back", **facts), phrases)
    assert "{member}要找您说话：{0} {} %s <b>" in text


def test_a_kind_of_help_not_known_here_is_told_as_it_is(phrases: Phrases) -> None:
    text, _ = told(notice("offer_gone", elder="王奶奶", kind="gardening"), phrases)
    assert "王奶奶gardening" in text


def test_a_notice_without_words_is_a_bug(phrases: Phrases) -> None:
    with pytest.raises(KeyError):
        told(notice("made_up"), phrases)


# Every notice that the village really queues


Story = Callable[[Neighbourhood], None]


def _settled(hood: Neighbourhood) -> None:
    hood.visited(60)


def _settled_elder_first(hood: Neighbourhood) -> None:
    request = hood.ask()
    assignment = hood.accepted(request)
    visits.start_visit(
        hood.session, helper=hood.zhang.id, assignment_id=assignment.id, now=hood.now
    )
    hood.confirm(request, 60)
    hood.claim(assignment, 60)


def _differing(hood: Neighbourhood) -> None:
    request = hood.ask()
    hood.claim(hood.accepted(request), 90)
    hood.confirm(request, 30)


def _declined_by_all(hood: Neighbourhood) -> None:
    request = hood.ask()
    while hood.decline(request):
        pass


def _cancelled(hood: Neighbourhood) -> None:
    for answered in (hood.accepted, lambda _request: None):
        request = hood.ask(minutes=30)
        answered(request)
        exchange.cancel_request(hood.session, by=hood.wang.id, request_id=request.id, now=hood.now)


def _changed(hood: Neighbourhood) -> None:
    request = hood.ask(minutes=30)
    hood.accepted(request)
    for change in ({"minutes": 45}, {"starts_at": hood.now + timedelta(days=2)}):
        about = {"elder": hood.wang.id, "request_id": request.id, "turn_id": new_turn()}
        exchange.change_request(hood.session, now=hood.now, **about, **change)


def _stepped_back(hood: Neighbourhood) -> None:
    promised = hood.accepted(hood.ask())
    helper = {"helper": hood.zhang.id, "assignment_id": promised.id}
    exchange.step_back(hood.session, now=hood.now, **helper)


def _nobody_in_time(hood: Neighbourhood) -> None:
    hood.ask(starts_at=hood.now + timedelta(hours=1))
    deadlines.expire_due(hood.session, now=hood.now + timedelta(minutes=20))
    deadlines.expire_due(hood.session, now=hood.now + timedelta(days=1))


def _unanswered(hood: Neighbourhood) -> None:
    hood.claim(hood.accepted(hood.ask()), 60)
    deadlines.expire_due(hood.session, now=hood.now + timedelta(hours=25))


def _no_show(hood: Neighbourhood) -> None:
    request = hood.ask()
    hood.accepted(request)
    later = hood.now + timedelta(days=1)
    about = {"elder": hood.wang.id, "request_id": request.id, "turn_id": new_turn()}
    disputes.report_no_show(hood.session, now=later, **about)


def _complaint(hood: Neighbourhood) -> None:
    who = {"member": hood.wang.id, "words": "她骂我", "turn_id": new_turn()}
    disputes.complain(hood.session, now=hood.now, **who)


def _fund(hood: Neighbourhood) -> None:
    hood.visited(150, service_kind=ServiceKind.MEALS)


def _alarm(hood: Neighbourhood) -> None:
    who = {"member": hood.wang.id, "turn_id": new_turn(), "now": hood.now}
    alert = alerts.raise_alert(hood.session, words="我摔了", **who)
    alerts.take_alert(hood.session, alert_id=alert.id, by=hood.staff.id, now=hood.now)
    alerts.withdraw_alert(hood.session, **who)


def _silent_after_the_question(hood: Neighbourhood) -> None:
    alarm_questions.ask(
        hood.session, member=hood.wang.id, words="不得劲", turn_id=new_turn(), now=hood.now
    )
    deadlines.expire_due(hood.session, now=hood.now + timedelta(minutes=1))


def _silent_and_nobody_near(hood: Neighbourhood) -> None:
    for person in (hood.staff, hood.zhang, hood.li):
        person.left_at = hood.now
    _silent_after_the_question(hood)


def _call_back(hood: Neighbourhood) -> None:
    about = {"words": "我要找人", "turn_id": TurnId("talk:1:a")}
    alerts.call_back(hood.session, member=hood.wang.id, now=hood.now, **about)


def _gifts(hood: Neighbourhood) -> None:
    for receiver in (hood.zhang.id, None):
        about = {"giver": hood.wang.id, "minutes": 30, "turn_id": new_turn()}
        gifts.give(hood.session, receiver=receiver, now=hood.now, **about)


def _ratings(hood: Neighbourhood) -> None:
    hood.visited(30)
    [visit] = ratings.settled_visits(hood.session, hood.wang.id)
    for stars in (1, 5):
        about = {"rater": hood.wang.id, "visit_id": visit.id, "turn_id": new_turn()}
        ratings.rate(hood.session, stars=stars, words="来得晚", now=hood.now, **about)


def _medicine_unanswered(hood: Neighbourhood) -> None:
    reminders.set_reminder(
        hood.session,
        member=hood.wang.id,
        words="吃药",
        due_at=hood.now,
        turn_id=new_turn(),
        now=hood.now,
        is_medicine=True,
    )
    for minutes in (0, 30):
        reminders.tell_due(hood.session, now=hood.now + timedelta(minutes=minutes))


def _unwell_again(hood: Neighbourhood) -> None:
    for _ in range(3):
        wellbeing.report(
            hood.session,
            member=hood.wang.id,
            words="腰疼",
            symptoms=["腰疼"],
            turn_id=new_turn(),
            now=hood.now,
        )


def _family(hood: Neighbourhood) -> None:
    calls(hood.session, hood.wang, hood.li, "儿子")
    given = allow(hood.session, hood.wang, hood.li, hood.now)
    who = {"by": hood.li.id, "elder": hood.wang.id, "now": hood.now}
    on_behalf.see_balance(hood.session, **who)
    on_behalf.see_requests(hood.session, **who)
    for asker in (hood.li, hood.staff):
        hood.ask(minutes=30, requested_by=asker.id)
    delegates.end(hood.session, delegation_id=given.id, by=hood.li.id, now=hood.now)
    allow(hood.session, hood.wang, hood.li, hood.now)
    for days in (170, 183):
        delegates.sweep(hood.session, now=hood.now + timedelta(days=days))


STORIES: list[Story] = [
    _family,
    _gifts,
    _ratings,
    _settled,
    _settled_elder_first,
    _differing,
    _declined_by_all,
    _cancelled,
    _changed,
    _stepped_back,
    _nobody_in_time,
    _unanswered,
    _no_show,
    _complaint,
    _fund,
    _alarm,
    _silent_after_the_question,
    _silent_and_nobody_near,
    _call_back,
    _medicine_unanswered,
    _unwell_again,
]


def spoken(text: str, now: datetime = MORNING) -> str:
    return speakable(text, now=now, zone=VILLAGE_ZONE)


@pytest.fixture(scope="module")
def queued(original: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Notice]:
    """What is queued when all of this happens, each story in a village of its own."""
    notices: list[Notice] = []
    for story in STORIES:
        street = Street.copied(original, tmp_path_factory.mktemp(story.__name__) / "village.db")
        with street.neighbourhood() as hood:
            story(hood)
        notices += street.rows(Notice)
        street.village.engine.dispose()
    return notices


def test_every_notice_really_queued_has_words_that_can_be_said(
    phrases: Phrases, queued: list[Notice]
) -> None:
    for one in queued:
        text, buttons = told(one, phrases)
        said = spoken(text)
        assert said and "None" not in said and "{" not in said, (one.kind, said)
        assert not any(mark in said for mark in ("T01:", "+00:00", "_")), (one.kind, said)
        assert len(buttons) <= 2


def test_these_stories_queue_every_kind_of_notice(phrases: Phrases, queued: list[Notice]) -> None:
    with_words = {name for name in phrases._responses if name.startswith("utter_notice_")}
    used = {f"utter_notice_{one.kind}" for one in queued}
    unused = {name for name in with_words if not any(name.startswith(kind) for kind in used)} - {
        "utter_notice_because",
        "utter_notice_request_asked_again",
    }
    assert unused == set()


@pytest.mark.parametrize(
    "story, who, words",
    [
        (_settled, "张秀英", "王奶奶点头了，60分钟记到您账上。您现在有60分钟。"),
        (_settled_elder_first, "王奶奶", "张秀英帮您买东西，记了60分钟。您还有60分钟。"),
    ],
)
def test_who_spoke_first_hears_what_it_did_to_her_hours(
    phrases: Phrases, street: Street, story: Story, who: str, words: str
) -> None:
    with street.neighbourhood() as hood:
        story(hood)
        theirs = select(Notice).join(Member).where(Member.name == who)
        settled = theirs.where(Notice.kind == "visit_settled")
        assert told(hood.session.execute(settled).scalar_one(), phrases)[0] == words
