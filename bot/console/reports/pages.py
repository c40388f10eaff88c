"""Reports: choose a month or a quarter, look at it, take it along as PDF or spreadsheet."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from starlette.responses import Response

from actions.timebank.ids import MemberId
from actions.timebank.staff.reports import honour
from actions.timebank.staff.reports.periods import (
    NoSuchPeriod,
    Period,
    PeriodKind,
    check_period,
    periods,
)
from actions.timebank.staff.reports.report import Report, report
from actions.timebank.staff.reports.report import roll_of_honour as roll_of
from actions.timebank.staff.roles import Permission
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.reports import pdf, roll_pdf, sheet
from bot.console.reports.sections import at_a_glance, period_name, sections
from bot.console.reports.telling import chart_facts, written

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NEWEST = {PeriodKind.MONTH: 24, PeriodKind.QUARTER: 8}
"""So many are offered to choose from; older ones are reached by their address."""

MOST_GIVERS = 40
"""So many are listed to be asked; the others are found by name."""


def home(desk: Desk) -> Response:
    """The period that was chosen, or the newest that is over."""
    chosen = desk.query.get("period", "")
    if chosen:
        return desk.go(f"/reports/{_read(chosen)}")
    with desk.reading() as session:
        months = periods(session, PeriodKind.MONTH, now=desk.now)
    if not months:
        return desk.page("reports/none.html")
    over = [month for month in months if month.is_finished(desk.now)]
    return desk.go(f"/reports/{(over or months)[0]}")


def one_report(desk: Desk) -> Response:
    made = _report(desk)
    return desk.page(
        "reports/report.html",
        report=made,
        name=period_name(made.period, desk.words),
        figures=at_a_glance(made, desk.words),
        sections=sections(made, desk.words),
        chart_facts=lambda table: chart_facts(table, desk.words),
        written=lambda value, unit: written(value, unit, desk.words),
        **_chooser(desk, made.period),
    )


def as_pdf(desk: Desk) -> Response:
    made = _report(desk)
    data = pdf.write(made, desk.words, by=desk.staff.name)
    return desk.download(_file(desk.say("报表"), made.period, "pdf"), data, "application/pdf")


def as_sheet(desk: Desk) -> Response:
    made = _report(desk)
    data = sheet.write(made, desk.words, by=desk.staff.name)
    return desk.download(_file(desk.say("报表"), made.period, "xlsx"), data, XLSX)


def roll_of_honour(desk: Desk) -> Response:
    period, searched = _period(desk), desk.query.get("name", "").strip()
    everybody: Sequence[honour.Giver] = []
    with desk.reading() as session:
        roll = roll_of(session, period, by=desk.staff.member_id, now=desk.now)
        if desk.staff.may(Permission.EDIT_PEOPLE):
            everybody = honour.givers(session, period, by=desk.staff.member_id, now=desk.now)
    found = [one for one in everybody if searched in one.name]
    return desk.page(
        "reports/honour.html",
        roll=roll,
        name=period_name(period, desk.words),
        searched=searched,
        givers={
            "all": everybody,
            "found": found[:MOST_GIVERS],
            "left_out": max(0, len(found) - MOST_GIVERS),
        },
        **_chooser(desk, period),
    )


def roll_as_pdf(desk: Desk) -> Response:
    period = _period(desk)
    with desk.reading() as session:
        roll = roll_of(session, period, by=desk.staff.member_id, now=desk.now)
    data = roll_pdf.write(roll, period_name(period, desk.words), desk.words)
    return desk.download(_file(desk.say("功德榜"), period, "pdf"), data, "application/pdf")


def hear_wish(desk: Desk) -> Response:
    """A member told the staff whether he may be named."""
    period, member = _period(desk), desk.number("member")
    answer = desk.form.get("may_be_named", "")
    if member is None or answer not in ("yes", "no"):
        raise NotFound()
    desk.about(MemberId(member))
    with desk.transaction() as session:
        check_period(session, period, now=desk.now)
        honour.hear_wish(
            session,
            member=MemberId(member),
            may_be_named=answer == "yes",
            by=desk.staff.member_id,
            now=desk.now,
        )
    return desk.go(f"/reports/{period}/honour", desk.say("记下了。"))


def _report(desk: Desk) -> Report:
    period = _period(desk)
    with desk.reading() as session:
        return report(session, period, by=desk.staff.member_id, now=desk.now)


def _period(desk: Desk) -> Period:
    return _read(str(desk.path["period"]))


def _read(written_: str) -> Period:
    """What is no period at all is no page; one out of the village's time is refused kindly."""
    try:
        return Period.read(written_)
    except NoSuchPeriod as none:
        raise NotFound() from none


def _chooser(desk: Desk, period: Period) -> Dict[str, Any]:
    """What the choice of a period needs, and whether the chosen one is over."""
    with desk.reading() as session:
        found = {kind: periods(session, kind, now=desk.now) for kind in PeriodKind}
    offered = {
        kind: [(str(one), _offered_as(desk, one)) for one in found[kind][: NEWEST[kind]]]
        for kind in PeriodKind
    }
    return {
        "period": period,
        "is_finished": period.is_finished(desk.now),
        "months": offered[PeriodKind.MONTH],
        "quarters": offered[PeriodKind.QUARTER],
    }


def _offered_as(desk: Desk, period: Period) -> str:
    name = period_name(period, desk.words)
    return name if period.is_finished(desk.now) else name + desk.say("（还没过完）")


def _file(what: str, period: Period, ending: str) -> str:
    return f"{what}-{period}.{ending}"


ROUTES: List[ConsoleRoute] = [
    ConsoleRoute("/reports", home, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}", one_report, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}/pdf", as_pdf, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}/xlsx", as_sheet, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}/honour", roll_of_honour, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}/honour/pdf", roll_as_pdf, Permission.SEE_REPORTS),
    ConsoleRoute("/reports/{period}/honour/wish", hear_wish, Permission.EDIT_PEOPLE, "POST"),
]
