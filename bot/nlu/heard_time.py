"""When something shall be, as elders say it: 明儿上午, 大后天晌午, 腊月初八, 两点到三点四十.

Only times to come are heard. What the words are is told by `time_words`, which date they mean by
`village_calendar`; here they are put together and set against the village's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from bot.nlu import village_calendar
from bot.nlu.numerals import Clock
from bot.nlu.time_words import (
    ClockWord,
    DayWord,
    Hints,
    Part,
    PartOfDay,
    Reckoning,
    TimeWord,
    hints,
    time_words,
)

Precision = Literal["clock", "part_of_day", "day"]

MARKET_DAYS = frozenset({3, 8})
"""Last digits of the lunar days on which the market is held, when no setting tells others."""
WAKING_HOURS = range(6, 21)
DAY_HOUR = 9
"""When a day begins for which nothing nearer is said."""
SAME_BREATH = 8
"""So many characters after a time, a clock still belongs to its part of the day."""
LONGEST_DENIAL = 4
"""Characters of what denies a time right before it (是不是 included)."""
ROUND_TO = timedelta(minutes=5)
ALONG_TO = timedelta(minutes=30)
"""What is already going on (今天下午, said at four) begins at the next half hour."""


@dataclass(frozen=True)
class HeardTime:
    """A time to come: text[start:end] of the utterance is `.text`."""

    text: str
    start: int
    end: int
    starts_at: datetime
    """Aware, in the zone asked for, never before `now`."""
    precision: Precision
    """What was said; with `day` and `part_of_day` the hour is only a sensible default."""
    ends_at: datetime | None = None
    """Only when it was said: 两点到三点四十."""


@dataclass(frozen=True)
class _Said:
    """Time words that belong together."""

    start: int
    end: int
    past: bool = False
    day: DayWord | None = None
    part: PartOfDay | None = None
    clock: ClockWord | None = None
    wait: int | None = None
    hardly: bool = False
    told: bool = False
    """Words behind it say that it has been: 三点来的."""


def hear_times(
    text: str, *, now: datetime, zone: ZoneInfo, market_days: frozenset[int] = MARKET_DAYS
) -> list[HeardTime]:
    """Times to come in the order said. Tales (昨儿个, 上个月), lengths of time, ages and counts are
    no times; of a time that is taken back (不对，是后天) only the correction is given."""
    local_now = now.astimezone(zone)
    heard: list[HeardTime] = []
    for said in _said(text):
        moment = _moment(said, local_now, market_days)
        if moment:
            starts_at, ends_at, precision = moment
            words = text[said.start : said.end]
            heard.append(HeardTime(words, said.start, said.end, starts_at, precision, ends_at))
    return heard


def warm_up() -> None:
    """Compiles the grammar and loads JioNLP, together about a second."""
    time_words("")
    village_calendar.warm_up()


@lru_cache(maxsize=1024)
def _said(text: str) -> tuple[_Said, ...]:
    clues = hints()
    words = [word for word in time_words(text) if not _is_a_little(word, text, clues)]
    groups = _grouped(_without_greetings(words, text, clues), text, clues)
    kept = [said for said in groups if not clues.denies.search(_just_before(said.start, text))]
    sure = [said for said in kept if not said.hardly] or kept
    told = [replace(said, told=bool(clues.told_behind.match(text, said.end))) for said in sure]
    return tuple(_in_context(told, text, clues))


def _without_greetings(words: Sequence[TimeWord], text: str, clues: Hints) -> Iterator[TimeWord]:
    """Leaves out 晚上好 and 晚上都咳, though not 后天晚上好."""
    for at, word in enumerate(words):
        alone = not at or words[at - 1].part is not Part.DAY or words[at - 1].end != word.start
        greets = word.part is Part.PART and clues.part_alone_not_before.match(text, word.end)
        if not (greets and alone):
            yield word


def _just_before(start: int, text: str) -> str:
    return text[max(0, start - LONGEST_DENIAL) : start]


def _is_a_little(word: TimeWord, text: str, clues: Hints) -> bool:
    """Whether 一点 is a little of something and not one o'clock."""
    words = text[word.start : word.end]
    if word.part is not Part.CLOCK or words not in ("一点", "1点"):
        return False
    if clues.one_not_before.match(text, word.end):
        return True
    before, behind = text[: word.start], text[word.end :]
    alone = clues.filler.fullmatch(before) and clues.filler.fullmatch(behind)
    day_before = before and any(w.end == word.start for w in time_words(before))
    return not (alone or day_before or clues.one_after.search(before))


