"""The main job at a real browser: what went wrong is heard, put right and called back about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from actions.timebank import alerts, exchange, members
from actions.timebank.ids import MemberId
from actions.timebank.model import CallBack, Correction, FailureCare, Turn
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    FailureState,
)
from actions.timebank.states import ServiceKind, TurnOutcome
from tests.bot.console.conftest import ConsoleHouse
from tests.bot.fakes import tone_wav
from tests.browser.conftest import wait_until
from tests.browser.console.conftest import PHONE, WIDE, Open, picture
from tests.timebank.builders import MORNING
from tests.timebank.staff.talking import mishear, say

pytestmark = pytest.mark.browser

EARLY = MORNING - timedelta(hours=2)
STAGES = {"hear": 812.0, "dialogue": 130.0, "total": 955.0}


@pytest.fixture(autouse=True)
def a_bad_morning(console: ConsoleHouse) -> None:
    """王奶奶 fell, was not understood three times, then asked for food; 李建国 stopped talking."""
    folder = console.parts.settings.recordings
    folder.mkdir(parents=True)
    (folder / "first.audio").write_bytes(tone_wav(3.0, rate=16_000))
    with console.village.transaction() as session:
        wang, li = (members.find_member(session, name) for name in ("王奶奶", "李建国"))
        wang.lives_alone = True
        for number, heard in enumerate(("俺摔倒", "嗯那个俺腿", "来人帮俺卖烟")):
            turn = mishear(
                session,
                wang,
                EARLY + timedelta(minutes=number),
                heard=heard,
                recording_path="first.audio",
                recording_sha256="0" * 64,
                stage_ms=STAGES,
            )
        alerts.call_back(
            session, member=MemberId(wang.id), words="来人", turn_id=turn.id, now=EARLY
        )
        asked = say(
            session,
            wang,
            EARLY + timedelta(minutes=5),
            heard="晌午给俺做口饭",
            entities=[{"entity": "service_kind", "value": "meals", "start": 4, "end": 7}],
            reply="中午十二点，做饭一个小时，对吗？",
            buttons=[{"title": "对", "payload": "/affirm"}, {"title": "不对", "payload": "/deny"}],
            stage_ms=STAGES,
        )
        exchange.request_help(
            session,
            elder=MemberId(wang.id),
            service_kind=ServiceKind.MEALS,
            starts_at=MORNING + timedelta(hours=3),
            turn_id=asked.id,
            now=MORNING,
        )
        say(session, li, EARLY, heard="今儿个天咋样", intent="out_of_scope", reply="这个我帮不上。")
        for days in range(3, 80):
            for number in range(6):
                outcome = TurnOutcome.ANSWERED if number * 13 > days / 3 else TurnOutcome.FAILED
                at = EARLY - timedelta(days=days, minutes=-number)
                say(session, li, at, outcome=outcome)


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_failure_is_heard_put_right_and_called_back_about(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    visit = open_console(Role.COORDINATOR, "/conversations/queue", size=size)
    page = visit.page
    picture(visit, f"queue-{size[0]}")
    page.get_by_role("link", name="王奶奶").first.click()
    page.get_by_role("button", name="我来办").click()
    expect(page.get_by_role("status")).to_have_text("接下了，这件事归您。")
    picture(visit, f"conversation-{size[0]}")

    first = page.locator("li.turn").first
    first.get_by_role("button", name="0.5×").click()
    sound = first.locator("audio")
    sound.evaluate("sound => sound.play()")
    wait_until(lambda: sound.evaluate("sound => sound.currentTime") > 0.2, visit)
    assert sound.evaluate("sound => [sound.playbackRate, sound.preservesPitch]") == [0.5, True]

    first.get_by_text("更正", exact=True).click()
    first.get_by_label("其实说的是").fill("俺摔倒了，快来人")
    first.get_by_label("意思是").select_option("emergency")
    picture(visit, f"correcting-{size[0]}")
    first.get_by_role("button", name="记下更正").click()
    expect(page.locator("li.turn").first.locator(".fixed")).to_contain_text("俺摔倒了，快来人")

    page.get_by_label("打通了，帮上了").check()
    page.get_by_label("说了什么，办了什么").fill("闺女在家，已经送卫生院看过，没大事")
    page.get_by_role("button", name="回访做了，记下").click()
    expect(page.locator(".call")).to_contain_text("没大事")
    expect(page.locator(".care")).to_contain_text("已了结")
    picture(visit, f"settled-{size[0]}")

    [care], [call] = console.street.rows(FailureCare), console.street.rows(CallBack)
    [correction] = console.street.rows(Correction)
    assert care.state is FailureState.SETTLED and call.words.startswith("闺女在家")
    assert (correction.said, correction.intent) == ("俺摔倒了，快来人", "emergency")


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_search_chart_and_review_are_shown(
    open_console: Open, console: ConsoleHouse, size: Any
) -> None:
    writer = console.as_role(Role.MEDIATOR)
    turn = console.street.rows(Turn, heard="嗯那个俺腿")[0].id
    said = {"said": "叫张秀英来看看俺腿", "intent": "request_help", "version": "0"}
    writer.post(f"/conversations/correct/{turn}", {"turn": turn, **said})
    word = {"word_heard": "坏树湾", "word_said": "槐树湾", "kind": "place"}
    writer.post(f"/conversations/word/{turn}", {"turn": turn, **word})
    visit = open_console(Role.COORDINATOR, "/conversations?words=饭", size=size)
    page = visit.page
    picture(visit, f"search-{size[0]}")
    expect(page.locator(".talk-line")).to_have_count(1)
    page.get_by_role("link", name="出错率").click()
    # Chart.js gives its canvas a size once it has drawn.
    drawn = "typeof Chart === 'function' && Boolean(Chart.getChart('error-chart'))"
    wait_until(lambda: page.evaluate(drawn), visit)
    picture(visit, f"errors-{size[0]}")
    page.locator("main").get_by_role("link", name="审核更正").click()
    expect(page.get_by_role("heading", name="等着审核的话")).to_be_visible()
    expect(page.locator(".warning")).to_contain_text("张秀英")
    picture(visit, f"training-{size[0]}")
    page.get_by_label("拿去训练的话").fill("叫个人来看看俺腿")
    page.get_by_role("button", name="同意").first.click()
    expect(page.locator(".accepted li")).to_contain_text("叫个人来看看俺腿")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
