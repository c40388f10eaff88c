"""How fast the staff's console is in a big village, and whether its memory grows."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from itertools import cycle
from pathlib import Path

import httpx

from actions.timebank import chain
from actions.timebank.clock import clock_at
from actions.timebank.ids import MemberId
from actions.timebank.session import Village, open_village
from actions.timebank.staff import accounts, broadcasts, sessions
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    Audience,
)
from bot.console.doors import COOKIE, token_hash
from bot.settings import HOUSE
from tests.bench import big_village
from tests.bench.big_village import FULL, Size
from tests.bench.console_pages import Page, pages, searches
from tests.bench.deadline import Deadline
from tests.bench.memory import resident_mb
from tests.bench.report import Report, percentile

SMALL = Size(members=200, turns=4_000, transfers=1_000, days=120)
TIMES, FEW_TIMES = 20, 3
"""How often each page is asked for."""
VIEWS, FEW_VIEWS = 10_000, 300
WARM_UP = 0.1
"""This part of the views comes before memory is looked at: caches fill."""
PATIENCE = 15.0
"""Seconds after which nobody looks at a page any more; what takes longer counts as so long."""
TOKEN = "the bench sits at this desk and nobody else does"
REPORTS = {
    "month_report_s": "/reports/{period}",
    "month_report_pdf_s": "/reports/{period}/pdf",
    "month_report_xlsx_s": "/reports/{period}/xlsx",
}


def measure_console(report: Report, folder: Path, deadline: Deadline, *, quick: bool) -> None:
    """Figures of the console over 2,000 members, 200,000 turns and 50,000 transfers; smaller when
    quick. Pages are asked for over the loopback of a server in a process of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size, file, now = SMALL if quick else FULL, folder / "village.db", _now()
    big_village.build(file, until=now, size=size)
    village = open_village(f"sqlite:///{file}", clock_at(None))
    report.conditions["console"] = (
        f"{size.members} members, {size.turns} turns, {size.transfers} transfers"
    )
    _settle_staff(village, now)
    report.add({"chain_verify_s": _verify_seconds(village)}, digits=3)
    with village.reading() as session:
        all_pages, without_example = pages(session, now)
        all_searches = searches(session, now)
    if without_example:
        report.skipped["console pages"] = "nothing to show on " + ", ".join(without_example)
    with served(file, folder) as (process, client):
        times = FEW_TIMES if quick else TIMES
        shown = _measure_pages(report, client, all_pages, times, deadline)
        _measure_searches(report, client, all_searches, times, deadline)
        _measure_memory(report, client, process, shown, FEW_VIEWS if quick else VIEWS, deadline)
    village.engine.dispose()


