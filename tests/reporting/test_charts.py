import itertools

import numpy as np
import pandas as pd
import pytest

from lookbook.reporting.charts import (
    HEIGHT,
    LETTER,
    NARROWEST,
    Line,
    Panel,
    curve_panels,
    ladder,
    learning_panel,
    ticks_between,
)
from lookbook.splits.headline import Headline

TITLES = {name: f"A network called {name}" for name in "abcd"}


def entry(accuracy, operations):
    bounds = {"accuracy_low": accuracy - 0.02, "accuracy_high": min(1.0, accuracy + 0.01)}
    return {"accuracy": accuracy, "operations": operations} | bounds


def test_ticks_are_round_and_around_all():
    assert ticks_between(0.9155, 0.9972) == [0.9, 0.95, 1.0]
    assert ticks_between(0.0, 1.0) == [0, 0.5, 1.0]
    assert ticks_between(0.5, 0.5)[0] <= 0.5 <= ticks_between(0.5, 0.5)[-1]


def test_the_ladder_places_models_by_cost_and_accuracy():
    chart = ladder({"a": entry(0.8, 10**4), "b": entry(0.9, 10**6)}, TITLES, Headline())
    a, b = chart.points
    assert (a.x, b.x) == (6, 94)
    assert b.y < a.y
    assert a.high < a.y < a.low  # downwards
    assert [tick.text.split("\N{NO-BREAK SPACE}")[0] for tick in chart.up][0] == "75"
    assert [tick.at for tick in chart.across] == [6, 50, 94]
    assert chart.across[-1].text == "1\N{NO-BREAK SPACE}million"


@pytest.mark.parametrize("seed", range(50))
def test_no_label_of_the_ladder_meets_another_or_leaves_the_chart(seed):
    rng = np.random.default_rng(seed)
    figures = {name: entry(rng.uniform(0.5, 0.98), 10 ** rng.uniform(4, 8)) for name in "abcd"}
    boxes = []
    for point in ladder(figures, TITLES, Headline()).points:
        at = NARROWEST * point.x / 100 + point.away
        left = at - LETTER * len(point.title) * (point.anchor == "end")
        assert left + 1 >= 0
        assert left + LETTER * len(point.title) <= NARROWEST + 1
        assert 0 < point.label_y < HEIGHT
        boxes.append((left, point.label_y, left + LETTER * len(point.title)))
    for (a, one, b), (c, other, d) in itertools.combinations(boxes, 2):
        assert b < c or d < a or abs(one - other) >= 14


def test_models_of_one_cost_stand_in_the_middle():
    chart = ladder({"a": entry(0.8, 100), "b": entry(0.9, 100)}, TITLES, Headline())
    assert [point.x for point in chart.points] == [50, 50]


@pytest.mark.parametrize("epochs", [1, 40])
def test_curves_share_their_axis_and_leave_out_the_first_epochs(epochs):
    falling = 3 * np.exp(-np.arange(epochs) / 3)
    table = pd.DataFrame({"epoch": np.arange(epochs) + 1, "loss": falling, "val_loss": falling / 2})
    panels = curve_panels({"a": table, "b": table / 2}, TITLES, "loss")
    assert panels[0].up == panels[1].up
    assert [end.text for end in panels[0].ends] == ["training", "validation"]
    for line in (line for panel in panels for line in panel.lines):
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in line.points)


def test_labels_at_the_ends_of_lines_keep_apart_and_inside():
    panel = Panel("", lines=[Line("one", [(0, 0), (100, 99)]), Line("two", [(0, 0), (100, 98)])])
    assert [(end.text, end.at) for end in panel.ends] == [("two", 89), ("one", 100)]


def test_a_learning_curve_shows_what_was_measured_and_what_is_expected():
    shares = [{"photos": n, "accuracy": a, "fitted": a, "deviation": d}
              for n, a, d in ((500, 0.9, 0.01), (1000, 0.95, None))]  # fmt: skip
    ahead = [{"photos": n, "accuracy": 0.96, "low": 0.95, "high": 0.97} for n in (1000, 4000)]
    panel = learning_panel({"shares": shares, "forecast": ahead})
    assert [dot.x for dot in panel.dots] == pytest.approx([0, 100 / 3])
    assert [tick.text for tick in panel.across] == ["500", "1,000 now", "4,000"]
    assert [line.kind for line in panel.lines] == ["band", "solid", "dashed"]
