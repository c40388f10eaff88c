"""A message to many: written, heard, approved by another, told once, and shown how far it came."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import bindings, deadlines, deliveries, members, outbox
from actions.timebank.errors import (
    ChangedMeanwhile,
    NobodyThere,
    NotHeard,
    NothingOpen,
    NothingToSay,
    NotYours,
    SamePerson,
    TooLongToSay,
    UnknownMember,
    WrongState,
)
from actions.timebank.ids import BroadcastId, MemberId, NoticeId
from actions.timebank.model import Broadcast, Delivery, Member, Notice
from actions.timebank.staff import accounts, broadcasts
from actions.timebank.staff.broadcast_delivery import counted, listeners, told_in_person
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Audience,
    BroadcastState,
    Reached,
)
from actions.timebank.states import Channel, NoticeState
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import Neighbourhood, settle_in

WORDS = "明天上午停水，请各家先接好水。"
SOON = timedelta(minutes=1)


@pytest.fixture
def hood(session: Session) -> Neighbourhood:
    hood = settle_in(session, MORNING)
    for person, role in ((hood.staff, Role.COORDINATOR), (hood.li, Role.MEDIATOR)):
        staffed(hood, person, role)
    return hood


def staffed(hood: Neighbourhood, person: Member, role: Role) -> MemberId:
    accounts.make(
        hood.session,
        member=MemberId(person.id),
        login=f"staff{person.id}",
        roles=[role],
        password_hash="none",
        now=hood.now,
    )
    return MemberId(person.id)


def who(person: Member) -> MemberId:
    return MemberId(person.id)


def written(hood: Neighbourhood, **about: Any) -> Broadcast:
    fields = {
        "by": who(hood.staff),
        "words": WORDS,
        "spoken_seconds": 6,
        "audience": Audience.EVERYBODY,
        "now": hood.now,
        **about,
    }
    return broadcasts.write(hood.session, **fields)


def proposed(hood: Neighbourhood, **about: Any) -> Broadcast:
    draft = written(hood, **about)
    same: dict[str, Any] = {"by": who(hood.staff), "now": hood.now}
    broadcasts.heard(hood.session, draft.id, **same)
    return broadcasts.propose(hood.session, draft.id, version=draft.version, **same)


def sending(hood: Neighbourhood, **about: Any) -> Broadcast:
    one = proposed(hood, **about)
    return broadcasts.approve(hood.session, one.id, by=who(hood.li), now=hood.now)


def told(hood: Neighbourhood) -> dict[str, list[dict[str, Any]]]:
    rows = hood.session.execute(select(Notice).where(Notice.kind == "broadcast")).scalars()
    found: dict[str, list[dict[str, Any]]] = {}
    for notice in rows:
        found.setdefault(notice.recipient.name, []).append(notice.facts)
    return found


def test_everybody_is_told_once_after_a_second_person_approved(hood: Neighbourhood) -> None:
    one = proposed(hood)
    assert told(hood) == {}
    for _ in range(3):
        broadcasts.approve(hood.session, one.id, by=who(hood.li), now=hood.now)
    heard = told(hood)
    assert set(heard) >= {"王奶奶", "张秀英", "李建国", "陈干事"}
    facts = {"broadcast_id": one.id, "words": WORDS, "staff": "陈干事"}
    assert all(notices == [facts] for notices in heard.values())
    assert one.state is BroadcastState.SENDING


def test_who_wrote_it_cannot_approve_or_reject_it(hood: Neighbourhood) -> None:
    one = proposed(hood)
    for decide in (broadcasts.approve, broadcasts.reject):
        with pytest.raises(SamePerson):
            decide(hood.session, one.id, by=who(hood.staff), now=hood.now)


def test_the_database_refuses_one_person_for_both(hood: Neighbourhood) -> None:
    one = proposed(hood)
    by_hand = update(Broadcast).values(
        state="sending", decided_by_id=one.written_by_id, decided_at=hood.now
    )
    with pytest.raises(IntegrityError, match="decided_by_another"):
        hood.session.execute(by_hand.execution_options(synchronize_session=False))


def test_nothing_is_proposed_that_its_writer_has_not_heard(hood: Neighbourhood) -> None:
    draft = written(hood)
    same: dict[str, Any] = {"by": who(hood.staff), "now": hood.now}
    broadcasts.heard(hood.session, draft.id, by=who(hood.li), now=hood.now)
    with pytest.raises(NotHeard):
        broadcasts.propose(hood.session, draft.id, version=1, **same)
    broadcasts.heard(hood.session, draft.id, **same)
    changed = broadcasts.rewrite(
        hood.session,
        draft.id,
        version=1,
        words="改了",
        spoken_seconds=1,
        audience=Audience.ALONE,
        **same,
    )
    with pytest.raises(NotHeard):
        broadcasts.propose(hood.session, draft.id, version=changed.version, **same)


def test_the_second_of_two_windows_is_told(hood: Neighbourhood) -> None:
    draft = written(hood)
    change = {"by": who(hood.staff), "version": 1, "spoken_seconds": 1, "now": hood.now}
    about: dict[str, Any] = {**change, "audience": Audience.EVERYBODY}
    broadcasts.rewrite(hood.session, draft.id, words="先改的", **about)
    with pytest.raises(ChangedMeanwhile):
        broadcasts.rewrite(hood.session, draft.id, words="后改的", **about)
    with pytest.raises(ChangedMeanwhile):
        broadcasts.propose(hood.session, draft.id, by=who(hood.staff), version=1, now=hood.now)
    assert draft.words == "先改的"


def test_what_was_proposed_is_never_changed(hood: Neighbourhood) -> None:
    for one in (proposed(hood), sending(hood)):
        with pytest.raises(WrongState):
            broadcasts.rewrite(
                hood.session,
                one.id,
                by=who(hood.staff),
                version=one.version,
                words="别的话",
                spoken_seconds=1,
                audience=Audience.EVERYBODY,
                now=hood.now,
            )


def test_rejected_withdrawn_and_stopped_stay_so(hood: Neighbourhood) -> None:
    rejected = proposed(hood)
    broadcasts.reject(hood.session, rejected.id, by=who(hood.li), now=hood.now)
    withdrawn = proposed(hood)
    broadcasts.withdraw(hood.session, withdrawn.id, by=who(hood.staff), now=hood.now)
    stopped = sending(hood)
    broadcasts.stop(hood.session, stopped.id, by=who(hood.li), now=hood.now)
    for one in (rejected, withdrawn, stopped):
        for decide in (broadcasts.approve, broadcasts.reject):
            with pytest.raises(WrongState):
                decide(hood.session, one.id, by=who(hood.li), now=hood.now)
        with pytest.raises(WrongState):
            broadcasts.stop(hood.session, one.id, by=who(hood.li), now=hood.now)


def test_another_ones_broadcast_cannot_be_proposed_or_taken_back(hood: Neighbourhood) -> None:
    one = written(hood)
    with pytest.raises(NotYours):
        broadcasts.propose(hood.session, one.id, by=who(hood.li), version=1, now=hood.now)
    with pytest.raises(NotYours):
        broadcasts.withdraw(hood.session, one.id, by=who(hood.li), now=hood.now)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.ADMINISTRATOR, None])
def test_without_the_role_nothing_goes(hood: Neighbourhood, role: Role | None) -> None:
    one = sending(hood)
    by = staffed(hood, hood.zhao, role) if role else who(hood.zhao)
    attempts: list[Callable[[], Any]] = [
        lambda: written(hood, by=by),
        lambda: broadcasts.heard(hood.session, one.id, by=by, now=hood.now),
        lambda: broadcasts.approve(hood.session, one.id, by=by, now=hood.now),
        lambda: broadcasts.reject(hood.session, one.id, by=by, now=hood.now),
        lambda: broadcasts.stop(hood.session, one.id, by=by, now=hood.now),
        lambda: told_in_person(hood.session, one.id, member=who(hood.wang), by=by, now=hood.now),
    ]
    for attempt in attempts:
        with pytest.raises(NotYours):
            attempt()


@pytest.mark.parametrize("number", [0, -1, 99, 2**40])
def test_a_made_up_number_is_no_broadcast(hood: Neighbourhood, number: int) -> None:
    with pytest.raises(NothingOpen):
        broadcasts.approve(hood.session, BroadcastId(number), by=who(hood.li), now=hood.now)


def test_each_audience_is_who_it_says(hood: Neighbourhood) -> None:
    hood.wang.lives_alone = True
    hood.session.flush()

    def names(**about: Any) -> set[str]:
        ids = broadcasts.audience_of(hood.session, written(hood, **about))
        return {members.member(hood.session, one).name for one in ids}

    everybody = names()
    assert names(audience=Audience.ALONE) == {"王奶奶"}
    assert names(audience=Audience.LANE, of=hood.wang.lane_id) <= everybody
    assert "王奶奶" in names(audience=Audience.GROUP, of=hood.wang.lane.group_id)
    assert "王奶奶" not in names(audience=Audience.HELPERS)
    assert "张秀英" in names(audience=Audience.HELPERS)
    only = names(audience=Audience.MEMBERS, listeners=[who(hood.zhang), who(hood.wang)])
    assert only == {"张秀英", "王奶奶"}


def test_who_left_before_the_approval_is_not_told(hood: Neighbourhood) -> None:
    one = proposed(hood)
    hood.wang.left_at = hood.now
    hood.session.flush()
    broadcasts.approve(hood.session, one.id, by=who(hood.li), now=hood.now)
    assert "王奶奶" not in told(hood)


@pytest.mark.parametrize("of", [None, 0, 99, 2**40])
def test_an_audience_that_is_nobody_is_refused(hood: Neighbourhood, of: int | None) -> None:
    for audience in (Audience.LANE, Audience.GROUP, Audience.MEMBERS):
        with pytest.raises(NobodyThere):
            written(hood, audience=audience, of=of)
    with pytest.raises(UnknownMember):
        written(hood, audience=Audience.MEMBERS, listeners=[of or 98])


def test_words_stay_words_whatever_they_look_like(hood: Neighbourhood) -> None:
    hostile = "{staff} {0} %s <b>停水</b>\n\x00\u202e 😀 \t{{words}}"
    one = sending(hood, words=hostile)
    assert one.words == "{staff} {0} %s <b>停水</b> 😀 {{words}}"
    assert told(hood)["王奶奶"][0]["words"] == one.words


@pytest.mark.parametrize(
    ("words", "seconds", "refusal"),
    [
        ("", 1, NothingToSay),
        (" \n\x00\u200b", 1, NothingToSay),
        ("😀", 0, NothingToSay),
        ("水" * 161, 59, TooLongToSay),
        ("水" * 1_000_000, 59, TooLongToSay),
        ("1000000000", 61, TooLongToSay),
    ],
)
def test_what_cannot_be_said_in_a_minute_is_refused(
    hood: Neighbourhood, words: str, seconds: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        written(hood, words=words, spoken_seconds=seconds)


# -- delivery ------------------------------------------------------------------------------------


def reached(hood: Neighbourhood, one: Broadcast) -> dict[str, Reached]:
    return {person.name: person.reached for person in listeners(hood.session, one.id)}


def chat(hood: Neighbourhood, person: Member) -> Any:
    bind: dict[str, Any] = {"channel": Channel.TELEGRAM, "address": str(person.id)}
    binding, _ = bindings.bind(hood.session, member=who(person), now=hood.now, **bind)
    return binding


def sent_by_chat(hood: Neighbourhood, now: datetime) -> int:
    """What a notifier would send at this moment."""
    deliveries.tidy(hood.session, channel=Channel.TELEGRAM, now=now)
    done = 0
    turn = deliveries.in_turn(hood.session, channel=Channel.TELEGRAM, now=now, most=100)
    for delivery, binding in turn:
        tried = deliveries.begin(hood.session, delivery.id, binding_id=binding.id, now=now)
        if tried is not None:
            deliveries.sent(hood.session, delivery.id, tried=tried, message_id="1", now=now)
            done += 1
    return done


def test_who_heard_it_and_how_is_shown(hood: Neighbourhood) -> None:
    chat(hood, hood.wang)
    blocked = chat(hood, hood.zhang)
    one = sending(hood)
    assert reached(hood, one)["王奶奶"] is Reached.ON_ITS_WAY
    assert reached(hood, one)["赵铁柱"] is Reached.NO_CHAT
    blocked.unreachable_at = hood.now
    assert sent_by_chat(hood, hood.now + SOON) == 1
    notice = hood.session.execute(
        select(Notice).where(Notice.recipient_id == hood.li.id, Notice.kind == "broadcast")
    ).scalar_one()
    outbox.deliver(hood.session, notice_id=NoticeId(notice.id), member=who(hood.li), now=hood.now)
    told_in_person(hood.session, one.id, member=who(hood.zhao), by=who(hood.staff), now=hood.now)
    ways = reached(hood, one)
    assert ways["王奶奶"] is Reached.CHAT and ways["李建国"] is Reached.PAGE
    assert ways["张秀英"] is Reached.BLOCKED and ways["赵铁柱"] is Reached.IN_PERSON
    assert counted(listeners(hood.session, one.id))[Reached.CHAT] == 1


def test_at_night_it_waits_for_the_morning(hood: Neighbourhood) -> None:
    chat(hood, hood.wang)
    sending(hood)
    night = hood.now.replace(hour=14)  # 22:00 in the village.
    assert sent_by_chat(hood, night) == 0
    assert sent_by_chat(hood, night + timedelta(hours=9)) == 1


def test_what_was_stopped_is_told_no_more(hood: Neighbourhood) -> None:
    chat(hood, hood.wang)
    one = sending(hood)
    broadcasts.stop(hood.session, one.id, by=who(hood.staff), now=hood.now)
    assert sent_by_chat(hood, hood.now + SOON) == 0
    assert reached(hood, one)["王奶奶"] is Reached.DROPPED
    assert not any(
        outbox.still_true(hood.session, notice)
        for notice in outbox.queued_for(hood.session, who(hood.zhao))
        if notice.kind == "broadcast"
    )
    with pytest.raises(WrongState):
        told_in_person(
            hood.session, one.id, member=who(hood.wang), by=who(hood.staff), now=hood.now
        )


def test_telling_in_person_twice_is_once(hood: Neighbourhood) -> None:
    one = sending(hood, audience=Audience.MEMBERS, listeners=[who(hood.wang)])
    for _ in range(2):
        told_in_person(
            hood.session, one.id, member=who(hood.wang), by=who(hood.staff), now=hood.now
        )
    with pytest.raises(NotYours):
        told_in_person(
            hood.session, one.id, member=who(hood.zhao), by=who(hood.staff), now=hood.now
        )
    deadlines.expire_due(hood.session, now=hood.now + SOON)
    assert one.state is BroadcastState.SENT


def test_it_ends_when_all_have_heard_or_it_is_old(hood: Neighbourhood) -> None:
    one = sending(hood)
    broadcasts.end_told(hood.session, now=hood.now + SOON)
    assert one.state is BroadcastState.SENDING
    broadcasts.end_told(hood.session, now=hood.now + broadcasts.OLD_NEWS)
    assert one.state is BroadcastState.SENT
    with pytest.raises(WrongState):
        broadcasts.stop(hood.session, one.id, by=who(hood.li), now=hood.now)


def test_two_thousand_are_queued_in_a_moment(hood: Neighbourhood) -> None:
    lane = hood.wang.lane_id
    row = {"lane_id": lane, "joined_at": hood.now}
    hood.session.execute(insert(Member), [{"name": f"村民{n}", **row} for n in range(2000)])
    one = proposed(hood)
    began = time.perf_counter()
    broadcasts.approve(hood.session, one.id, by=who(hood.li), now=hood.now)
    assert time.perf_counter() - began < 2
    count = select(func.count()).where(
        Notice.kind == "broadcast", Notice.state == NoticeState.QUEUED
    )
    assert hood.session.execute(count).scalar_one() > 2000
    began = time.perf_counter()
    assert len(listeners(hood.session, one.id)) > 2000
    assert time.perf_counter() - began < 1
    assert hood.session.execute(select(func.count()).select_from(Delivery)).scalar_one() == 0
