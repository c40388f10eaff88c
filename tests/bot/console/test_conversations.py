"""Staff find a conversation, read it, listen, and put right what went wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from actions.timebank import consents, exchange, gifts, members
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import (
    CallBack,
    Correction,
    FailureCare,
    StaffDeed,
    TrainingDecision,
    TurnNote,
    VillageWord,
)
from actions.timebank.staff.corrections import INTENTS
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    FailureState,
    TrainingState,
    Viewed,
)
from actions.timebank.states import ServiceKind
from bot.console.conversation_work import is_danger
from bot.console.conversations import recording_file
from tests.bot.console.conftest import Client, ConsoleHouse
from tests.timebank.builders import MORNING
from tests.timebank.staff.talking import mishear, say

EARLY = MORNING - timedelta(hours=2)
HOSTILE = '<script>alert("x")</script>'
OGG = b"OggS" + bytes(range(250)) * 4


@pytest.fixture
def chen(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR)


def misheard(console: ConsoleHouse, **columns: Any) -> TurnId:
    """王奶奶 was not understood a while ago."""
    with console.village.transaction() as session:
        turn = mishear(session, members.find_member(session, "王奶奶"), EARLY, **columns)
        return TurnId(turn.id)


def recorded(console: ConsoleHouse, path: str = "2026-03-02/a.audio") -> TurnId:
    file = console.parts.settings.recordings / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(OGG)
    return misheard(console, recording_path=path, recording_sha256="0" * 64)


def rows(console: ConsoleHouse, model: Any) -> list[Any]:
    return console.street.rows(model)


def corrected(turn: TurnId, **changed: Any) -> dict[str, Any]:
    return {
        "turn": turn,
        "version": "0",
        "said": "帮俺买盐",
        "intent": "request_help",
        "entity": ["service_kind", "when"],
        "entity_text": ["买盐", ""],
        "entity_value": ["shopping", ""],
        **changed,
    }


# Searching and reading


def test_a_conversation_is_found_by_what_was_said(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console, heard="俺想吃饺子")

    found = chen.get("/conversations?words=饺子&name=王&since=2026-03-02&until=2026-03-02&below=50")
    assert "俺想吃饺子" in found.text and f"/conversations/with/{quote(turn)}" in found.text
    assert "俺想吃饺子" not in chen.get("/conversations?words=面条").text
    assert "俺想吃饺子" not in chen.get("/conversations?until=2026-03-01").text


def test_older_conversations_are_on_the_next_page(console: ConsoleHouse, chen: Client) -> None:
    with console.village.transaction() as session:
        wang = members.find_member(session, "王奶奶")
        for number in range(23):
            say(session, wang, MORNING + timedelta(hours=number), heard=f"第{number}次说面条")

    first = chen.get("/conversations?words=面条").text
    assert "第22次说面条" in first and "第2次说面条" not in first
    [older] = [line for line in first.splitlines() if "before=" in line]
    address = older.split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = chen.get(f"/conversations{address}").text
    assert "第2次说面条" in second and "第22次说面条" not in second


@pytest.mark.parametrize(
    "query",
    [
        "since=0001-01-01&until=9999-12-31",
        "since=heute&below=abc&outcome=x&intent=y&before=z",
        "before=2026-03-02T00:00:00~x",
        "before=9999-12-31T00:00:00%2B00:00~x",
        "words=%ED%A0%80%E2%80%AE&name=%25",
        f"name={'王' * 5000}",
        "before=0001-01-01T00:00:00%2B14:00~",
        "below=99999999999999999999",
    ],
    ids=lambda query: query[:20],
)
def test_a_wrong_address_is_no_trouble(console: ConsoleHouse, chen: Client, query: str) -> None:
    misheard(console)
    assert chen.get(f"/conversations?{query}").status_code == 200


def test_hostile_words_are_shown_and_never_run(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(
        console,
        heard=HOSTILE,
        reply=HOSTILE,
        intent=HOSTILE,
        entities=[{"entity": HOSTILE, "value": HOSTILE}],
        buttons=[{"title": HOSTILE, "payload": HOSTILE}],
        engine=HOSTILE[:40],
    )
    for path in (f"/conversations/with/{turn}", "/conversations", "/conversations/queue"):
        page = chen.get(path)
        assert page.status_code == 200 and HOSTILE not in page.text
        assert "&lt;script&gt;" in page.text


def test_a_conversation_is_shown_as_it_went(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    with console.village.transaction() as session:
        wang = members.find_member(session, "王奶奶")
        say(
            session,
            wang,
            EARLY + timedelta(minutes=1),
            heard="买菜",
            entities=[{"entity": "service_kind", "value": "shopping", "start": 0, "end": 2}],
            stage_ms={"hear": 812.0, "dialogue": 100.0, "total": 950.0},
        )
    page = chen.get(f"/conversations/with/{turn}").text
    for word in (
        "听不清",
        "30%",
        "请人帮忙",
        "哪种帮忙：买东西",
        "812 毫秒",
        "没听清，您再说一遍？",
    ):
        assert word in page


def test_who_opens_a_conversation_is_recorded(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    chen.get(f"/conversations/with/{turn}")

    [looked] = [one for one in rows(console, StaffDeed) if one.viewed is Viewed.CONVERSATION]
    assert (looked.by_id, looked.subject) == (chen.member, turn)
    assert looked.about_id == console.street.member("王奶奶")


@pytest.mark.parametrize(
    "turn", ["talk:0:x", "'; DROP TABLE turn", "%00", "x" * 3000, "%2e%2e"], ids=len
)
def test_what_was_never_said_is_not_there(chen: Client, turn: str) -> None:
    for page in ("with", "recording"):
        assert chen.get(f"/conversations/{page}/{turn}").status_code == 404
    for deed in ("take", "give-back", "settle", "call-back", "note", "correct", "word"):
        sent = {"result": "helped", "words": "x", "kind": "place", "word_said": "圪崂"}
        answer = chen.post(f"/conversations/{deed}/{turn}", corrected(TurnId(turn)) | sent)
        assert answer.status_code == 404


def test_what_a_turn_set_off_leads_to_its_page(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    with console.village.transaction() as session:
        wang = MemberId(members.find_member(session, "王奶奶").id)
        request = exchange.request_help(
            session,
            elder=wang,
            service_kind=ServiceKind.MEALS,
            starts_at=MORNING + timedelta(days=1),
            turn_id=turn,
            now=MORNING,
        )
        gifts_to = MemberId(members.find_member(session, "张秀英").id)
        gifts.give(session, giver=wang, receiver=gifts_to, minutes=30, turn_id=turn, now=MORNING)
        number = request.id
    page = chen.get(f"/conversations/with/{turn}").text
    assert f'href="/console/requests/{number}"' in page and "做饭" in page
    assert "动了时间" in page and "30分" in page and "/books/transfers" not in page
    mediator = console.as_role(Role.MEDIATOR).get(f"/conversations/with/{turn}").text
    assert "/books/transfers/" in mediator


# Recordings


def test_a_recording_is_served_whole_and_in_part(console: ConsoleHouse, chen: Client) -> None:
    turn = recorded(console)
    assert "<audio" in chen.get(f"/conversations/with/{turn}").text

    whole = chen.get(f"/conversations/recording/{turn}")
    assert whole.content == OGG and whole.headers["content-type"] == "audio/ogg"
    assert whole.headers["cache-control"] == "no-store"
    part = chen.get(f"/conversations/recording/{turn}", headers={"Range": "bytes=4-7"})
    assert part.status_code == 206 and part.content == OGG[4:8]
    heard = [one for one in rows(console, StaffDeed) if one.viewed is Viewed.RECORDING]
    assert heard and {one.subject for one in heard} == {turn}


def test_a_viewer_reads_and_hears_nothing(console: ConsoleHouse) -> None:
    viewer = console.as_role(Role.VIEWER)
    turn = recorded(console)

    page = viewer.get(f"/conversations/with/{turn}").text
    assert "嗯那个" in page and "<audio" not in page and "更正" not in page
    assert viewer.get(f"/conversations/recording/{turn}").status_code == 403


def test_a_deleted_recording_is_kindly_missing(console: ConsoleHouse, chen: Client) -> None:
    turn = recorded(console)
    with console.village.transaction() as session:
        wang = MemberId(members.find_member(session, "王奶奶").id)
        consents.revoke_and_delete(
            session, member=wang, turn_id=TurnId("x"), now=console.street.clock()
        )
    # The file is still there for a moment; nobody is to hear it any more.
    answer = chen.get(f"/conversations/recording/{turn}")
    assert answer.status_code == 404 and "听不到了" in answer.text
    page = chen.get(f"/conversations/with/{turn}").text
    assert "<audio" not in page and "录音没有留下" in page


def test_a_file_that_vanished_is_kindly_missing(console: ConsoleHouse, chen: Client) -> None:
    turn = recorded(console)
    (console.parts.settings.recordings / "2026-03-02/a.audio").unlink()
    answer = chen.get(f"/conversations/recording/{turn}")
    assert answer.status_code == 404 and "听不到了" in answer.text


@pytest.mark.parametrize("path", ["../secret.key", "/etc/passwd", "a/../../secret.key", "\0", "."])
def test_nothing_outside_the_recordings_is_served(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.key").write_text("secret")
    folder = tmp_path / "recordings"
    (folder / "a").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret.key")

    assert recording_file(folder, path) is None
    assert recording_file(folder, "link") is None


# The queue and what is done


def test_failures_are_taken_called_about_and_settled(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console, heard="俺摔倒了")
    queue = chen.get("/conversations/queue").text
    assert "说到危险" in queue and "俺摔倒了" in queue

    assert chen.post(f"/conversations/take/{turn}").status_code == 303
    assert "有人在办" in chen.get("/conversations/queue").text
    done = chen.post(
        f"/conversations/call-back/{turn}",
        {"result": "helped", "words": "是闺女接的，没事"},
        follow=True,
    )
    assert "回访记下了" in done.text and "是闺女接的，没事" in done.text
    assert "俺摔倒了" not in chen.get("/conversations/queue").text
    assert "俺摔倒了" in chen.get("/conversations/queue?state=settled").text
    [care] = rows(console, FailureCare)
    [call] = rows(console, CallBack)
    assert care.state is FailureState.SETTLED and call.by_id == chen.member
    assert {one.about_id for one in rows(console, StaffDeed) if "call-back" in one.deed} == {
        console.street.member("王奶奶")
    }


def test_the_second_who_takes_it_is_told_who_was_first(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    other = console.as_role(Role.MEDIATOR)
    chen.post(f"/conversations/take/{turn}")

    refused = other.post(f"/conversations/take/{turn}")
    assert refused.status_code == 409 and chen.name in refused.text
    assert [one.by_id for one in rows(console, FailureCare)] == [chen.member]


@pytest.mark.parametrize("page", ["0", "-1", "99999", "x", "99999999999999"])
def test_the_queue_has_no_page_beyond_its_last(
    console: ConsoleHouse, chen: Client, page: str
) -> None:
    misheard(console)
    assert "嗯那个" in chen.get(f"/conversations/queue?page={page}").text


def test_words_of_danger_are_those_that_the_machine_knows() -> None:
    assert is_danger("快来人啊俺摔倒了") and is_danger("救命")
    assert not is_danger("俺想买点菜") and not is_danger("")


def test_a_note_stays_with_its_turn(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    page = chen.post(f"/conversations/note/{turn}", {"turn": turn, "words": HOSTILE}, follow=True)
    assert "备注写上了" in page.text and HOSTILE not in page.text
    assert [one.words for one in rows(console, TurnNote)] == [HOSTILE]

    empty = chen.post(f"/conversations/note/{turn}", {"turn": turn, "words": " "})
    assert empty.status_code == 409 and "还没写字呢" in empty.text


# Corrections


def test_a_correction_is_kept_with_its_parts(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    page = chen.post(f"/conversations/correct/{turn}", corrected(turn), follow=True)

    assert "更正记下了" in page.text and "其实说的是" in page.text
    [kept] = rows(console, Correction)
    assert (kept.said, kept.intent, kept.by_id) == ("帮俺买盐", "request_help", chen.member)
    assert kept.entities == [{"entity": "service_kind", "text": "买盐", "value": "shopping"}]


def test_who_corrects_second_keeps_what_he_typed(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    other = console.as_role(Role.MEDIATOR)
    chen.post(f"/conversations/correct/{turn}", corrected(turn))

    late = corrected(turn, said="帮俺买烟", entity_text=["", ""])
    refused = other.post(f"/conversations/correct/{turn}", late)
    assert refused.status_code == 409
    assert chen.name in refused.text and "帮俺买烟" in refused.text and "没有丢" in refused.text
    assert [one.said for one in rows(console, Correction)] == ["帮俺买盐"]


@pytest.mark.parametrize(
    "changed",
    [
        {"intent": "nlu_fallback"},
        {"said": ""},
        {"entity_text": ["没说过", ""]},
        {"entity_value": ["robbery", ""]},
        {"entity": [HOSTILE, "when"]},
        {"version": "²"},
        {"version": "-1"},
    ],
)
def test_what_cannot_be_meant_is_not_kept(
    console: ConsoleHouse, chen: Client, changed: dict[str, Any]
) -> None:
    turn = misheard(console)
    answer = chen.post(f"/conversations/correct/{turn}", corrected(turn, **changed))
    odd_version = "version" in changed
    assert answer.status_code == (303 if odd_version else 409)
    assert len(rows(console, Correction)) == odd_version
    assert HOSTILE not in answer.text


@pytest.mark.parametrize("deed", ["take", "settle", "note", "correct", "word", "call-back"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.ADMINISTRATOR])
def test_who_may_only_look_changes_nothing(console: ConsoleHouse, role: Role, deed: str) -> None:
    turn = misheard(console)
    sent = corrected(turn) | {
        "words": "x",
        "result": "helped",
        "word_said": "圪崂",
        "kind": "place",
    }
    assert console.as_role(role).post(f"/conversations/{deed}/{turn}", sent).status_code == 403
    for model in (Correction, FailureCare, CallBack, TurnNote, VillageWord):
        assert rows(console, model) == []


# Training


def test_a_second_person_reads_what_is_trained_on(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    said = "叫张秀英帮俺买盐"
    chen.post(f"/conversations/correct/{turn}", corrected(turn, said=said))
    [written] = rows(console, Correction)
    decision = {"correction": written.id, "answer": "accepted", "said": "叫她帮俺买盐"}

    own = chen.get("/training").text
    assert "要请另一位同事来审" in own and "张秀英" in own
    refused = chen.post("/training/decide", decision)
    assert refused.status_code == 409 and rows(console, TrainingDecision) == []

    second = console.as_role(Role.ADMINISTRATOR)
    page = second.get("/training").text
    assert "里面有人名或号码" in page
    assert second.post("/training/decide", decision).status_code == 303
    [decided] = rows(console, TrainingDecision)
    assert (decided.state, decided.said) == (TrainingState.ACCEPTED, "叫她帮俺买盐")
    export = second.get("/training/corrections.yml")
    assert "attachment" in export.headers["content-disposition"]
    [examples] = yaml.safe_load(export.content)["nlu"]
    assert examples["intent"] == "request_help" and "叫她帮俺[买盐]" in examples["examples"]
    assert "张秀英" not in export.text

    second.post("/training/decide", {"correction": written.id, "answer": "withdrawn"})
    assert second.get("/training/corrections.yml").text == ""


def test_a_village_word_waits_for_a_second_person(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    word = {"turn": turn, "word_heard": "坏树", "word_said": "槐树", "kind": "place"}
    chen.post(f"/conversations/word/{turn}", word)
    [kept] = rows(console, VillageWord)
    accept = {"word": kept.id, "answer": "accepted"}
    assert chen.post("/training/words", accept).status_code == 409

    second = console.as_role(Role.MEDIATOR)
    assert second.post("/training/words", accept).status_code == 303
    assert "槐树" in second.get("/training/lexicon.yml").text


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"correction": "0"},
        {"correction": "7", "answer": "accepted", "said": "x"},
        {"word": "7"},
    ],
)
@pytest.mark.parametrize("path", ["/training/decide", "/training/words"])
def test_what_nobody_wrote_cannot_be_decided(chen: Client, path: str, sent: dict[str, str]) -> None:
    assert chen.post(path, {"answer": "refused", **sent}).status_code == 404


# The error rate


def test_the_error_rate_is_drawn_and_written(console: ConsoleHouse, chen: Client) -> None:
    misheard(console)
    with console.village.transaction() as session:
        say(session, members.find_member(session, "王奶奶"), MORNING)

    page = chen.get("/conversations/progress").text
    assert "50.0%" in page and "<canvas" in page and '"percent": [50.0]' in page
    assert "style=" not in page


def test_every_meaning_has_its_words(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    page = chen.get(f"/conversations/with/{turn}").text
    for intent in INTENTS:
        assert f'<option value="{intent}"' in page and f">{intent}</option>" not in page


def test_every_form_carries_the_token(console: ConsoleHouse, chen: Client) -> None:
    turn = misheard(console)
    for path in ("/conversations/queue", f"/conversations/with/{turn}"):
        page = chen.get(path).text
        assert page.count('method="post"') == page.count(f'name="csrf" value="{chen.csrf}"')
