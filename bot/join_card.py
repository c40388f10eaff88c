"""The card that staff print, so that a member can join by scanning it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Mapping, Optional

import segno
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from actions.timebank.clock import VILLAGE_ZONE

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "console" / "static" / "join_card.css"
WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


def deep_link(bot: str, code: str) -> str:
    """What the card's square holds: it opens the chat with the bot and hands it the code."""
    return f"https://t.me/{bot}?start={code}"


def card_page(
    *,
    name: str,
    link: str,
    expires_at: datetime,
    staff: str,
    sheet: str = "",
    script: str = "",
    icon: str = "",
    back: str = "",
    words: Optional[Mapping[str, str]] = None,
) -> str:
    """A page of HTML to print; `staff` is whom to call. A file of its own needs nothing from
    outside; in the console `sheet`, `script` and `icon` are addresses, `back` leads to the member,
    and `words` are on the buttons `print` and `back`."""
    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    square = segno.make_qr(link, error="q").svg_inline(omitsize=True, border=4)
    return page.get_template("join_card.html").render(
        name=name,
        link=link,
        square=Markup(square),
        until=until(expires_at),
        staff=staff,
        sheet=sheet,
        script=script,
        icon=icon,
        back=back,
        words=words or {},
        style="" if sheet else Markup(STYLE.read_text("utf-8")),
    )


def until(moment: datetime) -> str:
    """11月29日星期日中午12点; the hour is rounded down, so that nobody comes too late."""
    local = moment.astimezone(VILLAGE_ZONE)
    day = f"{local.month}月{local.day}日（星期{WEEKDAYS[local.weekday()]}）"
    parts = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(name for end, name in parts if local.hour < end)
    hour = local.hour - 12 if local.hour > 12 else local.hour
    return f"{day}{part}{hour}点"
