"""The talk page's routes, with a real database and turns that only pretend to understand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from actions.timebank.ids import MemberId
from actions.timebank.model import Base, Group, Lane, Member
from actions.timebank.session import Village, open_village
from actions.timebank.states import TurnOutcome
from bot.channels.talk_page import RESPONSES, talk_page_routes
from bot.channels.talk_page.intake import MAX_AUDIO_BYTES
from bot.links import TalkLinks
from bot.turn_types import Button
from tests.bot.fakes import FakeTurns, say_phrase, tone_wav

NOW = datetime(2025, 3, 1, 8, tzinfo=timezone.utc)
LINKS = TalkLinks(b"a secret only for the tests")
ELDER, HELPER, GONE, ODD = (MemberId(number) for number in (1, 2, 3, 4))
ODD_NAME = "<b>'; DROP TABLE member; --"


def words_for(response: str) -> str:
    assert response in RESPONSES.values()
    return f"words of {response}"


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    village = open_village(f"sqlite:///{tmp_path / 'village.db'}", lambda: NOW)
    Base.metadata.create_all(village.engine)
    with village.transaction() as session:
        lane = Lane(name="村东头", group=Group(name="一组"))
        common: dict[str, Any] = {"lane": lane, "joined_at": NOW}
        session.add_all(
            [
                Member(id=ELDER, name="王桂兰", **common),
                Member(id=HELPER, name="张秀英", takes_tasks=True, **common),
                Member(id=GONE, name="李二", left_at=NOW, **common),
                Member(id=ODD, name=ODD_NAME, is_coordinator=True, **common),
            ]
        )
    yield village
    village.engine.dispose()


@pytest.fixture
def turns() -> FakeTurns:
    return FakeTurns()


Make = Callable[..., TestClient]


@pytest.fixture
def make_page(village: Village, turns: FakeTurns) -> Make:
    def make(*, demo: bool = False, voiced: bool = False) -> TestClient:
        routes = talk_page_routes(
            turns,
            village,
            LINKS,
            demo=demo,
            phrases=words_for,
            say_phrase=say_phrase if voiced else None,
        )
        return TestClient(Starlette(routes=routes))

    return make


@pytest.fixture
def page(make_page: Make) -> TestClient:
    return make_page()


def key(member: MemberId = ELDER, serial: int = 1) -> dict[str, str]:
    return {"Authorization": f"Bearer {LINKS.token_for(member, serial)}"}


def send_text(page: TestClient, words: str, turn_id: str = "", member: MemberId = ELDER) -> Any:
    form = {"text": words} | ({"turn_id": turn_id} if turn_id else {})
    return page.post("/api/turn", headers=key(member), data=form)


# Turns


def test_spoken_turn_reaches_the_village_as_this_member(page: TestClient, turns: FakeTurns) -> None:
    sound = tone_wav()
    turns.buttons = [Button("对", "/affirm"), Button("不对", "/deny")]
    answer = page.post(
        "/api/turn",
        headers=key(),
        data={"turn_id": "abc_1"},
        files={"audio": ("recording", sound, "audio/webm")},
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "turn_id": "abc_1",
        "heard": "腿疼，想买菜",
        "confidence": 0.9,
        "intent": "request_help",
        "reply": "好。我去问秀英。",
        "audio_url": "/api/turn/abc_1/audio",
        "audio_parts": ["/api/turn/abc_1/audio/0", "/api/turn/abc_1/audio/1"],
        "stage_ms": {"hear": 12.5},
        "outcome": "answered",
        "code": "",
        "buttons": [
            {"title": "对", "payload": "/affirm"},
            {"title": "不对", "payload": "/deny"},
        ],
        "patience_ms": None,
    }
    [utterance] = turns.taken
    assert (utterance.turn, utterance.member, utterance.channel) == ("talk:1:abc_1", ELDER, "talk")
    assert utterance.audio == sound and utterance.text is None


def test_the_page_waits_as_long_as_this_member_needs(page: TestClient, village: Village) -> None:
    path = f"/t/{LINKS.token_for(ELDER, 1)}"
    assert 'data-patience="2500"' in page.get(path).text
    with village.transaction() as session:
        session.get(Member, ELDER).patience_ms = 4_500
    assert 'data-patience="4500"' in page.get(path).text


def test_typed_turn_reaches_the_village(page: TestClient, turns: FakeTurns) -> None:
    assert send_text(page, " 买菜\x00 ").status_code == 200
    assert turns.taken[0].text == "买菜" and turns.taken[0].audio is None


@pytest.mark.parametrize("words", ["👵🏽🥬", "Здравствуйте", "'; DROP TABLE turn;--", "<b>买</b>"])
def test_any_script_is_passed_on_as_it_is(page: TestClient, turns: FakeTurns, words: str) -> None:
    assert send_text(page, words).json()["heard"] == words
    assert turns.taken[0].text == words


def test_turn_without_an_id_gets_a_fresh_one(page: TestClient) -> None:
    first, second = (send_text(page, "买菜").json()["turn_id"] for _ in range(2))
    assert first and second and first != second


def test_two_people_with_the_same_turn_id_have_two_turns(
    page: TestClient, turns: FakeTurns
) -> None:
    send_text(page, "买菜", "same")
    send_text(page, "剃头", "same", HELPER)
    assert [utterance.turn for utterance in turns.taken] == ["talk:1:same", "talk:2:same"]


def test_failed_turn_is_answered_with_its_code_and_words(
    page: TestClient, turns: FakeTurns
) -> None:
    turns.outcome, turns.code, turns.sentences = TurnOutcome.FAILED, "rasa_away", ("对不起。",)
    answer = send_text(page, "买菜")
    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["code"]) == ("failed", "rasa_away")
    assert answer.json()["reply"] == "对不起。"


@pytest.mark.parametrize(
    "turn_id", ["a" * 65, "a b", "a:b", "../2", "甲", "'; DROP", "a\n", "talk:2:same"]
)
def test_turn_id_of_a_strange_shape_is_refused(
    page: TestClient, turns: FakeTurns, turn_id: str
) -> None:
    answer = send_text(page, "买菜", turn_id)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_turn_id")
    assert turns.taken == []


# What cannot be taken


@pytest.mark.parametrize("form", [{}, {"text": ""}, {"text": " \n\t "}, {"audio": "not a file"}])
def test_turn_with_nothing_in_it_is_refused_with_words_to_say(
    page: TestClient, turns: FakeTurns, form: dict[str, str]
) -> None:
    answer = page.post("/api/turn", headers=key(), data=form)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["outcome"]) == ("empty", "refused")
    assert body["reply"] == "words of utter_refused_empty" and body["audio_url"] is None
    assert turns.taken == []


def test_empty_recording_is_refused(page: TestClient) -> None:
    answer = page.post("/api/turn", headers=key(), files={"audio": ("recording", b"")})
    assert (answer.status_code, answer.json()["code"]) == (400, "empty")


@pytest.mark.parametrize(
    "content_type, body",
    [
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"\xff\x00garbage"),
        ("application/json", b'{"text": "hello"}'),
    ],
)
def test_torn_form_is_refused_and_not_a_crash(
    page: TestClient, turns: FakeTurns, content_type: str, body: bytes
) -> None:
    headers = key() | {"Content-Type": content_type}
    answer = page.post("/api/turn", headers=headers, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "empty")
    assert turns.taken == []


def test_ten_thousand_characters_are_refused(page: TestClient, turns: FakeTurns) -> None:
    answer = send_text(page, "买" * 10_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
    assert answer.json()["reply"] == "words of utter_refused_too_long"
    assert turns.taken == []


def test_recording_a_little_too_large_is_refused(page: TestClient, turns: FakeTurns) -> None:
    answer = page.post(
        "/api/turn", headers=key(), files={"audio": ("recording", bytes(MAX_AUDIO_BYTES + 1))}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert turns.taken == []


@pytest.mark.parametrize("declares_its_length", [True, False])
def test_huge_body_is_refused_without_being_read(
    village: Village, turns: FakeTurns, declares_its_length: bool
) -> None:
    """Spoken to without a client in between, to count what is really taken in."""
    piece, size = bytes(1024 * 1024), 200 * 1024 * 1024
    read = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal read
        opening = (
            b""
            if read
            else (b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n')
        )
        read += len(piece)
        return {"type": "http.request", "body": opening + piece, "more_body": read < size}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"authorization", key()["Authorization"].encode()),
        (b"content-type", b"multipart/form-data; boundary=x"),
    ]
    if declares_its_length:
        headers.append((b"content-length", str(size).encode()))
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/turn",
        "query_string": b"",
        "headers": headers,
    }
    routes = talk_page_routes(turns, village, LINKS, demo=False, phrases=words_for)
    asyncio.run(Starlette(routes=routes)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert b'"too_large"' in sent[1]["body"]
    assert read <= (0 if declares_its_length else MAX_AUDIO_BYTES + 2 * len(piece))
    assert turns.taken == []


# Links


def test_page_opens_with_a_personal_link(page: TestClient) -> None:
    answer = page.get(f"/t/{LINKS.token_for(ELDER, 1)}")
    assert answer.status_code == 200
    assert "王桂兰" in answer.text and "words of utter_page_no_network" in answer.text


def test_raised_serial_revokes_the_link_at_once(page: TestClient, village: Village) -> None:
    token = LINKS.token_for(ELDER, 1)
    assert page.get(f"/t/{token}").status_code == 200
    with village.transaction() as session:
        session.get(Member, ELDER).link_serial = 2
    refused = page.get(f"/t/{token}")
    assert refused.status_code == 403
    assert "words of utter_refused_link_revoked" in refused.text and "王桂兰" not in refused.text
    answer = send_text(page, "买菜")
    assert (answer.status_code, answer.json()["code"]) == (403, "link_revoked")
    assert page.get(f"/t/{LINKS.token_for(ELDER, 2)}").status_code == 200


@pytest.mark.parametrize("member", [GONE, MemberId(99)])
def test_link_of_one_who_left_or_never_was_is_refused(
    page: TestClient, turns: FakeTurns, member: MemberId
) -> None:
    assert page.get(f"/t/{LINKS.token_for(member, 1)}").status_code == 403
    assert send_text(page, "买菜", member=member).json()["code"] == "link_revoked"
    assert turns.taken == []


@pytest.mark.parametrize("token", ["wrong", "1-1-" + "a" * 26, "%00", "王", "a" * 300])
def test_wrong_link_shows_kind_words(page: TestClient, token: str) -> None:
    answer = page.get(f"/t/{token}")
    assert answer.status_code == 401
    assert "words of utter_refused_bad_link" in answer.text
    assert page.get(f"/t/{token}/manifest.webmanifest").status_code == 401


PERSONAL = [
    ("POST", "/api/turn"),
    ("GET", "/api/turn/abc/audio"),
    ("GET", "/api/turn/abc/audio/0"),
    ("GET", "/api/notices"),
    ("GET", "/api/notices/1/audio"),
    ("POST", "/api/notices/1/heard"),
]


@pytest.mark.parametrize("method, path", PERSONAL)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic MTox", "Bearer ü"])
def test_nothing_personal_without_a_link(
    page: TestClient, turns: FakeTurns, method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = page.request(method, path, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_link")
    assert turns.taken == []


# Sounds


def test_answer_is_heard_whole_and_sentence_by_sentence(page: TestClient, turns: FakeTurns) -> None:
    body = send_text(page, "买菜", "abc").json()
    for address in (body["audio_url"], *body["audio_parts"]):
        sound = page.get(address, headers=key())
        assert sound.headers["content-type"] == "audio/wav" and sound.content == tone_wav()
        assert sound.headers["cache-control"] == "no-store"
    assert turns.spoken == [("talk:1:abc", part) for part in (None, 0, 1)]


def test_nobody_hears_another_persons_answer(page: TestClient, turns: FakeTurns) -> None:
    body = send_text(page, "买菜", "abc").json()
    answer = page.get(body["audio_url"], headers=key(HELPER))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert turns.spoken == []


def test_sound_of_an_unknown_turn_or_sentence_is_not_found(page: TestClient) -> None:
    send_text(page, "买菜", "abc")
    for path in ("/api/turn/other/audio", "/api/turn/abc/audio/9"):
        assert page.get(path, headers=key()).status_code == 404


def test_refusals_are_spoken_when_there_is_a_voice(make_page: Make) -> None:
    page = make_page(voiced=True)
    refused = page.post("/api/turn", headers=key(), data={}).json()
    assert page.get(refused["audio_url"]).content == tone_wav()
    assert 'data-sound="/api/phrases/bad_link/audio"' in page.get("/t/wrong").text


def test_only_known_phrases_are_spoken(make_page: Make) -> None:
    assert make_page(voiced=True).get("/api/phrases/anything/audio").status_code == 404
    assert make_page().get("/api/phrases/empty/audio").status_code == 404


# Notices


def notice(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "kind": "visit_started", "text": "秀英来了", "buttons": []} | more


def test_notices_wait_until_they_are_heard(page: TestClient, turns: FakeTurns) -> None:
    offer = notice(6, kind="offer_made", buttons=[{"title": "接", "payload": "/accept_task"}])
    turns.waiting = {ELDER: [notice(5)], HELPER: [offer | {"secret": "not for the browser"}]}
    assert page.get("/api/notices", headers=key()).json() == {"notices": [notice(5)]}
    assert page.get("/api/notices", headers=key(HELPER)).json() == {"notices": [offer]}
    assert page.get("/api/notices/5/audio", headers=key()).content == tone_wav()
    assert page.post("/api/notices/5/heard", headers=key()).status_code == 200
    assert page.get("/api/notices", headers=key()).json() == {"notices": []}


def test_nobody_hears_or_ends_another_persons_notice(page: TestClient, turns: FakeTurns) -> None:
    turns.waiting = {ELDER: [notice(5)], HELPER: []}
    assert page.get("/api/notices/5/audio", headers=key(HELPER)).status_code == 404
    assert page.post("/api/notices/5/heard", headers=key(HELPER)).status_code == 404
    assert turns.notices_heard == turns.notices_spoken == []
    assert turns.waiting[ELDER] == [notice(5)]


# The house around it


def test_front_page_lists_people_only_in_the_demo_village(make_page: Make) -> None:
    demo = make_page(demo=True).get("/").text
    for member in (ELDER, HELPER, ODD):
        assert f"/t/{LINKS.token_for(member, 1)}" in demo
    assert "李二" not in demo
    real = make_page(demo=False).get("/").text
    assert "王桂兰" not in real and "/t/" not in real


def test_demo_link_carries_the_present_serial(make_page: Make, village: Village) -> None:
    with village.transaction() as session:
        session.get(Member, ELDER).link_serial = 4
    assert f"/t/{LINKS.token_for(ELDER, 4)}" in make_page(demo=True).get("/").text


def test_html_in_a_name_stays_text(make_page: Make) -> None:
    page = make_page(demo=True)
    token = LINKS.token_for(ODD, 1)
    for path in ("/", f"/t/{token}"):
        assert "<b>'; DROP" not in page.get(path).text
        assert "&lt;b&gt;" in page.get(path).text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/t/{token}",
        "/t/wrong",
        "/t/{token}/manifest.webmanifest",
        "/api/notices",
        "/sw.js",
        "/static/talk.js",
        "/health",
    ],
)
def test_every_answer_has_strict_headers(page: TestClient, path: str) -> None:
    answer = page.get(path.format(token=LINKS.token_for(ELDER, 1)), headers=key())
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    same_for_everybody = path.startswith("/static")
    assert answer.headers["cache-control"] == ("no-cache" if same_for_everybody else "no-store")


def test_page_can_be_installed(page: TestClient) -> None:
    address = f"/t/{LINKS.token_for(ELDER, 1)}"
    assert f'rel="manifest" href="{address}/manifest.webmanifest"' in page.get(address).text
    manifest = page.get(f"{address}/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    assert manifest.json()["start_url"] == address
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest.json()["icons"]}
    for icon in manifest.json()["icons"]:
        assert page.get(icon["src"]).headers["content-type"] == "image/png"
    assert page.get("/sw.js").headers["content-type"].startswith("text/javascript")


def test_health_tells_whether_the_database_can_be_read(page: TestClient, tmp_path: Path) -> None:
    assert page.get("/health").json() == {"status": "ok"}
    nowhere = open_village(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}", lambda: NOW)
    routes = talk_page_routes(FakeTurns(), nowhere, LINKS, demo=False, phrases=words_for)
    answer = TestClient(Starlette(routes=routes)).get("/health")
    assert (answer.status_code, answer.json()["code"]) == (503, "database")
