"""What people are told without having asked, from the outbox to their phones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from actions.timebank import exchange
from actions.timebank.ids import BindingId, MemberId, RequestId
from actions.timebank.model import ChannelBinding, Delivery, Notice, ServiceRequest
from actions.timebank.notices import tell
from actions.timebank.states import Channel, DeliveryState, NoticeState
from bot.channels.telegram.outgoing import Post
from bot.messenger import Push
from bot.notifier import Notifier
from bot.turn_types import Button
from tests.bot.telegram.line import Line
from tests.bot_api import cut_after, cut_before, refused, server_error, too_many

OFFERED = "王奶奶想请您明天上午九点帮着买东西，大约一个小时。"


def deliver(line: Line, until: Callable[[], bool] | None = None) -> None:
    """The notifier works until nothing is left to do, or until something is so."""

    async def work() -> None:
        channel = line.channel()
        notifier = Notifier(
            line.street.village, channel.messenger, line.phrases, channel=Channel.TELEGRAM
        )
        while await notifier.step() or (until is not None and not until()):
            if until is not None and until():
                break
        await channel.stop()

    asyncio.run(asyncio.wait_for(work(), timeout=60))


def ask(line: Line) -> None:
    with line.street.neighbourhood() as hood:
        assert hood.offer_of(hood.ask()).helper.name == "张秀英"


def call_off(line: Line) -> None:
    with line.street.neighbourhood() as hood:
        [request] = hood.session.query(ServiceRequest).all()
        number = RequestId(request.id)
        exchange.cancel_request(hood.session, by=hood.wang.id, request_id=number, now=hood.now)


def tell_wang(line: Line, *keys: str) -> None:
    with line.street.neighbourhood() as hood:
        for key in keys:
            facts = {"helper": "张秀英", "kind": "shopping"}
            tell(hood.session, hood.wang.id, "visit_started", about=key, now=hood.now, **facts)


def delivery(line: Line, **columns: Any) -> Delivery:
    found: Delivery = line.street.row(Delivery, **columns)
    return found


def test_a_neighbour_is_asked_by_voice_with_two_buttons(line: Line) -> None:
    zhang = line.phone("张秀英")
    ask(line)
    deliver(line)
    heard = [zhang.hears(), zhang.hears()]
    pushes = [one for one in heard if one.buttons]
    assert len(pushes) == 1
    assert pushes[0].words.startswith(OFFERED)
    assert pushes[0].voice is not None
    assert list(pushes[0].buttons) == ["接", "不接"]
    zhang.hears_nothing()


def test_a_push_that_went_elsewhere_says_so_and_has_no_buttons(line: Line) -> None:
    zhang = line.phone("张秀英")
    ask(line)
    deliver(line)
    offers = [one for one in (zhang.hears(), zhang.hears()) if one.buttons]
    call_off(line)
    deliver(line)
    changed = zhang.sees_edit()
    assert changed.message_id == offers[0].message_id
    assert changed.words == "王奶奶买东西的事，您不用管了。谢谢您。"
    assert list(changed.buttons) == []
    zhang.hears_nothing()


def test_who_takes_no_voice_messages_sees_the_change_all_the_same(line: Line) -> None:
    zhang = line.phone("张秀英")
    line.api.disturb("sendVoice", refused("VOICE_MESSAGES_FORBIDDEN"), times=9)
    ask(line)
    with line.api.expecting("no caption"):
        deliver(line)
        call_off(line)
        deliver(line)
    assert zhang.sees_edit().words == "王奶奶买东西的事，您不用管了。谢谢您。"


def test_who_blocked_us_is_marked_and_staff_are_told(line: Line) -> None:
    wang = line.phone("王奶奶")
    staff = line.phone("陈干事", 1002)
    deliver(line)
    wang.blocks()
    tell_wang(line, "one")
    deliver(line)
    assert line.street.row(ChannelBinding, address="1001").unreachable_at is not None
    staff.hears()
    assert staff.hears().words.startswith("王奶奶的手机收不到小帮的话了。")


@pytest.mark.parametrize(
    "trouble, copies", [(cut_before, 1), (server_error(502), 1), (cut_after, 2)]
)
def test_a_broken_line_loses_nothing_and_doubles_only_what_nobody_can_know(
    line: Line, trouble: Any, copies: int
) -> None:
    zhang = line.phone("张秀英")
    deliver(line)
    zhang.hears()
    ask(line)
    line.api.disturb("sendVoice", trouble)

    def told() -> bool:
        line.street.clock.pass_time(seconds=30)
        return line.street.rows(Notice, kind="offer_made")[0].state is NoticeState.DELIVERED

    deliver(line, told)
    heard = [zhang.hears() for _ in range(copies)]
    zhang.hears_nothing()
    assert all(one.words.startswith(OFFERED) for one in heard)
    # Whichever copy is pressed, it is the same press.
    assert len({tuple(one.keys.values()) for one in heard}) == 1


def test_telegram_s_pause_is_kept(line: Line) -> None:
    wang = line.phone("王奶奶")
    deliver(line)
    wang.hears()
    line.api.disturb("sendVoice", too_many(1))
    tell_wang(line, "one")
    deliver(line)
    assert wang.hears().words == "张秀英到了，来帮您买东西。"
    wang.hears_nothing()


def test_a_message_that_telegram_never_takes_goes_to_staff(line: Line) -> None:
    line.phone("王奶奶")
    deliver(line)
    line.api.disturb("sendVoice", refused("something about it"))
    tell_wang(line, "one", "two")
    deliver(line)
    states = [one.state for one in line.street.rows(Delivery)][-2:]
    assert states == [DeliveryState.GIVEN_UP, DeliveryState.SENT]
    assert len(line.street.told("陈干事", "staff_not_told")) == 1


def test_what_is_ready_needs_nothing_but_the_network(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    zhang = line.phone("张秀英")
    to = line.street.row(ChannelBinding)
    about = (BindingId(to.id), to.address, MemberId(to.member_id))
    push = Push("notice:1", *about, "您好。", (Button("接", "/affirm"),))

    async def work() -> None:
        channel = line.channel()
        await channel.messenger.prepare(push)
        monkeypatch.setattr(Post, "_in_village", None)
        monkeypatch.setattr(Post, "_sound", None)
        await channel.messenger.post(push)
        await channel.stop()

    asyncio.run(work())
    heard = zhang.hears()
    assert (heard.words, heard.buttons) == ("您好。", ["接"])
    assert heard.voice
