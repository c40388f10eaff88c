"""What the evaluation found, drawn. Colours are classes of `page.css`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from tests.bench import scores
from tests.bench.aims import Standing, written
from tests.bench.report import percentile
from tests.bench.scores import Reading
from tests.bench.svg import box, dot, line, path, picture, words

Series = Mapping[str, Sequence[float]]
HISTOGRAM_BINS = 32


def gauge(standing: Standing) -> Markup:
    """Ours above stock, with a mark where the aim is."""
    width, left, height = 260.0, 40.0, 15.0
    scale = (width - left - 52) / standing.end
    parts = []
    for row, (name, value) in enumerate((("ours", standing.ours), ("stock", standing.stock))):
        y = 3.0 + row * (height + 5)
        parts.append(words(0.0, y + 11.5, name, class_="soft"))
        parts.append(box(left, y, standing.end * scale, height, class_="track", rx=4))
        if value is None:
            parts.append(words(left + 6, y + 11.5, "not measured", class_="soft tiny"))
            continue
        told = written(value, standing.bar_unit)
        shade = name if name == "stock" or standing.reached else "ours missed"
        parts.append(
            box(left, y, value * scale, height, class_=shade, rx=4, title=f"{name}: {told}")
        )
        parts.append(words(width - 46, y + 11.5, told, class_="number"))
    if standing.ours is not None:
        at = left + standing.mark * scale
        parts.append(line(at, 0.0, at, 2 * height + 11, class_="aim"))
    label = f"{standing.aim.says}: {standing.words}, aim {standing.aim.words}"
    return picture(width, 2 * height + 11, *parts, label=label)


def small_bar(value: float, shade: str = "ours") -> Markup:
    """One share of 1, for a table's cell."""
    told = f"{value:.2f}"
    return picture(
        104.0,
        14.0,
        box(0.0, 2.0, 70.0, 10.0, class_="track", rx=3),
        box(0.0, 2.0, 70 * value, 10.0, class_=shade, rx=3),
        words(76.0, 11.5, told, class_="number"),
        label=told,
    )


def noise_curve(percents: Sequence[int], lines: Series) -> Markup:
    """Accuracy over the share of noise, a line for each pipeline."""
    width, height, left, top, right, bottom = 480.0, 300.0, 46.0, 16.0, 64.0, 40.0
    lowest = min(min(values) for values in lines.values())
    floor = max(min(math.floor(lowest * 10 - 0.3) / 10, 0.9), 0.0)
    across = (width - left - right) / (max(percents) - min(percents))
    down = (height - top - bottom) / (1 - floor)

    def place(percent: int, value: float) -> tuple[float, float]:
        return left + (percent - min(percents)) * across, top + (1 - value) * down

    parts = [
        part
        for step in range(round(floor * 10), 11)
        for part in _level(step / 10, left, width - right, place(0, step / 10)[1])
    ]
    for percent in percents:
        x = place(percent, floor)[0]
        parts.append(words(x, height - bottom + 18, f"{percent}%", text_anchor="middle"))
    middle = (left + width - right) / 2
    axis = "characters replaced by ones of like sound"
    parts.append(words(middle, height - 4, axis, text_anchor="middle", class_="soft"))
    for name, values in lines.items():
        points = [place(*one) for one in zip(percents, values, strict=True)]
        parts.append(path(points, class_=f"stroke {name}"))
        for percent, value, (x, y) in zip(percents, values, points, strict=True):
            title = f"{name}, {percent}% noise: {value:.1%}"
            parts.append(dot(x, y, 5.0, title, class_=name))
            shift = -11.0 if name == "ours" else 20.0
            parts.append(words(x, y + shift, f"{value:.0%}", text_anchor="middle", class_="tiny"))
        parts.append(words(points[-1][0] + 18, points[-1][1] + 4, name, class_=f"name {name}"))
    return picture(width, height, *parts, label="Accuracy over the share of noise")


def voice_bars(voices: Mapping[str, Mapping[str, float]]) -> Markup:
    """For each voice a bar for each way of hearing, and a dot where stock is."""
    shades = {"clean": "ours", "noised": "ours half", "noised near": "ours third"}
    width, left, height = 480.0, 96.0, 16.0
    scale, parts, y = width - left - 60, [], 6.0
    for voice, bars in voices.items():
        parts.append(words(0.0, y + 12, voice.replace("_", " "), class_="name"))
        y += 20
        for name, shade in shades.items():
            value = bars[name]
            parts.append(words(left - 8, y + 12, name, text_anchor="end", class_="soft"))
            parts.append(box(left, y, scale, height, class_="track", rx=4))
            title = f"{voice}, {name}: {value:.1%}"
            parts.append(box(left, y, scale * value, height, class_=shade, rx=4, title=title))
            parts.append(words(width - 52, y + 12.5, f"{value:.1%}", class_="number"))
            stock = bars.get(f"stock {name}")
            if stock is not None:
                title = f"{voice}, {name}, stock: {stock:.1%}"
                at = left + scale * stock
                parts.append(box(at - 2, y - 2, 4.0, height + 4, class_="notch", title=title))
            y += height + 4
        y += 12
    return picture(width, y, *parts, label="Accuracy by voice")


