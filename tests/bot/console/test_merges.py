"""Staff find people who are in the roll twice, compare them and propose to make them one."""

from __future__ import annotations

import pytest

from actions.timebank import disputes
from actions.timebank.ids import MemberId
from actions.timebank.model import Member, Notice, Proposal, StaffDeed
from actions.timebank.staff import proposals
from actions.timebank.staff.obstacles import Obstacle
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)
from bot.console.words import read_words
from bot.notices import told
from tests.bot.console.conftest import Client, ConsoleHouse
from tests.timebank.builders import make_member
from tests.timebank.neighbourhood import new_turn


@pytest.fixture
def chen(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR)


@pytest.fixture
def twice(console: ConsoleHouse) -> tuple[MemberId, MemberId]:
    """张秀英, and 章秀英 in the same lane with an hour and a half."""
    with console.village.transaction() as session:
        double = make_member(session, "章秀英", now=console.street.clock(), opening_minutes=90)
        return console.street.member("张秀英"), MemberId(double.id)


def propose(client: Client, kept: int, double: int, reason: str = "本人说的") -> str:
    form = {"kept": kept, "double": double, "reason": reason}
    answer = client.post("/merges", form, follow=True)
    return f"{answer.status_code} {answer.text}"


def test_who_sounds_alike_in_one_lane_is_listed(
    chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    page = chen.get("/merges").text
    assert "张秀英" in page and "章秀英" in page and "名字音一样" in page
    assert "李建国" not in page


def test_both_stand_side_by_side_and_the_look_is_written_down(
    console: ConsoleHouse, chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    zhang, double = twice
    page = chen.get(f"/merges/pair?a={zhang}&b={double}").text
    assert "张秀英和章秀英是同一个人吗" in page
    assert "一共1小时30分" in page
    seen = console.street.rows(StaffDeed, viewed=Viewed.PERSON)
    assert {row.about_id for row in seen} == {zhang, double}


def test_a_proposal_waits_for_a_second_person(
    console: ConsoleHouse, chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    zhang, double = twice
    assert "提出来了。要另一个人批准" in propose(chen, zhang, double)
    assert "等另一个人批准" in chen.get("/merges").text
    assert "已经有人提了" in chen.get(f"/merges/pair?a={double}&b={zhang}").text
    [proposed] = console.street.rows(Proposal)
    assert console.street.row(Member, id=double).left_at is None
    mediator = console.as_role(Role.MEDIATOR)
    with console.village.transaction() as session:
        proposals.approve(
            session, proposal_id=proposed.id, by=mediator.member, now=console.street.clock()
        )
    assert console.street.row(Member, id=double).left_at is not None
    assert console.street.balance("张秀英").posted == 90
    assert "章秀英" not in chen.get("/merges").text
    [notice] = console.street.rows(Notice, kind="merged")
    words, _ = told(notice, console.parts.phrases)
    who = mediator.name
    assert words == f"您有两个时间账户，{who}给并成一个了：本人说的。现在一共有90分钟。"


def test_what_is_open_is_named_and_the_other_way_round_stays_possible(
    console: ConsoleHouse, chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    zhang, double = twice
    with console.street.neighbourhood() as hood:
        disputes.complain(
            hood.session, member=double, words="不对", turn_id=new_turn(), now=hood.now
        )
    page = chen.get(f"/merges/pair?a={zhang}&b={double}").text
    assert "章秀英（" in page and "没断完的纠纷" in page
    assert page.count("留下这一个") == 1
    assert "409" in propose(chen, zhang, double)
    assert "还有事没了结，不能并：没断完的纠纷" in propose(chen, zhang, double)


def test_twice_proposed_or_without_a_reason_is_told(
    chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    zhang, double = twice
    assert propose(chen, zhang, double, " ").startswith("409")
    assert propose(chen, zhang, double).startswith("200")
    again = propose(chen, zhang, double, "<b>再提一次</b>")
    assert again.startswith("409") and "<b>" not in again


def test_nobody_merges_himself(
    console: ConsoleHouse, chen: Client, twice: tuple[MemberId, MemberId]
) -> None:
    assert chen.member is not None
    assert "跟自己有关的事" in propose(chen, chen.member, twice[1])


@pytest.mark.parametrize(
    ("a", "b"),
    [("1", "1"), ("", "2"), ("1", "4711"), ("-1", "2"), ("9" * 30, "1"), ("一", "2"), ("1", "0")],
)
def test_forged_numbers_lead_nowhere(console: ConsoleHouse, chen: Client, a: str, b: str) -> None:
    assert chen.get("/merges/pair", params={"a": a, "b": b}).status_code in (303, 404)
    form = {"kept": a, "double": b, "reason": "x"}
    assert chen.post("/merges", form).status_code in (404, 409)
    assert console.street.rows(Proposal) == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.MEDIATOR])
def test_others_do_not_propose(
    console: ConsoleHouse, twice: tuple[MemberId, MemberId], role: Role
) -> None:
    client = console.as_role(role)
    assert client.get("/merges").status_code == 403
    assert client.get(f"/merges/pair?a={twice[0]}&b={twice[1]}").status_code == 403
    assert propose(client, *twice).startswith("403")


def test_every_obstacle_and_sign_has_a_name() -> None:
    words = read_words("zh")
    for name, values in (("Obstacle", Obstacle), ("RowFate", None), ("Alike", None)):
        assert words.labels[name]
        for value in values or ():
            assert words.label(value) != value.value
