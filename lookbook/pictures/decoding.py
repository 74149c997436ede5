"""One picture: from the bytes of its file to pixels of a given shape, or the reason why not.

Pillow decodes; resizing is bilinear in whole numbers, the same on every machine. Larger pictures
are first averaged down to under twice their new size; JPEG's decoder does a part of it for photos
of at least four times their new size.
"""

import functools
import importlib
import io
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lookbook.pictures.resizing import resized

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "HEIF")
JFIF_BYTES = 512  # where TensorFlow Datasets looks for the marker in cats_vs_dogs
ORIENTATION = 0x0112  # EXIF tag
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


@functools.cache
def formats() -> tuple[str, ...]:
    """Return what pictures may be, by Pillow's names: HEIC too where pi-heif is installed."""
    try:
        pi_heif = importlib.import_module("pi_heif")
    except ImportError:
        return FORMATS[:-1]
    pi_heif.register_heif_opener()
    return FORMATS


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


class UnreadableError(Exception):
    """A picture cannot be decoded; the text is the reason."""


class Fault(NamedTuple):
    """A picture that could not be had, in its place among the others.

    Attributes:
        reason: Why, in a few words; pictures are counted by it.
    """

    reason: str


def given(entry: np.ndarray, form: Form) -> tuple[np.ndarray, tuple[int, int]]:
    """Return pixels from a table in their form, and their published width and height."""
    height, width, channels = entry.shape
    picture = Image.fromarray(entry[..., 0] if channels == 1 else entry)
    cut = _cut((width, height), form)
    return _resized(_with_channels(picture, form.channels), form, cut), (width, height)


def decoded(content: bytes, form: Form) -> tuple[np.ndarray, tuple[int, int]]:
    """Return a picture file's pixels in their form, and its width and height as published.

    Raises:
        UnreadableError: If it cannot be decoded.
    """
    if not content:
        raise UnreadableError("empty")
    if form.needs_jfif and b"JFIF" not in content[:JFIF_BYTES]:
        raise UnreadableError("no JFIF marker")
    try:
        picture: Image.Image = Image.open(io.BytesIO(content), formats=formats())
        size = picture.size
        turned = "exif" in picture.info and picture.getexif().get(ORIENTATION, 1) > 1
        cut = _cut(size, form)
        # JPEG can be decoded at a half, a quarter or an eighth of its size: for the photos of
        # today's cameras that is several times as fast.
        reduced = (size[0] // cut.coarse, size[1] // cut.coarse)
        picture.draft("L" if form.channels == 1 else "RGB", reduced)
        picture.load()
        drafted = cut.coarse if picture.size != size else 1
        if turned:
            before = picture.size
            picture = ImageOps.exif_transpose(picture)
            if picture.size != before:
                size = size[::-1]
                cut = _cut(size, form)
        return _resized(_with_channels(picture, form.channels), form, cut, drafted), size
    except UnidentifiedImageError:
        is_heic = content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS
        lacking = is_heic and "HEIF" not in formats()
        raise UnreadableError("HEIC, which needs pi-heif" if lacking else "not a picture") from None
    except Image.DecompressionBombError:
        raise UnreadableError("too many pixels") from None
    except Exception:  # Pillow's decoders raise whatever comes to them on damaged input
        raise UnreadableError("truncated or damaged") from None


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


class _Cut(NamedTuple):
    """What of a picture is used, and how it becomes smaller, all in its published pixels.

    Attributes:
        box: Left, top, right and bottom of what is used.
        target: The width and height that it gets, before it is padded.
        factors: The width and height of the boxes of pixels that are averaged first.
        coarse: By how much a decoder may reduce: 1, 2, 4 or 8. It divides the factors, so that a
            picture decoded in full and averaged is very nearly the same, and it leaves at least
            twice the target.
    """

    box: tuple[int, int, int, int]
    target: tuple[int, int]
    factors: tuple[int, int]
    coarse: int


def _cut(size: tuple[int, int], form: Form) -> _Cut:
    side = form.image_size
    width, height = size if form.resize != "crop" else (min(size), min(size))
    target = (side, side)
    if form.resize == "pad":
        longest = max(size)
        target = (max(1, round(width * side / longest)), max(1, round(height * side / longest)))
    across, down = (max(1, old // new) for old, new in zip((width, height), target, strict=True))
    coarse = next(scale for scale in (8, 4, 2, 1) if scale == 1 or min(across, down) >= 2 * scale)
    left, top = (
        (old - new) // 2 // coarse * coarse for old, new in zip(size, (width, height), strict=True)
    )
    factors = across // coarse * coarse, down // coarse * coarse
    return _Cut((left, top, left + width, top + height), target, factors, coarse)


def _resized(picture: Image.Image, form: Form, cut: _Cut, drafted: int = 1) -> np.ndarray:
    """Return a picture's pixels in their form; it was decoded at 1/`drafted` of its size."""
    left, top, right, bottom = (-(-edge // drafted) for edge in cut.box)
    box = (left, top, right, bottom)
    if box != (0, 0, *picture.size):
        picture = picture.crop(box)
    factors = cut.factors[0] // drafted, cut.factors[1] // drafted
    if max(factors) > 1:
        picture = picture.reduce(factors)
    inner = np.asarray(picture)
    if picture.size != cut.target:
        inner = resized(inner, cut.target)
    if form.resize != "pad":
        return inner
    side = form.image_size
    padded = np.zeros((side, side, *inner.shape[2:]), np.uint8)
    top, left = (side - inner.shape[0]) // 2, (side - inner.shape[1]) // 2
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded
