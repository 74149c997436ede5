"""Charts as PNG files, the same bytes for the same content."""

from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lookbook.files import replacing
from lookbook.splits import Split

COLUMNS, ROWS = 8, 6  # of sample pictures
TILE = 1.2  # inches
TITLE, GAP = 0.22, 0.03  # height of a title and space around a picture, in tiles
DPI = 100
COLOURS = {"train": "#4477aa", "validation": "#ccbb44", "test": "#aa3377"}
NAME_LETTERS = 18


def draw_samples(path: Path, split: Split) -> None:
    """Draw the first pictures of each class in turn, as models get them, with their class."""
    by_class = [np.flatnonzero(split.labels == label) for label in range(split.spec.num_classes)]
    turns = zip_longest(*(rows[: COLUMNS * ROWS].tolist() for rows in by_class))
    chosen = [row for row in chain.from_iterable(turns) if row is not None][: COLUMNS * ROWS]
    rows = -(-len(chosen) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * TILE, rows * TILE * (1 + TITLE)))
    axis = figure.add_axes((0, 0, 1, 1))  # one for all: 48 of them take a second to lay out
    images, labels = split.images(np.array(chosen)), split.labels[chosen]
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = place % COLUMNS, place // COLUMNS * (1 + TITLE) + TITLE
        extent = (left + GAP, left + 1 - GAP, top + 1 - 2 * GAP, top)
        axis.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255, extent=extent)
        name = _short(split.spec.class_names[label])
        axis.text(left + 0.5, top - GAP, name, ha="center", va="bottom", fontsize=9)
    axis.set(xlim=(0, COLUMNS), ylim=(rows * (1 + TITLE), 0), aspect="auto")
    axis.axis("off")
    _save(figure, path)


def draw_class_counts(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Draw how many pictures of each class each split has.

    Args:
        path: The PNG file.
        counts: By split, then by class.
    """
    names = list(next(iter(counts.values())))
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(names)), layout="constrained")
    axis = figure.subplots()
    left = np.zeros(len(names))
    for split, by_class in counts.items():
        values = np.array([by_class[name] for name in names])
        axis.barh(range(len(names)), values, left=left, color=COLOURS[split], label=split)
        left += values
    for place, total in enumerate(left):
        axis.text(total, place, f" {total:,.0f}", va="center", fontsize=9)
    axis.set_yticks(range(len(names)), [_short(name) for name in names])
    axis.invert_yaxis()
    axis.set_xlabel("pictures")
    axis.set_xmargin(0.1)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(counts), frameon=False)
    _save(figure, path)


def draw_learning_rates(path: Path, rates: np.ndarray, losses: np.ndarray, best: float) -> None:
    """Draw the loss against the learning rate of a range test.

    Args:
        path: The PNG file.
        rates: Rising.
        losses: After each of them.
        best: The rate to point out.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axis = figure.subplots()
    axis.semilogx(rates, losses, color=COLOURS["train"])
    axis.axvline(best, color=COLOURS["test"], linestyle="--", label=f"steepest fall: {best:.1e}")
    axis.set_xlabel("learning rate")
    axis.set_ylabel("loss on training batches, smoothed")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    _save(figure, path)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LETTERS else name[: NAME_LETTERS - 1] + "…"


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
