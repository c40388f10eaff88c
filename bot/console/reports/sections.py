"""A report told in the words of the console: first its figures at a glance, then theme by theme."""

from __future__ import annotations

from typing import Callable, List, Sequence

from actions.timebank.fair_load import MOST_A_DAY, MOST_A_WEEK
from actions.timebank.staff.reports.figures import Spread
from actions.timebank.staff.reports.needs import NeedEnd
from actions.timebank.staff.reports.periods import Period, PeriodKind, Week
from actions.timebank.staff.reports.quality import MARKS
from actions.timebank.staff.reports.report import Report
from actions.timebank.states import OfferState, TransferKind
from bot.console.reports.telling import (
    Cell,
    Chart,
    ChartKind,
    Column,
    Figure,
    Section,
    Table,
    Unit,
)
from bot.console.words import Words

ENDS = {
    NeedEnd.MET: "办成了",
    NeedEnd.NOBODY: "没找到人",
    NeedEnd.NO_SHOW: "答应了没来",
    NeedEnd.CALLED_OFF: "自己取消",
    NeedEnd.DISPUTED: "争着呢",
    NeedEnd.UNDER_WAY: "还在办",
}
MOST_STACKED = 5
"""More kinds than these in one bar nobody can tell apart; the rest is one part."""
MOST_NAMES = 20
"""So many people are shown on pages; the spreadsheet has all."""


def period_name(period: Period, words: Words) -> str:
    year = period.first.year
    if period.kind is PeriodKind.MONTH:
        return words.say("{year}年{month}月", year=year, month=period.number)
    return words.say("{year}年第{quarter}季度", year=year, quarter=period.number)


def week_name(week: Week) -> str:
    first, last = week.first, week.last
    begin = f"{first.month}/{first.day}"
    return begin if first == last else f"{begin}–{last.month}/{last.day}"


def at_a_glance(report: Report, words: Words) -> List[Figure]:
    say, needs, whole = words.say, report.needs, report.understanding.whole
    percent, wrong, mean = needs.met_percent, whole.error_percent, report.quality.mean
    went = report.alarms[0].to_go
    return [
        Figure(
            say("邻居互相帮了"),
            words.minutes(report.hours.minutes),
            say("{count}回", count=report.hours.visits),
        ),
        Figure(
            say("求助办成了"),
            "—" if percent is None else f"{percent}%",
            say("一共{count}次求助", count=needs.asked),
        ),
        Figure(
            say("急事多久有人去"),
            words.minutes(went.p90),
            say("十回里有九回在这之内") if went.count else say("没有急事"),
        ),
        Figure(
            say("大家打的分"),
            "—" if mean is None else f"{mean:.1f}",
            say("满分五分，{count}回打了分", count=sum(report.quality.marks.values())),
        ),
        Figure(
            say("小帮没听懂"),
            "—" if wrong is None else f"{wrong:g}%",
            say("一共说了{count}句", count=whole.turns),
        ),
    ]


def sections(report: Report, words: Words) -> List[Section]:
    telling: Sequence[Callable[[Report, Words], Section]] = (
        _hours,
        _needs,
        _load,
        _care,
        _quality,
        _understanding,
        _fund,
    )
    return [tell(report, words) for tell in telling]


def _hours(report: Report, words: Words) -> Section:
    say, hours = words.say, report.hours
    kinds = Table(
        say("按种类"),
        [Column(say("种类"), Unit.TEXT), Column(say("回数")), Column(say("时间"), Unit.MINUTES)],
        [[words.label(one.kind), one.visits, one.minutes] for one in hours.by_kind],
        Chart(say("每种活帮了多少小时"), ChartKind.BARS, [2]),
        [say("合计"), hours.visits, hours.minutes],
    )
    most, rest = hours.by_kind[:MOST_STACKED], hours.by_kind[MOST_STACKED:]
    names = [words.label(one.kind) for one in most] + ([say("其他")] if rest else [])
    rows: List[List[Cell]] = []
    for number, week in enumerate(report.period.weeks):
        parts = [one.by_week[number] for one in most]
        if rest:
            parts.append(sum(one.by_week[number] for one in rest))
        rows.append([week_name(week), *parts, sum(parts)])
    weeks = Table(
        say("按星期"),
        [
            Column(say("星期"), Unit.TEXT),
            *(Column(name, Unit.MINUTES) for name in names),
            Column(say("合计"), Unit.MINUTES),
        ],
        rows,
        # Without a single visit the sum alone is drawn, at zero.
        Chart(say("每个星期帮了多少小时"), ChartKind.WEEKS, range(1, max(2, len(names) + 1))),
    )
    says = [
        say(
            "邻居们互相帮了{count}回，一共{time}。",
            count=hours.visits,
            time=words.minutes(hours.minutes),
        ),
        say(
            "{helping}位去帮忙，{helped}位受了帮。",
            helping=hours.people_helping,
            helped=hours.people_helped,
        ),
        say(
            "另外送出时间{count}笔，一共{time}。",
            count=hours.gifts,
            time=words.minutes(hours.gift_minutes),
        ),
    ]
    return Section("hours", say("帮忙的时间"), says, [kinds, weeks])