@contextmanager
def served(file: Path, home: Path) -> Iterator[tuple[int, httpx.Client]]:
    """The console's process id, and somebody with all roles who is logged in there."""
    command = [sys.executable, "-m", "tests.bench.console_server", f"sqlite:///{file}", str(home)]
    process = subprocess.Popen(
        command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        port = int(process.stdout.readline())
        address = f"http://127.0.0.1:{port}/console"
        with httpx.Client(base_url=address, cookies={COOKIE: TOKEN}, timeout=PATIENCE) as client:
            yield process.pid, client
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def _settle_staff(village: Village, now: datetime) -> None:
    """Two of the staff, of whom one is logged in, with a draft and a broadcast to everybody."""
    with village.transaction() as session:
        first, second = MemberId(1), MemberId(2)
        for member in (second, first):
            account = accounts.make(
                session,
                member=member,
                login=f"bench{member}",
                roles=list(Role),
                password_hash="nobody logs in by it",
                must_change=False,
                now=now,
            )
        sessions.begin(session, account_id=account.id, token_sha256=token_hash(TOKEN), now=now)
        for _ in range(2):
            draft = broadcasts.write(
                session,
                by=first,
                words="十一月二十八日上午停水。",
                spoken_seconds=5,
                audience=Audience.EVERYBODY,
                now=now,
            )
        broadcasts.heard(session, draft.id, by=first, now=now)
        broadcasts.propose(session, draft.id, by=first, version=draft.version, now=now)
        broadcasts.approve(session, draft.id, by=second, now=now)


def _verify_seconds(village: Village) -> float:
    began = time.perf_counter()
    with village.reading() as session:
        verified = chain.verify(session)
    seconds = time.perf_counter() - began
    assert verified.intact, verified.problem
    return seconds


def _measure_pages(
    report: Report, client: httpx.Client, all_pages: Sequence[Page], times: int, deadline: Deadline
) -> list[Page]:
    """Gives the pages that were shown; downloads and the month's report have figures of their
    own and do not count as pages."""
    shown: dict[str, float] = {}
    for page in all_pages:
        is_html, taken = _asked_for(report, client, page, times, deadline)
        if not taken:
            continue
        worst = percentile(taken, 95)
        for figure in (figure for figure, path in REPORTS.items() if path == page.path):
            report.add({figure: worst / 1000}, digits=2)
        if page.path in REPORTS.values():
            continue
        kind = "page" if is_html else "download"
        report.add({f"{kind}_{page.name}_p95_ms": worst})
        if is_html:
            report.add({f"page_{page.name}_p50_ms": percentile(taken, 50)})
            shown[page.name] = worst
    _worst(report, "page_p95_ms", shown)
    return [page for page in all_pages if page.name in shown]


def _measure_searches(
    report: Report,
    client: httpx.Client,
    all_searches: Sequence[Page],
    times: int,
    deadline: Deadline,
) -> None:
    found: dict[str, float] = {}
    for search in all_searches:
        _, taken = _asked_for(report, client, search, times, deadline)
        if taken:
            found[search.name] = percentile(taken, 95)
            report.add({f"search_{search.name}_p95_ms": found[search.name]})
    _worst(report, "search_p95_ms", found)


def _worst(report: Report, figure: str, by_name: dict[str, float]) -> None:
    if not by_name:
        report.skipped[figure] = "nothing was shown"
        return
    slowest = max(by_name, key=lambda name: by_name[name])
    report.add({figure: by_name[slowest]})
    report.conditions[f"slowest of {figure}"] = slowest


def _asked_for(
    report: Report, client: httpx.Client, page: Page, times: int, deadline: Deadline
) -> tuple[bool, list[float]]:
    """Whether it is a page to look at, and the milliseconds of each time; the first does not
    count."""
    chance, taken, is_html = random.Random(page.name), [], False
    for number in range(times + 1):
        if deadline.over:
            report.skipped[f"page_{page.name}"] = f"the time was up after {len(taken)}"
            break
        began = time.perf_counter()
        try:
            answer = client.get(page.address(chance))
        except httpx.TimeoutException:
            report.skipped[f"page_{page.name}"] = f"no answer in {PATIENCE:.0f} s"
            return is_html, [PATIENCE * 1000]
        milliseconds = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            # Not every member or transfer has what the page is about.
            report.skipped[f"page_{page.name}"] = f"answered {answer.status_code} at least once"
            continue
        is_html = answer.headers["content-type"].startswith("text/html")
        if number:
            taken.append(milliseconds)
    return is_html, taken


def _measure_memory(
    report: Report,
    client: httpx.Client,
    process: int,
    shown: Sequence[Page],
    views: int,
    deadline: Deadline,
) -> None:
    """What the server keeps after many views of all pages, beside after the first of them."""
    chance, warm, seen = random.Random(2), 0.0, 0
    for page in cycle(shown):
        if seen == int(views * WARM_UP):
            warm = resident_mb(process)
        if seen == views or deadline.over:
            break
        with suppress(httpx.TimeoutException):
            client.get(page.address(chance))
        seen += 1
    report.conditions["console page views"] = seen
    if not warm:
        report.skipped["console_memory_growth_mb"] = "the time was up before caches were filled"
        return
    if seen < views:
        report.skipped["console page views"] = f"the time was up after {seen} of {views}"
    report.add(
        {
            "console_memory_mb": resident_mb(process),
            "console_memory_growth_mb": resident_mb(process) - warm,
        }
    )
