"""The outbox's facts put into words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from actions.timebank import (
    alarm_chain,
    alarm_questions,
    alerts,
    bindings,
    channels,
    check_ins,
    deadlines,
    delegates,
    deliveries,
    disputes,
    exchange,
    gifts,
    ledger,
    on_behalf,
    ratings,
    reminders,
    turns,
    visits,
    wellbeing,
)
from actions.timebank.alarm_calls import ALARM_KINDS
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.ids import AccountId, BindingId, MemberId, TurnId
from actions.timebank.model import Member, Notice, Relation
from actions.timebank.notices import tell, tell_staff
from actions.timebank.staff import accounts, leaving, proposals
from actions.timebank.staff.roles import Role
from actions.timebank.states import (
    Channel,
    LeavingReason,
    NoticeState,
    RelationKind,
    Rhythm,
    ServiceKind,
    TurnOutcome,
)
from bot.notices import told
from bot.phrases import Phrases
from bot.settings import Settings
from tests.bot.counter_stories import COUNTER_STORIES
from tests.bot.staff_stories import STAFF_STORIES
from tests.small_village import Street
from tests.timebank.builders import MORNING, FakeClock
from tests.timebank.consenting import allow, calls
from tests.timebank.neighbourhood import Neighbourhood, new_turn
from tests.timebank.phones import Phone
from tests.timebank.staff.desk import hired
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
        ([], "这回轮到您。"),
        ([{"code": "fair_turn", "asked": 0}], "这回轮到您。"),
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
    assert text.endswith(f"在老槐树旁。{because}您去吗？")
    assert "帮着买东西，大约90分钟" in text
    assert [button.payload for button in buttons] == [
        '/accept_task{"offer_id": "3"}',
        '/decline_task{"offer_id": "3"}',
    ]


@pytest.mark.parametrize(
    "note, told_too",
    [
        ("俺腿疼，想叫人买点菜", "王奶奶说：俺腿疼，想叫人买点菜。"),
        ("俺腿疼。", "王奶奶说：俺腿疼。"),
        # A day in her words is another day when they are heard.
        ("俺腿疼，明天想叫人买点菜", ""),
        ("下午三点来", ""),
        ("买菜", ""),
        ("说" * 25, ""),
        ("{elder}{0}", "王奶奶说：{elder}{0}。"),
    ],
)
def test_her_own_words_go_along_when_they_are_short_and_still_true(
    phrases: Phrases, note: str, told_too: str
) -> None:
    text, _ = told(notice("offer_made", **{**OFFER, "note": note}), phrases)
    assert text.endswith(f"在老槐树旁。{told_too}这回轮到您。您去吗？")


def test_what_is_asked_of_a_neighbour_comes_in_short_sentences(phrases: Phrases) -> None:
    """Who, what, when, where, how long and why, with the longest names of the village."""
    why = [{"code": "helped_before", "kind": "farm_work", "day": "2026-02-20"}]
    longest = {"elder": "欧阳桂兰奶奶", "kind": "escort_medical", "place": "村东头老槐树旁边第三家"}
    text, buttons = told(notice("offer_made", **{**OFFER, **longest, "why": why}), phrases)
    said = spoken(text)
    for fact in (
        "欧阳桂兰奶奶",
        "陪着看病",
        "明天上午九点",
        "一个半小时",
        "第三家",
        "干过地里的活",
    ):
        assert fact in said
    assert max(len(one) for one in re.split("[。？！]", said)) <= 40
    assert [button.title for button in buttons] == ["接", "不接"]


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
STARTED = {"helper": "张秀英", "kind": "shopping"}


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


def _helper_died(hood: Neighbourhood) -> None:
    promise = hood.accepted(hood.ask())
    staff = {"by": MemberId(hood.staff.id), "now": hood.now}
    accounts.make(
        hood.session,
        member=MemberId(hood.staff.id),
        login="chen",
        roles=[Role.COORDINATOR],
        password_hash="x",
        now=hood.now,
    )
    leaving.leave(
        hood.session,
        member=MemberId(promise.helper_id),
        seen=promise.helper.version,
        why=LeavingReason.DIED,
        **staff,
    )


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


def _long_alarm(hood: Neighbourhood) -> None:
    """Taken, given back, taken again and not closed; then nobody can go, and at last hospital."""
    who = {"member": hood.wang.id, "turn_id": new_turn(), "now": hood.now}
    alert = alerts.raise_alert(hood.session, words="我摔了", **who)
    place = {"member": hood.wang.id, "latitude": 34.5, "longitude": 113.25}
    alerts.set_place(hood.session, now=hood.now, **place)
    chains = Settings(_env_file=None).chains

    def take(by: Member) -> None:
        alerts.take_alert(hood.session, alert_id=alert.id, by=by.id, now=hood.now)

    def decline(by: Member) -> None:
        about = {"alert_id": alert.id, "by": by.id, "turn_id": new_turn(), "now": hood.now}
        alerts.decline_alert(hood.session, **about)

    take(hood.li)
    decline(hood.li)
    take(hood.zhang)
    for minutes in (15, 30, 40, 50):
        now = hood.now + timedelta(minutes=minutes)
        alarm_chain.climb(hood.session, chains, now=now)
    for by in (hood.zhang, hood.zhao, hood.staff):
        decline(by)
    alarm_chain.climb(hood.session, chains, now=hood.now + timedelta(hours=2))
    about = {"alert_id": alert.id, "by": hood.staff.id, "in_hospital": True, "now": hood.now}
    hood.session.add(Relation(member_id=hood.li.id, other_id=hood.wang.id, kind=RelationKind.KIN))
    hood.session.flush()
    alerts.close_alert(hood.session, **about)


def _nobody_comes(hood: Neighbourhood) -> None:
    who = {"member": hood.wang.id, "turn_id": new_turn(), "now": hood.now}
    alerts.raise_alert(hood.session, words="我摔了", **who)
    chains = Settings(_env_file=None).chains
    for minutes in (3, 8, 13):
        alarm_chain.climb(hood.session, chains, now=hood.now + timedelta(minutes=minutes))


def _missed_check_in(hood: Neighbourhood) -> None:
    daily = {"member": hood.wang.id, "rhythm": Rhythm.DAILY, "now": hood.now}
    check_ins.set_rhythm(hood.session, **daily)
    for hours in (24, 26, 28):
        check_ins.look(hood.session, now=hood.now + timedelta(hours=hours))
    [alert] = alerts.open_alerts(hood.session, hood.wang.id)
    later = hood.now + timedelta(hours=29)
    alerts.take_alert(hood.session, alert_id=alert.id, by=hood.zhang.id, now=later)
    turn = TurnId("talk:back")
    about = {"member": hood.wang.id, "channel": "talk", "now": later}
    turns.begin(hood.session, turn_id=turn, **about)
    turns.finish(hood.session, turn, now=later, outcome=TurnOutcome.ANSWERED, heard="在呢")
    check_ins.look(hood.session, now=later)


def _silent_after_the_question(hood: Neighbourhood) -> None:
    alarm_questions.ask(
        hood.session, member=hood.wang.id, words="不得劲", turn_id=new_turn(), now=hood.now
    )
    alarm_questions.call_unanswered(hood.session, now=hood.now + timedelta(minutes=1))


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


def _corrected(hood: Neighbourhood) -> None:
    assignment = hood.accepted(hood.ask())
    hood.claim(assignment, 90)
    about = {"helper": hood.zhang.id, "assignment_id": assignment.id, "turn_id": new_turn()}
    visits.correct_claim(hood.session, minutes=30, now=hood.now, **about)


def _the_day_before_and_the_day_itself(hood: Neighbourhood) -> None:
    hood.accepted(hood.ask())
    for later in ({"hours": 9.5}, {"hours": 23.5}, {"hours": 24.3}):
        deadlines.expire_due(hood.session, now=hood.now + timedelta(**later))


def _all_asked_enough(hood: Neighbourhood) -> None:
    for _ in range(13):
        hood.ask(minutes=5)


def _never_arrived(hood: Neighbourhood) -> None:
    about = {"channel": Channel.TELEGRAM, "now": hood.now}
    bindings.bind(hood.session, member=hood.wang.id, address="1", **about)
    tell(hood.session, hood.wang.id, "visit_started", about="1", now=hood.now, **STARTED)
    deliveries.tidy(hood.session, **about)
    [(delivery, binding)] = deliveries.in_turn(hood.session, most=1, **about)
    deliveries.begin(hood.session, delivery.id, binding_id=binding.id, now=hood.now)
    deliveries.give_up(hood.session, delivery.id, tried=1, code="too_long", now=hood.now)


def _new_phones(hood: Neighbourhood) -> None:
    """A stranger writes; 王奶奶 gets a phone, another one, then 张秀英's, and blocks us."""
    clock = FakeClock(hood.now)
    hers, new, neighbours = (Phone(hood.session, clock, address) for address in "123")
    neighbours.joins(hood.zhang)
    for phone in (hers, new, neighbours):
        binding = phone.joins(hood.wang)
    tell_staff(hood.session, "staff_stranger", about="telegram:9", now=hood.now)
    channels.mark_unreachable(hood.session, BindingId(binding.id), now=hood.now)


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


