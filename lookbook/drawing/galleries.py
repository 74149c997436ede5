"""Pictures with a few words below each: as one PNG file, or one by one for a page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lookbook.foundation.files import replacing
from lookbook.splits.split import Split

COLUMNS = 6
SIDE = 128  # pixels of a picture in a gallery
GAP = 12
LINE = 17  # height of a line of text
LETTERS = 20  # of a line, at most
FONT = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")


@dataclass(frozen=True)
class Tile:
    """A picture with its words.

    Attributes:
        pixels: uint8 of shape (height, width, 1 or 3).
        words: Lines of text.
        title: What a pointer that rests on the picture is told.
    """

    pixels: np.ndarray
    words: Sequence[str]
    title: str = ""

    @property
    def is_large(self) -> bool:
        """Whether the picture is large enough not to show its pixels."""
        return is_large(self.pixels)

    @property
    def address(self) -> str:
        """The picture as a `data:` address; see `address_of`."""
        return address_of(self.pixels)


def address_of(pixels: np.ndarray, side: int = SIDE) -> str:
    """Return a picture as a `data:` address, no larger than `side`; large ones as JPEG."""
    image, file = _image(pixels), io.BytesIO()
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    kind = "jpeg" if is_large(pixels) else "png"
    image.save(file, kind, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def is_large(pixels: np.ndarray) -> bool:
    """Return whether a picture is large enough not to show its pixels."""
    return max(pixels.shape[:2]) > SIDE // 2


def samples(split: Split, count: int) -> list[Tile]:
    """Return the first pictures of each class in turn, as models get them, with their class."""
    by_class = [np.flatnonzero(split.labels == label) for label in range(split.spec.num_classes)]
    turns = chain.from_iterable(zip_longest(*(rows[:count].tolist() for rows in by_class)))
    chosen = list(islice((row for row in turns if row is not None), count))
    names = [split.spec.class_names[label] for label in split.labels[chosen]]
    images = split.images(np.array(chosen))
    return [Tile(image, [name]) for image, name in zip(images, names, strict=True)]


def draw_gallery(path: Path, tiles: Sequence[Tile], empty: str = "") -> None:
    """Draw tiles as one PNG file, the same bytes for the same content.

    Args:
        path: The file.
        tiles: In reading order.
        empty: What to write if there are none.
    """
    font = ImageFont.truetype(FONT, 12)
    lines = max((len(tile.words) for tile in tiles), default=1)
    width, height = SIDE + GAP, SIDE + GAP + lines * LINE
    columns, rows = min(COLUMNS, max(2, len(tiles))), max(1, -(-len(tiles) // COLUMNS))
    canvas = Image.new("RGB", (GAP + columns * width, GAP + rows * height), "white")
    pen = ImageDraw.Draw(canvas)
    if not tiles:
        pen.text((GAP, GAP), empty, "black", font)
    for place, tile in enumerate(tiles):
        left, top = GAP + place % COLUMNS * width, GAP + place // COLUMNS * height
        image = _image(tile.pixels)
        enlarged = max(image.size) < SIDE
        method = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
        canvas.paste(image.resize((SIDE, SIDE), method), (left, top))
        for line, text in enumerate(tile.words):
            pen.text((left, top + SIDE + 2 + line * LINE), short(text), "black", font)
    with replacing(path) as partial:
        canvas.save(partial, "PNG", optimize=True)


def short(text: str) -> str:
    """Return a text that fits, its end replaced by … if it does not."""
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
