import pandas as pd

from lookbook.evaluation.charts import draw_curves
from lookbook.evaluation.page import flattened, inline


def test_flattened_names_every_figure_but_those_of_classes():
    content = {"a": 1, "b": {"c": 2, "classes": {"x": 3}}, "dropped": {}}
    assert flattened(content) == {"a": 1, "b.c": 2}


def test_an_inlined_chart_names_no_other_host():
    curves = pd.DataFrame(
        {"epoch": [1, 2], "loss": [2, 1], "val_loss": [3, 2], "accuracy": [0, 1],
         "val_accuracy": [0, 1]}
    )  # fmt: skip
    svg = inline(draw_curves(curves))
    assert svg.startswith("<svg")
    assert "http" not in svg
    assert ">accuracy</text>" in svg
