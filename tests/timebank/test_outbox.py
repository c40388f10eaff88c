"""Notices: told once, in order, and to nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.orm import Session

from actions.timebank import outbox
from actions.timebank.errors import NotYours
from actions.timebank.ids import NoticeId
from actions.timebank.model import Member, Notice
from actions.timebank.session import Village
from actions.timebank.states import NoticeState, ServiceKind
from tests.timebank.builders import MORNING, FakeClock, make_member


@pytest.fixture
def elder(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "王桂兰", now=clock())


@pytest.fixture
def helper(session: Session, clock: FakeClock) -> Member:
    return make_member(session, "张秀英", now=clock())


def put(session: Session, recipient: Member, key: str, **facts: object) -> Notice:
    return outbox.queue(
        session,
        recipient=recipient.id,
        kind="offer_made",
        facts=facts,
        dedupe_key=key,
        now=MORNING,
    )


def test_notices_wait_in_order_for_each_person(
    session: Session, elder: Member, helper: Member
) -> None:
    first = put(session, elder, "one")
    put(session, helper, "two")
    last = put(session, elder, "three")

    assert outbox.queued_for(session, elder.id) == [first, last]
    assert [one.dedupe_key for one in outbox.queued_for(session, helper.id)] == [f"{helper.id}:two"]


def test_the_same_key_again_queues_nothing_new(session: Session, elder: Member) -> None:
    first = put(session, elder, "one", minutes=60)

    assert put(session, elder, "one", minutes=90) is first
    assert first.facts == {"minutes": 60}
    assert session.query(Notice).count() == 1


def test_the_same_key_again_after_delivery_does_not_tell_twice(
    session: Session, elder: Member
) -> None:
    first = put(session, elder, "one")
    outbox.deliver(session, notice_id=first.id, member=elder.id, now=MORNING)

    put(session, elder, "one")

    assert outbox.queued_for(session, elder.id) == []


def test_two_people_are_told_under_one_key(session: Session, elder: Member, helper: Member) -> None:
    put(session, elder, "one")
    put(session, helper, "one")

    assert len(outbox.queued_for(session, elder.id)) == 1
    assert len(outbox.queued_for(session, helper.id)) == 1


def test_a_notice_is_delivered_once_however_often_it_is_said(
    session: Session, elder: Member
) -> None:
    notice = put(session, elder, "one")

    for later in (0, 5):
        outbox.deliver(
            session,
            notice_id=notice.id,
            member=elder.id,
            now=MORNING + timedelta(minutes=later),
        )

    assert notice.state is NoticeState.DELIVERED
    assert notice.delivered_at == MORNING
    assert outbox.queued_for(session, elder.id) == []


def test_nobody_takes_anothers_notice(session: Session, elder: Member, helper: Member) -> None:
    notice = put(session, elder, "one")

    for notice_id in (notice.id, NoticeId(404), NoticeId(-1), NoticeId(10**30)):
        with pytest.raises(NotYours):
            outbox.deliver(session, notice_id=notice_id, member=helper.id, now=MORNING)
    assert outbox.queued_for(session, elder.id) == [notice]


def test_facts_come_back_as_plain_values(village: Village) -> None:
    china = timezone(timedelta(hours=8))
    with village.transaction() as session:
        elder = make_member(session, "王桂兰", now=MORNING)
        notice = put(
            session,
            elder,
            "one",
            kind=ServiceKind.SHOPPING,
            starts_at=datetime(2026, 3, 3, 9, 0, tzinfo=china),
            why=("helped_before", "same_lane"),
            claimed=None,
            note="<b>&'\"</b>",
        )
        notice_id = notice.id

    with village.reading() as session:
        facts = session.get(Notice, notice_id).facts
    assert facts == {
        "kind": "shopping",
        "starts_at": "2026-03-03T01:00:00+00:00",
        "why": ["helped_before", "same_lane"],
        "claimed": None,
        "note": "<b>&'\"</b>",
    }
    assert type(facts["kind"]) is str


@pytest.mark.parametrize(
    ("fact", "problem"), [(datetime(2026, 3, 3), ValueError), (object(), TypeError)]
)
def test_a_fact_that_cannot_be_told_is_a_bug(
    session: Session, elder: Member, fact: object, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        put(session, elder, "one", fact=fact)


def test_what_is_undone_is_not_told(village: Village) -> None:
    with village.transaction() as session:
        elder_id = make_member(session, "王桂兰", now=MORNING).id

    with pytest.raises(RuntimeError), village.transaction() as session:
        put(session, session.get(Member, elder_id), "one")
        raise RuntimeError("the visit could not be stored")

    with village.reading() as session:
        assert outbox.queued_for(session, elder_id) == []
