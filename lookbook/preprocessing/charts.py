"""The chart of the classes."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lookbook.drawing.galleries import short
from lookbook.drawing.style import COLOURS, STYLE, save
from lookbook.foundation.names import in_chart


def draw_class_counts(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Draw how many pictures of each class each split has.

    Args:
        path: The SVG file.
        counts: By split, then by class.
    """
    names = list(next(iter(counts.values())))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 1.2 + 0.28 * len(names)), layout="constrained")
        axis = figure.subplots()
        left = np.zeros(len(names))
        for split, by_class in counts.items():
            values = np.array([by_class[name] for name in names])
            axis.barh(range(len(names)), values, left=left, color=COLOURS[split], label=split)
            left += values
        for place, total in enumerate(left):
            axis.text(total, place, f" {total:,.0f}", va="center", fontsize=9)
        axis.set_yticks(range(len(names)), [in_chart(short(name)) for name in names])
        axis.invert_yaxis()
        axis.set_xlabel("pictures")
        axis.set_xmargin(0.1)
        figure.legend(loc="outside upper center", ncols=len(counts))
        save(figure, path)
