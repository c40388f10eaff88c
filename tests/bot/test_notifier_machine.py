"""Random lives of a notifier: whatever breaks, nothing is lost, and nobody is told out of turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from actions.timebank import bindings, deliveries, outbox, schema
from actions.timebank.ids import BindingId, MemberId, NoticeId
from actions.timebank.model import Delivery, Notice
from actions.timebank.notices import tell
from actions.timebank.session import Village, open_engine
from actions.timebank.states import (
    Channel,
    DeliveryState,
    NoticeState,
    Urgency,
)
from bot.messenger import Blocked, Push, RateLimited, Refused, Unreachable
from bot.notifier import Notifier
from bot.phrases import Phrases, read_phrases
from tests.bot.messengers import FakeMessenger, Sleeper
from tests.timebank.builders import FakeClock, make_member

CHANNEL = Channel.TELEGRAM
PEOPLE = 3
person = st.integers(1, PEOPLE).map(MemberId)
TROUBLES = (
    lambda: Unreachable(unsure=False),
    lambda: Unreachable(unsure=True),
    lambda: RateLimited(30),
    lambda: Refused("no"),
    Blocked,
)


class Killed(BaseException):
    """The program ends here."""


@lru_cache
def migrated() -> Engine:
    engine = open_engine("sqlite://")
    schema.upgrade(engine)
    return engine


@lru_cache
def phrases() -> Phrases:
    return read_phrases()


class LifeOfANotifier(RuleBasedStateMachine):
    @initialize()
    def people_join(self) -> None:
        engine = open_engine("sqlite://")
        with engine.connect() as copy, migrated().connect() as original:
            original.connection.dbapi_connection.backup(copy.connection.dbapi_connection)
        self.clock = FakeClock()
        self.village = Village(engine, self.clock)
        self.messenger = FakeMessenger(self.clock)
        self.unknowable: Counter[str] = Counter()
        self.queued = 0
        self.heard_elsewhere: set[NoticeId] = set()
        with self.village.transaction() as session:
            for number in range(PEOPLE):
                make_member(session, f"村民{number}", now=self.clock())
            for number in range(1, PEOPLE + 1):
                self._bind(session, MemberId(number), f"{number}:0")
        self.restart()

    def _bind(self, session: Session, member: MemberId, address: str) -> None:
        bindings.bind(session, member=member, channel=CHANNEL, address=address, now=self.clock())

    def _deliver(self) -> None:
        async def steps() -> None:
            for _ in range(2_000):
                if not await self.notifier.step():
                    return
            raise AssertionError("the notifier never rests")

        asyncio.run(steps())

    # -- what happens ------------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.notifier = Notifier(
            self.village,
            self.messenger,
            phrases(),
            channel=CHANNEL,
            sleep=Sleeper(self.clock),
            chance=lambda: 0.5,
        )

    @rule(member=person, urgent=st.booleans())
    def queue(self, member: MemberId, urgent: bool) -> None:
        self.queued += 1
        kind = "alert_taken" if urgent else "visit_started"
        facts = {"helper": "张秀英", "by": "张秀英", "kind": "shopping"}
        with self.village.transaction() as session:
            tell(session, member, kind, about=f"{self.queued}", now=self.clock(), **facts)

    @rule(minutes=st.sampled_from([0, 2, 60, 600]))
    def deliver(self, minutes: int) -> None:
        self.clock.pass_time(minutes=minutes)
        self._deliver()

    @rule(member=person, which=st.sampled_from(range(len(TROUBLES))))
    def trouble(self, member: MemberId, which: int) -> None:
        self.messenger.troubles[self._address(member)].append(TROUBLES[which]())

    @rule(after=st.booleans())
    def kill_at_the_next_message(self, after: bool) -> None:
        def killed(push: Push) -> None:
            self.unknowable[push.about] += after
            raise Killed

        setattr(self.messenger, "after_it_arrived" if after else "before_it_arrives", killed)
        try:
            self._deliver()
        except Killed:
            # The one connection of a database in memory must not be used by a dead one's thread.
            self.notifier._database.shutdown(wait=True)
            self.restart()
        self.messenger.after_it_arrived = self.messenger.before_it_arrives = lambda _push: None

    @rule(member=person)
    def she_writes_again(self, member: MemberId) -> None:
        with self.village.transaction() as session:
            binding = bindings.binding_of(session, member, channel=CHANNEL)
            assert binding is not None
            bindings.mark_reachable(session, BindingId(binding.id), now=self.clock())

    @rule(member=person)
    def she_gets_a_new_phone(self, member: MemberId) -> None:
        with self.village.transaction() as session:
            old = self._address(member, session).split(":")
            self._bind(session, member, f"{member}:{int(old[1]) + 1}")

    @rule(member=person)
    def she_hears_one_on_the_talk_page(self, member: MemberId) -> None:
        with self.village.transaction() as session:
            for notice in outbox.queued_for(session, member)[:1]:
                number = NoticeId(notice.id)
                outbox.deliver(session, notice_id=number, member=member, now=self.clock())
                self.heard_elsewhere.add(number)

    def _address(self, member: MemberId, session: Session | None = None) -> str:
        if session is None:
            with self.village.reading() as reading:
                return self._address(member, reading)
        binding = bindings.binding_of(session, member, channel=CHANNEL)
        assert binding is not None
        return str(binding.address)

    # -- what always holds -------------------------------------------------------------------------

    @invariant()
    def nothing_arrives_twice_that_could_be_known(self) -> None:
        copies = Counter(push.about for push in self.messenger.arrived)
        for about, count in copies.items():
            assert count <= 1 + self.unknowable[about], about

    @invariant()
    def everybody_is_told_in_order(self) -> None:
        with self.village.reading() as session:
            rows = session.query(Delivery).all()
            queues = {deliveries.about(NoticeId(one.notice_id)): one.urgency for one in rows}
        first: dict[tuple[MemberId, Urgency], list[int]] = {}
        for push in self.messenger.arrived:
            number = int(push.about.split(":")[1])
            line = first.setdefault((push.member, queues[push.about]), [])
            if number not in line:
                line.append(number)
        assert all(line == sorted(line) for line in first.values())

    def teardown(self) -> None:
        """When all is well again, everything was told, heard elsewhere, handed on, or too old."""
        self.messenger.troubles.clear()
        for member in range(1, PEOPLE + 1):
            self.she_writes_again(MemberId(member))
        for _ in range(12):
            self.clock.pass_time(hours=1)
            self._deliver()
        with self.village.reading() as session:
            arrived = {push.about for push in self.messenger.arrived}
            for notice in session.query(Notice).all():
                way = session.query(Delivery).filter_by(notice_id=notice.id).one_or_none()
                if way is None:
                    # Heard before a notifier ever looked: there was nothing to bring.
                    assert notice.id in self.heard_elsewhere
                elif way.state is DeliveryState.SENT:
                    assert deliveries.about(NoticeId(notice.id)) in arrived
                    assert notice.state is NoticeState.DELIVERED
                else:
                    heard = way.state is DeliveryState.DROPPED and way.code in ("heard", "old")
                    assert heard or way.state is DeliveryState.GIVEN_UP, (way.state, way.code)
        self.village.engine.dispose()


def _quick(**more: Any) -> settings:
    return settings(deadline=None, suppress_health_check=list(HealthCheck), **more)


LifeOfANotifier.TestCase.settings = _quick(max_examples=6, stateful_step_count=20)
TestLifeOfANotifier = LifeOfANotifier.TestCase
