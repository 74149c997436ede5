"""Charts of the page: places of lines, marks and words, which templates/charts.jinja draws as SVG.

Places are in percent of the chart's width and height, from its left and its top, and words keep
their size: a chart fits a phone and a wall. Colour comes from the page, and a shape beside it.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from lookbook.evaluation.calibration import reliability
from lookbook.evaluation.predictions import Predictions
from lookbook.reporting.numbers import percent, rounded
from lookbook.splits.headline import Headline

# The narrowest that a chart of the ladder is drawn: what does not meet there meets nowhere.
NARROWEST, HEIGHT = 300, 300  # CSS pixels
LETTER, LINE = 9.0, 20.0  # width of a letter and height of a line of a label
LINES = 8  # of labels above and below an interval that are tried
TICKS = 4  # along an axis, about
APART = 11.0  # percent of a small chart's height that a label takes
SETTLED = 0.1  # of the epochs, before which curves fall off the chart
TICK_SHARE = 36  # percent of the width that a tick of costs takes on a phone


@dataclass(frozen=True)
class Tick:
    """A word along an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """Points in percent of width and height, joined.

    Attributes:
        label: What stands at its end.
        points: From left to right.
        kind: `solid`, `dashed`, `faint` or `band`, which is filled.
    """

    label: str
    points: list[tuple[float, float]]
    kind: str = "solid"

    @property
    def end(self) -> float:
        """The height of its last point."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Dot:
    """A mark, with its interval where it has one."""

    x: float
    y: float
    radius: float = 4.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """A small chart.

    Attributes:
        title: What it is of.
        model: Whose colour it has; '' for none.
        lines: Below the dots.
        dots: Above the lines.
        across: Ticks of the horizontal axis.
        up: Of the vertical one.
    """

    title: str
    model: str = ""
    lines: list[Line] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    across: list[Tick] = field(default_factory=list)
    up: list[Tick] = field(default_factory=list)

    @property
    def ends(self) -> list[Tick]:
        """The labels of lines, at their ends, and so far from each other that they can be read."""
        labelled = sorted((line for line in self.lines if line.label), key=lambda line: line.end)
        ends: list[Tick] = []
        for line in labelled:
            at = line.end if not ends else max(line.end, ends[-1].at + APART)
            ends.append(Tick(at, line.label))
        beyond = max(0.0, ends[-1].at - 100) if ends else 0.0
        return [Tick(end.at - beyond, end.text) for end in ends]


@dataclass(frozen=True)
class Point:
    """A model on the chart of the ladder, with its label.

    Attributes:
        name: Of the model.
        title: The label.
        x: In percent of the width.
        y: In CSS pixels from the top, as the others.
        low: Where its interval begins.
        high: And where it ends.
        away: From x to where the label begins or ends, in CSS pixels.
        label_y: The label's base line.
        anchor: Which of the two: `start` or `end`.
    """

    name: str
    title: str
    x: float
    y: float
    low: float
    high: float
    away: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Ladder:
    """The chart of the ladder: accuracy against cost."""

    points: list[Point]
    across: list[Tick]
    up: list[Tick]
    height: int = HEIGHT


def ticks_between(low: float, high: float, most: int = TICKS) -> list[float]:
    """Return round numbers from below `low` to above `high`, at equal steps."""
    wanted = max(high - low, 1e-9) / most
    size = 10.0 ** math.floor(math.log10(wanted))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= wanted * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * place, 10) for place in range(first, last + 1)]


def ladder(figures: dict[str, dict], titles: dict[str, str], headline: Headline) -> Ladder:
    """Return the chart of the headline figure on test data against what a picture costs.

    Args:
        figures: Of each model: the headline figure, its `_low` and `_high`, and operations.
        titles: What each model is called.
        headline: Which figure that is.
    """
    name = headline.name
    bounds = {m: (f[name], f[f"{name}_low"], f[f"{name}_high"]) for m, f in figures.items()}
    lows, highs = ([bound[end] for bound in bounds.values()] for end in (1, 2))
    up = [tick for tick in ticks_between(min(lows), max(highs)) if tick <= 1]
    costs = {model: math.log10(max(1, entry["operations"])) for model, entry in figures.items()}
    least, most = min(costs.values()), max(costs.values())
    # The label of what is best stands above it.
    top, bottom = 1.6 * LINE, HEIGHT - 1.2 * LINE
    span = max(up[-1], *highs) - up[0]

    def across(cost: float) -> float:
        return 50.0 if least == most else 6 + 88 * (cost - least) / (most - least)

    def height(figure: float) -> float:
        return bottom - (bottom - top) * (figure - up[0]) / span

    places = {
        model: (across(costs[model]), height(figure), height(low), height(high))
        for model, (figure, low, high) in bounds.items()
    }
    labels = _labelled(places, titles)
    points = [Point(model, titles[model], *places[model], *labels[model]) for model in places]
    decades = range(math.ceil(least), math.floor(most) + 1)
    wide = (across(1) - across(0)) if least < most else 100.0
    step = max(1, math.ceil(TICK_SHARE / wide))
    return Ladder(
        points,
        [Tick(across(power), rounded(10.0**power)) for power in decades[::step]],
        [Tick(height(tick), percent(tick, _decimals(up))) for tick in up],
    )


def _decimals(ticks: list[float]) -> int:
    """Return how many digits tell ticks, in percent, apart."""
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    return max(0, math.ceil(-math.log10(100 * step) - 1e-9))


Box = tuple[float, float, float, float]  # left, top, right, bottom, in CSS pixels


def _labelled(
    places: dict[str, tuple[float, float, float, float]], titles: dict[str, str]
) -> dict[str, tuple[float, float, str]]:
    """Return where each label goes: beside, above or below its interval, where nothing else is."""
    centres = {m: (NARROWEST * x / 100, y, low, high) for m, (x, y, low, high) in places.items()}
    marks: list[Box] = [(x - 10, y - 10, x + 10, y + 10) for x, y, *_ in centres.values()]
    reaches: list[Box] = [(x - 4, high, x + 4, low) for x, _, low, high in centres.values()]
    found: dict[str, tuple[float, float, str]] = {}
    for model in sorted(centres, key=lambda model: -len(titles[model])):  # the longest fit least
        x, y, low, high = centres[model]
        width = LETTER * len(titles[model])
        edge, anchor = (max(0.0, x - width / 2), "start") if x < NARROWEST / 2 else (
            min(NARROWEST, x + width / 2), "end")  # fmt: skip
        spots = [(x + 12, y + 5, "start"), (x - 12, y + 5, "end")]
        for line in range(LINES):
            spots.append((edge, high - 8 - LINE * line, anchor))
            spots.append((edge, low + LINE + LINE * line, anchor))
        # An interval may go through a label, if it must; a mark or another label may not.
        near = [spot for spot in spots[:6] if _is_free(_box(spot, width), marks + reaches)]
        free = near or [spot for spot in spots if _is_free(_box(spot, width), marks)]
        spot = free[0] if free else spots[2]
        marks.append(_box(spot, width))
        found[model] = (round(spot[0] - x, 1), round(spot[1], 1), spot[2])
    return found


def _box(spot: tuple[float, float, str], width: float) -> Box:
    at, base, anchor = spot
    left = at if anchor == "start" else at - width
    return left, base - 14, left + width, base + 4


def _is_free(box: Box, taken: list[Box]) -> bool:
    left, top, right, bottom = box
    if left < -1 or right > NARROWEST + 1 or top < 0 or bottom > HEIGHT:
        return False
    return all(right < a or left > c or bottom < b or top > d for a, b, c, d in taken)


SHARES = [Tick(0, "0"), Tick(50, "50 %"), Tick(100, "100 %")]


def reliability_panels(said: dict[str, Predictions], titles: dict[str, str]) -> list[Panel]:
    """Return how often each model is right against how sure it is; larger dots: more pictures."""
    panels = []
    for name, test in said.items():
        bins = reliability(test.labels, test.probabilities)
        full = bins["count"] > 0
        sure, right, count = (bins[key][full] for key in ("confidence", "accuracy", "count"))
        dots = [
            Dot(100 * x, 100 - 100 * y, 2.5 + 6 * math.sqrt(n / count.sum()))
            for x, y, n in zip(sure.tolist(), right.tolist(), count.tolist(), strict=True)
        ]
        even = Line("", [(0, 100), (100, 0)], "faint")
        joined = Line("", [(dot.x, dot.y) for dot in dots])
        up = [Tick(100 - tick.at, tick.text) for tick in SHARES]
        panels.append(Panel(titles[name], name, [even, joined], dots, SHARES, up))
    return panels


def curve_panels(
    curves: dict[str, pd.DataFrame], titles: dict[str, str], figure: str
) -> list[Panel]:
    """Return loss or accuracy by epoch of each network, all on the same vertical axis.

    The first epochs are far from all others, so the axis goes without them.

    Args:
        curves: With the columns epoch, and the figure alone and with `val_` before it.
        titles: What each model is called.
        figure: `loss` or `accuracy`.
    """
    columns = [figure, f"val_{figure}"]
    settled = [table[int(SETTLED * len(table)) :] for table in curves.values()]
    values = np.concatenate([table[columns].to_numpy().ravel() for table in settled])
    values = values[np.isfinite(values)]
    up = ticks_between(float(values.min()), float(values.max()), 3)
    span = up[-1] - up[0] or 1.0
    share = figure == "accuracy"
    ticks = [Tick(100 - 100 * (t - up[0]) / span, percent(t, 0) if share else f"{t:g}") for t in up]
    panels = []
    for name, table in curves.items():
        epochs = table["epoch"].to_numpy()
        across = 100 * epochs / epochs.max()
        lines = [
            Line(
                label, _within(across, 100 - 100 * (table[column].to_numpy() - up[0]) / span), kind
            )
            for label, column, kind in (
                ("training", figure, "dashed"),
                ("validation", f"val_{figure}", "solid"),
            )
        ]
        dots = [Dot(*line.points[0], 3.0) for line in lines] if len(table) == 1 else []
        last = Tick(100, f"{epochs.max():,}")
        panels.append(Panel(titles[name], name, lines, dots, [Tick(0, "0"), last], ticks))
    return panels


def _within(across: np.ndarray, down: np.ndarray) -> list[tuple[float, float]]:
    """Return the points of a line from where it enters the chart; a later way out goes along it."""
    inside = np.flatnonzero((down >= 0) & (down <= 100))
    first = inside[0] if len(inside) else len(down) - 1
    kept = np.clip(np.nan_to_num(down[first:], nan=0.0), 0, 100)
    return list(zip(across[first:].tolist(), kept.tolist(), strict=True))


def learning_panel(figures: dict) -> Panel:
    """Return accuracy by training photos, measured and expected.

    Args:
        figures: As metrics/learning_curve.json has them.
    """
    shares, ahead = figures["shares"], figures["forecast"]
    photos = [entry["photos"] for entry in [*shares, *ahead]]
    least, most = math.log2(min(photos)), math.log2(max(photos))
    deviations = [share["deviation"] or 0 for share in shares]
    lows = [share["accuracy"] - d for share, d in zip(shares, deviations, strict=True)]
    highs = [share["accuracy"] + d for share, d in zip(shares, deviations, strict=True)]
    lows += [entry["low"] for entry in ahead]
    highs += [entry["high"] for entry in ahead]
    up = [tick for tick in ticks_between(min(lows), max(highs)) if tick <= 1]
    top = max(up[-1], max(highs))

    def x(count: int) -> float:
        return 100 * (math.log2(count) - least) / (most - least)

    def y(accuracy: float) -> float:
        return 100 - 100 * (accuracy - up[0]) / (top - up[0])

    now = shares[-1]["photos"]
    band = [(x(e["photos"]), y(e["high"])) for e in ahead]
    band += [(x(e["photos"]), y(e["low"])) for e in reversed(ahead)]
    return Panel(
        "Accuracy by training photos",
        lines=[
            Line("", band, "band"),
            Line("", [(x(s["photos"]), y(s["fitted"])) for s in shares]),
            Line("", [(x(e["photos"]), y(e["accuracy"])) for e in ahead], "dashed"),
        ],
        dots=[
            Dot(x(s["photos"]), y(s["accuracy"]), 4.0, y(s["accuracy"] - d), y(s["accuracy"] + d))
            for s, d in zip(shares, deviations, strict=True)
        ],
        across=[
            Tick(x(count), f"{count:,}{word}")
            for count, word in ((shares[0]["photos"], ""), (now, " now"), (ahead[-1]["photos"], ""))
        ],
        up=[Tick(y(tick), percent(tick, _decimals(up))) for tick in up],
    )