def calibration(ours: Sequence[Reading], stock: Sequence[Reading] = ()) -> Markup:
    """How often each confidence was right; on the diagonal it is as sure as it is right. Below,
    how many utterances were understood with that confidence."""
    side, left, top, low = 300.0, 46.0, 12.0, 70.0
    base = top + side + 34 + low
    width = left + side + 20

    def place(confidence: float, accuracy: float) -> tuple[float, float]:
        return left + confidence * side, top + (1 - accuracy) * side

    parts = [
        part
        for step in range(0, 11, 2)
        for part in _level(step / 10, left, left + side, place(0, step / 10)[1])
    ]
    parts.append(line(*place(0, 0), *place(1, 1), class_="diagonal"))
    if stock:
        groups = scores.bins(stock)
        points = [place(one.confidence, one.accuracy) for one in groups]
        parts.append(path(points, class_="stroke stock"))
    groups = scores.bins(ours)
    points = [place(one.confidence, one.accuracy) for one in groups]
    parts.append(path(points, class_="stroke ours"))
    most = max(one.count for one in groups)
    for one, (x, y) in zip(groups, points, strict=True):
        title = f"{one.count} utterances: {one.confidence:.0%} sure, {one.accuracy:.0%} right"
        parts.append(dot(x, y, 4 + 6 * math.sqrt(one.count / most), title, class_="ours see"))
        bar = min(int(one.confidence * scores.BINS), scores.BINS - 1)
        at, step = left + bar * side / scores.BINS, side / scores.BINS
        tall = low * one.count / most
        parts.append(box(at + 2, base - tall, step - 4, tall, class_="ours half", title=title))
        parts.append(
            words(at + step / 2, base - tall - 4, one.count, text_anchor="middle", class_="tiny")
        )
    for step in range(0, 11, 2):
        x = left + step / 10 * side
        parts.append(words(x, base + 16, f"{step / 10:.0%}", text_anchor="middle", class_="tiny"))
    parts.append(line(left, base, left + side, base, class_="grid"))
    middle = left + side / 2
    parts.append(words(middle, base + 32, "confidence", text_anchor="middle", class_="soft"))
    return picture(width, base + 38, *parts, label="Calibration", class_="calibration")


def latency(milliseconds: Sequence[float], aim: float) -> Markup:
    """How long understanding took. The slowest one in two hundred is beyond the right edge."""
    width, height, left, bottom, top = 720.0, 220.0, 10.0, 36.0, 22.0
    end = max(percentile(milliseconds, 99.5), aim) * 1.05
    edges = [end * number / HISTOGRAM_BINS for number in range(HISTOGRAM_BINS + 1)]
    counts = [sum(low <= one < high for one in milliseconds) for low, high in pairwise(edges)]
    scale, step = (width - 2 * left) / end, (width - 2 * left) / HISTOGRAM_BINS
    down = (height - bottom - top) / max(*counts, 1)
    floor = height - bottom
    parts = []
    for number, count in enumerate(counts):
        title = f"{edges[number]:.0f} to {edges[number + 1]:.0f} ms: {count} utterances"
        x, tall = left + number * step, count * down
        shade = "ours" if edges[number] < aim else "ours missed"
        parts.append(box(x + 1, floor - tall, step - 2, tall, class_=shade, rx=2, title=title))
    marks = {f"aim {aim:.0f} ms": (aim, "aim", 12.0)}
    for share in (50, 95):
        value = percentile(milliseconds, share)
        marks[f"p{share} {value:.0f} ms"] = (value, "percentile", 12.0 if share == 50 else 26.0)
    for name, (value, shade, y) in marks.items():
        x = left + value * scale
        parts.append(line(x, y + 4, x, floor, class_=shade))
        at, anchor = (x - 4, "end") if x > width - 120 else (x + 4, "start")
        parts.append(words(at, y, name, text_anchor=anchor, class_=f"name {shade}"))
    parts.append(line(left, floor, width - left, floor, class_="grid"))
    for number in range(0, HISTOGRAM_BINS + 1, 4):
        x = left + number * step
        anchor = "start" if number == 0 else "end" if number == HISTOGRAM_BINS else "middle"
        parts.append(words(x, floor + 16, f"{edges[number]:.0f}", text_anchor=anchor))
    axis = "milliseconds on one core"
    parts.append(words(width / 2, height - 3, axis, text_anchor="middle", class_="soft"))
    return picture(width, height, *parts, label="How long understanding took")


def _level(value: float, left: float, right: float, y: float) -> tuple[Markup, Markup]:
    """A line across with its percentage."""
    name = words(left - 8, y + 4, f"{value:.0%}", text_anchor="end", class_="tiny")
    return line(left, y, right, y, class_="grid"), name
