"""The console's words: Chinese as written, English by setting, names of states, refusals."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import yaml

from actions.timebank.clock import VILLAGE_ZONE

FOLDER = Path(__file__).parent / "words"
CHINESE, ENGLISH = "zh", "en"


@dataclass(frozen=True)
class Words:
    """`english` maps Chinese to English, `labels` an enum's class and value to Chinese,
    `refusals` a refusal's code to what staff are told."""

    language: str
    english: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    refusals: Mapping[str, str]
    deeds: Mapping[str, str] = field(default_factory=dict)
    """What a deed of the record is called: `POST /staff` is 建了账号."""

    def say(self, chinese: str, **facts: object) -> str:
        """A sentence in the console's language, with `{name}`s filled."""
        said = self.english.get(chinese, chinese) if self.language == ENGLISH else chinese
        return said.format(**facts) if facts else said

    def label(self, value: Any) -> str:
        """What a state is called: 待接单."""
        if value is None:
            return "—"
        if not isinstance(value, Enum):
            return str(value)
        name = self.labels.get(type(value).__name__, {}).get(str(value.value), str(value.value))
        return self.say(name)

    def deed(self, deed: str) -> str:
        """In words; as it is written down when no theme named it."""
        return self.say(self.deeds.get(deed, deed))

    def refusal(self, code: str) -> str:
        return self.say(self.refusals.get(code, "这样不行。"))

    def moment(self, value: Optional[datetime]) -> str:
        """11月24日 09:05, with the year when it is another than this one's is up to the caller."""
        if value is None:
            return "—"
        local = value.astimezone(VILLAGE_ZONE)
        if self.language == ENGLISH:
            return f"{local:%Y-%m-%d %H:%M}"
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"

    def day(self, value: Optional[date]) -> str:
        if value is None:
            return "—"
        if isinstance(value, datetime):
            value = value.astimezone(VILLAGE_ZONE).date()
        if self.language == ENGLISH:
            return value.isoformat()
        return f"{value.year}年{value.month}月{value.day}日"

    def clock(self, value: Optional[datetime]) -> str:
        return "—" if value is None else f"{value.astimezone(VILLAGE_ZONE):%H:%M}"

    def minutes(self, value: Optional[int]) -> str:
        """90 → 1小时30分."""
        if value is None:
            return "—"
        sign, (hours, rest) = "-" if value < 0 else "", divmod(abs(value), 60)
        hour, minute = ("小时", "分") if self.language == CHINESE else (" h ", " min")
        parts = (f"{hours}{hour}" if hours else "") + (f"{rest}{minute}" if rest else "")
        return sign + (parts.strip() or f"0{minute}")


def themes(folder: Path = FOLDER) -> List[Mapping[str, Any]]:
    """What each theme says, the frame first: what several of them say is said in its words."""
    files = sorted(folder.glob("*.yml"), key=lambda file: (file.stem != "frame", file.stem))
    return [yaml.safe_load(file.read_text("utf-8")) or {} for file in files]


def read_words(language: str, folder: Path = FOLDER) -> Words:
    """All themes together; where two differ, the first says."""
    said = themes(folder)

    def together(part: str) -> Dict[str, str]:
        return dict(ChainMap(*(theme.get(part) or {} for theme in said)))

    names = {name for theme in said for name in theme.get("labels") or {}}
    labels = {
        name: dict(ChainMap(*((theme.get("labels") or {}).get(name, {}) for theme in said)))
        for name in names
    }
    return Words(language, together("english"), labels, together("refusals"), together("deeds"))
