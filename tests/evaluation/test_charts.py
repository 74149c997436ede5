import re

import numpy as np
import pytest

from lookbook.drawing.style import COLOURS
from lookbook.evaluation.calibration import reliability
from lookbook.evaluation.charts import (
    draw_ladder,
    draw_learning_curve,
    draw_learning_rates,
    draw_reliability,
)
from lookbook.ladder.rungs import rung
from lookbook.preprocessing.charts import draw_class_counts
from lookbook.splits.headline import Headline

COUNTS = {"train": {"cat": 300, "dog": 100}, "test": {"cat": 100, "dog": 0}}


def entry(accuracy, operations):
    reach = {"accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.01}
    return {"accuracy": accuracy, "operations": operations} | reach


NAMES = ("baseline", "train_ann", "train_transfer")
FIGURES = {"baseline": entry(0.8, 10_000), "train_cnn": entry(0.95, 60_000_000)}


def bins():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    probabilities = rng.dirichlet(np.ones(3), 200)
    return {name: reliability(labels, probabilities) for name in NAMES}


def widths(svg, colour):
    """Return how wide each filled box of a colour is."""
    found = []
    for path in re.findall(rf'<path d="([^"]*)"[^>]*fill: {colour}', svg):
        across = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", path)]
        found.append(max(across) - min(across))
    return found


def test_bars_are_as_long_as_the_counts(tmp_path):
    draw_class_counts(tmp_path / "counts.svg", COUNTS)
    svg = (tmp_path / "counts.svg").read_text()
    cat, dog = widths(svg, COLOURS["train"])[:2]
    assert cat / dog == pytest.approx(3, rel=1e-3)
    assert widths(svg, COLOURS["test"])[0] / dog == pytest.approx(1, rel=1e-3)
    assert ">dog</text>" in svg


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: draw_class_counts(path, COUNTS),
        lambda path: draw_ladder(path, FIGURES, Headline()),
        lambda path: draw_reliability(path, bins()),
        lambda path: draw_learning_rates(
            path.with_suffix(".png"), np.geomspace(1e-5, 1, 9), np.arange(9.0), 1e-3
        ),
    ],
)
def test_charts_are_the_same_bytes_for_the_same_content(draw, tmp_path):
    for name in ("a", "b"):
        draw(tmp_path / f"{name}.svg")
    first, second = sorted(tmp_path.iterdir())
    assert first.read_bytes() == second.read_bytes()


def test_text_and_axes_take_the_colour_of_the_page_around(tmp_path):
    draw_ladder(tmp_path / "ladder.svg", FIGURES, Headline())
    svg = (tmp_path / "ladder.svg").read_text()
    assert "currentColor" in svg
    assert "#000000" not in svg.replace("stroke: #000000; stroke-width: 0", "")
    assert "fill: #ffffff" not in svg
    assert ">Convolutional network</text>" in svg
    assert rung("train_cnn").colour in svg


def test_the_ladder_shows_the_headline_figure(tmp_path):
    figures = {"balanced_accuracy": 0.7, "balanced_accuracy_low": 0.6, "operations": 10}
    balanced = Headline("balanced_accuracy", "unequal")
    figures = {"baseline": figures | {"balanced_accuracy_high": 0.8}}
    draw_ladder(tmp_path / "ladder.svg", figures, balanced)
    assert ">test balanced accuracy, 95 % interval</text>" in (tmp_path / "ladder.svg").read_text()


def test_reliability_has_a_panel_for_each_model(tmp_path):
    draw_reliability(tmp_path / "reliability.svg", bins())
    svg = (tmp_path / "reliability.svg").read_text()
    for name in NAMES:
        assert f">{rung(name).title}</text>" in svg
        assert rung(name).colour in svg


def test_a_learning_curve_shows_what_was_measured_and_what_twice_as_many_bring():
    shares = [(100, 0.8, 0.02), (200, 0.85, 0.01), (400, 0.88, None)]
    figures = {
        "shares": [
            {"photos": photos, "accuracy": accuracy, "fitted": accuracy, "deviation": deviation}
            for photos, accuracy, deviation in shares
        ],
        "forecast": [
            {"photos": photos, "accuracy": 0.89, "low": 0.87, "high": 0.91}
            for photos in (400, 800, 1600)
        ],
    }
    svg = draw_learning_curve(figures)
    assert svg == draw_learning_curve(figures)
    for words in ("now", "twice", "four times", "800", "training photos", "validation accuracy"):
        assert f">{words}</text>" in svg
    assert svg.count(COLOURS["validation"]) >= len(shares)