def _needs(report: Report, words: Words) -> Section:
    say, needs = words.say, report.needs
    ends = list(NeedEnd)
    table = Table(
        say("求助后来怎么样了"),
        [
            Column(say("种类"), Unit.TEXT),
            *(Column(say(ENDS[end])) for end in ends),
            Column(say("合计")),
        ],
        [
            [words.label(one.kind), *(one.ends[end] for end in ends), one.asked]
            for one in needs.by_kind
        ],
        Chart(say("每种求助办成了多少"), ChartKind.STACKED, range(1, len(ends) + 1)),
        [say("合计"), *(needs.ends[end] for end in ends), needs.asked],
    )
    fast = _spreads(
        say("多快"),
        [(say("从开口到有人答应"), needs.to_promise), (say("从开口到人上门"), needs.to_visit)],
        words,
    )
    says = [say("一共{count}次求助，办成{met}次。", count=needs.asked, met=needs.ends[NeedEnd.MET])]
    if needs.ends[NeedEnd.NOBODY]:
        says.append(say("{count}次没找到人。", count=needs.ends[NeedEnd.NOBODY]))
    if needs.ends[NeedEnd.NO_SHOW]:
        says.append(say("{count}次答应了没来。", count=needs.ends[NeedEnd.NO_SHOW]))
    says.append(say("求助记在开口的那个月，后来哪天办成都算。"))
    return Section("needs", say("求助办成没有"), says, [table, fast])


def _spreads(title: str, spreads: Sequence[tuple[str, Spread]], words: Words) -> Table:
    say = words.say
    return Table(
        title,
        [
            Column("", Unit.TEXT),
            Column(say("回数")),
            Column(say("一半在这之内"), Unit.MINUTES),
            Column(say("九成在这之内"), Unit.MINUTES),
        ],
        [[name, spread.count, spread.median, spread.p90] for name, spread in spreads],
    )


def _load(report: Report, words: Words) -> Section:
    say, loads = words.say, report.loads
    asked = Table(
        say("问得最多的人"),
        [
            Column(say("姓名"), Unit.TEXT),
            Column(say("问了几回")),
            Column(say("答应")),
            Column(say("没答应")),
            Column(say("没回话")),
            Column(say("做完")),
            Column(say("一天最多问")),
            Column(say("七天最多问")),
            Column(say("到上限了吗"), Unit.TEXT),
        ],
        [
            [
                one.name,
                one.asked,
                one.answers[OfferState.ACCEPTED],
                one.answers[OfferState.DECLINED],
                one.answers[OfferState.EXPIRED],
                one.done,
                one.busiest_day,
                one.busiest_week,
                say("到了") if one.is_at_the_limit else "",
            ]
            for one in loads.helpers
        ],
        Chart(say("谁被问得最多"), ChartKind.BARS, [1, 5]),
        most=MOST_NAMES,
    )
    idle = Table(
        say("愿意帮忙、却一回也没问过的人"),
        [Column(say("姓名"), Unit.TEXT)],
        [[name] for name in loads.never_asked],
        most=MOST_NAMES,
    )
    says = [
        say("问过{count}位邻居。", count=len(loads.helpers)),
        say("{count}位问到了上限，该歇歇了。", count=len(loads.at_the_limit)),
        say("{count}位愿意帮忙，却一回也没问过。", count=len(loads.never_asked)),
        say(
            "上限是一天{day}回、七天{week}回。急事不受这个限制。", day=MOST_A_DAY, week=MOST_A_WEEK
        ),
    ]
    return Section("load", say("谁太忙、谁没人问"), says, [asked, idle])


