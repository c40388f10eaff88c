"""What staff see and do on the pages of the day: requests, visits, disputes, alarms."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from actions.timebank import alerts, disputes, turns
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Alert, Dispute, Offer, StaffDeed, StaffSession
from actions.timebank.staff.roles import Role
from actions.timebank.states import AlertState, DisputeState, OfferState
from bot.console import health as health_module
from bot.console.health import Health, Mark, Sign, Watch
from bot.console.words import read_words
from tests.bot.console.conftest import ConsoleHouse
from tests.timebank.neighbourhood import new_turn

HEALTH = Path(health_module.__file__)


def cry(console: ConsoleHouse, name: str = "王奶奶") -> int:
    with console.street.neighbourhood() as hood:
        alert = alerts.raise_alert(
            hood.session,
            member=console.street.member(name),
            words="我摔倒了",
            turn_id=new_turn(),
            now=hood.now,
        )
        return int(alert.id)


def differing(console: ConsoleHouse) -> int:
    with console.street.neighbourhood() as hood:
        request = hood.ask()
        hood.claim(hood.accepted(request), 90)
        hood.confirm(request, 30)
        return int(hood.session.query(Dispute).one().id)


# -- today ----------------------------------------------------------------------------------------


def test_the_console_opens_on_today(console: ConsoleHouse) -> None:
    for role in Role:
        page = console.as_role(role).follow("/")
        assert page.url.path == "/console/today", role


@pytest.mark.parametrize(
    ("role", "way", "closed"),
    [
        (Role.BOOKKEEPER, "/console/books", "/console/staff"),
        (Role.VIEWER, "/console/conversations", "/console/books"),
        (Role.ADMINISTRATOR, "/console/staff", "/console/books"),
    ],
)
def test_who_only_looks_at_today_is_shown_where_his_work_is(
    console: ConsoleHouse, role: Role, way: str, closed: str
) -> None:
    page = console.as_role(role).get("/today").text
    steps = page.split("您的账号能做什么")[1].split("</details>")[0]
    assert f'href="{way}"' in steps and f'href="{closed}"' not in page


def test_who_handles_the_day_needs_no_such_hint(console: ConsoleHouse) -> None:
    assert "您的账号能做什么" not in console.as_role(Role.COORDINATOR).get("/today").text


def test_a_quiet_day_says_so(console: ConsoleHouse) -> None:
    page = console.as_role(Role.VIEWER).get("/today").text
    assert "没有急着要办的事" in page and "现在没有求助" in page


def test_everything_that_stands_open_is_one_click_away(console: ConsoleHouse) -> None:
    alert, dispute = cry(console), differing(console)
    with console.street.neighbourhood() as hood:
        request = hood.ask(starts_at=hood.now + timedelta(days=2)).id
    page = console.as_role(Role.COORDINATOR).get("/today").text
    for link in (f"/alarms/{alert}/take", f"/disputes/{dispute}", f"/requests/{request}"):
        assert f"/console{link}" in page, link


def test_the_page_asks_for_its_list_by_itself(console: ConsoleHouse) -> None:
    client = console.as_role(Role.COORDINATOR)
    assert 'hx-get="/console/today/now"' in client.get("/today").text
    piece = client.get("/today/now")
    assert piece.status_code == 200 and "<html" not in piece.text


def test_a_page_left_open_does_not_keep_a_session_alive(console: ConsoleHouse) -> None:
    client = console.as_role(Role.COORDINATOR)
    [before] = console.street.rows(StaffSession)
    for _ in range(25):
        console.street.clock.pass_time(minutes=1)
        answer = client.get("/today/now", headers={"HX-Request": "true"})
        assert answer.status_code == 200
    assert console.street.row(StaffSession).seen_at == before.seen_at
    console.street.clock.pass_time(minutes=6)
    late = client.get("/today/now", headers={"HX-Request": "true"})
    assert late.status_code == 401


@pytest.mark.parametrize(
    ("role", "reads"),
    [(Role.COORDINATOR, True), (Role.BOOKKEEPER, False), (Role.ADMINISTRATOR, False)],
)
def test_what_people_said_is_shown_to_whom_it_concerns(
    console: ConsoleHouse, role: Role, reads: bool
) -> None:
    alert = cry(console)
    with console.street.neighbourhood() as hood:
        request = hood.ask(note="替我买降压药").id
    client = console.as_role(role)
    assert ("我摔倒了" in client.get("/today").text) is reads
    assert ("我摔倒了" in client.get(f"/alarms/{alert}").text) is reads
    assert ("替我买降压药" in client.get(f"/requests/{request}").text) is reads


def test_what_somebody_told_the_staff_is_shown_in_words(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        alerts.call_back(
            hood.session,
            member=MemberId(hood.wang.id),
            words="<b>有急事",
            turn_id=TurnId("talk:9"),
            now=hood.now,
        )
    page = console.as_role(Role.COORDINATOR).get("/today").text
    assert "王奶奶" in page and "有急事" in page and "<b>有" not in page
    assert "/console/conversations/with/talk%3A9" in page


# -- requests -------------------------------------------------------------------------------------


def test_staff_choose_whom_to_ask(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask().id
        zhao = hood.zhao.id
    client = console.as_role(Role.COORDINATOR)
    page = client.get(f"/requests/{request}").text
    assert "跟王奶奶一条巷子" in page and "赵铁柱" in page
    answer = client.post(f"/requests/{request}/ask", {"helper": str(zhao)})
    assert answer.headers["location"] == f"/console/requests/{request}"
    assert console.street.row(Offer, state=OfferState.PENDING).helper_id == zhao
    deed = console.street.row(StaffDeed, deed="POST /requests/{request_id:int}/ask")
    assert (deed.by_id, deed.about_id) == (client.member, console.street.member("王奶奶"))
    assert "正在问赵铁柱" in client.get(f"/requests/{request}").text


@pytest.mark.parametrize("helper", ["", "0", "-1", "x", "99999999999", "1; DROP TABLE offer"])
def test_nobody_forged_is_asked(console: ConsoleHouse, helper: str) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask().id
        before = hood.session.query(Offer).one().id
    client = console.as_role(Role.COORDINATOR)
    answer = client.post(f"/requests/{request}/ask", {"helper": helper})
    assert answer.status_code in (404, 409)
    assert console.street.row(Offer).id == before
    assert console.street.row(Offer).state is OfferState.PENDING


def test_requests_and_visits_are_listed(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        asked, coming = hood.ask(minutes=10), hood.ask(starts_at=hood.now + timedelta(days=2))
        hood.accepted(coming)
        asked_id, coming_id = asked.id, coming.id
    client = console.as_role(Role.VIEWER)
    both, visits = client.get("/requests").text, client.get("/visits").text
    assert f"/requests/{asked_id}" in both and f"/requests/{coming_id}" in both
    assert f'/requests/{coming_id}"' in visits and f'/requests/{asked_id}"' not in visits


# -- alarms ---------------------------------------------------------------------------------------


def test_of_two_who_go_the_second_is_told(console: ConsoleHouse) -> None:
    alert = cry(console)
    first, second = console.as_role(Role.COORDINATOR), console.as_role(Role.COORDINATOR)
    first.post(f"/alarms/{alert}/take")
    answer = second.post(f"/alarms/{alert}/take", follow=True)
    assert f"{first.name}已经去了" in answer.text
    assert console.street.row(Alert).taken_by_id == first.member
    assert console.street.told("王奶奶", "alert_taken")[-1]["by"] == first.name


def test_staff_close_an_alarm_and_late_takers_are_told(console: ConsoleHouse) -> None:
    alert = cry(console)
    client = console.as_role(Role.COORDINATOR)
    assert "没事了" in client.post(f"/alarms/{alert}/close", follow=True).text
    assert console.street.row(Alert).state is AlertState.CLOSED
    late = console.as_role(Role.COORDINATOR).post(f"/alarms/{alert}/take", follow=True)
    assert "已经" in late.text
    assert client.get("/alarms").status_code == 200


def test_that_she_is_in_hospital_goes_to_staff_and_family_only(console: ConsoleHouse) -> None:
    alert = cry(console)
    console.as_role(Role.COORDINATOR).post(f"/alarms/{alert}/close", {"hospital": "yes"})
    assert console.street.told("陈干事", "alert_hospital")
    assert not console.street.told("张秀英", "alert_hospital")


# -- disputes -------------------------------------------------------------------------------------


def test_a_dispute_is_decided(console: ConsoleHouse) -> None:
    dispute = differing(console)
    client = console.as_role(Role.MEDIATOR)
    page = client.get(f"/disputes/{dispute}").text
    assert "1小时30分" in page and "30分" in page
    words = "他<b>早到</b>了，算一小时。"
    answer = client.post(
        f"/disputes/{dispute}/decide", {"words": words, "minutes": "60"}, follow=True
    )
    assert "&lt;b&gt;早到" in answer.text and "多30分" in answer.text
    decided = console.street.row(Dispute)
    assert (decided.state, decided.decided_minutes) == (DisputeState.RESOLVED, 60)
    assert console.street.balance("张秀英").posted == 30
    assert [told["words"] for told in console.street.told("张秀英", "dispute_decided")] == [words]


def test_the_second_mediator_is_told_and_keeps_what_was_typed(console: ConsoleHouse) -> None:
    dispute = differing(console)
    first, second = console.as_role(Role.MEDIATOR), console.as_role(Role.MEDIATOR)
    first.post(f"/disputes/{dispute}/decide", {"words": "算四十", "minutes": "40"})
    answer = second.post(f"/disputes/{dispute}/decide", {"words": "我想了很久", "minutes": "90"})
    assert answer.status_code == 409
    assert f"{first.name}刚才已经定了" in answer.text and "我想了很久" in answer.text
    assert console.street.row(Dispute).decided_minutes == 40


@pytest.mark.parametrize("minutes", ["", "29", "91", "-1", "9" * 30, "六十", "6e1", " "])
def test_bad_minutes_decide_nothing(console: ConsoleHouse, minutes: str) -> None:
    dispute = differing(console)
    client = console.as_role(Role.MEDIATOR)
    answer = client.post(f"/disputes/{dispute}/decide", {"words": "好", "minutes": minutes})
    assert answer.status_code == 409 and "30" in answer.text
    assert console.street.row(Dispute).state is DisputeState.OPEN


def test_who_reads_both_sides_is_written_down(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        turn = TurnId("talk:5")
        turns.begin(
            hood.session, turn_id=turn, member=MemberId(hood.wang.id), channel="talk", now=hood.now
        )
        dispute = disputes.complain(
            hood.session, member=MemberId(hood.wang.id), words="不公道", turn_id=turn, now=hood.now
        ).id
    client = console.as_role(Role.MEDIATOR)
    client.get(f"/disputes/{dispute}")
    looks = [one for one in console.street.rows(StaffDeed) if one.viewed is not None]
    assert [(one.by_id, one.about_id) for one in looks] == [
        (client.member, console.street.member("王奶奶"))
    ]


# -- the machine ----------------------------------------------------------------------------------


def test_the_page_never_waits_for_the_machine_s_health(console: ConsoleHouse) -> None:
    watch = console.parts.watch
    assert isinstance(watch, Watch)
    assert watch.last_known() == Health(at=None)


def test_the_machine_is_looked_at(console: ConsoleHouse) -> None:
    health = console.parts.watch.look()
    marks = {sign.name: sign.mark for sign in health.signs}
    assert marks["数据库"] is Mark.GOOD and marks["账本"] is Mark.GOOD
    assert marks["听懂话的程序"] in (Mark.BAD, Mark.GOOD)
    assert marks["手机消息"] is Mark.UNKNOWN and health.at == console.street.clock()


def test_a_part_that_cannot_be_looked_at_is_a_bad_sign(
    console: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Sign]:
        raise OSError("no such disk")

    monkeypatch.setattr(Watch, "_space", broken)
    health = console.parts.watch.look()
    assert any(sign.mark is Mark.BAD for sign in health.signs)
    assert any(sign.name == "账本" for sign in health.signs)


def test_all_words_of_the_machine_have_their_english() -> None:
    chinese = re.findall(r'"([^"\n]*[\u4e00-\u9fff][^"\n]*)"', HEALTH.read_text("utf-8"))
    assert set(chinese) - set(read_words("en").english) == set()
