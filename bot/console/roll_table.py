"""The roll as a spreadsheet: which column means what, in and out.

Out: every text is stored as text, so that a name such as =HYPERLINK(…) stays a name.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Sequence,
    Tuple,
)

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from actions.timebank.staff.roll import MOST_ROWS, Entry, Problem, is_plain
from actions.timebank.states import PriorityClass, ServiceKind
from bot.console.sheets import Cell, FileRefused, Line, Unread, read_sheet

HEADER_WITHIN = 10
"""In how many rows from the top the column names are looked for: lists have titles."""
ROOM = 500
"""For how many more people the lists to choose from reach below the last row."""

YES, NO = "是", "否"
_YES = frozenset({"是", "对", "有", "要", "√", "✓", "1", "y", "yes", "true"})
_NO = frozenset({"否", "不", "不是", "没有", "无", "×", "✗", "0", "n", "no", "false"})
NOTHING = "无"
"""In the columns of kinds and priorities: takes all of them away."""

KINDS: Mapping[ServiceKind, Tuple[str, ...]] = {
    ServiceKind.MEALS: ("做饭", "助餐", "送饭"),
    ServiceKind.CLEANING: ("打扫", "助洁", "保洁"),
    ServiceKind.SHOPPING: ("买东西", "代购", "买菜"),
    ServiceKind.ERRAND: ("跑腿代办", "代办", "跑腿办事", "跑腿"),
    ServiceKind.ESCORT_MEDICAL: ("陪看病", "助医", "陪着看病", "陪诊"),
    ServiceKind.ESCORT_WALK: ("陪走走", "助行", "陪着走走"),
    ServiceKind.REPAIR: ("修东西", "维修"),
    ServiceKind.COMPANIONSHIP: ("陪说话", "陪伴", "陪着说说话", "聊天"),
    ServiceKind.BATHING: ("帮洗澡", "助浴", "洗澡"),
    ServiceKind.HAIRCUT: ("理发", "剪头发"),
    ServiceKind.FARM_WORK: ("农活", "干地里的活"),
    ServiceKind.URGENT_HELP: ("急事", "助急", "帮个急忙"),
}
"""What staff call each kind, first the word that the console has for it and that goes out."""
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}

PRIORITIES: Mapping[PriorityClass, Tuple[str, ...]] = {
    PriorityClass.OLD_AND_ALONE: ("高龄独居",),
    PriorityClass.LOW_INCOME: ("低保",),
    PriorityClass.DESTITUTE: ("五保", "特困"),
    PriorityClass.DISABLED: ("失能", "半失能", "残疾"),
    PriorityClass.LOST_ONLY_CHILD: ("计生特殊家庭", "失独"),
    PriorityClass.CHILDREN_AWAY: ("空巢",),
}
_PRIORITY_OF = {word: one for one, words in PRIORITIES.items() for word in words}


class Column(NamedTuple):
    name: str
    """The field of `Entry`."""
    title: str
    also: Tuple[str, ...] = ()
    """Other names by which it is known in people's lists."""
    width: int = 12


COLUMNS: Sequence[Column] = (
    Column("number", "编号", width=8),
    Column("name", "姓名", ("名字",)),
    Column("nickname", "小名", ("昵称", "外号")),
    Column("birth_year", "出生年", ("出生年份", "出生日期", "生年"), 10),
    Column("group", "组", ("小组", "互助组", "村民小组"), 16),
    Column("lane", "巷", ("巷子", "巷名"), 14),
    Column("place", "住处", ("住址", "地址"), 24),
    Column("lives_alone", "独居", ("是否独居",), 8),
    Column("takes_tasks", "愿意帮忙", ("是否愿意帮忙",), 10),
    Column("kinds", "会做的", ("会做什么", "能做的"), 32),
    Column("priorities", "照顾类别", ("优先类别", "照顾"), 20),
)
TITLES: Mapping[str, str] = {column.name: column.title for column in COLUMNS}
_NAMED = {title: column for column in COLUMNS for title in (column.title, *column.also)}


