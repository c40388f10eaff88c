"""The people: finding them, who is near, how each is spoken to."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.errors import UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Group, Lane, Relation, Skill
from actions.timebank.states import RelationKind, ServiceKind
from tests.timebank.builders import FakeClock, make_lane, make_member, make_village


def relate(session: Session, one: int, other: int, kind: RelationKind) -> None:
    session.add(Relation(member_id=one, other_id=other, kind=kind))
    session.flush()


def names(people: list[members.Member]) -> list[str]:
    return [one.name for one in people]


@pytest.fixture
def lane(session: Session, clock: FakeClock) -> Lane:
    return make_lane(session, "井台巷", make_village(session, clock()))


def test_a_newcomer_has_an_empty_account(session: Session, clock: FakeClock, lane: Lane) -> None:
    newcomer = members.join(session, name=" 王桂兰 ", lane=lane, now=clock(), lives_alone=True)

    account = ledger.account_of(session, newcomer.id)
    assert newcomer.name == "王桂兰"
    assert newcomer.joined_at == clock()
    assert newcomer.lives_alone
    assert ledger.balance(session, account.id) == ledger.BalanceOf(0, 0, 0)


@pytest.mark.parametrize("name", ["", "   ", "王" * 41])
def test_a_name_that_is_none_is_refused(
    session: Session, clock: FakeClock, lane: Lane, name: str
) -> None:
    with pytest.raises(members.BadName):
        members.join(session, name=name, lane=lane, now=clock())


@pytest.mark.parametrize("name", ["<b>王</b>", "'; DROP TABLE member; --", "😀", "O'Neil"])
def test_a_strange_name_is_kept_as_it_is_and_found_again(
    session: Session, clock: FakeClock, lane: Lane, name: str
) -> None:
    newcomer = members.join(session, name=name, lane=lane, now=clock())

    assert members.find_member(session, name).id == newcomer.id


def test_a_member_is_found_by_id_name_and_nickname(session: Session, clock: FakeClock) -> None:
    elder = make_member(session, "王桂兰", now=clock(), nickname="兰婶")

    for called in (elder.id, str(elder.id), "王桂兰", " 王桂兰 ", "兰婶"):
        assert members.find_member(session, called) is elder


@pytest.mark.parametrize(
    "called", ["", "王", "没这个人", "0", "-1", "99", "9" * 30, "%", "王桂兰'", 0, -1, 2**40]
)
def test_who_is_not_there_is_not_found(
    session: Session, clock: FakeClock, called: str | int
) -> None:
    make_member(session, "王桂兰", now=clock())

    with pytest.raises(UnknownMember) as refusal:
        members.find_member(session, called)
    assert "same_name" not in refusal.value.facts


def test_two_people_of_one_name_are_told_apart(session: Session, clock: FakeClock) -> None:
    first = make_member(session, "李秀英", now=clock(), nickname="大秀英")
    second = make_member(session, "李秀英", now=clock(), nickname="小秀英")

    with pytest.raises(UnknownMember) as refusal:
        members.find_member(session, "李秀英")
    assert refusal.value.facts["same_name"] == [first.id, second.id]
    assert members.find_member(session, "小秀英") is second


def test_a_name_goes_before_a_nickname(session: Session, clock: FakeClock) -> None:
    make_member(session, "刘大山", now=clock(), nickname="石头")
    stone = make_member(session, "石头", now=clock())

    assert members.find_member(session, "石头") is stone


def test_who_has_left_is_known_but_not_found(session: Session, clock: FakeClock) -> None:
    gone = make_member(session, "孙玉梅", now=clock(), is_coordinator=True)
    gone.left_at = clock()

    for called in (gone.id, "孙玉梅"):
        with pytest.raises(UnknownMember):
            members.find_member(session, called)
    assert members.member(session, gone.id) is gone
    assert members.coordinators(session) == []


def test_neighbours_come_nearest_first_and_kin_do_not_count(
    session: Session, clock: FakeClock
) -> None:
    now = clock()
    elder = make_member(session, "王桂兰", now=now, lane="桂花巷")
    make_member(session, "邻巷", now=now, lane="槐树巷", takes_tasks=True)
    make_member(session, "同巷老人", now=now, lane="桂花巷")
    make_member(session, "同巷帮手", now=now, lane="桂花巷", takes_tasks=True)
    make_member(session, "走了的", now=now, lane="桂花巷", left_at=now)
    daughter_in_law = make_member(session, "儿媳", now=now, lane="桂花巷", takes_tasks=True)
    relate(session, daughter_in_law.id, elder.id, RelationKind.KIN)
    west = Group(name="西片")
    session.add(west)
    far_lane = make_lane(session, "河沿巷", west)
    members.join(session, name="外片", lane=far_lane, now=now, takes_tasks=True)
    old_friend = members.join(session, name="外片老姐妹", lane=far_lane, now=now)
    relate(session, elder.id, old_friend.id, RelationKind.NEIGHBOUR)

    near = members.neighbours_of(session, elder.id)

    assert names(near) == ["外片老姐妹", "同巷帮手", "同巷老人", "邻巷"]


def test_kin_is_kin_whoever_said_so(session: Session, clock: FakeClock) -> None:
    elder, wife, son, neighbour = (
        make_member(session, name, now=clock()) for name in ("老伴", "婆婆", "儿子", "邻居")
    )
    relate(session, elder.id, wife.id, RelationKind.SPOUSE)
    relate(session, son.id, elder.id, RelationKind.KIN)
    relate(session, elder.id, neighbour.id, RelationKind.NEIGHBOUR)

    assert names(members.kin_of(session, elder.id)) == ["婆婆", "儿子"]
    assert names(members.kin_of(session, wife.id)) == ["老伴"]


@pytest.mark.parametrize(
    ("by", "pace"), [(-members.PACE_STEP, 140), (members.PACE_STEP, 180), (-999, 100), (999, 240)]
)
def test_the_pace_changes_a_step_and_stays_speakable(
    session: Session, clock: FakeClock, by: int, pace: int
) -> None:
    elder = make_member(session, "王桂兰", now=clock())

    assert members.set_pace(session, member=elder.id, by=by) == pace
    assert members.set_pace(session, member=elder.id, by=0) == pace


@pytest.mark.parametrize(
    ("by", "gain"), [(members.GAIN_STEP, 125), (-members.GAIN_STEP, 75), (-999, 50), (999, 300)]
)
def test_the_loudness_changes_a_step_and_stays_audible(
    session: Session, clock: FakeClock, by: int, gain: int
) -> None:
    elder = make_member(session, "王桂兰", now=clock())

    assert members.set_gain(session, member=elder.id, by=by) == gain


def test_offering_help_adds_to_what_one_did_before(session: Session, clock: FakeClock) -> None:
    helper = make_member(
        session, "陈玉芬", now=clock(), trained=[ServiceKind.BATHING], takes_tasks=False
    )
    wanted = [ServiceKind.SHOPPING, ServiceKind.BATHING, ServiceKind.SHOPPING]

    for _ in range(2):
        skills = members.offer_help(session, member=helper.id, kinds=wanted)

    assert helper.takes_tasks
    assert [(one.service_kind, one.trained) for one in skills] == [
        (ServiceKind.BATHING, True),
        (ServiceKind.SHOPPING, False),
    ]
    assert session.query(Skill).count() == 2


def test_a_gated_kind_is_noted_but_not_trained(session: Session, clock: FakeClock) -> None:
    helper = make_member(session, "周小梅", now=clock())

    (skill,) = members.offer_help(session, member=helper.id, kinds=[ServiceKind.BATHING])

    assert not skill.trained


def test_nobody_cannot_do_anything(session: Session) -> None:
    nobody = MemberId(404)
    with pytest.raises(UnknownMember):
        members.set_pace(session, member=nobody, by=20)
    with pytest.raises(UnknownMember):
        members.set_gain(session, member=nobody, by=25)
    with pytest.raises(UnknownMember):
        members.offer_help(session, member=nobody, kinds=[ServiceKind.MEALS])
    with pytest.raises(UnknownMember):
        members.neighbours_of(session, nobody)


@pytest.mark.parametrize(
    "by, patience", [(1_000, 3_500), (-1_000, 2_500), (10_000, 6_000), (0, 2_500)]
)
def test_patience_grows_up_to_its_end_for_one_person(
    session: Session, clock: FakeClock, by: int, patience: int
) -> None:
    elder = make_member(session, "王桂兰", now=clock())
    other = make_member(session, "李二", now=clock())
    assert members.set_patience(session, member=elder.id, by=by) == patience
    assert (elder.patience_ms, other.patience_ms) == (patience, 2_500)


@pytest.mark.parametrize("patience", [2_499, 6_001, -1])
def test_the_database_keeps_patience_bearable(
    session: Session, clock: FakeClock, patience: int
) -> None:
    make_member(session, "王桂兰", now=clock()).patience_ms = patience
    with pytest.raises(IntegrityError):
        session.flush()


def test_who_may_be_meant_by_a_given_name_a_name_or_a_nickname(
    session: Session, clock: FakeClock
) -> None:
    zhang = make_member(session, "张秀英", now=clock(), nickname="二丫")
    li = make_member(session, "李秀英", now=clock())
    make_member(session, "陈秀英", now=clock(), left_at=clock())
    girl = make_member(session, "王二丫", now=clock())

    for name, said, meant in (
        ("张秀英", "秀英", [zhang, li]),
        ("张秀英", "张秀英", [zhang]),
        ("张秀英", "二丫", [zhang, girl]),
        ("李秀英", "秀音", [zhang, li]),
        ("没这个人", "这人", []),
    ):
        assert members.namesakes(session, name, said=said) == meant, said


def test_whom_she_calls_hers(session: Session, clock: FakeClock) -> None:
    wife, man, girl, suitor, gone = (
        make_member(session, name, now=clock()) for name in ("老伴", "老头", "闺女", "外人", "走了")
    )
    relate(session, man.id, wife.id, RelationKind.SPOUSE)
    relate(session, wife.id, girl.id, RelationKind.KIN)
    relate(session, suitor.id, wife.id, RelationKind.KIN)
    relate(session, wife.id, gone.id, RelationKind.KIN)
    gone.left_at = clock()

    hers = members.relations_of(session, wife.id)

    assert [(one.name, kind) for one, kind, _ in hers] == [
        ("老头", RelationKind.SPOUSE),
        ("闺女", RelationKind.KIN),
    ], "a marriage holds for both, other kin only by her own word"
