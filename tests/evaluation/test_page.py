import html.parser

import pandas as pd

from lookbook.evaluation.charts import draw_curves
from lookbook.evaluation.page import flattened, inline


class Tables(html.parser.HTMLParser):
    """Collects the cells of the table with an id, row by row."""

    def __init__(self, wanted):
        super().__init__()
        self.wanted, self.rows, self._inside, self._cell = wanted, [], False, False

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self._inside = dict(attributes).get("id") == self.wanted
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag in ("td", "th"):
            self._cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._inside and self._cell:
            self.rows[-1].append(data.strip())


def rows_of(page, table):
    reader = Tables(table)
    reader.feed(page)
    return reader.rows


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