class ReadTable(NamedTuple):
    entries: List[Entry]
    unused: List[str]
    """Titles of columns that mean nothing here."""


# -- in -------------------------------------------------------------------------------------------


def read_roll(data: bytes) -> ReadTable:
    """What an uploaded table says, a row a person. What is wrong with a row stands in its
    problems. Raises FileRefused when no row can be read."""
    lines = read_sheet(data, most_lines=MOST_ROWS + HEADER_WITHIN)
    top, columns, unused = _header(lines)
    entries = [_entry(line, columns) for line in lines[top + 1 :]]
    if not entries:
        raise FileRefused("no_rows")
    if len(entries) > MOST_ROWS:
        raise FileRefused("too_many_rows")
    return ReadTable(entries, unused)


def _header(lines: Sequence[Line]) -> Tuple[int, Dict[int, Column], List[str]]:
    for top, line in enumerate(lines[:HEADER_WITHIN]):
        titles = {place: _title(cell) for place, cell in enumerate(line.cells)}
        columns = {place: _NAMED[title] for place, title in titles.items() if title in _NAMED}
        if not any(column.name == "name" for column in columns.values()):
            continue
        twice = [one.title for one in columns.values() if list(columns.values()).count(one) > 1]
        if twice:
            raise FileRefused("column_twice", column=twice[0])
        unused = [title for title in titles.values() if title and title not in _NAMED]
        return top, columns, unused
    raise FileRefused("no_header")


def _title(cell: Cell) -> str:
    return re.sub(r"[\s（(].*", "", cell.strip(), flags=re.DOTALL) if isinstance(cell, str) else ""


def _entry(line: Line, columns: Mapping[int, Column]) -> Entry:
    problems: List[Problem] = []
    said: Dict[str, Any] = {}
    for place, column in columns.items():
        cell = line.cells[place] if place < len(line.cells) else None
        if isinstance(cell, str):
            cell = cell.strip()
        if cell is None or cell == "":
            continue
        if isinstance(cell, Unread):
            problems.append(Problem(cell.value, column.name))
            continue
        value, problem = _READERS.get(column.name, _read_text)(cell)
        if problem:
            problems.append(Problem(problem, column.name, {"said": shortened(cell)}))
        else:
            said[column.name] = value
    if line.merged:
        problems.append(Problem("merged"))
    return Entry(line=line.number, **said, problems=tuple(problems))


def shortened(cell: Cell) -> str:
    """As much of a cell as is shown again where it was not understood."""
    text = printable(str(cell))
    return text if len(text) <= 20 else text[:20] + "…"


Reading = Tuple[Any, str]
"""A value, or the code of what is wrong."""


def _read_text(cell: Cell) -> Reading:
    if isinstance(cell, (bool, datetime)):
        return None, "not_text"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)), ""
    return str(cell), ""


def _read_number(cell: Cell) -> Reading:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell == int(cell):
        return int(cell), ""
    if isinstance(cell, str) and re.fullmatch(r"[0-9]{1,10}", cell):
        return int(cell), ""
    return None, "not_a_number"


def _read_year(cell: Cell) -> Reading:
    if isinstance(cell, datetime):
        return cell.year, ""
    if isinstance(cell, str):
        year = re.fullmatch(r"([0-9]{4})(?:\s*年.{0,12}|[-./][0-9./-]{1,8})?", cell)
        return (int(year[1]), "") if year else (None, "not_a_year")
    value, problem = _read_number(cell)
    return (value, "") if not problem and 0 < value < 10_000 else (None, "not_a_year")


def _read_yes_or_no(cell: Cell) -> Reading:
    word = str(int(cell)) if isinstance(cell, (bool, int)) else str(cell).lower()
    if word in _YES or word in _NO:
        return word in _YES, ""
    return None, "not_yes_or_no"


