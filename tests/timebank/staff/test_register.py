"""Staff write down who people are; whoever is second is told, and who changed what stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.timebank import deadlines, members, training
from actions.timebank.errors import (
    BadDetails,
    ChangedMeanwhile,
    NotForSelf,
    NothingOpen,
    NotYours,
)
from actions.timebank.ids import MemberId
from actions.timebank.members import BadName
from actions.timebank.model import Member, Skill, StaffAccount
from actions.timebank.staff import accounts, people, register
from actions.timebank.staff.register import Basics, Voice
from actions.timebank.staff.roles import PERMISSIONS, Permission, Role
from actions.timebank.states import PriorityClass, ServiceKind
from tests.timebank.builders import MORNING, make_member
from tests.timebank.neighbourhood import Neighbourhood, settle_in


@pytest.fixture
def hood(session: Session) -> Neighbourhood:
    hood = settle_in(session, MORNING)
    hired(hood, hood.staff, Role.COORDINATOR)
    return hood


def hired(hood: Neighbourhood, person: Member, *roles: Role) -> StaffAccount:
    return accounts.make(
        hood.session,
        member=MemberId(person.id),
        login=f"staff{person.id}",
        roles=roles,
        password_hash="x",
        now=hood.now,
    )


def basics(person: Member, **changed: Any) -> Basics:
    kept = Basics(
        name=person.name,
        nickname=person.nickname or "",
        birth_year=person.birth_year,
        lane_id=person.lane_id,
        place=person.place,
        lives_alone=person.lives_alone,
    )
    return replace(kept, **changed)


def correct(hood: Neighbourhood, seen: int | None = None, **changed: Any) -> Member:
    return register.correct(
        hood.session,
        member=hood.wang.id,
        seen=hood.wang.version if seen is None else seen,
        basics=basics(hood.wang, **changed),
        by=hood.staff.id,
        now=hood.now,
    )


def learned(hood: Neighbourhood, until: Any = None, **about: Any) -> Any:
    given: dict[str, Any] = {
        "member": hood.zhang.id,
        "seen": hood.zhang.version,
        "kind": ServiceKind.BATHING,
        "trained_at": hood.now - timedelta(days=3),
        "until": until,
        "by": hood.staff.id,
        "now": hood.now,
    }
    return register.record_training(hood.session, **{**given, **about})


def trained(hood: Neighbourhood) -> bool:
    hood.session.expire_all()
    kinds = {s.service_kind: s.trained for s in members.skills_of(hood.session, hood.zhang.id)}
    return kinds.get(ServiceKind.BATHING, False)


def test_a_corrected_name_leaves_who_changed_it(hood: Neighbourhood) -> None:
    before = hood.wang.name
    correct(hood, name=" 王桂香 ")
    [change] = register.changes_of(hood.session, hood.wang.id, limit=5)
    assert (change.field, change.before, change.after) == ("name", before, "王桂香")
    assert (change.by_id, change.at) == (hood.staff.id, hood.now)
    assert hood.wang.name == "王桂香"


def test_saving_what_is_there_changes_nothing_that_is_told(hood: Neighbourhood) -> None:
    correct(hood)
    assert register.changes_of(hood.session, hood.wang.id, limit=5) == []


def test_the_second_of_two_is_told_who_was_first(hood: Neighbourhood) -> None:
    seen = hood.wang.version
    correct(hood, place="河边")
    with pytest.raises(ChangedMeanwhile) as told:
        correct(hood, seen=seen, place="山上")
    assert told.value.facts["by"] == hood.staff.name
    assert told.value.facts["at"] == hood.now
    assert hood.wang.place == "河边"


@pytest.mark.parametrize(
    "wrong, refusal",
    [
        ({"name": "  "}, BadName),
        ({"name": "长" * 41}, BadName),
        ({"birth_year": 1700}, BadDetails),
        ({"birth_year": 2100}, BadDetails),
        ({"lane_id": 0}, BadDetails),
        ({"lane_id": 2**40}, BadDetails),
        ({"place": "远" * 121}, BadDetails),
        ({"nickname": "小" * 41}, BadDetails),
    ],
)
def test_details_that_cannot_be_are_refused(
    hood: Neighbourhood, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        correct(hood, **wrong)


def test_a_newcomer_has_an_empty_account(hood: Neighbourhood) -> None:
    new = register.register(
        hood.session, basics=basics(hood.wang, name="钱奶奶"), by=hood.staff.id, now=hood.now
    )
    assert hood.balance(new).available == 0 and not new.is_coordinator


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_only_who_edits_people_edits(hood: Neighbourhood, role: Role) -> None:
    clerk = make_member(hood.session, "小周", now=hood.now)
    hired(hood, clerk, role)

    def edit() -> None:
        register.correct(
            hood.session,
            member=hood.wang.id,
            seen=hood.wang.version,
            basics=basics(hood.wang, place="河边"),
            by=clerk.id,
            now=hood.now,
        )

    if Permission.EDIT_PEOPLE in PERMISSIONS[role]:
        edit()
    else:
        with pytest.raises(NotYours):
            edit()


@pytest.mark.parametrize("voice", [Voice(99, 100, 2500), Voice(160, 301, 2500), Voice(160, 100, 0)])
def test_a_voice_nobody_could_bear_is_refused(hood: Neighbourhood, voice: Voice) -> None:
    with pytest.raises(BadDetails):
        register.set_voice(
            hood.session,
            member=hood.wang.id,
            seen=hood.wang.version,
            voice=voice,
            by=hood.staff.id,
            now=hood.now,
        )


def prioritised(hood: Neighbourhood, member: Member, *which: PriorityClass) -> None:
    register.set_priorities(
        hood.session,
        member=member.id,
        seen=member.version,
        priorities=which,
        by=hood.staff.id,
        now=hood.now,
    )


def test_several_priorities_may_hold_and_the_newest_list_counts(hood: Neighbourhood) -> None:
    prioritised(hood, hood.wang, PriorityClass.OLD_AND_ALONE, PriorityClass.LOW_INCOME)
    prioritised(hood, hood.wang, PriorityClass.LOW_INCOME, PriorityClass.DISABLED)
    rows = register.priorities_of(hood.session, hood.wang.id)
    assert [row.priority for row in rows] == [PriorityClass.DISABLED, PriorityClass.LOW_INCOME]


def test_nobody_looks_after_himself_first(hood: Neighbourhood) -> None:
    with pytest.raises(NotForSelf):
        prioritised(hood, hood.staff, PriorityClass.LOW_INCOME)
    with pytest.raises(NotForSelf):
        learned(hood, member=hood.staff.id, seen=hood.staff.version)


def test_only_a_recorded_training_opens_a_gated_kind(hood: Neighbourhood) -> None:
    register.set_helping(
        hood.session,
        member=hood.zhang.id,
        seen=hood.zhang.version,
        takes_tasks=True,
        kinds={ServiceKind.BATHING},
        by=hood.staff.id,
        now=hood.now,
    )
    assert not trained(hood)
    record = learned(hood)
    assert trained(hood)
    for _twice in range(2):
        register.end_training(
            hood.session,
            member=hood.zhang.id,
            training_id=record.id,
            by=hood.staff.id,
            now=hood.now,
        )
    assert not trained(hood)


def test_a_skill_taken_away_and_given_back_keeps_what_was_learned(hood: Neighbourhood) -> None:
    learned(hood)
    for kinds in (set(), {ServiceKind.BATHING}):
        register.set_helping(
            hood.session,
            member=hood.zhang.id,
            seen=hood.zhang.version,
            takes_tasks=True,
            kinds=kinds,
            by=hood.staff.id,
            now=hood.now,
        )
        assert trained(hood) is bool(kinds)


def test_a_training_runs_out_at_its_day(hood: Neighbourhood) -> None:
    learned(hood, until=hood.now + timedelta(days=10))
    deadlines.expire_due(hood.session, now=hood.now + timedelta(days=9))
    assert trained(hood)
    deadlines.expire_due(hood.session, now=hood.now + timedelta(days=10))
    assert not trained(hood)


def test_what_was_learned_before_there_were_records_does_not_run_out(hood: Neighbourhood) -> None:
    hood.session.add(Skill(member_id=hood.zhang.id, service_kind=ServiceKind.BATHING, trained=True))
    training.lapse(hood.session, now=hood.now + timedelta(days=900))
    assert trained(hood)


def test_a_training_of_tomorrow_or_of_somebody_else_is_none(hood: Neighbourhood) -> None:
    with pytest.raises(BadDetails):
        learned(hood, trained_at=hood.now + timedelta(days=1))
    with pytest.raises(BadDetails):
        learned(hood, until=hood.now)
    record = learned(hood)
    with pytest.raises(NothingOpen):
        register.end_training(
            hood.session,
            member=hood.li.id,
            training_id=record.id,
            by=hood.staff.id,
            now=hood.now,
        )


def test_only_the_administrator_makes_village_staff_and_never_himself(
    hood: Neighbourhood,
) -> None:
    def make(member: Member, by: Member) -> None:
        register.set_coordinator(
            hood.session, member=member.id, is_coordinator=True, by=by.id, now=hood.now
        )

    with pytest.raises(NotYours):
        make(hood.zhang, hood.staff)
    hired(hood, hood.li, Role.ADMINISTRATOR)
    with pytest.raises(NotForSelf):
        make(hood.li, hood.li)
    make(hood.zhang, hood.li)
    assert hood.zhang.is_coordinator


@pytest.mark.parametrize(
    "change", ["UPDATE member_change SET after = 'x'", "DELETE FROM member_change"]
)
def test_who_changed_what_stays_written_down(hood: Neighbourhood, change: str) -> None:
    correct(hood, place="河边")
    with pytest.raises(DBAPIError, match="stays written down"):
        hood.session.execute(text(change))


def test_the_list_finds_by_part_of_a_name_and_a_percent_sign_is_no_joker(
    hood: Neighbourhood,
) -> None:
    def found(words: str, **wanted: Any) -> list[str]:
        listed = people.search(
            hood.session, people.Wanted(words=words, **wanted), sees_private=True
        )
        return [one.name for one in listed.people]

    assert found("秀英") == ["张秀英"]
    assert found("%") == [] and found("_") == []
    assert found(str(hood.wang.id)) == [hood.wang.name]
    prioritised(hood, hood.wang, PriorityClass.LOW_INCOME)
    assert found("", priority=PriorityClass.LOW_INCOME) == [hood.wang.name]
    assert found("", have_left=True) == []


def test_who_only_looks_learns_nothing_private(hood: Neighbourhood) -> None:
    prioritised(hood, hood.wang, PriorityClass.LOW_INCOME)
    for role in (Role.VIEWER, Role.MEDIATOR, Role.BOOKKEEPER):
        known = people.about(
            hood.session, hood.wang.id, permissions=PERMISSIONS[role], now=hood.now
        )
        assert known.private is None
        assert (known.balance is None) is (Permission.SEE_BOOKS not in PERMISSIONS[role])
    wanted = people.Wanted(priority=PriorityClass.LOW_INCOME)
    listed = people.search(hood.session, wanted, sees_private=False)
    assert listed.total > 1 and listed.priorities == {}
