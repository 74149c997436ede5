"""One picture: from the bytes of its file to pixels of a given shape, or the reason why not."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lookbook.readers.reading import Batch, Fault

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
GRID = 16  # cells a side of the picture's small grey likeness
JFIF_BYTES = 512  # where TensorFlow Datasets looks for the marker in cats_vs_dogs
ORIENTATION = 0x0112  # EXIF tag
BLOCKS_KEPT = 64  # freed blocks of memory that Pillow keeps for the next picture: a tenth faster

Image.core.set_blocks_max(BLOCKS_KEPT)
# Pillow warns at 89 million pixels and refuses at twice that; the refusal is all we need.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Form:
    """What every picture of a set is brought to.

    Attributes:
        image_size: Height and width, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        resize: `stretch` changes the aspect ratio; `crop` keeps the largest middle square; `pad`
            keeps all and fills up with black.
        needs_jfif: Whether a file without a JFIF marker at its beginning is left out.
    """

    image_size: int
    channels: int
    resize: str
    needs_jfif: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.image_size, self.image_size, self.channels


class Processed(NamedTuple):
    """A batch of pictures in their form.

    Attributes:
        kept: int of shape (n,): the readable pictures' places in the batch.
        faults: Place and reason of each of the others.
        images: uint8 of shape (n, *form.shape).
        ids: 16 hex digits for each: of the SHA-256 of its file, or of its pixels where it comes
            from a table of pixels.
        sizes: int of shape (n, 2): width and height as published.
        grids: uint8 of shape (n, GRID, GRID): brightness, averaged over equal cells.
    """

    kept: list[int]
    faults: list[tuple[int, str]]
    images: np.ndarray
    ids: list[str]
    sizes: np.ndarray
    grids: np.ndarray


def process(batch: Batch, form: Form) -> Processed:
    """Decode and resize a batch. Safe to call from several threads."""
    kept, faults, ids, sizes = [], [], [], []
    images = np.empty((len(batch), *form.shape), np.uint8)
    grids = np.empty((len(batch), GRID, GRID), np.uint8)
    for place, entry in enumerate(batch):
        if isinstance(entry, Fault):
            faults.append((place, entry.reason))
            continue
        try:
            picture, size = _opened(entry, form)
        except _UnreadableError as error:
            faults.append((place, str(error)))
            continue
        row = len(kept)
        images[row] = np.asarray(picture).reshape(form.shape)
        grids[row] = _grid(picture)
        content = entry if isinstance(entry, bytes) else np.ascontiguousarray(entry)
        ids.append(hashlib.sha256(content).hexdigest()[:16])
        sizes.append(size)
        kept.append(place)
    count = len(kept)
    sizes = np.array(sizes, np.int32).reshape(count, 2)
    return Processed(kept, faults, images[:count], ids, sizes, grids[:count])


class _UnreadableError(Exception):
    """Its text is the reason."""


def _opened(entry: bytes | np.ndarray, form: Form) -> tuple[Image.Image, tuple[int, int]]:
    """Return the picture in its form, and its published width and height."""
    if isinstance(entry, bytes):
        return _decoded(entry, form)
    picture = Image.fromarray(entry[..., 0] if entry.shape[-1] == 1 else entry)
    return _resized(_with_channels(picture, form.channels), form), picture.size


def _decoded(content: bytes, form: Form) -> tuple[Image.Image, tuple[int, int]]:
    if not content:
        raise _UnreadableError("empty")
    if form.needs_jfif and b"JFIF" not in content[:JFIF_BYTES]:
        raise _UnreadableError("no JFIF marker")
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        size = picture.size
        turned = "exif" in picture.info and picture.getexif().get(ORIENTATION, 1) > 1
        # JPEG can be decoded at a half, a quarter or an eighth of its size: for the photos of
        # today's cameras that is several times as fast.
        target = _inner_size(size, form)
        picture.draft("L" if form.channels == 1 else "RGB", target)
        picture.load()
        if turned:
            before = picture.size
            picture = ImageOps.exif_transpose(picture)
            size = size if picture.size == before else size[::-1]
        return _resized(_with_channels(picture, form.channels), form), size
    except UnidentifiedImageError:
        raise _UnreadableError("not a picture") from None
    except Image.DecompressionBombError:
        raise _UnreadableError("too many pixels") from None
    except Exception:  # Pillow's decoders raise whatever comes to them on damaged input
        raise _UnreadableError("truncated or damaged") from None


def _with_channels(picture: Image.Image, channels: int) -> Image.Image:
    mode = "L" if channels == 1 else "RGB"
    if picture.mode == mode:
        return picture
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
    elif picture.has_transparency_data:  # as a person sees it: on white
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert(mode)


def _inner_size(size: tuple[int, int], form: Form) -> tuple[int, int]:
    """Return the width and height that a whole picture has after resizing, before crop or pad."""
    if form.resize == "stretch":
        return form.image_size, form.image_size
    side = min(size) if form.resize == "crop" else max(size)
    width, height = (max(1, round(length * form.image_size / side)) for length in size)
    return width, height


def _resized(picture: Image.Image, form: Form) -> Image.Image:
    square = (form.image_size, form.image_size)
    if picture.size == square:
        return picture
    if form.resize == "crop":
        side, (width, height) = min(picture.size), picture.size
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return picture.resize(square, Image.Resampling.BILINEAR, box=box)
    inner = picture.resize(_inner_size(picture.size, form), Image.Resampling.BILINEAR)
    if form.resize == "stretch":
        return inner
    padded = Image.new(picture.mode, square)
    padded.paste(inner, ((square[0] - inner.width) // 2, (square[1] - inner.height) // 2))
    return padded


def _grid(picture: Image.Image) -> np.ndarray:
    cells = picture.resize((GRID, GRID), Image.Resampling.BOX)
    return np.asarray(cells.convert("L"))
