"""The roll out as a spreadsheet and in again: upload, a preview row by row, confirmation."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import ChangedMeanwhile, NothingOpen, WrongState
from actions.timebank.ids import MemberId
from actions.timebank.model import RollImport
from actions.timebank.staff import roll, roll_import
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.roll import Entry, Problem
from actions.timebank.staff.roll_plan import Choices, Plan, Planned, RowFate
from actions.timebank.states import ServiceKind
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.roll_table import PRIORITIES, TITLES, read_roll, roll_workbook
from bot.console.sheets import FileRefused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
A_PAGE = 100

FILE_PROBLEMS: Mapping[str, str] = {
    "no_file": "请先选一个文件。",
    "too_big": "文件太大了，最多{most}兆。",
    "empty_file": "这个文件是空的。",
    "old_excel": "这是老式的xls，或者加了密码。请另存为xlsx，不加密码，再交。",
    "not_a_spreadsheet": "这个文件读不出来：不是xlsx或csv，或者坏了。",
    "too_much_inside": "这个文件里头的东西多得不正常，没有打开。",
    "locked": "这个文件加了密码。请去掉密码再交。",
    "broken_csv": "csv文件第{line}行坏了，读不下去。",
    "encoding": "文字编码认不出来。请存成xlsx，或者UTF-8、GB18030的csv。",
    "too_many_rows": "行数太多，一次最多五千行。",
    "no_header": "找不到「姓名」这一列。第一行要写列名，请用模板。",
    "column_twice": "「{column}」这一列有两个，不知道该信哪一个。",
    "no_rows": "列名下面一行人都没有。",
}
"""By the code of a `FileRefused`."""

PROBLEMS: Mapping[str, str] = {
    "missing": "要写",
    "empty": "只有空格",
    "too_long": "太长了，{length}个字，最多{longest}个",
    "control_character": "里有看不见的、或者坏掉的字符",
    "birth_year": "不对，应该在{first}年到{last}年之间",
    "not_a_year": "看不懂「{said}」，请写四位数，比如1943",
    "not_a_number": "看不懂「{said}」，请只写数字",
    "not_text": "里不是文字：「{said}」",
    "not_yes_or_no": "看不懂「{said}」，请写是或否",
    "kind_unknown": "里有不认识的活：「{said}」。请照「说明」那一页写，用顿号隔开",
    "priority_unknown": "里有不认识的类别：「{said}」。请照「说明」那一页写，用顿号隔开",
    "own_priority": "跟自己有关的事，要别人来办",
    "formula": "里是公式。公式不算，请改成文字或数字",
    "fault": "里是错误值，请改正",
    "merged": "这一行有合并的单元格，请取消合并",
    "number_unknown": "没有{number}号这个人，或者他已经离开了。新来的人不写编号",
    "number_twice": "这个编号第{line}行已经用过",
    "row_twice": "跟第{line}行是同一个人",
    "same_name_in_file": "跟第{line}行同名同巷，请看清是两个人",
    "lane_unknown": "村里没有「{lane}」。要建的话，在上面选",
    "lane_without_group": "村里没有「{lane}」。要建的话，表里要写它属于哪个组",
    "lane_in_other_group": "对不上：「{lane}」属于「{group}」",
    "group_without_lane": "跟着巷走，请写巷",
    "trained": "少了「{kind}」，可他受过这个培训。要去掉，请到他的页面上改",
}
"""By the code of a `roll.Problem`; the name of the column goes before."""

HELP: Sequence[str] = (
    "一行一个人。列名不要改；多出来的列不看。",
    "编号：村里已经有的人照原样留着；新来的人空着。",
    "姓名、巷：新来的人一定要写。",
    "空着的格子：不改原来的。要清掉什么，请到这个人的页面上改。",
    "出生年：四位数，比如1943。独居、愿意帮忙：写是或否。",
    "巷：要跟村里的巷名一样。新的巷要把组也写上，导入的时候会问您建不建。",
    "会做的：用顿号隔开，只能写这些：{kinds}。都不会做就写「无」。",
    "照顾类别：用顿号隔开，只能写这些：{priorities}。没有就写「无」。",
    "公式不算数，合并的单元格不收。表里没有的人不会被删掉。",
    "交上去以后先看一遍每一行会怎么样，您确认了才写进去。",
)

TONES: Mapping[RowFate, str] = {
    RowFate.REFUSED: "bad",
    RowFate.UNDECIDED: "warn",
    RowFate.CHANGED: "calm",
    RowFate.NEW: "good",
    RowFate.UNCHANGED: "",
}
"""How each fate looks; in the order in which they are shown."""


def front(desk: Desk, problem: str = "", status: int = 200) -> Response:
    return desk.page("import/front.html", status=status, problem=problem, help=help_text(desk))


def export(desk: Desk) -> Response:
    with desk.reading() as session:
        data = _workbook(desk, session, roll.entries(session))
    day = desk.now.astimezone(VILLAGE_ZONE).date()
    return desk.download(f"{desk.say('成员名册')}-{day}.xlsx", data, XLSX)


def template(desk: Desk) -> Response:
    with desk.reading() as session:
        data = _workbook(desk, session, [])
    return desk.download(f"{desk.say('成员名册模板')}.xlsx", data, XLSX)


def upload(desk: Desk) -> Response:
    try:
        data = desk.upload("file")
        if data is None:
            raise FileRefused("no_file")
        table = read_roll(data)
    except FileRefused as refused:
        words = desk.say(FILE_PROBLEMS[refused.code], **refused.facts)
        return front(desk, words, status=422)
    with desk.transaction() as session:
        kept = roll_import.keep(session, table.entries, by=desk.staff.member_id, now=desk.now)
        import_id = kept.id
    unused = "、".join(table.unused)[:100]
    return desk.go(
        f"/import/{import_id}",
        desk.say("没有用到的列：{columns}", columns=unused) if unused else "",
    )


def look(desk: Desk) -> Response:
    with desk.reading() as session:
        kept = _kept(desk, session)
        plan = roll_import.preview(session, kept, now=desk.now)
        return _preview(desk, kept, plan)


def choose(desk: Desk) -> Response:
    with desk.transaction() as session:
        kept = _kept(desk, session)
        roll_import.choose(session, kept, _chosen(desk, kept))
    return desk.go(_here(desk), desk.say("记下了。请看看现在每一行会怎么样。"))


def confirm(desk: Desk) -> Response:
    """What is confirmed was seen: choices that were not yet noted are shown first, and so is a
    roll that somebody changed meanwhile."""
    with desk.reading() as session:
        kept = _kept(desk, session)
        unnoted = kept.confirmed_at is None and _chosen(desk, kept) != roll_import.choices_of(kept)
    if unnoted:
        return choose(desk)
    try:
        with desk.transaction() as session:
            done = roll_import.confirm(
                session, int(desk.path["import_id"]), by=desk.staff.member_id, now=desk.now
            )
            new, changed = done.count(RowFate.NEW), done.count(RowFate.CHANGED)
    except NothingOpen as gone:
        raise NotFound from gone
    except ChangedMeanwhile:
        with desk.parts.village.transaction() as session:
            roll_import.look_again(session, _kept(desk, session))
        return desk.go(
            _here(desk), desk.say("名册刚才有人改过，还没有导入。请再看一遍，然后确认。")
        )
    except WrongState:
        return desk.go(_here(desk), desk.say("这张表已经导入过了，没有再写一遍。"))
    return desk.go(
        _here(desk), desk.say("导入好了：新来{new}人，改了{changed}人。", new=new, changed=changed)
    )


def help_text(desk: Desk) -> List[str]:
    kinds = "、".join(desk.words.label(kind) for kind in ServiceKind)
    priorities = "、".join(words[0] for words in PRIORITIES.values())
    return [desk.say(words, kinds=kinds, priorities=priorities) for words in HELP]


# -- the preview -----------------------------------------------------------------------------------


def _preview(desk: Desk, kept: RollImport, plan: Plan) -> Response:
    shown = _fate(desk.query.get("show", ""))
    order = list(TONES)
    rows = [row for row in plan.rows if shown in (None, row.fate)]
    rows.sort(key=lambda row: (order.index(row.fate), row.entry.line))
    pages = max(1, -(-len(rows) // A_PAGE))
    page = min(desk.number("page") or 1, pages)
    return desk.page(
        "import/preview.html",
        kept=kept,
        plan=plan,
        counts=[(fate, TONES[fate], plan.count(fate)) for fate in order],
        shown=shown,
        rows=[_row(desk, row, plan) for row in rows[(page - 1) * A_PAGE : page * A_PAGE]],
        page=page,
        pages=pages,
    )


def _fate(text: str) -> Optional[RowFate]:
    return RowFate(text) if text in {fate.value for fate in RowFate} else None


def _row(desk: Desk, row: Planned, plan: Plan) -> Dict[str, Any]:
    """One row of the preview in words."""
    entry, known = row.entry, row.known
    chosen: Optional[str] = None
    if row.candidates and row.fate is not RowFate.UNDECIDED:
        chosen = "new" if row.fate is RowFate.NEW else str(row.member)
    return {
        "line": entry.line,
        "name": entry.name or (known.name if known else None) or desk.say("（没有姓名）"),
        "lane": entry.lane or (known.lane if known else None) or "",
        "number": row.member,
        "fate": row.fate,
        "tone": TONES[row.fate],
        "problems": [_problem(desk, one) for one in row.problems],
        "warnings": [_problem(desk, one) for one in row.warnings],
        "changes": [
            (
                _title(desk, one.column),
                _cell(desk, one.column, one.before),
                _cell(desk, one.column, one.after),
            )
            for one in row.changes
        ],
        "said": [
            (_title(desk, name), _cell(desk, name, getattr(entry, name)))
            for name in roll.said_fields(entry)
            if row.fate in (RowFate.NEW, RowFate.UNDECIDED) and name not in ("name", "lane")
        ],
        "candidates": [(str(one.number), _about(desk, one)) for one in row.candidates],
        "chosen": chosen,
    }


def _problem(desk: Desk, problem: Problem) -> str:
    facts = {name: desk.words.label(fact) for name, fact in problem.facts.items()}
    said = desk.say(PROBLEMS[problem.code], **facts)
    if not problem.column:
        return said
    return desk.say("{column}：{said}", column=_title(desk, problem.column), said=said)


def _title(desk: Desk, name: str) -> str:
    return desk.say(TITLES[name])


def _cell(desk: Desk, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return desk.say("是") if value else desk.say("否")
    if name in ("kinds", "priorities"):
        return "、".join(desk.words.label(one) for one in value or ()) or desk.say("（无）")
    return desk.say("（空）") if value is None else str(value)


def _about(desk: Desk, entry: Entry) -> str:
    """Somebody who is there already, to be told from others: 3号 王桂兰 1943 老槐树旁."""
    known = (entry.name, entry.nickname, entry.birth_year, entry.place)
    return " ".join(
        [desk.say("{number}号", number=entry.number), *(str(one) for one in known if one)]
    )


# -- what the form says ----------------------------------------------------------------------------


def _kept(desk: Desk, session: Session) -> RollImport:
    try:
        return roll_import.find(
            session, int(desk.path["import_id"]), by=desk.staff.member_id, now=desk.now
        )
    except NothingOpen as gone:
        raise NotFound from gone


def _chosen(desk: Desk, kept: RollImport) -> Choices:
    """The choices of the page that was sent, and those noted before of what was not on it."""
    before = roll_import.choices_of(kept)
    people: Dict[int, Optional[MemberId]] = dict(before.people)
    lanes = set(before.lanes)
    for field, value in desk.form.items():
        name, _, line = field.partition("-")
        if name != "row" or not (line.isascii() and line.isdigit() and len(line) < 8):
            continue
        people.pop(int(line), None)
        if value == "new":
            people[int(line)] = None
        elif value.isascii() and value.isdigit() and len(value) < 11:
            people[int(line)] = MemberId(int(value))
    lanes -= set(desk.forms("offered"))
    lanes |= set(desk.forms("lane"))
    return Choices(people, frozenset(lanes))


def _here(desk: Desk) -> str:
    shown = _fate(desk.form.get("show", ""))
    return f"/import/{int(desk.path['import_id'])}" + (f"?show={shown.value}" if shown else "")


def _workbook(desk: Desk, session: Session, entries: Sequence[Entry]) -> bytes:
    return roll_workbook(
        entries,
        lanes=[lane.name for lane in roll.lanes(session)],
        groups=[group.name for group in roll.groups(session)],
        help_text=help_text(desk),
    )


ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/import", front, Permission.EDIT_PEOPLE),
    ConsoleRoute("/import", upload, Permission.EDIT_PEOPLE, "POST"),
    ConsoleRoute("/import/export", export, Permission.EDIT_PEOPLE),
    ConsoleRoute("/import/template", template, Permission.EDIT_PEOPLE),
    ConsoleRoute("/import/{import_id:int}", look, Permission.EDIT_PEOPLE),
    ConsoleRoute("/import/{import_id:int}/choices", choose, Permission.EDIT_PEOPLE, "POST"),
    ConsoleRoute("/import/{import_id:int}/confirm", confirm, Permission.EDIT_PEOPLE, "POST"),
)
