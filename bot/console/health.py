"""How the machine is. It is looked at beside the pages, never while one waits for it: a page shows
what was known last."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Callable, List, Optional, Tuple

import httpx
from sqlalchemy import func, select

from actions.timebank import ledger
from actions.timebank.model import Delivery, Notice
from actions.timebank.session import Village
from actions.timebank.states import DeliveryState, NoticeState
from bot.settings import Settings

log = logging.getLogger(__name__)

FRESH_SECONDS = 20
CHAIN_FRESH_SECONDS = 3_600
"""Verifying reads every transfer: once an hour, and only while somebody has the console open."""
PATIENCE_SECONDS = 1.5
LITTLE_SPACE = 2_000_000_000
TOO_LITTLE_SPACE = 500_000_000


class Mark(str, Enum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sign:
    """One thing that was looked at. `words` are Chinese with `{facts}`."""

    name: str
    mark: Mark
    words: str
    facts: Tuple[Tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Health:
    at: Optional[datetime]
    """None before the first look."""
    signs: Tuple[Sign, ...] = ()

    @property
    def worst(self) -> Mark:
        order = (Mark.BAD, Mark.WARN, Mark.GOOD)
        return next((mark for mark in order if any(s.mark is mark for s in self.signs)), Mark.GOOD)


class Watch:
    """Looks in a thread of its own when a page asks and what is known is old."""

    def __init__(self, village: Village, settings: Settings, synthesizer: str) -> None:
        self._village, self._settings, self._synthesizer = village, settings, synthesizer
        self._lock = threading.Lock()
        self._looking = False
        self._looked = self._verified = float("-inf")
        self._chain: Optional[Sign] = None
        self._known = Health(at=None)

    def last_known(self) -> Health:
        """At once; a new look is begun when this one is old."""
        with self._lock:
            is_old = time.monotonic() - self._looked > FRESH_SECONDS
            if is_old and not self._looking:
                self._looking = True
                threading.Thread(target=self._look_beside, name="health", daemon=True).start()
            return self._known

    def look(self) -> Health:
        """Looks now, which may take seconds."""
        checks: Tuple[Callable[[], List[Sign]], ...] = (
            self._database,
            self._space,
            self._programs,
            self._speech,
            self._telegram,
            self._chain_sign,
            self._backup,
        )
        signs: List[Sign] = []
        for check in checks:
            try:
                signs += check()
            except Exception:
                # Whatever is broken is what this page is for.
                log.exception("the machine's health could not be told")
                signs.append(
                    Sign("机器", Mark.BAD, "看不到（{what}）", (("what", check.__name__),))
                )
        return Health(self._village.clock(), tuple(signs))

    def _look_beside(self) -> None:
        try:
            known: Optional[Health] = self.look()
        except Exception:
            log.exception("the machine's health could not be told")
            known = None
        with self._lock:
            self._looking, self._looked = False, time.monotonic()
            self._known = known or self._known

    def _database(self) -> List[Sign]:
        with self._village.reading() as session:
            waiting = session.execute(
                select(func.count()).where(Notice.state == NoticeState.QUEUED)
            ).scalar_one()
            sending = session.execute(
                select(func.count()).where(
                    Delivery.state.in_((DeliveryState.WAITING, DeliveryState.SENDING))
                )
            ).scalar_one()
        return [
            Sign("数据库", Mark.GOOD, "正常"),
            Sign(
                "等着说的话",
                Mark.GOOD,
                "{waiting}条还没听，{sending}条正要发",
                (("waiting", waiting), ("sending", sending)),
            ),
        ]

    def _space(self) -> List[Sign]:
        home = self._settings.home
        while not home.exists():
            home = home.parent
        free = shutil.disk_usage(home).free
        mark = Mark.GOOD if free > LITTLE_SPACE else Mark.WARN
        if free < TOO_LITTLE_SPACE:
            mark = Mark.BAD
        return [Sign("硬盘", mark, "还空{free} GB", (("free", f"{free / 1e9:.1f}"),))]

    def _programs(self) -> List[Sign]:
        return [
            self._answers("听懂话的程序", f"{self._settings.rasa_url}/"),
            self._answers("办事的程序", f"{self._settings.actions_url}/health"),
        ]

    def _answers(self, name: str, url: str) -> Sign:
        try:
            with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
                is_well = client.get(url).status_code < 500
        except httpx.HTTPError:
            is_well = False
        return Sign(name, Mark.GOOD if is_well else Mark.BAD, "正常" if is_well else "没有回应")

    def _speech(self) -> List[Sign]:
        models = self._settings.models
        has_models = models.is_dir() and any(models.iterdir())
        ears = Sign(
            "耳朵（听写）",
            Mark.GOOD if has_models else Mark.WARN,
            "模型在" if has_models else "没有找到模型",
        )
        return [ears, Sign("嘴巴（说话）", Mark.GOOD, self._synthesizer)]

    def _telegram(self) -> List[Sign]:
        if self._settings.telegram_token is None:
            return [Sign("手机消息", Mark.UNKNOWN, "没有开")]
        with self._village.reading() as session:
            last = session.execute(
                select(func.max(Delivery.ended_at)).where(Delivery.state == DeliveryState.SENT)
            ).scalar_one()
        if last is None:
            return [Sign("手机消息", Mark.WARN, "开了，还没有送到过")]
        return [Sign("手机消息", Mark.GOOD, "开了，上次送到：{at}", (("at", last),))]

    def _chain_sign(self) -> List[Sign]:
        if self._chain is None or time.monotonic() - self._verified > CHAIN_FRESH_SECONDS:
            with self._village.reading() as session:
                found = ledger.verify(session)
            facts = (("count", found.transfers), ("at", self._village.clock()))
            words = (
                "对得上：{count}笔，{at}查过" if found.intact else "对不上！马上找管理员（{at}）"
            )
            mark = Mark.GOOD if found.intact else Mark.BAD
            self._chain, self._verified = Sign("账本", mark, words, facts), time.monotonic()
        return [self._chain]

    def _backup(self) -> List[Sign]:
        return [Sign("备份", Mark.UNKNOWN, "没有记录")]
