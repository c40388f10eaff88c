"""People's pages: what each role sees, who is second to save, photos, sounds, cards."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image

from actions.timebank.model import ChannelBinding, JoinCard, Member, MemberChange, StaffDeed
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.states import CardState, Channel
from bot.console import people_changes, people_edit, people_ways
from bot.console.people import WEEKDAYS
from bot.console.words import read_words
from tests.bot.console.conftest import Client, ConsoleHouse
from tests.timebank.staff.talking import say


@pytest.fixture
def clerk(console: ConsoleHouse) -> Client:
    return console.as_role(Role.COORDINATOR)


def wang(console: ConsoleHouse) -> Member:
    member: Member = console.street.row(Member, id=console.street.member("王奶奶"))
    return member


def form(console: ConsoleHouse, **changed: Any) -> dict[str, Any]:
    person = wang(console)
    kept = {
        "version": person.version,
        "name": person.name,
        "nickname": person.nickname or "",
        "birth_year": person.birth_year or "",
        "lane": person.lane_id,
        "place": person.place,
    }
    return {**kept, **changed}


def at(console: ConsoleHouse, way: str = "") -> str:
    return f"/people/{console.street.member('王奶奶')}{way}"


def private_things(console: ConsoleHouse) -> None:
    with console.street.neighbourhood() as hood:
        hood.wang.birth_year = 1941
        hood.wang.lives_alone = True
        hood.session.add(
            ChannelBinding(
                channel=Channel.TELEGRAM, address="7", member_id=hood.wang.id, bound_at=hood.now
            )
        )


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEDIATOR, Role.BOOKKEEPER])
def test_who_only_looks_sees_nothing_private(console: ConsoleHouse, role: Role) -> None:
    private_things(console)
    page = console.as_role(role).get(at(console)).text
    assert "王奶奶" in page
    for hidden in (
        "1941",
        "出生年份",
        "手机和链接",
        "留录音",
        "谁改过什么",
        "优先照顾",
        "代办的人",
    ):
        assert hidden not in page, hidden
    listed = console.as_role(role).get("/people").text
    assert "王奶奶" in listed and "独居" not in listed and "优先照顾" not in listed


def test_who_edits_people_sees_all_of_it_and_that_is_written_down(
    console: ConsoleHouse, clerk: Client
) -> None:
    private_things(console)
    page = clerk.get(at(console)).text
    for shown in ("1941", "手机和链接", "留录音", "代办的人"):
        assert shown in page, shown
    look = console.street.row(StaffDeed, viewed=Viewed.PERSON)
    assert (look.by_id, look.about_id) == (clerk.member, console.street.member("王奶奶"))


def test_a_balance_is_for_who_sees_the_books(console: ConsoleHouse, clerk: Client) -> None:
    assert "账上" not in clerk.get(at(console)).text
    assert "账上" in console.as_role(Role.BOOKKEEPER).get(at(console)).text


def test_the_second_to_save_is_told_and_keeps_what_he_typed(
    console: ConsoleHouse, clerk: Client
) -> None:
    typed = form(console, place="第二个人写的<b>")
    other = console.as_role(Role.ADMINISTRATOR)
    assert other.post(at(console, "/edit"), form(console, place="第一个人写的")).status_code == 303
    refused = clerk.post(at(console, "/edit"), typed)
    assert refused.status_code == 409
    assert other.name in refused.text and "第一个人写的" in refused.text
    assert "第二个人写的&lt;b&gt;" in refused.text
    assert wang(console).place == "第一个人写的"
    again = re.search(r'name="version" value="(\d+)"', refused.text)
    assert (
        again
        and clerk.post(at(console, "/edit"), {**typed, "version": again[1]}).status_code == 303
    )


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"birth_year": "many"}, {"birth_year": "3000"}, {"lane": "99"}]
)
def test_a_form_that_cannot_be_is_shown_again(
    console: ConsoleHouse, clerk: Client, wrong: dict[str, Any]
) -> None:
    answer = clerk.post(at(console, "/edit"), form(console, place="河边上", **wrong))
    assert answer.status_code == 409 and "河边上" in answer.text
    assert console.street.rows(MemberChange) == []


def test_nobody_makes_himself_village_staff_by_a_forged_field(
    console: ConsoleHouse, clerk: Client
) -> None:
    forged = {"is_coordinator": "yes", "link_serial": "9", "left_at": "2020-01-01"}
    clerk.post(at(console, "/edit"), form(console, **forged))
    assert not wang(console).is_coordinator and wang(console).link_serial == 1
    assert clerk.post(at(console, "/coordinator"), forged).status_code == 403
    own = console.as_role(Role.ADMINISTRATOR)
    refused = own.post(f"/people/{own.member}/coordinator", {"is_coordinator": "yes"})
    assert refused.status_code == 409
    assert own.post(at(console, "/coordinator"), {"is_coordinator": "yes"}).status_code == 303
    assert wang(console).is_coordinator


def test_a_corrected_name_is_heard_before_it_is_saved(console: ConsoleHouse, clerk: Client) -> None:
    asked = form(console, name="王桂香", sample="name")
    player = clerk.post(at(console, "/listen"), asked, headers={"hx-request": "true"})
    source = re.search(r'src="([^"]+)"', player.text)
    assert source and "王桂香" in player.text
    sound = clerk.get(source[1].replace("&amp;", "&"))
    assert sound.status_code == 200 and sound.headers["content-type"].startswith("audio/")
    assert sound.headers["cache-control"] == "no-store"
    assert any("王桂香" in said[0] for said in spoken(console))
    assert wang(console).name == "王奶奶"


def test_the_voice_is_previewed_at_the_pace_in_the_form(
    console: ConsoleHouse, clerk: Client
) -> None:
    clerk.get(at(console, "/sound"), params={"sample": "voice", "pace": "110", "gain": "9999"})
    assert {(how.pace, how.gain) for _text, how in spoken(console)} == {(110, 300)}


def spoken(console: ConsoleHouse) -> list[Any]:
    return list(console.parts.mouth._kept)


def picture(size: tuple[int, int] = (1200, 800), kind: str = "JPEG", **about: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "brown").save(out, kind, **about)
    return out.getvalue()


def photo_files(console: ConsoleHouse) -> list[Any]:
    return sorted((console.parts.settings.home / "photos").glob("*"))


def test_a_photo_becomes_small_and_forgets_where_it_was_taken(
    console: ConsoleHouse, clerk: Client
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera that tells"
    sent = {"photo": ("../../evil.jpg", picture(exif=exif.tobytes()), "image/jpeg")}
    assert clerk.post(at(console, "/photo"), files=sent).status_code == 303
    answer = clerk.get(at(console, "/photo"))
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as kept:
        assert max(kept.size) == 640 and not kept.getexif()
    assert b"camera that tells" not in answer.content
    [first] = photo_files(console)
    clerk.post(at(console, "/photo"), files={"photo": ("a", picture(kind="PNG"))})
    [second] = photo_files(console)
    assert first != second
    clerk.post(at(console, "/photo/remove"))
    assert photo_files(console) == [] and clerk.get(at(console, "/photo")).status_code == 404


def bomb() -> bytes:
    return picture((9000, 9000), "PNG")


@pytest.mark.parametrize(
    "data",
    [b"no picture", b"\xff\xd8\xff" + b"x" * 99, picture()[:200], b"<svg/>", bomb()],
    ids=["words", "head", "cut", "svg", "bomb"],
)
def test_what_is_no_photo_is_refused(console: ConsoleHouse, clerk: Client, data: bytes) -> None:
    assert clerk.post(at(console, "/photo"), files={"photo": ("a.jpg", data)}).status_code == 409
    assert wang(console).photo is None and photo_files(console) == []


def test_a_join_card_is_printed_with_its_square_and_no_style_inside(
    console: ConsoleHouse, clerk: Client
) -> None:
    console.parts.settings.telegram_bot = "village_bot"
    for _twice in range(2):
        answer = clerk.post(at(console, "/card"))
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert "<svg" in answer.text and "https://t.me/village_bot?start=" in answer.text
    assert "<style" not in answer.text and " style=" not in answer.text
    assert "/console/static/join_card.css" in answer.text
    assert clerk.get("/static/join_card.css").status_code == 200
    states = [card.state for card in console.street.rows(JoinCard)]
    assert states == [CardState.VOID, CardState.UNUSED]
    assert console.street.rows(JoinCard)[1].issued_by_id == clerk.member


def test_without_telegram_there_is_no_card(console: ConsoleHouse, clerk: Client) -> None:
    assert clerk.post(at(console, "/card")).status_code == 409
    assert console.street.rows(JoinCard) == []


def test_a_renewed_link_is_another_one(console: ConsoleHouse, clerk: Client) -> None:
    old = re.search(r"/t/[\w-]+", clerk.post(at(console, "/link")).text)
    new = re.search(r"/t/[\w-]+", clerk.post(at(console, "/link/renew")).text)
    assert old and new and old[0] != new[0]
    assert wang(console).link_serial == 2


def test_a_lost_phone_is_unbound(console: ConsoleHouse, clerk: Client) -> None:
    assert clerk.post(at(console, "/unbind")).status_code == 409
    private_things(console)
    assert clerk.post(at(console, "/unbind")).status_code == 303
    assert console.street.row(ChannelBinding).unbound_at is not None


def test_new_kin_training_rhythm_and_leaving_by_their_forms(
    console: ConsoleHouse, clerk: Client
) -> None:
    lane = wang(console).lane_id
    made = clerk.post("/people/new", {"name": "钱大爷", "lane": lane, "lives_alone": "yes"})
    page = made.headers["location"]
    assert (
        clerk.post(page + "/kin", {"other": "王奶奶", "kind": "kin", "label": "姐"}).status_code
        == 303
    )
    assert clerk.post(page + "/kin", {"other": "没有这人", "kind": "kin"}).status_code == 409
    assert clerk.post(page + "/rhythm", {"rhythm": "daily"}).status_code == 303
    version = console.street.row(Member, name="钱大爷").version
    learned = {"kind": "bathing", "trained_at": "2026-02-01", "until": "", "version": version}
    assert clerk.post(page + "/training", learned).status_code == 303
    shown = clerk.get(page).text
    for words in ("姐", "每天", "帮洗澡 · 培训过", "培训记录"):
        assert words in shown, words
    version = console.street.row(Member, name="钱大爷").version
    assert clerk.post(page + "/leave", {"version": version}).status_code == 409
    assert clerk.post(page + "/leave", {"version": version, "why": "died"}).status_code == 303
    assert "去世了" in clerk.get(page).text
    assert "去世了" not in console.as_role(Role.VIEWER).get(page).text
    assert clerk.post(page + "/edit", form(console)).status_code == 409
    assert clerk.post(page + "/back").status_code == 303


def test_live_search_answers_with_the_list_alone(console: ConsoleHouse, clerk: Client) -> None:
    found = clerk.get("/people?q=秀英", headers={"hx-request": "true"}).text
    assert "张秀英" in found and "王奶奶" not in found and "<html" not in found


def test_what_is_told_from_python_has_its_english_too() -> None:
    english = read_words("en").english
    said = [*people_changes.FIELDS.values(), *people_edit.WRONG.values(), *WEEKDAYS]
    said += people_ways.CARD_WORDS.values()
    assert [words for words in said if words not in english] == []


def test_the_way_to_her_conversations_shows_hers_only(console: ConsoleHouse, clerk: Client) -> None:
    with console.street.neighbourhood() as hood:
        say(hood.session, hood.wang, hood.now, heard="俺想吃饺子")
        say(hood.session, hood.li, hood.now, heard="今儿个下雨了")
    [way] = re.findall(r'href="(/console/conversations[?][^"]+)"', clerk.get(at(console)).text)
    found = clerk.get(way).text
    assert "俺想吃饺子" in found and "今儿个下雨了" not in found


def test_what_she_waits_for_is_one_click_from_her_page(
    console: ConsoleHouse, clerk: Client
) -> None:
    with console.street.neighbourhood() as hood:
        request = hood.ask().id
    page = clerk.get(at(console)).text
    assert f'href="/console/requests/{request}"' in page
    coming = f"/requests/new{at(console).removeprefix('/people')}"
    assert f'href="/console{coming}"' in page and clerk.get(coming).status_code == 200
