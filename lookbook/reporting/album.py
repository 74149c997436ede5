"""The pictures of a page, each stored once however often it is shown, many in one image.

An image is the background of its pictures, so that a browser decodes only what is unfolded.
"""

import base64
import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from lookbook.drawing.galleries import SIDE, is_large

CELLS = 8  # of a sheet, across and down: decoding one costs what a photo of 1,024 pixels costs
QUALITY = 80  # of JPEG


@dataclass(frozen=True)
class Cell:
    """Where a picture is: the number of its sheet, its column and its row."""

    sheet: int
    column: int
    row: int


@dataclass
class Sheet:
    """An image of up to `CELLS` x `CELLS` pictures of one shape."""

    is_large: bool
    pictures: list[np.ndarray] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.pictures) == CELLS**2

    @property
    def address(self) -> str:
        """The image as a `data:` address; of large pictures a JPEG."""
        height, width, channels = self.pictures[0].shape
        canvas = np.zeros((CELLS * height, CELLS * width, channels), np.uint8)
        for place, picture in enumerate(self.pictures):
            top, left = place // CELLS * height, place % CELLS * width
            canvas[top : top + height, left : left + width] = picture
        image, file = Image.fromarray(canvas[..., 0] if channels == 1 else canvas), io.BytesIO()
        if self.is_large:
            image.save(file, "jpeg", optimize=True, quality=QUALITY)
        else:
            image.save(file, "png", optimize=True)
        kind = "jpeg" if self.is_large else "png"
        return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


class Album:
    """The pictures that were added so far."""

    def __init__(self) -> None:
        """Begin without any."""
        self._sheets: list[Sheet] = []
        self._cells: dict[bytes, Cell] = {}
        self._open: dict[tuple[int, ...], int] = {}  # the sheet that takes pictures of a shape

    def add(self, pixels: np.ndarray) -> Cell:
        """Take in a picture, unless it is there, and return its place.

        Args:
            pixels: uint8 of shape (height, width, 1 or 3).
        """
        key = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        if key not in self._cells:
            number = self._open.get(pixels.shape)
            if number is None or self._sheets[number].is_full:
                number = self._open[pixels.shape] = len(self._sheets)
                self._sheets.append(Sheet(is_large(pixels)))
            pictures = self._sheets[number].pictures
            row, column = divmod(len(pictures), CELLS)
            pictures.append(_shrunk(pixels))
            self._cells[key] = Cell(number, column, row)
        return self._cells[key]

    @property
    def style(self) -> str:
        """Rules that show a cell as the background of whatever has the classes of its place."""
        rules = [
            f".sheet-{number} {{ background-image: url({sheet.address});"
            f"{'' if sheet.is_large else ' image-rendering: pixelated;'} }}"
            for number, sheet in enumerate(self._sheets)
        ]
        for place in range(CELLS):
            share = 100 * place / (CELLS - 1)
            rules.append(f".column-{place} {{ background-position-x: {share:.4f}%; }}")
            rules.append(f".row-{place} {{ background-position-y: {share:.4f}%; }}")
        return "\n".join([f".picture {{ background-size: {100 * CELLS}%; }}", *rules, ""])


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    """Return a picture no larger than `SIDE`."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(image.height, image.width, -1)
