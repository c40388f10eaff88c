"""What the console's PDF files share: A4, a Chinese letter, numbered pages, and no mark-up in what
people wrote."""

from __future__ import annotations

from typing import Any, List
from unicodedata import category
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

LETTER = "STSong-Light"
"""Every reader of PDF has it; nothing is embedded."""
MARGIN = 18 * mm
WIDTH, HEIGHT = A4
INK, SOFT, MAIN = colors.HexColor("#23201c"), colors.HexColor("#5d564e"), colors.HexColor("#7c2d16")
LAST_OF_THE_LETTER = 0xFFFF
"""The letter's encoding knows no signs beyond."""


def have_letter() -> None:
    """Makes the Chinese letter known; again changes nothing."""
    if LETTER not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(LETTER))


def plain(text: str) -> str:
    """Without signs that no paper shows."""
    kept = (
        sign if ord(sign) <= LAST_OF_THE_LETTER else "□"
        for sign in text
        if category(sign) not in ("Cc", "Cs", "Cf")
    )
    return "".join(kept)


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(plain(text)), style)


def style(size: float, *, colour: Any = INK, **more: Any) -> ParagraphStyle:
    given = {"leading": size * 1.45, "wordWrap": "CJK", **more}
    return ParagraphStyle(f"{size}", fontName=LETTER, fontSize=size, textColor=colour, **given)


def centred(size: float, **more: Any) -> ParagraphStyle:
    return style(size, alignment=TA_CENTER, **more)


def right(size: float, **more: Any) -> ParagraphStyle:
    return style(size, alignment=TA_RIGHT, **more)


class NumberedCanvas(Canvas):
    """Writes `foot` and the page's number of how many at the foot of each page."""

    foot = ""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._pages: List[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self.setFont(LETTER, 9)
            self.setFillColor(SOFT)
            self.drawString(MARGIN, 10 * mm, plain(self.foot))
            self.drawRightString(WIDTH - MARGIN, 10 * mm, f"{number} / {len(self._pages)}")
            super().showPage()
        super().save()


def numbered(foot: str) -> type[NumberedCanvas]:
    return type("Numbered", (NumberedCanvas,), {"foot": foot})
