"""Random alarms with random answers: none of them ever stays with nobody being asked."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import alarm_calls, alarm_chain, alerts, members, schema
from actions.timebank.alarm_calls import Ring
from actions.timebank.alarm_chain import CHECK_IN_CHAIN, EMERGENCY_CHAIN, TIMED, read_chain
from actions.timebank.errors import Refusal
from actions.timebank.ids import AlertId
from actions.timebank.model import AlarmRefusal, AlarmStep, Alert, Member, Notice
from actions.timebank.session import Village, open_engine
from actions.timebank.states import AlarmWhy, AlertKind, AlertState
from tests.timebank.builders import MORNING, FakeClock, make_member
from tests.timebank.neighbourhood import new_turn, settle_in

CHAINS = {
    AlertKind.EMERGENCY: read_chain(EMERGENCY_CHAIN),
    AlertKind.MISSED_CHECK_IN: read_chain(CHECK_IN_CHAIN),
}
LONGEST_SILENCE = {
    AlertKind.EMERGENCY: timedelta(minutes=5),
    AlertKind.MISSED_CHECK_IN: timedelta(minutes=60),
}
PEOPLE = st.integers(1, 6)
ALARMS = st.integers(1, 4)


@lru_cache(maxsize=1)
def original() -> Path:
    file = Path(mkdtemp()) / "village.db"
    engine = open_engine(f"sqlite:///{file}")
    schema.upgrade(engine)
    with Village(engine, FakeClock()).transaction() as session:
        settle_in(session, MORNING)
        make_member(session, "孙大爷", now=MORNING, lane="槐树巷")
    engine.dispose()
    return file


class Alarms(RuleBasedStateMachine):
    """People cry, go, cannot go, fall silent and say that all is well; every few minutes, or
    after hours without power, the village looks what is due."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        file = shutil.copy(original(), Path(self.folder.name) / "village.db")
        self.clock = FakeClock()
        self.village = Village(open_engine(f"sqlite:///{file}"), self.clock)

    def teardown(self) -> None:
        self.village.engine.dispose()
        self.folder.cleanup()

    @rule(who=PEOPLE, kind=st.sampled_from(AlertKind))
    def cries(self, who: int, kind: AlertKind) -> None:
        with self.village.transaction() as session:
            about = {"member": who, "words": "我摔了", "turn_id": new_turn(), "kind": kind}
            alerts.raise_alert(session, now=self.clock(), **about)

    @rule(who=PEOPLE, alarm=ALARMS)
    def goes(self, who: int, alarm: int) -> None:
        with suppress(Refusal), self.village.transaction() as session:
            alerts.take_alert(session, alert_id=AlertId(alarm), by=who, now=self.clock())

    @rule(who=PEOPLE, alarm=ALARMS)
    def cannot(self, who: int, alarm: int) -> None:
        with suppress(Refusal), self.village.transaction() as session:
            about = {"alert_id": AlertId(alarm), "by": who, "turn_id": new_turn()}
            alerts.decline_alert(session, now=self.clock(), **about)

    @rule(who=PEOPLE, alarm=ALARMS)
    def needs_more(self, who: int, alarm: int) -> None:
        with suppress(Refusal), self.village.transaction() as session:
            about = {"alert_id": AlertId(alarm), "by": who, "turn_id": new_turn()}
            alerts.ask_for_more(session, now=self.clock(), **about)

    @rule(who=PEOPLE, alarm=ALARMS)
    def says_that_all_is_well(self, who: int, alarm: int) -> None:
        with suppress(Refusal), self.village.transaction() as session:
            alerts.close_alert(session, alert_id=AlertId(alarm), by=who, now=self.clock())

    @rule(who=PEOPLE)
    def takes_it_back(self, who: int) -> None:
        with suppress(Refusal), self.village.transaction() as session:
            about = {"member": who, "turn_id": new_turn()}
            alerts.withdraw_alert(session, now=self.clock(), **about)

    @rule(who=PEOPLE)
    def leaves_the_village(self, who: int) -> None:
        with self.village.transaction() as session:
            members.member(session, who).left_at = self.clock()

    @rule(minutes=st.sampled_from([1, 2, 3, 5, 15, 30, 60, 600]))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_time(minutes=minutes)

    @invariant()
    def no_open_alarm_stays_with_nobody_being_asked(self) -> None:
        now = self.clock()
        with self.village.transaction() as session:
            alarm_chain.climb(session, CHAINS, now=now)
            assert alarm_chain.climb(session, CHAINS, now=now) == []
            for alert in session.execute(select(Alert)).scalars():
                if alert.state is AlertState.RAISED:
                    able = alarm_calls.people_of(session, Ring, alert.member_id)
                    able = alarm_calls.may_go(session, alert, able)
                    asked = alarm_calls.may_go(session, alert, alarm_calls.called(session, alert))
                    assert asked or not able, "somebody could go and nobody is asked"
                    last = [
                        one for one in alarm_calls.steps_of(session, alert) if one.why in TIMED
                    ][-1]
                    assert now - last.at < LONGEST_SILENCE[alert.kind], "it fell asleep"
                elif alert.state is AlertState.TAKEN:
                    assert now - alert.taken_at < alarm_chain.CLOSED_WITHIN[alert.kind]

    @invariant()
    def each_step_is_taken_once_and_none_twice_by_who_cannot(self) -> None:
        with self.village.reading() as session:
            for alert in session.execute(select(Alert)).scalars():
                steps = alarm_calls.steps_of(session, alert)
                assert [one.step for one in steps] == list(range(len(steps)))
                assert [one.at for one in steps] == sorted(one.at for one in steps)
                whys = Counter(one.why for one in steps)
                assert whys[AlarmWhy.RAISED] == 1
                assert whys[AlarmWhy.CLIMBED] <= len(CHAINS[alert.kind].steps) - 1
                assert alert.member_id not in {who for one in steps for who in one.people}
                self._nobody_is_pressed(session, alert, steps)

    def _nobody_is_pressed(self, session: Session, alert: Alert, steps: list[AlarmStep]) -> None:
        """Whoever said that he cannot go is in no later step."""
        rows = session.execute(
            select(AlarmRefusal).where(AlarmRefusal.alert_id == alert.id)
        ).scalars()
        for refusal in rows:
            later = [
                one
                for one in steps
                if one.at > refusal.at and one.why is not AlarmWhy.ASKED_IF_WELL
            ]
            assert not any(refusal.member_id in one.people for one in later)

    @invariant()
    def whoever_is_called_hears_it(self) -> None:
        with self.village.reading() as session:
            told = set(session.execute(select(Notice.recipient_id)).scalars())
            for step in session.execute(select(AlarmStep)).scalars():
                assert set(step.people) <= told
            everybody = set(session.execute(select(Member.id)).scalars())
            assert told <= everybody


TestAlarms = Alarms.TestCase
TestAlarms.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