def _care(report: Report, words: Words) -> Section:
    say = words.say
    alarms = Table(
        say("急事和问安"),
        [
            Column(say("种类"), Unit.TEXT),
            Column(say("叫了几回")),
            Column(say("有人去")),
            Column(say("自己说没事")),
            Column(say("还没人去")),
            Column(say("一半在这之内"), Unit.MINUTES),
            Column(say("九成在这之内"), Unit.MINUTES),
        ],
        [
            [
                words.label(one.kind),
                one.raised,
                one.to_go.count,
                one.taken_back,
                one.waiting,
                one.to_go.median,
                one.to_go.p90,
            ]
            for one in report.alarms
        ],
        Chart(say("叫了人以后怎么样了"), ChartKind.STACKED, [2, 3, 4]),
    )
    disputes = Table(
        say("有争议的事"),
        [
            Column(say("种类"), Unit.TEXT),
            Column(say("一天之内断的")),
            Column(say("过了一天才断的")),
            Column(say("还没断，没过一天")),
            Column(say("还没断，过了一天")),
            Column(say("合计")),
        ],
        [
            [words.label(one.kind), one.in_time, one.late, one.open, one.overdue, one.opened]
            for one in report.disputes
        ],
        Chart(say("争议断得快不快"), ChartKind.STACKED, [1, 2, 3, 4]),
    )
    opened = sum(one.opened for one in report.disputes)
    overdue = sum(one.overdue for one in report.disputes)
    says = [
        say("叫了{count}回人。", count=sum(one.raised for one in report.alarms)),
        say(
            "{count}件争议，{decided}件在一天之内断了。",
            count=opened,
            decided=sum(one.in_time for one in report.disputes),
        ),
    ]
    if overdue:
        says.append(say("{count}件过了一天还没断，要赶紧。", count=overdue))
    return Section("care", say("警报和争议"), says, [alarms, disputes])


def _quality(report: Report, words: Words) -> Section:
    say, quality = words.say, report.quality
    best_first = sorted(MARKS, reverse=True)
    marks = Table(
        say("打了几分"),
        [Column(say("分数"), Unit.TEXT), Column(say("回数"))],
        [[say("{mark}分", mark=mark), quality.marks[mark]] for mark in best_first],
        Chart(say("每个分数有多少回"), ChartKind.BARS, [1]),
    )
    kinds = Table(
        say("按种类"),
        [
            Column(say("种类"), Unit.TEXT),
            *(Column(say("{mark}分", mark=mark)) for mark in best_first),
            Column(say("回数")),
            Column(say("平均"), Unit.MARK),
        ],
        [
            [words.label(one.kind), *(one.marks[mark] for mark in best_first), one.rated, one.mean]
            for one in quality.by_kind
        ],
    )
    says = [say("分数只看活，不给人排名。一回改了分，只算最后一次。")]
    return Section("quality", say("大家满不满意"), says, [marks, kinds])


def _understanding(report: Report, words: Words) -> Section:
    say, understood = words.say, report.understanding
    weeks = zip(report.period.weeks, understood.by_week, strict=True)
    table = Table(
        say("按星期"),
        [
            Column(say("星期"), Unit.TEXT),
            Column(say("说了几句")),
            Column(say("答上了")),
            Column(say("没听懂")),
            Column(say("机器出错")),
            Column(say("没办成的"), Unit.PERCENT),
            Column(say("听得准"), Unit.PERCENT),
            Column(say("懂得准"), Unit.PERCENT),
        ],
        [[week_name(week), *_understood(one)] for week, one in weeks],
        Chart(say("一百句里有几句没办成"), ChartKind.LINE, [5]),
        [say("合计"), *_understood(understood.whole)],
    )
    says = [
        say("一共说了{count}句。", count=understood.whole.turns),
        say("听得准、懂得准，是小帮自己有多大把握。"),
    ]
    return Section("understanding", say("小帮听懂了没有"), says, [table])


def _understood(one: object) -> List[Cell]:
    names = ("turns", "answered", "repaired", "failed", "error_percent", "heard", "confidence")
    return [getattr(one, name) for name in names]


def _fund(report: Report, words: Words) -> Section:
    say, fund = words.say, report.fund
    moved = [kind for kind in TransferKind if fund.received[kind] or fund.given[kind]]
    table = Table(
        say("公益时间的进和出"),
        [
            Column(say("为什么"), Unit.TEXT),
            Column(say("进来"), Unit.MINUTES),
            Column(say("出去"), Unit.MINUTES),
        ],
        [[words.label(kind), fund.received[kind], fund.given[kind]] for kind in moved],
        Chart(say("公益时间进了多少、出了多少"), ChartKind.BARS, [1, 2]),
        [say("合计"), sum(fund.received.values()), sum(fund.given.values())],
    )
    says = [
        say("开头有{time}。", time=words.minutes(fund.opening)),
        say("末尾有{time}。", time=words.minutes(fund.closing))
        if report.is_finished
        else say("现在有{time}。", time=words.minutes(fund.closing)),
        say("给{count}回帮忙垫了时间。", count=fund.visits),
    ]
    return Section("fund", say("公益时间"), says, [table])
