"""How charts look, and how they become files: the same bytes for the same content.

As SVG they have no background, and text and axes in `currentColor`: an image viewer shows black on
white, a page its own colours.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from lookbook.foundation.files import replacing, write_text

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLOURS = {"train": "#4477aa", "validation": "#c09a20", "test": "#cc4488"}
INK = "#010203"  # of text and axes, until it becomes `currentColor`
STYLE: "dict[RcKeyType, Any]" = {
    "font.family": "sans-serif",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "lookbook",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    **dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"], INK
    ),
}
DPI = 100


def save(figure: Figure, path: Path) -> None:
    """Write a chart as SVG or PNG, by the suffix of its path."""
    if path.suffix == ".svg":
        write_text(path, svg(figure))
        return
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def svg(figure: Figure) -> str:
    """Return a chart as SVG text."""
    text = io.StringIO()
    unsaid = dict.fromkeys(["Creator", "Date", "Format", "Type"])
    figure.savefig(text, format="svg", transparent=True, metadata=unsaid)
    return text.getvalue().replace(INK, "currentColor")
