"""The notifier: once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from actions.timebank import bindings, channels, deliveries, exchange, outbox
from actions.timebank.ids import BindingId, DeliveryId, MemberId, NoticeId
from actions.timebank.model import Delivery, Notice, SentButton, ServiceRequest
from actions.timebank.notices import tell
from actions.timebank.states import Channel, DeliveryState, NoticeState
from bot.messenger import Blocked, Push, RateLimited, Refused, Unreachable
from bot.notifier import Notifier
from bot.phrases import Phrases
from tests.bot.messengers import FakeMessenger, Sleeper
from tests.small_village import Street
from tests.timebank.builders import MORNING

CHANNEL = Channel.TELEGRAM
NIGHT = MORNING.replace(hour=14)
"""Ten in the evening in China."""


@dataclass
class Office:
    """A street whose people have chats, and a notifier that brings them what is queued."""

    street: Street
    phrases: Phrases
    messenger: FakeMessenger
    sleeper: Sleeper
    numbers: dict[str, MemberId] = field(default_factory=dict)
    notifier: Notifier = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.notifier = Notifier(
            self.street.village,
            self.messenger,
            self.phrases,
            channel=CHANNEL,
            sleep=self.sleeper,
            chance=lambda: 1.0,
        )

    def bind(self, *names: str, address: str = "") -> None:
        for name in names:
            self.numbers[name] = self.street.member(name)
            with self.street.village.transaction() as session:
                bindings.bind(
                    session,
                    member=self.numbers[name],
                    channel=CHANNEL,
                    address=address or f"chat of {name}",
                    now=self.street.clock(),
                )

    def queue(self, name: str, *keys: str, kind: str = "visit_started", **facts: Any) -> None:
        given = {"helper": "张秀英", "kind": "shopping", **facts}
        with self.street.village.transaction() as session:
            for key in keys:
                tell(
                    session,
                    self.street.member(name),
                    kind,
                    about=key,
                    now=self.street.clock(),
                    **given,
                )

    def deliver(self, most_steps: int = 500) -> None:
        """Until there is nothing left to do now."""

        async def steps() -> None:
            for _ in range(most_steps):
                if not await self.notifier.step():
                    return
            raise AssertionError("the notifier never rests")

        asyncio.run(steps())

    def told(self, name: str) -> list[str]:
        """What arrived for this person: kind and key of each notice."""
        keys = {deliveries.about(NoticeId(one.id)): one for one in self.street.rows(Notice)}
        arrived = self.messenger.told(self.numbers[name])
        return [keys[about].dedupe_key.split(":", 1)[1] for about in arrived]

    def delivery(self, key: str) -> Delivery:
        [notice] = [one for one in self.street.rows(Notice) if one.dedupe_key.endswith(f":{key}")]
        found: Delivery = self.street.row(Delivery, notice_id=notice.id)
        return found

    def chat(self, name: str) -> str:
        return f"chat of {name}"


@pytest.fixture
def office(street: Street, phrases: Phrases) -> Iterator[Office]:
    office = Office(street, phrases, FakeMessenger(street.clock), Sleeper(street.clock))
    office.bind("王奶奶", "张秀英")
    yield office


def test_everybody_is_told_once_and_in_order(office: Office) -> None:
    office.queue("王奶奶", "one", "two")
    office.queue("张秀英", "three")
    office.queue("王奶奶", "four")
    office.deliver()
    assert office.told("王奶奶") == [f"visit_started:{key}" for key in ("one", "two", "four")]
    assert office.told("张秀英") == ["visit_started:three"]

    office.restart()
    office.deliver()
    assert len(office.messenger.arrived) == 4
    assert office.delivery("one").message_id
    assert {one.state for one in office.street.rows(Notice)} == {NoticeState.DELIVERED}


def test_nothing_is_sent_unprepared_or_after_it_was_marked(office: Office) -> None:
    seen = []
    office.messenger.before_it_arrives = lambda push: seen.append(
        (push in office.messenger.prepared, office.delivery("one").state)
    )
    office.queue("王奶奶", "one")
    office.deliver()
    assert seen == [(True, DeliveryState.SENDING)]
    assert office.delivery("one").state is DeliveryState.SENT


def test_who_has_no_chat_is_told_elsewhere(office: Office) -> None:
    office.queue("李建国", "one")
    office.deliver()
    assert office.messenger.arrived == []
    assert office.street.row(Notice).state is NoticeState.QUEUED


def test_who_joins_is_not_told_the_whole_past(office: Office) -> None:
    office.queue("李建国", "long ago")
    office.street.clock.pass_time(days=3)
    office.queue("李建国", "lately")
    office.bind("李建国")
    office.deliver()
    assert office.told("李建国") == ["visit_started:lately"]
    assert office.delivery("long ago").state is DeliveryState.DROPPED


def test_what_was_heard_on_the_talk_page_is_not_told_again(office: Office) -> None:
    office.messenger.away = True
    office.messenger.troubles[office.chat("王奶奶")].append(Unreachable(unsure=False))
    office.queue("王奶奶", "one", "two")
    office.sleeper.meanwhile = lambda: hear("one")

    def hear(key: str) -> None:
        office.messenger.away = False
        notice = office.delivery(key).notice_id
        with office.street.village.transaction() as session:
            member, now = office.numbers["王奶奶"], office.street.clock()
            outbox.deliver(session, notice_id=NoticeId(notice), member=member, now=now)

    office.deliver()
    assert office.told("王奶奶") == ["visit_started:two"]
    assert office.delivery("one").code == "heard"
    with office.street.village.reading() as session:
        assert outbox.queued_for(session, office.numbers["王奶奶"]) == []


# -- the line breaks -------------------------------------------------------------------------------


def test_a_day_without_the_network_loses_nothing_and_keeps_the_order(office: Office) -> None:
    day = office.street.clock() + timedelta(days=1)
    for name in ("王奶奶", "张秀英"):
        office.messenger.troubles[office.chat(name)].append(Unreachable(unsure=False))
    office.messenger.away = True
    office.queue("王奶奶", "one", "two")
    office.queue("张秀英", "three")

    def a_day_passes() -> None:
        office.messenger.away = office.street.clock() < day

    office.sleeper.meanwhile = a_day_passes
    office.deliver(most_steps=10_000)

    assert office.told("王奶奶") == ["visit_started:one", "visit_started:two"]
    assert office.told("张秀英") == ["visit_started:three"]
    # While it was away nobody's message was risked to find out.
    assert office.messenger.asked >= 1_000
    assert len(office.messenger.arrived) == 3
    assert {one.unsure for one in office.street.rows(Delivery)} == {0}


def test_pauses_grow_up_to_a_minute_and_are_never_quite_the_same(office: Office) -> None:
    office.notifier._chance = iter([1.0] * 20 + [0.0] * 20).__next__
    office.messenger.away = True
    office.messenger.troubles[office.chat("王奶奶")].append(Unreachable(unsure=False))
    office.queue("王奶奶", "one")

    async def look() -> None:
        for _ in range(25):
            await office.notifier.step()

    asyncio.run(look())
    slept = office.sleeper.slept
    assert slept[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert slept[-1] == 30


def test_after_a_day_away_urgent_words_go_first_and_gone_offers_not_at_all(office: Office) -> None:
    ask(office)
    office.queue("张秀英", "slow")
    office.street.clock.pass_time(hours=5)
    call_off(office)
    office.queue("张秀英", "fast", kind="alert_taken", by="李建国")
    office.deliver()
    assert [one.split(":")[0] for one in office.told("张秀英")] == ["alert_taken", "visit_started"]
    assert office.messenger.edited == []


def ask(office: Office) -> None:
    """王奶奶 asks, and 张秀英 is the one to be offered it."""
    with office.street.neighbourhood() as hood:
        assert hood.offer_of(hood.ask()).helper.name == "张秀英"


def call_off(office: Office) -> None:
    """王奶奶 needs nobody any more."""
    with office.street.neighbourhood() as hood:
        [request] = hood.session.query(ServiceRequest).all()
        exchange.cancel_request(hood.session, by=hood.wang.id, request_id=request.id, now=hood.now)


def test_no_answer_is_tried_again_with_the_same_buttons_but_not_for_ever(office: Office) -> None:
    ask(office)
    trouble = office.messenger.troubles[office.chat("张秀英")]
    trouble.extend([Unreachable(unsure=True), asyncio.TimeoutError(), Unreachable(unsure=True)])
    deliver_for(office, timedelta(minutes=1))
    offer = office.street.row(Delivery, member_id=office.numbers["张秀英"])
    assert (offer.state, offer.tries) == (DeliveryState.GIVEN_UP, deliveries.MOST_UNSURE)
    assert {push.about for push in office.messenger.prepared} == {f"notice:{offer.notice_id}"}
    [told] = office.street.told("陈干事", "staff_not_told")
    assert told["member"] == "张秀英"


def deliver_for(office: Office, span: timedelta) -> None:
    end = office.street.clock() + span
    while office.street.clock() < end:
        office.deliver()
        office.street.clock.pass_time(seconds=1)


def test_telegram_s_pause_is_kept_and_nothing_is_lost(office: Office) -> None:
    office.messenger.troubles[office.chat("王奶奶")].append(RateLimited(37))
    office.queue("王奶奶", "one", "two")
    office.deliver()
    assert office.sleeper.slept == [37]
    assert office.told("王奶奶") == ["visit_started:one", "visit_started:two"]


# -- she is not to be reached ----------------------------------------------------------------------


def test_who_blocked_us_is_handed_to_staff_once_and_told_when_back(office: Office) -> None:
    office.messenger.troubles[office.chat("王奶奶")].append(Blocked())
    office.queue("王奶奶", "one", "two")
    office.deliver()
    assert office.messenger.arrived == []
    assert [one["member"] for one in office.street.told("陈干事", "staff_unreachable")] == [
        "王奶奶"
    ]
    assert office.delivery("one").state is DeliveryState.BLOCKED

    with office.street.village.transaction() as session:
        [binding] = [office.delivery("one").binding_id]
        channels.mark_reachable(session, BindingId(binding), now=office.street.clock())
    office.deliver()
    assert office.told("王奶奶") == ["visit_started:one", "visit_started:two"]


def test_a_new_phone_gets_what_the_old_one_did_not(office: Office) -> None:
    office.messenger.troubles[office.chat("王奶奶")].append(Blocked())
    office.queue("王奶奶", "one")
    office.deliver()
    office.bind("王奶奶", address="new chat")
    office.deliver()
    assert [push.address for push in office.messenger.arrived] == ["new chat"]


@pytest.mark.parametrize(
    "trouble, code", [(Refused("too_long"), "too_long"), (ValueError(), "broken")]
)
def test_what_is_refused_is_handed_to_staff_and_holds_up_nobody(
    office: Office, trouble: Exception, code: str
) -> None:
    office.bind("陈干事")
    office.messenger.troubles[office.chat("王奶奶")].append(trouble)
    office.queue("王奶奶", "one", "two")
    office.deliver()
    assert office.told("王奶奶") == ["visit_started:two"]
    given_up = office.delivery("visit_started:one")
    assert (given_up.state, given_up.code) == (DeliveryState.GIVEN_UP, code)
    [push] = [one for one in office.messenger.arrived if one.member == office.numbers["陈干事"]]
    assert push.text == "有句话没送到王奶奶那儿，请您去说一声。张秀英到了，来帮您买东西。"


def test_staff_who_cannot_be_told_do_not_set_off_more_notices(office: Office) -> None:
    office.bind("陈干事")
    office.messenger.troubles[office.chat("陈干事")].extend([Refused("no"), Refused("no")])
    office.messenger.troubles[office.chat("王奶奶")].append(Refused("no"))
    office.queue("王奶奶", "one")
    office.deliver()
    office.deliver()
    assert len(office.street.told("陈干事", "staff_not_told")) == 1


def test_a_notice_without_words_is_handed_to_staff(office: Office) -> None:
    office.queue("王奶奶", "one", kind="made_up")
    office.queue("王奶奶", "two")
    office.deliver()
    assert office.told("王奶奶") == ["visit_started:two"]
    assert office.delivery("one").code == "no_words"
    assert len(office.street.told("陈干事", "staff_not_told")) == 1


# -- quiet hours -----------------------------------------------------------------------------------


def test_at_night_only_what_is_urgent_is_told_and_nothing_holds_it_up(office: Office) -> None:
    office.street.clock.now = NIGHT
    office.queue("王奶奶", "quiet")
    office.queue("王奶奶", "loud", kind="alert_taken", by="张秀英")
    office.queue("王奶奶", "quiet too")
    office.deliver()
    assert office.told("王奶奶") == ["alert_taken:loud"]

    office.street.clock.now = NIGHT + timedelta(hours=8, minutes=30)
    office.deliver()
    assert office.told("王奶奶")[1:] == ["visit_started:quiet", "visit_started:quiet too"]


def test_what_the_day_could_not_send_does_not_wake_people_at_night(office: Office) -> None:
    office.messenger.troubles[office.chat("王奶奶")].append(RateLimited(1))
    office.sleeper.meanwhile = lambda: setattr(office.street.clock, "now", NIGHT)
    office.queue("王奶奶", "one")
    office.deliver()
    assert office.messenger.arrived == []
    office.street.clock.now = NIGHT + timedelta(hours=8, minutes=30)
    office.deliver()
    assert office.told("王奶奶") == ["visit_started:one"]


# -- offers that went elsewhere --------------------------------------------------------------------


def with_buttons(office: Office) -> None:
    """As the channel makes them for what it sends."""

    def make(push: Push) -> None:
        with office.street.village.transaction() as session:
            binding = bindings.binding_of(session, push.member, channel=CHANNEL)
            assert binding is not None
            channels.make_buttons(
                session,
                binding=binding,
                about=push.about,
                buttons=[(one.title, one.payload) for one in push.buttons],
                now=office.street.clock(),
                lasts=timedelta(days=1),
            )

    office.messenger.before_it_arrives = make


def test_a_push_that_went_elsewhere_is_changed_to_say_so(office: Office) -> None:
    with_buttons(office)
    ask(office)
    office.deliver()
    call_off(office)
    office.deliver()

    assert len(office.messenger.arrived) == 1
    [change] = office.messenger.edited
    assert change.changes == office.delivery("offer_made:1").message_id
    assert change.text == "王奶奶买东西的事，您不用管了。谢谢您。"
    assert change.buttons == ()
    buttons = office.street.rows(SentButton)
    assert len(buttons) == 2 and all(one.died_at for one in buttons)
    assert {one.state for one in office.street.rows(Notice)} == {NoticeState.DELIVERED}
    office.deliver()
    assert len(office.messenger.edited) == 1


def test_a_push_is_changed_also_at_night_since_it_wakes_nobody(office: Office) -> None:
    ask(office)
    office.deliver()
    office.street.clock.now = NIGHT
    call_off(office)
    office.deliver()
    assert len(office.messenger.edited) == 1


def test_a_push_that_cannot_be_changed_is_followed_by_a_new_message(office: Office) -> None:
    ask(office)
    office.deliver()
    call_off(office)
    office.messenger.troubles[office.chat("张秀英")].append(Refused("message_gone"))
    office.deliver()
    assert office.told("张秀英") == ["offer_made:1", "offer_gone:1"]
    assert office.messenger.edited == []


def test_who_heard_the_offer_on_the_talk_page_is_told_that_it_is_gone(office: Office) -> None:
    ask(office)
    with office.street.village.transaction() as session:
        [notice] = outbox.queued_for(session, office.numbers["张秀英"])
        outbox.deliver(
            session,
            notice_id=notice.id,
            member=office.numbers["张秀英"],
            now=office.street.clock(),
        )
    call_off(office)
    office.deliver()
    assert office.told("张秀英") == ["offer_gone:1"]


def test_an_offer_that_goes_while_it_is_being_sent_is_changed_after_it(office: Office) -> None:
    office.messenger.after_it_arrived = lambda _push: call_off(office)
    ask(office)
    office.deliver()
    deliver_for(office, deliveries.LOOK_AGAIN + timedelta(seconds=1))
    assert office.told("张秀英") == ["offer_made:1"]
    assert len(office.messenger.edited) == 1


def test_an_offer_that_she_took_needs_no_change(office: Office) -> None:
    ask(office)
    office.deliver()
    with office.street.neighbourhood() as hood:
        [request] = hood.session.query(ServiceRequest).all()
        hood.accepted(request)
    office.deliver()
    assert office.messenger.edited == []


# -- stopping, crashing, several at once -----------------------------------------------------------


def test_who_is_stopped_lets_the_message_under_way_land(office: Office) -> None:
    office.queue("王奶奶", "one")

    async def stopped_in_between() -> None:
        running = asyncio.create_task(office.notifier.run())
        landing = asyncio.Event()
        post = office.messenger.post

        async def slow(push: Push) -> str:
            landing.set()
            await asyncio.sleep(0.01)
            return await post(push)

        office.messenger.post = slow  # type: ignore[method-assign]
        await landing.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(stopped_in_between())
    assert office.delivery("one").state is DeliveryState.SENT


def test_it_goes_on_after_the_database_was_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.queue("王奶奶", "one")
    failures = iter([OperationalError("", {}, Exception("locked"))])
    real = deliveries.sent

    def fails_once(*given: Any, **named: Any) -> bool:
        for failure in failures:
            raise failure
        return real(*given, **named)

    monkeypatch.setattr(deliveries, "sent", fails_once)
    office.deliver()
    office.deliver()
    assert office.told("王奶奶") == ["visit_started:one"]
    assert office.delivery("one").state is DeliveryState.SENT


class Killed(BaseException):
    """The program ends here, whatever it was doing."""


@pytest.mark.parametrize("kind, resent_at_once", [("alert_taken", True), ("visit_started", False)])
def test_after_a_crash_urgent_words_go_again_at_once_others_when_it_is_sure(
    office: Office, kind: str, resent_at_once: bool
) -> None:
    def killed(_push: Push) -> None:
        raise Killed

    office.messenger.after_it_arrived = killed
    office.queue("王奶奶", "one", kind=kind, by="张秀英")
    with pytest.raises(Killed):
        office.deliver()
    office.messenger.after_it_arrived = lambda _push: None

    office.restart()
    office.deliver()
    assert len(office.messenger.arrived) == (2 if resent_at_once else 1)
    deliver_for(office, deliveries.ABANDONED_AFTER + timedelta(seconds=1))
    first, second = office.messenger.arrived
    assert first == second
    assert office.delivery("one").state is DeliveryState.SENT
    assert office.delivery("one").unsure == 1


def test_a_sender_that_comes_back_too_late_changes_nothing(office: Office) -> None:
    office.queue("王奶奶", "one")
    with office.street.village.transaction() as session:
        now = office.street.clock()
        deliveries.tidy(session, channel=CHANNEL, now=now)
        [(first, chat)] = deliveries.in_turn(session, channel=CHANNEL, now=now, most=9)
        delivery = DeliveryId(first.id)
        tried = deliveries.begin(session, delivery, binding_id=BindingId(chat.id), now=now)
    assert tried == 1
    office.street.clock.pass_time(minutes=5)
    office.deliver()
    with office.street.village.transaction() as session:
        late: dict[str, Any] = {"tried": tried, "now": office.street.clock()}
        assert not deliveries.sent(session, delivery, message_id="late", **late)
        deliveries.give_up(session, delivery, code="late", **late)
        deliveries.blocked(session, delivery, **late)
    assert office.delivery("one").state is DeliveryState.SENT
    assert office.delivery("one").message_id != "late"


def test_two_notifiers_at_once_tell_nobody_twice(office: Office) -> None:
    people = ["王奶奶", "张秀英", "李建国", "赵铁柱", "陈干事"]
    office.bind(*people)
    for number in range(12):
        for name in people:
            office.queue(name, f"{number}")
    messenger, begun = office.messenger, threading.Barrier(2)

    def notify() -> None:
        async def until_all_is_said() -> None:
            notifier = Notifier(
                office.street.village, messenger, office.phrases, channel=CHANNEL, at_once=3
            )
            begun.wait(timeout=30)
            while any(one.state is NoticeState.QUEUED for one in office.street.rows(Notice)):
                await notifier.step()

        asyncio.run(until_all_is_said())

    both = [threading.Thread(target=notify) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=120)
    for name in people:
        assert office.told(name) == [f"visit_started:{number}" for number in range(12)]
    assert {one.tries for one in office.street.rows(Delivery)} == {1}
