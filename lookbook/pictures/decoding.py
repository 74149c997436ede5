"""One picture: from the bytes of its file to pixels of a given shape, or the reason why not.

Pillow decodes, OpenCV resizes: bilinear in whole numbers, the same on every machine, and three
times as fast as Pillow's. Larger pictures are first averaged down to under twice their new size.
"""

import functools
import io
from dataclasses import dataclass

import cv2
import numpy as np
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "HEIF")
JFIF_BYTES = 512  # where TensorFlow Datasets looks for the marker in cats_vs_dogs
ORIENTATION = 0x0112  # EXIF tag


@functools.cache
def formats() -> tuple[str, ...]:
    """Return what pictures may be, by Pillow's names, once Pillow can read HEIC too."""
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


def given(entry: np.ndarray, form: Form) -> tuple[np.ndarray, tuple[int, int]]:
    """Return pixels from a table in their form, and their published width and height."""
    height, width, channels = entry.shape
    picture = Image.fromarray(entry[..., 0] if channels == 1 else entry)
    return _resized(_with_channels(picture, form.channels), form), (width, height)


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
        raise UnreadableError("not a picture") from None
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


def _inner_size(size: tuple[int, int], form: Form) -> tuple[int, int]:
    """Return the width and height that a whole picture has after resizing, before crop or pad."""
    if form.resize == "stretch":
        return form.image_size, form.image_size
    side = min(size) if form.resize == "crop" else max(size)
    width, height = (max(1, round(length * form.image_size / side)) for length in size)
    return width, height


def _resized(picture: Image.Image, form: Form) -> np.ndarray:
    side = form.image_size
    if form.resize == "crop":
        width, height = picture.size
        middle = min(width, height)
        left, top = (width - middle) // 2, (height - middle) // 2
        picture = picture.crop((left, top, left + middle, top + middle))
    inner = _scaled(picture, _inner_size(picture.size, form))
    if form.resize != "pad":
        return inner
    padded = np.zeros((side, side, *inner.shape[2:]), np.uint8)
    top, left = (side - inner.shape[0]) // 2, (side - inner.shape[1]) // 2
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded


def _scaled(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    if picture.size == size:
        return np.asarray(picture)
    across, down = (max(1, old // new) for old, new in zip(picture.size, size, strict=True))
    if max(across, down) > 1:
        picture = picture.reduce((across, down))
    return cv2.resize(np.asarray(picture), size, interpolation=cv2.INTER_LINEAR_EXACT)
