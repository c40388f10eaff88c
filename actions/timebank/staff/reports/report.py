"""The whole report of a month or a quarter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId
from actions.timebank.staff.accounts import require
from actions.timebank.staff.reports.care import Alarms, Disputes, alarms, disputes
from actions.timebank.staff.reports.fund import FundUse, fund_use
from actions.timebank.staff.reports.honour import Roll, roll
from actions.timebank.staff.reports.hours import Hours, hours
from actions.timebank.staff.reports.load import Loads, loads
from actions.timebank.staff.reports.needs import Needs, needs
from actions.timebank.staff.reports.periods import Period, check_period
from actions.timebank.staff.reports.quality import Quality, quality
from actions.timebank.staff.reports.understanding import Understood, understanding
from actions.timebank.staff.roles import Permission


@dataclass(frozen=True)
class Report:
    period: Period
    is_finished: bool
    made_at: datetime
    hours: Hours
    needs: Needs
    loads: Loads
    alarms: Sequence[Alarms]
    disputes: Sequence[Disputes]
    quality: Quality
    understanding: Understood
    fund: FundUse
    roll: Roll

    @property
    def is_empty(self) -> bool:
        """Whether nobody asked for anything, gave anything or said anything."""
        counts = (
            self.hours.visits,
            self.hours.gifts,
            self.needs.asked,
            self.understanding.whole.turns,
            sum(one.raised for one in self.alarms),
            sum(one.opened for one in self.disputes),
        )
        return not any(counts)


def roll_of_honour(session: Session, period: Period, *, by: MemberId, now: datetime) -> Roll:
    """The roll alone. Raises as `report` does."""
    _check(session, period, by, now)
    return roll(session, period)


def report(session: Session, period: Period, *, by: MemberId, now: datetime) -> Report:
    """Raises NoSuchPeriod, and NotYours for who may not see reports."""
    _check(session, period, by, now)
    return Report(
        period=period,
        is_finished=period.is_finished(now),
        made_at=now,
        hours=hours(session, period),
        needs=needs(session, period),
        loads=loads(session, period),
        alarms=alarms(session, period),
        disputes=disputes(session, period, now=now),
        quality=quality(session, period),
        understanding=understanding(session, period),
        fund=fund_use(session, period),
        roll=roll(session, period),
    )


def _check(session: Session, period: Period, by: MemberId, now: datetime) -> None:
    require(session, by, Permission.SEE_REPORTS, now=now)
    check_period(session, period, now=now)
