"""A few pictures at a time: what readers hand on, and what becomes of it."""

import contextlib
import hashlib
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from lookbook.pictures.decoding import Fault, Form, UnreadableError, decoded, formats, given
from lookbook.pictures.likeness import GRID, likeness
from lookbook.pictures.resizing import use_opencv

use_opencv()  # many are processed here

Batch = list[bytes | Fault] | np.ndarray


class Processed(NamedTuple):
    """A batch of pictures in their form.

    Attributes:
        kept: int of shape (n,): the readable pictures' places in the batch.
        faults: Place and reason of each of the others.
        pixels: uint8 of `form.shape` for each, in C order.
        ids: 16 hex digits for each: of the SHA-256 of its file, or of its pixels where it comes
            from a table of pixels.
        sizes: int of shape (n, 2): width and height as published.
        grids: uint8 of shape (n, GRID, GRID): brightness, averaged over equal cells.
    """

    kept: list[int]
    faults: list[tuple[int, str]]
    pixels: list[np.ndarray]
    ids: list[str]
    sizes: np.ndarray
    grids: np.ndarray


def process(batch: Batch, form: Form) -> Processed:
    """Decode and resize a batch. Safe to call from several threads."""
    kept: list[int] = []
    faults, pixels, ids, sizes = [], [], [], []
    grids = np.empty((len(batch), GRID, GRID), np.uint8)
    for place, entry in enumerate(batch):
        if isinstance(entry, Fault):
            faults.append((place, entry.reason))
            continue
        try:
            arrives = decoded if isinstance(entry, bytes) else given
            picture, size = arrives(entry, form)
        except UnreadableError as error:
            faults.append((place, str(error)))
            continue
        grids[len(kept)] = likeness(picture)
        pixels.append(picture)
        content = entry if isinstance(entry, bytes) else np.ascontiguousarray(entry).data
        ids.append(hashlib.sha256(content).hexdigest()[:16])
        sizes.append(size)
        kept.append(place)
    pairs = np.array(sizes, np.int32).reshape(len(kept), 2)
    return Processed(kept, faults, pixels, ids, pairs, grids[: len(kept)])


def shorter_sides(batch: Batch) -> list[int]:
    """Return the shorter side in pixels of each readable picture, as its file's header has it."""
    sides = []
    for entry in batch:
        if isinstance(entry, np.ndarray):
            sides.append(min(entry.shape[:2]))
        elif isinstance(entry, bytes):
            # Pillow raises whatever comes to it on a damaged header; the picture has no say then.
            with contextlib.suppress(Exception):
                sides.append(min(Image.open(io.BytesIO(entry), formats=formats()).size))
    return sides
