"""Broadcasts on the console: written, heard, approved by another, and how far they came."""

from __future__ import annotations

from typing import Any

import pytest

from actions.timebank import outbox
from actions.timebank.model import Broadcast, Notice, StaffDeed
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    BroadcastState,
)
from bot.notices import told
from bot.phrases import Phrases
from tests.bot.console.conftest import Client, ConsoleHouse

WORDS = "明天上午停水。请各家先接好水。"


@pytest.fixture
def chen(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR, name="陈干事")


@pytest.fixture
def other(console: ConsoleHouse) -> Client:
    return console.as_role(Role.MEDIATOR)


def writes(client: Client, **fields: Any) -> Any:
    given = {"words": WORDS, "audience": "everybody", **fields}
    return client.post("/broadcasts", given, follow=True)


def state(console: ConsoleHouse) -> BroadcastState:
    return BroadcastState(console.street.row(Broadcast).state)


def proposed(chen: Client, **fields: Any) -> None:
    writes(chen, **fields)
    assert chen.get("/broadcasts/1/sound").status_code == 200
    assert chen.post("/broadcasts/1/propose", {"version": 1}).status_code == 303


def test_write_listen_propose_approve(console: ConsoleHouse, chen: Client, other: Client) -> None:
    page = writes(chen)
    assert "村里的陈干事说：明天上午停水。" in page.text and "存好了" in page.text
    early = chen.post("/broadcasts/1/propose", {"version": 1})
    assert early.status_code == 409 and "从头听一遍" in early.text
    sound = chen.get("/broadcasts/1/sound")
    assert sound.headers["content-type"].startswith("audio/")
    assert sound.headers["cache-control"] == "no-store"
    assert chen.post("/broadcasts/1/propose", {"version": 1}).status_code == 303
    assert chen.post("/broadcasts/1/approve").status_code == 409
    assert console.street.count(Notice) == 0
    for _ in range(3):
        other.post("/broadcasts/1/approve")
    everybody = len(console.street.rows(Notice, kind="broadcast"))
    assert everybody == len({one.recipient_id for one in console.street.rows(Notice)}) > 3
    shown = chen.get("/broadcasts/1").text
    assert f"0 / {everybody}" in shown and "我当面说了" in shown


def test_the_sound_is_what_members_are_told(
    console: ConsoleHouse, chen: Client, other: Client
) -> None:
    proposed(chen)
    spoken = "".join(sentence for sentence, _ in console.synthesizer.spoken)
    assert "陈干事说" in spoken and "明天上午停水" in spoken
    assert {delivery.pace for _, delivery in console.synthesizer.spoken} == {160}


def test_it_must_be_heard_by_who_wrote_it(chen: Client, other: Client) -> None:
    writes(chen)
    other.get("/broadcasts/1/sound")
    assert chen.post("/broadcasts/1/propose", {"version": 1}).status_code == 409


def test_a_changed_draft_is_heard_anew(console: ConsoleHouse, chen: Client) -> None:
    writes(chen)
    chen.get("/broadcasts/1/sound")
    change = {"words": "改成后天。", "audience": "alone", "version": 1}
    assert chen.post("/broadcasts/1/edit", change).status_code == 303
    again = chen.post("/broadcasts/1/edit", {**change, "words": "又改成大后天。"})
    assert again.status_code == 409 and "又改成大后天。" in again.text
    assert chen.post("/broadcasts/1/propose", {"version": 2}).status_code == 409
    assert console.street.row(Broadcast).words == "改成后天。"


def test_another_may_not_change_or_take_back(chen: Client, other: Client) -> None:
    writes(chen)
    assert other.get("/broadcasts/1/edit").status_code == 404
    change = {"words": "别的", "audience": "alone", "version": 1}
    assert other.post("/broadcasts/1/edit", change).status_code == 403
    assert other.post("/broadcasts/1/withdraw").status_code == 403
    assert "交去批准" not in other.get("/broadcasts/1").text.split("hint")[0]


def test_rejecting_and_taking_back_tell_nobody(
    console: ConsoleHouse, chen: Client, other: Client
) -> None:
    proposed(chen)
    other.post("/broadcasts/1/reject")
    assert state(console) is BroadcastState.REJECTED
    writes(chen)
    chen.post("/broadcasts/2/withdraw")
    assert other.post("/broadcasts/2/approve").status_code == 409
    assert console.street.count(Notice) == 0