def _grouped(every: Iterable[TimeWord], text: str, clues: Hints) -> Iterator[_Said]:
    words = list(every)
    current: _Said | None = None
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else None
        near = current and clues.filler.fullmatch(text[current.end : word.start])
        if current and near and _fits(current, word, following):
            current = _joined(current, word)
        else:
            if current:
                yield current
            current = _joined(_Said(word.start, word.end), word)
    if current:
        yield current


def _fits(said: _Said, word: TimeWord, following: TimeWord | None) -> bool:
    """Whether the word adds to what is said, and does not begin another time."""
    if said.wait is not None or word.part in (Part.PAST, Part.WAIT, Part.HARDLY):
        return False
    if said.past:
        return said.clock is None
    if word.part is Part.DAY:
        # 十点，明天三点: the day belongs to the clock behind it.
        own_clock = following and following.start == word.end
        return said.day is None and not (own_clock and (said.clock or said.part))
    if word.part is Part.PART:
        return said.part is None and said.clock is None
    return said.clock is None


def _joined(said: _Said, word: TimeWord) -> _Said:
    return replace(
        said,
        end=word.end,
        past=said.past or word.part is Part.PAST,
        day=word.day or said.day,
        part=word.part_of_day or said.part,
        clock=word.clock or said.clock,
        wait=word.minutes if word.part in (Part.WAIT, Part.HARDLY) else said.wait,
        hardly=word.part is Part.HARDLY,
    )


def _in_context(said: Sequence[_Said], text: str, clues: Hints) -> list[_Said]:
    """Lets later times take from earlier ones what they leave open, and corrections win."""
    result: list[_Said] = []
    for one in said:
        before = result[-1] if result else None
        if before is None or one.wait is not None or before.wait is not None:
            result.append(one)
            continue
        between = text[before.end : one.start]
        if clues.corrects.search(between) and not one.past:
            result[-1] = _corrected(before, one)
        elif one.day is None and not one.past:
            result.extend(_inherited(result.pop(), one, between, text, clues))
        else:
            result.append(one)
    return result


def _inherited(
    before: _Said, one: _Said, between: str, text: str, clues: Hints
) -> tuple[_Said, ...]:
    """Both times, or one of both, when `one` names no day of its own."""
    same_breath = len(between) <= SAME_BREATH
    if before.past:
        tale_goes_on = same_breath and not clues.asks_behind.match(text, one.end)
        return before, replace(one, past=tale_goes_on)
    if same_breath and _refines(before, one):
        return (replace(one, day=before.day, part=before.part),)
    return before, replace(one, day=before.day)


def _refines(vague: _Said, exact: _Said) -> bool:
    """明儿上午来，十点吧 is one time, 上午下午都行 two."""
    told = vague.told or exact.told
    return not told and vague.clock is None and exact.clock is not None and exact.part is None


def _corrected(wrong: _Said, right: _Said) -> _Said:
    if right.clock is None and right.part is None:
        return replace(right, part=wrong.part, clock=wrong.clock)
    if right.day is None:
        part = wrong.part if right.part is None else right.part
        return replace(right, day=wrong.day, part=part)
    return right


_Moment = tuple[datetime, datetime | None, Precision]


def _moment(said: _Said, now: datetime, market_days: frozenset[int]) -> _Moment | None:
    """What was said as a moment to come; None when it has been or there is no such day."""
    if said.past:
        return None
    if said.wait is not None:
        return _rounded_up(now + timedelta(minutes=said.wait), ROUND_TO), None, "clock"
    day = _date_of(said.day, now.date(), market_days) if said.day else None
    if said.day and day is None:
        return None
    if said.told and day in (None, now.date()):
        return None
    moment = _on_day(said, day, now)
    if moment is None and said.day and said.day.reckoning is Reckoning.WEEKDAY and day:
        # 星期天上午, said on a Sunday at noon.
        moment = _on_day(said, day + timedelta(days=7), now)
    return moment


