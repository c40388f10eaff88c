"""What is taken for what: a heat map of intents by theme, and the worst confusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tests.bench.scores import Reading
from tests.bench.svg import box, element, line, picture, words

THEMES: Mapping[str, Sequence[str]] = {
    "manners": ("greet", "goodbye", "thank"),
    "help": (
        "request_help",
        "cancel_request",
        "change_request",
        "check_request_status",
        "confirm_service",
        "report_no_show",
        "complain",
        "rate_service",
    ),
    "hours": ("check_balance", "explain_history", "transfer_time"),
    "care": ("emergency", "report_wellbeing", "ask_policy", "set_reminder"),
    "helping": (
        "offer_help",
        "list_tasks",
        "accept_task",
        "decline_task",
        "start_task",
        "complete_task",
    ),
    "answers": ("affirm", "deny", "unsure", "inform"),
    "talk": ("repeat", "slow_down", "louder", "stop", "go_back", "talk_to_human"),
    "recording": ("consent_recording", "revoke_recording"),
    "other": ("chitchat", "out_of_scope"),
}
REST = "not known"
"""What the house has no theme for, such as the fallback."""
CELL, GAP, LEFT, TOP, RIGHT = 19.0, 7.0, 158.0, 142.0, 82.0


@dataclass(frozen=True)
class Confusion:
    meant: str
    got: str
    readings: Sequence[Reading]
    of: int
    """How often it was meant."""


def worst_confusions(readings: Sequence[Reading], count: int = 10) -> list[Confusion]:
    """The most frequent first, of equally frequent ones what takes the larger share of its row."""
    meant = Counter(reading.intent for reading in readings)
    pairs: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        if not reading.right:
            pairs.setdefault((reading.intent, reading.got_intent), []).append(reading)
    found = [Confusion(*pair, taken, meant[pair[0]]) for pair, taken in pairs.items()]
    found.sort(key=lambda one: (-len(one.readings), one.of, one.meant, one.got))
    return found[:count]


def by_theme(intents: set[str]) -> dict[str, list[str]]:
    """These intents in the order of their themes; themes without any of them are left out."""
    known = {name for names in THEMES.values() for name in names}
    themes = {theme: [one for one in names if one in intents] for theme, names in THEMES.items()}
    themes[REST] = sorted(intents - known)
    return {theme: names for theme, names in themes.items() if names}


def heat_map(readings: Sequence[Reading]) -> Markup:
    """Rows are what was meant, columns what it was taken for, shaded by the share of the row."""
    cells: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        cells.setdefault((reading.intent, reading.got_intent), []).append(reading)
    meant = Counter(reading.intent for reading in readings)
    rows = by_theme(set(meant))
    columns = by_theme(set(meant) | {reading.got_intent for reading in readings})
    down, across = _places(rows, TOP), _places(columns, LEFT)
    height, width = max(down.values()) + CELL, max(across.values()) + CELL
    parts = [*_blocks(rows, columns, down, across)]
    parts += [_column_name(name, x) for name, x in across.items()]
    for name, y in down.items():
        parts.append(words(LEFT - 8, y + 13.5, name, text_anchor="end"))
    for theme, names in rows.items():
        top, bottom = down[names[0]], down[names[-1]] + CELL
        parts.append(line(width + 6, top + 1, width + 6, bottom - 1, class_="brace"))
        parts.append(words(width + 13, (top + bottom) / 2 + 4, theme, class_="soft"))
    for (intent, got), taken in cells.items():
        parts += _cell(across[got], down[intent], taken, meant[intent])
    return picture(width + RIGHT, height + 4, *parts, label="What is taken for what", class_="map")


def _places(themes: Mapping[str, Sequence[str]], start: float) -> dict[str, float]:
    places = {}
    for names in themes.values():
        for name in names:
            places[name] = start
            start += CELL
        start += GAP
    return places


def _blocks(
    rows: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[str]],
    down: Mapping[str, float],
    across: Mapping[str, float],
) -> list[Markup]:
    """What lies behind the cells: a field for each pair of themes, darker within one."""
    return [
        box(
            across[got[0]],
            down[meant[0]],
            len(got) * CELL,
            len(meant) * CELL,
            class_="field own" if row == column else "field",
            rx=3,
        )
        for row, meant in rows.items()
        for column, got in columns.items()
    ]


def _column_name(name: str, x: float) -> Markup:
    return element(
        "text", name, transform=f"translate({x + CELL / 2 + 4:.1f} {TOP - 8:.1f}) rotate(-60)"
    )


def _cell(x: float, y: float, taken: Sequence[Reading], of: int) -> list[Markup]:
    first, share = taken[0], len(taken) / of
    as_what = "understood" if first.right else f"taken for {first.got_intent}"
    title = f"{first.intent} {as_what}: {len(taken)} of {of} ({share:.0%})\n「{first.text}」"
    shade = "right" if first.right else "wrong"
    # A single slip must still be seen.
    opacity = 0.12 + 0.78 * share if first.right else min(0.3 + 1.4 * share, 1.0)
    middle = {"text_anchor": "middle", "pointer_events": "none"}
    ink = "count on-dark" if opacity > 0.55 else "count"
    return [
        box(
            x + 1, y + 1, CELL - 2, CELL - 2, class_=shade, rx=3, fill_opacity=opacity, title=title
        ),
        words(x + CELL / 2, y + 13, len(taken), class_=ink, **middle),
    ]