def test_stopping(console: ConsoleHouse, chen: Client, other: Client) -> None:
    proposed(chen)
    other.post("/broadcasts/1/approve")
    chen.post("/broadcasts/1/stop")
    assert state(console) is BroadcastState.STOPPED
    page = chen.get("/broadcasts/1").text
    assert "不再送了" in page and "我当面说了" not in page


def test_told_in_person_is_written_down(console: ConsoleHouse, chen: Client, other: Client) -> None:
    wang = console.street.member("王奶奶")
    proposed(chen, audience="members", names=f"王奶奶、{wang}")
    other.post("/broadcasts/1/approve")
    assert chen.post("/broadcasts/1/told", {"member": wang}).status_code == 303
    assert "1 / 1" in chen.get("/broadcasts/1/delivery").text
    [deed] = console.street.rows(StaffDeed, about_id=wang)
    assert deed.deed == "POST /broadcasts/{broadcast_id:int}/told"
    assert "已经听到了" in chen.post("/broadcasts/1/told", {"member": wang}, follow=True).text
    stranger = console.street.member("李建国")
    assert chen.post("/broadcasts/1/told", {"member": stranger}).status_code == 403


def test_the_figures_refresh_only_while_it_goes_out(chen: Client, other: Client) -> None:
    proposed(chen)
    other.post("/broadcasts/1/approve")
    part = chen.get("/broadcasts/1/delivery", headers={"HX-Request": "true"}).text
    assert "every 5s" in part and "<html" not in part
    chen.post("/broadcasts/1/stop")
    assert "every 5s" not in chen.get("/broadcasts/1/delivery").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"words": ""}, "念不出来"),
        ({"words": "😀 <b></b>"}, "念不出来"),
        ({"words": "hello"}, "念不出来"),
        ({"words": "水" * 161}, "太长了"),
        ({"words": "1234567 " * 20}, "太长了"),
        ({"audience": "lane"}, "没有选说给谁"),
        ({"audience": "lane", "lane": "999"}, "没有选说给谁"),
        ({"audience": "everyone' --"}, "没有选说给谁"),
        ({"audience": "members", "names": "孙悟空"}, "找不到孙悟空"),
        ({"audience": "members", "names": "<i>他</i>"}, "找不到&lt;i&gt;他"),
        ({"audience": "members"}, "没有选说给谁"),
    ],
)
def test_what_cannot_be_broadcast_comes_back_with_the_reason(
    console: ConsoleHouse, chen: Client, fields: dict[str, str], words: str
) -> None:
    answer = chen.post("/broadcasts", {"words": WORDS, "audience": "everybody", **fields})
    assert answer.status_code == 409 and words in answer.text
    assert console.street.count(Broadcast) == 0


def test_a_megabyte_is_refused(console: ConsoleHouse, chen: Client) -> None:
    assert writes(chen, words="水" * 1_000_000).status_code in (409, 413)
    assert console.street.count(Broadcast) == 0


def test_hostile_words_are_words(
    console: ConsoleHouse, chen: Client, other: Client, phrases: Phrases
) -> None:
    hostile = "明天{staff}停水{0}<script>alert(1)</script>{{7*7}}%s"
    proposed(chen, words=hostile)
    page = chen.get("/broadcasts/1").text
    assert "<script>alert" not in page and "{{7*7}}" in page and "{staff}" in page
    other.post("/broadcasts/1/approve")
    with console.village.reading() as session:
        [notice, *_] = outbox.queued_for(session, console.street.member("王奶奶"))
        assert told(notice, phrases)[0] == f"村里的陈干事说：{hostile}"


def test_a_long_sentence_is_warned_of(chen: Client) -> None:
    long = "请" * 45
    assert "最好拆成两句" in writes(chen, words=long).text
    assert "最好拆成两句" not in writes(chen).text


def test_tomorrow_is_warned_of_since_it_may_be_heard_later(chen: Client) -> None:
    assert "过一天再听就不对了" in writes(chen).text
    assert "过一天再听就不对了" not in writes(chen, words="十一月三日停水。").text
