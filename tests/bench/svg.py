"""Elements of inline SVG, whatever they hold escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Numbers = Iterable[tuple[float, float]]


def element(name: str, *inside: object, **attributes: object) -> Markup:
    """`class_` and `text_anchor` become `class` and `text-anchor`; numbers get two decimals."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(
        Markup(name), written, Markup("").join(escape(one) for one in inside)
    )


def picture(width: float, height: float, *inside: object, label: str, class_: str = "") -> Markup:
    """A whole picture; `label` says to those who do not see it what it shows."""
    return element(
        "svg",
        *inside,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=class_,
    )


def box(x: float, y: float, width: float, height: float, **attributes: object) -> Markup:
    """`title` is shown where the pointer rests."""
    title = attributes.pop("title", None)
    inside = [element("title", title)] if title else []
    sizes = {"x": x, "y": y, "width": max(width, 0.0), "height": max(height, 0.0)}
    return element("rect", *inside, **sizes, **attributes)


def words(x: float, y: float, said: object, **attributes: object) -> Markup:
    return element("text", said, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def path(points: Numbers, **attributes: object) -> Markup:
    """One line through all the points."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polyline", points=through, fill="none", **attributes)


def dot(x: float, y: float, radius: float, title: str, **attributes: object) -> Markup:
    return element("circle", element("title", title), cx=x, cy=y, r=radius, **attributes)


def _plain(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
