"""A table of members: what each row would do, and that nothing else is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.errors import ChangedMeanwhile, NothingOpen, NotYours, WrongState
from actions.timebank.ids import MemberId
from actions.timebank.model import Group, Lane, Member, RollImport, Skill
from actions.timebank.staff import register, roll, roll_import, roll_plan
from actions.timebank.staff.roles import Role
from actions.timebank.staff.roll import Entry, Problem
from actions.timebank.staff.roll_import import TooManyRows
from actions.timebank.staff.roll_plan import Change, Choices, Plan, Planned, RowFate
from actions.timebank.states import PriorityClass, ServiceKind
from tests.timebank.builders import MORNING, make_member
from tests.timebank.staff.desk import hired

EAST = "东片互助组"
NOBODY = MemberId(4710)


def row(line: int = 2, /, **said: Any) -> Entry:
    return Entry(line, **{"name": "王桂兰", "lane": "桂花巷", **said})


def planned(session: Session, *entries: Entry, **choices: Any) -> Plan:
    return roll_plan.plan(session, entries, Choices(**choices), by=NOBODY, now=MORNING)


def one(session: Session, entry: Entry, **choices: Any) -> Planned:
    [only] = planned(session, entry, **choices).rows
    return only


def codes(session: Session, entry: Entry, **choices: Any) -> list[tuple[str, str]]:
    return [(found.code, found.column) for found in one(session, entry, **choices).problems]


@pytest.fixture
def li(session: Session) -> Member:
    return make_member(
        session,
        "李建国",
        now=MORNING,
        birth_year=1950,
        place="村东头",
        takes_tasks=True,
        skills=[ServiceKind.MEALS, ServiceKind.REPAIR],
    )


@pytest.fixture
def chen(session: Session) -> MemberId:
    return hired(session, "陈干事", Role.COORDINATOR)


# -- what a row would do ---------------------------------------------------------------------------


def test_somebody_who_is_not_there_is_new(session: Session, li: Member) -> None:
    assert one(session, row()).fate is RowFate.NEW


def test_a_number_says_who_is_meant_and_what_changes(session: Session, li: Member) -> None:
    said = row(number=li.id, name="李建国", lane="槐树巷", birth_year=1951, lives_alone=False)
    found = one(session, said)
    assert (found.fate, found.member) == (RowFate.CHANGED, li.id)
    assert found.changes == (Change("birth_year", 1950, 1951), Change("lane", "桂花巷", "槐树巷"))


def test_empty_cells_change_nothing(session: Session, li: Member) -> None:
    assert one(session, Entry(2, number=li.id)).fate is RowFate.UNCHANGED


def test_what_went_out_comes_in_unchanged(session: Session, li: Member, chen: MemberId) -> None:
    assert {found.fate for found in planned(session, *roll.entries(session)).rows} == {
        RowFate.UNCHANGED
    }


def test_without_a_number_the_same_row_is_the_same_person(session: Session, li: Member) -> None:
    said = row(name="李建国", birth_year=1950, place="村东头")
    found = one(session, said)
    assert (found.fate, found.member) == (RowFate.UNCHANGED, li.id)


def test_somebody_like_one_who_is_there_is_for_staff_to_decide(
    session: Session, li: Member
) -> None:
    said = row(name="李建国", birth_year=1980)
    found = one(session, said)
    assert found.fate is RowFate.UNDECIDED
    assert [candidate.number for candidate in found.candidates] == [li.id]
    same = one(session, said, people={2: li.id})
    assert (same.fate, same.changes) == (RowFate.CHANGED, (Change("birth_year", 1950, 1980),))
    assert one(session, said, people={2: None}).fate is RowFate.NEW


def test_nobody_can_be_chosen_who_is_not_alike(session: Session, li: Member) -> None:
    other = make_member(session, "赵铁柱", now=MORNING)
    said = row(name="李建国", birth_year=1980)
    assert one(session, said, people={2: MemberId(other.id)}).fate is RowFate.UNDECIDED


def test_one_person_in_two_rows_is_refused(session: Session, li: Member) -> None:
    twice = Entry(2, number=li.id, birth_year=1951), Entry(3, number=li.id, birth_year=1952)
    first, second = planned(session, *twice).rows
    assert first.fate is RowFate.CHANGED
    assert second.problems == (Problem("number_twice", "number", {"line": 2}),)


def test_the_same_newcomer_twice_is_refused_but_not_a_namesake(session: Session) -> None:
    make_member(session, "赵铁柱", now=MORNING)
    rows = row(2), row(3), row(4, birth_year=1960)
    first, second, third = planned(session, *rows).rows
    assert first.fate is RowFate.NEW
    assert second.problems == (Problem("row_twice", "name", {"line": 2}),)
    assert (third.fate, third.warnings) == (
        RowFate.NEW,
        (Problem("same_name_in_file", "name", {"line": 2}),),
    )


def test_who_is_named_by_number_is_not_meant_by_another_row(session: Session, li: Member) -> None:
    rows = row(2, name="李建国"), Entry(3, number=li.id, birth_year=1951)
    first, second = planned(session, *rows).rows
    assert first.problems == (Problem("row_twice", "name", {"line": 3}),)
    assert second.fate is RowFate.CHANGED


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"name": None}, [("missing", "name")]),
        ({"lane": None}, [("missing", "lane")]),
        ({"name": "王" * 41}, [("too_long", "name")]),
        ({"name": " "}, [("empty", "name")]),
        ({"name": "王\u202e兰"}, [("control_character", "name")]),
        ({"place": "村\x00头"}, [("control_character", "place")]),
        ({"nickname": "二\ud800"}, [("control_character", "nickname")]),
        ({"name": "王\N{REPLACEMENT CHARACTER}兰"}, [("control_character", "name")]),
        ({"birth_year": 1889}, [("birth_year", "birth_year")]),
        ({"birth_year": 2027}, [("birth_year", "birth_year")]),
        ({"number": 4711}, [("number_unknown", "number")]),
        ({"number": -1}, [("number_unknown", "number")]),
        ({"number": 10**30}, [("number_unknown", "number")]),
        ({"group": "西片互助组"}, [("lane_in_other_group", "group")]),
        ({"lane": "新巷"}, [("lane_without_group", "lane")]),
        ({"lane": "新巷", "group": EAST}, [("lane_unknown", "lane")]),
        ({"lane": None, "group": EAST}, [("group_without_lane", "group"), ("missing", "lane")]),
        (
            {"name": "王" * 41, "birth_year": 3, "lane": None},
            [("too_long", "name"), ("birth_year", "birth_year"), ("missing", "lane")],
        ),
    ],
)
def test_a_row_tells_all_that_is_wrong_with_it(
    session: Session, said: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    make_member(session, "赵铁柱", now=MORNING)
    assert codes(session, row(**said)) == expected


def test_what_the_reader_could_not_read_counts(session: Session) -> None:
    make_member(session, "赵铁柱", now=MORNING)
    said = Entry(2, lane="桂花巷", problems=(Problem("formula", "name"),))
    assert codes(session, said) == [("formula", "name")]


def test_somebody_who_left_is_not_changed_by_his_number(session: Session, li: Member) -> None:
    li.left_at = MORNING
    session.flush()
    assert codes(session, Entry(2, number=li.id)) == [("number_unknown", "number")]


def test_a_training_is_not_lost_by_a_table(session: Session) -> None:
    zhang = make_member(session, "张秀英", now=MORNING, trained=[ServiceKind.BATHING])
    said = Entry(2, number=zhang.id, kinds=(ServiceKind.MEALS,))
    assert codes(session, said) == [("trained", "kinds")]


def test_a_new_lane_is_offered_and_made_only_when_chosen(session: Session) -> None:
    make_member(session, "赵铁柱", now=MORNING)
    rows = row(2, lane="新巷", group="北片"), row(3, name="李", lane="新巷")
    before = planned(session, *rows)
    [offered] = before.new_lanes
    assert (offered.name, offered.group, offered.group_is_new, offered.chosen) == (
        "新巷",
        "北片",
        True,
        False,
    )
    after = planned(session, *rows, lanes=frozenset({"新巷"}))
    assert [found.fate for found in after.rows] == [RowFate.NEW, RowFate.NEW]


def test_a_lane_with_a_bad_name_is_never_offered(session: Session) -> None:
    make_member(session, "赵铁柱", now=MORNING)
    bad = row(lane="新\x07巷", group="北片")
    plan = planned(session, bad, lanes=frozenset({"新\x07巷"}))
    assert plan.new_lanes == ()
    assert plan.rows[0].fate is RowFate.REFUSED


def test_priorities_come_by_a_table_but_nobody_s_own(
    session: Session, li: Member, chen: MemberId
) -> None:
    poor = (PriorityClass.LOW_INCOME,)
    rows = Entry(2, number=li.id, priorities=poor), Entry(3, number=chen, priorities=poor)
    plan = roll_plan.plan(session, rows, Choices(), by=chen, now=MORNING)
    assert plan.rows[0].changes == (Change("priorities", (), poor),)
    assert plan.rows[1].problems == (Problem("own_priority", "priorities"),)
    confirm(session, upload(session, chen, *rows), chen)
    assert [row.priority for row in register.priorities_of(session, li.id)] == [*poor]
    assert register.priorities_of(session, chen) == []


def test_who_changed_what_is_written_down_and_open_pages_notice(
    session: Session, li: Member, chen: MemberId
) -> None:
    before = li.version
    said = Entry(2, number=li.id, lane="槐树巷", kinds=(ServiceKind.MEALS,), birth_year=1951)
    confirm(session, upload(session, chen, said, row(3)), chen)
    changes = register.changes_of(session, li.id, limit=9)
    assert {(one.field, one.before, one.after, one.by_id) for one in changes} == {
        ("lane", "桂花巷", "槐树巷", chen),
        ("skills", "meals repair", "meals", chen),
        ("birth_year", "1950", "1951", chen),
    }
    assert li.version == before + 1
    wang = members.find_member(session, "王桂兰")
    assert [one.field for one in register.changes_of(session, wang.id, limit=9)] == ["joined"]


# -- from the upload to the confirmation -----------------------------------------------------------


def upload(session: Session, by: MemberId, *entries: Entry) -> RollImport:
    return roll_import.keep(session, entries, by=by, now=MORNING)


def confirm(session: Session, kept: RollImport, by: MemberId) -> Plan:
    return roll_import.confirm(session, kept.id, by=by, now=MORNING)


def count(session: Session, model: Any) -> int:
    return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def test_nothing_is_written_before_the_confirmation(
    session: Session, li: Member, chen: MemberId
) -> None:
    before = roll.digest(session)
    kept = upload(session, chen, row(), Entry(3, number=li.id, place="村西头"))
    roll_import.preview(session, kept, now=MORNING)
    assert roll.digest(session) == before


def test_confirmed_rows_are_written_and_the_same_table_again_is_unchanged(
    session: Session, li: Member, chen: MemberId
) -> None:
    table = (
        row(2, nickname="桂兰", birth_year=1943, lives_alone=True, place="老槐树旁"),
        Entry(3, number=li.id, lane="新巷", group="北片", kinds=(ServiceKind.MEALS,)),
        row(4, name="赵铁柱", lane="新巷", kinds=(ServiceKind.HAIRCUT,), takes_tasks=True),
        row(5, name="王" * 41),
    )
    kept = upload(session, chen, *table)
    roll_import.choose(session, kept, Choices(lanes=frozenset({"新巷"})))
    done = confirm(session, kept, chen)
    assert [found.fate for found in done.rows] == [
        RowFate.NEW,
        RowFate.CHANGED,
        RowFate.NEW,
        RowFate.REFUSED,
    ]
    wang = members.find_member(session, "王桂兰")
    assert (wang.nickname, wang.birth_year, wang.lives_alone, wang.place) == (
        "桂兰",
        1943,
        True,
        "老槐树旁",
    )
    assert ledger.balance(session, ledger.account_of(session, wang.id).id).posted == 0
    zhao = members.find_member(session, "赵铁柱")
    assert [skill.service_kind for skill in members.skills_of(session, zhao.id)] == [
        ServiceKind.HAIRCUT
    ]
    assert (li.lane.name, li.lane.group.name, zhao.lane_id) == ("新巷", "北片", li.lane_id)
    kinds = [skill.service_kind for skill in members.skills_of(session, li.id)]
    assert kinds == [ServiceKind.MEALS]

    people, lanes, groups = count(session, Member), count(session, Lane), count(session, Group)
    again = upload(session, chen, *table)
    fates = [found.fate for found in roll_import.preview(session, again, now=MORNING).rows]
    assert fates == [RowFate.UNCHANGED, RowFate.UNCHANGED, RowFate.UNCHANGED, RowFate.REFUSED]
    confirm(session, again, chen)
    assert (people, lanes, groups) == (
        count(session, Member),
        count(session, Lane),
        count(session, Group),
    )


def test_nobody_becomes_staff_by_a_table(session: Session, chen: MemberId) -> None:
    confirm(session, upload(session, chen, row()), chen)
    assert members.find_member(session, "王桂兰").is_coordinator is False


def test_a_table_is_confirmed_once(session: Session, chen: MemberId) -> None:
    kept = upload(session, chen, row())
    confirm(session, kept, chen)
    with pytest.raises(WrongState) as refused:
        confirm(session, kept, chen)
    assert refused.value.facts == {"state": "confirmed"}
    assert count(session, Skill) == 0


@pytest.mark.parametrize("what", ["name", "skill", "lane", "left"])
def test_when_the_roll_changed_meanwhile_nothing_is_written(
    session: Session, li: Member, chen: MemberId, what: str
) -> None:
    kept = upload(session, chen, row())
    if what == "name":
        li.name = "李建军"
    elif what == "skill":
        session.add(Skill(member_id=li.id, service_kind=ServiceKind.HAIRCUT))
    elif what == "lane":
        session.add(Lane(name="新巷", group=li.lane.group))
    else:
        li.left_at = MORNING
    session.flush()
    with pytest.raises(ChangedMeanwhile):
        confirm(session, kept, chen)
    assert session.scalar(select(Member).where(Member.name == "王桂兰")) is None
    roll_import.look_again(session, kept)
    assert confirm(session, kept, chen).count(RowFate.NEW) == 1


def test_nobody_else_sees_or_confirms_an_upload(session: Session, chen: MemberId) -> None:
    kept = upload(session, chen, row())
    other = hired(session, "周干事", Role.COORDINATOR)
    with pytest.raises(NothingOpen):
        confirm(session, kept, other)
    for bad in (0, -1, 10**30, kept.id + 1):
        with pytest.raises(NothingOpen):
            roll_import.find(session, bad, by=chen, now=MORNING)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.MEDIATOR])
def test_only_who_may_edit_people_uploads(session: Session, role: Role) -> None:
    with pytest.raises(NotYours):
        upload(session, hired(session, "某人", role), row())
    with pytest.raises(NotYours):
        upload(session, MemberId(make_member(session, "村民", now=MORNING).id), row())


def test_an_upload_ends_after_an_hour_and_is_deleted(session: Session, chen: MemberId) -> None:
    kept = upload(session, chen, row())
    later = MORNING + timedelta(hours=1)
    with pytest.raises(NothingOpen):
        roll_import.confirm(session, kept.id, by=chen, now=later)
    roll_import.keep(session, [row()], by=chen, now=later)
    assert count(session, RollImport) == 1


def test_a_newer_upload_takes_the_place_of_the_older(session: Session, chen: MemberId) -> None:
    upload(session, chen, row())
    upload(session, chen, row(name="李"))
    assert count(session, RollImport) == 1


def test_more_rows_than_any_village_has_are_refused(session: Session, chen: MemberId) -> None:
    with pytest.raises(TooManyRows):
        upload(session, chen, *[row(n) for n in range(roll.MOST_ROWS + 1)])


def test_entries_survive_being_kept(session: Session) -> None:
    said = row(
        number=3,
        kinds=(ServiceKind.MEALS,),
        lives_alone=False,
        problems=(Problem("kind_unknown", "kinds", {"said": "飞"}),),
    )
    assert roll.from_json(roll.as_json([said, Entry(3)])) == [said, Entry(3)]
