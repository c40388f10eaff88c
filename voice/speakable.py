"""Facts as people say them: dates counted from today, clocks, lengths of time, numbers, and
nothing that a voice would stumble over."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import cn2an

NEAR_DAYS = {-3: "大前天", -2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天", 3: "大后天"}
WEEKDAYS = "一二三四五六天"
PARTS_OF_DAY = (
    (5, "凌晨"),
    (9, "早上"),
    (12, "上午"),
    (13, "中午"),
    (18, "下午"),
    (19, "傍晚"),
    (24, "晚上"),
)
"""The hour before which each part ends."""
PART_WORDS = "早上|早晨|清早|上午|中午|晌午|下午|傍晚|晚上|夜里|半夜|凌晨"
LONGEST_NUMBER = 8
"""More digits than this are no amount; they are read one by one."""

COUNTED = re.compile(
    "[个点位次回趟遍斤两天周家张件条户口块元小刻种样步顿碗盘杯瓶袋颗粒本封句米里公年岁把只间段"
    "场份桶片辆台双套支盒包束餐笔项名星万千百亿亩]|分(?!之)"
)
"""What makes 2 a 两 when it follows."""
ORDINAL_BEFORE = ("第", "初")
UNITS = {
    "℃": "度",
    "°C": "度",
    "km": "公里",
    "kg": "公斤",
    "ml": "毫升",
    "cm": "厘米",
    "mm": "毫米",
}
LETTER_NAMES = (
    "A诶 B必 C西 D迪 E伊 F艾弗 G吉 H艾尺 I艾 J杰 K开 L艾勒 M艾姆 N恩 O欧 P屁 Q丘 R阿 S艾丝 T踢 U优 "
    "V维 W大不留 X艾克斯 Y歪 Z贼"
)
LETTERS = {name[0]: name[1:] for name in LETTER_NAMES.split()}
"""A capital or two (B超, CT) are read by their names; longer foreign words are left out."""

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
PAUSES = {"。": 5, "？": 6, "！": 4, "；": 3, "：": 2, "，": 1, "、": 0}
"""Of several marks in a row the one with the highest rank stays."""
MARKS = str.maketrans(
    {
        **dict.fromkeys(",…—–-（）()【】[]|~～", "，"),
        **dict.fromkeys(".\n\r\u2028", "。"),
        **{";": "；", ":": "：", "?": "？", "!": "！", "/": "、"},
    }
)
FULL_WIDTH = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF5B))}
)

ISO = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)?(?![0-9])"
)
CHINESE_DATE = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})[日号]"
)
CLOCK = re.compile(
    rf"(?P<part>{PART_WORDS})?(?<![0-9:])(?P<hour>[01]?[0-9]|2[0-4])[:：]"
    r"(?P<minute>[0-5][0-9])(?::[0-5][0-9])?(?![0-9:：])"
)
LENGTH = re.compile(
    r"(?P<sign>(?<![0-9])-)?(?<![0-9.])(?:(?P<hours>[0-9]{1,5}(?:\.[0-9]{1,2})?)\s*个?小时"
    r"(?:\s*零?(?P<rest>[0-9]{1,4})\s*分钟?)?|(?P<minutes>[0-9]{1,6})\s*分钟)"
)
PHONE = re.compile(r"(?<![0-9])(?:\+?86[- ]?)?(?P<mobile>1[3-9][0-9](?:[- ]?[0-9]{4}){2})(?![0-9])")
LAND_LINE = re.compile(r"(?<![0-9])(?P<code>0[0-9]{2,3})[- ](?P<number>[0-9]{7,8})(?![0-9])")
HOT_LINE = re.compile(
    r"(?:(?<=打)|(?<=拨)|(?<=电话)|(?<=电话[：是])|(?<=热线)|(?<=呼叫))\s*(?P<before>[0-9]{3,6})(?!\s*[0-9个次分元块])"
    r"|(?<![0-9])(?P<behind>[0-9]{3,6})(?=\s*(?:急救|报警|火警|热线|电话))"
)
DASH = "[-~～—–]"
NUMBER = re.compile(
    r"(?P<sign>(?<![0-9A-Za-z])[-−+])?(?P<number>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
    r"(?P<decimal>\.[0-9]+)?(?P<percent>\s*[%％‰])?"
)


def speakable(text: str, *, now: datetime, zone: ZoneInfo) -> str:
    """`text` as easy spoken Mandarin without digits, Latin letters, markup or pictures.

    ISO datetimes and dates are told as seen from `now` (aware) in `zone`; those without an
    offset are taken to be in `zone`. Spoken text comes out as it went in."""
    today = now.astimezone(zone).date()
    spoken = _without_markup(text.translate(FULL_WIDTH))
    spoken = _moments(spoken, today, zone)
    spoken = CHINESE_DATE.sub(lambda match: _date_words(match, today), spoken)
    spoken = CLOCK.sub(_clock_of, spoken)
    spoken = _telephone(spoken)
    spoken = _ranges(spoken)
    spoken = LENGTH.sub(_length_of, spoken)
    spoken = _numbers(spoken)
    return _readable(spoken)


def _without_markup(text: str) -> str:
    text = html.unescape(text)
    text = re.sub(r"<[^<>]{0,200}>", "", text)
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    text = re.sub(r"(?:https?://|www\.)[^\s\u3000-\u9fff，。！？]+", "", text)
    text = re.sub(r"(?m)^\s*(?:[-*+•]|#{1,6}|>)\s+", "", text)
    text = re.sub(r"[*_`#\u200b-\u200f\u2060\ufe0f]", "", text)
    # A blank between words parts them; one beside a number is mere typography.
    return re.sub(rf"(?<=[{HAN}])[ \t\u3000]+(?=[{HAN}])", "，", text)


def _moments(text: str, today: date, zone: ZoneInfo) -> str:
    """Puts ISO moments into words; behind 到 what the moment before it told is not said again."""
    said: datetime | None = None
    pieces, end = [], 0
    for match in ISO.finditer(text):
        moment = _moment(match, zone)
        if moment is None:
            continue
        between = text[end : match.start()]
        range_of_one_day = said is not None and between.strip() in ("到", "至", "-", "~", "—")
        if match["hour"] is None:
            words, said = _day(moment.date(), today), None
        else:
            known = said if range_of_one_day else None
            words, said = _moment_words(moment, today, known), moment
        pieces += ["到" if range_of_one_day else between, words]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _moment(match: re.Match[str], zone: ZoneInfo) -> datetime | None:
    """The moment in `zone`; None for what looks like one and is none (2026-13-45)."""
    offset = (match["offset"] or "").replace("Z", "+00:00")
    if len(offset) == 5:
        offset = f"{offset[:3]}:{offset[3:]}"
    clock = f"T{match['hour']}:{match['minute']}{offset}" if match["hour"] else "T00:00"
    try:
        moment = datetime.fromisoformat(f"{match['year']}-{match['month']}-{match['day']}{clock}")
        return moment.astimezone(zone) if offset else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def _moment_words(moment: datetime, today: date, known: datetime | None) -> str:
    part = _part_of_day(moment.hour)
    clock = _clock(moment.hour, moment.minute)
    if known is None or known.date() != moment.date():
        return f"{_day(moment.date(), today)}{part}{clock}"
    return clock if _part_of_day(known.hour) == part else f"{part}{clock}"


def _day(day: date, today: date) -> str:
    """The day as neighbours name it on `today`."""
    distance = (day - today).days
    if distance in NEAR_DAYS:
        return NEAR_DAYS[distance]
    this_monday = today - timedelta(days=today.weekday())
    weeks = (day - this_monday).days // 7
    if weeks in (-1, 0, 1):
        week = {-1: "上星期", 0: "这个星期", 1: "下星期"}[weeks]
        return f"{week}{WEEKDAYS[day.weekday()]}"
    day_number = f"{_number(day.day)}号"
    months = (day.year - today.year) * 12 + day.month - today.month
    if months in (-1, 0) and distance < 0:
        return ("上个月" if months else "这个月") + day_number
    month = f"{_number(day.month)}月"
    year = {-1: "去年", 0: "", 1: "明年"}.get(day.year - today.year, f"{_digits(str(day.year))}年")
    return f"{year}{month}{day_number}"


def _date_words(match: re.Match[str], today: date) -> str:
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return match.group()
    return _day(day, today)


def _part_of_day(hour: int) -> str:
    return next(part for until, part in PARTS_OF_DAY if hour < until)


def _clock(hour: int, minute: int) -> str:
    on_dial = hour - 12 if hour > 12 else hour
    words = f"{_count(on_dial)}点"
    if minute == 0:
        return words
    if minute == 15:
        return words + "一刻"
    if minute == 30:
        return words + "半"
    if minute < 10:
        return f"{words}零{_number(minute)}分"
    # 九点四十 is enough, 七点十 would be half a word.
    return words + _number(minute) + ("分" if minute == 10 else "")


def _clock_of(match: re.Match[str]) -> str:
    hour = int(match["hour"]) % 24
    part = match["part"] or _part_of_day(hour)
    return part + _clock(hour, int(match["minute"]))


def _length_of(match: re.Match[str]) -> str:
    hours = float(match["hours"] or 0)
    minutes = round(hours * 60) + int(match["minutes"] or match["rest"] or 0)
    return ("负" if match["sign"] else "") + _length(minutes)


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours == 0:
        return "半个小时" if rest == 30 else f"{_count(rest)}分钟"
    if rest == 30:
        return f"{_count(hours)}个半小时"
    if rest == 0:
        return f"{_count(hours)}个小时"
    # 零 keeps the two numbers apart for the ear.
    return f"{_count(hours)}个小时零{_count(rest)}分钟"


def _telephone(text: str) -> str:
    def mobile(match: re.Match[str]) -> str:
        digits = re.sub("[^0-9]", "", match["mobile"])
        return "，".join(_dialled(part) for part in (digits[:3], digits[3:7], digits[7:]))

    text = PHONE.sub(mobile, text)
    text = LAND_LINE.sub(lambda m: f"{_dialled(m['code'])}，{_dialled(m['number'])}", text)
    return HOT_LINE.sub(lambda match: _dialled(match["before"] or match["behind"]), text)


def _ranges(text: str) -> str:
    text = re.sub(
        rf"(?<![0-9])([0-9]{{1,6}}){DASH}([0-9]{{1,6}})(?=\s*(分钟|个?小时))", r"\1\3到\2", text
    )
    return re.sub(rf"(?<=[0-9点号日月时分钟年天])(?:{DASH}|\s{DASH}\s)(?=[0-9])", "到", text)


def _numbers(text: str) -> str:
    text = re.sub(r"(?<![0-9])([0-9]{4})(?=年(?!以|之|来|前|后|多))", _year_of, text)
    text = re.sub(r"(?<=[0-9])[ \t]+(?=[0-9])", "，", text)
    for unit, words in UNITS.items():
        text = re.sub(rf"(?<=[0-9])\s*{re.escape(unit)}(?![a-zA-Z])", words, text)
    return NUMBER.sub(_number_of, text)


def _year_of(match: re.Match[str]) -> str:
    return _digits(match[1])


def _number_of(match: re.Match[str]) -> str:
    number, decimal = match["number"].replace(",", ""), match["decimal"] or ""
    before, behind = match.string[: match.start()], match.string[match.end() :].lstrip()
    sign = {"": "", "+": "加"}.get(match["sign"] or "", "负")
    if decimal:
        words = f"{_whole(number)}点{_digits(decimal[1:])}"
    elif behind.startswith("室"):
        words = _dialled(number)
    elif COUNTED.match(behind) and not before.endswith(ORDINAL_BEFORE):
        words = _whole(number, _count)
    else:
        words = _whole(number)
    percent = {"": "", "‰": "千分之"}.get((match["percent"] or "").strip(), "百分之")
    return f"{sign}{percent}{words}"


def _whole(number: str, read: Callable[[int], str] | None = None) -> str:
    if len(number) > LONGEST_NUMBER or (number.startswith("0") and len(number) > 1):
        return _dialled(number)
    return (read or _number)(int(number))


def _number(number: int) -> str:
    words: str = cn2an.an2cn(number, "low")
    words = re.sub("^一十", "十", words)
    return re.sub("^二(?=[百千万亿])", "两", words)


def _count(number: int) -> str:
    return "两" if number == 2 else _number(number)


def _digits(number: str) -> str:
    return "".join("零一二三四五六七八九"[int(digit)] for digit in number)


def _dialled(number: str) -> str:
    """Digit by digit, 幺 for one, which is not taken for 七 on a bad line."""
    return _digits(number).replace("一", "幺")


def _readable(text: str) -> str:
    """Keeps Chinese and marks where a voice breathes."""
    text = re.sub(r"(?<![A-Za-z])[A-Z]{1,3}(?![A-Za-z])", _spelled, text)
    text = re.sub(rf"[^{HAN}{''.join(PAUSES)}]", "", text.translate(MARKS))
    marks = "".join(PAUSES)
    text = re.sub(
        rf"[{marks}]{{2,}}", lambda match: max(match.group(), key=PAUSES.__getitem__), text
    )
    return text.lstrip(marks)


def _spelled(match: re.Match[str]) -> str:
    return "".join(LETTERS[letter] for letter in match.group())
