"""Charts of results."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lookbook.drawing.style import COLOURS, INK, STYLE, save, svg
from lookbook.evaluation.calibration import BINS
from lookbook.ladder.rungs import rung
from lookbook.splits.headline import Headline

# What matplotlib calls the shapes of models.
MARKERS = {
    "circle": "o", "square": "s", "triangle": "^", "diamond": "D", "cross": "P", "bar": "_",
}  # fmt: skip


def draw_learning_rates(path: Path, rates: np.ndarray, losses: np.ndarray, best: float) -> None:
    """Draw the loss against the learning rate of a range test.

    Args:
        path: The PNG file.
        rates: Rising.
        losses: After each of them.
        best: The rate to point out.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axis = figure.subplots()
        axis.semilogx(rates, losses, color=COLOURS["train"])
        label = f"steepest fall: {best:.1e}"
        axis.axvline(best, color=COLOURS["test"], linestyle="--", label=label)
        axis.set_xlabel("learning rate")
        axis.set_ylabel("loss on training batches, smoothed")
        axis.legend()
        save(figure, path)


def draw_ladder(path: Path, figures: dict[str, dict], headline: Headline) -> None:
    """Draw the headline figure on test data, with its interval, against what a picture costs.

    Args:
        path: The SVG file.
        figures: Of each model: the headline figure, its `_low` and `_high`, and operations;
            relabelled_test where a review changed test labels.
        headline: Which figure that is.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        axis = figure.subplots()
        for name, entry in figures.items():
            middle, cost = entry[headline.name], entry["operations"]
            low, high = entry[f"{headline.name}_low"], entry[f"{headline.name}_high"]
            reach = [[middle - low], [high - middle]]
            colour, title = rung(name).colour, rung(name).title
            marker = MARKERS[rung(name).shape]
            axis.errorbar(cost, middle, yerr=reach, fmt=marker, color=colour, label=title)
        axis.set_xscale("log")
        axis.set_xmargin(0.1)
        axis.set_xlabel("floating-point operations a picture")
        changed = max(entry.get("relabelled_test", 0) for entry in figures.values())
        note = f"\n({changed:,} labels changed in a review)" if changed else ""
        axis.set_ylabel(f"test {headline.words}, 95 % interval{note}")
        axis.grid(axis="y", color=INK, alpha=0.15)
        figure.legend(loc="outside upper center", ncols=len(figures) if len(figures) <= 4 else 3)
        save(figure, path)


def draw_reliability(path: Path, bins: dict[str, dict[str, np.ndarray]]) -> None:
    """Draw how often each model is right against how sure it is; larger dots: more pictures.

    Args:
        path: The SVG file.
        bins: Of each model, as `lookbook.evaluation.calibration.reliability` gives them.
    """
    rows = -(-len(bins) // 2)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 0.4 + 2.6 * rows), layout="constrained")
        axes = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
        for axis in axes[len(bins) :]:
            axis.axis("off")
        for axis, (name, entry) in zip(axes, bins.items(), strict=False):  # an axis may be left
            colour = rung(name).colour
            full = entry["count"] > 0
            sure, right, count = (entry[key][full] for key in ("confidence", "accuracy", "count"))
            axis.plot([0, 1], [0, 1], color=INK, alpha=0.4, linestyle=":")
            axis.plot(sure, right, color=colour, alpha=0.5)
            axis.scatter(sure, right, 6 + 150 * count / count.sum(), color=colour)
            axis.set_title(rung(name).title, fontsize=10)
        figure.supxlabel(f"mean highest probability in each of {BINS} bins", fontsize=10)
        figure.supylabel("share right", fontsize=10)
        save(figure, path)


def draw_learning_curve(figures: dict) -> str:
    """Return the accuracy by training photos, measured and expected, as SVG.

    Args:
        figures: As `lookbook.planning.forecast.figures_of` gives them.
    """
    shares, ahead = figures["shares"], figures["forecast"]
    fitted = [(share["photos"], share["fitted"]) for share in shares]
    beyond = [(entry["photos"], entry["accuracy"]) for entry in ahead]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.plot(*zip(*fitted, strict=True), color=COLOURS["train"], label="power law")
        axis.plot(*zip(*beyond, strict=True), color=COLOURS["train"], linestyle="--")
        axis.fill_between(
            [entry["photos"] for entry in ahead],
            [entry["low"] for entry in ahead],
            [entry["high"] for entry in ahead],
            color=COLOURS["train"], alpha=0.2, linewidth=0, label="95 % interval",
        )  # fmt: skip
        axis.errorbar(
            [share["photos"] for share in shares],
            [share["accuracy"] for share in shares],
            yerr=[share["deviation"] or 0 for share in shares],
            fmt="o", capsize=3, color=COLOURS["validation"], label="measured, one deviation",
        )  # fmt: skip
        now = shares[-1]["photos"]
        for photos, word in ((now, "now"), (2 * now, "twice"), (4 * now, "four times")):
            axis.axvline(photos, color=INK, alpha=0.25, linewidth=1)
            axis.annotate(
                word, (photos, 0.02), xycoords=("data", "axes fraction"), xytext=(-3, 0),
                textcoords="offset points", rotation=90, ha="right", va="bottom", fontsize=8,
            )  # fmt: skip
        axis.set_xscale("log", base=2)
        axis.set_xticks([*(share["photos"] for share in shares[::2]), 2 * now, 4 * now])
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.minorticks_off()
        axis.set_xlabel("training photos")
        axis.set_ylabel("validation accuracy")
        axis.grid(axis="y", color=INK, alpha=0.15)
        figure.legend(loc="outside upper center", ncols=3)
        return svg(figure)
