"""The talk page in a real Chromium with a microphone that plays a file."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from bot.turn_types import Button
from tests.bot.fakes import tone_wav
from tests.browser.conftest import (
    ELDER,
    HELPER,
    PATIENCE_MS,
    PHRASES,
    Open,
    Site,
    hold_button,
    loudness,
    type_words,
    wait_until,
)

pytestmark = pytest.mark.browser


def test_press_and_hold_records_real_sound_and_the_answer_is_seen_and_spoken(
    open_page: Open, site: Site
) -> None:
    visit = open_page()
    visit.state("ready")
    hold_button(visit, 2_500)
    visit.text("#heard-words", "腿疼，想买菜")
    visit.text("#reply", "好。我去问秀英。")
    visit.state("ready")
    [utterance] = site.turns.taken
    assert utterance.member == ELDER and utterance.audio is not None
    seconds, loudest = loudness(utterance.audio)
    assert 1.5 < seconds < 30 and loudest > 0.02
    assert [part for _, part in site.turns.spoken] == [0, 1]


def test_tap_starts_and_silence_after_speech_ends_it(open_page: Open, site: Site) -> None:
    visit = open_page()
    visit.page.locator("#talk").click()
    visit.state("listening")
    visit.picture("listening")
    visit.text("#reply", "好。我去问秀英。")
    [utterance] = site.turns.taken
    assert utterance.audio is not None
    seconds, loudest = loudness(utterance.audio)
    assert seconds > 2 and loudest > 0.02


def test_second_tap_ends_the_recording(open_page: Open, site: Site) -> None:
    visit = open_page()
    visit.page.locator("#talk").click()
    visit.state("listening")
    visit.page.wait_for_timeout(800)
    visit.page.locator("#talk").click()
    visit.text("#reply", "好。我去问秀英。")
    assert len(site.turns.taken) == 1


def test_keyboard_alone_is_enough(open_page: Open, site: Site) -> None:
    visit = open_page()
    visit.page.locator("#talk").focus()
    visit.page.keyboard.press("Enter")
    visit.state("listening")
    visit.page.wait_for_timeout(800)
    visit.page.keyboard.press("Enter")
    visit.text("#reply", "好。我去问秀英。")
    assert len(site.turns.taken) == 1


def test_tap_while_it_speaks_hushes_it_and_sends_nothing(open_page: Open, site: Site) -> None:
    site.turns.speech_seconds = 60
    visit = open_page()
    type_words(visit, "买菜")
    visit.state("speaking")
    visit.picture("speaking")
    visit.page.locator("#talk").click()
    visit.state("ready")
    assert visit.page.evaluate("document.body.dataset.state") == "ready"
    assert len(site.turns.taken) == 1


def test_two_big_buttons_send_what_they_stand_for(open_page: Open, site: Site) -> None:
    site.turns.buttons = [Button("对", "/affirm"), Button("不对", "/deny")]
    site.turns.sentences = ["明天上午九点，请秀英帮您买菜。", "对不对？"]
    visit = open_page()
    type_words(visit, "买菜")
    choices = visit.page.locator("#choices .choice")
    expect(choices).to_have_text(["对", "不对"], timeout=PATIENCE_MS)
    visit.state("ready")
    visit.picture("choices-390x844")
    site.turns.buttons = []
    choices.first.click()
    visit.text("#heard-words", "对")
    expect(choices).to_have_count(0)
    assert [utterance.text for utterance in site.turns.taken] == ["买菜", "/affirm"]


def test_slower_person_and_repeat_are_always_there(open_page: Open, site: Site) -> None:
    visit = open_page()
    visit.page.locator("#slower").click()
    visit.text("#heard-words", "慢一点")
    visit.state("ready")
    visit.page.locator("#person").click()
    visit.text("#heard-words", "叫人")
    visit.state("ready")
    assert [turn.text for turn in site.turns.taken] == ["/slow_down", "/talk_to_human"]
    spoken = len(site.turns.spoken)
    visit.page.locator("#repeat").click()
    visit.state("speaking")
    visit.state("ready")
    assert len(site.turns.taken) == 2 and len(site.turns.spoken) == spoken


def test_slow_answer_is_bridged_by_a_calm_sign(open_page: Open, site: Site) -> None:
    site.turns.delay = 4
    visit = open_page()
    type_words(visit, "买菜")
    visit.state("still-thinking")
    expect(visit.page.get_by_text("嗯，我在想")).to_be_visible()
    visit.picture("thinking")
    visit.text("#reply", "好。我去问秀英。")


WITHOUT_MICROPHONE = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"


def test_phones_own_recorder_is_used_where_there_is_no_microphone(
    open_page: Open, site: Site
) -> None:
    visit = open_page(before=WITHOUT_MICROPHONE)
    expect(visit.page.locator("#talk")).to_be_hidden()
    expect(visit.page.locator("#record-file")).to_be_visible()
    sound = tone_wav(1)
    with visit.page.expect_file_chooser() as choosing:
        visit.page.locator("#record-file").click()
    choosing.value.set_files({"name": "a.amr", "mimeType": "audio/amr", "buffer": sound})
    visit.text("#heard-words", "腿疼，想买菜")
    assert site.turns.taken[0].audio == sound


def test_refused_microphone_falls_back_to_the_phones_recorder(open_page: Open) -> None:
    visit = open_page(
        before="navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('no', 'NotAllowedError'); };"
    )
    visit.page.locator("#talk").click()
    visit.text("#reply", PHRASES["utter_page_no_microphone"])
    expect(visit.page.locator("#record-file")).to_be_visible()
    visit.state("ready")


def test_lost_network_keeps_the_recording_and_sends_it_as_the_same_turn(
    open_page: Open, site: Site
) -> None:
    visit = open_page(expected=("net::ERR",))
    ids: list[str] = []

    def fail_twice(route: Any) -> None:
        body = route.request.post_data_buffer or b""
        ids.append(body.split(b'name="turn_id"')[1].split(b"\r\n")[2].decode())
        if len(ids) <= 2:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    visit.page.route("**/api/turn", fail_twice)
    hold_button(visit, 1_000)
    visit.text("#reply", PHRASES["utter_page_no_network"])
    visit.text("#reply", "好。我去问秀英。")
    assert len(ids) == 3 and len(set(ids)) == 1
    [utterance] = site.turns.taken
    assert utterance.turn == f"talk:1:{ids[0]}"


def test_network_gone_for_long_waits_for_a_tap_and_loses_nothing(
    open_page: Open, site: Site
) -> None:
    # Waiting is made short, so that giving up does not take the test half a minute.
    visit = open_page(
        before="const slow = setTimeout;"
        "window.setTimeout = (what, ms, ...more) => slow(what, Math.min(ms, 100), ...more);",
        expected=("net::ERR",),
    )
    visit.page.route("**/api/turn", lambda route: route.abort("internetdisconnected"))
    type_words(visit, "买菜")
    visit.state("trouble")
    visit.picture("trouble")
    assert site.turns.taken == []
    visit.page.unroute("**/api/turn")
    visit.page.locator("#talk").click()
    visit.text("#reply", "好。我去问秀英。")
    visit.state("ready")
    assert [utterance.text for utterance in site.turns.taken] == ["买菜"]


def test_notice_is_shown_at_once_and_spoken_after_the_first_touch(
    open_page: Open, site: Site
) -> None:
    site.turns.waiting = {
        ELDER: [{"id": 3, "kind": "visit_started", "text": "秀英到您家了。", "buttons": []}]
    }
    visit = open_page()
    visit.text(".card-words", "秀英到您家了。")
    visit.page.wait_for_timeout(500)
    assert site.turns.notices_spoken == []
    visit.page.locator("header").click(position={"x": 10, "y": 10})
    wait_until(lambda: site.turns.notices_heard == [3], visit)
    assert site.turns.notices_spoken == [3]


def test_neighbour_takes_an_offered_task_with_one_button(open_page: Open, site: Site) -> None:
    site.turns.waiting = {
        HELPER: [
            {
                "id": 8,
                "kind": "offer_made",
                "text": "村西头的王桂兰，明天上午九点，想请您帮忙买菜，大约一个钟头。",
                "buttons": [
                    {"title": "接", "payload": '/accept_task{"offer_id": 4}'},
                    {"title": "不接", "payload": '/decline_task{"offer_id": 4}'},
                ],
            }
        ]
    }
    visit = open_page(site.link(HELPER), width=320, height=568)
    buttons = visit.page.locator(".card .choice")
    expect(buttons).to_have_text(["接", "不接"], timeout=PATIENCE_MS)
    for button in buttons.all():
        expect(button).to_be_in_viewport(ratio=1)
    visit.picture("offer-320x568")
    buttons.first.click()
    visit.text("#heard-words", "接")
    wait_until(lambda: site.turns.notices_heard == [8], visit)
    expect(visit.page.locator(".card")).to_have_count(0)
    [utterance] = site.turns.taken
    assert (utterance.member, utterance.text) == (HELPER, '/accept_task{"offer_id": 4}')


def test_task_that_went_to_somebody_else_leaves_the_page(open_page: Open, site: Site) -> None:
    task = {
        "id": 8,
        "kind": "offer_made",
        "text": "买菜",
        "buttons": [{"title": "接", "payload": "/a"}],
    }
    site.turns.waiting = {HELPER: [task]}
    visit = open_page(site.link(HELPER))
    expect(visit.page.locator(".card")).to_have_count(1, timeout=PATIENCE_MS)
    site.turns.waiting[HELPER].clear()
    expect(visit.page.locator(".card")).to_have_count(0, timeout=PATIENCE_MS)


SIZES = [(390, 844), (320, 568), (195, 422), (844, 390), (1280, 900)]
"""Phones, a phone zoomed to 200%, a phone on its side, a desk."""


@pytest.mark.parametrize("width, height", SIZES)
def test_everything_can_be_seen_pressed_and_read(
    open_page: Open, site: Site, width: int, height: int
) -> None:
    site.turns.buttons = [Button("对", "/affirm"), Button("不对", "/deny")]
    site.turns.sentences = [
        "好，我记下了。",
        "明天上午九点，请村东头的张秀英帮您买菜，大约一个钟头。",
        "对不对？",
    ]
    visit = open_page(width=width, height=height)
    visit.picture(f"ready-{width}x{height}")
    type_words(visit, "俺腿疼，想叫人明儿上午帮俺买点菜")
    expect(visit.page.locator("#choices .choice")).to_have_count(2, timeout=PATIENCE_MS)
    visit.state("ready")
    visit.picture(f"asking-{width}x{height}")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    if height > 520:
        for selector in ("#talk", "#repeat", "#slower", "#person", "#choices"):
            expect(visit.page.locator(selector)).to_be_in_viewport(ratio=1)
    for selector in ("#talk", "#repeat", "#slower", "#person", "#choices .choice"):
        for button in visit.page.locator(selector).all():
            button.scroll_into_view_if_needed()
            box = button.bounding_box()
            assert box is not None and box["height"] >= 88, selector
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, selector
    for selector in ("#reply", "#heard", "#state"):
        size = visit.page.eval_on_selector(selector, "one => getComputedStyle(one).fontSize")
        assert float(size.removesuffix("px")) >= 28, selector


CONTRASTS = """() => {
  const channels = (css) => css.match(/[\\d.]+/g).map(Number);
  const shine = ([r, g, b]) => [r, g, b]
    .map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const selectors = "#reply, #heard, .you, #state, .brand, .always span, .choice, " +
    ".card-words, summary, .round .icon, .person, .who small, .said, .face, .wide";
  return [...document.querySelectorAll(selectors)].map((element) => {
    const [one, other] = [shine(channels(getComputedStyle(element).color)), shine(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return [element.className || element.id || element.tagName, ratio];
  });
}"""


def test_words_stand_out_seven_to_one(open_page: Open, site: Site) -> None:
    site.turns.buttons = [Button("对", "/affirm"), Button("不对", "/deny")]
    site.turns.waiting = {
        ELDER: [{"id": 3, "kind": "visit_started", "text": "秀英到您家了。", "buttons": []}]
    }
    visit = open_page()
    type_words(visit, "买菜")
    expect(visit.page.locator("#choices .choice")).to_have_count(2, timeout=PATIENCE_MS)
    measured = []
    for state in ("ready", "listening", "thinking", "speaking", "trouble"):
        visit.page.evaluate("state => { document.body.dataset.state = state; }", state)
        measured += visit.page.evaluate(CONTRASTS)
    measured += open_page(site.origin).page.evaluate(CONTRASTS)
    assert len(measured) > 50
    assert [pair for pair in measured if pair[1] < 7] == []


def test_front_page_and_refused_link_are_kind(open_page: Open, site: Site) -> None:
    front = open_page(site.origin)
    front.picture("front")
    front.page.get_by_text("王桂兰").click()
    expect(front.page.locator("#reply")).to_contain_text("王桂兰，您好")
    refused = open_page(f"{site.origin}/t/wrong", expected=("status of 401",))
    refused.picture("refused")
    refused.page.locator("#listen").click()
    expect(refused.page.locator("body")).to_have_attribute("data-said", "yes")


def test_service_worker_keeps_nothing_personal(open_page: Open, site: Site) -> None:
    visit = open_page(expected=("net::ERR",))
    visit.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    type_words(visit, "买菜")
    visit.text("#reply", "好。我去问秀英。")
    kept = visit.page.evaluate(
        """async () => {
          const shelves = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
          const requests = await Promise.all(shelves.map((shelf) => shelf.keys()));
          return requests.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    assert kept and all(path.startswith("/static/") for path in kept)
    visit.page.context.set_offline(True)
    visit.page.goto(site.link())
    expect(visit.page.get_by_text("再试一次")).to_be_visible()
    visit.picture("offline")
