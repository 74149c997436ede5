"""Bilinear resizing in whole numbers, the same on every machine: OpenCV's INTER_LINEAR_EXACT.

NumPy does it where OpenCV is not installed or not worth its 0.2 s to import; OpenCV does it several
times as fast. Both give the same pixels, bit for bit.
"""

import contextlib
import functools
import importlib
import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np
from PIL import Image

BLOCKS_KEPT = 64  # freed blocks of memory that Pillow keeps
ONE = 256  # a whole pixel's share

Size = tuple[int, int]  # width and height

_opencv: ModuleType | None = None


def resized(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Return pixels resized.

    Args:
        pixels: uint8 of shape (height, width) or (height, width, channels).
        size: The new width and height.
    """
    if _opencv:
        return _opencv.resize(pixels, size, interpolation=_opencv.INTER_LINEAR_EXACT)
    return with_numpy(pixels, size)


def use_opencv() -> bool:
    """Resize with OpenCV from here on, if it is installed; return whether it is."""
    global _opencv
    with contextlib.suppress(ImportError):
        _opencv = importlib.import_module("cv2")
    return _opencv is not None


@contextlib.contextmanager
def sharing_threads() -> Iterator[None]:
    """Set Pillow and OpenCV up for pictures that several threads process, inside the block.

    The pictures are shared between threads, not their rows. Pillow keeps more of the memory that
    it frees for the next picture, which makes it a tenth faster. It warns at 89 million pixels and
    refuses at twice that; the refusal is all we need.
    """
    opencv, blocks = _opencv, Image.core.get_blocks_max()
    threads = opencv.getNumThreads() if opencv else 1
    if opencv:
        opencv.setNumThreads(1)
    Image.core.set_blocks_max(BLOCKS_KEPT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        if opencv:
            opencv.setNumThreads(threads)
        Image.core.set_blocks_max(blocks)


def with_numpy(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Return pixels resized as `resized` does, without OpenCV."""
    height, width, *rest = pixels.shape
    channels = rest[0] if rest else 1
    left, right, u = _neighbours(width, size[0], channels)
    above, below, v = _neighbours(height, size[1], 1)
    flat = pixels.reshape(height, width * channels).astype(np.uint16)
    # Sums of the first step are at most 255 x 256, those of the second 255 x 256 x 256.
    rows = flat.take(left, axis=1) * (ONE - u)
    rows += flat.take(right, axis=1) * u
    wide = rows.astype(np.uint32)
    v = v.astype(np.uint32)[:, np.newaxis]
    sums = wide.take(above, axis=0) * (ONE - v)
    sums += wide.take(below, axis=0) * v
    sums += ONE * ONE // 2
    sums >>= 16
    return sums.astype(np.uint8).reshape(size[1], size[0], *rest)


@functools.lru_cache(maxsize=64)
def _neighbours(old: int, new: int, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each value of a new row, its two neighbours' places and the second's share."""
    at = (np.arange(new) + 0.5) * (1 / (new / old)) - 0.5
    whole = np.floor(at)
    shares = np.rint((at - whole) * ONE).astype(np.uint16)  # half to even, as OpenCV rounds
    shares[(whole < 0) | (whole >= old - 1)] = 0
    first = whole.clip(0, old - 1).astype(np.intp)
    second = np.minimum(first + 1, old - 1)
    along = np.arange(channels)
    spread = [(places[:, np.newaxis] * channels + along).ravel() for places in (first, second)]
    return spread[0], spread[1], shares.repeat(channels)