def _on_day(said: _Said, day: date | None, now: datetime) -> _Moment | None:
    if said.clock:
        starts_at = _clock_moment(said.clock.clock, said.part, day, now)
        return (starts_at, _end_of(said, starts_at), "clock") if starts_at else None
    if said.part:
        starts_at = _part_moment(said.part, day, now)
        return (starts_at, None, "part_of_day") if starts_at else None
    if day is None:
        return None
    starts_at = _at(day, DAY_HOUR, now)
    if day == now.date() and starts_at < now:
        starts_at = _rounded_up(now, ALONG_TO)
    return (starts_at, None, "day") if starts_at >= now else None


def _clock_moment(
    clock: Clock, part: PartOfDay | None, day: date | None, now: datetime
) -> datetime | None:
    days = [day] if day else [now.date() + timedelta(days=ahead) for ahead in range(3)]
    for candidate in days:
        for hour in _hours(clock, part):
            at = _at(candidate, hour, now) + timedelta(minutes=clock.minute)
            if at >= now:
                return at
    return None


def _hours(clock: Clock, part: PartOfDay | None) -> list[int]:
    """The hours of the day, beyond 24 when they belong to the night that follows, that the clock
    may mean, the likeliest first."""
    if part:
        if clock.hour in part.adds_noon_to:
            return [clock.hour + 12]
        if clock.hour == 12:
            return [part.twelve]
        if clock.hour < 5 and part.small_hours_next_day:
            return [clock.hour + 24]
        return [clock.hour]
    if clock.hour == 0 or clock.hour > 12:
        return [clock.hour]
    return [hour for hour in (clock.hour, clock.hour + 12) if hour in WAKING_HOURS]


def _part_moment(part: PartOfDay, day: date | None, now: datetime) -> datetime | None:
    if part.hour is None:
        return None
    at = _at(day or now.date(), part.hour, now)
    if at >= now:
        return at
    if day in (None, now.date()) and now.hour < part.until:
        return _rounded_up(now, ALONG_TO)
    return at + timedelta(days=1) if day is None else None


def _end_of(said: _Said, starts_at: datetime) -> datetime | None:
    if said.clock is None or said.clock.until is None:
        return None
    until = said.clock.until
    midnight = starts_at.replace(hour=0, minute=0)
    hours = _hours(until, said.clock.until_part) if said.clock.until_part else []
    for hour in hours or [until.hour, until.hour + 12, until.hour + 24]:
        ends_at = midnight + timedelta(hours=hour, minutes=until.minute)
        if ends_at > starts_at:
            return ends_at
    return None


def _date_of(word: DayWord, today: date, market_days: frozenset[int]) -> date | None:
    if word.reckoning is Reckoning.WEEKDAY:
        day = village_calendar.day_of(word.phrase, today)
        return day + timedelta(days=7) if day and day < today else day
    if word.reckoning is Reckoning.MONTH:
        return village_calendar.next_of_month(word.phrase, today)
    if word.reckoning is Reckoning.MONTH_END:
        return village_calendar.end_of_month(today, later=word.phrase.startswith("下"))
    if word.reckoning is Reckoning.YEAR:
        return village_calendar.next_of_year(word.phrase, today)
    if word.reckoning is Reckoning.LUNAR:
        return village_calendar.next_lunar(today, word.month, word.day)
    if word.reckoning is Reckoning.NEXT_LUNAR_MONTH:
        return village_calendar.next_month_lunar(today, word.day)
    if word.reckoning is Reckoning.NEW_YEARS_EVE:
        return village_calendar.new_years_eve(today)
    if word.reckoning is Reckoning.MARKET:
        digits = frozenset({word.day % 10}) if word.day else market_days
        return village_calendar.next_market(today, digits)
    day = village_calendar.day_of(word.phrase, today)
    return day if day and day >= today else None


def _at(day: date, hour: int, now: datetime) -> datetime:
    midnight = datetime.combine(day, time(), tzinfo=now.tzinfo)
    return midnight + timedelta(hours=hour)


def _rounded_up(at: datetime, step: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    steps = -((midnight - at) // step)
    return midnight + steps * step
