"""Pictures of a page with a few words below each."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.predictions import Predictions
from lookbook.reporting.album import Album, Cell
from lookbook.reporting.numbers import percent
from lookbook.splits.split import Split


class Shown(NamedTuple):
    """A picture on the page, and what stands below it, line by line."""

    cell: Cell
    words: list[str]
    title: str = ""


def shown(album: Album, tiles: Iterable[Tile]) -> list[Shown]:
    """Take pictures into the album."""
    return [Shown(album.add(tile.pixels), list(tile.words), tile.title) for tile in tiles]


def disagreeing(
    album: Album, test: Split, rows: np.ndarray, right: Predictions, wrong: Predictions
) -> list[Shown]:
    """Return pictures that one model has right, with what the other takes them for.

    Args:
        album: Takes them in.
        test: The pictures.
        rows: Their places.
        right: What the model says that has them right.
        wrong: What the other says.
    """
    names, tiles = right.class_names, []
    for pixels, row in zip(test.images(rows), rows, strict=True):
        said, sure = names[wrong.predicted[row]], wrong.probabilities[row].max()
        words = [f"is {names[right.labels[row]]}", f"not {said} {percent(sure, 0)}"]
        tiles.append(Tile(pixels, words, f"picture {right.ids[row]}"))
    return shown(album, tiles)
