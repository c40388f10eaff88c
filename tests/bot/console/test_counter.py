"""Somebody comes to the office and says something; the console writes it down."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from actions.timebank.model import Dispute, InPersonDeed, Offer, ServiceRequest, Turn
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    CounterDeed,
)
from actions.timebank.states import OfferState, RequestState, ServiceKind
from tests.bot.console.conftest import Client, ConsoleHouse

FORM = re.compile(r'name="form" value="([0-9a-f]{32})"')
ASKS = {"kind": "shopping", "day": "2026-03-03", "clock": "10:00", "words": "明天想买点菜"}


def form_of(client: Client, path: str) -> str:
    found = FORM.search(client.get(path).text)
    assert found is not None
    return found[1]


def says(client: Client, path: str, fields: dict[str, Any], **about: Any) -> Any:
    """Reads back, and then is sure."""
    deed, _, request = path.partition("?request=")
    given = {"form": form_of(client, path), "request": request, **fields}
    back = client.post(deed, given)
    assert back.status_code == 200 and "read-back" in back.text, back.text
    return client.post(deed, {**given, "sure": "yes"}, **about)


@pytest.fixture
def clerk(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR)


def path_of(console: ConsoleHouse, name: str, deed: str, request: int = 0) -> str:
    path = f"/requests/new/{console.street.member(name)}/{deed}"
    return f"{path}?request={request}" if request else path


def test_people_are_found_by_name_and_lane(console: ConsoleHouse, clerk: Client) -> None:
    assert "王奶奶" in clerk.get("/requests/new", params={"q": "王"}).text
    assert "赵铁柱" in clerk.get("/requests/new", params={"q": "石桥"}).text
    piece = clerk.get("/requests/new", params={"q": "王"}, headers={"HX-Request": "true"}).text
    assert "王奶奶" in piece and "<html" not in piece


@pytest.mark.parametrize("words", ["%", "_", "' OR 1=1", "长" * 5_000, "  "])
def test_who_is_looked_for_with_tricks_is_not_found(clerk: Client, words: str) -> None:
    answer = clerk.get("/requests/new", params={"q": words})
    assert answer.status_code == 200 and "王奶奶" not in answer.text


def test_an_elder_asks_in_person(console: ConsoleHouse, clerk: Client) -> None:
    path = path_of(console, "王奶奶", "request")
    answer = says(clerk, path, ASKS, follow=True)
    request = console.street.row(ServiceRequest)
    assert (request.state, request.service_kind) == (RequestState.OFFERED, ServiceKind.SHOPPING)
    assert request.elder_id == console.street.member("王奶奶")
    made = console.street.row(InPersonDeed)
    assert (made.staff_id, made.deed) == (clerk.member, CounterDeed.REQUEST)
    assert f"当面说的，{clerk.name}记" in answer.text and "明天想买点菜" in answer.text
    assert console.street.told("王奶奶", "in_person_request")[0]["by"] == clerk.name


def test_reading_back_writes_nothing(console: ConsoleHouse, clerk: Client) -> None:
    path = path_of(console, "王奶奶", "request")
    answer = clerk.post(path, {"form": form_of(clerk, path), **ASKS})
    assert "您要人买东西" in answer.text and "明天 10:00" in answer.text
    assert "跟王奶奶一条巷子" in answer.text
    for model in (ServiceRequest, InPersonDeed, Turn, Offer):
        assert console.street.count(model) == 0


def test_a_neighbour_may_be_chosen(console: ConsoleHouse, clerk: Client) -> None:
    zhao = console.street.member("赵铁柱")
    says(clerk, path_of(console, "王奶奶", "request"), {**ASKS, "helper": str(zhao)})
    assert console.street.row(Offer, state=OfferState.PENDING).helper_id == zhao


def test_what_was_wrong_can_be_changed(console: ConsoleHouse, clerk: Client) -> None:
    path = path_of(console, "王奶奶", "request")
    fields = {"form": form_of(clerk, path), **ASKS, "sure": "", "back": "yes"}
    answer = clerk.post(path, fields)
    assert answer.status_code == 200 and "明天想买点菜" in answer.text
    assert 'value="2026-03-03"' in answer.text and fields["form"] in answer.text
    assert console.street.count(ServiceRequest) == 0


def test_pressing_twice_asks_once(console: ConsoleHouse, clerk: Client) -> None:
    path = path_of(console, "王奶奶", "request")
    fields = {"form": form_of(clerk, path), **ASKS, "sure": "yes"}
    first, second = clerk.post(path, fields), clerk.post(path, fields)
    assert first.headers["location"] == second.headers["location"]
    assert console.street.count(ServiceRequest) == 1


def test_a_form_used_before_is_not_used_again(console: ConsoleHouse, clerk: Client) -> None:
    path = path_of(console, "王奶奶", "request")
    fields = {"form": form_of(clerk, path), **ASKS, "sure": "yes"}
    clerk.post(path, fields)
    answer = clerk.post(path, {**fields, "words": "还要打扫"})
    assert answer.status_code == 409 and "重新开一张" in answer.text and "还要打扫" in answer.text
    assert console.street.count(ServiceRequest) == 1


def test_an_unconfirmed_visit_is_confirmed_in_person(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask()
        hood.claim(hood.accepted(request), 60)
        number = int(request.id)
    console.street.clock.pass_time(hours=25)
    clerk = console.as_role(Role.COORDINATOR)
    path = path_of(console, "王奶奶", "confirm", number)
    answer = says(clerk, path, {"minutes": "60", "words": "来过了"}, follow=True)
    assert f"当面说的，{clerk.name}记" in answer.text
    assert console.street.row(ServiceRequest).state is RequestState.CONFIRMED
    assert console.street.balance("张秀英").posted == 60


def test_one_of_the_staff_never_writes_both_sides(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask()
        hood.accepted(request)
        number = int(request.id)
    console.street.clock.pass_time(days=1)
    clerk = console.as_role(Role.COORDINATOR)
    done = path_of(console, "张秀英", "report_done", number)
    says(clerk, done, {"minutes": "60", "words": "买好了"})
    hers = path_of(console, "王奶奶", "confirm", number)
    given = {"minutes": "60", "words": "来过了", "request": str(number), "sure": "yes"}
    answer = clerk.post(hers.split("?")[0], {"form": form_of(clerk, hers), **given})
    assert answer.status_code == 409 and "另一个人" in answer.text
    assert console.street.balance("张秀英").posted == 0
    other = console.as_role(Role.COORDINATOR)
    says(other, hers, {"minutes": "60", "words": "来过了"})
    assert console.street.balance("张秀英").posted == 60


@pytest.mark.parametrize("deed", ["change", "cancel", "no_show", "accept", "decline", "complain"])
def test_everything_else_that_is_said_in_person(console: ConsoleHouse, deed: str) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask(starts_at=hood.now + timedelta(hours=2))
        if deed == "no_show":
            hood.accepted(request)
        number = int(request.id)
    if deed == "no_show":
        console.street.clock.pass_time(hours=3)
    clerk = console.as_role(Role.COORDINATOR)
    name = "张秀英" if deed in ("accept", "decline") else "王奶奶"
    path = path_of(console, name, deed, 0 if deed == "complain" else number)
    fields = {"words": "我来说一声", "day": "2026-03-04", "clock": "08:30", "minutes": "45"}
    answer = says(clerk, path, fields, follow=True)
    assert answer.status_code == 200
    assert console.street.row(InPersonDeed).deed is CounterDeed(deed)
    assert console.street.count(Dispute) == (deed in ("complain", "no_show"))


def test_what_can_be_said_now_is_offered(console: ConsoleHouse, clerk: Client) -> None:
    with console.street.neighbourhood() as hood:
        number = int(hood.ask().id)
    page = clerk.get(f"/requests/new/{console.street.member('王奶奶')}").text
    assert f"/cancel?request={number}" in page and f"/confirm?request={number}" not in page
    helper = clerk.get(f"/requests/new/{console.street.member('张秀英')}").text
    assert f"/accept?request={number}" in helper
    assert clerk.get(path_of(console, "王奶奶", "confirm", number)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ""},
        {"kind": "robbery"},
        {"day": ""},
        {"day": "2026-13-45"},
        {"day": "9999-12-31"},
        {"clock": "25:61"},
        {"words": " "},
        {"words": "长" * 1_001},
        {"minutes": "99999"},
        {"day": "2020-01-01"},
    ],
    ids=str,
)
@pytest.mark.parametrize("sure", ["", "yes"])
def test_bad_fields_are_told_and_nothing_is_lost(
    console: ConsoleHouse, clerk: Client, wrong: dict[str, str], sure: str
) -> None:
    path = path_of(console, "王奶奶", "request")
    given = {"form": form_of(clerk, path), **ASKS, "note": "拄着拐", **wrong, "sure": sure}
    answer = clerk.post(path, given)
    assert answer.status_code in (409, 422) and 'role="alert"' in answer.text
    assert "拄着拐" in answer.text
    assert console.street.count(ServiceRequest) == 0


@pytest.mark.parametrize("form", ["", "x", "0" * 31, "console:1", "../" * 11])
def test_only_our_own_forms_name_a_turn(console: ConsoleHouse, clerk: Client, form: str) -> None:
    path = path_of(console, "王奶奶", "request")
    assert clerk.post(path, {**ASKS, "form": form, "sure": "yes"}).status_code == 404
    assert console.street.count(Turn) == 0


def test_nobody_writes_down_his_own_wishes(console: ConsoleHouse) -> None:
    wang = console.as_role(Role.COORDINATOR, name="王奶奶")
    path = path_of(console, "王奶奶", "request")
    assert "别的同事" in wang.get(f"/requests/new/{wang.member}").text
    answer = wang.post(path, {**ASKS, "form": "0" * 32, "sure": "yes"})
    assert answer.status_code == 409
    assert console.street.count(ServiceRequest) == 0


def test_markup_in_words_is_only_words(console: ConsoleHouse, clerk: Client) -> None:
    words = "<script>alert(1)</script>{{7*7}}"
    path = path_of(console, "王奶奶", "request")
    answer = says(clerk, path, {**ASKS, "words": words, "note": words}, follow=True)
    assert "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text
    assert "{{7*7}}" in answer.text
