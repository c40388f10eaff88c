"""A village of 2,000 members after a year and a half, written in bulk: what the staff console is
measured on. Everything hangs together: each movement has its visit, each statement its turn, the
chain of hashes is sound and nobody gave what he did not have.

    python -m tests.bench.big_village build/big.db
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from actions.timebank import model
from actions.timebank.chain import BEFORE_THE_FIRST, HASHED, Leg, seal, stored_moment
from actions.timebank.clock import village_day
from actions.timebank.schema import upgrade
from actions.timebank.session import open_engine
from actions.timebank.states import (
    AccountKind,
    AlarmWhy,
    AlertKind,
    AlertState,
    AssignmentState,
    DisputeKind,
    DisputeState,
    HoldState,
    OfferState,
    Party,
    RequestState,
    ServiceKind,
    TransferKind,
    TurnOutcome,
)

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
GIVEN = re.findall(
    "..",
    "秀英建国桂兰铁柱玉梅志强春花福贵淑珍大山小凤永年翠莲国庆金莲根生月娥德胜彩霞长河"
    "素芬卫东红梅有田桂英来福凤霞满仓秋菊保国兰香石头腊梅水生巧云广财雪梅天明玉兰树根"
    "春兰双喜爱莲青山银花万里香草平安喜妹家旺",
)
SAID = {
    "request_help": "明天上午请人帮我买点菜",
    "complete_task": "活干完了，干了一个钟头",
    "confirm_service": "对，是干了一个钟头",
    "rate_service": "干得挺好，给五分",
    "transfer_time": "给邻居送一个钟头",
    "report_no_show": "约好的人没来",
    "emergency": "快来人哪，我摔倒了",
    "check_balance": "我还有多少时间",
    "ask_policy": "时间过不过期",
    "chitchat": "今天天气咋样",
    "nlu_fallback": "那个那个啥来着",
}
SMALL_TALK = ("check_balance", "ask_policy", "chitchat")
RARE = (ServiceKind.URGENT_HELP, ServiceKind.BATHING)
KINDS = [kind for kind in ServiceKind if kind not in RARE]
KIND_WEIGHTS = list(range(len(KINDS), 0, -1))
ELDERS = 0.35
"""This part of the village asks, the rest helps."""
GIFTS, GRANT_MINUTES, FUND_A_MONTH = 0.12, {True: 6_000, False: 600}, 40_000
FUND, SYSTEM, FIRST_ACCOUNT = 1, 2, 3
TURNS, REQUESTS, ASSIGNMENTS = (
    one.__table__ for one in (model.Turn, model.ServiceRequest, model.Assignment)
)
ADD_TRANSFER = f"""INSERT INTO transfer ({", ".join(HASHED)}, previous_hash, hash)
VALUES ({", ".join("?" * (len(HASHED) + 2))})"""
ADD_POSTING = "INSERT INTO posting (transfer_id, account_id, minutes) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class Size:
    members: int = 2_000
    turns: int = 200_000
    transfers: int = 50_000
    days: int = 548


FULL = Size()


def build(file: Path, *, until: datetime, size: Size = FULL, seed: int = 1) -> None:
    """Writes the village into a new SQLite file; nothing in it is later than `until`, but what
    was asked for the next days. The same numbers make the same village."""
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    with engine.begin() as connection:
        _Builder(connection, until, size, random.Random(seed)).build()
    engine.dispose()


class _Builder:
    def __init__(
        self, connection: Connection, until: datetime, size: Size, chance: random.Random
    ) -> None:
        self.connection, self.until, self.size, self.chance = connection, until, size, chance
        self.began = village_day(until, days=-size.days)
        count = max(2, round(size.members * ELDERS))
        # The first two are the staff.
        self.elders = range(3, 3 + count)
        self.helpers = range(3 + count, size.members + 1)
        self.rows: dict[Any, list[dict[str, Any]]] = {}
        self.movements: list[tuple[datetime, TransferKind, dict[str, Any]]] = []
        self.balances = dict.fromkeys(range(1, FIRST_ACCOUNT + size.members), 0)

    def build(self) -> None:
        self._people()
        self._requests()
        self._gifts()
        self._alarms()
        self._other_turns()
        for table in model.Base.metadata.sorted_tables:
            if rows := self.rows.get(table):
                self.connection.execute(insert(table), rows)
        self._move()

    # -- small helps --------------------------------------------------------------------------

    def _add(self, table: Any, **row: Any) -> int:
        """Adds a row and tells its number."""
        rows = self.rows.setdefault(table.__table__, [])
        if "id" in table.__table__.c and "id" not in row:
            row["id"] = len(rows) + 1
        rows.append(row)
        return len(rows)

    def _some(self, least: float, most: float) -> timedelta:
        """A span of minutes."""
        return timedelta(minutes=self.chance.uniform(least, most))

    def _daytime(self, last_days: float = 0) -> datetime:
        """Some hour between six and twenty of a day that leaves `last_days` to the end."""
        day = self.chance.randrange(0, max(1, round(self.size.days - last_days)))
        return self.began + timedelta(days=day, hours=6) + self._some(0, 14 * 60)

    def _turn(
        self,
        member: int,
        intent: str,
        at: datetime,
        outcome: TurnOutcome = TurnOutcome.ANSWERED,
        code: str = "",
    ) -> str:
        number = len(self.rows.get(TURNS, ())) + 1
        name, spoken = f"talk:{number:08}", self.chance.random() < 0.8
        understood = outcome is TurnOutcome.ANSWERED
        self._add(
            model.Turn,
            id=name,
            member_id=member,
            channel="talk",
            outcome=outcome,
            code=code,
            recording_path=f"{at:%Y-%m}/{number}.wav" if spoken else None,
            recording_sha256=sha256(name.encode()).hexdigest() if spoken else None,
            heard=SAID[intent],
            heard_confidence=round(self.chance.uniform(0.6, 1.0), 3) if spoken else None,
            engine="vosk" if spoken else "typed",
            intent=intent,
            intent_confidence=round(
                self.chance.uniform(*((0.75, 1) if understood else (0.1, 0.6))), 3
            ),
            entities=[],
            reply="好的，记下了。" if understood else "我没听清，您再说一遍？",
            buttons=[],
            stage_ms={"hear": self.chance.randint(200, 900), "answer": self.chance.randint(30, 90)},
            began_at=at,
            ended_at=at + timedelta(seconds=1),
        )
        return name

    # -- people -------------------------------------------------------------------------------

    def _people(self) -> None:
        groups = max(1, self.size.members // 100)
        for number in range(1, groups + 1):
            self._add(model.Group, name=f"第{number}互助组")
            for lane in range(5):
                self._add(
                    model.Lane,
                    name=f"{SURNAMES[number % 40]}家巷{number}-{lane + 1}",
                    group_id=number,
                )
        names = [surname + given for given, surname in product(GIVEN, SURNAMES)]
        self._add(model.Account, kind=AccountKind.FUND, member_id=None)
        self._add(model.Account, kind=AccountKind.SYSTEM, member_id=None)
        for number in range(1, self.size.members + 1):
            elder, staff = number in self.elders, number <= 2
            name = names[number - 1] if number <= len(names) else f"{names[0]}{number}"
            self._add(
                model.Member,
                name=name,
                lane_id=1 + number % (5 * groups),
                birth_year=self.chance.randint(1938, 1958)
                if elder
                else self.chance.randint(1960, 2000),
                is_coordinator=staff,
                lives_alone=elder and self.chance.random() < 0.3,
                takes_tasks=number in self.helpers,
                joined_at=self.began,
            )
            self._add(model.Account, kind=AccountKind.MEMBER, member_id=number)
            self._grant(FIRST_ACCOUNT + number - 1, GRANT_MINUTES[elder], "opening", self.began)
            if number in self.helpers:
                for kind in self.chance.sample(KINDS, 4):
                    self._add(model.Skill, member_id=number, service_kind=kind, trained=False)
        for month in range(self.size.days // 30):
            self._grant(
                FUND, FUND_A_MONTH, "fund", self.began + timedelta(days=30 * month, hours=8)
            )

    def _grant(self, account: int, minutes: int, reason: str, at: datetime) -> None:
        legs = {SYSTEM: -minutes, account: minutes}
        self.movements.append((at, TransferKind.REISSUE, {"legs": legs, "reason": reason}))

    # -- requests and what became of them --------------------------------------------------------

    def _requests(self) -> None:
        gifts, reversals = self._gift_count(), self.size.transfers // 1_000
        settled = self.size.transfers - len(self.movements) - gifts - reversals
        fates = ["settled"] * settled
        for fate, part in {"cancelled": 0.07, "expired": 0.04, "no_show": 0.01}.items():
            fates += [fate] * max(1, round(settled * part))
        self.chance.shuffle(fates)
        moments = sorted(self._daytime(last_days=6) for _ in fates)
        for fate, asked in zip(fates, moments, strict=True):
            self._request(fate, asked)
        now = ("open", "offered", "assigned", "in_progress", "claimed", "not_come")
        for number in range(max(6, self.size.members // 20)):
            self._request(now[number % 6], self.until - self._some(60, 1_200))
        settlements = [one for one in self.movements if one[1] is TransferKind.SETTLEMENT]
        for at, _, facts in self.chance.sample(settlements, reversals):
            later = min(self.until, at + self._some(60, 5_000))
            wrong = {"wrong": facts, "reason": "记错了人"}
            self.movements.append((later, TransferKind.REVERSAL, wrong))

    def _request(self, fate: str, asked: datetime) -> None:
        elder, helper = self.chance.choice(self.elders), self.chance.choice(self.helpers)
        [kind] = self.chance.choices(KINDS, KIND_WEIGHTS)
        minutes = self.chance.choice((30, 45, 60, 60, 90, 120))
        starts = asked + self._some(180, 3_000)
        if fate in ("in_progress", "claimed", "not_come"):
            starts = asked + (self.until - asked) / 2
        row = {
            "elder_id": elder,
            "requested_by_id": elder,
            "service_kind": kind,
            "starts_at": starts,
            "minutes": minutes,
            "note": SAID["request_help"],
            "state": RequestState.OPEN,
            "turn_id": self._turn(elder, "request_help", asked),
            "created_at": asked,
            "ended_at": None,
            "end_reason": "",
        }
        request = self._add(model.ServiceRequest, **row)
        # What became of it is written into the row that waits to be stored.
        stored = self.rows[REQUESTS][-1]
        if fate == "open":
            return
        answered = self._asked_in_vain(request, asked)
        if fate == "expired":
            stored.update(state=RequestState.EXPIRED, ended_at=starts, end_reason="too_late")
            return
        if fate == "offered":
            self._offer(request, helper, answered, OfferState.PENDING, None)
            stored["state"] = RequestState.OFFERED
            return
        if fate == "cancelled" and self.chance.random() < 0.5:
            stored.update(
                state=RequestState.CANCELLED, ended_at=answered, end_reason="elder_cancelled"
            )
            return
        accepted = min(answered + self._some(1, 60), starts)
        offer = self._offer(request, helper, answered, OfferState.ACCEPTED, accepted)
        self._promised(fate, stored, request, offer, helper, accepted)

    def _asked_in_vain(self, request: int, at: datetime) -> datetime:
        """Up to three neighbours who cannot; tells when the next one is asked."""
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 3))):
            says_no, ended = self.chance.random() < 0.7, at + self._some(2, 30)
            state = OfferState.DECLINED if says_no else OfferState.EXPIRED
            self._offer(
                request, self.chance.choice(self.helpers), at, state, ended if says_no else None
            )
            at = ended
        return at

    def _offer(
        self, request: int, helper: int, at: datetime, state: OfferState, answered: datetime | None
    ) -> int:
        return self._add(
            model.Offer,
            request_id=request,
            helper_id=helper,
            state=state,
            why=[{"code": "near"}],
            offered_at=at,
            expires_at=at + timedelta(minutes=30),
            answered_at=answered,
        )

    def _promised(
        self,
        fate: str,
        request: dict[str, Any],
        number: int,
        offer: int,
        helper: int,
        accepted: datetime,
    ) -> None:
        elder, minutes, starts = request["elder_id"], request["minutes"], request["starts_at"]
        state, ended = AssignmentState.ACTIVE, None
        came, left = starts + self._some(-10, 20), starts + self._some(25, 160)
        said = left + self._some(10, 1_200)
        if fate == "settled":
            state, ended = AssignmentState.DONE, said
        elif fate in ("cancelled", "no_show", "not_come"):
            state, ended = AssignmentState.RELEASED, starts
        assignment = self._add(
            model.Assignment,
            request_id=number,
            offer_id=offer,
            helper_id=helper,
            state=state,
            accepted_at=accepted,
            ended_at=ended,
        )
        if fate == "cancelled":
            request.update(
                state=RequestState.CANCELLED, ended_at=ended, end_reason="elder_cancelled"
            )
        elif fate in ("no_show", "not_come"):
            decided = self._dispute(number, DisputeKind.NO_SHOW, elder, "report_no_show", starts)
            request.update(
                state=RequestState.CANCELLED if decided else RequestState.DISPUTED,
                ended_at=decided,
                end_reason="no_show" if decided else "",
            )
        elif fate == "assigned":
            request["state"] = RequestState.ASSIGNED
        elif fate in ("in_progress", "claimed"):
            claimed = fate == "claimed"
            request["state"] = RequestState.CLAIMED if claimed else RequestState.IN_PROGRESS
            left = starts + (self.until - starts) / 2
            visit = self._visit(assignment, starts, left if claimed else None)
            if claimed:
                self._say(visit, Party.HELPER, helper, minutes, "complete_task", left)
        else:
            self._settled(request, number, assignment, helper, came, left, said)

    def _visit(self, assignment: int, came: datetime, left: datetime | None, **settled: Any) -> int:
        given = {"settled_minutes": None, "settled_at": None, **settled}
        return self._add(
            model.Visit,
            assignment_id=assignment,
            checked_in_at=came,
            checked_out_at=left,
            **given,
        )

    def _settled(
        self,
        request: dict[str, Any],
        number: int,
        assignment: int,
        helper: int,
        came: datetime,
        left: datetime,
        said: datetime,
    ) -> None:
        elder, claimed = request["elder_id"], max(5, round((left - came).total_seconds() / 60))
        differs = claimed > 40 and self.chance.random() < 0.02
        agreed = claimed - 30 if differs else claimed
        visit = self._visit(assignment, came, left, settled_minutes=agreed, settled_at=said)
        self._say(visit, Party.HELPER, helper, claimed, "complete_task", left)
        turn = self._say(visit, Party.ELDER, elder, agreed, "confirm_service", said)
        ended = said
        if differs:
            ended = self._dispute(
                number, DisputeKind.MINUTES_DIFFER, elder, "complete_task", said, claimed, agreed
            )
        request.update(
            state=RequestState.CONFIRMED if ended else RequestState.DISPUTED, ended_at=ended
        )
        facts = {
            "visit_id": visit,
            "turn_id": turn,
            "elder": FIRST_ACCOUNT + elder - 1,
            "helper": FIRST_ACCOUNT + helper - 1,
            "minutes": agreed,
        }
        self.movements.append((said, TransferKind.SETTLEMENT, facts))
        if self.chance.random() < 0.3:
            at = said + timedelta(minutes=2)
            self._add(
                model.Rating,
                visit_id=visit,
                rater_id=elder,
                stars=self.chance.choice((1, 2, 3, 4, 4, 5, 5, 5, 5, 5, None)),
                words="干得挺好",
                turn_id=self._turn(elder, "rate_service", at),
                made_at=at,
            )

    def _say(
        self, visit: int, party: Party, member: int, minutes: int, intent: str, at: datetime
    ) -> str:
        turn = self._turn(member, intent, at)
        self._add(
            model.Confirmation,
            visit_id=visit,
            party=party,
            member_id=member,
            minutes=minutes,
            turn_id=turn,
            evidence_sha256=None,
            made_at=at,
        )
        return turn

    def _dispute(
        self,
        request: int,
        kind: DisputeKind,
        by: int,
        intent: str,
        at: datetime,
        claimed: int | None = None,
        confirmed: int | None = None,
    ) -> datetime | None:
        """Tells when it was decided; most are in time, and only late ones are still open."""
        decided: datetime | None = at + self._some(60, 1_700)
        if decided is not None and decided > self.until:
            decided = None
        self._add(
            model.Dispute,
            kind=kind,
            state=DisputeState.RESOLVED if decided else DisputeState.OPEN,
            request_id=request,
            opened_by_id=by,
            words="说得不一样",
            turn_id=self._turn(by, intent, at),
            claimed_minutes=claimed,
            confirmed_minutes=confirmed,
            opened_at=at,
            due_at=at + timedelta(hours=24),
            resolved_by_id=1 if decided else None,
            resolved_at=decided,
            resolution="按少的记" if decided else "",
        )
        return decided

    # -- gifts, alarms, talk ------------------------------------------------------------------

    def _gift_count(self) -> int:
        return round(self.size.transfers * GIFTS)

    def _gifts(self) -> None:
        for _ in range(self._gift_count()):
            giver, at = self.chance.choice(self.helpers), self._daytime(last_days=1)
            facts = {"giver": giver, "turn_id": self._turn(giver, "transfer_time", at)}
            self.movements.append((at, TransferKind.GIFT, facts))

    def _alarms(self) -> None:
        for number in range(max(2, self.size.members // 3)):
            # The first is still open: it was raised a moment ago.
            closed = number > 0
            at = self._daytime(last_days=1) if closed else self.until - timedelta(minutes=4)
            elder, taken = self.chance.choice(self.elders), at + self._some(0.5, 20)
            alert = self._add(
                model.Alert,
                kind=AlertKind.MISSED_CHECK_IN if number % 2 else AlertKind.EMERGENCY,
                state=AlertState.CLOSED if closed else AlertState.RAISED,
                member_id=elder,
                words=SAID["emergency"],
                turn_id=self._turn(elder, "emergency", at),
                raised_at=at,
                taken_by_id=self.chance.choice(self.helpers) if closed else None,
                taken_at=taken if closed else None,
                closed_at=taken + self._some(5, 90) if closed else None,
            )
            self._add(
                model.AlarmStep, alert_id=alert, step=0, why=AlarmWhy.RAISED, people=[1, 2], at=at
            )

    def _other_turns(self) -> None:
        """Fills up with talk; what is not understood becomes rarer with the months."""
        members = range(1, self.size.members + 1)
        while len(self.rows[TURNS]) < self.size.turns:
            member, at = self.chance.choice(members), self._daytime()
            age = (at - self.began) / (self.until - self.began)
            if self.chance.random() < 0.5 - 0.3 * age:
                self._turn(member, "nlu_fallback", at, TurnOutcome.REPAIRED, "not_understood")
            elif self.chance.random() < 0.03:
                self._turn(member, "chitchat", at, TurnOutcome.FAILED, "dialogue_away")
            else:
                self._turn(member, self.chance.choice(SMALL_TALK), at)

    # -- the ledger ---------------------------------------------------------------------------

    def _move(self) -> None:
        """Seals all movements in the order of their moments, each link upon the last."""
        previous, numbers = BEFORE_THE_FIRST, {}
        for number, (at, kind, facts) in enumerate(
            sorted(self.movements, key=lambda one: one[0]), 1
        ):
            legs = self._legs(kind, facts)
            for account, minutes in legs.items():
                self.balances[account] += minutes
            facts["moved"], numbers[id(facts)] = legs, number
            row = {
                "id": number,
                "sequence": number,
                "kind": kind.value,
                "visit_id": facts.get("visit_id"),
                "reverses_id": numbers[id(facts["wrong"])] if "wrong" in facts else None,
                "turn_id": facts.get("turn_id"),
                "reason": facts.get("reason", ""),
                "idempotency_key": f"big:{number}",
                "occurred_at": at,
            }
            sealed = seal(row, [Leg(*leg) for leg in legs.items()], previous)
            row["occurred_at"] = stored_moment(at)
            # A leg is taken only while its transfer is the newest.
            self.connection.exec_driver_sql(ADD_TRANSFER, (*row.values(), previous, sealed))
            postings = [(number, account, minutes) for account, minutes in sorted(legs.items())]
            self.connection.exec_driver_sql(ADD_POSTING, postings)
            previous = sealed
        self._holds()

    def _legs(self, kind: TransferKind, facts: dict[str, Any]) -> dict[int, int]:
        if kind is TransferKind.SETTLEMENT:
            minutes, elder = facts["minutes"], facts["elder"]
            own = min(minutes, max(0, self.balances[elder]))
            shares = {elder: -own, FUND: own - minutes, facts["helper"]: minutes}
            return {account: share for account, share in shares.items() if share}
        if kind is TransferKind.GIFT:
            giver = FIRST_ACCOUNT + facts["giver"] - 1
            if self.balances[giver] < 60:
                giver = max(self.balances, key=self.balances.__getitem__)
            receiver = FIRST_ACCOUNT + self.chance.choice(self.elders) - 1
            return {giver: -30, FUND if receiver == giver else receiver: 30}
        if kind is TransferKind.REVERSAL:
            return {account: -minutes for account, minutes in facts["wrong"]["moved"].items()}
        return dict(facts["legs"])

    def _holds(self) -> None:
        requests, rows = self.rows[REQUESTS], []
        for number, one in enumerate(self.rows[ASSIGNMENTS], 1):
            asked = requests[one["request_id"] - 1]
            account = FIRST_ACCOUNT + asked["elder_id"] - 1
            if (
                one["state"] is AssignmentState.ACTIVE
                and self.balances[account] >= asked["minutes"]
            ):
                self.balances[account] -= asked["minutes"]
                rows.append(
                    {
                        "account_id": account,
                        "assignment_id": number,
                        "minutes": asked["minutes"],
                        "state": HoldState.PENDING,
                        "created_at": one["accepted_at"],
                    }
                )
        if rows:
            self.connection.execute(insert(model.Hold), rows)


def main(arguments: Iterable[str]) -> None:
    file = Path(next(iter(arguments)))
    began = time.perf_counter()
    build(file, until=datetime.now(timezone.utc).replace(microsecond=0))
    print(f"{file}: {file.stat().st_size / 2**20:.0f} MiB, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