def _put_right(hood: Neighbourhood) -> None:
    """An hour is given to her by two of the staff, and taken back by them."""
    who = [hired(hood.session, name, Role.BOOKKEEPER) for name in ("李会计", "周会计")]
    hers = AccountId(ledger.account_of(hood.session, hood.wang.id).id)
    about = {"by": who[0], "reason": "记重了", "now": hood.now}
    for _ in range(2):
        given = proposals.propose_grant(hood.session, account_id=hers, minutes=60, **about)
        proposals.approve(hood.session, proposal_id=given.id, by=who[1], now=hood.now)
    # And what she gave away comes back.
    away = gifts.give(
        hood.session,
        giver=hood.wang.id,
        receiver=hood.li.id,
        minutes=30,
        turn_id=new_turn(),
        now=hood.now,
    )
    for wrong in (given.transfer_id, away.id):
        undone = proposals.propose_reversal(hood.session, transfer_id=wrong, **about)
        proposals.approve(hood.session, proposal_id=undone.id, by=who[1], now=hood.now)


STORIES: list[Story] = [
    _put_right,
    _corrected,
    _the_day_before_and_the_day_itself,
    _all_asked_enough,
    _new_phones,
    _never_arrived,
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
    _helper_died,
    _nobody_in_time,
    _unanswered,
    _no_show,
    _complaint,
    _fund,
    _alarm,
    _long_alarm,
    _nobody_comes,
    _missed_check_in,
    _silent_after_the_question,
    _silent_and_nobody_near,
    _call_back,
    _medicine_unanswered,
    _unwell_again,
    *COUNTER_STORIES,
    *STAFF_STORIES,
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
        "utter_notice_your_turn",
        "utter_notice_in_own_words",
        "utter_notice_request_asked_again",
    }
    assert unused == set()


def test_an_alarm_asks_who_goes(phrases: Phrases, queued: list[Notice]) -> None:
    asking = [one for one in queued if one.kind in ALARM_KINDS]
    assert {one.kind for one in asking} == ALARM_KINDS
    for one in asking:
        _, buttons = told(one, phrases)
        about = f'{{"alert_id": "{one.facts["alert_id"]}"}}'
        assert [(button.title, button.payload) for button in buttons] == [
            ("我去", f"/accept_task{about}"),
            ("去不了", f"/decline_task{about}"),
        ]


@pytest.mark.parametrize(
    "story, who, words",
    [
        (_settled, "张秀英", "谢谢您！王奶奶点头了，60分钟记到您账上。您现在有60分钟。"),
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