def _read_several(
    known: Mapping[str, Any], options: Iterable[Any], unknown: str
) -> Callable[[Cell], Reading]:
    """Reads a list of words that are known, in whatever way it is separated."""

    def read(cell: Cell) -> Reading:
        words = [word for word in re.split(r"[、，,;；/\s]+", str(cell)) if word]
        if words == [NOTHING]:
            return (), ""
        if any(word not in known for word in words):
            return None, unknown
        said = {known[word] for word in words}
        return tuple(one for one in options if one in said), ""

    return read


_READERS: Mapping[str, Callable[[Cell], Reading]] = {
    "number": _read_number,
    "birth_year": _read_year,
    "lives_alone": _read_yes_or_no,
    "takes_tasks": _read_yes_or_no,
    "kinds": _read_several(_KIND_OF, ServiceKind, "kind_unknown"),
    "priorities": _read_several(_PRIORITY_OF, PriorityClass, "priority_unknown"),
}


# -- out ------------------------------------------------------------------------------------------


def roll_workbook(
    entries: Iterable[Entry],
    *,
    lanes: Sequence[str],
    groups: Sequence[str],
    help_text: Sequence[str],
) -> bytes:
    """The roll, or with no entries the template, as .xlsx. `help_text` fills a second sheet."""
    book = Workbook()
    sheet: Worksheet = book.worksheets[0]
    sheet.title = "成员"
    last = 1
    for place, column in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
        cell = _write(sheet, 1, place, column.title)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="2F5D50")
    for last, entry in enumerate(entries, start=2):
        for place, column in enumerate(COLUMNS, start=1):
            _write(sheet, last, place, as_cell(entry, column.name))
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{last}"
    helping = book.create_sheet("说明")
    helping.column_dimensions["A"].width = 90
    for row, words in enumerate(help_text, start=1):
        _write(helping, row, 1, words).alignment = Alignment(wrap_text=True, vertical="top")
    _offer_choices(book, sheet, {"lane": lanes, "group": groups}, until=last + ROOM)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_cell(entry: Entry, name: str) -> Any:
    """What stands in the spreadsheet for a field: text, a number, or nothing."""
    value = getattr(entry, name)
    if value is None or value == () or value == "":
        return None
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, tuple):
        return "、".join((KINDS.get(one) or PRIORITIES[one])[0] for one in value)
    return value


def _write(sheet: Worksheet, row: int, place: int, value: Any) -> Any:
    cell: Any = sheet.cell(row, place)
    if isinstance(value, str):
        # Told to be text, or openpyxl makes a formula of what begins with =. The prefix keeps it
        # text, too, when somebody edits the cell.
        cell.value = printable(value)
        cell.data_type = "s"
        cell.quotePrefix = True
    elif value is not None:
        cell.value = value
    return cell


def printable(text: str) -> str:
    """Characters that no spreadsheet can hold are shown as missing."""
    if is_plain(text):
        return text
    return "".join(one if is_plain(one) else "\N{REPLACEMENT CHARACTER}" for one in text)


def _offer_choices(
    book: Workbook, sheet: Worksheet, lists: Mapping[str, Sequence[str]], *, until: int
) -> None:
    """Lists to choose from; other words stay allowed for lanes and groups, which may be new."""
    shelf = book.create_sheet("选项")
    shelf.sheet_state = "hidden"
    for place, (name, words) in enumerate(lists.items(), start=1):
        for row, word in enumerate(words, start=1):
            _write(shelf, row, place, word)
        letter = get_column_letter(place)
        if words:
            source = f"选项!${letter}$1:${letter}${len(words)}"
            _validate(sheet, name, source, until, showErrorMessage=False)
    for name in ("lives_alone", "takes_tasks"):
        _validate(sheet, name, f'"{YES},{NO}"', until, showErrorMessage=True)


def _validate(sheet: Worksheet, name: str, source: str, until: int, **settings: Any) -> None:
    place = [column.name for column in COLUMNS].index(name) + 1
    rule = DataValidation(type="list", formula1=source, allow_blank=True, **settings)
    sheet.add_data_validation(rule)
    letter = get_column_letter(place)
    rule.add(f"{letter}2:{letter}{until}")
